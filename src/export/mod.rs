//! What others read: a report or many as a STIX bundle or a MISP event, a report as a table or a page; the indicators of
//! an intelligence report as OpenIOC or CSV.
//!
//! All of it is made of data alone: identifiers follow from content and moments from facts, so the same knowledge
//! gives the same bytes.

use sha1::{Digest, Sha1};

mod answer;
pub mod iocs;
pub mod misp;
mod page;
pub mod stix;
mod table;
pub mod tree;

pub use answer::{Format, Set, VALUES_MAX, event, many, of_indicators, one, too_many};
pub use page::{POLICY, escaped, whole as defanged, without_links};

use crate::store::StoreError;
use crate::value::Tlp;

/// The mark of bundles, events and pages: they hold a site's own telemetry, so they are for the organisation and who
/// needs to know. It is also the strictest mark of what may be in them.
pub const MARK: Tlp = Tlp::Amber;

/// How much of an object is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The object: its verdict, and the intelligence reports that name it.
    Alone,
    /// What it has to do with, too.
    Related,
}

/// A JSON text that cannot be one, which its making excludes.
fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Io(error.into())
}

/// A UUID of 128 bits.
pub type Uuid = [u8; 16];

/// The namespace of identifiers of our own: version 5 of `https://zonelens/` in the namespace of URLs (RFC 9562).
const NAMESPACE: Uuid = *b"\xa4\xa0\x9c\xb8\x90\xcf\x5c\xf9\xaf\x81\xe1\x0a\x44\xf9\x4d\xc1";

/// The UUID, version 5, of a name in a namespace (RFC 9562, section 5.5), in its text form.
fn uuid(namespace: &Uuid, name: &str) -> String {
    let digest = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut id: Uuid = digest[..16].try_into().expect("SHA-1 has twenty bytes");
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_five_as_the_standard_has_it() {
        // RFC 9562, appendix A.4.
        let dns = *b"\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8";
        assert_eq!(uuid(&dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        let urls = *b"\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8";
        let own: String = NAMESPACE.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(uuid(&urls, "https://zonelens/").replace('-', ""), own);
    }
}
