//! Why an object is in its zone: matches → evidence → score → zone.
//!
//! A [`Judge`] gathers what the listings, benign lists and pins of a view say of an object, and applies the
//! policy at one UTC hour. The same function serves the object of a report and every row of it, so both
//! show the same zone. Nothing here is stored: it follows from facts, policy and hour.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use crate::fact::{Action, Listing};
use crate::indicator::{
    DomainName, FileHash, FileHashes, Host, Indicator, Mask, MaskType, Prefix, Url, is_reserved,
};
use crate::store::hot::{Entry, Kind, NONE, Probe};
use crate::store::observed::seconds;
use crate::store::{Hit, ObjectKey, Statement, StoreError, View, action_of, mask_type, zone_of};
use crate::value::{Category, CountryCode, ThreatScore, Timestamp, Zone};

mod benign;
mod over_time;
pub mod policy;
pub mod related;
pub mod score;

pub use benign::Counter;
pub use policy::Policy;
pub use score::{Evidence, Match};

use policy::BenignEntry;

/// A piece of evidence and what matched.
#[derive(Clone, Debug)]
pub struct Found {
    /// The evidence.
    pub evidence: Evidence,
    /// What the source lists, as it is shown.
    pub indicator: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// Whether its source's newest state says so; of a source of events, always.
    pub is_current: bool,
    /// Whether it still counts: what does not only tells since when the source has said it.
    is_live: bool,
}

/// What a piece of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// A source lists it.
    Listing,
    /// Somebody's verdict on a file.
    File,
    /// The verdict on something that it has to do with.
    Related,
}

/// A zone that somebody set.
#[derive(Clone, Copy, Debug)]
pub struct PinFound {
    /// The zone.
    pub zone: Zone,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

impl PinFound {
    /// The order of pins on one object: the greatest counts. Of one moment the worse zone, then the one that
    /// ends first, so that the order of imports never matters.
    fn order(&self) -> (Timestamp, Reverse<Zone>, Reverse<Timestamp>) {
        (self.since, Reverse(self.zone), Reverse(self.until.unwrap_or(Timestamp::RECORD_MAX)))
    }
}

/// The verdict on an object.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Its zone.
    pub zone: Zone,
    /// Its score.
    pub score: ThreatScore,
    /// All evidence, the largest first.
    pub found: Vec<Found>,
    /// All benign entries that are live.
    pub benign: Vec<Counter>,
    /// The zone that somebody set.
    pub pin: Option<PinFound>,
    /// How the score came about, before a pin.
    pub steps: score::Steps,
}

/// The confidence in a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One source at most, by something wider than the object.
    Low,
    /// One source says it of the object itself or of what it belongs to.
    Medium,
    /// Two sources or more do.
    High,
}

impl Verdict {
    /// How much the verdict rests on.
    pub fn confidence(&self) -> Confidence {
        let direct = self
            .found
            .iter()
            .map(|found| &found.evidence)
            .filter(|one| one.counted && matches!(one.matched, Match::Exact | Match::Parent));
        let mut origins: Vec<u16> = direct.map(|one| one.origin).collect();
        origins.sort_unstable();
        origins.dedup();
        match origins.len() {
            0 => Confidence::Low,
            1 => Confidence::Medium,
            _ => Confidence::High,
        }
    }

    /// The categories of live listings and topical lists, each once, by zone order, then name.
    pub fn categories(&self) -> Vec<Category> {
        let direct = self.found.iter().filter(|found| found.kind != EvidenceKind::Related);
        let evidence = direct.map(|found| found.evidence.category);
        let mut all: Vec<Category> =
            evidence.chain(self.benign.iter().filter_map(|one| one.category)).collect();
        all.sort_by_key(|category| (category.zone(), category.short_name()));
        all.dedup();
        all
    }
}

/// What the hot indexes say of an object, before it is judged.
#[derive(Default)]
struct Matches {
    hits: Vec<(Hit, Match, What)>,
    pin: Option<PinFound>,
    sighted: Option<Timestamp>,
}

