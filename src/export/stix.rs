//! A report as a STIX 2.1 bundle (OASIS, <https://docs.oasis-open.org/cti/stix/v2.1/>): the object as an indicator, what
//! it has to do with as observables and relationships, the intelligence reports that name it.
//!
//! Moments are those of facts, and identifiers follow from content: of observables as the standard says, of all else
//! by [`super::NAMESPACE`]. So equal knowledge gives equal bytes. Private data stays out of URLs, as in reports.

use std::collections::BTreeSet;
use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{NAMESPACE, Uuid, uuid};
use crate::dossier::rows::{FileRow, UrlRow};
use crate::dossier::{AddressDossier, Common, DomainDossier, FileDossier, UrlDossier};
use crate::fact::Publication;
use crate::indicator::{FileHashes, Host, Url};
use crate::sections::About;
use crate::store::StoreError;
use crate::value::{Timestamp, Zone};
use crate::verdict::Confidence;

/// What a bundle is sent as.
pub const MEDIA_TYPE: &str = "application/stix+json;version=2.1";

/// The namespace of observables, which the standard sets (section 2.9).
const OBSERVABLES: Uuid = *b"\x00\xab\xed\xb4\xaa\x42\x46\x6c\x9c\x23\xfe\xd2\x3a\x33\xc7\xd6";

/// When the standard's TLP markings were made, and the service's own identity, which is no fact's.
const FIXED: &str = "2017-01-20T00:00:00.000Z";

/// TLP:AMBER, an object of the standard (section 7.2.1.4): a bundle holds a site's own telemetry, so it is for the
/// organisation and who needs to know.
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

/// What RFC 3986 has no place for in a URI, and a key may hold.
const NO_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The largest `number_observed`.
const OBSERVED_MAX: u64 = 999_999_999;

/// A report as a bundle.
///
/// # Errors
///
/// Damage in the store.
pub fn bundle(about: &About<'_>) -> Result<Vec<u8>, StoreError> {
    let mut bundle = Bundle::new();
    match about {
        About::Domain(dossier) => bundle.domain(dossier)?,
        About::Address(dossier) => bundle.address(dossier)?,
        About::Url(dossier) => bundle.url(dossier)?,
        About::File(dossier) => bundle.file(dossier)?,
    }
    Ok(bundle.finish())
}

/// The object of a report, as an observable and as a pattern.
struct Subject {
    id: String,
    name: String,
    pattern: String,
    seen: Option<(Timestamp, Timestamp)>,
}

/// When and how often two things were seen together.
struct Seen {
    first: Timestamp,
    last: Timestamp,
    hits: u64,
}

struct Bundle {
    objects: Vec<Value>,
    known: BTreeSet<String>,
    identity: String,
}

impl Bundle {
    fn new() -> Bundle {
        let identity = format!("identity--{}", uuid(&NAMESPACE, "identity"));
        let objects = vec![
            json!({
                "type": "identity", "spec_version": "2.1", "id": identity, "created": FIXED, "modified": FIXED,
                "name": "zonelens", "identity_class": "system",
            }),
            json!({
                "type": "marking-definition", "spec_version": "2.1", "id": AMBER, "created": FIXED,
                "definition_type": "tlp", "name": "TLP:AMBER", "definition": {"tlp": "amber"},
            }),
        ];
        Bundle { objects, known: BTreeSet::new(), identity }
    }

    fn finish(self) -> Vec<u8> {
        let ids: Vec<&str> = self.objects.iter().filter_map(|object| object["id"].as_str()).collect();
        let id = format!("bundle--{}", uuid(&NAMESPACE, &ids.join(" ")));
        json!({"type": "bundle", "id": id, "objects": self.objects}).to_string().into_bytes()
    }

    fn domain(&mut self, dossier: &DomainDossier<'_>) -> Result<(), StoreError> {
        let name = dossier.name.as_str();
        let id = self.domain_name(name);
        let pattern = format!("[domain-name:value = {}]", quoted(name));
        self.subject(
            &dossier.common,
            Subject { id: id.clone(), name: name.to_owned(), pattern, seen: dossier.seen() },
        )?;
        self.resolutions(&dossier.common, &id, dossier)?;
        self.files(&dossier.common, &id, "was downloaded from", &dossier.downloaded()?.rows);
        self.files(&dossier.common, &id, "accessed", &dossier.accessed()?.rows);
        Ok(())
    }

