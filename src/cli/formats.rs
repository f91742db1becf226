//! `formats`: what can be imported.

use std::io::Write;

use super::{Code, Failure};
use crate::feeds::{FORMATS, Proof};

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
            let proof = match format.proof {
                Proof::Sample => "",
                Proof::Documentation => " (by its documentation, not proven on a real file)",
            };
            writeln!(out, "{:width$}  {}{proof}", format.name, format.title)?;
        }
        Ok(Code::Done)
    }
}
