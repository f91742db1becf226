//! `verify`: whether the store is what was written.

use std::io::Write;

use super::{Code, Failure, Program};
use crate::store;

const EXAMPLE: &str = "\
Example:
  zonelens verify && echo sound";

/// Check every byte of the store; list damage and the batches to import again
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Verify {}

impl Verify {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
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