    fn address(&mut self, dossier: &AddressDossier<'_>) -> Result<(), StoreError> {
        let (id, kind) = self.ip(dossier.address);
        let name = dossier.address.to_string();
        let pattern = format!("[{kind}:value = {}]", quoted(&name));
        self.subject(&dossier.common, Subject { id: id.clone(), name, pattern, seen: dossier.seen() })?;
        if dossier.is_reserved() {
            return Ok(());
        }
        // Names that were folded into `*.parent` are no observables.
        for row in dossier.names()?.rows.iter().filter(|row| !row.name.contains('*')) {
            let name = self.domain_name(&row.name);
            let seen = Seen { first: row.first, last: row.last, hits: row.hits };
            self.seen_together(&dossier.common, &name, "resolves-to", None, &id, &seen);
        }
        self.files(&dossier.common, &id, "has to do with", &dossier.files()?.rows);
        self.urls(&dossier.common, &id, "is on", &dossier.urls()?.rows);
        Ok(())
    }

    fn url(&mut self, dossier: &UrlDossier<'_>) -> Result<(), StoreError> {
        let (common, key) = (&dossier.common, dossier.shown());
        let id = self.web_address(&key);
        // A key has no scheme.
        let either = ["http", "https"].map(|scheme| format!("url:value = {}", quoted(&uri(scheme, &key))));
        let pattern = format!("[{}]", either.join(" OR "));
        let seen = common.own.edges.iter().map(|edge| crate::dossier::rows::moments(&edge.observed));
        let seen = seen.chain(dossier.seen()).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        self.subject(common, Subject { id: id.clone(), name: key, pattern, seen })?;
        let host = match dossier.url.host() {
            Host::Domain(name) => self.domain_name(name.as_str()),
            Host::Address(address) => self.ip(address).0,
        };
        self.relationship(&id, "related-to", Some("is on"), &host, seen.unwrap_or((common.at, common.at)));
        if let Some(on) = dossier.host()? {
            self.resolutions(common, &host, on)?;
        }
        self.files(common, &id, "was downloaded from", &dossier.downloaded()?.rows);
        self.files(common, &id, "accessed", &dossier.accessed()?.rows);
        Ok(())
    }

    fn file(&mut self, dossier: &FileDossier<'_>) -> Result<(), StoreError> {
        let hashes = hashes(&dossier.file);
        let named = |name: &str| if name == "MD5" { name.to_owned() } else { format!("'{name}'") };
        let each =
            hashes.iter().map(|(name, hash)| format!("file:hashes.{} = {}", named(name), quoted(hash)));
        let pattern = format!("[{}]", each.collect::<Vec<_>>().join(" OR "));
        let id = self.hashed(&dossier.file);
        let name = hashes.first().map(|(_, hash)| hash.clone()).unwrap_or_default();
        self.subject(&dossier.common, Subject { id: id.clone(), name, pattern, seen: dossier.seen() })?;
        for (how, rows) in [
            ("was downloaded from", &dossier.downloaded_from()?.rows),
            ("accessed", &dossier.accessed()?.rows),
        ] {
            for row in rows {
                let other = self.place(&row.url);
                let seen = Seen { first: row.first, last: row.last, hits: row.hits };
                self.seen_together(&dossier.common, &id, "related-to", Some(how), &other, &seen);
            }
        }
        Ok(())
    }

    /// The indicator, and the reports that name the object.
    fn subject(&mut self, common: &Common<'_>, subject: Subject) -> Result<(), StoreError> {
        let verdict = &common.verdict;
        let evidence = verdict.found.iter().map(|found| (found.evidence.first, found.evidence.last));
        let (first, last) =
            evidence.chain(subject.seen).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or_else(|| {
                let hour = common.judge.hour();
                (hour, hour)
            });
        let kinds = match verdict.zone {
            Zone::Red => "malicious-activity",
            Zone::Orange | Zone::Yellow => "anomalous-activity",
            Zone::Grey => "unknown",
            Zone::Green => "benign",
        };
        // The scale of the standard's appendix A: low, medium, high.
        let confidence = match verdict.confidence() {
            Confidence::Low => 15,
            Confidence::Medium => 50,
            Confidence::High => 85,
        };
        let categories = verdict.categories();
        let labels = categories.iter().map(|one| one.short_name().to_ascii_lowercase().replace('_', "-"));
        let policy = common.judge.policy();
        let mut indicator = json!({
            "name": subject.name,
            "description": format!("Zone {}, score {} of 100, by policy {} {}",
                verdict.zone, verdict.score.0, policy.name, policy.version),
            "indicator_types": [kinds],
            "pattern": subject.pattern,
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": moment(first),
            "confidence": confidence,
        });
        if !categories.is_empty() {
            indicator["labels"] = labels.collect();
        }
        let id = self.add("indicator", &subject.pattern, (first, last), indicator);
        for report in common.publications()? {
            self.report(report, &[&id, &subject.id]);
        }
        Ok(())
    }

