//! What an answer of the DNS says, for formats that hold answers whole: its records, and where aliases lead.

use crate::fact::{Rdata, RecordType, Resolution, Seen};
use crate::indicator::DomainName;

/// Resolvers follow 8 to 16 aliases.
pub(super) const ALIASES_MAX: usize = 16;

/// A record of an answer.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) rrname: DomainName,
    pub(super) rrtype: RecordType,
    pub(super) rdata: Rdata,
}

impl Record {
    fn resolution(self, via: Vec<DomainName>, seen: Seen) -> Resolution {
        Resolution { rrname: self.rrname, rrtype: self.rrtype, rdata: self.rdata, via, seen }
    }
}

/// Each record of an answer; of an address at the end of a chain of aliases also that the name that was asked has it.
pub(super) fn resolutions(
    asked: &DomainName,
    records: Vec<Record>,
    seen: Seen,
) -> impl Iterator<Item = Resolution> {
    let chain = Chain::new(asked, &records);
    let asked = asked.clone();
    records.into_iter().flat_map(move |record| {
        let reached = chain.to(&record).map(|via| {
            let reached = Record { rrname: asked.clone(), ..record.clone() };
            reached.resolution(via, seen)
        });
        [Some(record.resolution(Vec::new(), seen)), reached].into_iter().flatten()
    })
}

/// The aliases that lead away from the name that was asked, in order.
struct Chain {
    aliases: Vec<DomainName>,
}

impl Chain {
    fn new(asked: &DomainName, records: &[Record]) -> Chain {
        let mut aliases = Vec::new();
        let mut owner = asked;
        while aliases.len() < ALIASES_MAX
            && let Some(alias) = records.iter().find_map(|record| match &record.rdata {
                Rdata::Name(alias) if record.rrtype == RecordType::CNAME && record.rrname == *owner => {
                    Some(alias)
                }
                _ => None,
            })
            && alias != asked
            && !aliases.contains(alias)
        {
            aliases.push(alias.clone());
            owner = alias;
        }
        Chain { aliases }
    }

    /// The aliases before this record's owner, where it is an address at the end of them.
    fn to(&self, record: &Record) -> Option<Vec<DomainName>> {
        let is_end = self.aliases.last() == Some(&record.rrname) && matches!(record.rdata, Rdata::Address(_));
        is_end.then(|| self.aliases.clone())
    }
}
