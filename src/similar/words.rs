//! What stands around a name inside a longer label.

use std::sync::LazyLock;

/// Words that are put beside names, one a line; `#` begins a comment.
static LIST: &str = include_str!("words.txt");

/// The words of the list.
pub(super) static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    LIST.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|word| !word.is_empty())
        .collect()
});

/// Letters of the alphabet.
const LETTERS: usize = 26;

/// The words of the list by their first two letters. None is shorter.
static BY_BEGINNING: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let mut words = vec![Vec::new(); LETTERS * LETTERS];
    for word in WORDS.iter() {
        words[beginning(word.as_bytes()).expect("a word of letters")].push(*word);
    }
    words
});

/// A number for the first two letters of a text, where it begins with two.
fn beginning(text: &[u8]) -> Option<usize> {
    let letter = |at: usize| text.get(at).filter(|byte| byte.is_ascii_lowercase()).map(|byte| byte - b'a');
    Some(usize::from(letter(0)?) * LETTERS + usize::from(letter(1)?))
}

/// Suffixes that are put into labels: `example-com.net`.
pub(super) const FAUX_SUFFIXES: &[&str] = &[
    "com", "net", "org", "info", "co", "io", "app", "de", "uk", "co-uk", "couk", "us", "fr", "nl", "it",
    "es", "pl", "ru", "cn", "in", "br", "com-br", "combr", "jp", "au", "com-au", "ca", "ch", "eu", "gov",
];

/// Whether a label is the target with a suffix in it.
pub(super) fn is_faux_suffix(own: &str, suffix: &str, label: &str) -> bool {
    let Some(rest) = label.strip_prefix(own) else { return false };
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    FAUX_SUFFIXES.contains(&rest)
        || rest.replace('-', "") == suffix.replace('.', "")
        || suffix.rsplit('.').next() == Some(rest)
}

/// Whether what stands before and after is words of the list, digits and hyphens, and something stands there.
pub(super) fn are_words(before: &str, after: &str) -> bool {
    is_words(before) && is_words(after) && !(before.is_empty() && after.is_empty())
}

/// Whether what stands before something in its part of a label, up to a hyphen, or after it, is nothing or words of the
/// list and digits.
pub(super) fn is_word_beside(before: &str, after: &str) -> bool {
    is_words(before.rsplit('-').next().unwrap_or_default())
        || is_words(after.split('-').next().unwrap_or_default())
}

/// Whether a text is made of words of the list, digits and hyphens, or is empty.
fn is_words(text: &str) -> bool {
    // Where a word can begin: labels are short.
    let mut begins = [false; 64];
    begins[0] = true;
    for at in 0..text.len().min(63) {
        if !begins[at] {
            continue;
        }
        let rest = &text.as_bytes()[at..];
        if matches!(rest[0], b'0'..=b'9' | b'-') {
            begins[at + 1] = true;
        }
        let words = beginning(rest).map_or(&[][..], |index| &BY_BEGINNING[index]);
        for word in words.iter().filter(|word| rest.starts_with(word.as_bytes())) {
            if let Some(end) = begins.get_mut(at + word.len()) {
                *end = true;
            }
        }
    }
    text.len() < 64 && begins[text.len()]
}

/// Whether what stands before ends a word: nothing or a hyphen.
pub(super) fn ends_word(before: &str) -> bool {
    before.is_empty() || before.ends_with('-')
}

/// Whether what stands after begins a word: nothing or a hyphen.
pub(super) fn begins_word(after: &str) -> bool {
    after.is_empty() || after.starts_with('-')
}

/// Whether the side of a text that is beside the target is an end of the label, a hyphen or a digit.
pub(super) fn is_edge(text: &str, is_before: bool) -> bool {
    let beside = if is_before { text.bytes().next_back() } else { text.bytes().next() };
    beside.is_none_or(|byte| byte == b'-' || byte.is_ascii_digit())
}

/// Whether a part of a label, with hyphens or ends of the label on both sides, is what `is_like`.
pub(super) fn has_between(
    label: &str,
    lengths: std::ops::RangeInclusive<usize>,
    is_like: impl Fn(&str) -> bool,
) -> bool {
    (0..label.len()).any(|from| {
        lengths.clone().any(|length| {
            let to = from + length;
            length < label.len()
                && label.is_char_boundary(from)
                && label.is_char_boundary(to)
                && ends_word(&label[..from])
                && begins_word(&label[to..])
                && is_like(&label[from..to])
        })
    })
}
