//! Which names look like another, and by what trick: pure functions of two labels.
//!
//! A search asks the store three times, each time for less than it knows: for labels that can be written down (one edit,
//! an added word), for labels with the same key (look-alike characters), and for labels that share most pairs of
//! characters (two edits, the name inside a longer one). What comes back is judged here: [`Target::techniques`] says by
//! which techniques a label imitates the target, and what it says does not depend on how the label was found.

mod approximate;
mod edits;
mod looks;
mod subdomain;
mod technique;
mod variants;
mod words;

pub use approximate::{Pattern, distance};
pub use looks::{key, keys_of, skeleton};
pub use subdomain::whole_names;
pub use technique::{TECHNIQUES, Technique, Techniques};
pub use variants::{Labels, added_words, look_alikes, misspelt, one_edit, with_suffixes};

use std::borrow::Cow;

use crate::indicator::DomainName;

/// Labels shorter than this have more neighbours at two edits than look alike.
pub const TWO_EDITS_CHARS_MIN: usize = 7;

/// Labels shorter than this are not looked for in longer ones.
pub const LONGER_CHARS_MIN: usize = 3;

/// Labels shorter than this are found in longer ones only between hyphens, digits and ends.
const BEGINNING_CHARS_MIN: usize = 5;

/// Labels shorter than this are found in longer ones only where these begin, or a hyphen or a digit is before them.
pub const INSIDE_CHARS_MIN: usize = 6;

/// Labels shorter than this are found in longer ones with an edit only between hyphens and ends; those shorter than
/// [`INSIDE_CHARS_MIN`] not at all.
pub const NEARLY_ANYWHERE_CHARS_MIN: usize = 8;

/// The label of a registrable name, and its public suffix. A domain under which others register names (the private section
/// of the Public Suffix List: `github.io`) has one, too: it was registered itself.
pub fn label_and_suffix(name: &str) -> Option<(&str, &str)> {
    let is_suffix = |name: &str, section| {
        psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix == name && suffix.typ() == Some(section))
    };
    let registrable = psl::domain_str(name).or_else(|| {
        let (_, above) = name.split_once('.')?;
        (is_suffix(name, psl::Type::Private) && is_suffix(above, psl::Type::Icann)).then_some(name)
    })?;
    registrable.split_once('.')
}

/// What others are compared with: the label of a registrable name.
pub struct Target {
    /// The label, in A-labels.
    pub label: String,
    /// Its public suffix.
    pub suffix: String,
    /// The label in Unicode.
    pub unicode: String,
    /// What is compared character by character: the label, or what an internationalised one looks like.
    pub plain: String,
    key: String,
    skeleton: String,
    /// Its plain form, to be found inside others.
    pub pattern: Pattern,
    /// How its plain form is misspelt inside others, where it has too few letters to be found with any edit.
    pub misspelt: Vec<String>,
}

