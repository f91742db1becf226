//! What somebody typed into the one search box.

use crate::indicator::{AddressRange, Asn, DomainName, Indicator, refang};

/// The longest question, in bytes: a web address is the longest thing that is searched for.
pub const QUERY_BYTES_MAX: usize = 2_000;

/// The fewest characters before the asterisk of a beginning.
pub const BEGINNING_CHARS_MIN: usize = 3;

/// The most words of one question.
const WORDS_MAX: usize = 10;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Names below one.
    Below(DomainName),
    /// Registrable names whose first label is this.
    Label(String),
    /// Addresses and networks.
    Addresses(AddressRange),
    /// What an autonomous system announces, and addresses there.
    System(Asn),
    /// Domains of a registrant.
    Registrant(Text),
    /// Domains whose registration names an e-mail address.
    Email(Text),
    /// Domains with a name server.
    NameServer(Text),
    /// Files of a name.
    FileName(Text),
    /// What a source lists.
    Source(String),
    /// Reports with all these words.
    Report(Vec<String>),
    /// Reports with this tag.
    Tag(String),
    /// Names and addresses that showed a certificate.
    Certificate(String),
    /// An object itself, and what has its name.
    Indicator(Indicator),
    /// Reports with all these words, and registrants and files of exactly this name.
    Words(Vec<String>, Text),
}

/// A text, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// All of it.
    Whole(String),
    /// What it begins with: `acme*`.
    Beginning(String),
}

type Read = fn(&str) -> Result<Query, String>;

/// What may stand before a colon, an example, and how the rest is read.
pub const PREFIXES: &[(&str, &str, Read)] = &[
    ("registrant", "registrant:Example Ltd", |rest| Ok(Query::Registrant(text(rest)?))),
    ("email", "email:hostmaster@example.com", |rest| Ok(Query::Email(text(rest)?))),
    ("ns", "ns:ns1.example.com", |rest| Ok(Query::NameServer(text(rest.trim_end_matches('.'))?))),
    ("file", "file:invoice.exe", |rest| Ok(Query::FileName(text(rest)?))),
    ("source", "source:urlhaus", |rest| Ok(Query::Source(said(rest)?.to_owned()))),
    ("report", "report:stealer campaign", |rest| Ok(Query::Report(words(rest)?))),
    ("tag", "tag:apt28", |rest| Ok(Query::Tag(said(rest)?.to_lowercase()))),
    ("cert", "cert:40 or 64 hexadecimal digits", |rest| Ok(Query::Certificate(digest(rest)?))),
];

impl Query {
    /// Reads what was typed: with a prefix of [`PREFIXES`] that is taken, else what it looks like, else words.
    ///
    /// # Errors
    ///
    /// What cannot be searched for; for a person.
    pub fn parse(typed: &str) -> Result<Query, String> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(format!("q is empty: {}", Query::help()));
        }
        if typed.len() > QUERY_BYTES_MAX {
            return Err(format!("q is longer than {QUERY_BYTES_MAX} bytes: search for one thing"));
        }
        if let Some((prefix, rest)) = typed.split_once(':')
            && let Some((name, example, read)) =
                PREFIXES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(prefix.trim()))
        {
            return read(rest.trim()).map_err(|problem| format!("{name}: {problem}: use {example}"));
        }
        let plain = refang(typed);
        if let Some(name) = plain.strip_prefix("*.") {
            return DomainName::parse(name).map(Query::Below).map_err(|error| error.to_string());
        }
        if let Some(label) = plain.trim_end_matches('.').strip_suffix(".*") {
            let name = DomainName::parse(label).map_err(|error| error.to_string())?;
            if name.as_str().contains('.') {
                return Err(format!("{typed:?} has more than one label before the asterisk: use example.*"));
            }
            return Ok(Query::Label(name.as_str().to_owned()));
        }
        if plain.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("as"))
            && let Ok(asn) = Asn::parse(&plain)
        {
            return Ok(Query::System(asn));
        }
        match AddressRange::parse(&plain) {
            Ok(range) => return Ok(Query::Addresses(range)),
            // What was meant is clear, and wrong; a web address like it can be typed with its scheme.
            Err(error) if looks_like_network(&plain) => return Err(error.to_string()),
            Err(_) => {}
        }
        if plain.contains('@') && !plain.contains(['/', ' ']) {
            return Ok(Query::Email(text(&plain)?));
        }
        match Indicator::parse(typed) {
            // Any word is a name of one label.
            Ok(Indicator::Domain(name)) if !name.as_str().contains('.') => of_words(typed),
            Ok(indicator) => Ok(Query::Indicator(indicator)),
            Err(error) if plain.contains("://") => Err(error.to_string()),
            Err(_) => of_words(typed),
        }
    }

    /// What can be searched for, in a sentence.
    pub fn help() -> String {
        let examples: Vec<&str> = PREFIXES.iter().map(|(_, example, _)| *example).collect();
        format!(
            "search for *.example.com, example.*, 192.0.2.0/24, AS4837, an indicator, words of a report, or {}",
            examples.join(", ")
        )
    }
}

