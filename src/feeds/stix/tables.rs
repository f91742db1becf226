//! STIX's words for what something is, as categories, and its traffic lights.

use crate::feeds::misp_event::word_category;
use crate::value::Category;

/// Words of STIX's open vocabularies (section 10) for indicators and malware; and those of STIX 2.0's labels.
const WORDS: &[(&str, Category)] = &[
    ("anomalous-activity", Category::SUSPICIOUS),
    ("anonymization", Category::PROXY),
    ("compromised", Category::COMPROMISED),
    ("malicious-activity", Category::MALWARE),
    ("adware", Category::ADWARE),
    ("backdoor", Category::MALWARE),
    ("bootkit", Category::MALWARE),
    ("bot", Category::MALWARE),
    ("ddos", Category::MALWARE),
    ("downloader", Category::MALWARE),
    ("dropper", Category::MALWARE),
    ("exploit-kit", Category::EXPLOIT),
    ("keylogger", Category::MALWARE),
    ("ransomware", Category::RANSOMWARE),
    ("remote-access-trojan", Category::MALWARE),
    ("resource-exploitation", Category::CRYPTOJACKING),
    ("rogue-security-software", Category::SCAM),
    ("rootkit", Category::MALWARE),
    ("screen-capture", Category::MALWARE),
    ("spyware", Category::MALWARE),
    ("trojan", Category::MALWARE),
    ("virus", Category::MALWARE),
    ("webshell", Category::MALWARE),
    ("wiper", Category::MALWARE),
    ("worm", Category::MALWARE),
];

/// Words that say nothing of what an indicator is.
const SILENT: &[&str] = &["unknown", "attribution", "benign"];

/// What a word of `indicator_types` or `malware_types` says; `Err` with a word of the writer's own.
pub(super) fn category_of(word: &str) -> Result<Option<Category>, &str> {
    if SILENT.iter().any(|silent| silent.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    let known = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    known.map(|(_, category)| *category).or_else(|| word_category(word)).map(Some).ok_or(word)
}

/// What a label or a phase of a kill chain says more than that something is bad.
pub(super) fn specific(word: &str) -> Option<Category> {
    word_category(word)
        .or_else(|| category_of(word).ok().flatten().filter(|found| *found != Category::MALWARE))
}

/// The traffic lights that have a fixed identifier: TLP 1 (STIX 2.1, 7.2.1.4) and TLP 2 (by its extension).
const MARKINGS: &[(&str, &str)] = &[
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "TLP:WHITE"),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN"),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER"),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED"),
    ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR"),
    ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN"),
    ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER"),
    ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT"),
    ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED"),
];

/// The traffic light of a marking.
pub(super) fn traffic_light(id: &str) -> Option<&'static str> {
    MARKINGS.iter().find(|(known, _)| *known == id).map(|(_, light)| *light)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_categories() {
        for (word, expected) in [
            ("malicious-activity", Ok(Some(Category::MALWARE))),
            ("Phishing", Ok(Some(Category::PHISHING))),
            ("unknown", Ok(None)),
            ("url-watchlist", Err("url-watchlist")),
        ] {
            assert_eq!(category_of(word), expected, "{word}");
        }
        for (word, expected) in [
            ("command-and-control", Some(Category::BOTNET_CNC)),
            ("malicious-activity", None),
            ("ransomware", Some(Category::RANSOMWARE)),
            ("misp:type=\"domain\"", None),
        ] {
            assert_eq!(specific(word), expected, "{word}");
        }
    }
}
