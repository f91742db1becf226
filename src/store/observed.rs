//! What was observed of one key by one source: when, how often, on which days. And how two such values
//! merge: additive counts by min, max and sum per day, which is associative and commutative.

use crate::fact::Seen;
use crate::value::{DAY_S, Timestamp};

/// First, last and hits of a key, with as much daily detail as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// First observation, Unix seconds.
    pub first: u32,
    /// Last observation, Unix seconds; never before `first`.
    pub last: u32,
    /// Hits by day (days since 1970), by day, each once.
    pub days: Vec<(u32, u64)>,
    /// Hits whose day is not known: records that span days, and days folded by retention.
    pub span: Option<Span>,
    /// The greatest total that a cumulative source exported.
    pub total: Option<Total>,
}

/// Hits without daily detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub hits: u64,
    /// When the earliest of them began, Unix seconds.
    pub first: u32,
    /// The best candidate for the daily peak among them.
    pub peak: Peak,
}

/// The most hits in one UTC day. Ordered: more hits first, then the later day, then what is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peak {
    /// Hits on the day.
    pub hits: u64,
    /// The day, since 1970.
    pub day: u32,
    /// Counted, not estimated from hits over days.
    pub exact: bool,
}

/// A total so far, as a cumulative source exports it: the greatest (moment, hits) wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Total {
    /// The moment of the export, Unix seconds.
    pub moment: u32,
    /// Hits so far.
    pub hits: u64,
}

/// A moment as runs store it; the years 1970 to 2106.
pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.0.max(0)).unwrap_or(u32::MAX)
}

fn day_of(seconds: u32) -> u32 {
    seconds / DAY_S as u32
}

impl Observed {
    /// One record of an additive source.
    pub fn additive(seen: &Seen) -> Observed {
        let (first, last) = (seconds(seen.first), seconds(seen.last).max(seconds(seen.first)));
        let (first_day, last_day) = (day_of(first), day_of(last));
        if first_day == last_day {
            return Observed { first, last, days: vec![(first_day, seen.hits)], ..Observed::default() };
        }
        let peak = estimate(seen.hits, first_day, last_day);
        Observed { first, last, span: Some(Span { hits: seen.hits, first, peak }), ..Observed::default() }
    }

    /// One record of a cumulative source, exported at `moment`.
    pub fn cumulative(seen: &Seen, moment: Timestamp) -> Observed {
        let (first, last) = (seconds(seen.first), seconds(seen.last).max(seconds(seen.first)));
        let total = Some(Total { moment: seconds(moment), hits: seen.hits });
        Observed { first, last, total, ..Observed::default() }
    }

    /// Something known without having been observed: no hits.
    pub fn known(at: Timestamp) -> Observed {
        Observed { first: seconds(at), last: seconds(at), ..Observed::default() }
    }

    /// All hits.
    pub fn hits(&self) -> u64 {
        let days: u64 = self.days.iter().fold(0, |sum, (_, hits)| sum.saturating_add(*hits));
        let span = self.span.map_or(0, |span| span.hits);
        days.saturating_add(span).saturating_add(self.total.map_or(0, |total| total.hits))
    }

    /// The day with the most hits. A cumulative total gives an estimate.
    pub fn peak(&self) -> Peak {
        let days = self.days.iter().map(|(day, hits)| Peak { hits: *hits, day: *day, exact: true });
        let span = self.span.map(|span| span.peak);
        let total = self.total.map(|total| estimate(total.hits, day_of(self.first), day_of(self.last)));
        days.chain(span).chain(total).max().unwrap_or(Peak { hits: 0, day: day_of(self.last), exact: true })
    }

    /// Takes in another value of the same key and source.
    pub fn merge(&mut self, other: &Observed) {
        self.join(other);
        self.total = self.total.max(other.total);
    }

    /// Takes in the value of the same key from another source: totals add up.
    pub fn add(&mut self, other: &Observed) {
        self.join(other);
        self.total = match (self.total, other.total) {
            (Some(a), Some(b)) => {
                Some(Total { moment: a.moment.max(b.moment), hits: a.hits.saturating_add(b.hits) })
            }
            (a, b) => a.or(b),
        };
    }

