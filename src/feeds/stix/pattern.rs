//! STIX patterns: which of them say that one thing is bad, whatever else is seen.
//!
//! Grammar: STIX 2.1, section 9. Read are comparisons by `=`, `IN` and (of networks) `ISSUBSET`, joined by OR within an
//! observation and between observations. AND is read where it still names one thing: the hashes, names and sizes of one
//! file; the address and the port at the end of a connection. All else (`FOLLOWEDBY`, `NOT`, `LIKE`, qualifiers, AND of
//! different things) is narrower or wider than what a listing can say.

use self::thing::one_thing;
use crate::fact::Listed;
use crate::feeds::entry::{Fault, shown};
use crate::indicator::Indicator;

mod thing;

/// What a pattern names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) what: Listed,
    /// The same as an object of a report; a network is none.
    pub(super) indicator: Option<Indicator>,
    /// Names of the file.
    pub(super) names: Vec<String>,
}

impl Found {
    pub(super) fn new(what: Listed, indicator: Option<Indicator>) -> Found {
        Found { what, indicator, names: Vec::new() }
    }
}

/// Reads a pattern: what it names, and why a part of it names nothing.
pub(super) fn read(pattern: &str) -> (Vec<Found>, Option<Fault>) {
    let mut parser = Parser { rest: pattern, depth: 0 };
    let alternatives = match parser.observations() {
        Ok(alternatives) => alternatives,
        Err(fault) => return (Vec::new(), Some(fault)),
    };
    let (mut found, mut fault) = (Vec::new(), None);
    for comparisons in alternatives {
        match one_thing(&comparisons) {
            Ok(thing) if found.contains(&thing) => {}
            Ok(thing) => found.push(thing),
            Err(problem) => fault = fault.or(Some(problem)),
        }
    }
    (found, fault)
}

//------------ The grammar ---------------------------------------------------

/// A comparison: `file:hashes.'SHA-256' = '…'`.
#[derive(Clone, Debug)]
struct Comparison {
    /// The path without quotes: `file:hashes.SHA-256`.
    path: String,
    value: String,
}

/// Comparisons that all hold; a pattern is a list of such.
type Alternatives = Vec<Vec<Comparison>>;

/// How deep parentheses may stand in each other.
const DEPTH_MAX: u32 = 32;

/// More alternatives than a writer of patterns gives.
const ALTERNATIVES_MAX: usize = 1000;

struct Parser<'p> {
    rest: &'p str,
    depth: u32,
}

#[derive(Debug, PartialEq)]
enum Token {
    /// `[`, `]`, `(`, `)`, `,`, `=`, `!=`, `<`, …
    Mark(&'static str),
    /// A keyword, a number or a path, without quotes.
    Word(String),
    /// A constant in quotes.
    Text(String),
    End,
}

const MARKS: &[&str] = &["[", "]", "(", ")", ",", "!=", "<>", "<=", ">=", "==", "=", "<", ">"];

fn fault<T>(detail: impl Into<String>) -> Result<T, Fault> {
    Err(("pattern", detail.into()))
}

impl Parser<'_> {
    /// `[…] OR […]`, also in parentheses.
    fn observations(&mut self) -> Result<Alternatives, Fault> {
        let mut all = self.observation()?;
        loop {
            match self.next()? {
                Token::End => return Ok(all),
                Token::Mark(")") if self.depth > 0 => return Ok(all),
                Token::Word(word) if word == "OR" => extend(&mut all, self.observation()?)?,
                Token::Word(word) if word == "AND" || word == "FOLLOWEDBY" => {
                    return fault(format!("{word} of observations: no listing says that both must be seen"));
                }
                Token::Word(word) => {
                    return fault(format!("the qualifier {}: no listing has it", shown(&word)));
                }
                other => return fault(format!("{other:?} after an observation")),
            }
        }
    }

    fn observation(&mut self) -> Result<Alternatives, Fault> {
        match self.next()? {
            Token::Mark("[") => {
                let all = self.comparisons()?;
                match self.next()? {
                    Token::Mark("]") => Ok(all),
                    other => fault(format!("{other:?} where ] closes an observation")),
                }
            }
            Token::Mark("(") => self.deeper(Parser::observations),
            other => fault(format!("{other:?} where an observation begins")),
        }
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Alternatives, Fault>,
    ) -> Result<Alternatives, Fault> {
        if self.depth >= DEPTH_MAX {
            return fault(format!("more than {DEPTH_MAX} parentheses in each other"));
        }
        self.depth += 1;
        let all = read(self)?;
        self.depth -= 1;
        Ok(all)
    }

