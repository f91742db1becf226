//! `alert`: what a rule says of a name.
//!
//! A rule says that traffic looks like something, not that its other end is bad: a scan comes from one side, a stolen
//! password goes to the other, and many rules only inform. One kind names an indicator: a rule on a bad name, whose text
//! spells it (`ET MALWARE Observed X Domain (bad .example in TLS SNI)`) and which saw that name asked for.

use super::{At, Batch, Stop};
use crate::fact::{Fact, Listed};
use crate::feeds::Emit;
use crate::feeds::cof::domain;
use crate::feeds::entry::{listing, name, shown};
use crate::indicator::{DomainName, Host, Mask, refang};
use crate::value::Category;

/// What classes of rules say of the name that they spell, by the description in `classification.config`.
const CLASSES: &[(&str, Category)] = &[
    ("Domain Observed Used for C2 Detected", Category::BOTNET_CNC),
    ("Malware Command and Control Activity Detected", Category::BOTNET_CNC),
    ("A Network Trojan was detected", Category::MALWARE),
    ("Exploit Kit Activity Detected", Category::EXPLOIT),
    ("Crypto Currency Mining Activity Detected", Category::CRYPTOJACKING),
    ("Possible Social Engineering Attempted", Category::PHISHING),
    ("Successful Credential Theft Detected", Category::PHISHING),
];

/// Yields a listing of the name that the rule spells.
pub(super) fn read(_: &mut Batch, at: &At<'_>, out: &mut Emit<'_>) -> Result<(), Stop> {
    let fault = |detail: String| Err(Stop::Bad("alert", detail));
    let Some(alert) = at.event.alert.first() else {
        return Err(Stop::Bad("fields", "there is no alert in it".to_owned()));
    };
    let signature = alert.signature.get().unwrap_or_default();
    let class = alert.category.get().unwrap_or_default();
    let Some((_, category)) = CLASSES.iter().find(|(description, _)| *description == class) else {
        return fault(format!("a rule of the class {} does not say that a name is bad", shown(class)));
    };
    let Some(spelled) = spelled(signature) else {
        return fault(format!("{} spells no name: it says nothing on an indicator", shown(signature)));
    };
    if !asked(at).any(|name| name.is_within(&spelled)) {
        return fault(format!("{} spells {spelled}, which the event did not ask for", shown(signature)));
    }
    let mut listing = listing(Listed::Mask(Mask::host(&Host::Domain(spelled), None)));
    listing.category = Some(*category);
    listing.last = Some(at.seen.last);
    let number = alert.signature_id.get().map(|number| format!("{number} ")).unwrap_or_default();
    listing.reference = Some(format!("{number}{signature}"));
    at.fact(Fact::Listing(listing), out)
}

/// The names that the event asked for: by DNS, HTTP or TLS.
fn asked<'e>(at: &At<'e>) -> impl Iterator<Item = DomainName> + use<'e> {
    let event = at.event;
    let dns = event.dns.iter().flat_map(|dns| dns.query.iter().chain(dns.queries.iter()));
    let http = event.http.iter().map(|http| &http.hostname);
    let tls = event.tls.iter().map(|tls| &tls.sni);
    dns.map(|query| &query.rrname).chain(http).chain(tls).filter_map(|text| domain(text.get()?).ok())
}

/// The first name that a rule's text spells, defanged as rules do it: `bad .example`, `bad[.]example`.
fn spelled(signature: &str) -> Option<DomainName> {
    let plain = signature.replace(" .", ".").replace(". ", ".");
    let mut words = plain.split(|char: char| char.is_whitespace() || "(),;'\"".contains(char));
    words.find_map(|word| name(&refang(word)).ok().filter(|name| name.registrable().is_some()))
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn names_in_signatures() {
        for (signature, expected) in [
            ("ET MALWARE Observed X Domain (bad .example.com in TLS SNI)", Some("bad.example.com")),
            ("ET MALWARE Observed DNS Query to X Domain (bad[.]example[.]com)", Some("bad.example.com")),
            ("ET MALWARE Win32/X Checkin", None),
            ("ET INFO HTTP Request to a *.top domain", None),
            ("", None),
        ] {
            assert_eq!(spelled(signature).map(|name| name.to_string()).as_deref(), expected, "{signature}");
        }
    }
}
