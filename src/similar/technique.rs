//! By what trick a name looks like another.

use serde::{Serialize, Serializer};

/// A trick. The order is that of [`TECHNIQUES`]: of several that fit, the first names the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Technique {
    /// The same label under another public suffix.
    OtherSuffix,
    /// The same skeleton (Unicode Technical Standard 39) as an internationalised name.
    Skeleton,
    /// Characters that look alike.
    Homoglyph,
    /// Two neighbours change places.
    Transposition,
    /// A character is doubled.
    Repetition,
    /// A character is left out.
    Omission,
    /// A hyphen is put in or left out.
    Hyphenation,
    /// An `s` or `es` is added or left out at the end.
    Plural,
    /// A vowel for a vowel.
    VowelSwap,
    /// A key beside the right one.
    Keyboard,
    /// One bit is another: what faulty memory makes of a name.
    BitFlip,
    /// A character is put in.
    Insertion,
    /// A character for another.
    Replacement,
    /// The suffix as a part of the label: `example-com.net`.
    FauxSuffix,
    /// A word of the list before or after it.
    AddedWord,
    /// The label inside a longer one.
    Combosquatting,
    /// Two edits.
    TwoEdits,
    /// The label with one edit inside a longer one.
    NearCombosquatting,
    /// The whole name below another domain: `example.com.evil.net`.
    Subdomain,
}

/// A row of [`TECHNIQUES`].
pub struct Row {
    /// The technique.
    pub technique: Technique,
    /// Its name in answers and parameters.
    pub name: &'static str,
    /// How far such a name is from the original to the eye and the hand: 0 the same, 100 nothing alike.
    pub cost: u32,
    /// Whether reports look for it: what can be asked for without reading blocks of names.
    pub in_reports: bool,
}

/// All techniques, the most telling first.
pub const TECHNIQUES: &[Row] = &[
    row(Technique::OtherSuffix, "other-suffix", 22, true),
    row(Technique::Skeleton, "skeleton", 4, true),
    row(Technique::Homoglyph, "homoglyph", 10, true),
    row(Technique::Transposition, "transposition", 14, true),
    row(Technique::Repetition, "repetition", 14, true),
    row(Technique::Omission, "omission", 16, true),
    row(Technique::Hyphenation, "hyphenation", 14, true),
    row(Technique::Plural, "plural", 20, true),
    row(Technique::VowelSwap, "vowel-swap", 20, true),
    row(Technique::Keyboard, "keyboard", 20, true),
    row(Technique::BitFlip, "bit-flip", 24, true),
    row(Technique::Insertion, "insertion", 24, true),
    row(Technique::Replacement, "replacement", 28, true),
    row(Technique::FauxSuffix, "faux-suffix", 16, true),
    row(Technique::AddedWord, "added-word", 20, false),
    row(Technique::Combosquatting, "combosquatting", 30, false),
    row(Technique::TwoEdits, "two-edits", 45, false),
    row(Technique::NearCombosquatting, "near-combosquatting", 42, false),
    row(Technique::Subdomain, "subdomain", 18, false),
];

const fn row(technique: Technique, name: &'static str, cost: u32, in_reports: bool) -> Row {
    Row { technique, name, cost, in_reports }
}

impl Technique {
    /// What the table says of it.
    pub fn row(self) -> &'static Row {
        &TECHNIQUES[self as usize]
    }

    /// The technique with this name.
    ///
    /// # Errors
    ///
    /// The names that there are.
    pub fn parse(name: &str) -> Result<Technique, String> {
        let row = TECHNIQUES.iter().find(|row| row.name == name);
        row.map(|row| row.technique).ok_or_else(|| {
            let names: Vec<&str> = TECHNIQUES.iter().map(|row| row.name).collect();
            format!("technique {name:?} is unknown: use one of {}", names.join(", "))
        })
    }
}

impl Serialize for Technique {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().name)
    }
}

/// Several techniques.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Techniques(u32);

impl Techniques {
    /// Adds one.
    pub fn add(&mut self, technique: Technique) {
        self.0 |= 1 << technique as u32;
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it is among them.
    pub fn has(self, technique: Technique) -> bool {
        self.0 >> technique as u32 & 1 == 1
    }

    /// Whether one of them is among `others`.
    pub fn meets(self, others: Techniques) -> bool {
        self.0 & others.0 != 0
    }

    /// They, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = &'static Row> {
        TECHNIQUES.iter().filter(move |row| self.has(row.technique))
    }
}

impl FromIterator<Technique> for Techniques {
    fn from_iter<I: IntoIterator<Item = Technique>>(techniques: I) -> Techniques {
        let mut all = Techniques::default();
        techniques.into_iter().for_each(|technique| all.add(technique));
        all
    }
}
