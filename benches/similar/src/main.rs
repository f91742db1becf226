//! The index of names alone, without a store around it:
//!
//! - `speed NAMES FOLDER [COUNT]`: size, time to build, microseconds of the processor a question. NAMES is a file of
//!   registrable names, one a line, the most popular ones first. COUNT: so many of them, or more, made of their parts.
//! - `recall NAMES FOLDER PAIRS`: of lines `original tab imitation` in PAIRS, those found whose imitation is among NAMES.
//! - `twistrs NAMES`: what the permutations of the first thousand cost that twistrs makes, which nobody looked up yet.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Instant;

use cpu_time::ThreadTime;
use zonelens::dossier::similar::{Depth, Search};
use zonelens::indicator::DomainName;
use zonelens::similar::{TECHNIQUES, Target};
use zonelens::store::names::{Known, Names, build};

/// Names that are asked about.
const ASKED: usize = 1_000;

/// What is hard: all look-alikes, the longest labels, single letters, numbers.
const STRANGE: &[&str] = &[
    "a.com",
    "0.com",
    "123456.com",
    "illillillillillillillillillillill.com",
    "rnrnvvclrnvvclrnvvcl.com",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com",
    "il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1o0il1.com",
    "com.com",
    "com",
    "---.com",
    "ia.com",
    "online.com",
    "xn--80ak6aa92e.com",
    "international.com",
    "-a-a-a-a-a-a-a-a-a-a.com",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [mode, file, rest @ ..] = &arguments[..] else { panic!("usage: MODE NAMES …") };
    let text = std::fs::read_to_string(file).unwrap();
    let names: Vec<&str> = text.lines().collect();
    match (*mode, rest) {
        ("speed", [folder]) => speed(&names, folder, names.len()),
        ("speed", [folder, count]) => speed(&names, folder, count.parse().unwrap()),
        ("recall", [folder, pairs]) => recall(&names, folder, pairs),
        ("twistrs", []) => twistrs(&names),
        _ => panic!("usage: speed NAMES FOLDER [COUNT] | recall NAMES FOLDER PAIRS | twistrs NAMES"),
    }
}

fn index(names: &[&str], folder: &str, count: usize) -> Names {
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("names-{count}"));
    let made = if count > names.len() { generated(names, count - names.len()) } else { String::new() };
    // Every n-th: popular and rare ones alike.
    let step = (names.len() as f64 / count as f64).max(1.0);
    let some = (0..count.min(names.len())).map(|at| names[(at as f64 * step) as usize]);
    let start = Instant::now();
    let index = build(&path, some.chain(made.lines())).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let meta = index.meta();
    println!(
        "{} names, {} labels, {} keys: {:.2} bytes a name ({:?} and places), built in {seconds:.1} s",
        meta.names,
        meta.labels,
        meta.keys,
        index.bytes() as f64 / meta.names as f64,
        meta.bytes,
    );
    index
}

fn speed(names: &[&str], folder: &str, count: usize) {
    let index = index(names, folder, count);
    let mut random = Random(7);
    let uniform: Vec<&str> = (0..ASKED).map(|_| names[random.below(names.len())]).collect();
    for depth in [Depth::Report, Depth::All] {
        for (who, asked) in [("popular", &names[..ASKED]), ("any", &uniform[..]), ("strange", STRANGE)] {
            time(&format!("{depth:?}, {who}"), &index, asked, depth);
        }
    }
}

