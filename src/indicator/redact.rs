//! Private data taken out of a web address before it is shown.

/// Parameters whose value is private, in any case.
const PRIVATE: &[&str] = &[
    "email",
    "mail",
    "user",
    "login",
    "password",
    "passwd",
    "pwd",
    "pass",
    "token",
    "access_token",
    "auth",
    "key",
    "apikey",
    "api_key",
    "session",
    "sessionid",
    "sid",
    "phpsessid",
    "jsessionid",
];

/// A normalised key without private data, and whether any was taken out (`IsUrlTruncated`, section 2 of the contract).
///
/// Taken out is the value, with name and `=` kept, of a parameter that is named for private data or whose value contains
/// `@`, in the query and after a `;` in the path; of a parameter without `=` that contains `@`, all. A private value in
/// a query ends at the next `&`, so one that contains `;` or `?` goes whole. User-info is not in a key; what looks like
/// it before the host's end is taken out all the same.
pub fn redact(key: &str) -> (String, bool) {
    let mut out = String::with_capacity(key.len());
    let mut removed = false;
    let (before, query) = match key.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (key, None),
    };
    let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    removed |= host.len() < authority.len();
    out.push_str(host);
    for (count, segment) in path.split('/').enumerate() {
        if count > 0 {
            out.push('/');
        }
        removed |= redact_path_segment(segment, &mut out);
    }
    if let Some(query) = query {
        out.push('?');
        for (count, pair) in query.split('&').enumerate() {
            if count > 0 {
                out.push('&');
            }
            removed |= redact_pair(pair, &mut out);
        }
    }
    (out, removed)
}

/// `name;parameter=value;…`: only what stands after a `;` is a parameter.
fn redact_path_segment(segment: &str, out: &mut String) -> bool {
    let mut removed = false;
    let mut parts = segment.split(';');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push(';');
        removed |= match part.split_once('=') {
            Some((name, value)) if is_private(name, value) => {
                out.push_str(name);
                out.push('=');
                !value.is_empty()
            }
            _ => {
                out.push_str(part);
                false
            }
        };
    }
    removed
}

/// One `name=value` of a query. Within a value, `;` and `?` may begin further parameters: of older style, or of a web
/// address that is the value.
fn redact_pair(pair: &str, out: &mut String) -> bool {
    match pair.split_once('=') {
        Some((name, value)) if is_private(name, value) => {
            out.push_str(name);
            out.push('=');
            return !value.is_empty();
        }
        None if pair.contains('@') => return true,
        _ => {}
    }
    let mut left = pair;
    while let Some(end) = left.find([';', '?']) {
        let (part, after) = left.split_at(end + 1);
        out.push_str(part);
        left = after;
        let name = left.split(['=', ';', '?']).next().unwrap_or_default();
        if left[name.len()..].starts_with('=') && is_private_name(name) {
            out.push_str(&left[..=name.len()]);
            return left.len() > name.len() + 1;
        }
    }
    out.push_str(left);
    false
}

fn is_private(name: &str, value: &str) -> bool {
    value.contains('@') || is_private_name(name)
}

fn is_private_name(name: &str) -> bool {
    PRIVATE.iter().any(|private| name.eq_ignore_ascii_case(private))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn private_values_go_names_stay() {
        for (key, shown) in [
            ("a.b/?email=x", "a.b/?email="),
            ("a.b/?q=1&pass=secret&r=2", "a.b/?q=1&pass=&r=2"),
            ("a.b/?q=me@c.d", "a.b/?q="),
            ("a.b/?me@c.d", "a.b/?"),
            ("a.b/?SID=1", "a.b/?SID="),
            ("a.b/x;jsessionid=12ab/y?z=1", "a.b/x;jsessionid=/y?z=1"),
            ("a.b/?q=1;token=abc", "a.b/?q=1;token="),
            ("a.b/?pwd=a;b&c=d", "a.b/?pwd=&c=d"),
            ("a.b/?u=http://c.d/?key=1", "a.b/?u=http://c.d/?key="),
            ("user:pw@a.b/x", "a.b/x"),
            ("a.b?token=x=y", "a.b?token="),
        ] {
            assert_eq!(redact(key), (shown.to_owned(), true), "{key}");
        }
    }

    #[test]
    fn every_name_of_the_list() {
        for name in PRIVATE {
            assert_eq!(redact(&format!("a.b/?{name}=v")), (format!("a.b/?{name}="), true));
            assert_eq!(redact(&format!("a.b/?x{name}=v")), (format!("a.b/?x{name}=v"), false));
        }
    }

    #[test]
    fn what_is_not_private_stays() {
        for key in
            ["a.b", "a.b/", "a.b?", "a.b/@me", "a.b/?q=1&monkey=2", "a.b/?pass=", "a.b/pass=1", "a.b/?pass"]
        {
            assert_eq!(redact(key), (key.to_owned(), false), "{key}");
        }
    }

    proptest! {
        #[test]
        fn done_once_is_done(key in "[a-z]{1,3}(/[a-z;=@]{0,8}){0,2}(\\?([a-z@;?=&]|key|pass){0,12})?") {
            let (shown, removed) = redact(&key);
            prop_assert_eq!(removed, shown != key);
            prop_assert_eq!(redact(&shown), (shown.clone(), false));
        }

        #[test]
        fn no_panic_on_anything(key in "\\PC*") {
            let _ = redact(&key);
        }
    }
}
