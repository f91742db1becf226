//! Finding labels that are alike: what can be written down is asked for; the rest is found by the pairs of characters
//! that blocks of names have.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::similar::{
    INSIDE_CHARS_MIN, LONGER_CHARS_MIN, Labels, NEARLY_ANYWHERE_CHARS_MIN, Pattern, TWO_EDITS_CHARS_MIN,
    Target, Technique, added_words, keys_of, look_alikes, one_edit, with_suffixes,
};
use crate::store::names::{Block, Known, Names, Pairs, Wanted, hash};
use crate::store::{Damage, Run, StoreError, View};

/// How much is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One edit, the same key, another suffix: a fraction of a millisecond.
    Report,
    /// All techniques: milliseconds.
    All,
}

/// Hosts with the whole name in them that are listed.
const HOSTS_MAX: usize = 1000;

/// What to look for, ready to be asked of any run.
pub struct Search {
    /// What is imitated.
    pub target: Target,
    depth: Depth,
    labels: Labels,
    /// Of each label.
    hashes: Vec<u64>,
}

impl Search {
    /// A search for what imitates a target.
    pub fn new(target: Target, depth: Depth) -> Search {
        Search { target, depth, labels: Labels::default(), hashes: Vec::new() }
    }

    /// Writes down what can be.
    fn prepare(&mut self) {
        let (plain, suffix) = (&self.target.plain, &self.target.suffix);
        one_edit(plain, &mut self.labels);
        with_suffixes(plain, suffix, &mut self.labels);
        if self.depth == Depth::All {
            look_alikes(plain, &mut self.labels);
            added_words(plain, &mut self.labels);
        }
        for label in [&self.target.label, plain].into_iter().chain(&keys_of(&self.target.label)) {
            self.labels.push(&[label]);
        }
        self.hashes = self.labels.iter().map(hash).collect();
    }

    /// The known labels that may be alike, each once with all its suffixes. Those that reports ask for are remembered.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn known(&mut self, view: &View) -> Result<Arc<Vec<Known>>, StoreError> {
        let name = self.name();
        let is_remembered = self.depth == Depth::Report && view.as_of().is_none();
        if is_remembered && let Some(known) = view.snapshot().remembered(&name) {
            return Ok(known);
        }
        let mut found = Vec::new();
        for run in view.runs_read() {
            found.extend(run.known(|names, found| self.within(names, found))?);
        }
        // What a run has comes in few sorted pieces, which a stable sort joins.
        found.sort_by(|a: &Known, b| a.label.cmp(&b.label));
        let mut known: Vec<Known> = Vec::with_capacity(found.len());
        for next in found {
            match known.last_mut().filter(|last| last.label == next.label) {
                Some(last) if last.suffixes != next.suffixes => last.suffixes.extend(next.suffixes),
                Some(_) => {}
                None => known.push(next),
            }
        }
        for one in &mut known {
            one.suffixes.sort_unstable();
            one.suffixes.dedup();
        }
        let known = Arc::new(known);
        if is_remembered {
            view.snapshot().remember(name, &known);
        }
        Ok(known)
    }

    /// Adds what the names of a run have, some of it more than once.
    ///
    /// # Errors
    ///
    /// Damage in the run.
    pub fn within(&mut self, names: &Names, found: &mut Vec<Known>) -> Result<(), Damage> {
        if self.labels.is_empty() {
            self.prepare();
        }
        let labels: Vec<(&str, u64)> = self.labels.iter().zip(self.hashes.iter().copied()).collect();
        names.find(&labels, found)?;
        if self.depth == Depth::All { self.scan(names, found) } else { Ok(()) }
    }

    /// What cannot be written down: the label inside longer ones, and two edits.
    fn scan(&self, names: &Names, found: &mut Vec<Known>) -> Result<(), Damage> {
        let plain = &self.target.plain;
        let length = plain.len();
        let mut inside =
            |pairs: Pairs, edits: u32| names.scan(&[pairs], &Inside::new(&self.target, edits), found);
        match length {
            0..LONGER_CHARS_MIN => {}
            // Words of others end on one side at least.
            LONGER_CHARS_MIN..INSIDE_CHARS_MIN => inside(Pairs::of(plain, true, 0, 1), 0)?,
            INSIDE_CHARS_MIN..NEARLY_ANYWHERE_CHARS_MIN => inside(Pairs::of(plain, true, 1, 0), 1)?,
            _ => inside(Pairs::of(plain, false, 1, 0), 1)?,
        }
        if !self.target.misspelt.is_empty() {
            let spelt = || self.target.misspelt.iter().chain([plain]);
            let pairs: Vec<Pairs> = spelt().map(|text| Pairs::of(text, false, 0, 0)).collect();
            let parts = spelt().map(|text| Finder::new(text.as_bytes())).collect();
            names.scan(&pairs, &Inside { parts, ..Inside::new(&self.target, 0) }, found)?;
        }
        if length >= TWO_EDITS_CHARS_MIN {
            let wanted = TwoEdits { pattern: &self.target.pattern, length };
            names.scan(&[Pairs::of(plain, true, 2, 0)], &wanted, found)?;
        }
        Ok(())
    }

    /// The names of a run that imitate the target and that no other of these runs knows, each with its technique.
    ///
    /// # Errors
    ///
    /// Damage in a run.
    pub fn new_names(
        &mut self,
        own: &Arc<Run>,
        runs: &[Arc<Run>],
    ) -> Result<Vec<(String, &'static str)>, Damage> {
        let found = own.known(|names, found| self.within(names, found))?;
        let mut names = BTreeMap::new();
        for known in &found {
            let techniques = self.target.techniques(&known.label);
            for suffix in &known.suffixes {
                if let Some(technique) = self.target.under(techniques, &known.label, suffix).iter().next() {
                    names.insert(format!("{}.{suffix}", known.label), technique.name);
                }
            }
        }
        let whole = self.name();
        for host in own.hosts_with(&whole, HOSTS_MAX)? {
            names.insert(host, Technique::Subdomain.row().name);
        }
        let others = || runs.iter().filter(|run| run.id != own.id);
        let mut new = Vec::new();
        for (name, technique) in names {
            let mut is_known = false;
            for run in others() {
                is_known |= run.knows_name(&name)? || run.hosts_with(&whole, HOSTS_MAX)?.contains(&name);
            }
            if !is_known {
                new.push((name, technique));
            }
        }
        Ok(new)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.target.label, self.target.suffix)
    }

    /// The known hosts that have the target's whole name in them.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn hosts(&self, view: &View) -> Result<Vec<String>, StoreError> {
        let name = self.name();
        let mut hosts = Vec::new();
        for run in view.runs_read() {
            hosts.extend(run.hosts_with(&name, HOSTS_MAX)?);
        }
        hosts.sort_unstable();
        hosts.dedup();
        // Of `example.com.evil.net` and what is below it the first.
        let all: HashSet<String> = hosts.iter().cloned().collect();
        hosts.retain(|host| {
            !std::iter::successors(Some(host.as_str()), |host| host.split_once('.').map(|(_, above)| above))
                .skip(1)
                .any(|above| all.contains(above))
        });
        Ok(hosts)
    }
}

