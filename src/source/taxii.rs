//! A collection of a TAXII 2.1 server: what was added to it since the last time, as one batch of STIX.
//!
//! Standard: <https://docs.oasis-open.org/cti/taxii/v2.1/os/taxii-v2.1-os.html>, sections 3.4 (paging) and 5.4 (objects).
//!
//! How far a collection was read is the moment that its server last added something (`X-TAXII-Date-Added-Last`), which
//! the next refresh asks after. A server is followed by the `next` that it gives, so that objects that were added at one
//! moment are not torn apart; one that gives the same objects again is not followed for ever.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use ureq::http::{HeaderMap, StatusCode};

use super::fetch::{Client, FetchError, Fetched, Validators};
use super::refresh::{Ask, Got, Progress, RefreshError};
use crate::import::Origin;

/// What TAXII 2.1 is asked for.
const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";

/// Objects asked for at a time; servers give fewer where they like.
const PAGE_OBJECTS: usize = 1000;

/// The most pages of one refresh.
const PAGES_MAX: usize = 10_000;

/// The largest page: it is held to be read.
const PAGE_BYTES_MAX: u64 = 64 << 20;

/// The most API roots that are asked for their collections, and the most collections that are named.
const ROOTS_MAX: usize = 10;
const COLLECTIONS_MAX: usize = 50;

/// The most of a text of the server that is shown.
const SHOWN_CHARS: usize = 80;

/// What is read of a page. The objects are the import's to read.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    more: bool,
    #[serde(default)]
    next: Option<Value>,
    #[serde(borrow, default)]
    objects: Option<&'a RawValue>,
}

/// What is read of an object: when it was made, where the server does not say when it was added.
#[derive(Deserialize)]
struct Dated {
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    created: Option<String>,
}

/// Asks a collection for what was added since the last time.
pub(super) fn ask(ask: &mut Ask<'_>, address: &str) -> Result<Got, RefreshError> {
    let client = Client::new(ask.source)?.with_answer_bytes_max(PAGE_BYTES_MAX);
    let folder = ask.folder.join("objects");
    std::fs::create_dir(&folder)?;
    let mut walk = Walk {
        client: &client,
        objects: format!("{}objects/", collection(address)),
        after: ask.status.cursor.clone(),
        next: None,
        count: 0,
        pages: HashSet::new(),
        objects_count: 0,
    };
    loop {
        let path = folder.join(format!("{:05}.json", walk.count));
        let is_more =
            walk.page(&path, ask).map_err(|error| explained(&client, address, ask.folder, error))?;
        if !is_more {
            break;
        }
    }
    let origins = if walk.objects_count > 0 { vec![Origin::Path(folder)] } else { Vec::new() };
    Ok(Got { origins, cursor: walk.after, format: Some("stix"), ..Got::default() })
}

/// An address of a collection, as it ends: also where it was given without the last slash, or with its objects.
fn collection(address: &str) -> String {
    let address = address.trim_end_matches('/');
    format!("{}/", address.strip_suffix("/objects").unwrap_or(address))
}

/// A walk through the pages of a collection.
struct Walk<'a> {
    client: &'a Client,
    /// The address of its objects.
    objects: String,
    /// What is asked after: how far it was read.
    after: Option<String>,
    /// Where the server says that it goes on.
    next: Option<String>,
    /// How many pages there were, and digests of their objects.
    count: usize,
    pages: HashSet<[u8; 32]>,
    objects_count: usize,
}

impl Walk<'_> {
    /// Fetches a page; whether there is another.
    fn page(&mut self, path: &Path, ask: &mut Ask<'_>) -> Result<bool, FetchError> {
        let mut told = |bytes, total| (ask.progress)(Progress::Fetching(bytes, total));
        let address = self.address(ask.status.cursor.as_deref());
        let headers =
            match self.client.get(&address, Some(MEDIA_TYPE), &Validators::default(), path, &mut told)? {
                Fetched::New(headers) => headers,
                Fetched::NotModified => return Err(FetchError::from(no_envelope("it answers 304"))),
            };
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let wrong = |error: serde_json::Error| no_envelope(&error.to_string());
        let page: Envelope<'_> = serde_json::from_slice(&bytes).map_err(wrong)?;
        let text = page.objects.map_or("[]", RawValue::get);
        let objects: Vec<Dated> = serde_json::from_str(text).map_err(wrong)?;
        self.count += 1;
        self.objects_count += objects.len();
        let before = self.after.clone();
        self.after =
            added_last(&headers, &objects).into_iter().chain(self.after.take()).max_by_key(|at| moment(at));
        if objects.is_empty() {
            std::fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        if !page.more {
            return Ok(false);
        }
        if self.count >= PAGES_MAX {
            let text = format!("the collection goes on after {PAGES_MAX} pages: import it from a file first");
            return Err(text.into());
        }
        self.next = match &page.next {
            Some(Value::String(next)) => Some(next.clone()),
            Some(Value::Number(next)) => Some(next.to_string()),
            _ => None,
        };
        match &self.next {
            // The same `next` may lead to other objects: servers keep it for a walk. The same objects lead nowhere.
            Some(next) => {
                let seen = Sha256::digest(if objects.is_empty() { next } else { text }).into();
                if self.pages.insert(seen) { Ok(true) } else { Err(repeats("the same page again")) }
            }
            // Without one it goes on after what was added last.
            None if self.after == before => Err(repeats("more without saying where it goes on")),
            None => Ok(true),
        }
    }

    /// The address of the next page. Where it goes on by `next`, all else is as in the first request.
    fn address(&self, first_after: Option<&str>) -> String {
        let after = if self.next.is_some() { first_after } else { self.after.as_deref() };
        let mut query = format!("limit={PAGE_OBJECTS}");
        for (name, value) in [("added_after", after), ("next", self.next.as_deref())] {
            if let Some(value) = value {
                query += &format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
        }
        let joint = if self.objects.contains('?') { '&' } else { '?' };
        format!("{}{joint}{query}", self.objects)
    }
}

/// When the last object of a page was added, as the server writes it; where it does not say so, when the last one was
/// made.
fn added_last(headers: &HeaderMap, objects: &[Dated]) -> Option<String> {
    let is_moment = |text: &&str| moment(text).is_some();
    let said = headers.get("x-taxii-date-added-last").and_then(|value| value.to_str().ok());
    let made = || {
        let dates = objects.iter().filter_map(|one| one.modified.as_deref().or(one.created.as_deref()));
        dates.filter(is_moment).max_by_key(|at| moment(at))
    };
    said.map(str::trim).filter(is_moment).or_else(made).map(str::to_owned)
}

/// A moment as TAXII writes it (RFC 3339), where it is one.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok().filter(|_| text.len() <= 40)
}

