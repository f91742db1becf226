//! Reports as a MISP event (core format, <https://www.misp-standard.org/rfc/misp-standard-core.html>): each object as one
//! of MISP's own objects `domain-ip`, `url` or `file`, what it has to do with in it or as further objects, the
//! intelligence reports that name it as attributes.
//!
//! Identifiers follow from what an event is about, and moments from facts: the same knowledge is the same event, and one
//! with newer facts takes its place in MISP. Private data stays out of URLs, as in reports.

mod object;

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use self::object::{
    ADDRESS, DOMAIN, DOMAIN_IP, FILE, FILE_NAME, IP, Moments, Object, TEXT, Template, URL, hash_relation, tag,
};
use super::stix::uri;
use super::{Extent, MARK, NAMESPACE, uuid};
use crate::dossier::rows::{FileRow, UrlRow};
use crate::dossier::{AddressDossier, Common, DomainDossier, FileDossier, UrlDossier};
use crate::fact::Publication;
use crate::indicator::{FileHashes, Host, Indicator, Url};
use crate::sections::About;
use crate::store::StoreError;
use crate::value::{Timestamp, Zone};

/// The most names of a file that are told.
const NAMES_MAX: usize = 20;

/// An event on one object or on many.
pub struct Event {
    extent: Extent,
    uuid: String,
    told: Vec<(String, Zone, u8)>,
    latest: Option<Timestamp>,
    attributes: Vec<Value>,
    objects: Vec<Value>,
    /// Where each object stands, by its identifier.
    known: HashMap<String, usize>,
}