    fn join(&mut self, other: &Observed) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        merge_days(&mut self.days, &other.days);
        self.span = match (self.span, other.span) {
            (Some(a), Some(b)) => Some(Span {
                hits: a.hits.saturating_add(b.hits),
                first: a.first.min(b.first),
                peak: a.peak.max(b.peak),
            }),
            (a, b) => a.or(b),
        };
    }

    /// What was known at the end of `until`'s UTC day; `None` where nothing had been observed by then.
    ///
    /// Days after it are left out. A record without daily detail counts whole if it had begun. The last
    /// observation is then known to the day: its start, or `first` on the same day.
    pub fn until(mut self, until: Timestamp) -> Option<Observed> {
        let limit = seconds(until.end_of_day());
        if self.last <= limit {
            return Some(self);
        }
        if self.first > limit {
            return None;
        }
        let had = !self.days.is_empty() || self.span.is_some() || self.total.is_some();
        self.days.retain(|(day, _)| *day <= day_of(limit));
        self.span = self.span.filter(|span| span.first <= limit);
        self.total = self.total.filter(|total| total.moment <= limit);
        if had && self.days.is_empty() && self.span.is_none() && self.total.is_none() {
            return None;
        }
        self.last = match (self.span.is_some() || self.total.is_some(), self.days.last()) {
            (false, Some((day, _))) => (day * DAY_S as u32).max(self.first),
            _ => limit,
        };
        Some(self)
    }

    /// Folds the days before `day`: keeps their hits and the best of their peaks.
    pub fn fold(&mut self, day: u32) {
        let kept = self.days.partition_point(|(at, _)| *at < day);
        for (at, hits) in self.days.drain(..kept) {
            let peak = Peak { hits, day: at, exact: true };
            let folded = Span { hits, first: (at * DAY_S as u32).max(self.first), peak };
            self.span = Some(self.span.map_or(folded, |span| Span {
                hits: span.hits.saturating_add(hits),
                first: span.first.min(folded.first),
                peak: span.peak.max(peak),
            }));
        }
    }

    /// Without the days before `day`; `None` where nothing was observed since. Hits whose day is not known stay as
    /// long as the last of them may be later.
    pub fn since(mut self, day: u32) -> Option<Observed> {
        if day_of(self.last) < day {
            return None;
        }
        self.days.retain(|(at, _)| *at >= day);
        if self.span.is_none() && self.total.is_none() {
            let begins = self.days.first().map_or(day, |(at, _)| *at);
            self.first = self.first.max(begins.saturating_mul(DAY_S as u32));
        }
        Some(self)
    }

    /// Appends the value to `out`: a flag byte, `first`, and variable-length integers.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let plain = self.days.len() == 1 && self.days[0].0 == day_of(self.first);
        let mut flags = 0;
        for (bit, set) in [
            (PLAIN, plain),
            (ONE_HIT, plain && self.days[0].1 == 1),
            (SPAN, self.span.is_some()),
            (TOTAL, self.total.is_some()),
            (NO_DAYS, self.days.is_empty()),
        ] {
            flags |= if set { bit } else { 0 };
        }
        out.push(flags);
        out.extend_from_slice(&self.first.to_be_bytes());
        push_varint(out, u64::from(self.last - self.first));
        if plain {
            if flags & ONE_HIT == 0 {
                push_varint(out, self.days[0].1);
            }
        } else if !self.days.is_empty() {
            push_varint(out, self.days.len() as u64);
            let mut previous = day_of(self.first);
            for (day, hits) in &self.days {
                push_varint(out, u64::from(day.wrapping_sub(previous)));
                push_varint(out, *hits);
                previous = *day;
            }
        }
        if let Some(span) = self.span {
            push_varint(out, span.hits);
            push_varint(out, u64::from(span.first.wrapping_sub(self.first)));
            push_varint(out, span.peak.hits);
            push_varint(out, u64::from(span.peak.day) << 1 | u64::from(span.peak.exact));
        }
        if let Some(total) = self.total {
            push_varint(out, u64::from(total.moment));
            push_varint(out, total.hits);
        }
    }

    /// Reads a value; `None` where the bytes are none.
    pub fn decode(mut bytes: &[u8]) -> Option<Observed> {
        let bytes = &mut bytes;
        let flags = take(bytes)?;
        let (first, rest) = bytes.split_first_chunk::<4>()?;
        *bytes = rest;
        let first = u32::from_be_bytes(*first);
        let last = first.checked_add(take_u32(bytes)?)?;
        let mut days = Vec::new();
        if flags & PLAIN != 0 {
            days.push((day_of(first), if flags & ONE_HIT != 0 { 1 } else { take_varint(bytes)? }));
        } else if flags & NO_DAYS == 0 {
            let count = usize::try_from(take_varint(bytes)?).ok()?;
            days.reserve(count.min(bytes.len()));
            let mut day = day_of(first);
            for _ in 0..count {
                day = day.wrapping_add(take_u32(bytes)?);
                days.push((day, take_varint(bytes)?));
            }
        }
        let mut observed = Observed { first, last, days, span: None, total: None };
        if flags & SPAN != 0 {
            let hits = take_varint(bytes)?;
            let begun = first.wrapping_add(take_u32(bytes)?);
            let peak_hits = take_varint(bytes)?;
            let day = take_varint(bytes)?;
            let peak = Peak { hits: peak_hits, day: u32::try_from(day >> 1).ok()?, exact: day & 1 == 1 };
            observed.span = Some(Span { hits, first: begun, peak });
        }
        if flags & TOTAL != 0 {
            observed.total = Some(Total { moment: take_u32(bytes)?, hits: take_varint(bytes)? });
        }
        Some(observed)
    }
}

