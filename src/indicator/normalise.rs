//! Normalisation of web addresses: the seven steps of section 6, each a function. Linear in the length of the input.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::domain::{check, check_characters, to_ascii, without_www};
use super::{DomainName, refang};

/// Longest web address that is read, in bytes, white space at its ends not counted.
pub(super) const URL_BYTES_MAX: usize = 8 * 1024;

/// Whether `*` stands for anything, as in a mask of a feed that says so, or is a character that no host has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stars {
    Wild,
    Refused,
}

/// A normalised web address.
pub(super) struct Normal {
    /// Host, path, query: compared, shown, never normalised again.
    pub(super) key: String,
    /// Bytes of the host in `key`, brackets included.
    pub(super) host_bytes: usize,
    /// The port as spelled, if there was one.
    pub(super) port: Option<u16>,
}

/// All seven steps.
///
/// # Errors
/// A clause that says what is wrong: too long, a bad port, a host that is none.
pub(super) fn normalise(text: &str, stars: Stars) -> Result<Normal, &'static str> {
    let trimmed = text.trim();
    if trimmed.len() > URL_BYTES_MAX {
        return Err("it has more than 8192 bytes");
    }
    let plain = refang(trimmed);
    let rest = without_scheme(&plain);
    let rest = rest.split_once('#').map_or(rest, |(before, _fragment)| before);
    let (rest, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority, |(_user, after)| after);
    let (host, port) = split_port(authority, stars)?;
    let mut key = normal_host(host, stars)?;
    let host_bytes = key.len();
    key.push_str(&normal_rest(path, query));
    Ok(Normal { key, host_bytes, port })
}

/// Step 2: the text after the scheme, or after a leading `//`.
pub(super) fn without_scheme(text: &str) -> &str {
    if let Some(at) = text.find("://") {
        let scheme = &text.as_bytes()[..at];
        let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
        if scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(legal) {
            return &text[at + 3..];
        }
    }
    text.strip_prefix("//").unwrap_or(text)
}

/// Step 3, the port: host and port of `host`, `host:`, `host:80`, `[::1]`, `[::1]:80`; with stars also `host:*`.
pub(super) fn split_port(authority: &str, stars: Stars) -> Result<(&str, Option<u16>), &'static str> {
    // A colon inside brackets is part of an IPv6 address.
    let outside = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[outside..].rfind(':') else { return Ok((authority, None)) };
    let (host, digits) = (&authority[..outside + colon], &authority[outside + colon + 1..]);
    if digits.is_empty() || (digits == "*" && stars == Stars::Wild) {
        return Ok((host, None));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its port is not a number");
    }
    // All zeros are port 0; a u16 cannot be overrun by leading zeros.
    let port = digits.parse().map_err(|_| "its port is above 65535")?;
    Ok((host, Some(port)))
}

/// Step 4: the host as it stands in a key.
pub(super) fn normal_host(text: &str, stars: Stars) -> Result<String, &'static str> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("its host has text after the bracket")?;
        let address: Ipv6Addr = inner.parse().map_err(|_| "its host in brackets is not an IPv6 address")?;
        return Ok(format!("[{address}]"));
    }
    let decoded = decode_once(text);
    if stars == Stars::Wild && decoded.contains('*') {
        return wild_host(&decoded);
    }
    let ascii = to_ascii(&decoded)?;
    let name = squeeze_dots(&ascii);
    let bare = without_www(&name);
    if let Some(address) = inet_aton(bare) {
        return Ok(address.to_string());
    }
    check(bare)?;
    // A second mapping would give another name: no key could be compared.
    DomainName::from_normal(bare).ok_or("it has a label that IDNA (UTS 46) refuses")?;
    Ok(bare.to_owned())
}

