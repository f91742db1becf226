//! Reports as a STIX 2.1 bundle (OASIS, <https://docs.oasis-open.org/cti/stix/v2.1/>): each object as an indicator, what
//! it has to do with as observables and relationships, the intelligence reports that name it.
//!
//! Moments are those of facts, and identifiers follow from content: of observables as the standard says, of all else
//! by a namespace of our own. So equal knowledge gives equal bytes. Private data stays out of URLs, as in reports.

mod objects;

use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) use self::objects::uri;
use self::objects::{hashes, moment};
use super::{Extent, NAMESPACE, uuid};
use crate::dossier::rows::{FileRow, UrlRow};
use crate::dossier::{AddressDossier, Common, DomainDossier, FileDossier, UrlDossier};
use crate::fact::Publication;
use crate::indicator::{Host, Url};
use crate::sections::About;
use crate::store::StoreError;
use crate::value::{Timestamp, Zone};
use crate::verdict::Confidence;

/// What a bundle is sent as.
pub const MEDIA_TYPE: &str = "application/stix+json;version=2.1";

/// When the standard's TLP markings were made, and the service's own identity, which is no fact's.
const FIXED: &str = "2017-01-20T00:00:00.000Z";

/// [`super::MARK`], an object of the standard (section 7.2.1.4).
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

/// The largest `number_observed`.
const OBSERVED_MAX: u64 = 999_999_999;

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

/// A bundle of one object or of many.
pub struct Bundle {
    extent: Extent,
    objects: Vec<Value>,
    known: BTreeSet<String>,
    identity: String,
}

impl Bundle {
    /// An empty one, that tells so much of each object.
    pub fn new(extent: Extent) -> Bundle {
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
        Bundle { extent, objects, known: BTreeSet::new(), identity }
    }

    /// Adds an object.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn add_report(&mut self, about: &About<'_>) -> Result<(), StoreError> {
        match about {
            About::Domain(dossier) => self.domain(dossier),
            About::Address(dossier) => self.address(dossier),
            About::Url(dossier) => self.url(dossier),
            About::File(dossier) => self.file(dossier),
        }
    }

    /// The bundle's JSON.
    pub fn finish(self) -> Vec<u8> {
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
        if self.extent == Extent::Alone {
            return Ok(());
        }
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
        if dossier.is_reserved() || self.extent == Extent::Alone {
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
        if self.extent == Extent::Alone {
            return Ok(());
        }
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
        if self.extent == Extent::Alone {
            return Ok(());
        }
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
        let snapshot = common.view().snapshot();
        let shown = verdict.found.iter().filter(|found| !snapshot.leaves_out(found.evidence.source));
        let evidence = shown.map(|found| (found.evidence.first, found.evidence.last));
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
}

/// A text of a pattern.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observables_have_the_identifiers_of_the_standard() {
        let mut bundle = Bundle::new(Extent::Related);
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