    fn report(&mut self, report: &Publication, about: &[&str]) {
        let published = report.published.unwrap_or_default();
        let mut external = json!({"source_name": "publication", "external_id": report.id});
        let is_web = |url: &&String| {
            (url.starts_with("https://") || url.starts_with("http://"))
                && url.bytes().all(|byte| byte.is_ascii_graphic())
                && Url::parse(url).is_ok()
        };
        if let Some(url) = report.url.as_ref().filter(is_web) {
            external["url"] = Value::from(url.as_str());
        }
        let mut body = json!({
            "name": report.title,
            "report_types": ["threat-report"],
            "published": moment(published),
            "object_refs": about,
            "external_references": [external],
        });
        if let Some(description) = &report.description {
            body["description"] = Value::from(description.as_str());
        }
        if !report.tags.is_empty() {
            body["labels"] = json!(report.tags);
        }
        self.add("report", &report.id, (published, report.updated.unwrap_or(published)), body);
    }

    /// The addresses of a name.
    fn resolutions(
        &mut self,
        common: &Common<'_>,
        name: &str,
        of: &DomainDossier<'_>,
    ) -> Result<(), StoreError> {
        for row in &of.resolutions()?.rows {
            let (address, _) = self.ip(row.address);
            let seen = Seen { first: row.first, last: row.last, hits: row.hits };
            self.seen_together(common, name, "resolves-to", None, &address, &seen);
        }
        Ok(())
    }

    fn files(&mut self, common: &Common<'_>, object: &str, how: &str, rows: &[FileRow]) {
        for row in rows {
            let file = self.hashed(&row.file);
            let seen = Seen { first: row.first, last: row.last, hits: row.hits };
            self.seen_together(common, &file, "related-to", Some(how), object, &seen);
        }
    }

    fn urls(&mut self, common: &Common<'_>, object: &str, how: &str, rows: &[UrlRow]) {
        for row in rows {
            let url = self.web_address(&row.url);
            let seen = Seen { first: row.first, last: row.last, hits: row.hits };
            self.seen_together(common, &url, "related-to", Some(how), object, &seen);
        }
    }

    /// A relationship and the observation of it.
    fn seen_together(
        &mut self,
        common: &Common<'_>,
        from: &str,
        kind: &str,
        how: Option<&str>,
        to: &str,
        seen: &Seen,
    ) {
        let relationship = self.relationship(from, kind, how, to, (seen.first, seen.last));
        let count = common.rounded(seen.hits).clamp(1, OBSERVED_MAX);
        let body = json!({
            "first_observed": moment(seen.first),
            "last_observed": moment(seen.last),
            "number_observed": count,
            "object_refs": [from, to, relationship],
        });
        self.add("observed-data", &relationship, (seen.first, seen.last), body);
    }

    fn relationship(
        &mut self,
        from: &str,
        kind: &str,
        how: Option<&str>,
        to: &str,
        (first, last): (Timestamp, Timestamp),
    ) -> String {
        let mut body = json!({
            "relationship_type": kind, "source_ref": from, "target_ref": to, "start_time": moment(first),
        });
        if last > first {
            body["stop_time"] = Value::from(moment(last));
        }
        if let Some(how) = how {
            body["description"] = Value::from(how);
        }
        let name = [from, kind, how.unwrap_or_default(), to].join(" ");
        self.add("relationship", &name, (first, last), body)
    }

