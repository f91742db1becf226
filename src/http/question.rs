//! What a request asks: the object, what is wanted of it, and in which form.
//!
//! A URL stands in the path or the query as its sender wrote it: escaped in one piece, or raw with a query of its own.
//! The rules are those of the wire contract, section 1.

use axum::http::{StatusCode, Uri};
use percent_encoding::percent_decode_str;

use super::error::Problem;
use crate::indicator::{FileHashes, Indicator, Kind, Url};
use crate::lookup::Request;
use crate::request;
use crate::value::Timestamp;

/// The longest path and query, in bytes.
pub(super) const URI_BYTES_MAX: usize = 8192;

/// The longest of a request for a URL: each of its characters can be four bytes, escaped.
const URL_URI_BYTES_MAX: usize = URL_CHARS_MAX * 12 + URI_BYTES_MAX;

/// The longest URL that is looked up, in characters, escapes for its transport taken off.
const URL_CHARS_MAX: usize = 2000;

/// The parameters of a report: what of a raw URL's query is not the URL's.
const PARAMETERS: [&str; 4] = ["sections", "count", "format", "as_of"];

/// How a report is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The full report.
    Tip,
    /// A STIX bundle of it.
    Stix,
    /// The smaller report for clients of the free service.
    OpenTip,
    /// That, as the result of a scan.
    OpenTipResult,
}

/// A question, understood.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) indicator: Indicator,
    pub(super) request: Request,
    pub(super) form: Form,
}

/// Why a request is no question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The object or a parameter is malformed; says what would be right.
    Malformed(String),
    /// The URL is too long.
    TooLong(String),
}

impl Wrong {
    /// The problem that answers it.
    pub(super) fn problem(self, uri: &Uri) -> Problem {
        match self {
            Wrong::Malformed(detail) => Problem::new(StatusCode::BAD_REQUEST, uri, detail),
            Wrong::TooLong(detail) => Problem::new(StatusCode::URI_TOO_LONG, uri, detail),
        }
    }
}

impl From<String> for Wrong {
    fn from(detail: String) -> Wrong {
        Wrong::Malformed(detail)
    }
}

/// Reads `/api/{kind}/{object}?…`.
pub(super) fn tip(kind: Kind, uri: &Uri, now: Timestamp) -> Result<Question, Wrong> {
    let target = target(kind, uri)?;
    let rest =
        target.strip_prefix("/api/").and_then(|rest| rest.split_once('/')).map_or("", |(_, rest)| rest);
    let (object, query) = match kind {
        Kind::Url if rest.contains('/') => raw_url(rest),
        _ => {
            let (object, query) = rest.split_once('?').unwrap_or((rest, ""));
            (unescaped(kind, object)?, query)
        }
    };
    let form = match parameter(query, "format").as_deref() {
        None | Some("json") => Form::Tip,
        Some("stix") => Form::Stix,
        Some(other) => return Err(format!("format is {other:?}: use json or stix").into()),
    };
    let indicator = indicator(kind, &object)?;
    let request = match form {
        // A bundle has no sections, and nothing of it is cut.
        Form::Stix => Request { as_of: as_of(query, now)?, ..Request::default() },
        _ => wanted(query, now)?,
    };
    Ok(Question { indicator, request, form })
}

