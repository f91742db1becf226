//! Labels that can be written down, to be asked for.

use super::looks::{PAIRS, TWO_PAIRS_CHARS_MAX};
use super::words::{FAUX_SUFFIXES, WORDS};

/// Characters of a label.
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";

/// Texts in one piece: thousands of labels without an allocation each.
#[derive(Default)]
pub struct Labels {
    text: String,
    ends: Vec<usize>,
}

impl Labels {
    /// Adds a label in parts; what no label is is left out.
    pub fn push(&mut self, parts: &[&str]) {
        let start = self.text.len();
        parts.iter().for_each(|part| self.text.push_str(part));
        let label = &self.text[start..];
        if label.is_empty() || label.len() > 63 {
            self.text.truncate(start);
        } else {
            self.ends.push(self.text.len());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// They.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.text[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Adds every label that one edit makes, two neighbours that change places among them, and the plural with `es`.
pub fn one_edit(label: &str, into: &mut Labels) {
    if !label.is_ascii() {
        return;
    }
    let count = (label.len() + 1) * (2 * ALPHABET.len() + 2);
    into.ends.reserve(count);
    into.text.reserve(count * (label.len() + 1));
    let mut buffer = [0; 4];
    for at in 0..=label.len() {
        let (head, tail) = label.split_at(at);
        let rest = tail.get(1..).unwrap_or_default();
        for letter in ALPHABET {
            let letter: &str = char::from(*letter).encode_utf8(&mut buffer);
            into.push(&[head, letter, tail]);
            if !tail.is_empty() && !tail.starts_with(letter) {
                into.push(&[head, letter, rest]);
            }
        }
        if !tail.is_empty() {
            into.push(&[head, rest]);
        }
        if tail.len() > 1 {
            into.push(&[head, &tail[1..2], &tail[..1], &tail[2..]]);
        }
    }
    into.push(&[label, "es"]);
    into.push(&[label.strip_suffix("es").unwrap_or_default()]);
}

/// How a label is misspelt most: two neighbours change places, or a letter inside is left out.
pub fn misspelt(label: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 1..if label.is_ascii() { label.len() } else { 0 } {
        let (before, rest) = (&label[..at - 1], &label[at + 1..]);
        all.push([before, &label[at..=at], &label[at - 1..at], rest].concat());
        if !rest.is_empty() {
            all.push([&label[..at], rest].concat());
        }
    }
    all.sort_unstable();
    all.dedup();
    all.retain(|misspelt| misspelt != label);
    all
}

/// Adds the labels that one or two look-alike pairs make.
pub fn look_alikes(label: &str, into: &mut Labels) {
    each_look_alike(label, 0, &mut |once, from| {
        into.push(&[once]);
        if label.len() <= TWO_PAIRS_CHARS_MAX {
            each_look_alike(once, from, &mut |twice, _| into.push(&[twice]));
        }
    });
}

/// Calls `with` for each label that one pair makes at `from` or after it, and where it can go on.
fn each_look_alike(label: &str, from: usize, with: &mut dyn FnMut(&str, usize)) {
    for (a, b) in PAIRS.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]) {
        let Some(tail) = label.get(from..) else { return };
        for (at, _) in tail.match_indices(a) {
            let (head, rest) = (&label[..from + at], &label[from + at + a.len()..]);
            with(&[head, b, rest].concat(), from + at + b.len());
        }
    }
}

/// Adds the label with its own suffix, or a frequent one, as a part of it.
pub fn with_suffixes(label: &str, suffix: &str, into: &mut Labels) {
    let (joined, hyphened) = (suffix.replace('.', ""), suffix.replace('.', "-"));
    let own = [joined.as_str(), hyphened.as_str(), suffix.rsplit('.').next().unwrap_or_default()];
    for end in own.into_iter().chain(FAUX_SUFFIXES.iter().copied()) {
        into.push(&[label, end]);
        into.push(&[label, "-", end]);
    }
}

/// Adds the label with a word of the list before or after it.
pub fn added_words(label: &str, into: &mut Labels) {
    for word in WORDS.iter() {
        for hyphen in ["", "-"] {
            into.push(&[label, hyphen, word]);
            into.push(&[word, hyphen, label]);
        }
    }
}
