//! `batches`: every import that ever was.

use std::io::Write;

use super::table::{self, Cell, FAINT};
use super::{Code, Failure, Program};
use crate::feeds::State;
use crate::upkeep;

const EXAMPLE: &str = "\
Examples:
  zonelens batches
  zonelens batches --json";

/// List every batch that was imported, live or retired
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Batches {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

impl Batches {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let batches = upkeep::batches(&program.store()?)?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&batches).expect("only names as keys"))?;
            return Ok(Code::Done);
        }
        let rows: Vec<Vec<Cell>> = batches
            .iter()
            .map(|state| {
                let batch = &state.batch;
                let meaning = if batch.state == State::Whole { "whole" } else { "events" };
                let became = match (state.live, state.retired) {
                    (true, _) => Cell::text("live"),
                    (false, Some(at)) => Cell::text(format!("retired {at}")).styled(FAINT),
                    (false, None) => Cell::text("retired").styled(FAINT),
                };
                vec![
                    Cell::right(batch.seq.to_string()),
                    Cell::text(&batch.source),
                    Cell::text(&batch.format),
                    Cell::text(meaning),
                    Cell::text(batch.observed.to_string()),
                    Cell::text(batch.learnt.to_string()),
                    Cell::number(state.facts()),
                    Cell::number(batch.rejected),
                    became,
                ]
            })
            .collect();
        let heads = [
            "batch",
            "source",
            "format",
            "state",
            "observed",
            "learnt",
            "facts",
            "rejected",
            "live or retired",
        ];
        table::write(out, 0, &heads, &rows)?;
        Ok(Code::Done)
    }
}