/// Reads `/{kind}/{object}?…`, a page: the object, and the query, which is a page's unless the URL is raw.
pub(super) fn page(kind: Kind, uri: &Uri) -> Result<(Indicator, String), Wrong> {
    let target = target(kind, uri)?;
    let rest = target.strip_prefix('/').and_then(|rest| rest.split_once('/')).map_or("", |(_, rest)| rest);
    if kind == Kind::Url && rest.split('?').next().unwrap_or_default().contains('/') {
        return Ok((indicator(kind, rest)?, String::new()));
    }
    let (object, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok((indicator(kind, &unescaped(kind, object)?)?, query.to_owned()))
}

/// Reads `…?request={object}`.
pub(super) fn open_tip(kind: Kind, form: Form, uri: &Uri) -> Result<Question, Wrong> {
    target(kind, uri)?;
    let query = uri.query().unwrap_or("");
    let object = match kind {
        Kind::Url => after_request(query).map(|text| {
            // Escaped as forms are: a space may be a plus.
            if text.contains('/') { Ok(text.to_owned()) } else { unescaped(kind, &text.replace('+', " ")) }
        }),
        _ => parameter(query, "request").map(Ok),
    };
    let object = object.transpose()?.filter(|object| !object.trim().is_empty());
    let object = object.ok_or_else(|| format!("request is missing: name the {kind} as ?request=…"))?;
    let indicator = indicator(kind, &object)?;
    if kind == Kind::Url && !Url::names_path(&object) {
        let detail =
            format!("{object:?} has no path: look up its host as a domain, or add a path: {object}/");
        return Err(detail.into());
    }
    let hashes = FileHashes::default();
    Ok(Question { indicator, request: Request { hashes, ..Request::default() }, form })
}

/// Path and query, where they are not too long.
fn target(kind: Kind, uri: &Uri) -> Result<&str, Wrong> {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let most = if kind == Kind::Url { URL_URI_BYTES_MAX } else { URI_BYTES_MAX };
    if target.len() > most {
        let detail = format!("the path is longer than {most} bytes: look up one indicator");
        return Err(Wrong::TooLong(detail));
    }
    Ok(target)
}

/// A raw URL and what of its query is ours: our parameters at its end, each once, up to the first pair that is none.
fn raw_url(rest: &str) -> (String, &str) {
    let Some((path, query)) = rest.split_once('?') else { return (rest.to_owned(), "") };
    let mut taken: Vec<&str> = Vec::new();
    let mut left = query;
    loop {
        let start = left.rfind('&').map_or(0, |at| at + 1);
        let is_ours = left[start..]
            .split_once('=')
            .is_some_and(|(name, _)| PARAMETERS.contains(&name) && !taken.contains(&name));
        if !is_ours {
            let ours = query[left.len()..].trim_start_matches('&');
            return (format!("{path}?{left}"), ours);
        }
        if start == 0 {
            return (path.to_owned(), query);
        }
        taken.extend(left[start..].split('=').next());
        left = &left[..start - 1];
    }
}

/// All that stands after the first `request=`.
fn after_request(query: &str) -> Option<&str> {
    let name = "request=";
    let starts = query.match_indices(name).map(|(at, _)| at);
    let at = starts.into_iter().find(|at| *at == 0 || query.as_bytes()[at - 1] == b'&')?;
    Some(&query[at + name.len()..])
}

fn unescaped(kind: Kind, text: &str) -> Result<String, Wrong> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded
        .map_err(|_| format!("{text:?} has escapes that are not UTF-8: escape the {kind} as UTF-8"))?;
    Ok(decoded.into_owned())
}

fn indicator(kind: Kind, object: &str) -> Result<Indicator, Wrong> {
    let chars = object.chars().count();
    if kind == Kind::Url && chars > URL_CHARS_MAX {
        let detail =
            format!("the URL has {chars} characters: look up its first {URL_CHARS_MAX} at most, or its host");
        return Err(Wrong::TooLong(detail));
    }
    Indicator::parse_as(kind, object).map_err(|error| error.to_string().into())
}

/// What a query wants of a report.
pub(super) fn wanted(query: &str, now: Timestamp) -> Result<Request, String> {
    let mut request = Request { as_of: as_of(query, now)?, ..Request::default() };
    request.sections = parameter(query, "sections").map(|text| request::sections(&text)).transpose()?;
    if let Some(count) = parameter(query, "count") {
        request.count = request::count(&count)?;
    }
    Ok(request)
}

fn as_of(query: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    parameter(query, "as_of").map_or(Ok(None), |text| request::as_of(&text, now))
}

/// A parameter of a query, its escapes taken off; the last where it stands several times.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let (_, value) = pairs(query).rfind(|(key, _)| decoded(key) == name)?;
    Some(decoded(value))
}

