//! `timeline`: when an indicator was in which zone, and why that changed.

use std::io::Write;

use super::table::{FAINT, HEADING};
use super::{Code, Failure, Program, shown};
use crate::history::timeline::{Timeline as Times, timeline};
use crate::indicator::Indicator;
use crate::lookup::{Context, Licence};

const EXAMPLE: &str = "\
Examples:
  zonelens timeline files.example
  zonelens timeline --json 192.0.2.1

Exit code: 0 something is known, 2 wrong input, 3 nothing is known.";

/// How many causes of a change a person is shown.
const CAUSES_SHOWN: usize = 5;

/// Show when an indicator was in which zone, and why that changed
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Timeline {
    /// A domain, an address, a web address or a file's hash
    indicator: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Timeline {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let now = program.clock.now();
        let indicator =
            Indicator::parse(&self.indicator).map_err(|error| Failure::Usage(error.to_string()))?;
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
        match timeline(&context, &indicator) {
            Ok(times) if self.json => {
                writeln!(out, "{}", serde_json::to_string(&times).expect("only texts as keys"))?;
                Ok(Code::Done)
            }
            Ok(times) => {
                write(&times, out)?;
                Ok(Code::Done)
            }
            Err(error) => super::unanswered(error),
        }
    }
}

fn write(times: &Times, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{HEADING}{}{HEADING:#}", shown(&times.indicator))?;
    if let Some(cut) = times.cut_before {
        writeln!(
            out,
            "  {FAINT}before {cut} there is more: the newest {} moments are shown{FAINT:#}",
            times.moments
        )?;
    }
    for span in &times.spans {
        let style = super::text::zone_style(span.zone).bold();
        let score = match (span.score_first.0, span.score_last.0) {
            (first, last) if first == last => format!("score {first}"),
            (first, last) => format!("score {first}, then {last}"),
        };
        let until = span.to.map_or("now".to_owned(), |to| to.to_string());
        let categories = span.categories.iter().map(|category| category.short_name()).collect::<Vec<_>>();
        let (zone, categories) = (span.zone, categories.join(", "));
        let text = format!("  {} to {until:17}  {style}{zone:6}{style:#}  {score}  {categories}", span.from);
        writeln!(out, "{}", text.trim_end())?;
        for cause in span.causes.iter().take(CAUSES_SHOWN) {
            writeln!(out, "    {}", super::diff::line(cause))?;
        }
        if span.causes.len() > CAUSES_SHOWN {
            let more = span.causes.len() - CAUSES_SHOWN;
            writeln!(out, "    {FAINT}and {more} more: --json shows them{FAINT:#}")?;
        }
    }
    if times.spans.is_empty() {
        writeln!(out, "  {FAINT}nothing ever spoke for or against it{FAINT:#}")?;
    }
    if !times.is_exact {
        writeln!(out, "  {FAINT}too much changed: some changes by age are not to the hour{FAINT:#}")?;
    }
    Ok(())
}
