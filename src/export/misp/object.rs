//! The objects of an event and their attributes, by the templates of MISP.

use serde_json::{Map, Value, json};

use crate::export::{NAMESPACE, uuid};
use crate::indicator::FileHash;
use crate::value::{Timestamp, Zone};

/// A template of MISP's objects.
pub(super) struct Template {
    pub(super) name: &'static str,
    pub(super) uuid: &'static str,
    pub(super) version: &'static str,
    pub(super) category: &'static str,
    pub(super) description: &'static str,
}

pub(super) const DOMAIN_IP: Template = Template {
    name: "domain-ip",
    uuid: "43b3b146-77eb-4931-b4cc-b66c60f28734",
    version: "11",
    category: "network",
    description: "A domain/hostname and IP address seen as a tuple in a specific time frame.",
};
pub(super) const URL: Template = Template {
    name: "url",
    uuid: "60efb77b-40b5-4c46-871b-ed1ed999fce5",
    version: "10",
    category: "network",
    description: "url object describes an url along with its normalized field (like extracted using faup parsing \
                  library) and its metadata.",
};
pub(super) const FILE: Template = Template {
    name: "file",
    uuid: "688c46fb-5edb-40a3-8273-1af7923e2215",
    version: "25",
    category: "file",
    description: "File object describing a file with meta-information",
};

/// What an attribute of an object is: how the object's template calls it, its type and its category.
pub(super) type Relation = (&'static str, &'static str, &'static str);

pub(super) const DOMAIN: Relation = ("domain", "domain", "Network activity");
pub(super) const IP: Relation = ("ip", "ip-dst", "Network activity");
pub(super) const ADDRESS: Relation = ("url", "url", "Network activity");
pub(super) const FILE_NAME: Relation = ("filename", "filename", "Payload delivery");
pub(super) const TEXT: Relation = ("text", "text", "Other");

/// First and last.
pub(super) type Moments = (Timestamp, Timestamp);

/// An object of an event, while it is made.
pub(super) struct Object {
    pub(super) id: String,
    pub(super) json: Value,
    pub(super) attributes: Vec<Value>,
    /// What the object of a report is marked with.
    pub(super) tags: Vec<Value>,
    pub(super) zone: Zone,
    /// Whether nothing was taken out of what names it.
    pub(super) is_whole: bool,
    pub(super) at: Timestamp,
    pub(super) seen: Option<Moments>,
}

impl Object {
    /// What names the object of a report.
    pub(super) fn own(&mut self, relation: Relation, value: &str) {
        let (zone, seen, tags) = (self.zone, self.seen, Value::from(self.tags.clone()));
        self.add(relation, value, self.is_detected(zone), seen).insert("Tag".to_owned(), tags);
    }

    /// What it has to do with.
    pub(super) fn row(&mut self, relation: Relation, value: &str, zone: Zone, seen: Moments) {
        self.at = self.at.max(seen.1);
        let attribute = self.add(relation, value, self.is_detected(zone), Some(seen));
        attribute.insert("comment".to_owned(), Value::from(format!("Zone {zone}")));
    }

    /// Whether sensors are told to look for what is in a zone.
    fn is_detected(&self, zone: Zone) -> bool {
        self.is_whole && matches!(zone, Zone::Red | Zone::Orange)
    }

    /// What is worth knowing and nothing to detect.
    pub(super) fn plain(&mut self, relation: Relation, value: &str) {
        self.add(relation, value, false, None);
    }

    fn add(
        &mut self,
        (relation, kind, category): Relation,
        value: &str,
        to_ids: bool,
        seen: Option<Moments>,
    ) -> &mut Map<String, Value> {
        let id = uuid(&NAMESPACE, &format!("misp\0{}\0{relation}\0{value}", self.id));
        let mut attribute = Map::new();
        let mut set = |name: &str, value: Value| attribute.insert(name.to_owned(), value);
        for (name, text) in [
            ("uuid", id.as_str()),
            ("object_relation", relation),
            ("type", kind),
            ("category", category),
            ("value", value),
            ("distribution", "5"),
        ] {
            set(name, Value::from(text));
        }
        set("to_ids", Value::from(to_ids));
        // The same words would join events that have nothing to do with each other.
        set("disable_correlation", Value::from(relation == "text"));
        let (first, last) = seen.unwrap_or((self.at, self.at));
        set("timestamp", Value::from(last.0.to_string()));
        if seen.is_some() {
            set("first_seen", Value::from(first.rfc3339()));
            set("last_seen", Value::from(last.rfc3339()));
        }
        self.attributes.push(Value::Object(attribute));
        let last = self.attributes.last_mut().and_then(Value::as_object_mut);
        last.expect("an object was pushed just now")
    }
}

pub(super) fn tag(name: &str) -> Value {
    json!({"name": name})
}

pub(super) fn hash_relation(hash: &FileHash) -> Relation {
    let name = match hash {
        FileHash::Md5(_) => "md5",
        FileHash::Sha1(_) => "sha1",
        FileHash::Sha256(_) => "sha256",
    };
    (name, name, "Payload delivery")
}
