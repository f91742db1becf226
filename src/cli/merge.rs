//! `merge`: fewer runs, the same answers.

use std::io::Write;

use super::{Code, Failure, Program};

const EXAMPLE: &str = "\
Example:
  zonelens merge        # from cron, once a day";

/// Join the runs of each period into one: fewer files to read, the same answers
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
