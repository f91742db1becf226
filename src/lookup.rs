//! One question, one answer: an indicator and the sections wanted, from one snapshot.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::dossier::rows::Counts;
use crate::dossier::{AddressDossier, DomainDossier, FileDossier, Terms, UrlDossier};
use crate::export;
use crate::indicator::{FileHashes, Indicator, Kind};
use crate::sections::{About, Entry, RESERVED, SECTIONS};
use crate::store::{Reader, Snapshot, Store, StoreError, View};
use crate::unknown::{self, Asked};
use crate::value::{ThreatScore, Timestamp, Zone};
use crate::verdict::{Judge, Policy};

/// The most rows of a section, and how many there are unless fewer are asked for.
pub const COUNT_MAX: usize = 1000;

/// The connection test of clients: it is always answered.
const ALWAYS_KNOWN: &str = "example.com";

/// What is wanted of a report.
#[derive(Clone, Debug)]
pub struct Request {
    /// The sections, by name; `None`: all.
    pub sections: Option<Vec<String>>,
    /// The most rows of each section, 1 to [`COUNT_MAX`].
    pub count: usize,
    /// A past moment; `None`: now.
    pub as_of: Option<Timestamp>,
    /// Of a file, the hashes that are known besides the one that is asked of.
    pub hashes: FileHashes,
}

impl Default for Request {
    fn default() -> Request {
        Request { sections: None, count: COUNT_MAX, as_of: None, hashes: FileHashes::default() }
    }
}

/// Licence and quota as a report states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Bought, or on trial.
    pub access_type: &'static str,
    /// Lookups today, this one included.
    pub day_requests: u64,
    /// Lookups allowed a day.
    pub day_quota: u64,
    /// When the token runs out.
    pub token_expires: Option<Timestamp>,
}

impl Licence {
    /// Lookups left today.
    pub fn left(&self) -> u64 {
        self.day_quota.saturating_sub(self.day_requests)
    }
}

impl Default for Licence {
    /// No users, no quota: as on loopback.
    fn default() -> Licence {
        Licence { access_type: "Commercial", day_requests: 1, day_quota: 2_147_483_647, token_expires: None }
    }
}

/// A section of a report.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its heading on a page.
    pub title: &'static str,
    /// Its body, JSON.
    pub body: Box<RawValue>,
    /// How many rows there are, where the body may not have all.
    pub counts: Option<Counts>,
}

/// What is known of an object.
#[derive(Clone, Debug)]
pub struct Report {
    /// The kind of object.
    pub kind: Kind,
    /// The object, as the report spells it.
    pub subject: String,
    /// Its zone.
    pub zone: Zone,
    /// Its score.
    pub score: ThreatScore,
    /// The sections, in order.
    pub sections: Vec<Answer>,
}

impl Report {
    /// The report as JSON: an object with a member a section.
    pub fn json(&self) -> Vec<u8> {
        let mut json =
            Vec::with_capacity(self.sections.iter().map(|answer| answer.body.get().len() + 40).sum());
        json.push(b'{');
        for (index, answer) in self.sections.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.push(b'"');
            json.extend_from_slice(answer.name.as_bytes());
            json.extend_from_slice(b"\":");
            json.extend_from_slice(answer.body.get().as_bytes());
        }
        json.push(b'}');
        json
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The request is wrong; the text says what would be right.
    #[error("{0}")]
    BadRequest(String),
    /// Nothing is known of the object; with what was asked, which is said in one sentence.
    #[error("{0}")]
    Unknown(Box<Asked>),
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a lookup needs besides the question.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Store,
    /// The policy.
    pub policy: &'a Policy,
    /// Licence and quota.
    pub licence: Licence,
    /// The moment.
    pub now: Timestamp,
    /// Counts of hits are shown to the nearest power of ten.
    pub round_counts: bool,
    /// Who reads the answer.
    pub reader: Reader,
}

impl Context<'_> {
    /// What is true now, as the reader may see it.
    ///
    /// # Errors
    ///
    /// Where the store cannot answer.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        Ok(self.store.snapshot()?.for_reader(&self.reader))
    }

    /// Who judges objects as they are now.
    pub fn judge<'a>(&'a self, view: &'a View) -> Judge<'a> {
        Judge::new(view, self.policy, self.now)
    }

    /// What is true now and may be passed on: nothing that is marked stricter than [`export::MARK`] or than the
    /// configuration lets leave.
    ///
    /// # Errors
    ///
    /// Where the store cannot answer.
    pub fn exported(&self) -> Result<Arc<Snapshot>, StoreError> {
        let reader = self.reader.exporting();
        let reader = Reader { clearance: reader.clearance.min(export::MARK), ..reader };
        Ok(self.store.snapshot()?.for_reader(&reader))
    }
}

