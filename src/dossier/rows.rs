//! Rows that sections show, and their order.

use std::cmp::Reverse;
use std::net::IpAddr;

use crate::indicator::FileHashes;
use crate::store::Edge;
use crate::store::observed::{Observed, Peak};
use crate::value::{CountryCode, ThreatScore, Timestamp, Zone};

/// A list of a report: the rows that it shows, and what all of them come to.
#[derive(Clone, Debug)]
pub struct List<T> {
    /// At most [`crate::lookup::COUNT_MAX`] rows, in order.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: u64,
    /// How many of all are Red.
    pub red: u64,
}

impl<T> List<T> {
    /// Whether some row of all is Red.
    pub fn has_red(&self) -> bool {
        self.red > 0
    }

    /// How many rows there are.
    pub fn counts(&self) -> Counts {
        Counts { all: self.total, red: self.red }
    }
}

/// How many rows a list has, shown or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub all: u64,
    /// Those that are Red.
    pub red: u64,
}

/// What the order of rows goes by.
pub trait Ordered {
    /// The zone of the row.
    fn zone(&self) -> Zone;
    /// Its own hits; 0 where it has none.
    fn hits(&self) -> u64;
    /// When it was last seen, else first.
    fn seen(&self) -> Timestamp;
    /// The order of rows that are otherwise equal.
    fn tie(&self) -> &[u8];
}

impl<T: Ordered> List<T> {
    /// Orders rows: zone, hits, moment to the minute, name. Of more than `max` those that are listed stay,
    /// then the most hit, then the most recent.
    pub fn new(mut rows: Vec<T>, max: usize) -> List<T> {
        let total = rows.len() as u64;
        let red = rows.iter().filter(|row| row.zone() == Zone::Red).count() as u64;
        if rows.len() > max {
            let unlisted = |row: &T| row.zone() > Zone::Yellow;
            let rank = |row: &T| {
                let zone = if unlisted(row) { Zone::Grey } else { row.zone() };
                (zone, Reverse(row.hits()), Reverse(minute(row.seen())))
            };
            let by_rank = |a: &T, b: &T| rank(a).cmp(&rank(b)).then_with(|| a.tie().cmp(b.tie()));
            rows.select_nth_unstable_by(max - 1, by_rank);
            rows.truncate(max);
        }
        rows.sort_by(|a, b| {
            let rank = |row: &T| (row.zone(), Reverse(row.hits()), Reverse(minute(row.seen())));
            rank(a).cmp(&rank(b)).then_with(|| a.tie().cmp(b.tie()))
        });
        List { rows, total, red }
    }
}

/// A moment as reports show it, so that rows that look equally old are.
fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(60)
}

/// The moments of an observation.
pub fn moments(observed: &Observed) -> (Timestamp, Timestamp) {
    (Timestamp(i64::from(observed.first)), Timestamp(i64::from(observed.last)))
}

/// A file of a report.
#[derive(Clone, Debug)]
pub struct FileRow {
    /// Its zone.
    pub zone: Zone,
    /// Hits of the relation.
    pub hits: u64,
    /// First and last.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// The file's MD5.
    pub md5: String,
    /// All its hashes.
    pub file: FileHashes,
    /// What it was detected as; filled for the rows that are shown.
    pub detection: Option<String>,
    /// The URL it came from or went to; of several the last.
    pub url: Option<String>,
}

/// A URL of a report.
#[derive(Clone, Debug)]
pub struct UrlRow {
    /// Its zone.
    pub zone: Zone,
    /// Hits.
    pub hits: u64,
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// The URL without private data.
    pub url: String,
    /// Whether private data was taken out.
    pub is_truncated: bool,
}

/// An address that a name resolved to.
#[derive(Clone, Debug)]
pub struct AddressRow {
    /// The address's zone.
    pub zone: Zone,
    /// The address's score.
    pub score: ThreatScore,
    /// The address.
    pub address: IpAddr,
    /// Its sixteen bytes: the order of addresses.
    pub tie: [u8; 17],
    /// Its country.
    pub country: Option<CountryCode>,
    /// Hits of the name with this address.
    pub hits: u64,
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// The best day.
    pub peak: Peak,
    /// All of when and how often.
    pub observed: Observed,
    /// The aliases on the way.
    pub via: Vec<String>,
}

/// A name that resolved to an address, before its row is made: of half a million names most never get one.
pub struct Candidate<'a> {
    /// The name's zone.
    pub zone: Zone,
    /// Hits of the name with this address.
    pub hits: u64,
    /// Last.
    pub last: Timestamp,
    /// The relation.
    pub edge: &'a Edge,
}

/// A name that resolved to an address.
#[derive(Clone, Debug)]
pub struct NameRow {
    /// The name's zone.
    pub zone: Zone,
    /// The name.
    pub name: String,
    /// Hits of the name with this address.
    pub hits: u64,
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// The best day.
    pub peak: Peak,
}

/// A known name below a domain.
#[derive(Clone, Debug)]
pub struct SubdomainRow {
    /// Its zone.
    pub zone: Zone,
    /// The name.
    pub name: String,
    /// When it was first known.
    pub first: Timestamp,
    /// URLs on it and below.
    pub urls: u64,
    /// Files downloaded from it or accessing it.
    pub files: u64,
}

macro_rules! ordered {
    ($($row:ty: $hits:expr, $seen:ident, $tie:expr;)*) => {
        $(impl Ordered for $row {
            fn zone(&self) -> Zone {
                self.zone
            }
            fn hits(&self) -> u64 {
                let hits: fn(&Self) -> u64 = $hits;
                hits(self)
            }
            fn seen(&self) -> Timestamp {
                self.$seen
            }
            fn tie(&self) -> &[u8] {
                let tie: fn(&Self) -> &[u8] = $tie;
                tie(self)
            }
        })*
    };
}

// What each list is ordered by: hits, moment, ties.
ordered! {
    FileRow: |row| row.hits, last, |row| row.md5.as_bytes();
    UrlRow: |row| row.hits, last, |row| row.url.as_bytes();
    AddressRow: |row| row.hits, last, |row| &row.tie;
    NameRow: |row| row.hits, last, |row| row.name.as_bytes();
    Candidate<'_>: |row| row.hits, last, |row| &row.edge.counterpart;
    SubdomainRow: |_| 0, first, |row| row.name.as_bytes();
}
