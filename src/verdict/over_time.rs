//! When the verdict on an object can have changed, from facts alone.
//!
//! Between two of these moments evidence only grows older, so a score only falls: who looks for changes of a
//! zone finds them between two moments by halving.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included};

use super::related::CANDIDATES_MAX;
use super::{Judge, Match, Matches};
use crate::feeds::State;
use crate::indicator::{DomainName, Host, Indicator};
use crate::store::hot::{Entry, Kind, Probe};
use crate::store::{Batch, Hit, ObjectKey, Part, StoreError, Table, read_part};
use crate::value::{DAY_S, Timestamp};

impl Judge<'_> {
    /// The moments at which something was learnt that bears on the verdict on an object, or at which it
    /// begins or expires by its own date; sorted. A state that was found unchanged in time is no such moment:
    /// its listings did not age before it nor after.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn moments(&self, indicator: &Indicator) -> Result<Vec<Timestamp>, StoreError> {
        let mut moments = BTreeSet::new();
        let mut sources = BTreeSet::new();
        let snapshot = self.view.snapshot();
        let mut hits = self.all_hits(indicator)?;
        for candidate in self.candidates(indicator, &mut moments)? {
            hits.extend(self.all_hits(&candidate)?);
        }
        for hit in hits {
            let batches = snapshot.runs().get(hit.run).map_or(&[][..], |run| &run.meta.batches);
            let first = (hit.entry.from as usize).min(batches.len());
            let end = (hit.entry.to as usize + 1).clamp(first, batches.len());
            for batch in batches[first..end].iter().filter(|batch| batch.source_id == hit.entry.source) {
                moments.insert(batch.observed.max(batch.learnt));
            }
            if hit.whole {
                sources.insert(hit.entry.source);
            }
            moments.extend(dates(&hit.entry));
        }
        let batches = snapshot.batches();
        let states =
            || batches.iter().filter(|one| one.state == State::Whole && sources.contains(&one.source_id));
        let mut begun: BTreeMap<u16, BTreeSet<Timestamp>> = BTreeMap::new();
        for batch in states() {
            begun.entry(batch.source_id).or_default().insert(batch.observed);
        }
        for batch in states() {
            moments.insert(batch.observed.max(batch.learnt));
            moments.extend(self.refreshed_late(batch, &begun[&batch.source_id]));
        }
        Ok(moments.into_iter().filter(|at| *at <= self.now).collect())
    }

    /// Whether a listing is evidence at the judge's hour: of a category that is, and live.
    pub fn is_live(&self, hit: &Hit) -> bool {
        self.weigh(hit, Match::Exact, None).is_some_and(|(_, is_live)| is_live)
    }

    /// When a state was found unchanged and that changed something: its listings had begun to age, or another
    /// state of its source had begun between.
    fn refreshed_late(&self, batch: &Batch, begun: &BTreeSet<Timestamp>) -> Vec<Timestamp> {
        let stale_s = i64::from(self.policy.stale_days) * DAY_S;
        let again = self.view.snapshot().manifest.refreshed.get(&batch.seq).into_iter().flatten();
        let mut known: Vec<(Timestamp, Timestamp)> =
            again.map(|again| (again.observed.max(again.learnt), again.observed)).collect();
        known.sort_unstable();
        let mut held = batch.observed;
        let mut late = Vec::new();
        for (learnt, observed) in known {
            // From `held` on it was fresh for so long; what was learnt by then changed nothing.
            let between =
                held < observed && begun.range((Excluded(held), Included(observed))).next().is_some();
            if learnt.0 - held.0 > stale_s || between {
                late.push(learnt);
            }
            held = held.max(observed);
        }
        late
    }

    /// What an object has to do with that may be evidence, and the days on which that became known.
    fn candidates(
        &self,
        indicator: &Indicator,
        moments: &mut BTreeSet<Timestamp>,
    ) -> Result<Vec<Indicator>, StoreError> {
        let object = ObjectKey::indicator(indicator);
        if !self.has_candidates(&object)? {
            return Ok(Vec::new());
        }
        let rows = self.view.table(&object, Table::Flagged)?;
        let mut candidates = Vec::new();
        for edge in rows.edges(Table::Flagged).iter().take(CANDIDATES_MAX) {
            moments.insert(Timestamp::start_of_day(Timestamp(i64::from(edge.observed.first)).day()));
            candidates.extend(match read_part(&edge.counterpart) {
                Some((Part::Domain(name), _)) => DomainName::from_normal(&name).map(Indicator::Domain),
                Some((Part::Address(address), _)) => Some(Indicator::Address(address)),
                Some((Part::File(hash), _)) => Some(Indicator::File(hash)),
                _ => None,
            });
        }
        // Telemetry is seen as of whole days, and from the day on that its run was begun.
        let learnt = self.view.snapshot().manifest.runs.iter().map(|run| run.learnt_first.day());
        moments.extend(learnt.map(Timestamp::start_of_day));
        Ok(candidates)
    }

    /// Everything that matches an object or matched it once, with the pins and sightings of it.
    fn all_hits(&self, indicator: &Indicator) -> Result<Vec<Hit>, StoreError> {
        let mut matches = Matches::default();
        let mut hits = Vec::new();
        match indicator {
            Indicator::Domain(name) => self.match_name(name, &mut matches)?,
            Indicator::Address(address) => self.match_address(*address, &mut matches)?,
            Indicator::Url(url) => {
                match url.host() {
                    Host::Domain(name) => self.match_name(&name, &mut matches)?,
                    Host::Address(address) => self.match_address(address, &mut matches)?,
                }
                self.match_path(url, &mut matches)?;
            }
            Indicator::File(_) => {}
        }
        let mut objects = vec![ObjectKey::indicator(indicator)];
        if let Indicator::File(hash) = indicator {
            let file = self.view.file_hashes((*hash).into())?;
            for hash in file.iter() {
                self.view.hits(&Probe::File(hash.as_bytes()), &mut |hit| hits.push(hit))?;
            }
            objects = file.iter().map(|hash| ObjectKey::file(&hash)).collect();
        }
        for object in objects {
            self.view.hits(&Probe::Object(&object.0), &mut |hit| hits.push(hit))?;
        }
        hits.extend(matches.hits.into_iter().map(|(hit, _, _)| hit));
        Ok(hits)
    }
}

/// The dates of an entry at which it begins, is seen or expires.
fn dates(entry: &Entry) -> impl Iterator<Item = Timestamp> {
    let dates = match entry.kind {
        // The first of a benign entry is its rank.
        Kind::Benign => [0, entry.last, 0],
        _ => [entry.first, entry.last, entry.until],
    };
    dates.into_iter().filter(|date| *date != 0).map(|date| Timestamp(i64::from(date)))
}
