//! Finding indicators in text as people paste it: lists, logs, mails, reports, defanged or not.

use super::refang::refang;
use super::{FileHash, Indicator, Kind, parse_address};

/// What separates one candidate from the next, whatever it is.
fn parts_always(character: char) -> bool {
    character.is_whitespace() || character.is_control() || "\"'`<>«»“”„|\\".contains(character)
}

/// What separates candidates that are no web addresses.
fn parts_plain(character: char) -> bool {
    ",;=&".contains(character)
}

/// What may stand before and after an indicator and is not part of it.
const AROUND: &[char] =
    &['.', ',', ';', ':', '!', '?', '(', ')', '[', ']', '{', '}', '*', '-', '_', '/', '\u{feff}'];

/// Calls `found` with each indicator in a text as it is spelled there, in order, repeated ones too. A word with a dot is a
/// name only where its ending is a public suffix that IANA or a registry runs; of an e-mail address it is the domain.
pub fn extract<'t>(text: &'t str, mut found: impl FnMut(&'t str, Indicator)) {
    for word in text.split(parts_always).filter(|word| !word.is_empty()) {
        if is_web_address(word)
            && let Some((spelled, indicator)) = web_address(word)
        {
            found(spelled, indicator);
            continue;
        }
        for part in word.split(parts_plain).filter(|part| part.len() >= 3) {
            if let Some((spelled, indicator)) = plain(part) {
                found(spelled, indicator);
            }
        }
    }
}

/// Whether a word has a scheme, in any spelling that is refanged.
fn is_web_address(word: &str) -> bool {
    word.contains("://") || word.contains("[:]//") || word.contains("[://]")
}

fn web_address(word: &str) -> Option<(&str, Indicator)> {
    // `url=http://…` and `(http://…)`: from the scheme on.
    let mark = word.find("://").or_else(|| word.find("[:]//")).or_else(|| word.find("[://]"))?;
    let letters = |character: char| character.is_ascii_alphanumeric() || "+.-".contains(character);
    let start = word[..mark].char_indices().rev().take_while(|(_, character)| letters(*character)).last()?.0;
    let opened = word[..start].ends_with(['(', '[', '{']);
    let mut spelled = word[start..].trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
    if opened {
        spelled = spelled.trim_end_matches([')', ']', '}']);
    }
    Some((spelled, Indicator::parse_as(Kind::Url, spelled).ok()?))
}

fn plain(part: &str) -> Option<(&str, Indicator)> {
    let spelled = part.trim_matches(AROUND);
    // An IPv6 address can begin or end with colons.
    let colons = part.trim_matches(|character: char| character != ':' && AROUND.contains(&character));
    if let Ok(address) = parse_address(colons) {
        return (colons.len() > 2).then_some((colons, Indicator::Address(address)));
    }
    let refanged = refang(spelled);
    if let Ok(address) = parse_address(&refanged) {
        return Some((spelled, Indicator::Address(address)));
    }
    if let Ok(hash) = FileHash::parse(&refanged) {
        return Some((spelled, Indicator::File(hash)));
    }
    // `192.0.2.1:443`, `example.com:8080`: the host.
    if let Some((host, port)) = spelled.rsplit_once(':')
        && !host.is_empty()
        && port.parse::<u16>().is_ok()
    {
        return plain(host);
    }
    if !refanged.contains('.') {
        return None;
    }
    if let Some((_, host)) = refanged.rsplit_once('@') {
        let at = spelled.rfind(['@', ']', ')']).map_or(0, |at| at + 1);
        let spelled = spelled.get(at..).filter(|rest| refang(rest) == host).unwrap_or(spelled);
        return name(host).map(|indicator| (spelled, indicator));
    }
    if refanged.contains(['/', '?']) {
        let host = refanged.split(['/', '?', ':']).next()?;
        let is_host = parse_address(host).is_ok() || name(host).is_some();
        let url = is_host.then(|| Indicator::parse_as(Kind::Url, spelled).ok()).flatten()?;
        return Some((spelled, url));
    }
    name(&refanged).map(|indicator| (spelled, indicator))
}

/// A name whose ending is a public suffix that is not private, and is more than that.
fn name(text: &str) -> Option<Indicator> {
    let indicator = Indicator::parse_as(Kind::Domain, text).ok()?;
    let Indicator::Domain(name) = &indicator else { return None };
    let suffix = psl::suffix(name.as_str().as_bytes()).filter(|suffix| suffix.is_known())?;
    (suffix.as_bytes().len() < name.as_str().len()).then_some(indicator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        extract(text, |spelled, indicator| {
            assert!(text.contains(spelled), "{spelled:?} stands in the text");
            all.push(indicator.to_string());
        });
        all
    }

    #[test]
    fn indicators_are_found_in_what_people_paste() {
        for (text, expected) in [
            ("Blocked evil[.]com, see hxxps://evil[.]com/login?x=1.", vec!["evil.com", "evil.com/login?x=1"]),
            ("src=192.0.2.7:443 dst=\"2001:db8::1\" dpt=80", vec!["192.0.2.7", "2001:db8::1"]),
            ("(https://example.com/a_(b)) [1]", vec!["example.com/a_(b"]),
            ("mail from bob@example.co.uk; subject=invoice.doc", vec!["example.co.uk"]),
            ("bob[at]example[dot]com", vec!["example.com"]),
            ("d41d8cd98f00b204e9800998ecf8427e  ./a.out", vec!["D41D8CD98F00B204E9800998ECF8427E"]),
            (
                "a.example.com\nb.example.com\r\n\tc.example.com",
                vec!["a.example.com", "b.example.com", "c.example.com"],
            ),
            ("Version 1.2.3 of foo.rs, bar.conf and co.uk at 10:30:00", vec!["foo.rs"]),
            ("192.0.2[.]9/path and example.com/x", vec!["192.0.2.9/path", "example.com/x"]),
            ("", vec![]),
            ("::: :: ... @ @@ a@ @b.c [:]// :// http:// x://", vec![]),
            ("url=http://example.com/?a=b;c", vec!["example.com/?a=b;c"]),
            ("*.example.com", vec!["example.com"]),
        ] {
            assert_eq!(all(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_gone_through(text in "\\PC*") {
            all(&text);
        }

        #[test]
        fn what_is_found_is_found_again(text in "[a-z0-9.:/@\\[\\] ()]{0,60}") {
            let mut spelled = Vec::new();
            extract(&text, |one, indicator| spelled.push((one.to_owned(), indicator)));
            for (one, indicator) in spelled {
                let mut again = Vec::new();
                extract(&one, |_, found| again.push(found));
                prop_assert!(again.contains(&indicator), "{one:?}: {again:?}");
            }
        }
    }
}
