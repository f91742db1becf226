//! What changed of an object between two moments: zone, score, what they rest on, and the rows of its report.

use serde::Serialize;
use utoipa::ToSchema;

use super::rows::{SectionDiff, sections};
use super::{Change, Pins, aged, changes};
use crate::indicator::{Indicator, Kind};
use crate::lookup::{Context, LookupError, Report, Request, report_in};
use crate::value::{Category, ThreatScore, Timestamp, Zone};
use crate::verdict::{Confidence, Judge, Verdict};

/// The difference of two reports on an object.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Diff {
    /// The object.
    pub indicator: String,
    /// Its kind.
    pub kind: Kind,
    /// The earlier moment.
    pub from: Side,
    /// The later one.
    pub to: Side,
    /// What zone and score rest on: what came, went or changed; age where it moved the score.
    pub changes: Vec<Change>,
    /// The sections in which something differs.
    pub sections: Vec<SectionDiff>,
}

/// An object at one of the two moments.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DiffSide)]
pub struct Side {
    /// The moment.
    pub at: Timestamp,
    /// Whether anything was known.
    pub known: bool,
    /// The zone.
    pub zone: Zone,
    /// The score.
    pub score: ThreatScore,
    /// How much that rested on.
    pub confidence: Confidence,
    /// The categories.
    pub categories: Vec<Category>,
}

/// What changed of an object from a past moment to a later one; `None`: now.
///
/// # Errors
///
/// [`LookupError::Unknown`] where nothing was known at either moment, [`LookupError::BadRequest`] where the
/// moments stand the wrong way round, [`LookupError::Store`] where the store cannot answer.
pub fn diff(
    context: &Context<'_>,
    indicator: &Indicator,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Diff, LookupError> {
    let at = |moment: Option<Timestamp>| moment.unwrap_or(context.now);
    if at(from) > at(to) {
        return Err(LookupError::BadRequest(format!(
            "from is {}, which is after to, {}: name the earlier moment first",
            at(from),
            at(to)
        )));
    }
    let snapshot = context.snapshot()?;
    let read = |moment: Option<Timestamp>| -> Result<(Verdict, Result<Report, LookupError>), LookupError> {
        let request = Request { as_of: moment, ..Request::default() };
        let report = match report_in(&snapshot, context, indicator, &request) {
            Err(error @ (LookupError::BadRequest(_) | LookupError::Store(_))) => return Err(error),
            report => report,
        };
        let view = snapshot.view(moment);
        let verdict = Judge::new(&view, context.policy, at(moment)).indicator(indicator)?;
        Ok((verdict, report))
    };
    let ((before, old), (after, new)) = (read(from)?, read(to)?);
    let (old, new) = match (old, new) {
        (Err(_), Err(unknown)) => return Err(unknown),
        (old, new) => (old.ok(), new.ok()),
    };
    let side = |moment, verdict: &Verdict, known| Side {
        at: at(moment),
        known,
        zone: verdict.zone,
        score: verdict.score,
        confidence: verdict.confidence(),
        categories: verdict.categories(),
    };
    let (from, to) = (side(from, &before, old.is_some()), side(to, &after, new.is_some()));
    let pins = Pins::of(&snapshot.view(None), indicator)?;
    let mut changes = changes(&snapshot, &pins, &before, &after, to.at);
    if (before.zone, before.score) != (after.zone, after.score) {
        changes.extend(aged(&snapshot, &before, &after));
    }
    let sections = sections(old.as_ref(), new.as_ref())?;
    Ok(Diff { indicator: indicator.to_string(), kind: indicator.kind(), from, to, changes, sections })
}
