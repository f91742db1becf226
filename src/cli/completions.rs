//! `completions`: for shells.

use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Code, Failure};

const EXAMPLE: &str = "\
Example:
  zonelens completions bash > ~/.local/share/bash-completion/completions/zonelens";

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Code, Failure> {
        // Into memory first: the generator panics where it cannot write.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "zonelens", &mut text);
        out.write_all(&text)?;
        Ok(Code::Done)
    }
}
