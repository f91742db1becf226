//! The store under everything that happens to it: seeded sequences of commands against a model, the same files
//! in many orders, processes killed at any moment, an object too large to show.
//!
//! The quick forms run always; with `ZONELENS_FULL=1` they run as often as the project promises. A failure names its
//! seed: `ZONELENS_SEED=n` runs that sequence alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zonelens::import::{self, Options, Origin};
use zonelens::indicator::Indicator;
use zonelens::lookup::{self, Context, Licence, LookupError, Request};
use zonelens::store::Store;
use zonelens::store::merge::Retention;
use zonelens::value::Timestamp;
use zonelens::verdict::Policy;

use crate::model::{Answer, Batch, CATEGORIES, DAY, Fact, Model, Row, When};
use crate::program::{Program, Ran};
use crate::world::Folder;

pub const NAMES: [&str; 8] = [
    "one.test",
    "www.one.test",
    "x.one.test",
    "deep.x.one.test",
    "two.test",
    "www.two.test",
    "three.test",
    "mail.three.test",
];
/// The last one is reserved: kept with the names that resolve to it, never reported on.
pub const ADDRESSES: [&str; 5] =
    ["192.31.196.1", "192.31.196.2", "192.31.196.3", "2001:4:112::1", "10.0.0.1"];
const HOSTS: [&str; 6] =
    ["one.test", "x.one.test", "two.test", "mail.three.test", "192.31.196.1", "192.31.196.2"];
/// 2024-05-01.
const START: i64 = 19_844 * DAY;

/// How often: the project's promise with `ZONELENS_FULL=1`, else what a test run has time for.
pub fn times(quick: u64, full: u64) -> u64 {
    if std::env::var_os("ZONELENS_FULL").is_some() { full } else { quick }
}

/// A generator of pseudo-random numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    fn seconds(&mut self, days: i64) -> i64 {
        self.below((days * DAY) as u64) as i64
    }
}

/// Says what was being done when a test panics.
pub struct Doing(pub String);

impl Drop for Doing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed in {}", self.0);
        }
    }
}

/// A report from a store; an error where it is not known or the store cannot answer.
pub fn ask(store: &Store, now: i64, indicator: &str, request: &Request) -> Result<Value, LookupError> {
    let policy = Policy::built_in();
    let context = Context {
        store,
        policy: &policy,
        licence: Licence::default(),
        now: Timestamp(now),
        round_counts: false,
        reader: zonelens::store::Reader::default(),
    };
    let report = lookup::report(&context, &Indicator::parse(indicator).unwrap(), request)?;
    Ok(serde_json::from_slice(&report.json()).unwrap())
}

fn rfc(at: i64) -> String {
    Timestamp(at).rfc3339()
}