    /// Adds an object that is no observable, once; its identifier follows from a name.
    fn add(
        &mut self,
        kind: &str,
        name: &str,
        (created, modified): (Timestamp, Timestamp),
        body: Value,
    ) -> String {
        let id = format!("{kind}--{}", uuid(&NAMESPACE, &format!("{kind} {name}")));
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id, "created_by_ref": self.identity,
            "created": moment(created), "modified": moment(modified.max(created)), "object_marking_refs": [AMBER],
        });
        if let (Value::Object(object), Value::Object(body)) = (&mut object, body) {
            object.extend(body);
        }
        self.push(id, object)
    }

    fn push(&mut self, id: String, object: Value) -> String {
        if self.known.insert(id.clone()) {
            self.objects.push(object);
        }
        id
    }

    /// Adds an observable, once. Its identifier follows from some of its properties.
    fn observable(&mut self, kind: &str, identifying: &Value, properties: Map<String, Value>) -> String {
        // JSON of sorted keys without white space is canonical for texts (RFC 8785).
        let id = format!("{kind}--{}", uuid(&OBSERVABLES, &identifying.to_string()));
        let mut object =
            json!({"type": kind, "spec_version": "2.1", "id": id, "object_marking_refs": [AMBER]});
        if let Value::Object(object) = &mut object {
            object.extend(properties);
        }
        self.push(id, object)
    }

    fn of_value(&mut self, kind: &str, value: &str) -> String {
        let value = json!({"value": value});
        let properties = value.as_object().cloned().unwrap_or_default();
        self.observable(kind, &value, properties)
    }

    fn domain_name(&mut self, name: &str) -> String {
        self.of_value("domain-name", name)
    }

    fn ip(&mut self, address: IpAddr) -> (String, &'static str) {
        let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        (self.of_value(kind, &address.to_string()), kind)
    }

    fn web_address(&mut self, key: &str) -> String {
        self.of_value("url", &uri("http", key))
    }

    /// A URL, or a host where no URL is known.
    fn place(&mut self, key: &str) -> String {
        match key.parse::<IpAddr>() {
            Ok(address) => self.ip(address).0,
            Err(_) => self.web_address(key),
        }
    }

    fn hashed(&mut self, file: &FileHashes) -> String {
        let all: Map<String, Value> =
            hashes(file).into_iter().map(|(name, hash)| (name.to_owned(), Value::from(hash))).collect();
        // One hash identifies, in this order: MD5, SHA-1, SHA-256.
        let first = all.iter().next().map(|(name, hash)| json!({"hashes": {(name.as_str()): hash}}));
        let properties = Map::from_iter([("hashes".to_owned(), Value::Object(all))]);
        self.observable("file", &first.unwrap_or_default(), properties)
    }
}

/// The hashes of a file by the standard's names, MD5 first, in lower case.
fn hashes(file: &FileHashes) -> Vec<(&'static str, String)> {
    let named = |hash: crate::indicator::FileHash| {
        let name = match hash.as_bytes().len() {
            16 => "MD5",
            20 => "SHA-1",
            _ => "SHA-256",
        };
        (name, hash.to_string().to_ascii_lowercase())
    };
    file.iter().map(named).collect()
}

/// A key as a URI of a scheme.
fn uri(scheme: &str, key: &str) -> String {
    format!("{scheme}://{}", utf8_percent_encode(key, NO_URI))
}

/// A text of a pattern.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A moment as the standard has it.
fn moment(at: Timestamp) -> String {
    format!("{}.000Z", at.rfc3339().trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observables_have_the_identifiers_of_the_standard() {
        let mut bundle = Bundle::new();
        // By an independent implementation of UUID version 5.
        assert_eq!(bundle.ip([198, 51, 100, 3].into()).0, "ipv4-addr--bfaa57dd-3f87-5270-83fd-8f7000318aef");
        assert_eq!(bundle.domain_name("example.com"), "domain-name--a31eb510-ec20-5043-a5d5-269e843fb531");
        assert_eq!(bundle.web_address("example.com/a b"), "url--081a644b-62f9-5d3f-ae0b-73fd019ebd6c");
        let file = crate::indicator::FileHash::parse("44d88612fea8a8f36de82e1278abb02f").unwrap();
        assert_eq!(bundle.hashed(&file.into()), "file--1cf8526c-96e6-50df-afce-1d0b1d4e6e58");
    }

    #[test]
    fn texts_of_patterns_end_where_they_should() {
        assert_eq!(quoted("a'b\\c"), "'a\\'b\\\\c'");
        assert_eq!(uri("https", "a.b/x y?<\u{e9}>"), "https://a.b/x%20y?%3C%C3%A9%3E");
    }
}
