//! `forget`: what must be known no longer.

use std::io::{BufRead as _, IsTerminal as _, Write};

use super::table::grouped;
use super::{Code, Failure, Program};
use crate::indicator::Indicator;
use crate::store::{Found, Subject};
use crate::upkeep;

const EXAMPLE: &str = "\
Examples:
  zonelens forget ann.example            # the name and all below it
  zonelens forget --client pc-ann --yes
  zonelens merge && zonelens verify --forgotten ann.example";

/// Forget a domain, an address, a URL, a file or a client of one's own, for every moment asked about
///
/// From then on no answer knows it or names it elsewhere; its bytes go with the next merge. A domain stands for all names
/// below it and URLs on them, a file for all its hashes. What comes later is taken in, unless --also-in-future.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Forget {
    /// A domain, an address, a URL or the hash of a file
    #[arg(required_unless_present = "client", conflicts_with = "client", value_name = "INDICATOR")]
    indicator: Option<String>,
    /// A client of one's own, as contacts name it
    #[arg(long, value_name = "HOST")]
    client: Option<String>,
    /// Take nothing in that names it from now on; only a digest of it is kept
    #[arg(long)]
    also_in_future: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What is to be forgotten, as it was typed.
pub(super) fn subject(indicator: Option<&str>, client: Option<&str>) -> Result<Subject, Failure> {
    match (indicator, client) {
        (Some(text), _) => {
            let indicator =
                Indicator::parse_tagged(text).map_err(|error| Failure::Usage(error.to_string()))?;
            Ok(Subject::indicator(indicator))
        }
        (None, Some(client)) => Ok(Subject::Client(client.to_owned())),
        (None, None) => Err(Failure::Usage("name an indicator, or a --client".to_owned())),
    }
}

impl Forget {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let subject = subject(self.indicator.as_deref(), self.client.as_deref())?;
        let store = program.store()?;
        let found = upkeep::find_named(&store, std::slice::from_ref(&subject))?;
        write_found(&found.0, found.1, out)?;
        if !self.yes {
            writeln!(out, "Forget it? It cannot be taken back. [y/N]")?;
            out.flush()?;
            if !agreed()? {
                writeln!(out, "nothing was forgotten")?;
                return Ok(Code::Bad);
            }
        }
        let number = upkeep::forget(&store, &[subject], self.also_in_future, program.clock.now())?;
        program.audit("forget", &format!("number {number}"))?;
        writeln!(
            out,
            "forgotten (number {number}): no answer knows it; `zonelens merge` takes its bytes out now"
        )?;
        Ok(Code::Done)
    }
}

/// Whether somebody says yes; where nobody can be asked that is an error.
fn agreed() -> Result<bool, Failure> {
    let input = std::io::stdin();
    let mut answer = String::new();
    let read = input.lock().read_line(&mut answer).map_err(super::failed)?;
    if read == 0 && !input.is_terminal() {
        return Err(Failure::Usage("nobody is there to be asked: add --yes".to_owned()));
    }
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Says where something is named.
pub(super) fn write_found(found: &Found, samples: usize, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} rows in {} of {} runs name it", grouped(found.total()), found.runs, found.runs_read)?;
    for (name, rows) in &found.rows {
        writeln!(out, "  {:>10}  {name}", grouped(*rows))?;
    }
    writeln!(out, "{samples} samples of rejected records name it")
}
