//! `policy`: whether a policy is sound, and what it makes of an indicator.

use std::io::Write;
use std::path::PathBuf;

use super::table::{self, Cell, FAINT, HEADING};
use super::{Code, Failure, Program, shown};
use crate::explain::{self, Explanation};
use crate::indicator::Indicator;
use crate::lookup::{Context, Licence};
use crate::request;
use crate::store::StoreError;
use crate::verdict::{Policy, policy};

const EXAMPLE: &str = "\
Examples:
  zonelens policy check my-policy.toml
  zonelens policy explain files.example
  zonelens policy explain --as-of 2024-05-28 --json 192.0.2.1";

/// Check a policy, or explain what it makes of an indicator
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Read a policy and say what is wrong with it, or what in it has no effect
    Check {
        /// The policy [default: the configuration's, else the one that ships with the program]
        file: Option<PathBuf>,
    },
    /// Show each step from the evidence to the zone
    Explain {
        /// A domain, an address, a web address or a file's hash
        indicator: String,
        /// At a past day (its end) or minute: 2024-05-28, 2024-05-28T07:03Z
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl PolicyCommand {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            Action::Check { file } => check(file, program, out),
            Action::Explain { indicator, as_of, json } => explain(&indicator, as_of, json, program, out),
        }
    }
}

fn check(file: Option<PathBuf>, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
    let file = file.or_else(|| program.config.policy.clone());
    let (name, text) = match &file {
        Some(path) => {
            let unreadable = |error| format!("{}: {error}; name a file that can be read", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(unreadable(error)))?;
            (path.display().to_string(), text)
        }
        None => ("the built-in policy".to_owned(), policy::DEFAULT.to_owned()),
    };
    let wrong = |problem: String| Failure::Usage(format!("{name}: {problem}"));
    let policy = Policy::parse(&text).map_err(wrong)?;
    writeln!(out, "{name} is sound: {} version {}", shown(&policy.name), shown(&policy.version))?;
    let warnings = match crate::store::Store::open(&program.config.data) {
        Ok(store) => explain::without_effect(&policy, &text, &store)?,
        Err(error @ StoreError::Missing(_)) => {
            vec![format!("sources and categories were not compared: {error}")]
        }
        Err(error) => return Err(error.into()),
    };
    for warning in warnings {
        writeln!(out, "warning: {}", shown(&warning))?;
    }
    Ok(Code::Done)
}

fn explain(
    text: &str,
    as_of: Option<String>,
    json: bool,
    program: &Program,
    out: &mut dyn Write,
) -> Result<Code, Failure> {
    let now = program.clock.now();
    let indicator = Indicator::parse(text).map_err(|error| Failure::Usage(error.to_string()))?;
    let wrong = |problem| Failure::Usage(format!("--{problem}"));
    let as_of = as_of.map(|text| request::as_of(&text, now)).transpose().map_err(wrong)?.flatten();
    let policy = program.policy()?;
    let store = program.store()?;
    let context = Context {
        store: &store,
        policy: &policy,
        licence: Licence::default(),
        now,
        round_counts: false,
        reader: crate::store::Reader::default(),
    };
    let explanation = explain::explain(&context, &indicator, as_of)?;
    if json {
        writeln!(out, "{}", serde_json::to_string(&explanation).expect("texts and numbers"))?;
    } else {
        write(&explanation, out)?;
    }
    Ok(Code::Done)
}

fn write(explanation: &Explanation, out: &mut dyn Write) -> std::io::Result<()> {
    let Explanation { zone, score, policy, policy_version, hour, .. } = explanation;
    let style = super::text::zone_style(*zone).bold();
    let subject = shown(&explanation.indicator);
    writeln!(
        out,
        "{HEADING}{subject}{HEADING:#}  {style}{zone}: {}{style:#}  score {} of 100",
        zone.word(),
        score.0
    )?;
    let policy = format!("{} version {}", shown(policy), shown(policy_version));
    writeln!(out, "{FAINT}by policy {policy}, at the hour {hour}{FAINT:#}")?;
    writeln!(out, "\n{HEADING}Evidence{HEADING:#}")?;
    if explanation.evidence.is_empty() {
        writeln!(out, "  none")?;
    } else {
        let heads = [
            "Source",
            "Category",
            "Indicator",
            "Match",
            "Age",
            "Weight",
            "×",
            "Confidence",
            "×",
            "Decay",
            "×",
            "Factor",
            "=",
            "Contribution",
            "Counted",
        ];
        let rows: Vec<Vec<Cell>> = explanation
            .evidence
            .iter()
            .map(|row| {
                let four = |value: f64| Cell::right(format!("{value:.4}"));
                let counted =
                    row.counted_with.as_ref().map_or("yes".to_owned(), |with| format!("with {with}"));
                vec![
                    Cell::text(shown(&row.source)),
                    Cell::text(row.category.short_name()).styled(super::text::zone_style(row.zone)),
                    Cell::text(shown(&row.indicator)),
                    Cell::text(row.r#match.name()),
                    Cell::right(format!("{:.1} d", row.age)),
                    four(row.weight),
                    Cell::text("×"),
                    four(row.source_confidence),
                    Cell::text("×"),
                    four(row.decay),
                    Cell::text("×"),
                    four(row.factor),
                    Cell::text("="),
                    Cell::right(format!("{:.6}", row.contribution)),
                    Cell::text(shown(&counted)),
                ]
            })
            .collect();
        table::write(out, 2, &heads, &rows)?;
    }
    writeln!(out, "\n{HEADING}Score{HEADING:#}")?;
    let rows: Vec<Vec<Cell>> = explanation
        .steps
        .iter()
        .map(|step| vec![Cell::text(&step.step), Cell::right(&step.value), Cell::text(shown(&step.why))])
        .collect();
    table::write(out, 2, &["Step", "Value", "Why"], &rows)
}