fn looks_like_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or_default();
    let is_number = (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
    is_number && address.parse::<std::net::IpAddr>().is_ok()
}

fn of_words(typed: &str) -> Result<Query, String> {
    Ok(Query::Words(words(typed)?, text(typed)?))
}

fn said(rest: &str) -> Result<&str, String> {
    if rest.is_empty() { Err("nothing follows it".to_owned()) } else { Ok(rest) }
}

/// A text, or with an asterisk at its end the beginning of one.
fn text(rest: &str) -> Result<Text, String> {
    let Some(beginning) = said(rest)?.strip_suffix('*') else { return Ok(Text::Whole(rest.to_owned())) };
    if beginning.trim().chars().count() < BEGINNING_CHARS_MIN {
        return Err(format!("before an asterisk at least {BEGINNING_CHARS_MIN} characters are needed"));
    }
    Ok(Text::Beginning(beginning.to_owned()))
}

/// Words in lower case.
fn words(rest: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = rest.split_whitespace().map(str::to_lowercase).collect();
    if !words.iter().any(|word| word.chars().any(char::is_alphanumeric)) {
        return Err("there is no word in it".to_owned());
    }
    if words.len() > WORDS_MAX {
        return Err(format!("{} words are too many: {WORDS_MAX} are the most", words.len()));
    }
    Ok(words)
}

/// A certificate's digest as it is kept: hexadecimal digits in lower case, also written in pairs with colons.
fn digest(rest: &str) -> Result<String, String> {
    let digits: String = rest.chars().filter(|character| *character != ':').collect();
    let is_digest = matches!(digits.len(), 40 | 64) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { Ok(digits.to_lowercase()) } else { Err(format!("{rest:?} is no SHA-1 or SHA-256")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_taken_for_what_it_looks_like() {
        let name = |text| DomainName::parse(text).unwrap();
        let whole = |text: &str| Text::Whole(text.to_owned());
        let indicator = |text| Query::Indicator(Indicator::parse(text).unwrap());
        for (typed, query) in [
            ("*.Example.com", Query::Below(name("example.com"))),
            ("*[.]example[.]com", Query::Below(name("example.com"))),
            ("example.*", Query::Label("example".to_owned())),
            ("192.0.2.0/24", Query::Addresses(AddressRange::parse("192.0.2.0/24").unwrap())),
            ("192.0.2.0-192.0.2.9", Query::Addresses(AddressRange::parse("192.0.2.0-192.0.2.9").unwrap())),
            ("2001:db8::/32", Query::Addresses(AddressRange::parse("2001:db8::/32").unwrap())),
            ("as4837", Query::System(Asn(4837))),
            ("A@Example.com", Query::Email(whole("A@Example.com"))),
            ("email: a@example.com", Query::Email(whole("a@example.com"))),
            ("REGISTRANT:Acme  Ltd", Query::Registrant(whole("Acme  Ltd"))),
            ("registrant:acme*", Query::Registrant(Text::Beginning("acme".to_owned()))),
            ("ns:ns1.example.com.", Query::NameServer(whole("ns1.example.com"))),
            ("192.0.2.1", indicator("192.0.2.1")),
            ("2001:db8::1", indicator("2001:db8::1")),
            ("http://example.com/a", indicator("http://example.com/a")),
            ("example.com", indicator("example.com")),
            ("stealer", Query::Words(vec!["stealer".to_owned()], whole("stealer"))),
            ("Two words", Query::Words(vec!["two".to_owned(), "words".to_owned()], whole("Two words"))),
            ("tag:APT28", Query::Tag("apt28".to_owned())),
            ("cert:AB:CD", Query::Certificate(String::new())),
        ] {
            match query {
                Query::Certificate(_) => assert!(Query::parse(typed).unwrap_err().contains("SHA-1")),
                query => assert_eq!(Query::parse(typed), Ok(query), "{typed}"),
            }
        }
        let spaced = ["ab"; 20].join(":");
        assert_eq!(Query::parse(&format!("cert:{spaced}")), Ok(Query::Certificate("ab".repeat(20))));
    }

    proptest::proptest! {
        #[test]
        fn no_panic_on_anything(text in "\\PC*") {
            let _ = Query::parse(&text);
        }
    }
}
