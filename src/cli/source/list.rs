//! `source list`, `catalogue`, `rejected`: what there is, and what came of it.

use std::io::Write;

use crate::cli::table::{self, Cell, FAINT, grouped};
use crate::cli::{Code, Failure, Program, failed, shown};
use crate::source::Source;
use crate::source::catalogue::{self, Ready};
use crate::source::known::{self, Known};
use crate::source::quarantine::Quarantine;
use crate::source::status::Status;
use crate::value::Timestamp;

/// Show all sources: where they come from, how fresh they are, what fails or is held back
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source list --json")]
pub(super) struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let all = known::all(&program.registry()?, &program.config.data).map_err(failed)?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&all).expect("only names as keys"))?;
            return Ok(Code::Done);
        }
        if all.is_empty() {
            writeln!(
                out,
                "no sources yet: `zonelens source catalogue` lists some that are ready to be added"
            )?;
            return Ok(Code::Done);
        }
        let now = program.clock.now();
        let rows: Vec<Vec<Cell>> = all.iter().map(|known| row(known, now)).collect();
        let heads = ["source", "every", "TLP", "last good", "rejected", "state", "location"];
        table::write(out, 0, &heads, &rows)?;
        Ok(Code::Done)
    }
}

fn row(known: &Known, now: Timestamp) -> Vec<Cell> {
    let Known { source, status, rejected } = known;
    let good = status.good.map_or_else(|| "never".to_owned(), |good| ago(now, good));
    vec![
        Cell::text(&source.name),
        Cell::text(source.interval.map_or_else(|| "–".to_owned(), |interval| interval.to_string())),
        Cell::text(source.tlp.unwrap_or_default().name()),
        Cell::right(good),
        Cell::number(*rejected),
        Cell::text(shown(&state(source, status))),
        Cell::text(source.location.as_ref().map_or_else(|| "–".to_owned(), |at| shown(&at.to_string())))
            .styled(FAINT),
    ]
}

/// What is to be said of a source, the worst first.
fn state(source: &Source, status: &Status) -> String {
    if source.disabled {
        return "disabled".to_owned();
    }
    if let Some(held) = status.held {
        let (before, now) = (grouped(held.before), grouped(held.now));
        return format!(
            "held: {before} facts before, {now} now; take it with source refresh {} --accept",
            source.name
        );
    }
    if let Some(failed) = &status.failed {
        // What can be done about it is said at length where it fails.
        let reason = failed.reason.lines().next().unwrap_or_default();
        return format!("failed {} times since {}: {reason}", failed.times, failed.since);
    }
    match (&source.location, status.good) {
        (None, _) => "imported by hand".to_owned(),
        (_, None) => "not asked yet".to_owned(),
        _ => "good".to_owned(),
    }
}

/// `12 min ago`.
fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.0 - then.0).max(0);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Show the sources that are ready to be added by their name alone
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source catalogue\n  zonelens source add urlhaus")]
pub(super) struct Catalogue {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

impl Catalogue {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Code, Failure> {
        let all = catalogue::all();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&all).expect("only names as keys"))?;
            return Ok(Code::Done);
        }
        let row = |Ready { title, key, source, .. }: &Ready| {
            vec![
                Cell::text(&source.name),
                Cell::text(source.interval.map(|interval| interval.to_string()).unwrap_or_default()),
                Cell::text(if key.is_some() { "key" } else { "" }),
                Cell::text(source.licence.clone().unwrap_or_default()),
                Cell::text(title),
            ]
        };
        let rows: Vec<Vec<Cell>> = all.iter().map(row).collect();
        table::write(out, 0, &["source", "every", "needs", "licence", "what it is"], &rows)?;
        Ok(Code::Done)
    }
}

/// Show the records of a source's newest import that were not understood, and why
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  zonelens source rejected urlhaus\n  zonelens source rejected urlhaus --json > rejected.ndjson"
)]
pub(super) struct Rejected {
    /// The source
    name: String,
    /// Print the sampled records, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// How many records of a reason are shown.
const SHOWN: usize = 3;

impl Rejected {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        crate::import::source_name(&self.name).map_err(Failure::Usage)?;
        let quarantine = Quarantine::read(&program.config.data, &self.name).map_err(failed)?;
        if self.json {
            for record in &quarantine.sample {
                writeln!(out, "{}", serde_json::to_string(record).expect("texts and numbers"))?;
            }
            return Ok(Code::Done);
        }
        if quarantine.reasons.is_empty() {
            writeln!(out, "the newest import of {} rejected nothing", self.name)?;
            return Ok(Code::Done);
        }
        let (batch, learnt, count) = (quarantine.batch, quarantine.learnt, grouped(quarantine.count()));
        writeln!(out, "batch {batch} of {learnt}: {count} rejected")?;
        for (reason, count) in &quarantine.reasons {
            writeln!(out, "  {} {}", grouped(*count), shown(reason))?;
            for record in quarantine.sample.iter().filter(|record| record.reason == *reason).take(SHOWN) {
                writeln!(out, "    line {}: {}", record.line, shown(&record.detail))?;
                writeln!(out, "      {FAINT}{}{FAINT:#}", shown(&record.text))?;
            }
        }
        Ok(Code::Done)
    }
}
