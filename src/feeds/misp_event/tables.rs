//! What MISP's types, tags and galaxies mean here.

use crate::fact::{Publication, ReportType};
use crate::value::Category;

/// One of the values of an attribute; several are joined by `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A name and all names below it.
    Domain,
    /// A host by its name.
    HostName,
    Address,
    /// Of the host before it.
    Port,
    Url,
    Hash,
    /// Of the file whose hash comes after it.
    FileName,
}

/// The attribute types that are indicators.
const TYPES: &[(&str, &[Part])] = &[
    ("domain", &[Part::Domain]),
    ("onion-address", &[Part::Domain]),
    ("domain|ip", &[Part::Domain, Part::Address]),
    ("hostname", &[Part::HostName]),
    ("hostname|port", &[Part::HostName, Part::Port]),
    ("ip-src", &[Part::Address]),
    ("ip-dst", &[Part::Address]),
    ("ip-src|port", &[Part::Address, Part::Port]),
    ("ip-dst|port", &[Part::Address, Part::Port]),
    ("url", &[Part::Url]),
    ("uri", &[Part::Url]),
    ("md5", &[Part::Hash]),
    ("sha1", &[Part::Hash]),
    ("sha256", &[Part::Hash]),
    ("filename|md5", &[Part::FileName, Part::Hash]),
    ("filename|sha1", &[Part::FileName, Part::Hash]),
    ("filename|sha256", &[Part::FileName, Part::Hash]),
    ("malware-sample", &[Part::FileName, Part::Hash]),
];

/// The attribute types that only describe the event, an object or another attribute: no record of their own.
/// `threat-actor` and `target-location` are parts of the publication.
pub(super) const CONTEXT: &[&str] = &[
    "anonymised",
    "attachment",
    "boolean",
    "comment",
    "counter",
    "datetime",
    "float",
    "integer",
    "link",
    "mime-type",
    "other",
    "port",
    "size-in-bytes",
    "target-location",
    "text",
    "threat-actor",
    "uuid",
];

/// The values of an attribute of this type; `None` where it is no indicator.
pub(super) fn parts_of(attribute_type: &str) -> Option<&'static [Part]> {
    TYPES.iter().find(|(name, _)| *name == attribute_type).map(|(_, parts)| *parts)
}

/// Galaxies whose clusters are attackers: the event is a report of the type APT. `threat_level_id` is not asked: by its
/// definition 1 and 2 are APT too, but most writers leave it as their MISP sets it.
const ACTORS: &[&str] = &[
    "threat-actor",
    "microsoft-activity-group",
    "360net-threat-actor",
    "mitre-intrusion-set",
    "mitre-enterprise-attack-intrusion-set",
    "mitre-mobile-attack-intrusion-set",
    "mitre-pre-attack-intrusion-set",
    "mitre-ics-groups",
];

/// What a galaxy says of the indicators. Botnets are not here: the addresses of such an event may be bots.
const GALAXIES: &[(&str, Category)] = &[
    ("ransomware", Category::RANSOMWARE),
    ("exploit-kit", Category::EXPLOIT),
    ("cryptominers", Category::CRYPTOJACKING),
];

/// What the last word of a tag says of the indicators, whatever the taxonomy: `rsit:fraud="phishing"`,
/// `circl:incident-classification="phishing"`, `kill-chain:Command and Control`.
const WORDS: &[(&str, Category)] = &[
    ("phishing", Category::PHISHING),
    ("spear-phishing", Category::PHISHING),
    ("phishing-attacks", Category::PHISHING),
    ("spear-phishing-attacks", Category::PHISHING),
    ("smishing", Category::PHISHING),
    ("ransomware", Category::RANSOMWARE),
    ("ransom", Category::RANSOMWARE),
    ("locker", Category::RANSOMWARE),
    ("c&c", Category::BOTNET_CNC),
    ("c2", Category::BOTNET_CNC),
    ("c2-server", Category::BOTNET_CNC),
    ("command and control", Category::BOTNET_CNC),
    ("command-and-control", Category::BOTNET_CNC),
    ("spam", Category::SPAM),
    ("scam", Category::SCAM),
    ("cryptojacking", Category::CRYPTOJACKING),
    ("exploit", Category::EXPLOIT),
    ("exploit-kit", Category::EXPLOIT),
    ("exploits-exploit-kits", Category::EXPLOIT),
    ("adware", Category::ADWARE),
    ("system-compromise", Category::COMPROMISED),
    ("compromised", Category::COMPROMISED),
    ("infected-system", Category::COMPROMISED),
    ("botnet-drone", Category::COMPROMISED),
    ("bot", Category::COMPROMISED),
    ("scanner", Category::SUSPICIOUS),
    ("scan", Category::SUSPICIOUS),
    ("brute-force", Category::SUSPICIOUS),
];

/// What MISP's own categories say of the indicators in them.
const CATEGORIES: &[(&str, Category)] =
    &[("Financial fraud", Category::SCAM), ("Support Tool", Category::SUSPICIOUS)];