/// Labels that have the target inside, with a few edits. An edit is in one part of the text: of one part more than
/// there are edits one is whole.
struct Inside<'a> {
    pattern: &'a Pattern,
    parts: Vec<Finder<'a>>,
    edits: u32,
    length: usize,
}

impl<'a> Inside<'a> {
    fn new(target: &'a Target, edits: u32) -> Inside<'a> {
        let plain = target.plain.as_bytes();
        let parts = plain.chunks(plain.len().div_ceil(edits as usize + 1).max(1));
        Inside {
            pattern: &target.pattern,
            parts: parts.map(Finder::new).collect(),
            edits,
            length: plain.len(),
        }
    }
}

impl Wanted for Inside<'_> {
    fn among(&self, block: &Block<'_>) -> u32 {
        let is_wanted = |index: usize| {
            let label = block.label(index);
            label.len() > self.length
                && (self.edits == 0 || self.pattern.distance_inside(label) <= self.edits)
        };
        let (mut looked_at, mut wanted) = (0, 0);
        let places = self.parts.iter().flat_map(|part| part.find_iter(block.text()));
        for index in places.map(|at| block.index_of(at)) {
            if looked_at >> index & 1 == 0 && is_wanted(index) {
                wanted |= 1 << index;
            }
            looked_at |= 1 << index;
        }
        wanted
    }
}

/// Labels two edits from the target.
struct TwoEdits<'a> {
    pattern: &'a Pattern,
    length: usize,
}

impl Wanted for TwoEdits<'_> {
    fn may_begin(&self, start: &[u8]) -> bool {
        self.pattern.distance_of_beginning(start) <= 2
    }

    fn among(&self, block: &Block<'_>) -> u32 {
        let is_wanted = |index: &usize| {
            let label = block.label(*index);
            label.len().abs_diff(self.length) <= 2 && self.pattern.distance(label) <= 2
        };
        (0..block.count()).filter(is_wanted).fold(0, |wanted, index| wanted | 1 << index)
    }
}
