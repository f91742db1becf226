//! What a node stands for.

use super::Node;
use crate::export::tree::shown;
use crate::export::{defanged, without_links};
use crate::indicator::{Indicator, Kind, redact};
use crate::page::{escaped, path_of};
use crate::sections::About;
use crate::value::{ThreatScore, Zone};

/// What reports are called.
const REPORT: &str = "report";

/// The longest identifier of a report that is asked for, in bytes.
const REPORT_ID_BYTES_MAX: usize = 512;

/// The longest title of a report that a node shows, in characters.
const TITLE_CHARS_MAX: usize = 120;

/// What a node stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An object of which there are reports.
    Object(Indicator),
    /// An intelligence report, by its identifier.
    Report(String),
}

impl Thing {
    /// Reads the id of a node, or an indicator as typed.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Thing, String> {
        let report = text.strip_prefix(REPORT).and_then(|rest| rest.strip_prefix(':'));
        match report {
            Some(id) if id.is_empty() || id.len() > REPORT_ID_BYTES_MAX => {
                Err(format!("{text:?} names no report: use report: and its identifier"))
            }
            Some(id) => Ok(Thing::Report(id.to_owned())),
            None => Indicator::parse_tagged(text).map(Thing::Object).map_err(|error| error.to_string()),
        }
    }

    /// What a dossier is of: of a file the best known of its hashes, so that it is one node under all of them.
    pub(super) fn of(about: &About<'_>) -> Thing {
        Thing::Object(match about {
            About::Domain(dossier) => Indicator::Domain(dossier.name.clone()),
            About::Address(dossier) => Indicator::Address(dossier.address),
            About::Url(dossier) => Indicator::Url(dossier.url.clone()),
            About::File(dossier) => Indicator::File(
                dossier.file.best().expect("a dossier of a file has the hash that was asked of"),
            ),
        })
    }

    /// Its id: kind and normal form, without private data.
    pub fn id(&self) -> String {
        format!("{}:{}", self.kind(), self.normal())
    }

    fn kind(&self) -> &'static str {
        match self {
            Thing::Object(indicator) => indicator.kind().as_str(),
            Thing::Report(_) => REPORT,
        }
    }

    fn normal(&self) -> String {
        match self {
            Thing::Object(Indicator::Url(url)) => redact(url.key()).0,
            Thing::Object(indicator) => indicator.to_string(),
            Thing::Report(id) => id.clone(),
        }
    }

    /// Its node, not opened.
    pub(super) fn node(&self, title: Option<&str>, zone: Option<Zone>, score: Option<ThreatScore>) -> Node {
        let normal = self.normal();
        let (label, href) = match self {
            Thing::Object(indicator) => (defanged(&shown(&normal)), path_of(indicator.kind(), &normal)),
            Thing::Report(id) => {
                let title: String = title.unwrap_or(id).chars().take(TITLE_CHARS_MAX).collect();
                (without_links(&shown(&title)), format!("/reports/{}", escaped(id)))
            }
        };
        Node { id: self.id(), kind: self.kind(), label, zone, score, href, opened: false }
    }
}

/// What a row of a report names: a web address, or the host where no web address is known.
pub(super) fn web(text: &str) -> Option<Thing> {
    Indicator::parse(text).ok().map(Thing::Object)
}

/// A web address of a row.
pub(super) fn url(text: &str) -> Option<Thing> {
    Indicator::parse_as(Kind::Url, text).ok().map(Thing::Object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_read_back() {
        for (text, id) in [
            ("EVIL[.]example.", "domain:evil.example"),
            ("2001:db8::1", "ip:2001:db8::1"),
            ("ip:2001:db8::1", "ip:2001:db8::1"),
            ("hxxp://evil.example/a?b=1", "url:evil.example/a?b=1"),
            ("url:evil.example", "url:evil.example"),
            ("hash:44d88612fea8a8f36de82e1278abb02f", "hash:44D88612FEA8A8F36DE82E1278ABB02F"),
            ("report:EX-1:2", "report:EX-1:2"),
        ] {
            let thing = Thing::parse(text).unwrap();
            assert_eq!(thing.id(), id, "{text}");
            assert_eq!(Thing::parse(id).unwrap().id(), id);
        }
        for wrong in ["", "report:", "domain:192.0.2.1", "a b", "ip:"] {
            assert!(Thing::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Thing::parse(&format!("report:{}", "x".repeat(600))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_thing_or_is_refused(text in "\\PC{0,60}") {
            if let Ok(thing) = Thing::parse(&text) {
                let node = thing.node(Some(&text), None, None);
                prop_assert!(node.href.starts_with('/') && node.href.is_ascii());
                prop_assert!(!node.href.contains(['<', '"', '\'', '&', ' ']));
                prop_assert!(!node.href.starts_with("//"));
            }
        }
    }
}