/// The report on an indicator.
///
/// # Errors
///
/// [`LookupError::Unknown`] where nothing is known of it, [`LookupError::BadRequest`] where the request makes no
/// sense, [`LookupError::Store`] where the store cannot answer.
pub fn report(
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
) -> Result<Report, LookupError> {
    report_in(&context.snapshot()?, context, indicator, request)
}

/// The report on an indicator from a snapshot that the caller holds, so that several are of one.
///
/// # Errors
///
/// As [`report`].
pub fn report_in(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
) -> Result<Report, LookupError> {
    report_and(snapshot, context, indicator, request, |_| Ok(())).map(|(report, ())| report)
}

/// The report on an indicator, and what `more` makes of the same dossier after it: what the report has read of it is
/// not read again.
///
/// # Errors
///
/// As [`report`], and what `more` says.
pub fn report_and<T>(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
    more: impl FnOnce(&About<'_>) -> Result<T, StoreError>,
) -> Result<(Report, T), LookupError> {
    let kind = indicator.kind();
    let wanted = wanted(kind, request)?;
    about(snapshot, context, indicator, request, |about| {
        let mut sections = Vec::with_capacity(wanted.len());
        let reserved = matches!(about, About::Address(dossier) if dossier.is_reserved());
        for entry in wanted.into_iter().filter(|entry| !reserved || RESERVED.contains(&entry.name)) {
            if let Some(body) = entry.write(about)? {
                let body = RawValue::from_string(body)
                    .map_err(|error| StoreError::Io(std::io::Error::other(error)))?;
                let counts = entry.counts(about)?;
                sections.push(Answer { name: entry.name, title: entry.title, body, counts });
            }
        }
        let verdict = &about.common().verdict;
        let report = Report {
            kind,
            subject: indicator.to_string(),
            zone: verdict.zone,
            score: verdict.score,
            sections,
        };
        Ok((report, more(about)?))
    })
}

/// What `work` makes of the dossier of an indicator. The sections of the request are not looked at.
///
/// # Errors
///
/// As [`report`], and what `work` says.
pub fn about<T>(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
    work: impl FnOnce(&About<'_>) -> Result<T, StoreError>,
) -> Result<T, LookupError> {
    if request.as_of.is_some_and(|at| at > context.now) {
        return Err(LookupError::BadRequest(
            "as_of is in the future: use a past day, or leave it out for now".to_owned(),
        ));
    }
    let view = snapshot.view(request.as_of);
    let at = request.as_of.unwrap_or(context.now);
    let judge = Judge::new(&view, context.policy, at);
    let (licence, round_counts) = (&context.licence, context.round_counts);
    let terms = Terms { licence, count: request.count, at, round_counts };
    let unknown = |asked: Asked| Err(LookupError::Unknown(Box::new(asked)));
    let about = match indicator {
        Indicator::Domain(name) => {
            let dossier = DomainDossier::open(&judge, name, terms)?;
            if name.as_str() != ALWAYS_KNOWN && !dossier.is_known()? {
                return unknown(unknown::of_domain(indicator, &dossier)?);
            }
            About::Domain(dossier)
        }
        Indicator::Address(address) => {
            let dossier = AddressDossier::open(&judge, *address, terms)?;
            if !dossier.is_reserved() && !dossier.is_known()? {
                return unknown(unknown::of_object(indicator, &view, at));
            }
            About::Address(dossier)
        }
        Indicator::Url(url) => {
            let dossier = UrlDossier::open(&judge, url, terms)?;
            if url.key() != ALWAYS_KNOWN && !dossier.is_known()? {
                return unknown(unknown::of_url(indicator, url, &view, at)?);
            }
            About::Url(dossier)
        }
        Indicator::File(hash) => {
            let mut file = request.hashes;
            file.set(*hash);
            let dossier = FileDossier::open(&judge, file, terms)?;
            if !dossier.is_known() {
                return unknown(unknown::of_object(indicator, &view, at));
            }
            About::File(dossier)
        }
    };
    Ok(work(&about)?)
}

/// The sections that a request wants, in the order of reports.
fn wanted(kind: Kind, request: &Request) -> Result<Vec<&'static Entry>, LookupError> {
    let all = SECTIONS.iter().filter(|entry| entry.kind == kind);
    let Some(names) = &request.sections else { return Ok(all.collect()) };
    let wanted: Vec<&Entry> = all.filter(|entry| names.iter().any(|name| name == entry.name)).collect();
    if wanted.is_empty() {
        let known: Vec<&str> =
            SECTIONS.iter().filter(|entry| entry.kind == kind).map(|entry| entry.name).collect();
        return Err(LookupError::BadRequest(format!(
            "sections names no section of a report on a {kind}: use one or more of {}",
            known.join(", ")
        )));
    }
    Ok(wanted)
}
