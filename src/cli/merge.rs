//! `merge`: fewer runs, what is old folded, what must not be there taken out.

use std::io::Write;
use std::sync::atomic::AtomicBool;

use super::{Code, Failure, Program};
use crate::upkeep;

const EXAMPLE: &str = "\
Examples:
  zonelens merge            # from cron, once a day
  zonelens merge --forget   # only takes out what must not be there";

/// Join the runs of each period into one, fold what is older than the retention, take out what must not be there
///
/// A day, older ones a month, then a year. What is folded: hits by day of days older than retention.detail_days,
/// and names seen once by the ten thousand below one (retention.fold_names). What is taken out: what is forgotten, and
/// what is older than its source's keep_days or retention.contact_days. Nothing else changes an answer.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Merge {
    /// Join and fold nothing
    #[arg(long)]
    forget: bool,
}

impl Merge {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let store = program.store()?;
        let (now, never) = (program.clock.now(), AtomicBool::new(false));
        let keep = upkeep::keep(&program.registry()?, program.config.retention.contact_days, now);
        let tidied = upkeep::tidy(&store, now, &keep, &never)?;
        if !tidied.gone.is_empty() {
            let numbers: Vec<String> = tidied.gone.iter().map(u64::to_string).collect();
            writeln!(out, "retired batches {}: older than they are kept", numbers.join(", "))?;
        }
        if tidied.rewritten > 0 {
            writeln!(out, "{} runs made anew without what must not be there", tidied.rewritten)?;
        }
        for number in &tidied.erased {
            writeln!(out, "forgotten number {number}: nothing of it is left")?;
        }
        if self.forget {
            return Ok(Code::Done);
        }
        let (before, after) = store.merge(now, &program.config.retention.into())?;
        writeln!(out, "{before} runs, {after} after the merge")?;
        Ok(Code::Done)
    }
}
