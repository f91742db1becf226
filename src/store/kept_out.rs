//! What is not taken in again after it was forgotten, by keyed digest.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::forget::{Subject, with_ancestors};
use crate::indicator::{Indicator, Url, without_www};

/// What is not taken in again, by keyed digest: who reads it cannot say what it is, only ask whether it is something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOut {
    /// The key, hex: the store's own.
    key: String,
    digests: HashSet<String>,
}

impl KeptOut {
    /// Whether all is taken in.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Adds subjects. `key` is taken where there is none yet.
    pub fn add(&mut self, subjects: &[Subject], key: impl FnOnce() -> String) {
        if self.key.is_empty() {
            self.key = key();
        }
        let digests: Vec<String> = subjects.iter().map(|subject| self.digest(&subject.canonical())).collect();
        self.digests.extend(digests);
    }

    fn digest(&self, canonical: &str) -> String {
        // The key has one length, so nothing can be moved between the two.
        format!("{:x}", Sha256::digest(format!("{}{canonical}", self.key)))
    }

    fn has(&self, subject: &Subject) -> bool {
        self.digests.contains(&self.digest(&subject.canonical()))
    }

    /// Whether a client of one's own is kept out.
    pub fn has_client(&self, client: &str) -> bool {
        !self.is_empty() && self.has(&Subject::Client(client.to_owned()))
    }

    /// Whether a record, as text or JSON, names something that is kept out: each word of it is asked for, as a name with
    /// all above it, an address, a hash and a client, and each text in quotes as an address of the web.
    pub fn is_named_in(&self, text: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let plain = text.replace("[.]", ".");
        let is_part = |character: char| character.is_alphanumeric() || "._-:".contains(character);
        let words = plain.split(|character| !is_part(character)).filter(|word| word.contains(is_part));
        words.into_iter().any(|word| self.has_word(word.trim_matches(['.', ':', '-'])))
            || plain.split(['"', ' ', '\t', '\\']).any(|text| {
                text.contains('/')
                    && Url::parse(text).is_ok_and(|url| self.has(&Subject::Indicator(Indicator::Url(url))))
            })
    }

    fn has_word(&self, word: &str) -> bool {
        // `domain:a.example`, `192.0.2.1:80`.
        let tail = word.split_once(':').map(|(_, tail)| tail);
        let head = word.split_once(':').map(|(head, _)| head);
        [Some(word), tail, head].into_iter().flatten().any(|word| {
            self.has(&Subject::Client(word.to_owned()))
                || match Indicator::parse(word) {
                    Ok(Indicator::Domain(name)) => with_ancestors(without_www(name.as_str()))
                        .any(|name| self.digests.contains(&self.digest(&format!("domain:{name}")))),
                    Ok(other) => self.has(&Subject::Indicator(other)),
                    Err(_) => false,
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_out_is_found_by_digest() {
        let mut kept_out = KeptOut::default();
        assert!(!kept_out.is_named_in("evil.example"));
        let subjects =
            ["evil.example", "192.0.2.1", "http://two.example/a/b", "44d88612fea8a8f36de82e1278abb02f"];
        let subjects: Vec<Subject> =
            subjects.iter().map(|text| Subject::indicator(Indicator::parse(text).unwrap())).collect();
        kept_out.add(&subjects, || "k".repeat(64));
        kept_out.add(&[Subject::Client("pc-7".to_owned())], || unreachable!());
        for text in [
            "{\"rrname\":\"a.evil.example\"}",
            "0.0.0.0 EVIL.example",
            "{\"indicator\":\"domain:evil.example\"}",
            "{\"address\":\"192.0.2.1\"}",
            "192.0.2.1:80",
            "{\"url\":\"https://www.two.example/a/b\"}",
            "{\"md5\":\"44d88612fea8a8f36de82e1278abb02f\"}",
            "{\"client\":\"pc-7\"}",
        ] {
            assert!(kept_out.is_named_in(text), "{text}");
        }
        for text in
            ["devil.example", "192.0.2.10", "http://two.example/a", "{\"client\":\"pc-70\"}", "example"]
        {
            assert!(!kept_out.is_named_in(text), "{text}");
        }
        let written = serde_json::to_string(&kept_out).unwrap();
        assert!(!written.contains("evil") && !written.contains("pc-7"), "{written}");
    }
}