/// The category of a listing: what the attribute's tags say, else that an attacker is known, else what the event's tags
/// say, else the attribute's MISP category, else malware.
pub(super) fn category_of<'a>(
    attribute_tags: impl Iterator<Item = &'a str>,
    event_tags: &[&str],
    misp_category: &str,
    is_file: bool,
) -> Category {
    // A file is no server, and has no owner who lost it.
    let fits =
        |category: &Category| !is_file || !matches!(*category, Category::BOTNET_CNC | Category::COMPROMISED);
    let mut tags: Vec<&str> = attribute_tags.collect();
    let said = |tags: &[&str]| tags.iter().filter_map(|tag| tag_category(tag)).find(fits);
    let own = said(&tags);
    tags.extend(event_tags);
    let attacker = tags.iter().any(|tag| is_actor(tag)).then_some(Category::APT);
    let by_category =
        || CATEGORIES.iter().find(|(name, _)| *name == misp_category).map(|(_, category)| *category);
    own.or(attacker).or_else(|| said(event_tags)).or_else(by_category).unwrap_or(Category::MALWARE)
}

/// What a tag or a word of a common taxonomy says of indicators.
pub(in crate::feeds) fn tag_category(tag: &str) -> Option<Category> {
    if let Some((galaxy, _)) = galaxy(tag) {
        return GALAXIES.iter().find(|(name, _)| *name == galaxy).map(|(_, category)| *category);
    }
    let word = match tag.split_once("=\"") {
        Some((_, value)) => value.trim_end_matches('"'),
        None => tag.rsplit(':').next().unwrap_or(tag),
    };
    WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, category)| *category)
}

/// Galaxy and cluster of `misp-galaxy:sector="Finance"`.
fn galaxy(tag: &str) -> Option<(&str, &str)> {
    let (galaxy, cluster) = tag.strip_prefix("misp-galaxy:")?.split_once('=')?;
    Some((galaxy, cluster.trim_matches('"')))
}

fn is_actor(tag: &str) -> bool {
    galaxy(tag).is_some_and(|(galaxy, _)| ACTORS.contains(&galaxy))
}

/// The type of the report: APT where an attacker is named, else industrial where its tags are of ATT&CK for ICS.
pub(super) fn report_type(tags: &[&str]) -> ReportType {
    let ics = |tag: &&str| tag.starts_with("misp-galaxy:mitre-ics-");
    match tags.iter().any(|tag| is_actor(tag)) {
        true => ReportType::Apt,
        false if tags.iter().any(ics) => ReportType::Industrial,
        false => ReportType::Crimeware,
    }
}

/// Puts each tag where it belongs in the publication: attackers, industries, countries, else free tags.
pub(super) fn sort_tags(tags: &[&str], publication: &mut Publication) {
    for tag in tags {
        match galaxy(tag) {
            Some((galaxy, cluster)) if ACTORS.contains(&galaxy) => {
                add(&mut publication.actors, without_attack_id(cluster));
            }
            Some(("sector" | "cert-eu-govsector", cluster)) => add(&mut publication.industries, cluster),
            Some(("target-information", cluster)) => add(&mut publication.geography, cluster),
            _ => add(&mut publication.tags, tag),
        }
    }
}

/// Adds a text that is not there.
pub(super) fn add(texts: &mut Vec<String>, text: &str) {
    if !text.is_empty() && !texts.iter().any(|known| known == text) {
        texts.push(text.to_owned());
    }
}

/// `APT1 - G0006`, as ATT&CK's clusters are named, without the number.
fn without_attack_id(cluster: &str) -> &str {
    match cluster.rsplit_once(" - G") {
        Some((name, id)) if id.len() == 4 && id.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => cluster,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_give_categories() {
        for (own, event, category, is_file, expected) in [
            (vec![], vec![], "Network activity", false, Category::MALWARE),
            (vec![], vec![], "Financial fraud", false, Category::SCAM),
            (vec![], vec!["tlp:white", "rsit:fraud=\"phishing\""], "", false, Category::PHISHING),
            (
                vec!["kill-chain:Command and Control"],
                vec!["rsit:fraud=\"phishing\""],
                "",
                false,
                Category::BOTNET_CNC,
            ),
            (vec!["kill-chain:Command and Control"], vec![], "", true, Category::MALWARE),
            (
                vec![],
                vec!["misp-galaxy:ransomware=\"Xorist\"", "misp-galaxy:threat-actor=\"X\""],
                "",
                true,
                Category::APT,
            ),
            (vec![], vec!["misp-galaxy:ransomware=\"Xorist\""], "", true, Category::RANSOMWARE),
            (vec![], vec!["misp-galaxy:botnet=\"Asprox\""], "", false, Category::MALWARE),
            (vec![], vec!["ms-caro-malware:malware-type=\"Ransom\""], "", true, Category::RANSOMWARE),
        ] {
            assert_eq!(
                category_of(own.iter().copied(), &event, category, is_file),
                expected,
                "{own:?} {event:?}"
            );
        }
    }

    #[test]
    fn types_stand_once() {
        let names: Vec<_> = TYPES.iter().map(|(name, _)| name).chain(CONTEXT).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} stands twice");
        }
    }
}
