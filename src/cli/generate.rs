//! `generate`: telemetry of any size from a seed, for benchmarks. Hidden: it is of no use to an operator.

use std::io::{self, Write};

use super::{Code, Failure, Program};
use crate::generate::Generator;

const EXAMPLE: &str = "\
Examples:
  zonelens generate cof --names 1000000 --lines 20000000 > passive-dns.ndjson
  zonelens generate telemetry --seed 2 --days 30 --lines 1000000 | zonelens import --format native -";

/// Write made-up telemetry for benchmarks to standard output
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Generate {
    /// What to write
    what: What,
    /// Equal seeds give equal bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Names in the world
    #[arg(long, default_value_t = 1_000_000)]
    names: u64,
    /// Lines to write
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    /// Days that the lines tell of, up to now
    #[arg(long, default_value_t = 60)]
    days: u32,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    /// Passive DNS in the Common Output Format
    Cof,
    /// Web and file telemetry in the native format
    Telemetry,
    /// Listings of hosts in the native format
    Listings,
}

impl Generate {
    pub(super) fn run(self, program: &Program) -> Result<Code, Failure> {
        let generator = Generator::new(self.seed, self.names, self.days, program.clock.now());
        // Not through the terminal's colour filter: this is a lot.
        let mut out = io::stdout().lock();
        match self.what {
            What::Cof => generator.write_cof(&mut out, self.lines)?,
            What::Telemetry => generator.write_telemetry(&mut out, self.lines)?,
            What::Listings => generator.write_listings(&mut out, self.lines)?,
        }
        out.flush()?;
        Ok(Code::Done)
    }
}