fn recall(names: &[&str], folder: &str, pairs: &str) {
    let index = index(names, folder, names.len());
    let known: HashSet<&str> = names.iter().copied().collect();
    let text = std::fs::read_to_string(pairs).unwrap();
    let mut by_original: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (original, imitation) in text.lines().filter_map(|line| line.split_once('\t')) {
        if known.contains(imitation) && original != imitation {
            by_original.entry(original).or_default().insert(imitation);
        }
    }
    for depth in [Depth::Report, Depth::All] {
        let (mut all, mut found, mut missed) = (0, 0, Vec::new());
        for (original, imitations) in &by_original {
            let Some(target) = DomainName::parse(original).ok().and_then(|name| Target::of(&name)) else {
                continue;
            };
            let mut search = Search::new(target, depth);
            let mut known = Vec::new();
            search.within(&index, &mut known).unwrap();
            let alike: HashSet<String> = known
                .iter()
                .flat_map(|known| {
                    let of_label = search.target.techniques(&known.label);
                    let fits =
                        |suffix: &&str| !search.target.under(of_label, &known.label, suffix).is_empty();
                    known
                        .suffixes
                        .iter()
                        .map(|suffix| suffix.as_str())
                        .filter(fits)
                        .map(|suffix| format!("{}.{suffix}", known.label))
                        .collect::<Vec<_>>()
                })
                .collect();
            all += imitations.len();
            for imitation in imitations {
                if alike.contains(*imitation) {
                    found += 1
                } else {
                    missed.push(format!("{original} {imitation}"))
                }
            }
        }
        println!("{depth:?}: {found} of {all} found, {:.2} %", found as f64 / all as f64 * 100.0);
        missed.sort();
        missed.iter().take(20).for_each(|pair| println!("  missed {pair}"));
    }
}

fn twistrs(names: &[&str]) {
    let start = ThreadTime::now();
    let (mut asked, mut made) = (0, 0);
    for name in &names[..ASKED] {
        let Ok(domain) = twistrs::permutate::Domain::new(name) else { continue };
        asked += 1;
        made += domain.all(&twistrs::filter::Permissive).count();
    }
    let us = start.elapsed().as_secs_f64() * 1e6;
    println!(
        "twistrs: {asked} names, {:.0} permutations and {:.0} µs each",
        made as f64 / asked as f64,
        us / asked as f64
    );
}

/// Asks for each name twice, and counts the second time: what is read once is in memory.
fn time(what: &str, index: &Names, asked: &[&str], depth: Depth) {
    let mut times = Vec::new();
    let mut by_technique: HashMap<&str, usize> = HashMap::new();
    let mut all = 0;
    for round in 0..2 {
        for name in asked {
            let start = ThreadTime::now();
            let Some(target) = DomainName::parse(name).ok().and_then(|name| Target::of(&name)) else {
                continue;
            };
            let mut search = Search::new(target, depth);
            let mut found: Vec<Known> = Vec::new();
            search.within(index, &mut found).unwrap();
            let mut alike = 0;
            for known in &found {
                let of_label = search.target.techniques(&known.label);
                for suffix in &known.suffixes {
                    let techniques = search.target.under(of_label, &known.label, suffix);
                    alike += usize::from(!techniques.is_empty());
                    if round == 0
                        && let Some(first) = techniques.iter().next()
                    {
                        *by_technique.entry(first.name).or_default() += 1;
                    }
                }
            }
            let us = start.elapsed().as_secs_f64() * 1e6;
            if round == 1 {
                times.push((us, *name));
                all += alike;
            }
        }
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].0;
    let worst: Vec<String> =
        times.iter().rev().take(5).map(|(us, name)| format!("{us:.0} ({name})")).collect();
    println!(
        "{what}: p50 {:.0} µs, p90 {:.0}, p99 {:.0}, worst {}; {:.1} found",
        at(0.5),
        at(0.9),
        at(0.99),
        worst.join(", "),
        all as f64 / times.len() as f64
    );
    let counts: Vec<String> = TECHNIQUES
        .iter()
        .filter_map(|row| Some(format!("{} {}", row.name, by_technique.get(row.name)?)))
        .collect();
    println!("  {}", counts.join(", "));
}

/// Names made of the first part of one and the last part of another, under the suffix of a third.
fn generated(names: &[&str], count: usize) -> String {
    let mut random = Random(11);
    let mut text = String::new();
    for _ in 0..count {
        let label = |random: &mut Random| names[random.below(names.len())].split('.').next().unwrap_or("a");
        let (a, b) = (label(&mut random), label(&mut random));
        let suffix = names[random.below(names.len())].split_once('.').map_or("com", |(_, suffix)| suffix);
        if a.is_ascii() && b.is_ascii() && !a.contains("--") && !b.contains("--") {
            text.push_str(&a[..a.len().div_ceil(2)]);
            text.push_str(&b[b.len() / 2..]);
            text.push('.');
            text.push_str(suffix);
            text.push('\n');
        }
    }
    text
}

/// A small generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