/// The day that an encoded value begins on.
pub fn first_day(value: &[u8]) -> Option<u32> {
    value.get(1..)?.first_chunk::<4>().map(|first| day_of(u32::from_be_bytes(*first)))
}

/// The only day is the day of `first`.
const PLAIN: u8 = 1;
/// And it has one hit.
const ONE_HIT: u8 = 2;
const SPAN: u8 = 4;
const TOTAL: u8 = 8;
const NO_DAYS: u8 = 16;

fn estimate(hits: u64, first_day: u32, last_day: u32) -> Peak {
    let days = u64::from(last_day - first_day) + 1;
    Peak { hits: hits.div_ceil(days), day: last_day, exact: false }
}

fn merge_days(into: &mut Vec<(u32, u64)>, from: &[(u32, u64)]) {
    for (day, hits) in from {
        match into.binary_search_by_key(day, |(day, _)| *day) {
            Ok(at) => into[at].1 = into[at].1.saturating_add(*hits),
            Err(at) => into.insert(at, (*day, *hits)),
        }
    }
}

/// Appends an integer, seven bits a byte, low ones first (LEB128).
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes an integer from the front of `bytes`.
pub fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_varint(bytes)?).ok()
}

fn take(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observed() -> impl Strategy<Value = Observed> {
        let record = (600_000_000u32..1_800_000_000, 0u32..400_000, 1u64..5_000, any::<bool>());
        prop::collection::vec(record, 1..6).prop_map(|records| {
            let mut all: Option<Observed> = None;
            for (first, length, hits, cumulative) in records {
                let (first, last) = (i64::from(first), i64::from(first + length));
                let seen = Seen { first: Timestamp(first), last: Timestamp(last), hits };
                let one = if cumulative {
                    Observed::cumulative(&seen, Timestamp(last + 5))
                } else {
                    Observed::additive(&seen)
                };
                match &mut all {
                    Some(all) => all.merge(&one),
                    None => all = Some(one),
                }
            }
            all.unwrap()
        })
    }

    fn merged(a: &Observed, b: &Observed) -> Observed {
        let mut a = a.clone();
        a.merge(b);
        a
    }

    proptest! {
        #[test]
        fn values_read_back(value in observed()) {
            let mut bytes = Vec::new();
            value.encode(&mut bytes);
            prop_assert_eq!(Observed::decode(&bytes), Some(value));
            for len in 0..bytes.len() {
                Observed::decode(&bytes[..len]);
            }
        }

        #[test]
        fn merging_is_associative_and_commutative(a in observed(), b in observed(), c in observed()) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        }

        #[test]
        fn folding_changes_neither_totals_nor_the_peak(a in observed(), b in observed(), day in 6_000u32..21_000) {
            let mut folded = merged(&a, &b);
            let (hits, peak) = (folded.hits(), folded.peak());
            folded.fold(day);
            prop_assert_eq!((folded.hits(), folded.peak()), (hits, peak));
            let mut parts = a.clone();
            parts.fold(day);
            let mut other = b.clone();
            other.fold(day);
            parts.merge(&other);
            prop_assert_eq!(parts.hits(), hits);
        }

        #[test]
        fn a_past_day_knows_no_more_than_a_later_one(value in observed(), day in 6_000i64..21_000) {
            let at = Timestamp::start_of_day(day);
            if let Some(then) = value.clone().until(at) {
                prop_assert!(then.hits() <= value.hits());
                prop_assert!(then.first <= then.last);
                prop_assert!(then.last <= seconds(at.end_of_day()));
            }
            prop_assert_eq!(value.clone().until(Timestamp(i64::from(value.last))), Some(value));
        }
    }

    #[test]
    fn a_record_over_days_estimates_its_peak_rounded_up() {
        let day = |day: i64| Timestamp::start_of_day(day);
        let value = Observed::additive(&Seen { first: day(19_000), last: day(19_002), hits: 10 });
        assert_eq!(value.peak(), Peak { hits: 4, day: 19_002, exact: false });
        let other = Observed::additive(&Seen { first: day(19_001), last: day(19_001), hits: 4 });
        assert_eq!(merged(&value, &other).peak(), Peak { hits: 4, day: 19_002, exact: false });
    }
}
