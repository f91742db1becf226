//! When an object was in which zone, and why that changed: from facts alone, for all time that is known.
//!
//! The verdict is judged at each moment at which it can have changed ([`Judge::moments`]) and a second
//! before. Where the two ends of the time between differ, age moved it, and halving finds the hour.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Change, Pins, aged, changes};
use crate::indicator::{Indicator, Kind};
use crate::lookup::{Context, LookupError, Request, report_in};
use crate::store::{Snapshot, StoreError};
use crate::value::{Category, ThreatScore, Timestamp, Zone};
use crate::verdict::{Judge, Policy, Verdict};

/// The most moments that are looked at: of more, the newest.
pub const MOMENTS_MAX: usize = 500;

/// A past verdict begins with what each batch meant then: of a store with very many batches fewer moments are
/// looked at, so that no more batches than this are read, but so many moments always.
const BATCHES_READ_MAX: usize = 5_000_000;
const MOMENTS_MIN: usize = 50;

/// The most verdicts that are judged: two a moment, and some fifteen for each change that age made.
const JUDGED_MAX: usize = 10_000;

const HOUR_S: i64 = 3600;

/// The zones of an object over time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The object.
    pub indicator: String,
    /// Its kind.
    pub kind: Kind,
    /// Times of equal zone and categories, the oldest first.
    pub spans: Vec<Span>,
    /// How many moments were looked at.
    pub moments: usize,
    /// What was before this moment was not looked at: there are more moments than are looked at.
    pub cut_before: Option<Timestamp>,
    /// Whether each change by age was found to the hour; else some stand at the end of their time.
    pub is_exact: bool,
}

/// A time of equal zone and categories.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TimelineSpan)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is the next one's beginning; `None`: it lasts.
    pub to: Option<Timestamp>,
    /// The zone.
    pub zone: Zone,
    /// The categories.
    pub categories: Vec<Category>,
    /// The score at its beginning.
    pub score_first: ThreatScore,
    /// The score at its end, or now.
    pub score_last: ThreatScore,
    /// Why it began.
    pub causes: Vec<Change>,
}

/// The timeline of an object.
///
/// # Errors
///
/// [`LookupError::Unknown`] where nothing ever bore on its zone and nothing is known of it now,
/// [`LookupError::Store`] where the store cannot answer.
pub fn timeline(context: &Context<'_>, indicator: &Indicator) -> Result<Timeline, LookupError> {
    let snapshot = context.snapshot()?;
    let view = snapshot.view(None);
    let mut moments = Judge::new(&view, context.policy, context.now).moments(indicator)?;
    if moments.is_empty() {
        let request = Request { sections: Some(vec!["Zone".to_owned()]), ..Request::default() };
        report_in(&snapshot, context, indicator, &request)?;
    }
    let most = (BATCHES_READ_MAX / snapshot.batches().len().max(1)).clamp(MOMENTS_MIN, MOMENTS_MAX);
    let cut = moments.len().saturating_sub(most);
    moments.drain(..cut);
    let first = moments.first().copied();
    let mut walk = Walk {
        snapshot: &snapshot,
        policy: context.policy,
        now: context.now,
        indicator,
        pins: Pins::of(&view, indicator)?,
        judged: 0,
        spans: Vec::new(),
        start: Verdict::default(),
        last: Verdict::default(),
    };
    if cut > 0
        && let Some(first) = first
    {
        walk.last = walk.judge(Timestamp(first.0 - 1))?;
    }
    let ends: Vec<Timestamp> =
        moments.iter().skip(1).map(|next| Timestamp(next.0 - 1)).chain([context.now]).collect();
    for (from, to) in moments.iter().zip(ends) {
        walk.step(*from)?;
        walk.age(*from, to)?;
    }
    let Walk { mut spans, judged, .. } = walk;
    // What was learnt before anything spoke for or against it is no zone that somebody gave it.
    let speaks = |span: &Span| !span.causes.is_empty() || !span.categories.is_empty();
    if spans.len() > 1 && spans.first().is_some_and(|first| !speaks(first)) {
        spans.remove(0);
    }
    Ok(Timeline {
        indicator: indicator.to_string(),
        kind: indicator.kind(),
        spans,
        moments: moments.len(),
        cut_before: first.filter(|_| cut > 0),
        is_exact: judged < JUDGED_MAX,
    })
}

/// A walk along the moments of an object.
struct Walk<'a> {
    snapshot: &'a Arc<Snapshot>,
    policy: &'a Policy,
    now: Timestamp,
    indicator: &'a Indicator,
    pins: Pins,
    judged: usize,
    spans: Vec<Span>,
    /// The verdict at the beginning of the last span.
    start: Verdict,
    /// The verdict where the walk stands.
    last: Verdict,
}

impl Walk<'_> {
    /// The verdict as a lookup as of a moment says it.
    fn judge(&mut self, at: Timestamp) -> Result<Verdict, StoreError> {
        self.judged += 1;
        let view = self.snapshot.view((at < self.now).then_some(at));
        Judge::new(&view, self.policy, at).indicator(self.indicator)
    }

    /// Goes on to a moment.
    fn step(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let verdict = self.judge(at)?;
        self.take(at, verdict);
        Ok(())
    }

    /// Takes in the verdict of a later moment: a new span where zone or categories are others.
    fn take(&mut self, at: Timestamp, verdict: Verdict) {
        let categories = verdict.categories();
        let is_same = |span: &Span| span.zone == verdict.zone && span.categories == categories;
        if !self.spans.last().is_some_and(is_same) {
            let mut causes = changes(self.snapshot, &self.pins, &self.last, &verdict, at);
            if causes.is_empty() {
                causes.extend(aged(self.snapshot, &self.start, &verdict));
            }
            if let Some(span) = self.spans.last_mut() {
                span.to = Some(at);
                span.score_last = self.last.score;
            }
            self.spans.push(Span {
                from: at,
                to: None,
                zone: verdict.zone,
                categories,
                score_first: verdict.score,
                score_last: verdict.score,
                causes,
            });
            self.start = verdict.clone();
        }
        if let Some(span) = self.spans.last_mut() {
            span.score_last = verdict.score;
        }
        self.last = verdict;
    }

    /// Goes on from a moment, where the walk stands, to the last second before the next one. Only age changes
    /// things between, and ages are whole hours.
    fn age(&mut self, from: Timestamp, to: Timestamp) -> Result<(), StoreError> {
        if to <= from {
            return Ok(());
        }
        // Times still to be looked at, the earliest first, with the verdict at their end.
        let end = self.judge(to)?;
        let mut ahead = VecDeque::from([(to, end)]);
        let mut at = from;
        while let Some((end, verdict)) = ahead.pop_front() {
            let is_same = (verdict.zone, verdict.categories()) == (self.last.zone, self.last.categories());
            let middle = Timestamp(at.0.midpoint(end.0)).hour();
            let middle = if middle > at { middle } else { Timestamp(at.hour().0 + HOUR_S) };
            // The hour of a change is found when the end is the first second of the next hour.
            if is_same || middle >= end || self.judged >= JUDGED_MAX {
                self.take(end, verdict);
                at = end;
            } else {
                let between = self.judge(middle)?;
                ahead.push_front((end, verdict));
                ahead.push_front((middle, between));
            }
        }
        Ok(())
    }
}