fn no_envelope(problem: &str) -> String {
    format!("the answer is no TAXII 2.1 envelope: {problem}")
}

fn repeats(what: &str) -> FetchError {
    format!("the server gives {what}, so its pages have no end: tell its operator; nothing was taken").into()
}

//------------ Advice --------------------------------------------------------

/// What to do about an error. An address that is no collection may be a server's that has some.
fn explained(client: &Client, address: &str, folder: &Path, error: FetchError) -> FetchError {
    let advice = match error.status {
        Some(StatusCode::NOT_ACCEPTABLE | StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
            " (it speaks no TAXII 2.1; TAXII 1 and 2.0 are not read)".to_owned()
        }
        Some(status) if status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED => {
            return error;
        }
        None if !error.text.starts_with("the answer is no TAXII") => return error,
        _ => String::new(),
    };
    let mut offered = Offered { client, path: folder.join("advice.json"), lines: Vec::new() };
    offered.by_server(address);
    let text = match offered.lines.is_empty() {
        true => format!("{}{advice}; use taxii+https://host/api-root/collections/<id>/", error.text),
        false => format!("{}{advice}; this server offers\n  {}", error.text, offered.lines.join("\n  ")),
    };
    FetchError { text, ..error }
}

/// The collections that a server offers.
struct Offered<'a> {
    client: &'a Client,
    path: PathBuf,
    lines: Vec<String>,
}

impl Offered<'_> {
    /// Those at an address that is a server's discovery, an API root, or a list of collections.
    fn by_server(&mut self, address: &str) {
        let address = format!("{}/", address.trim_end_matches('/'));
        let answer = self.get(&address).unwrap_or_default();
        if self.collections(&address, &answer) {
            return;
        }
        let roots = answer["api_roots"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let mut roots: Vec<String> =
            roots.filter_map(|root| absolute(&address, root.as_str()?)).take(ROOTS_MAX).collect();
        if roots.is_empty() {
            roots.push(address);
        }
        for root in roots {
            let address = format!("{}/collections/", root.trim_end_matches('/'));
            if let Some(answer) = self.get(&address) {
                self.collections(&address, &answer);
            }
        }
    }

    /// Names those of a list; whether the answer is one.
    fn collections(&mut self, address: &str, answer: &Value) -> bool {
        let Some(list) = answer["collections"].as_array() else { return false };
        for one in list.iter().filter(|one| one["can_read"] != false) {
            let (Some(id), title) = (one["id"].as_str(), one["title"].as_str().unwrap_or_default()) else {
                continue;
            };
            if self.lines.len() < COLLECTIONS_MAX {
                self.lines
                    .push(format!("taxii+{address}{}/ {}", plain(id), plain(title)).trim_end().to_owned());
            }
        }
        true
    }

    fn get(&self, address: &str) -> Option<Value> {
        let known = Validators::default();
        match self.client.get(address, Some(MEDIA_TYPE), &known, &self.path, &mut |_, _| {}) {
            Ok(Fetched::New(_)) => serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok(),
            Ok(Fetched::NotModified) => None,
            Err(error) => {
                tracing::debug!(%error, "no advice");
                None
            }
        }
    }
}

/// A text of the server, as much as is shown of it.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(SHOWN_CHARS).collect()
}

/// The address of an API root of a server: of the server that was asked only, which the credentials are for.
fn absolute(address: &str, root: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let origin = format!("{scheme}://{}", rest.split('/').next()?);
    let root = if root.starts_with('/') { format!("{origin}{root}") } else { root.to_owned() };
    root.strip_prefix(&origin)?.starts_with('/').then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_known_however_they_end() {
        for address in ["https://a.example/r/collections/1", "https://a.example/r/collections/1/objects/"] {
            assert_eq!(collection(address), "https://a.example/r/collections/1/");
        }
    }

    #[test]
    fn only_roots_of_the_server_itself_are_asked() {
        let at = |root: &str| absolute("https://a.example/taxii2/", root);
        assert_eq!(at("/api1/").as_deref(), Some("https://a.example/api1/"));
        assert_eq!(at("https://a.example/api1/").as_deref(), Some("https://a.example/api1/"));
        assert_eq!(
            (at("https://b.example/"), at("https://a.example.b.example/"), at("api1")),
            (None, None, None)
        );
        assert_eq!(at("https://a.example:8/api1/"), None);
        assert_eq!(at("//b.example/").as_deref(), Some("https://a.example//b.example/"), "a path of it");
    }
}
