//! `source overlap`: what sources have in common.

use std::io::Write;

use crate::cli::table::{self, Cell, FAINT};
use crate::cli::{Code, Failure, Program, shown};
use crate::overlap;

/// How many other sources a person is shown of each.
const OTHERS_SHOWN: usize = 5;

/// Show how much of each source stands in each other one, and who had it first
///
/// A source that another was copied from is named in the policy, so that the two count once:
/// [sources.copy] derived_from = "original"
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source overlap --json")]
pub(super) struct Overlap {
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Overlap {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let overlap = overlap::overlap(&program.store()?, &program.policy()?, program.clock.now())?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&overlap).expect("texts and numbers"))?;
        } else {
            write(&overlap, out)?;
        }
        Ok(Code::Done)
    }
}

fn write(overlap: &overlap::Overlap, out: &mut dyn Write) -> std::io::Result<()> {
    let percent = |share: f64| Cell::right(format!("{:.1} %", share * 100.0));
    let mut rows = Vec::new();
    for source in &overlap.sources {
        let mut head = vec![
            Cell::text(shown(&source.source)),
            Cell::number(source.listed),
            Cell::number(source.unique),
            percent(source.unique_share),
        ];
        for one in source.shared.iter().take(OTHERS_SHOWN) {
            head.extend([
                Cell::text(shown(&one.with)),
                Cell::number(one.shared),
                percent(one.share),
                Cell::number(one.first),
                Cell::number(one.later),
            ]);
            rows.push(std::mem::replace(&mut head, blank(4)));
        }
        if source.shared.is_empty() {
            head.extend([
                Cell::text("–"),
                Cell::right(""),
                Cell::right(""),
                Cell::right(""),
                Cell::right(""),
            ]);
            rows.push(head);
        } else if let Some(more) = source.shared.len().checked_sub(OTHERS_SHOWN).filter(|more| *more > 0) {
            head.extend([Cell::text(format!("and {more} more")).styled(FAINT)]);
            head.extend(blank(4));
            rows.push(head);
        }
    }
    let heads = ["source", "lists", "alone", "share", "also in", "shared", "share", "first", "later"];
    table::write(out, 0, &heads, &rows)?;
    for source in &overlap.sources {
        let name = shown(&source.source);
        if let Some(origin) = &source.derived_from {
            writeln!(out, "{name} is derived from {} (policy)", shown(origin))?;
        }
        if let Some(origin) = &source.perhaps_derived_from {
            let origin = shown(origin);
            writeln!(
                out,
                "{name} may be derived from {origin}: nearly all of it stands there, and {origin} was first; \
                 [sources.{name}] derived_from = \"{origin}\" in the policy makes the two count once"
            )?;
        }
    }
    Ok(())
}

fn blank(cells: usize) -> Vec<Cell> {
    (0..cells).map(|_| Cell::right("")).collect()
}
