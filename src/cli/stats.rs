//! `stats`: how much there is and how fresh.

use std::io::Write;

use super::table::{self, Cell};
use super::{Code, Failure, Program};
use crate::feeds::State;
use crate::upkeep::{self, SourceStats};

const EXAMPLE: &str = "\
Examples:
  zonelens stats
  zonelens stats --json";

/// Show how much the store holds, and how fresh each source is
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Stats {
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let stats = upkeep::stats(&program.store()?, program.clock.now())?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&stats).expect("only names as keys"))?;
            return Ok(Code::Done);
        }
        writeln!(out, "objects  {}", table::grouped(stats.objects))?;
        writeln!(out, "rows     {}", table::grouped(stats.rows))?;
        let facts = stats.facts.iter().map(|(kind, count)| format!("{} {kind}", table::grouped(*count)));
        let facts = facts.collect::<Vec<_>>().join(", ");
        writeln!(out, "facts    {}", if facts.is_empty() { "none" } else { &facts })?;
        writeln!(out, "batches  {}", table::grouped(stats.batches as u64))?;
        writeln!(out, "runs     {}", table::grouped(stats.runs as u64))?;
        let kept = match stats.bytes_kept {
            0 => String::new(),
            kept => format!(", and {} kept beside merged runs", table::bytes(kept)),
        };
        writeln!(out, "disk     {}{kept}", table::bytes(stats.bytes))?;
        if stats.sources.is_empty() {
            return Ok(Code::Done);
        }
        writeln!(out)?;
        let rows: Vec<Vec<Cell>> = stats
            .sources
            .iter()
            .map(|source| {
                vec![
                    Cell::text(&source.source),
                    Cell::text(if source.state == State::Whole { "whole" } else { "events" }),
                    Cell::number(source.batches as u64),
                    Cell::number(source.facts),
                    Cell::text(source.observed.to_string()),
                    Cell::text(source.learnt.to_string()),
                    Cell::right(age(source.age_hours)),
                    Cell::number(source.rejected),
                    Cell::text(asked(source)),
                ]
            })
            .collect();
        let heads =
            ["source", "state", "batches", "facts", "newest observed", "learnt", "age", "rejected", "asked"];
        table::write(out, 0, &heads, &rows)?;
        Ok(Code::Done)
    }
}

/// What came of asking for a source, the worst first.
fn asked(source: &SourceStats) -> String {
    match (&source.held, &source.failed, source.good) {
        (Some(_), ..) => "held".to_owned(),
        (None, Some(failed), _) => format!("failed {} times", failed.times),
        (None, None, Some(_)) => "good".to_owned(),
        (None, None, None) => "by hand".to_owned(),
    }
}

fn age(hours: i64) -> String {
    if hours < 48 { format!("{hours} h") } else { format!("{} d", hours / 24) }
}
