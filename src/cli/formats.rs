//! `formats`: what can be imported.

use std::io::Write;

use super::{Code, Failure};
use crate::feeds::FORMATS;

const EXAMPLE: &str = "\
Example:
  zonelens formats | cut -d' ' -f1";

/// List the formats that `import` reads: one a line, its name first
///
/// The second word says what a format was tried on: `real` content, or samples made after what is `documented`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Formats {}

impl Formats {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Code, Failure> {
        let width = FORMATS.iter().map(|format| format.name.len()).max().unwrap_or(0);
        for format in FORMATS {
            writeln!(out, "{:width$}  {:10}  {}", format.name, format.proof.word(), format.title)?;
        }
        Ok(Code::Done)
    }
}