/// What speaks for and against an object, weighed.
struct Gathered {
    found: Vec<Found>,
    benign: Vec<Counter>,
    /// Whether an examination found nothing in a file.
    clean: bool,
    pin: Option<PinFound>,
}

impl Gathered {
    /// Whether some evidence counts.
    fn is_live(&self) -> bool {
        self.found.iter().any(|one| one.is_live)
    }

    /// The two together; the pin is that of the object itself, which is `other`.
    fn and(mut self, other: Gathered) -> Gathered {
        self.found.extend(other.found);
        self.benign.extend(other.benign);
        Gathered { found: self.found, benign: self.benign, ..other }
    }
}

/// What matched: enough to name it.
#[derive(Clone, Debug)]
enum What {
    Host(String),
    Domain(String),
    Url(String),
    Folder(String),
    Script(String),
    Wildcard(String),
    Network(IpAddr),
    File(FileHash),
}

/// Judges objects of one view at one hour.
pub struct Judge<'a> {
    view: &'a View,
    policy: &'a Policy,
    hour: Timestamp,
    now: Timestamp,
    origins: Vec<(u16, f64, f64)>,
    domains: RefCell<HashMap<String, (Zone, ThreatScore)>>,
    addresses: RefCell<HashMap<IpAddr, (Zone, ThreatScore)>>,
    shared: RefCell<HashMap<IpAddr, bool>>,
}

