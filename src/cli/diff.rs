//! `diff`: what changed of an indicator between two moments.

use std::io::Write;

use super::table::{self, Cell, FAINT, HEADING};
use super::{Code, Failure, Program, shown};
use crate::history::diff::{Diff as Difference, Side, diff};
use crate::history::rows::{SectionDiff, row_key, seen};
use crate::history::{Change, How};
use crate::indicator::Indicator;
use crate::lookup::{Context, Licence};
use crate::request;

const EXAMPLE: &str = "\
Examples:
  zonelens diff files.example --from 2024-05-01
  zonelens diff 192.0.2.1 --from 2024-05-01 --to 2024-05-28T07:03Z --json

Exit code: 0 something is known, 2 wrong input, 3 nothing was known at either moment.";

/// How many rows of a section a person is shown as come, and as gone.
const ROWS_SHOWN: usize = 10;

/// Show what changed of an indicator between two moments
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Diff {
    /// A domain or an address, defanged or not
    indicator: String,
    /// The earlier moment: a past day (its end) or minute, 2024-05-28 or 2024-05-28T07:03Z
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The later moment [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let now = program.clock.now();
        let indicator =
            Indicator::parse(&self.indicator).map_err(|error| Failure::Usage(error.to_string()))?;
        let moment = |name: &str, text: &str| {
            request::moment(name, text, now).map_err(|problem| Failure::Usage(format!("--{problem}")))
        };
        let from = moment("from", &self.from)?;
        let to = self.to.as_ref().map(|to| moment("to", to)).transpose()?.flatten();
        let policy = program.policy()?;
        let store = program.store()?;
        let context = Context {
            store: &store,
            policy: &policy,
            licence: Licence::default(),
            now,
            round_counts: program.config.http.round_counts,
            reader: crate::store::Reader::default(),
        };
        match diff(&context, &indicator, from, to) {
            Ok(diff) if self.json => {
                writeln!(out, "{}", serde_json::to_string(&diff).expect("only texts as keys"))?;
                Ok(Code::Done)
            }
            Ok(diff) => {
                write(&diff, out)?;
                Ok(Code::Done)
            }
            Err(error) => super::unanswered(error),
        }
    }
}

fn write(diff: &Difference, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{HEADING}{}{HEADING:#}", shown(&diff.indicator))?;
    let row = |name: &str, side: &Side| {
        let categories = side.categories.iter().map(|category| category.short_name()).collect::<Vec<_>>();
        let zone = if side.known { side.zone.name() } else { "nothing known" };
        vec![
            Cell::text(name),
            Cell::text(side.at.to_string()),
            Cell::text(zone).styled(super::text::zone_style(side.zone)),
            Cell::right(side.score.0.to_string()),
            Cell::text(categories.join(", ")),
        ]
    };
    let rows = [row("from", &diff.from), row("to", &diff.to)];
    table::write(out, 2, &["", "Moment", "Zone", "Score", "Categories"], &rows)?;
    writeln!(out, "\n{HEADING}Why{HEADING:#}")?;
    for change in &diff.changes {
        writeln!(out, "  {}", line(change))?;
    }
    if diff.changes.is_empty() {
        writeln!(out, "  {FAINT}nothing that the zone rests on changed{FAINT:#}")?;
    }
    for section in &diff.sections {
        write_section(section, out)?;
    }
    if diff.sections.is_empty() {
        writeln!(out, "\n{FAINT}No section of the report differs{FAINT:#}")?;
    }
    Ok(())
}

/// A change in a line: `+ threats lists …`.
pub(super) fn line(change: &Change) -> String {
    let mark = match change.change {
        How::Came => '+',
        How::Went => '-',
        How::Changed => '~',
    };
    format!("{mark} {}", shown(&change.text))
}

fn write_section(section: &SectionDiff, out: &mut dyn Write) -> std::io::Result<()> {
    let SectionDiff { name, title, .. } = section;
    let rows = match (section.rows_from, section.rows_to) {
        (Some(from), Some(to)) => format!("  {FAINT}{from} rows, then {to}{FAINT:#}"),
        _ => String::new(),
    };
    writeln!(out, "\n{HEADING}{title}{HEADING:#}{rows}")?;
    for (mark, rows, count) in
        [('+', &section.came, section.came_count), ('-', &section.went, section.went_count)]
    {
        for row in rows.iter().take(ROWS_SHOWN) {
            let when = seen(row);
            let when = if when.is_empty() { String::new() } else { format!("  {FAINT}{when}{FAINT:#}") };
            writeln!(out, "  {mark} {}{when}", shown(&row_key(name, row)))?;
        }
        if count > ROWS_SHOWN {
            writeln!(
                out,
                "  {FAINT}{mark} and {} more: --json shows up to 100{FAINT:#}",
                count - ROWS_SHOWN
            )?;
        }
    }
    for change in section.changed.iter().take(2 * ROWS_SHOWN) {
        let (field, from, to) =
            (shown(&change.field), shown(&change.from.to_string()), shown(&change.to.to_string()));
        writeln!(out, "  ~ {field}: {from} → {to}")?;
    }
    if section.changed.len() > 2 * ROWS_SHOWN {
        let more = section.changed.len() - 2 * ROWS_SHOWN;
        writeln!(out, "  {FAINT}~ and {more} more: --json shows up to 100{FAINT:#}")?;
    }
    if section.cut {
        writeln!(
            out,
            "  {FAINT}of more than 1,000 rows a report lists 1,000: some may differ only by that{FAINT:#}"
        )?;
    }
    Ok(())
}
