//! `config`: what is in effect.

use std::io::Write;

use super::{Code, Failure, Program};

const EXAMPLE: &str = "\
Example:
  zonelens config > zonelens.toml";

/// Print the configuration that is in effect, as a file that reads back
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct PrintConfig {}

impl PrintConfig {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        program.config.policy().map_err(Failure::Usage)?;
        write!(out, "{}", program.config.to_toml())?;
        Ok(Code::Done)
    }
}
