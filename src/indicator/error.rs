//! Why a text could not be read.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Most characters of the input that an error repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// A text that is not what it was read as.
///
/// The message names the input (at most 80 characters of it, control and direction characters escaped, so that it is
/// safe in a log or a terminal), what is wrong with it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{input}\" is not {wanted}: {problem}; right would be {right}")]
pub struct ParseError {
    input: Box<str>,
    wanted: &'static str,
    problem: Cow<'static, str>,
    right: &'static str,
}

impl ParseError {
    /// `wanted` is a noun with its article ("a domain name"), `problem` a clause ("it has an empty label"),
    /// `right` an example or a rule.
    pub(crate) fn new(
        input: &str,
        wanted: &'static str,
        problem: impl Into<Cow<'static, str>>,
        right: &'static str,
    ) -> Self {
        Self { input: shorten(input).into(), wanted, problem: problem.into(), right }
    }

    /// What is wrong, as a clause: "it has an empty label".
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// The first 80 characters, those that could disturb a reader's screen escaped; `…` stands for the rest.
fn shorten(input: &str) -> String {
    let mut shown = String::new();
    for (count, character) in input.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            shown.push('…');
            break;
        }
        if disturbs(character) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character may disturb a reader: control characters, line separators, the marks that change the direction
/// of text, and what takes no room. The joiners are none of them: Persian and Hindi are written with them.
pub fn disturbs(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_input_problem_and_remedy() {
        let error = ParseError::new("a..b", "a domain name", "it has an empty label", "mail.example.com");
        assert_eq!(
            error.to_string(),
            "\"a..b\" is not a domain name: it has an empty label; right would be mail.example.com"
        );
    }

    #[test]
    fn joiners_disturb_nobody() {
        for character in ['\u{61c}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}', '\n'] {
            assert!(disturbs(character), "{character:?}");
        }
        assert!(!"a \u{200c}\u{200d}é".chars().any(disturbs));
    }

    #[test]
    fn input_is_shortened_and_made_harmless() {
        assert_eq!(shorten("a\u{1b}[31m\n\u{202e}b"), "a\\u{1b}[31m\\u{a}\\u{202e}b");
        assert_eq!(shorten(&"é".repeat(200)), format!("{}…", "é".repeat(80)));
        assert_eq!(shorten(&"é".repeat(80)), "é".repeat(80));
    }
}
