//! `merge`: fewer runs, and what is old folded.

use std::io::Write;

use super::{Code, Failure, Program};

const EXAMPLE: &str = "\
Example:
  zonelens merge        # from cron, once a day";

/// Join the runs of each period into one, and fold what is older than the retention
///
/// A day, older ones a month, then a year. What is folded: hits by day of days older than retention.detail_days,
/// and names seen once by the ten thousand below one (retention.fold_names). Nothing else changes an answer.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Merge {}

impl Merge {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let (before, after) =
            program.store()?.merge(program.clock.now(), &program.config.retention.into())?;
        writeln!(out, "{before} runs, {after} after the merge")?;
        Ok(Code::Done)
    }
}