fn gzip(content: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

//------------ Sequences -----------------------------------------------------

/// Content with what importing it means.
#[derive(Clone)]
struct Feed {
    batch: Batch,
    content: String,
    /// The category of a plain list.
    category: Option<&'static str>,
    /// Whether the command states when it was learnt; else it is now.
    states_learnt: bool,
}

fn native(facts: &[Fact]) -> String {
    let mut text = String::new();
    for fact in facts {
        let line = match fact {
            Fact::Resolution { name, address, first, last, hits } => {
                let rrtype = if address.contains(':') { "AAAA" } else { "A" };
                json!({"fact": "resolution", "rrname": name, "rrtype": rrtype, "rdata": {"address": address},
                    "first": first, "last": last, "hits": hits})
            }
            Fact::Listing { host, category } => {
                json!({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": host, "category": CATEGORIES[*category].0})
            }
        };
        writeln!(text, "{line}").unwrap();
    }
    text
}

fn hosts(random: &mut Random) -> BTreeSet<&'static str> {
    (0..random.below(4)).map(|_| *random.of(&HOSTS)).collect()
}

/// A feed as one of the sources would give it at `now`.
fn feed(random: &mut Random, now: i64, number: u64) -> Feed {
    let source = *random.of(&["dns-a", "dns-b", "total", "events", "feed-a", "feed-b", "feed-b"]);
    let (cumulative, whole) = (source == "total", source.starts_with("feed"));
    let states_learnt = random.once_in(3);
    let learnt = if states_learnt { now - random.seconds(4) } else { now };
    let observed = if random.once_in(2) { learnt - random.seconds(4) } else { learnt };
    let mut facts = Vec::new();
    if matches!(source, "events") {
        facts.extend(
            hosts(random).into_iter().map(|host| Fact::Listing { host, category: random.below(4) as usize }),
        );
    }
    if !whole {
        for _ in 0..1 + random.below(6) {
            let ahead = if !cumulative && random.once_in(15) { 2 } else { 0 };
            let limit = if cumulative { observed } else { learnt + ahead * DAY - DAY / 2 };
            let first = limit - random.seconds(5);
            let longest = if random.once_in(3) { 3 * DAY } else { (first / DAY + 1) * DAY - 1 - first };
            let last = (first + random.below(longest.max(1) as u64) as i64).min(limit.max(first));
            let (name, address) = (*random.of(&NAMES), *random.of(&ADDRESSES));
            facts.push(Fact::Resolution { name, address, first, last, hits: 1 + random.below(9) });
        }
    }
    let (mut format, mut category, mut content) = ("native", None, String::new());
    if whole && (source == "feed-a" || random.once_in(2)) {
        let index = usize::from(source == "feed-b");
        (format, category) = ("list", Some(CATEGORIES[index].0));
        for host in hosts(random) {
            writeln!(content, "{host}").unwrap();
            facts.push(Fact::Listing { host, category: index });
        }
    } else {
        if whole {
            let listed = hosts(random).into_iter();
            facts.extend(listed.map(|host| Fact::Listing { host, category: 1 + random.below(3) as usize }));
        } else {
            writeln!(content, "# {number}").unwrap();
        }
        content += &native(&facts);
    }
    let digest = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let said = vec![(observed, learnt)];
    let batch = Batch { seq: 0, source, format, digest, said, whole, cumulative, facts };
    Feed { batch, content, category, states_learnt }
}

/// A program with a store, and the model of it.
struct Twin {
    program: Program,
    model: Model,
    now: i64,
    files: u64,
    random: Random,
}

impl Twin {
    fn run(&self, arguments: &[&str]) -> Ran {
        let now = rfc(self.now);
        self.program.run(&[&["--now", &now, "--data", "data"], arguments].concat())
    }

    /// The arguments of the command that imports a feed.
    fn arguments(&mut self, feed: &Feed, compressed: bool) -> Vec<String> {
        self.files += 1;
        let path = self.program.folder.join(format!("{}.feed", self.files));
        let plain = feed.content.as_bytes();
        fs::write(&path, if compressed { gzip(&feed.content) } else { plain.to_vec() }).unwrap();
        let (observed, learnt) = feed.batch.said[0];
        let state = if feed.batch.whole { "whole" } else { "events" };
        let counts = if feed.batch.cumulative { "cumulative" } else { "additive" };
        let mut all: Vec<String> =
            ["--now", &rfc(self.now), "--data", "data", "import", "--json", "--source"]
                .map(str::to_owned)
                .into();
        all.extend(
            [feed.batch.source, "--format", feed.batch.format, "--state", state, "--counts", counts]
                .map(str::to_owned),
        );
        all.extend(["--observed-at".to_owned(), rfc(observed)]);
        if feed.states_learnt {
            all.extend(["--learnt-at".to_owned(), rfc(learnt)]);
        }
        all.extend(feed.category.iter().flat_map(|category| ["--category", category]).map(str::to_owned));
        all.push(path.to_str().unwrap().to_owned());
        all
    }

    fn import(&mut self, feed: &Feed, compressed: bool) {
        let arguments = self.arguments(feed, compressed);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let summary = self.program.json(&arguments);
        let expected = self.model.known(&feed.batch);
        assert_eq!(summary["unchanged"], expected.is_some(), "{summary} of {:?}", feed.batch);
        let seq = summary["batch"].as_u64().unwrap();
        self.adopt(&feed.batch, seq);
    }

    /// Takes over what importing this content did.
    fn adopt(&mut self, new: &Batch, seq: u64) {
        match self.model.batches.iter_mut().find(|batch| batch.seq == seq) {
            Some(known) => known.said.extend(new.said.iter().filter(|_| new.whole)),
            None => self.model.batches.push(Batch { seq, ..new.clone() }),
        }
    }

    /// The live batches, each with its digest and how many facts it has.
    fn live(&self) -> BTreeMap<u64, (String, u64)> {
        live(&self.program)
    }

    /// Imports a feed in a process that is killed at some moment: it is there or it is not.
    fn import_killed(&mut self, feed: &Feed) {
        if self.model.known(&feed.batch).is_some() {
            return self.import(feed, false);
        }
        let arguments = self.arguments(feed, false);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let done = killed(&self.program, &arguments, Duration::from_micros(self.random.below(60_000)));
        if !self.program.folder.join("data/MANIFEST").exists() {
            assert!(!done);
            return;
        }
        let live = self.live();
        let added: Vec<_> = live
            .iter()
            .filter(|(seq, _)| self.model.batches.iter().all(|batch| batch.seq != **seq))
            .collect();
        assert_eq!(live.len(), self.model.batches.len() + added.len(), "batches were lost");
        assert!(added.len() <= 1 && !(done && added.is_empty()), "done: {done}, added: {added:?}");
        for (seq, (digest, facts)) in added {
            assert_eq!((digest, *facts), (&feed.batch.digest, feed.batch.facts.len() as u64));
            self.model.batches.push(Batch { seq: *seq, ..feed.batch.clone() });
        }
    }

    /// Retires one or two batches, perhaps in a process that is killed.
    fn retire(&mut self) {
        let chosen = [self.random.of(&self.model.batches).seq, self.random.of(&self.model.batches).seq];
        let chosen = &chosen[..1 + self.random.below(2) as usize];
        let numbers: Vec<String> = chosen.iter().map(u64::to_string).collect();
        let now = rfc(self.now);
        let mut arguments = vec!["--now", &now, "--data", "data", "retire"];
        arguments.extend(numbers.iter().map(String::as_str));
        let (is_done, is_refused);
        if self.random.once_in(3) {
            let delay = Duration::from_micros(self.random.below(40_000));
            (is_done, is_refused) = (killed(&self.program, &arguments, delay), false);
        } else {
            let ran = self.program.run(&arguments);
            (is_done, is_refused) = (ran.code == 0, ran.code != 0);
            assert!(is_done || ran.talk.contains("its original is no longer kept"), "{}", ran.talk);
        }
        let live = self.live();
        for batch in &self.model.batches {
            let is_live = live.contains_key(&batch.seq);
            let is_chosen = chosen.contains(&batch.seq);
            assert!(is_live || is_chosen && !is_refused, "batch {} was lost", batch.seq);
            assert!(!(is_live && is_chosen && is_done), "batch {} was not retired", batch.seq);
        }
        self.model.batches.retain(|batch| live.contains_key(&batch.seq));
    }

    /// Joins runs of a day, or merges, perhaps in a process that is killed.
    fn merge(&mut self) {
        if self.random.once_in(2) {
            let Ok(store) = Store::open(&self.program.folder.join("data")) else { return };
            let alike_max = 1 + self.random.below(2) as usize;
            store.join(Timestamp(self.now), alike_max, &AtomicBool::new(false)).unwrap();
        } else if self.random.once_in(3) {
            let delay = Duration::from_micros(self.random.below(40_000));
            killed(&self.program, &["--now", &rfc(self.now), "--data", "data", "merge"], delay);
        } else {
            assert_eq!(self.run(&["merge"]).code, 0);
        }
    }

    fn check(&mut self) {
        let Ok(store) = Store::open(&self.program.folder.join("data")) else {
            return assert!(self.model.batches.is_empty());
        };
        let mut moments = vec![When { at: self.now, past: false }];
        for _ in 0..2 {
            let day = (self.now - self.random.seconds(12)).div_euclid(DAY);
            moments.push(When { at: day * DAY - 1, past: true });
        }
        for when in moments {
            for name in NAMES {
                let expected = self.model.domain(name, &ADDRESSES, when);
                compare(&store, self.now, name, when, expected, "DomainDnsResolutions", "Ip");
            }
            for address in &ADDRESSES[..4] {
                let expected = self.model.address(address, when);
                compare(&store, self.now, address, when, expected, "IpDnsResolutions", "Domain");
            }
        }
    }
}

/// The live batches of a program's store.
pub fn live(program: &Program) -> BTreeMap<u64, (String, u64)> {
    let batches = program.json(&["--data", "data", "batches", "--json"]);
    let live = batches.as_array().unwrap().iter().filter(|batch| batch["live"] == true);
    let facts = |batch: &Value| batch["facts"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    live.map(|batch| {
        (batch["seq"].as_u64().unwrap(), (batch["digest"].as_str().unwrap().to_owned(), facts(batch)))
    })
    .collect()
}

/// Runs a command and kills it after a while. Returns whether it was done by then.
pub fn killed(program: &Program, arguments: &[&str], delay: Duration) -> bool {
    let mut child = program.command(arguments).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < delay && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap().success()
}

/// A time of a report, to the minute.
fn minute(at: i64) -> String {
    Timestamp(at).to_string()
}

fn compare(
    store: &Store,
    now: i64,
    object: &str,
    when: When,
    expected: Option<Answer>,
    rows: &str,
    key: &str,
) {
    let sections = Some(["Verdict", "FeedMasks", rows].map(str::to_owned).into());
    let request = Request { sections, as_of: when.past.then_some(Timestamp(when.at)), ..Request::default() };
    let answer = match ask(store, now, object, &request) {
        Err(LookupError::Unknown(_)) => None,
        other => Some(other.unwrap()),
    };
    let shown = format!("{object} at {} (past: {})", rfc(when.at), when.past);
    let (Some(answer), Some(expected)) = (&answer, &expected) else {
        assert_eq!(answer.is_some(), expected.is_some(), "{shown}: {answer:?} {expected:?}");
        return;
    };
    let list = |name: &str| answer[name].as_array().unwrap().iter();
    let found: BTreeMap<&str, &Value> = list(rows).map(|row| (row[key].as_str().unwrap(), row)).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.rows.keys().collect::<Vec<_>>(), "{shown}");
    for (other, row) in &expected.rows {
        assert!(
            equal(found[other.as_str()], row),
            "{shown}, {other}: {} but expected {row:?}",
            found[other.as_str()]
        );
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let masks: BTreeSet<(String, String, Vec<String>)> = list("FeedMasks")
        .map(|row| {
            let feeds = row["FeedNames"].as_array().unwrap().iter().map(text).collect();
            (text(&row["Zone"]), text(&row["NormalizedMask"]), feeds)
        })
        .collect();
    let wanted = expected.masks.iter().map(|((zone, mask), feeds)| {
        ((*zone).to_owned(), (*mask).to_owned(), feeds.iter().map(|feed| (*feed).to_owned()).collect())
    });
    assert_eq!(masks, wanted.collect(), "{shown}");
    let evidence: BTreeSet<(String, String, String, String, i64)> = answer["Verdict"]["Evidence"]
        .as_array()
        .unwrap()
        .iter()
        // The model knows what is said of an object itself; what follows from others has tests of its own.
        .filter(|one| one["Kind"] != "related")
        .map(|one| {
            let category = text(&one["Category"]).replace("CATEGORY_", "");
            let age = (one["Age"].as_f64().unwrap() * 24.0).round() as i64;
            (text(&one["Source"]), category, text(&one["FirstSeen"]), text(&one["LastSeen"]), age)
        })
        .collect();
    let wanted = expected.evidence.iter().map(|((source, category), (first, last, age))| {
        ((*source).to_owned(), (*category).to_owned(), minute(*first), minute(*last), *age)
    });
    assert_eq!(evidence, wanted.collect(), "{shown}");
}

fn equal(found: &Value, row: &Row) -> bool {
    let last = Timestamp::parse(found["LastSeen"].as_str().unwrap()).unwrap().0;
    let peak = row.peak.is_none_or(|(hits, day, exact)| {
        found["DailyPeak"] == hits
            && found["PeakDate"] == minute(day * DAY)
            && found["PeakIsEstimate"] == !exact
    });
    let (from, to) = row.last;
    peak && found["HitsCount"] == row.hits
        && found["FirstSeen"] == minute(row.first)
        && (from.div_euclid(60) * 60..=to).contains(&last)
}

fn sequence(seed: u64) {
    let mut doing = Doing(format!("sequence {seed}: ZONELENS_SEED={seed}"));
    let program = Program::new();
    if seed % 2 == 1 {
        program.file("zonelens.toml", "[retention]\nretire_days = 2\n");
    }
    let mut twin =
        Twin { program, model: Model::default(), now: START + DAY / 2, files: 0, random: Random::new(seed) };
    let mut feeds: Vec<Feed> = Vec::new();
    for step in 0..14 {
        if !twin.random.once_in(3) {
            twin.now += twin.random.seconds(2);
        }
        let operation = if feeds.is_empty() { 0 } else { twin.random.below(14) };
        writeln!(doing.0, "  step {step}, operation {operation}, {}", rfc(twin.now)).unwrap();
        match operation {
            0..6 => {
                let new = feed(&mut twin.random, twin.now, step);
                twin.import(&new, step % 4 == 3);
                feeds.push(new);
            }
            6 => {
                let new = feed(&mut twin.random, twin.now, step);
                twin.import_killed(&new);
                feeds.push(new);
            }
            // The same again, stating the same moments: nothing changes. Without them a state was said again.
            7 | 8 => {
                let mut again = twin.random.of(&feeds).clone();
                again.states_learnt = true;
                if operation == 8 && again.batch.whole {
                    again.batch.said = vec![(twin.now, twin.now)];
                }
                twin.import(&again, true);
                twin.import(&again, false);
            }
            9..12 => twin.merge(),
            _ if twin.model.batches.is_empty() => {}
            _ => twin.retire(),
        }
        if step % 3 == 2 {
            twin.check();
        }
    }
    twin.check();
    assert_eq!(twin.run(&["verify"]).code, 0, "verify finds damage");
}

#[test]
fn every_answer_equals_the_models() {
    match std::env::var("ZONELENS_SEED") {
        Ok(seed) => sequence(seed.parse().unwrap()),
        Err(_) => (0..times(20, 1000)).for_each(sequence),
    }
}

//------------ Orders --------------------------------------------------------

/// Files with the moments that are stated for them: name, source, whole, observed, learnt, content.
fn stated_files() -> Vec<(&'static str, bool, i64, i64, String)> {
    let hour = |day: i64, hour: i64| START + day * DAY + hour * 3600;
    let mut random = Random::new(99);
    let mut files = Vec::new();
    for (number, source) in ["dns-b", "dns-a", "dns-a", "dns-c"].into_iter().enumerate() {
        let at = hour(number as i64 / 2, 20);
        let mut facts = Vec::new();
        for _ in 0..12 {
            let first = at - random.seconds(5);
            let (name, address) = (*random.of(&NAMES), *random.of(&ADDRESSES));
            facts.push(Fact::Resolution {
                name,
                address,
                first,
                last: first + random.seconds(1) / 3,
                hits: 1 + random.below(9),
            });
        }
        files.push((source, false, at, at, native(&facts)));
    }
    // States that return, and one learnt late; two sources that say the same at the same moment.
    let (one, two) = (["one.test", "two.test"], ["two.test", "192.31.196.1"]);
    let state = |hosts: [&'static str; 2]| native(&hosts.map(|host| Fact::Listing { host, category: 0 }));
    for (day, learnt, hosts) in [(1, 1, one), (2, 2, one), (3, 3, two), (4, 4, one), (5, 5, one), (6, 8, two)]
    {
        files.push(("feed-a", true, hour(day, 3), hour(learnt, 3), state(hosts)));
        files.push(("feed-b", true, hour(day, 3), hour(learnt, 3), state(hosts)));
    }
    for (source, day) in [("events-a", 2), ("events-b", 2), ("events-a", 4)] {
        let mut text = native(&[Fact::Listing { host: "one.test", category: 2 }]);
        for line in [
            json!({"fact": "benign", "type": "MASK_TYPE_HOST", "mask": "one.test", "category": "BANKS"}),
            json!({"fact": "benign", "type": "MASK_TYPE_HOST", "mask": "192.31.196.2", "rank": 7}),
            json!({"fact": "registration", "domain": "one.test", "created": "2024-04-20", "registrar": {"name": source}}),
            json!({"fact": "network", "range": "192.31.196.0/24", "asn": 112, "as_name": source,
                "country": if source == "events-a" { "SE" } else { "FI" }}),
            json!({"fact": "port_state", "host": "domain:one.test", "port": 443, "open": source == "events-a"}),
            json!({"fact": "publication", "id": "r-1", "type": "APT", "title": source}),
            json!({"fact": "mention", "publication": "r-1", "indicator": "domain:one.test"}),
            json!({"fact": "pin", "indicator": "domain:three.test", "zone": if day == 4 { "Red" } else { "Green" },
                "reason": source, "by": "ann"}),
            json!({"fact": "web_request", "url": format!("http://x.one.test/{source}"), "address": "192.31.196.3",
                "referrer": "http://two.test/a", "first": hour(1, 1), "last": hour(1, 2), "hits": 3}),
            json!({"fact": "download", "file": {"md5": "44d88612fea8a8f36de82e1278abb02f"},
                "url": "http://www.one.test/x.exe", "address": "192.31.196.1", "first": hour(1, 1), "last": hour(1, 2)}),
        ] {
            writeln!(text, "{line}").unwrap();
        }
        writeln!(text, "# {source} {day}").unwrap();
        files.push((source, false, hour(day, 6), hour(day, 6), text));
    }
    // A wide network that is learnt last: the narrow one still says more.
    let wide = json!({"fact": "network", "range": "192.31.0.0/16", "country": "US"});
    files.push(("ranges", true, hour(7, 0), hour(7, 0), format!("{wide}\n")));
    files
}

/// The whole reports on everything, now and for some moments of the past.
pub fn all_answers(store: &Store, now: i64) -> Vec<(String, Result<String, String>)> {
    let mut all = Vec::new();
    let moments = [None, Some(-1), Some(12), Some(60), Some(84), Some(108), Some(150)];
    for as_of in moments.map(|hours| hours.map(|hours| Timestamp(START + hours * 3600 + DAY))) {
        for object in NAMES.iter().chain(&ADDRESSES) {
            let answer = ask(store, now, object, &Request { as_of, ..Request::default() });
            let answer = match answer {
                Ok(answer) => Ok(answer.to_string()),
                Err(LookupError::Unknown(_)) => Err("unknown".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            all.push((format!("{object} as of {as_of:?}"), answer));
        }
    }
    all
}

#[test]
fn the_order_of_imports_changes_no_answer() {
    let folder = Folder::new();
    let now = START + 9 * DAY;
    let files: Vec<_> = stated_files()
        .into_iter()
        .enumerate()
        .map(|(number, (source, whole, observed, learnt, content))| {
            let path = folder.0.join(format!("{number}.ndjson"));
            fs::write(&path, content).unwrap();
            let mut options = Options::new(Timestamp(now));
            (options.source, options.format) = (Some(source.to_owned()), Some("native".to_owned()));
            (options.observed, options.learnt) = (Some(Timestamp(observed)), Some(Timestamp(learnt)));
            options.state =
                Some(if whole { zonelens::feeds::State::Whole } else { zonelens::feeds::State::Events });
            options.buffer_bytes = 1 << 20;
            (path, options)
        })
        .collect();
    let mut expected: Option<Vec<(String, Result<String, String>)>> = None;
    for seed in 0..times(4, 20) {
        let _doing = Doing(format!("order {seed}"));
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..files.len()).collect();
        for at in (1..order.len()).rev().filter(|_| seed > 0) {
            order.swap(at, random.below(at as u64 + 1) as usize);
        }
        let path = folder.0.join(format!("store-{seed}"));
        let store = Store::open_or_create(&path, 7 + seed).unwrap();
        for at in order {
            let (path, options) = &files[at];
            for _ in 0..1 + random.below(2) {
                import::import(&store, options, Origin::Path(path.clone()), &mut |_| {}).unwrap();
            }
        }
        for merged in ["not", "alike ones", "all"] {
            match merged {
                "alike ones" => {
                    let (from, to) = store.join(Timestamp(now), 1, &AtomicBool::new(false)).unwrap();
                    assert!(from > to && to > 0, "{from} runs became {to}");
                }
                "all" => {
                    store.merge(Timestamp(now), &Retention::default()).unwrap();
                }
                _ => {}
            }
            store.refresh();
            let answers = all_answers(&store, now);
            for (found, expected) in answers.iter().zip(expected.get_or_insert_with(|| answers.clone())) {
                assert_eq!(found, expected, "order {seed}, merged: {merged}");
            }
        }
    }
}

//------------ A large object ------------------------------------------------

#[test]
fn of_an_address_with_many_names_all_listed_ones_come_first() {
    const TOTAL: u64 = 3000;
    let folder = Folder::new();
    let now = START + 3 * DAY;
    let store = Store::open_or_create(&folder.0.join("store"), 7).unwrap();
    let hits = |number: u64| if number % 60 == 7 { 1 } else { 2 + number * 7919 % 5000 };
    let (mut parts, mut listed) = ([String::new(), String::new()], String::new());
    for number in 0..TOTAL {
        // Half of the hits of some are of another batch.
        let halves = if number % 3 == 0 && hits(number) > 1 {
            vec![hits(number) / 2, hits(number).div_ceil(2)]
        } else {
            vec![hits(number)]
        };
        for (part, hits) in parts.iter_mut().zip(halves) {
            let line = json!({"fact": "resolution", "rrname": format!("n{number:04}.test"), "rrtype": "A",
                "rdata": {"address": "192.31.196.9"}, "first": START, "last": START + 60, "hits": hits});
            writeln!(part, "{line}").unwrap();
        }
        if number % 60 == 7 {
            writeln!(listed, "n{number:04}.test").unwrap();
        }
    }
    let feeds = [("dns", "native", &parts[0]), ("dns", "native", &parts[1]), ("bad", "list", &listed)];
    for (number, (source, format, content)) in feeds.into_iter().enumerate() {
        let path = folder.0.join(number.to_string());
        fs::write(&path, content).unwrap();
        let mut options = Options::new(Timestamp(now));
        (options.source, options.format) = (Some(source.to_owned()), Some(format.to_owned()));
        import::import(&store, &options, Origin::Path(path), &mut |_| {}).unwrap();
    }
    let mut by_hits: Vec<(u64, String)> =
        (0..TOTAL).map(|number| (hits(number), format!("n{number:04}.test"))).collect();
    by_hits.retain(|(hits, _)| *hits > 1);
    by_hits.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let bad: Vec<String> = listed.lines().map(str::to_owned).collect();
    assert_eq!(bad.len(), 50);
    let expected: Vec<&str> = bad
        .iter()
        .map(String::as_str)
        .chain(by_hits.iter().map(|(_, name)| name.as_str()))
        .take(1000)
        .collect();
    for merged in [false, true] {
        if merged {
            assert_eq!(store.merge(Timestamp(now), &Retention::default()).unwrap(), (3, 1));
        }
        store.refresh();
        let sections = Some(["IpGeneralInfo", "IpDnsResolutions"].map(str::to_owned).into());
        let report = ask(&store, now, "192.31.196.9", &Request { sections, ..Request::default() }).unwrap();
        let rows = report["IpDnsResolutions"].as_array().unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row["Domain"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "merged: {merged}");
        assert!(rows[..50].iter().all(|row| row["Zone"] == "Red" && row["HitsCount"] == 1));
        let general = &report["IpGeneralInfo"];
        let within = |found: &Value, exact: u64| found.as_u64().unwrap().abs_diff(exact) * 50 <= exact;
        assert!(within(&general["HitsCount"], (0..TOTAL).map(hits).sum()), "{general}");
        assert!(within(&general["SharedHosting"]["RegistrableDomains"], TOTAL), "{general}");
    }
}
