//! Defanged text and back: analysts write `hxxp://evil[.]example` so that nobody clicks it.

use std::borrow::Cow;

/// What analysts write in brackets, without case, and what it stands for.
const TOKENS: &[(&str, &str)] = &[
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[:]", ":"),
    ("[://]", "://"),
    ("[/]", "/"),
    ("[@]", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
];

/// Spellings of a scheme, without case, and what they stand for.
const SCHEMES: &[(&str, &str)] = &[("hxxp", "http"), ("fxp", "ftp")];

/// Undoes defanging, in one pass over the text.
///
/// `hxxp` and `fxp` (also with an `s`) become `http` and `ftp` where they are a scheme: at the start of a word and before
/// a colon, itself perhaps in brackets; `fxpro.com` is a name and stays. `[.]` `(.)` `{.}` `[dot]` `(dot)` `{dot}` become
/// `.`, `[:]` `:`, `[://]` `://`, `[/]` `/`, `[@]` `[at]` `(at)` `@`, in any case. Nothing else changes, and what a
/// replacement makes is not looked at again: `[[.]]` becomes `[.]`.
pub fn refang(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0; // text before this is in `out`
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match replacement(text, at) {
            Some((length, new)) => {
                out.push_str(&text[copied..at]);
                out.push_str(new);
                at += length;
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The defanged piece that starts at `at`: its length in bytes and what it stands for. Only ASCII is ever matched, so
/// both ends are character boundaries.
fn replacement(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let rest = &text.as_bytes()[at..];
    let starts =
        |piece: &str| rest.len() >= piece.len() && rest[..piece.len()].eq_ignore_ascii_case(piece.as_bytes());
    match rest[0] {
        b'[' | b'(' | b'{' => {
            TOKENS.iter().find(|(from, _)| starts(from)).map(|(from, to)| (from.len(), *to))
        }
        b'h' | b'H' | b'f' | b'F' => {
            let (from, to) = SCHEMES.iter().find(|(from, _)| starts(from))?;
            let word_starts = at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
            let after = &rest[from.len()..];
            let after = if let [b's' | b'S', more @ ..] = after { more } else { after };
            let colon = matches!(after, [b':', ..] | [b'[', b':', ..]);
            (word_starts && colon).then_some((from.len(), *to))
        }
        _ => None,
    }
}

/// Text that no program makes a link of, for display: the scheme as `hxxp` or `fxp`, each `.` of the host as `[.]`.
///
/// The path stays as it is. [`refang`] gives back the same text, unless that held defanged pieces of its own (or its
/// scheme was not in lower case).
pub fn defang(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (scheme, rest) = match text.find("://") {
        Some(at) if !text[..at].contains(['/', '?', '#']) => text.split_at(at + 3),
        _ => ("", text),
    };
    match SCHEMES
        .iter()
        .find(|(_, to)| scheme.get(..to.len()).is_some_and(|start| start.eq_ignore_ascii_case(to)))
    {
        Some((from, to)) => {
            out.push_str(from);
            out.push_str(&scheme[to.len()..]);
        }
        None => out.push_str(scheme),
    }
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    out.push_str(&rest[..host_end].replace('.', "[.]"));
    out.push_str(&rest[host_end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_list_in_any_case_and_nothing_else() {
        for (from, to) in [
            ("hxxp://a.b", "http://a.b"),
            ("HXXPS://a.b", "httpS://a.b"),
            ("fxp://a.b", "ftp://a.b"),
            ("hxxp[:]//a[.]b", "http://a.b"),
            ("hxxps[://]a(.)b{.}c", "https://a.b.c"),
            ("a[dot]b(DOT)c{Dot}d", "a.b.c.d"),
            ("a[:]80[/]x", "a:80/x"),
            ("u[@]a.b u[AT]a.b u(at)a.b", "u@a.b u@a.b u@a.b"),
            ("http://a/?u=hxxp://b", "http://a/?u=http://b"),
            ("[[.]]", "[.]"),
        ] {
            assert_eq!(refang(from), to, "{from}");
        }
        for same in [
            "fxpro.com",
            "a.hxxp",
            "xhxxp://a",
            "h**p://a",
            "a dot b",
            "{at}",
            "[ . ]",
            "[::1]",
            "é[",
            "[::]",
        ] {
            assert!(matches!(refang(same), Cow::Borrowed(text) if text == same), "{same}");
        }
    }

    #[test]
    fn defanged_text_is_no_link() {
        assert_eq!(defang("https://a.example.com/x.exe"), "hxxps://a[.]example[.]com/x.exe");
        assert_eq!(defang("ftp://a.b?x.y"), "fxp://a[.]b?x.y");
        assert_eq!(defang("1.2.3.4"), "1[.]2[.]3[.]4");
        assert_eq!(defang("a.b/?u=http://c.d"), "a[.]b/?u=http://c.d");
    }

    proptest! {
        #[test]
        fn no_panic_on_anything(text in "\\PC*") {
            let _ = (refang(&text), defang(&text));
        }

        #[test]
        fn defang_then_refang_is_the_same(text in "((https?|ftp)://)?[a-z0-9.-]{1,20}(/[a-z0-9./?=]{0,20})?") {
            prop_assert_eq!(refang(&defang(&text)).into_owned(), text);
        }
    }
}
