//! `verify`: whether the store is what was written.

use std::io::Write;

use super::forget::{subject, write_found};
use super::{Code, Failure, Program};
use crate::{store, upkeep};

const EXAMPLE: &str = "\
Examples:
  zonelens verify && echo sound
  zonelens verify --forgotten ann.example";

/// Check every byte of the store; list damage and the batches to import again
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Verify {
    /// Look through all rows, samples of rejected records too, for something that was forgotten: the proof that it went
    #[arg(long, value_name = "INDICATOR", conflicts_with = "forgotten_client")]
    forgotten: Option<String>,
    /// The same for a client of one's own
    #[arg(long, value_name = "HOST")]
    forgotten_client: Option<String>,
}

impl Verify {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        if self.forgotten.is_some() || self.forgotten_client.is_some() {
            let subject = subject(self.forgotten.as_deref(), self.forgotten_client.as_deref())?;
            let (found, samples) = upkeep::find_named(&program.store()?, &[subject])?;
            write_found(&found, samples, out)?;
            return Ok(if found.total() == 0 && samples == 0 { Code::Done } else { Code::Bad });
        }
        let found = store::verify(&program.config.data)?;
        if found.damage.is_empty() {
            writeln!(out, "{} runs, all as they were written", found.runs)?;
            return Ok(Code::Done);
        }
        for damage in &found.damage {
            writeln!(out, "{damage}")?;
        }
        if !found.lost.is_empty() {
            let numbers: Vec<String> = found.lost.iter().map(|batch| batch.seq.to_string()).collect();
            if found.runs == 0 {
                writeln!(out, "the store cannot be opened: import again, into a new folder:")?;
            } else {
                writeln!(out, "retire {}, then import again:", numbers.join(" "))?;
            }
        }
        for batch in &found.lost {
            let facts: u64 = batch.facts.values().sum();
            writeln!(
                out,
                "  batch {}: source {}, format {}, observed {}, learnt {}, {facts} facts, SHA-256 {}",
                batch.seq, batch.source, batch.format, batch.observed, batch.learnt, batch.digest
            )?;
        }
        Ok(Code::Bad)
    }
}