impl<'a> Judge<'a> {
    /// A judge of `view` at the hour of `at`, which is the view's moment or now.
    pub fn new(view: &'a View, policy: &'a Policy, at: Timestamp) -> Judge<'a> {
        let names = &view.snapshot().manifest.sources;
        let number = |name: &str| names.iter().position(|known| known == name);
        let origins = names
            .iter()
            .enumerate()
            .map(|(id, name)| {
                let own = policy.sources.get(name);
                let origin = own.and_then(|own| number(own.derived_from.as_deref()?)).unwrap_or(id);
                let weight = own.and_then(|own| own.weight).unwrap_or(1.0);
                let confidence = own.and_then(|own| own.confidence).unwrap_or(policy.confidence);
                (origin as u16, weight, confidence)
            })
            .collect();
        Judge {
            view,
            policy,
            hour: at.hour(),
            now: at,
            origins,
            domains: RefCell::default(),
            addresses: RefCell::default(),
            shared: RefCell::default(),
        }
    }

    /// The view that is judged.
    pub fn view(&self) -> &'a View {
        self.view
    }

    /// The policy.
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The hour of the verdicts.
    pub fn hour(&self) -> Timestamp {
        self.hour
    }

    /// The verdict on an object of any kind.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn indicator(&self, indicator: &Indicator) -> Result<Verdict, StoreError> {
        match indicator {
            Indicator::Domain(name) => self.domain(name),
            Indicator::Address(address) => self.address(*address),
            Indicator::Url(url) => self.url(url),
            Indicator::File(hash) => self.file(&self.view.file_hashes((*hash).into())?),
        }
    }

    /// The verdict on a domain.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    pub fn domain(&self, name: &DomainName) -> Result<Verdict, StoreError> {
        let mut gathered = self.gather(self.domain_matches(name)?);
        gathered.found.extend(self.related(&Host::Domain(name.clone()))?);
        Ok(self.decide(gathered, false))
    }

    /// The verdict on a domain by what is said of itself alone.
    fn direct_domain(&self, name: &DomainName) -> Result<Verdict, StoreError> {
        Ok(self.judge(self.domain_matches(name)?, false))
    }

    fn domain_matches(&self, name: &DomainName) -> Result<Matches, StoreError> {
        let mut matches = Matches::default();
        self.match_name(name, &mut matches)?;
        self.match_object(&ObjectKey::domain(name.as_str()), &mut matches)?;
        Ok(matches)
    }

    /// The verdict on an address. A reserved one is Grey, whatever lists it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn address(&self, address: IpAddr) -> Result<Verdict, StoreError> {
        if is_reserved(address) {
            return Ok(Verdict::default());
        }
        let mut gathered = self.gather(self.address_matches(address)?);
        gathered.found.extend(self.related(&Host::Address(address))?);
        Ok(self.decide(gathered, false))
    }

    /// The verdict on an address by what is said of itself alone.
    fn direct_address(&self, address: IpAddr) -> Result<Verdict, StoreError> {
        if is_reserved(address) {
            return Ok(Verdict::default());
        }
        Ok(self.judge(self.address_matches(address)?, false))
    }

    fn address_matches(&self, address: IpAddr) -> Result<Matches, StoreError> {
        let mut matches = Matches::default();
        self.match_address(address, &mut matches)?;
        self.match_object(&ObjectKey::address(address), &mut matches)?;
        Ok(matches)
    }

    /// The verdict on a URL: the evidence of its host, and of masks that cover it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn url(&self, url: &Url) -> Result<Verdict, StoreError> {
        let mut matches = Matches::default();
        match url.host() {
            Host::Domain(name) => self.match_name(&name, &mut matches)?,
            Host::Address(address) if !is_reserved(address) => self.match_address(address, &mut matches)?,
            Host::Address(_) => {}
        }
        let port = url.port().unwrap_or(0);
        matches.hits.retain(|(hit, _, _)| {
            matches!(hit.entry.kind, Kind::Listing | Kind::Benign)
                && (hit.entry.port == 0 || port == 0 || hit.entry.port == port)
        });
        for (hit, matched, _) in &mut matches.hits {
            if *matched == Match::Exact && hit.entry.kind == Kind::Listing {
                *matched = Match::Parent;
            }
        }
        let mut host = self.gather(matches);
        let mut matches = Matches::default();
        self.match_path(url, &mut matches)?;
        self.match_object(&ObjectKey::url(url), &mut matches)?;
        let path = self.gather(matches);
        // Benign entries of a host speak against listings of the host, never for what somebody put on a path.
        let is_idle = !host.is_live() || path.is_live();
        for one in &mut host.benign {
            one.speak_for_a_host(is_idle);
        }
        Ok(self.decide(host.and(path), false))
    }

    /// The verdict on a file, by what is said of any of its hashes.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn file(&self, file: &FileHashes) -> Result<Verdict, StoreError> {
        let mut matches = Matches::default();
        for hash in file.iter() {
            self.view.hits(&Probe::File(hash.as_bytes()), &mut |hit| {
                matches.hits.push((hit, Match::Exact, What::File(hash)));
            })?;
            self.match_object(&ObjectKey::file(&hash), &mut matches)?;
        }
        Ok(self.judge(matches, true))
    }

    /// Zone and score of a domain in a row.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn domain_zone(&self, name: &DomainName) -> Result<(Zone, ThreatScore), StoreError> {
        if self.nothing_matches(name)? {
            return Ok((Zone::Grey, ThreatScore(0)));
        }
        if let Some(known) = self.domains.borrow().get(name.as_str()) {
            return Ok(*known);
        }
        let verdict = self.domain(name)?;
        let result = (verdict.zone, verdict.score);
        self.domains.borrow_mut().insert(name.as_str().to_owned(), result);
        Ok(result)
    }

    /// Whether no entry of any index matches a name: so of most, and quickly said.
    fn nothing_matches(&self, name: &DomainName) -> Result<bool, StoreError> {
        let mut matched = false;
        self.view.wildcards_on(name.without_www(), &mut |mask, _| {
            matched |= mask.matches_host(&Host::Domain(name.clone()));
        })?;
        let mut rest = Some(name.without_www());
        while let Some(probed) = rest.filter(|_| !matched) {
            self.view.hits(&Probe::Name(probed), &mut |_| matched = true)?;
            rest = probed.split_once('.').map(|(_, parent)| parent);
        }
        let object = ObjectKey::domain(name.as_str());
        if !matched {
            self.view.hits(&Probe::Object(&object.0), &mut |_| matched = true)?;
        }
        Ok(!matched && !self.has_candidates(&object)?)
    }

    /// Zone and score of an address in a row.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn address_zone(&self, address: IpAddr) -> Result<(Zone, ThreatScore), StoreError> {
        if let Some(known) = self.addresses.borrow().get(&address) {
            return Ok(*known);
        }
        let verdict = self.address(address)?;
        let result = (verdict.zone, verdict.score);
        self.addresses.borrow_mut().insert(address, result);
        Ok(result)
    }

    /// The country of an address: of the narrowest network that names one.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn country(&self, address: IpAddr) -> Result<Option<CountryCode>, StoreError> {
        let mut hits = Vec::new();
        self.view.covering(address, &mut |hit| {
            if hit.is_current() && hit.country().is_some() {
                hits.push(hit);
            }
        })?;
        let mut best = None;
        for hit in hits {
            // Each run has its own networks: of all of them the narrowest says it, then the newest.
            let width = self.view.range_of(&hit)?.map_or(u128::MAX, |range| range.width());
            let rank =
                (Reverse(width), hit.last, Reverse(self.view.snapshot().source_name(hit.entry.source)));
            best = best.max(hit.country().map(|code| (rank, code)));
        }
        Ok(best.map(|(_, code)| code))
    }

    /// The zone of a listing's category and when its feed last had it; `None` where it is no longer live.
    ///
    /// # Errors
    ///
    /// A listing that does not read back.
    pub fn listing_zone(&self, statement: &Statement) -> Result<Option<(Zone, Timestamp)>, StoreError> {
        let listing: Listing = statement.fact()?;
        let Some(category) = listing.category else { return Ok(None) };
        let entry = Entry {
            hash: 0,
            kind: Kind::Listing,
            mask_type: 0,
            category: category.index(),
            confidence: NONE,
            source: statement.source,
            port: 0,
            from: 0,
            to: 0,
            first: 0,
            last: 0,
            until: listing.until.map_or(0, seconds),
            extra: 0,
        };
        let last = listing.last.unwrap_or(statement.last);
        let first = listing.first.unwrap_or(statement.first).min(last);
        let (whole, current) = (statement.whole, statement.refreshed);
        let hit = Hit { entry, run: 0, range: None, first, last, whole, current };
        let is_live = self.weigh(&hit, Match::Exact, None).is_some_and(|(_, is_live)| is_live);
        Ok(is_live.then(|| (category.zone(), last)))
    }

    /// The wildcards without a fixed host that match a bare host.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn wildcards_of(&self, host: &Host) -> Result<Vec<Mask>, StoreError> {
        let mut masks = Vec::new();
        self.view.wildcards_on(&host.normal().to_key(), &mut |mask, _| {
            masks.extend(mask.matches_host(host).then(|| mask.clone()));
        })?;
        masks.sort();
        masks.dedup();
        Ok(masks)
    }

    /// The wildcards that match a URL.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn wildcards_over(&self, url: &Url) -> Result<Vec<Mask>, StoreError> {
        let mut masks = Vec::new();
        self.view.wildcards_on(url.host_str(), &mut |mask, _| {
            masks.extend(mask.matches_url(url).then(|| mask.clone()));
        })?;
        masks.sort();
        masks.dedup();
        Ok(masks)
    }

    fn match_object(&self, object: &ObjectKey, matches: &mut Matches) -> Result<(), StoreError> {
        self.view.hits(&Probe::Object(&object.0), &mut |hit| match hit.entry.kind {
            // What a whole-state source no longer says is no pin.
            Kind::Pin if !hit.whole || hit.current.is_some() => {
                let until = (hit.entry.until != 0).then(|| Timestamp(i64::from(hit.entry.until)));
                let found = zone_of(hit.entry.category).map(|zone| PinFound { zone, since: hit.last, until });
                matches.pin = matches.pin.into_iter().chain(found).max_by_key(PinFound::order);
            }
            Kind::Sighting => matches.sighted = matches.sighted.max(Some(hit.last)),
            _ => {}
        })?;
        // The newest counts, or none: one that is over brings no older one back, so that a pin can be taken back.
        matches.pin = matches.pin.filter(|pin| pin.until.is_none_or(|until| self.now < until));
        Ok(())
    }

    fn match_name(&self, name: &DomainName, matches: &mut Matches) -> Result<(), StoreError> {
        let host = name.without_www();
        self.view.hits(&Probe::Name(host), &mut |hit| {
            let what = match mask_type(hit.entry.mask_type) {
                Some(MaskType::Domain) => What::Domain(host.to_owned()),
                _ => What::Host(host.to_owned()),
            };
            matches.hits.push((hit, Match::Exact, what));
        })?;
        let mut rest = host;
        while let Some((_, parent)) = rest.split_once('.') {
            rest = parent;
            self.view.hits(&Probe::Name(parent), &mut |hit| {
                if mask_type(hit.entry.mask_type) == Some(MaskType::Domain) {
                    matches.hits.push((hit, Match::Parent, What::Domain(parent.to_owned())));
                }
            })?;
        }
        self.match_wildcards(host, matches, |mask| mask.matches_host(&Host::Domain(name.clone())))
    }

    fn match_address(&self, address: IpAddr, matches: &mut Matches) -> Result<(), StoreError> {
        self.view.hits(&Probe::Address(address), &mut |hit| {
            matches.hits.push((hit, Match::Exact, What::Host(address.to_string())));
        })?;
        self.view.covering(address, &mut |hit| {
            if hit.entry.kind != Kind::Network {
                matches.hits.push((hit, Match::Network, What::Network(address)));
            }
        })
    }

    fn match_path(&self, url: &Url, matches: &mut Matches) -> Result<(), StoreError> {
        let key = url.key();
        self.view.hits(&Probe::Url(key), &mut |hit| {
            matches.hits.push((hit, Match::Exact, What::Url(key.to_owned())));
        })?;
        let (path, has_query) = key.split_once('?').map_or((key, false), |(path, _)| (path, true));
        for (at, _) in path.match_indices('/') {
            let folder = &path[..=at];
            self.view.hits(&Probe::Folder(folder), &mut |hit| {
                matches.hits.push((hit, Match::Mask, What::Folder(format!("{folder}*"))));
            })?;
        }
        // A folder without its last slash is the folder itself.
        let itself = format!("{path}/");
        self.view.hits(&Probe::Folder(&itself), &mut |hit| {
            matches.hits.push((hit, Match::Mask, What::Folder(format!("{itself}*"))));
        })?;
        if has_query {
            self.view.hits(&Probe::Script(path), &mut |hit| {
                matches.hits.push((hit, Match::Mask, What::Script(format!("{path}?*"))));
            })?;
        }
        self.match_wildcards(url.host_str(), matches, |mask| mask.matches_url(url))
    }

    fn match_wildcards(
        &self,
        host: &str,
        matches: &mut Matches,
        covers: impl Fn(&Mask) -> bool,
    ) -> Result<(), StoreError> {
        self.view.wildcards_on(host, &mut |mask, hit| {
            if covers(mask) {
                matches.hits.push((hit, Match::Mask, What::Wildcard(mask.text().to_owned())));
            }
        })
    }

    fn judge(&self, matches: Matches, is_file: bool) -> Verdict {
        self.decide(self.gather(matches), is_file)
    }

    /// Weighs what matched.
    fn gather(&self, matches: Matches) -> Gathered {
        let (mut found, mut benign) = (Vec::new(), Vec::new());
        let (mut clean, sighted) = (false, matches.sighted);
        for (hit, matched, what) in matches.hits {
            match hit.entry.kind {
                Kind::Listing | Kind::FileVerdict => {
                    clean |= hit.entry.kind == Kind::FileVerdict
                        && zone_of(hit.entry.category) == Some(Zone::Green);
                    let sighted = sighted.filter(|_| matched == Match::Exact);
                    if let Some((evidence, is_live)) = self.weigh(&hit, matched, sighted) {
                        let indicator = show(&what, &hit);
                        let kind = match hit.entry.kind {
                            Kind::FileVerdict => EvidenceKind::File,
                            _ => EvidenceKind::Listing,
                        };
                        let is_current = !hit.whole || hit.current.is_some();
                        found.push(Found { evidence, indicator, kind, is_current, is_live });
                    }
                }
                Kind::Benign => benign.extend(self.counter(&hit, matched, &what)),
                _ => {}
            }
        }
        Gathered { found, benign, clean, pin: matches.pin }
    }

    fn decide(&self, gathered: Gathered, is_file: bool) -> Verdict {
        let Gathered { mut found, mut benign, clean, pin } = gathered;
        dedup(&mut found, is_file);
        benign::longest(&mut benign, is_file);
        let name = |source: u16| self.view.snapshot().source_name(source);
        found.sort_by(|a, b| {
            b.evidence
                .contribution
                .total_cmp(&a.evidence.contribution)
                .then_with(|| name(a.evidence.source).cmp(name(b.evidence.source)))
                .then_with(|| a.indicator.cmp(&b.indicator))
        });
        let mut evidence: Vec<Evidence> = found.iter().map(|found| found.evidence).collect();
        score::count(&mut evidence);
        for (found, evidence) in found.iter_mut().zip(&evidence) {
            found.evidence = *evidence;
        }
        if !score::is_accused(&evidence) {
            for one in &mut benign {
                one.effect = one.effect.on_suspicion();
            }
        }
        // What is said of others alone does not change what the object is known for.
        let is_related = |found: &Found| found.kind == EvidenceKind::Related;
        if !found.is_empty() && found.iter().all(is_related) {
            for one in benign.iter_mut().filter(|one| one.effect.action == Action::Cap) {
                one.effect.cap = Some(0);
            }
        }
        fn rest(one: &Counter) -> (&str, Option<&str>, Option<Category>, Option<u32>) {
            (&one.indicator, one.list.as_deref(), one.category, one.rank)
        }
        benign.sort_by(|a, b| {
            let head = |one: &Counter| (one.effect.action, one.effect.cap, name(one.source));
            (head(a), rest(a)).cmp(&(head(b), rest(b)))
        });
        let speaks = clean || benign.iter().any(|one| one.effect.action != Action::Annotate);
        let suppressed = benign.iter().any(|one| one.effect.action == Action::Suppress);
        let steps = score::Steps::new(&evidence, benign.iter().map(|one| one.effect));
        let mut score = steps.rounded;
        let counts =
            |zone: Zone| evidence.iter().any(|one| one.counted && (is_file || one.category.zone() == zone));
        let yellow = !suppressed && counts(Zone::Yellow);
        let mut zone = if is_file {
            score::file_zone(score, yellow, speaks)
        } else {
            score::zone(score, yellow, speaks)
        };
        if let Some(pin) = pin {
            zone = pin.zone;
            score = score::pinned_score(score, zone);
        }
        Verdict { zone, score: ThreatScore(score), found, benign, pin, steps }
    }

    /// The evidence of a listing or a file's verdict, and whether it is live; `None` where it is none.
    fn weigh(&self, hit: &Hit, matched: Match, sighted: Option<Timestamp>) -> Option<(Evidence, bool)> {
        let category = match hit.entry.kind {
            Kind::FileVerdict => match zone_of(hit.entry.category)? {
                Zone::Red => Category::MALWARE,
                Zone::Yellow | Zone::Orange => Category::ADWARE,
                Zone::Grey | Zone::Green => return None,
            },
            _ => Category::from_index(hit.entry.category)?,
        };
        let ageing = self.policy.ageing(category)?;
        let until = (hit.entry.until != 0).then(|| Timestamp(i64::from(hit.entry.until)));
        let stale_s = i64::from(self.policy.stale_days) * crate::value::DAY_S;
        let fresh = hit.whole && hit.current.is_some_and(|at| self.hour.0 - at.0 <= stale_s);
        let mut since = hit.current.unwrap_or(hit.last).max(sighted.unwrap_or(hit.first));
        if let Some(until) = until {
            since = since.min(until);
        }
        let age_hours = if fresh { 0 } else { ((self.hour.0 - since.0) / 3600).max(0) };
        let decay = if fresh { 1.0 } else { score::decay(age_hours, ageing.lifetime_days, ageing.speed) };
        let is_live = fresh || (until.is_none_or(|until| self.now < until) && decay > 0.0);
        let (origin, source_weight, source_confidence) = self
            .origins
            .get(usize::from(hit.entry.source))
            .copied()
            .unwrap_or((hit.entry.source, 1.0, self.policy.confidence));
        let own =
            (hit.entry.confidence != NONE && hit.entry.kind == Kind::Listing).then_some(hit.entry.confidence);
        let weight = score::round4(ageing.weight * source_weight);
        let confidence = score::round4(own.map_or(source_confidence, |own| f64::from(own) / 100.0));
        let factors = &self.policy.factors;
        let factor = score::round4(match matched {
            Match::Exact => factors.exact,
            Match::Parent => factors.parent,
            Match::Mask => factors.mask,
            Match::Network => factors.network,
            Match::Related => factors.related,
        });
        let evidence = Evidence {
            source: hit.entry.source,
            origin,
            category,
            matched,
            first: hit.first,
            last: hit.last,
            until,
            weight,
            confidence,
            age_hours,
            lifetime_days: ageing.lifetime_days,
            speed: ageing.speed,
            decay,
            factor,
            contribution: weight * confidence * decay * factor,
            counted: false,
            counted_with: None,
        };
        Some((evidence, is_live))
    }

    /// A benign entry that is live: its list still has it.
    fn counter(&self, hit: &Hit, matched: Match, what: &What) -> Option<Counter> {
        if hit.whole && hit.current.is_none() {
            return None;
        }
        let category = Category::from_index(hit.entry.category);
        let rank = (hit.entry.first != 0).then_some(hit.entry.first);
        let list = self.view.list_name(hit);
        let entry = BenignEntry {
            source: self.view.snapshot().source_name(hit.entry.source),
            list,
            action: action_of(hit.entry.confidence),
            category,
            rank,
        };
        Some(Counter {
            source: hit.entry.source,
            indicator: show(what, hit),
            matched,
            effect: self.policy.effect(&entry).on(matched),
            category,
            list: list.map(str::to_owned),
            rank,
            length: benign::length(what, matched, hit),
        })
    }
}

