//! `retire`: facts that never were.

use std::io::Write;

use super::{Code, Failure, Program};
use crate::upkeep;

const EXAMPLE: &str = "\
Examples:
  zonelens retire 12 13
  zonelens retire --source old-feed";

/// Take batches back: their facts never were, for every moment asked about
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Retire {
    /// Numbers of batches, as `zonelens batches` lists them
    #[arg(required_unless_present = "source", value_name = "BATCH")]
    batches: Vec<u64>,
    /// All live batches of a source
    #[arg(long, value_name = "NAME", conflicts_with = "batches")]
    source: Option<String>,
}

impl Retire {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let store = program.store()?;
        let mut batches = match &self.source {
            Some(source) => upkeep::live_batches(&store, source)?,
            None => self.batches,
        };
        batches.sort_unstable();
        batches.dedup();
        if let (Some(source), true) = (&self.source, batches.is_empty()) {
            return Err(Failure::Failed(format!(
                "the source {source:?} has no live batch: `zonelens batches` lists those that are"
            )));
        }
        let retired = store.retire(&batches, program.clock.now())?;
        let numbers: Vec<String> = retired.batches.iter().map(u64::to_string).collect();
        program.audit("retire", &format!("batches {}", numbers.join(", ")))?;
        let rebuilt = match retired.rebuilt {
            0 => String::new(),
            count => format!("; {count} merged runs were made anew without them"),
        };
        writeln!(out, "retired batches {}{rebuilt}", numbers.join(", "))?;
        Ok(Code::Done)
    }
}