/// All values of a parameter that can stand several times, in their order.
pub(super) fn parameters(query: &str, name: &str) -> Vec<String> {
    pairs(query).filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
}

fn pairs(query: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_of_a_parameter_counts_and_escapes_come_off_once() {
        assert_eq!(parameter("count=1&x=2&count=3", "count").as_deref(), Some("3"));
        assert_eq!(parameter("sections=A%2CB", "sections").as_deref(), Some("A,B"));
        assert_eq!(parameter("sections=A%252CB", "sections").as_deref(), Some("A%2CB"));
        assert_eq!(parameter("sections", "sections").as_deref(), Some(""));
        assert_eq!(parameter("", "count"), None);
        assert_eq!(parameters("open=a&x=2&op%65n=b%26c", "open"), ["a", "b&c"]);
    }

    #[test]
    fn a_raw_url_keeps_its_own_query() {
        for (rest, url, ours) in [
            ("http://a.b/x", "http://a.b/x", ""),
            ("http://a.b/x?", "http://a.b/x?", ""),
            ("http://a.b/x?count=1", "http://a.b/x", "count=1"),
            ("http://a.b/x?y=1&count=2&format=json", "http://a.b/x?y=1", "count=2&format=json"),
            ("http://a.b/x?count=2&y=1", "http://a.b/x?count=2&y=1", ""),
            ("http://a.b/x?count=1&count=2", "http://a.b/x?count=1", "count=2"),
            ("http://a.b/x?&count=2", "http://a.b/x?", "count=2"),
            ("http://a.b/x?count&count=2", "http://a.b/x?count", "count=2"),
            (
                "http://a.b/?u=http://c.d/?e=f&as_of=2024-01-01",
                "http://a.b/?u=http://c.d/?e=f",
                "as_of=2024-01-01",
            ),
        ] {
            assert_eq!(raw_url(rest), (url.to_owned(), ours), "{rest}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_raw_url_is_lost(rest in "[a-z/]{0,9}(\\?([a-z?/]{0,3}[&=]|count=1|&sections=Zone){0,6})?") {
            let (url, ours) = raw_url(&rest);
            let joined = match (url.contains('?'), ours) {
                (_, "") => url,
                (true, ours) => format!("{url}&{ours}"),
                (false, ours) => format!("{url}?{ours}"),
            };
            prop_assert_eq!(joined, rest);
        }

        #[test]
        fn any_target_is_a_question_or_is_refused(target in "/api/url/[ -~]{0,40}") {
            if let Ok(uri) = target.parse::<Uri>() {
                let _ = tip(Kind::Url, &uri, Timestamp(1_717_000_000));
                let _ = open_tip(Kind::Url, Form::OpenTip, &uri);
            }
        }
    }

    #[test]
    fn a_wrong_question_says_what_would_be_right() {
        let now = Timestamp::parse("2024-05-28T07:03Z").unwrap();
        let wrong = |uri: &str| match tip(Kind::Domain, &uri.parse().unwrap(), now) {
            Err(Wrong::Malformed(detail)) => detail,
            other => panic!("{uri}: {other:?}"),
        };
        assert!(wrong("/api/domain/").contains("domain name"));
        assert!(wrong("/api/domain/a%20b").contains("a b"));
        assert!(wrong("/api/domain/%ff").contains("UTF-8"));
        assert!(wrong("/api/domain/http://a.example/").contains("not a domain name"));
        assert!(wrong("/api/domain/a.example?count=0").contains("count"));
        assert!(wrong("/api/domain/a.example?sections=").contains("sections"));
        assert!(wrong("/api/domain/a.example?format=xml").contains("json or stix"));
        assert!(wrong("/api/domain/a.example?as_of=2024-05-29").contains("future"));
        assert!(wrong("/api/domain/a.example?as_of=2024-05-29&format=stix").contains("future"));
        assert!(tip(Kind::Domain, &"/api/domain/A%2eexample?x=%00".parse().unwrap(), now).is_ok());
        assert!(
            tip(Kind::Domain, &"/api/domain/a.example?format=stix&count=0".parse().unwrap(), now).is_ok()
        );
    }
}