/// A host with `*` in it. The labels without one are mapped; one with both a `*` and letters beyond ASCII has no A-label.
/// Lengths are not checked: what the stars stand for has any.
fn wild_host(decoded: &str) -> Result<String, &'static str> {
    let mut labels = Vec::new();
    for label in decoded.split('.') {
        if !label.contains('*') {
            labels.push(to_ascii(label)?.into_owned());
        } else if label.is_ascii() {
            labels.push(label.to_ascii_lowercase());
        } else {
            return Err("it has a label with both a wildcard and characters beyond ASCII");
        }
    }
    let name = squeeze_dots(&labels.join(".")).into_owned();
    check_characters(&name.replace('*', ""))?;
    // What a star stands for can be more than a public suffix.
    Ok(name.strip_prefix("www.").map(str::to_owned).unwrap_or(name))
}

/// Runs of dots to one, none at the ends.
fn squeeze_dots(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim_matches('.');
    if !trimmed.contains("..") {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(squeeze(trimmed, '.'))
}

/// Runs of a character to one of it.
fn squeeze(text: &str, run: char) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character != run || !out.ends_with(run) {
            out.push(character);
        }
    }
    out
}

/// An IPv4 address in one to four numbers as `inet_aton` of the BSD sockets reads them: decimal, octal (`0…`),
/// hexadecimal (`0x…`), the last one filling what is left. None where a label is no number or a number does not fit.
pub(super) fn inet_aton(name: &str) -> Option<Ipv4Addr> {
    let mut address = 0_u32;
    let mut bits_left = 32;
    let mut labels = name.split('.').peekable();
    while let Some(label) = labels.next() {
        let value = number(label)?;
        if labels.peek().is_none() {
            return (bits_left == 32 || value >> bits_left == 0)
                .then(|| Ipv4Addr::from_bits(address | value));
        }
        if value > 0xff || bits_left == 8 {
            return None;
        }
        bits_left -= 8;
        address |= value << bits_left;
    }
    None
}

/// One number of an `inet_aton` address.
fn number(label: &str) -> Option<u32> {
    let (digits, radix) = match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if label.len() > 1 && label.starts_with('0') => (&label[1..], 8),
        None => (label, 10),
    };
    // from_str_radix would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u32::from_str_radix(digits, radix).ok() } else { None }
}

/// Steps 5 to 7: path and query as they stand in a key.
fn normal_rest(path: &str, query: Option<&str>) -> String {
    let mut rest = decode_once(&without_dot_segments(path)).into_owned();
    if let Some(query) = query {
        rest.push('?');
        rest.push_str(&decode_once(query));
    }
    let mut rest = squeeze(&rest.to_lowercase(), '/');
    if query.is_none() && rest.ends_with('/') {
        rest.pop();
    }
    rest
}

/// Step 5, RFC 3986, 5.2.4, for a path that is empty or starts with `/`.
fn without_dot_segments(path: &str) -> Cow<'_, str> {
    if !path.contains("/.") {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    out.truncate(out.rfind('/').unwrap_or(0));
                }
                if last {
                    out.push('/');
                }
            }
            _ => {
                out.push('/');
                out.push_str(segment);
            }
        }
    }
    Cow::Owned(out)
}