    /// Comparisons by OR; AND binds closer.
    fn comparisons(&mut self) -> Result<Alternatives, Fault> {
        let mut all = self.conjunction()?;
        while self.takes_word("OR")? {
            extend(&mut all, self.conjunction()?)?;
        }
        Ok(all)
    }

    fn conjunction(&mut self) -> Result<Alternatives, Fault> {
        let mut all = self.comparison()?;
        while self.takes_word("AND")? {
            let mut right = self.comparison()?;
            let ([left], [right]) = (all.as_mut_slice(), right.as_mut_slice()) else {
                return fault("AND of alternatives: no listing says that both must hold");
            };
            left.append(right);
        }
        Ok(all)
    }

    fn comparison(&mut self) -> Result<Alternatives, Fault> {
        let path = match self.next()? {
            Token::Word(word) if word == "NOT" || word == "EXISTS" => {
                return fault(format!("{word}: no listing says that something is not there"));
            }
            Token::Word(path) => path,
            Token::Mark("(") => {
                let all = self.deeper(Parser::comparisons)?;
                return match self.next()? {
                    Token::Mark(")") => Ok(all),
                    other => fault(format!("{other:?} where ) closes")),
                };
            }
            other => return fault(format!("{other:?} where a comparison begins")),
        };
        let values = match self.next()? {
            Token::Mark("=" | "==") => vec![self.constant()?],
            Token::Word(word) if word == "IN" => self.set()?,
            Token::Word(word) if word == "ISSUBSET" => vec![self.constant()?],
            Token::Word(word) => return fault(format!("{}: no listing compares so", shown(&word))),
            Token::Mark(mark) => return fault(format!("{mark}: no listing compares so")),
            other => return fault(format!("{other:?} where an operator stands")),
        };
        Ok(values.into_iter().map(|value| vec![Comparison { path: path.clone(), value }]).collect())
    }

    fn constant(&mut self) -> Result<String, Fault> {
        match self.next()? {
            Token::Text(value) | Token::Word(value) => Ok(value),
            other => fault(format!("{other:?} where a value stands")),
        }
    }

    fn set(&mut self) -> Result<Vec<String>, Fault> {
        let mut values = Vec::new();
        if self.next()? != Token::Mark("(") {
            return fault("IN is followed by a list in parentheses");
        }
        loop {
            values.push(self.constant()?);
            match self.next()? {
                Token::Mark(",") if values.len() < ALTERNATIVES_MAX => {}
                Token::Mark(")") => return Ok(values),
                other => return fault(format!("{other:?} in a list")),
            }
        }
    }

    /// Takes this keyword if it stands next.
    fn takes_word(&mut self, word: &str) -> Result<bool, Fault> {
        let before = self.rest;
        if self.next()? == Token::Word(word.to_owned()) {
            return Ok(true);
        }
        self.rest = before;
        Ok(false)
    }

    fn next(&mut self) -> Result<Token, Fault> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return Ok(Token::End);
        }
        if let Some(mark) = MARKS.iter().find(|mark| self.rest.starts_with(**mark)) {
            self.rest = &self.rest[mark.len()..];
            return Ok(Token::Mark(mark));
        }
        if self.rest.starts_with('\'') {
            return self.quoted('\'').map(Token::Text);
        }
        self.word().map(Token::Word)
    }

    /// Text up to the closing quote; a backslash keeps what follows it.
    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, char) in self.rest.char_indices().skip(1) {
            if !escaped && char == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(text);
            }
            escaped = char == '\\' && !escaped;
            if !escaped {
                text.push(char);
            }
        }
        fault("a quote is not closed")
    }

    /// A keyword, a number, or a path; parts of a path may be in quotes, and elements of a list in brackets.
    fn word(&mut self) -> Result<String, Fault> {
        let mut word = String::new();
        while let Some(char) = self.rest.chars().next() {
            match char {
                '\'' | '"' if word.ends_with('.') => word.push_str(&self.quoted(char)?),
                '[' if word.contains(':') => {
                    let end = self.rest.find(']').map_or(self.rest.len(), |at| at + 1);
                    word.push_str(&self.rest[..end]);
                    self.rest = &self.rest[end..];
                }
                _ if char.is_alphanumeric() || "_-:.*+".contains(char) => {
                    word.push(char);
                    self.rest = &self.rest[char.len_utf8()..];
                }
                _ => break,
            }
        }
        if word.is_empty() {
            fault(format!("{} is no part of a pattern", shown(self.rest)))
        } else {
            Ok(word)
        }
    }
}