/// The same listing of the same source in several batches counts as one: the strongest that is live, over the
/// whole time. So does what a source says of several hashes of one file.
fn dedup(found: &mut Vec<Found>, is_file: bool) {
    let key = |one: &Found| {
        let indicator = if is_file { "" } else { one.indicator.as_str() };
        (one.evidence.source, one.evidence.category, one.evidence.matched, indicator.to_owned())
    };
    found.sort_by(|a, b| {
        let strength = b.evidence.contribution.total_cmp(&a.evidence.contribution);
        key(a)
            .cmp(&key(b))
            .then(b.is_live.cmp(&a.is_live))
            .then(strength)
            .then(b.evidence.last.cmp(&a.evidence.last))
    });
    found.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            kept.evidence.first = kept.evidence.first.min(next.evidence.first);
        }
        same
    });
    found.retain(|one| one.is_live);
}

/// What matched, as it is shown.
fn show(what: &What, hit: &Hit) -> String {
    let with_port =
        |text: &str| if hit.entry.port == 0 { text.to_owned() } else { format!("{text}:{}", hit.entry.port) };
    match what {
        What::Host(text) => with_port(text),
        What::Domain(name) => format!("*.{name}"),
        What::Url(text) | What::Folder(text) | What::Script(text) | What::Wildcard(text) => text.clone(),
        // A network's entry keeps its prefix length where others have their hash.
        What::Network(address) => u8::try_from(hit.entry.hash)
            .ok()
            .and_then(|length| Prefix::new_relaxed(*address, length))
            .map_or_else(|| address.to_string(), |prefix| prefix.to_string()),
        What::File(hash) => hash.to_string(),
    }
}
