//! What speaks against evidence: the benign entries that match an object, and which of a list's speaks.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::policy::Effect;
use super::{Match, What};
use crate::store::Hit;
use crate::value::Category;

/// A benign entry that matched.
#[derive(Clone, Debug)]
pub struct Counter {
    /// The source's number.
    pub source: u16,
    /// What it lists.
    pub indicator: String,
    /// How it matched.
    pub matched: Match,
    /// What it does.
    pub effect: Effect,
    /// Its topic.
    pub category: Option<Category>,
    /// Its list, where the source has several.
    pub list: Option<String>,
    /// The rank, where it is of popular names.
    pub rank: Option<u32>,
    /// How closely it describes the object, among entries of its list.
    pub(super) length: Length,
}

/// How closely an entry describes an object: whether it is the object itself, and the length of the name, path or
/// prefix.
pub(super) type Length = (bool, usize);

impl Counter {
    /// Makes an entry on a host one for a URL on it; an idle one is shown and changes nothing.
    pub(super) fn speak_for_a_host(&mut self, is_idle: bool) {
        (self.matched, self.length.0) = (self.matched.max(Match::Parent), false);
        if is_idle {
            self.effect = Effect::ANNOTATE;
        }
    }
}

/// How closely an entry describes what it matched, to compare entries of one list: the object itself before
/// anything wider, then by the length of the name, path or prefix.
pub(super) fn length(what: &What, matched: Match, hit: &Hit) -> Length {
    let length = match what {
        What::Network(_) => usize::try_from(hit.entry.hash).unwrap_or_default(),
        What::Wildcard(text) => text.bytes().filter(|byte| *byte != b'*').count(),
        What::Folder(text) | What::Script(text) => text.len() - 1,
        // An address is narrower than any network.
        What::Host(text) if text.parse::<IpAddr>().is_ok() => 129,
        What::Host(text) | What::Domain(text) | What::Url(text) => text.len(),
        What::File(_) => 0,
    };
    (matched == Match::Exact, length)
}

/// Of each list the longest match speaks: `sites.example` may be an exception of what the same list says of
/// `*.example`.
pub(super) fn longest(benign: &mut Vec<Counter>, is_file: bool) {
    let mut lengths: HashMap<(u16, Option<String>), Length> = HashMap::new();
    for one in &*benign {
        let longest = lengths.entry((one.source, one.list.clone())).or_default();
        *longest = one.length.max(*longest);
    }
    benign.retain(|one| lengths.get(&(one.source, one.list.clone())) == Some(&one.length));
    if is_file {
        // A list that has several hashes of a file says it once.
        let mut said = HashSet::new();
        benign.retain(|one| said.insert((one.source, one.list.clone(), one.category, one.rank)));
    }
}