/// Percent-decodes once. An escape that is invalid, not part of UTF-8, or a control character stays.
fn decode_once(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let run: Vec<u8> = rest.as_bytes().chunks_exact(3).map_while(escaped_byte).collect();
        if run.is_empty() {
            out.push('%');
            rest = &rest[1..];
        } else {
            push_decoded(&run, rest, &mut out);
            rest = &rest[3 * run.len()..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The byte that `%41` stands for.
fn escaped_byte(escape: &[u8]) -> Option<u8> {
    let [b'%', high, low] = escape else { return None };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high << 4 | low).ok()
}

/// Appends what a run of escaped bytes stands for; `spelled` starts with the escapes themselves, three bytes for each.
fn push_decoded(run: &[u8], spelled: &str, out: &mut String) {
    let mut at = 0;
    for chunk in run.utf8_chunks() {
        for character in chunk.valid().chars() {
            let bytes = character.len_utf8();
            if character.is_control() {
                out.push_str(&spelled[3 * at..3 * (at + bytes)]);
            } else {
                out.push(character);
            }
            at += bytes;
        }
        let bytes = chunk.invalid().len();
        out.push_str(&spelled[3 * at..3 * (at + bytes)]);
        at += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_inet_aton_reads_them() {
        for (text, address) in [
            ("1.2.3.4", "1.2.3.4"),
            ("31.13.21284", "31.13.83.36"),
            ("1.2.3", "1.2.0.3"),
            ("1.2", "1.0.0.2"),
            ("520966948", "31.13.83.36"),
            ("0x1F0D5324", "31.13.83.36"),
            ("037.015.0123.044", "31.13.83.36"),
            ("0", "0.0.0.0"),
            ("00", "0.0.0.0"),
            ("4294967295", "255.255.255.255"),
            ("1.16777215", "1.255.255.255"),
            ("0x0000000001", "0.0.0.1"),
        ] {
            assert_eq!(inet_aton(text), Some(address.parse().unwrap()), "{text}");
        }
        for name in [
            "256.1.1.1",
            "4294967296",
            "1.16777216",
            "1.2.3.256",
            "1.2.3.4.5",
            "08",
            "0x",
            "1..2",
            "",
            "+1",
            "a",
            "1.2.3.4.",
            "0x1g",
            "-1",
            "0x+1",
        ] {
            assert_eq!(inet_aton(name), None, "{name}");
        }
    }

    #[test]
    fn dot_segments_go_before_decoding() {
        for (path, clean) in [
            ("", ""),
            ("/", "/"),
            ("/a/b/../c", "/a/c"),
            ("/a/./b", "/a/b"),
            ("/a/..", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a//../b", "/a/b"),
            ("/a/.", "/a/"),
            ("/.a/..b/c.", "/.a/..b/c."),
            ("/a/b/c/./../../g", "/a/g"),
        ] {
            assert_eq!(without_dot_segments(path), clean, "{path}");
        }
    }

    #[test]
    fn escapes_are_taken_off_once() {
        for (text, decoded) in [
            ("%41%2f%2541", "A/%41"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%e2%98%83", "☃"),
            ("%e2%98", "%e2%98"),
            ("%e2%98a", "%e2%98a"),
            ("%FF%41", "%FFA"),
            ("%00%0a%7f%c2%85", "%00%0a%7f%c2%85"),
            ("a+b%20c", "a+b c"),
            ("%é", "%é"),
            ("%4é", "%4é"),
        ] {
            assert_eq!(decode_once(text), decoded, "{text}");
        }
    }

    #[test]
    fn schemes() {
        for (text, rest) in [
            ("http://a", "a"),
            ("a+b.c-1://x", "x"),
            ("//a", "a"),
            ("1http://a", "1http://a"),
            ("a/b://c", "a/b://c"),
            ("://a", "://a"),
            ("http:a", "http:a"),
        ] {
            assert_eq!(without_scheme(text), rest, "{text}");
        }
    }

    #[test]
    fn ports() {
        for (authority, host, port) in [
            ("a", "a", None),
            ("a:", "a", None),
            ("a:0", "a", Some(0)),
            ("a:65535", "a", Some(65535)),
            ("a:00080", "a", Some(80)),
            ("a:000000000000000000000000", "a", Some(0)),
            ("[::1]", "[::1]", None),
            ("[::1]:8080", "[::1]", Some(8080)),
        ] {
            assert_eq!(split_port(authority, Stars::Refused), Ok((host, port)), "{authority}");
        }
        for wrong in ["a:65536", "a:-1", "a:+1", "a:b", "a:8 0", "a:*", "a:99999999999"] {
            assert!(split_port(wrong, Stars::Refused).is_err(), "{wrong}");
        }
        assert_eq!(split_port("a:*", Stars::Wild), Ok(("a", None)));
    }
}
