//! WHOIS answers on domains, as registries and registrars print them.
//!
//! RFC 3912 says nothing of the text; ICANN prescribes a form, countries have their own. What the keys and headings
//! mean stands in `keys.rs`, how dates are written in `dates.rs`. These shapes are read, in any mixture:
//!
//! - `Key: value`; `[Key] value` (.jp), `a. [Key] value` (co.jp), `key.......: value` (.fi)
//! - a heading and what it is about until a blank line: `Registrar:` (.be, .ee, .nl, .pl, .uk), `Registrant` (.it),
//!   `% Registrar:` (.ua); lines without a key there are names, name servers or an address
//! - further lines of a value, indented (.pl, .jp)
//! - contacts and name servers in blocks of their own, by a handle (.at, .br, .cz, .fr, .ir, .sk)
//!
//! A file is one answer or several. Another name after a key for the domain begins the next answer; the same name again
//! goes on with it (a registrar's answer after its registry's, as the program `whois` prints them), and what was said
//! first stands. Values that were withheld are absent. An answer without data (no such domain, a limit) is rejected as
//! `no data`, one whose domain is missing or none as `domain`. Text in any other encoding than UTF-8 is rejected by
//! line, and the rest is read.

use std::io;

use self::answer::Answer;
use self::keys::{Field, Part, Section};
use super::withheld::email;
use super::{Emit, Format, Input, Lines, Proof, Sample, State};

mod answer;
mod dates;
mod keys;

pub(super) const FORMAT: Format = Format {
    name: "whois",
    title: "WHOIS answers on domains (text)",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// How many known keys a text has before it is taken for WHOIS.
const KNOWN_KEYS_MIN: usize = 3;

/// The longest key.
const KEY_BYTES_MAX: usize = 60;

/// A domain and other keys that are known, or an answer that begins with there being none. The objects of address
/// registries are another format.
fn recognise(sample: &Sample<'_>) -> bool {
    let (mut domain, mut known) = (false, 0);
    let lines = || sample.lines().map(str::trim).filter(|line| !line.is_empty());
    for (key, value) in lines().filter_map(|line| key_value(bare(line))) {
        if ["inetnum", "inet6num", "route", "route6", "aut-num", "as-block"].contains(&key) {
            return false;
        }
        let field = keys::field(Section::None, key);
        domain |= field == Some(Field::Domain) && (value.contains('.') || value.is_empty());
        known += usize::from(field.is_some());
    }
    let first = lines().next().unwrap_or_default();
    (domain && known >= KNOWN_KEYS_MIN) || keys::begins_no_data(first.trim_start_matches(['%', ' ']))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut lines = Lines::new(input.reader);
    let mut reader = Reader::default();
    while let Some((number, line)) = lines.next(out)? {
        reader.line(number, line, out)?;
    }
    reader.answer.finish(out)
}

/// A line without what stands around it: `>>> Last update of WHOIS database: … <<<`, `** Registrant:` (.tr).
fn bare(line: &str) -> &str {
    line.trim_start_matches(['>', '*']).trim_end_matches('<').trim()
}

/// Key and value of a line; the value may be empty.
fn key_value(line: &str) -> Option<(&str, &str)> {
    // co.jp: `a. [Key]`.
    let lettered = line.get(1..3) == Some(". ") && line.get(3..4) == Some("[");
    let bracket = if lettered { &line[3..] } else { line };
    if let Some((key, value)) = bracket.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((key.trim(), value.trim()));
    }
    let (key, value) = line.split_once(':')?;
    let key = key.trim().trim_end_matches('.');
    let fits = !key.is_empty() && key.len() <= KEY_BYTES_MAX;
    fits.then(|| (key, value.trim_start_matches(':').trim()))
}

/// Reads lines into answers.
#[derive(Default)]
struct Reader {
    answer: Answer,
    section: Section,
    /// The field and the key that further lines belong to.
    last: Option<(Field, String)>,
    /// The next line is the first after a blank one.
    paragraph: bool,
    /// The last line was a heading alone, after which a blank line may come (.fi).
    alone: bool,
}

