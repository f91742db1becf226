//! A MISP event as its JSON is: what is used of it.

use serde::Deserialize;

use super::tables::category_of;
use crate::fact::{Listed, Listing, Seen};
use crate::feeds::lenient::{Objects, Text};
use crate::value::Timestamp;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Event {
    /// The event, where this is only what is around it.
    #[serde(rename = "Event")]
    pub(super) inner: Objects<Event>,
    pub(super) uuid: Text,
    pub(super) info: Text,
    pub(super) date: Text,
    pub(super) timestamp: Text,
    pub(super) publish_timestamp: Text,
    #[serde(rename = "Orgc")]
    pub(super) creator: Objects<Named>,
    #[serde(rename = "Tag")]
    pub(super) tags: Objects<Named>,
    #[serde(rename = "Galaxy")]
    pub(super) galaxies: Objects<Galaxy>,
    #[serde(rename = "Attribute")]
    pub(super) attributes: Objects<Attribute>,
    #[serde(rename = "Object")]
    pub(super) objects: Objects<Object>,
}

/// A tag, an organisation.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Named {
    pub(super) name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Galaxy {
    #[serde(rename = "GalaxyCluster")]
    pub(super) clusters: Objects<Cluster>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Cluster {
    pub(super) tag_name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Object {
    pub(super) name: Text,
    pub(super) deleted: Text,
    pub(super) first_seen: Text,
    pub(super) last_seen: Text,
    #[serde(rename = "Attribute")]
    pub(super) attributes: Objects<Attribute>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Attribute {
    #[serde(rename = "type")]
    pub(super) attribute_type: Text,
    pub(super) object_relation: Text,
    pub(super) category: Text,
    pub(super) value: Text,
    pub(super) to_ids: Text,
    pub(super) deleted: Text,
    pub(super) timestamp: Text,
    pub(super) first_seen: Text,
    pub(super) last_seen: Text,
    #[serde(rename = "Tag")]
    pub(super) tags: Objects<Named>,
    #[serde(rename = "Sighting")]
    pub(super) sightings: Objects<SightingRecord>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SightingRecord {
    #[serde(rename = "type")]
    pub(super) sighting_type: Text,
    pub(super) date_sighting: Text,
    pub(super) source: Text,
    #[serde(rename = "Organisation")]
    pub(super) organisation: Objects<Named>,
}

impl Event {
    /// The names of its tags, those of its galaxies among them, each once.
    pub(super) fn tag_names(&self) -> Vec<&str> {
        let clusters = self.galaxies.iter().flat_map(|galaxy| galaxy.clusters.iter());
        let all = self.tags.iter().map(|tag| &tag.name).chain(clusters.map(|cluster| &cluster.tag_name));
        let mut names = Vec::new();
        for name in all.filter_map(Text::get) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// All attributes that are not deleted.
    pub(super) fn live(&self) -> impl Iterator<Item = &Attribute> {
        let in_objects = self.live_objects().flat_map(Object::live);
        self.attributes.iter().filter(|attribute| !attribute.deleted.is_true()).chain(in_objects)
    }

    pub(super) fn live_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| !object.deleted.is_true())
    }
}

impl Object {
    pub(super) fn live(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| !attribute.deleted.is_true())
    }

    /// When the object was seen: its own fields, else those of its attributes that say so.
    pub(super) fn seen(&self) -> Option<Seen> {
        let related = |relation| {
            let found = self.live().find(|attribute| attribute.object_relation.get() == Some(relation));
            found.and_then(|attribute| time(&attribute.value))
        };
        let first = time(&self.first_seen).or_else(|| related("first-seen"));
        seen(first, time(&self.last_seen).or_else(|| related("last-seen")))
    }
}

impl Attribute {
    pub(super) fn kind(&self) -> &str {
        self.attribute_type.get().unwrap_or_default()
    }

    pub(super) fn text(&self) -> &str {
        self.value.get().unwrap_or_default()
    }

    pub(super) fn sightings_of_type<'a>(
        &'a self,
        wanted: &'a str,
    ) -> impl Iterator<Item = &'a SightingRecord> {
        self.sightings.iter().filter(move |sighting| sighting.sighting_type.get().unwrap_or("0") == wanted)
    }

    /// A listing as this attribute makes it.
    pub(super) fn listing(&self, what: Listed, event_tags: &[&str], reference: String) -> Listing {
        let tags = self.tags.iter().filter_map(|tag| tag.name.get());
        let is_file = matches!(what, Listed::File { .. });
        let category = category_of(tags, event_tags, self.category.get().unwrap_or_default(), is_file);
        let changed = time(&self.timestamp);
        let last = time(&self.last_seen).or(changed);
        let first = time(&self.first_seen).or(changed);
        Listing {
            what,
            category: Some(category),
            confidence: None,
            first: first.min(last.or(first)),
            last: last.max(first),
            until: self.sightings_of_type("2").filter_map(|sighting| time(&sighting.date_sighting)).max(),
            reference: Some(reference),
        }
    }
}

/// A moment; 0 stands for never.
pub(super) fn time(text: &Text) -> Option<Timestamp> {
    text.get().and_then(|text| Timestamp::parse(text).ok()).filter(|time| time.0 != 0)
}

pub(super) fn seen(first: Option<Timestamp>, last: Option<Timestamp>) -> Option<Seen> {
    let (first, last) = (first.or(last)?, last.or(first)?);
    Some(Seen { first: first.min(last), last: last.max(first), hits: 1 })
}