impl Event {
    /// An empty one on these, that tells so much of each.
    pub fn new<'i>(of: impl IntoIterator<Item = &'i Indicator>, extent: Extent) -> Event {
        let names: Vec<String> = of.into_iter().map(Indicator::tagged).collect();
        Event {
            extent,
            uuid: uuid(&NAMESPACE, &format!("misp\0{}", names.join("\0"))),
            told: Vec::new(),
            latest: None,
            attributes: Vec::new(),
            objects: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Adds an object.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn add_report(&mut self, about: &About<'_>) -> Result<(), StoreError> {
        match about {
            About::Domain(dossier) => self.domain(dossier)?,
            About::Address(dossier) => self.address(dossier)?,
            About::Url(dossier) => self.url(dossier)?,
            About::File(dossier) => self.file(dossier)?,
        }
        for report in about.common().publications()? {
            self.publication(report);
        }
        Ok(())
    }

    /// The event's JSON.
    pub fn finish(self) -> Vec<u8> {
        let latest = self.latest.unwrap_or_default();
        let worst = self.told.iter().map(|(_, zone, _)| *zone).min().unwrap_or_default();
        let level = match worst {
            Zone::Red => "1",
            Zone::Orange => "2",
            Zone::Yellow => "3",
            Zone::Grey | Zone::Green => "4",
        };
        json!({"Event": {
            "uuid": self.uuid, "info": self.info(), "date": latest.date(), "timestamp": latest.0.to_string(),
            // For the own organisation, as its mark says; not published; the analysis is complete.
            "distribution": "0", "published": false, "analysis": "2", "threat_level_id": level,
            "Orgc": {"name": "zonelens", "uuid": uuid(&NAMESPACE, "identity")},
            "Tag": [tag(&format!("tlp:{}", MARK.name()))],
            "Attribute": self.attributes, "Object": self.objects,
        }})
        .to_string()
        .into_bytes()
    }

    /// Its attributes and objects.
    pub fn into_parts(self) -> (Vec<Value>, Vec<Value>) {
        (self.attributes, self.objects)
    }

    fn info(&self) -> String {
        if let [(name, zone, score)] = &self.told[..] {
            return format!("{name}: zone {zone}, score {score} of 100 (zonelens)");
        }
        let count = |zone: Zone| self.told.iter().filter(|(_, of, _)| *of == zone).count();
        let zones = [Zone::Red, Zone::Orange, Zone::Yellow, Zone::Grey, Zone::Green];
        let zones = zones.into_iter().filter(|zone| count(*zone) > 0);
        let counts: Vec<String> = zones.map(|zone| format!("{} {zone}", count(zone))).collect();
        format!("{} indicators: {} (zonelens)", self.told.len(), counts.join(", "))
    }

    //--- Objects

    fn domain(&mut self, dossier: &DomainDossier<'_>) -> Result<(), StoreError> {
        let common = &dossier.common;
        let mut object = self.subject(&DOMAIN_IP, common, dossier.name.as_str(), dossier.seen());
        object.own(DOMAIN, dossier.name.as_str());
        if self.extent == Extent::Related {
            for row in &dossier.resolutions()?.rows {
                object.row(IP, &row.address.to_string(), row.zone, (row.first, row.last));
            }
        }
        let to = self.push(object);
        if self.extent == Extent::Related {
            self.files(&to, "downloaded-from", &dossier.downloaded()?.rows);
            self.files(&to, "communicates-with", &dossier.accessed()?.rows);
        }
        Ok(())
    }

    fn address(&mut self, dossier: &AddressDossier<'_>) -> Result<(), StoreError> {
        let name = dossier.address.to_string();
        let mut object = self.subject(&DOMAIN_IP, &dossier.common, &name, dossier.seen());
        object.own(IP, &name);
        let is_more = self.extent == Extent::Related && !dossier.is_reserved();
        if is_more {
            // Names that were folded into `*.parent` are no names.
            for row in dossier.names()?.rows.iter().filter(|row| !row.name.contains('*')) {
                object.row(DOMAIN, &row.name, row.zone, (row.first, row.last));
            }
        }
        let to = self.push(object);
        if is_more {
            self.files(&to, "related-to", &dossier.files()?.rows);
            self.urls(&to, "hosted-by", &dossier.urls()?.rows);
        }
        Ok(())
    }

    fn url(&mut self, dossier: &UrlDossier<'_>) -> Result<(), StoreError> {
        let key = dossier.shown();
        let mut object = self.subject(&URL, &dossier.common, &key, dossier.seen());
        // What private data was taken out of is not what sensors see.
        object.is_whole = key == dossier.url.key();
        object.own(ADDRESS, &uri("http", &key));
        match dossier.url.host() {
            Host::Domain(name) => object.plain(DOMAIN, name.as_str()),
            Host::Address(address) => object.plain(IP, &address.to_string()),
        }
        if self.extent == Extent::Related && matches!(dossier.url.host(), Host::Domain(_)) {
            for row in &dossier.resolutions()?.rows {
                object.row(IP, &row.address.to_string(), row.zone, (row.first, row.last));
            }
        }
        let to = self.push(object);
        if self.extent == Extent::Related {
            self.files(&to, "downloaded-from", &dossier.downloaded()?.rows);
            self.files(&to, "communicates-with", &dossier.accessed()?.rows);
        }
        Ok(())
    }

    fn file(&mut self, dossier: &FileDossier<'_>) -> Result<(), StoreError> {
        let mut object = self.subject(&FILE, &dossier.common, &name_of(&dossier.file), dossier.seen());
        for hash in dossier.file.iter() {
            object.own(hash_relation(&hash), &hash.to_string().to_ascii_lowercase());
        }
        for (name, _) in dossier.names().into_iter().take(NAMES_MAX) {
            object.plain(FILE_NAME, name);
        }
        let from = self.push(object);
        if self.extent == Extent::Related {
            for (how, rows) in [
                ("downloaded-from", &dossier.downloaded_from()?.rows),
                ("communicates-with", &dossier.accessed()?.rows),
            ] {
                for row in rows {
                    let to = self.place(row);
                    self.refer(&from, how, &to);
                }
            }
        }
        Ok(())
    }

    /// Files that have to do with an object.
    fn files(&mut self, to: &str, how: &str, rows: &[FileRow]) {
        for row in rows {
            let mut object = self.object(&FILE, &name_of(&row.file));
            for hash in row.file.iter() {
                let value = hash.to_string().to_ascii_lowercase();
                object.row(hash_relation(&hash), &value, row.zone, (row.first, row.last));
            }
            if let Some(detection) = &row.detection {
                object.plain(TEXT, detection);
            }
            let from = self.push(object);
            self.refer(&from, how, to);
        }
    }

    /// URLs that have to do with an object.
    fn urls(&mut self, to: &str, how: &str, rows: &[UrlRow]) {
        for row in rows {
            let from = self.place(row);
            self.refer(&from, how, to);
        }
    }

    /// A URL, or an address where no URL is known.
    fn place(&mut self, row: &UrlRow) -> String {
        let address = row.url.parse::<IpAddr>();
        let mut object = self.object(if address.is_ok() { &DOMAIN_IP } else { &URL }, &row.url);
        object.is_whole = !row.is_truncated;
        match address {
            Ok(address) => object.row(IP, &address.to_string(), row.zone, (row.first, row.last)),
            Err(_) => object.row(ADDRESS, &uri("http", &row.url), row.zone, (row.first, row.last)),
        }
        self.push(object)
    }

    /// The object that a report is about, with its verdict.
    fn subject(
        &mut self,
        template: &Template,
        common: &Common<'_>,
        name: &str,
        seen: Option<Moments>,
    ) -> Object {
        let verdict = &common.verdict;
        self.told.push((name.to_owned(), verdict.zone, verdict.score.0));
        let at = seen.map_or(common.judge.hour(), |seen| seen.1);
        self.latest = self.latest.max(Some(at));
        let mut object = self.object(template, name);
        object.zone = verdict.zone;
        object.at = at;
        object.seen = seen;
        let categories: Vec<String> =
            verdict.categories().iter().map(|one| one.short_name().to_ascii_lowercase()).collect();
        object.tags = vec![tag(&format!("zonelens:zone=\"{}\"", verdict.zone.name().to_ascii_lowercase()))];
        object.tags.extend(categories.iter().map(|name| tag(&format!("zonelens:category=\"{name}\""))));
        let policy = common.judge.policy();
        let why = if categories.is_empty() { String::new() } else { format!(": {}", categories.join(", ")) };
        let said = format!(
            "Zone {}, score {} of 100{why}; by policy {} {}",
            verdict.zone, verdict.score.0, policy.name, policy.version
        );
        object.plain(TEXT, &said);
        object
    }

    fn object(&self, template: &Template, name: &str) -> Object {
        let id = uuid(&NAMESPACE, &format!("misp\0{}\0{}\0{name}", self.uuid, template.name));
        let json = json!({
            "uuid": id, "name": template.name, "meta-category": template.category,
            "description": template.description, "template_uuid": template.uuid,
            "template_version": template.version, "distribution": "5",
        });
        Object {
            id,
            json,
            attributes: Vec::new(),
            tags: Vec::new(),
            zone: Zone::Grey,
            is_whole: true,
            at: Timestamp(0),
            seen: None,
        }
    }

    /// Adds an object, once.
    fn push(&mut self, object: Object) -> String {
        let Object { id, mut json, attributes, at, .. } = object;
        if !self.known.contains_key(&id) {
            self.latest = self.latest.max(Some(at));
            json["timestamp"] = Value::from(at.0.to_string());
            json["Attribute"] = Value::from(attributes);
            json["ObjectReference"] = json!([]);
            self.known.insert(id.clone(), self.objects.len());
            self.objects.push(json);
        }
        id
    }

    /// Says what an object has to do with another.
    fn refer(&mut self, from: &str, how: &str, to: &str) {
        let id = uuid(&NAMESPACE, &format!("misp\0{from}\0{how}\0{to}"));
        let reference = json!({
            "uuid": id, "object_uuid": from, "referenced_uuid": to, "relationship_type": how, "comment": "",
        });
        let at = self.known.get(from).copied();
        let references = at.and_then(|at| self.objects[at]["ObjectReference"].as_array_mut());
        if let Some(references) = references
            && !references.contains(&reference)
        {
            references.push(reference);
        }
    }

    /// An intelligence report: its link, or its title where it has none.
    fn publication(&mut self, report: &Publication) {
        let id = uuid(&NAMESPACE, &format!("misp\0{}\0publication\0{}", self.uuid, report.id));
        if self.attributes.iter().any(|attribute| attribute["uuid"] == id.as_str()) {
            return;
        }
        let is_web = |url: &&String| url.starts_with("http") && Url::parse(url).is_ok();
        let at = report.updated.or(report.published).unwrap_or_default();
        let (kind, value) = match report.url.as_ref().filter(is_web) {
            Some(url) => ("link", url),
            None => ("text", &report.title),
        };
        self.attributes.push(json!({
            "uuid": id, "type": kind, "category": "External analysis", "value": value,
            "comment": format!("{} ({})", report.title, report.id), "to_ids": false, "distribution": "5",
            "timestamp": at.0.to_string(),
        }));
    }
}

fn name_of(file: &FileHashes) -> String {
    file.best().map(|hash| hash.to_string()).unwrap_or_default()
}