fn extend(all: &mut Alternatives, more: Alternatives) -> Result<(), Fault> {
    all.extend(more);
    if all.len() > ALTERNATIVES_MAX {
        return fault(format!("more than {ALTERNATIVES_MAX} alternatives"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_all(pattern: &str) -> (Vec<String>, Option<&'static str>) {
        let (found, fault) = read(pattern);
        let show = |found: &Found| match &found.what {
            Listed::Mask(mask) => format!("{} {}", &mask.mask_type().as_str()[10..], mask.with_port()),
            Listed::File { file } => format!("file {}", file.iter().count()),
        };
        (found.iter().map(show).collect(), fault.map(|(reason, _)| reason))
    }

    #[test]
    fn patterns_that_name_things() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        for (pattern, expected) in [
            ("[domain-name:value = 'bad.example']".to_owned(), vec!["HOST bad.example"]),
            (
                "[ipv4-addr:value = '192.0.2.1' OR ipv6-addr:value='2001:db8::1'] OR ([url:value = 'http://bad.example/it\\'s'])"
                    .to_owned(),
                vec!["HOST 192.0.2.1", "HOST 2001:db8::1", "URL bad.example/it's"],
            ),
            ("[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]".to_owned(), vec!["HOST 192.0.2.1", "HOST 192.0.2.2"]),
            ("[ipv4-addr:value ISSUBSET '192.0.2.0/24']".to_owned(), vec!["NETWORK 192.0.2.0/24"]),
            ("[ipv4-addr:value = '192.0.2.1/32']".to_owned(), vec!["HOST 192.0.2.1"]),
            (format!("[file:hashes.MD5 = '{md5}' AND file:hashes.'SHA-1' = '{sha1}' AND file:name = 'a']"), vec!["file 2"]),
            (format!("[file:hashes.\"MD5\" = '{md5}' OR file:hashes.'SHA-1' = '{sha1}']"), vec!["file 1", "file 1"]),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND \
                 network-traffic:dst_port = '443']"
                    .to_owned(),
                vec!["HOST 192.0.2.1:443"],
            ),
            ("[network-traffic:dst_ref.value = 'bad.example' AND network-traffic:dst_port = 8443]".to_owned(), vec!["HOST bad.example:8443"]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(shown_all(&pattern), (expected, None), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_no_listing_can_say() {
        for (pattern, reason) in [
            ("[domain-name:value = 'a.example'] AND [ipv4-addr:value = '192.0.2.1']", "pattern"),
            ("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']", "pattern"),
            (
                "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
                "pattern",
            ),
            ("[domain-name:value = 'a.example'] REPEATS 5 TIMES", "pattern"),
            ("[domain-name:value != 'a.example']", "pattern"),
            ("[domain-name:value NOT = 'a.example']", "pattern"),
            ("[domain-name:value LIKE '%.example']", "pattern"),
            ("[file:name = 'a.exe']", "pattern"),
            ("[file:hashes.MD5 = 'abc']", "hash"),
            ("[ipv4-addr:value = 'abc']", "address"),
            ("[domain-name:value = 'a b']", "domain"),
            ("[mutex:name = 'a']", "pattern"),
            ("[domain-name:value = 'a.example", "pattern"),
            ("[domain-name:value = 'a.example'", "pattern"),
            ("domain-name:value = 'a.example'", "pattern"),
            ("[]", "pattern"),
            ("", "pattern"),
            (&"(".repeat(100_000), "pattern"),
            (&format!("[{}", "(".repeat(100_000)), "pattern"),
        ] {
            assert_eq!(shown_all(pattern), (vec![], Some(reason)), "{pattern:.80}");
        }
        let (found, fault) = shown_all("[domain-name:value = 'a.example' OR mutex:name = 'b']");
        assert_eq!((found.len(), fault), (1, Some("pattern")), "what can be said is said");
    }
}
