//! What feeds of many kinds say alike: the word for a threat, where to read more.

use crate::value::Category;

/// The words of feeds for kinds of threats, lower case.
const WORDS: &[(&str, Category)] = &[
    ("malware_download", Category::MALWARE),
    ("malware", Category::MALWARE),
    ("malicious", Category::MALWARE),
    ("payload", Category::MALWARE),
    ("payload_delivery", Category::MALWARE),
    ("cc_skimming", Category::MALWARE),
    ("botnet_cc", Category::BOTNET_CNC),
    ("botnet", Category::BOTNET_CNC),
    ("botnet c&c", Category::BOTNET_CNC),
    ("bot_cnc", Category::BOTNET_CNC),
    ("command_and_control", Category::BOTNET_CNC),
    ("malware_hosting", Category::MALWARE),
    ("phishing", Category::PHISHING),
    ("phish", Category::PHISHING),
    ("spam", Category::SPAM),
    ("ransomware", Category::RANSOMWARE),
    ("exploit", Category::EXPLOIT),
    ("tor_exit_node", Category::TOR_EXIT_NODE),
    ("tor_exit", Category::TOR_EXIT_NODE),
    ("proxy", Category::PROXY),
    ("scan", Category::SUSPICIOUS),
    ("scanning_host", Category::SUSPICIOUS),
    ("bruteforce", Category::SUSPICIOUS),
];

/// The longest reference that is kept, in bytes: it is copied into each listing.
const REFERENCE_BYTES_MAX: usize = 1000;

/// The category that a feed's word means; `OTHER` where it is not known: then the word belongs into the reference.
pub(super) fn category(word: &str) -> Category {
    let known = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim()));
    known.map_or(Category::OTHER, |(_, category)| *category)
}

/// The word, where it is not one of the table.
pub(super) fn unknown(word: &str) -> Option<&str> {
    (category(word) == Category::OTHER).then_some(word)
}

/// One text of all that is there, `; ` between.
pub(super) fn reference<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Option<String> {
    let parts: Vec<&str> =
        parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut text = parts.join("; ");
    text.truncate(text.floor_char_boundary(REFERENCE_BYTES_MAX));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_once_and_unknown_ones_are_kept() {
        for (at, (word, _)) in WORDS.iter().enumerate() {
            assert!(WORDS[..at].iter().all(|(other, _)| other != word), "{word} stands twice");
            assert_eq!(*word, word.to_ascii_lowercase());
        }
        assert_eq!((category("Botnet_CC"), unknown("botnet_cc")), (Category::BOTNET_CNC, None));
        assert_eq!((category("dga"), unknown("dga")), (Category::OTHER, Some("dga")));
        assert_eq!(reference([Some("a"), None, Some(" "), Some("b")]).as_deref(), Some("a; b"));
        assert_eq!(reference([Some(&*"ä".repeat(1000))]).map(|text| text.len()), Some(1000));
        assert_eq!(reference([None]), None);
    }
}
