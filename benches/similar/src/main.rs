//! The index of names alone: `zonelens-bench-similar NAMES FOLDER [GENERATED]`.
//!
//! NAMES is a file of registrable names, one a line, the most popular ones first. With GENERATED, so many more are made
//! of the parts of those. Prints size, time to build, and microseconds
//! of the processor a question.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use cpu_time::ThreadTime;

use zonelens::dossier::similar::{Depth, Search};
use zonelens::indicator::DomainName;
use zonelens::similar::{TECHNIQUES, Target};
use zonelens::store::names::{Known, Names, build};

/// Names that are asked about.
const ASKED: usize = 2_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, folder, rest @ ..] = &arguments[..] else { panic!("usage: zonelens-bench-similar NAMES FOLDER [GENERATED]") };
    let text = std::fs::read_to_string(file).unwrap();
    let names: Vec<&str> = text.lines().collect();
    let count = rest.first().map_or(names.len(), |count| count.parse().unwrap());
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("names-{count}"));
    let start = Instant::now();
    let index = if count <= names.len() {
        // Every n-th: popular and rare ones alike.
        let step = names.len() as f64 / count as f64;
        let some: Vec<&str> = (0..count).map(|at| names[(at as f64 * step) as usize]).collect();
        build(&path, some.into_iter())
    } else {
        let made = generated(&names, count - names.len());
        println!("generated in {:.1} s", start.elapsed().as_secs_f64());
        build(&path, names.iter().copied().chain(made.lines()))
    }
    .unwrap();
    let meta = index.meta();
    println!(
        "{} names, {} labels, {} keys: {:.2} bytes a name ({:?} and places), built in {:.1} s",
        meta.names,
        meta.labels,
        meta.keys,
        index.bytes() as f64 / meta.names as f64,
        meta.bytes,
        start.elapsed().as_secs_f64(),
    );
    let mut random = Random(7);
    let uniform: Vec<&str> = (0..ASKED).map(|_| names[random.below(names.len())]).collect();
    for (who, asked) in [("most popular", &names[..ASKED]), ("any", &uniform[..])] {
        for depth in [Depth::Report, Depth::All] {
            time(&format!("{who}, {depth:?}"), &index, asked, depth);
        }
    }
}

/// Asks for each name twice, and counts the second time: what is read once is in memory.
fn time(what: &str, index: &Names, asked: &[&str], depth: Depth) {
    let mut times = Vec::new();
    let mut by_technique: HashMap<&str, usize> = HashMap::new();
    let mut all = 0;
    let mut slowest = (0.0, "");
    for round in 0..2 {
        for name in asked {
            let start = ThreadTime::now();
            let Some(target) = DomainName::parse(name).ok().and_then(|name| Target::of(&name)) else { continue };
            let mut search = Search::new(target, depth);
            let mut found: Vec<Known> = Vec::new();
            search.within(index, &mut found).unwrap();
            let mut alike = 0;
            for known in &found {
                let of_label = search.target.techniques(&known.label);
                for suffix in &known.suffixes {
                    let techniques = search.target.under(of_label, &known.label, suffix);
                    alike += usize::from(!techniques.is_empty());
                    if round == 0 && let Some(first) = techniques.iter().next() {
                        *by_technique.entry(first.name).or_default() += 1;
                    }
                }
            }
            let us = start.elapsed().as_secs_f64() * 1e6;
            if round == 1 {
                times.push(us);
                all += alike;
                if us > slowest.0 { slowest = (us, name); }
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: p50 {:.0} µs, p90 {:.0}, p99 {:.0}, worst {:.0} ({}); {:.1} found",
        at(0.5), at(0.9), at(0.99), at(1.0), slowest.1, all as f64 / times.len() as f64
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