impl Target {
    /// The target for a name; none for a public suffix, nor for hyphens alone, which look like nothing.
    pub fn of(name: &DomainName) -> Option<Target> {
        let (label, suffix) = label_and_suffix(name.as_str())?;
        if label.bytes().all(|byte| byte == b'-') {
            return None;
        }
        let unicode = unicode(label).into_owned();
        let key = looks::look(label).into_owned();
        let is_international = label.starts_with("xn--");
        let is_plain = |text: &str| {
            text.len() <= 63
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let plain = if is_international && is_plain(&key) { key.clone() } else { label.to_owned() };
        Some(Target {
            skeleton: skeleton(&unicode),
            pattern: Pattern::of(&plain),
            misspelt: match plain.len() {
                INSIDE_CHARS_MIN..NEARLY_ANYWHERE_CHARS_MIN => misspelt(&plain),
                _ => Vec::new(),
            },
            label: label.to_owned(),
            suffix: suffix.to_owned(),
            unicode,
            plain,
            key,
        })
    }

    /// Edit distance of a label to the target's, both in Unicode.
    pub fn distance(&self, label: &str) -> usize {
        let label = unicode(label);
        if label.is_ascii() && self.unicode == self.plain {
            return self.pattern.distance(label.as_bytes()) as usize;
        }
        distance(&self.unicode, &label)
    }

    /// By which techniques a name imitates the target, whose label does so by these. None where it is the target.
    pub fn under(&self, techniques: Techniques, label: &str, suffix: &str) -> Techniques {
        if label != self.label {
            return techniques;
        }
        (suffix != self.suffix).then_some(Technique::OtherSuffix).into_iter().collect()
    }

    /// By which techniques a known label imitates the target: none where it does not, or is that of the target.
    pub fn techniques(&self, label: &str) -> Techniques {
        let mut found = Techniques::default();
        if label == self.label {
            return found;
        }
        let skeleton = label.starts_with("xn--").then(|| skeleton(&unicode(label)));
        let key = looks::look_of(skeleton.as_deref(), label);
        if looks::are_alike_by_i_and_l(&key, &self.key) {
            let is_international = label.starts_with("xn--") || self.label.starts_with("xn--");
            found.add(if is_international { Technique::Skeleton } else { Technique::Homoglyph });
        } else if skeleton.as_ref() == Some(&self.skeleton) {
            found.add(Technique::Skeleton);
        }
        // What an internationalised label looks like is compared in its place, unless neither looks Latin.
        let has_look = label.starts_with("xn--") && !self.plain.starts_with("xn--");
        let plain = if has_look { &*key } else { label };
        if plain.len().abs_diff(self.plain.len()) <= 2 {
            let distance = self.pattern.distance(plain.as_bytes());
            edits::techniques(&self.plain, plain, distance, &mut found);
            if distance <= looks::TWO_PAIRS_EDITS_MAX && looks::differ_by_glyphs(&self.plain, plain) {
                found.add(Technique::Homoglyph);
            }
        }
        self.longer(plain, &mut found);
        found
    }

    /// What is around the target in a longer label.
    fn longer(&self, label: &str, found: &mut Techniques) {
        if label.len() <= self.plain.len() || self.plain.len() < LONGER_CHARS_MIN {
            return;
        }
        if words::is_faux_suffix(&self.plain, &self.suffix, label) {
            found.add(Technique::FauxSuffix);
        }
        // One may begin in another: `mm` in `confirmmm`.
        let (first, bytes) = (self.plain.as_bytes()[0], label.as_bytes());
        let begins_at = |at: &usize| bytes[*at] == first && bytes[*at..].starts_with(self.plain.as_bytes());
        for at in (0..=label.len() - self.plain.len()).filter(begins_at) {
            let (before, after) = (&label[..at], &label[at + self.plain.len()..]);
            let is_plain =
                words::ends_word(before) || words::begins_word(after) || self.plain.len() >= INSIDE_CHARS_MIN;
            if is_plain && words::are_words(before, after) {
                found.add(Technique::AddedWord);
            }
            if self.is_word_of_its_own(before, after) {
                found.add(Technique::Combosquatting);
            }
        }
        if found.is_empty() && self.is_nearly_inside(label) {
            found.add(Technique::NearCombosquatting);
        }
    }

    /// Whether the target between these two is a word of its own, by its ends or by its length: few letters stand in
    /// other words by chance.
    fn is_word_of_its_own(&self, before: &str, after: &str) -> bool {
        let (begins, ends) = (words::is_edge(before, true), words::is_edge(after, false));
        let length = self.plain.len();
        // A digit between letters and digits ends no word of few letters.
        let is_at_end = words::ends_word(before) || words::begins_word(after);
        let is_word = is_at_end && begins && (ends || length >= BEGINNING_CHARS_MIN);
        is_word || length >= INSIDE_CHARS_MIN
    }

    /// Whether the target stands in a longer label with an edit. Where it has few letters it has to be a word of its own,
    /// or to be misspelt as people do, with an end or a word of the list beside it.
    fn is_nearly_inside(&self, label: &str) -> bool {
        let length = self.plain.len();
        if length < INSIDE_CHARS_MIN {
            return false;
        }
        let is_long = length >= NEARLY_ANYWHERE_CHARS_MIN;
        let is_like = |part: &str| self.pattern.distance(part.as_bytes()) <= 1;
        let is_word = || words::has_between(label, length - 1..=length + 1, is_like);
        let stands_in = |misspelt: &String| {
            let around = |(at, _)| (&label[..at], &label[at + misspelt.len()..]);
            let mut places = label.match_indices(misspelt).map(around);
            places.any(|(before, after)| words::is_word_beside(before, after))
        };
        (self.pattern.distance_inside(label.as_bytes()) <= 1 && (is_long || is_word()))
            || self.misspelt.iter().any(stands_in)
    }
}

/// A label in Unicode.
pub fn unicode(label: &str) -> Cow<'_, str> {
    if !label.starts_with("xn--") {
        return label.into();
    }
    DomainName::from_normal(label).map_or(label.into(), |name| name.unicode().into())
}

#[cfg(test)]
mod tests;