impl Reader {
    fn line(&mut self, number: u64, line: &str, out: &mut Emit<'_>) -> io::Result<()> {
        let text = line.trim();
        if text.is_empty() {
            let section = if std::mem::take(&mut self.alone) { self.section } else { Section::None };
            (self.section, self.last, self.paragraph) = (section, None, true);
            return Ok(());
        }
        self.begin_if_another(text, out)?;
        self.answer.note(number, text);
        if let Some(comment) = text.strip_prefix(['%', '#']) {
            self.comment(comment.trim_start_matches(['%', '#', ' ']));
            return Ok(());
        }
        let first = std::mem::take(&mut self.paragraph);
        self.alone = false;
        let indented = line.starts_with([' ', '\t']);
        let text = bare(text);
        match key_value(text) {
            Some(pair) => self.keyed(number, first, pair, text),
            None => match keys::heading(text).filter(|_| !indented) {
                Some(section) => {
                    self.head(section);
                    self.alone = true;
                }
                None => self.free(number, indented, text),
            },
        }
        Ok(())
    }

    /// Begins the next answer where a line names another domain.
    fn begin_if_another(&mut self, text: &str, out: &mut Emit<'_>) -> io::Result<()> {
        if let Some((key, value)) = key_value(bare(text))
            && keys::is_domain(key)
            && keys::field(self.section, key) == Some(Field::Domain)
            && self.answer.is_of_another(value)
        {
            self.section = Section::None;
            std::mem::take(&mut self.answer).finish(out)?;
        }
        Ok(())
    }

    /// A comment may head a section (.ua) and say when the answer was given (.cz).
    fn comment(&mut self, text: &str) {
        let Some((key, value)) = key_value(bare(text)) else { return };
        if value.is_empty() {
            keys::heading(key).into_iter().for_each(|section| self.head(section));
        } else if keys::field(Section::None, key) == Some(Field::Observed) {
            self.answer.take(Field::Observed, key, value);
        }
    }

    fn head(&mut self, section: Section) {
        (self.section, self.last, self.paragraph) = (section, None, false);
    }

    fn keyed(&mut self, number: u64, first: bool, (key, value): (&str, &str), text: &str) {
        // .jp: `Contact Information: [公開連絡窓口]`.
        if (value.is_empty() || (value.starts_with('[') && value.ends_with(']')))
            && let Some(section) = keys::heading(text).or_else(|| keys::heading(key))
        {
            self.head(section);
            return;
        }
        if first
            && self.answer.has_domain()
            && let Some(section) = keys::block(key)
            && (section != Section::Registrar || self.answer.has_registrar())
        {
            self.head(section);
            if section == Section::Block {
                self.answer.begin_block();
                let by_name = key.to_ascii_lowercase().starts_with("person");
                let part = if by_name { Part::Name } else { Part::Handle };
                self.answer.take(Field::Block(part), key, value);
            }
            return;
        }
        match keys::field(self.section, key) {
            Some(Field::Domain) => self.answer.begin(number, value),
            Some(field) => {
                self.answer.take(field, key, value);
                self.last = goes_on(field).then(|| (field, key.to_owned()));
            }
            None if self.section == Section::NameServers => self.answer.take(Field::NameServer, "", text),
            None => {
                self.last = None;
                // A date has colons of its own.
                keys::phrase(text).into_iter().for_each(|(field, value)| self.answer.take(field, "", value));
            }
        }
    }

    /// A line without a key.
    fn free(&mut self, number: u64, indented: bool, text: &str) {
        if let Some((field, key)) = self.last.as_ref().filter(|_| indented) {
            self.answer.take(*field, key, text);
            return;
        }
        if let Some((field, value)) = keys::phrase(text) {
            self.answer.take(field, "", value);
            return;
        }
        match self.section {
            Section::Domain if !self.answer.has_domain() => self.answer.begin(number, text),
            Section::NameServers => self.answer.take(Field::NameServer, "", text),
            Section::Status => self.answer.take(Field::Status, "", text),
            Section::Registrar if email(text).is_some() => self.answer.take(Field::RegistrarEmail, "", text),
            Section::Registrar => self.answer.take(Field::Registrar, "", text),
            Section::Contact(role) => self.answer.take(Field::Contact(role, part_of(text)), "", text),
            Section::None | Section::Domain | Section::Block | Section::Other => {}
        }
    }
}

/// Whether a value may go on in further lines.
fn goes_on(field: Field) -> bool {
    matches!(field, Field::NameServer | Field::Contact(_, Part::Address) | Field::Block(Part::Address))
}

/// What a line about somebody is by its look.
fn part_of(text: &str) -> Part {
    if email(text).is_some() {
        Part::Email
    } else if text.starts_with('+') && text.bytes().any(|byte| byte.is_ascii_digit()) {
        Part::Phone
    } else {
        Part::Name
    }
}
