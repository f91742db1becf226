//! `source refresh`: asks sources now.

use std::io::Write;

use crate::cli::import::write_summary;
use crate::cli::progress::Progress;
use crate::cli::{Code, Failure, Program, talk};
use crate::source::Source;
use crate::source::refresh::{self, Options, Outcome};

const EXAMPLE: &str = "\
Examples:
  zonelens source refresh
  zonelens source refresh urlhaus threatfox
  zonelens source refresh urlhaus --accept";

/// Ask sources for what they have now, and import it
///
/// A source that fails loses nothing: what it said last still counts. The others are asked all the same, and the
/// command then ends with 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Refresh {
    /// Which [default: all that have a location and are not disabled]
    names: Vec<String>,
    /// Take a list also where more than 30 % is gone from it
    #[arg(long)]
    accept: bool,
    /// Fetch it also where its server says that nothing changed
    #[arg(long)]
    force: bool,
}

impl Refresh {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let registry = program.registry()?;
        let mut wanted: Vec<&Source> = Vec::new();
        for name in &self.names {
            wanted.push(registry.find(name).ok_or_else(|| {
                Failure::Usage(format!("there is no source {name}: `zonelens source list` shows all"))
            })?);
        }
        if self.names.is_empty() {
            wanted = registry.iter().filter(|one| one.location.is_some() && !one.disabled).collect();
        }
        if wanted.is_empty() {
            return Err(Failure::Usage(
                "there is no source to ask: `zonelens source catalogue` lists some that are ready".to_owned(),
            ));
        }
        let store = program.store_or_new()?;
        let mut code = Code::Done;
        for source in wanted {
            let options = Options {
                now: program.clock.now(),
                accept: self.accept,
                force: self.force,
                wait: true,
                telemetry: program.config.telemetry,
                buffer_bytes: program.config.import.buffer_mb << 20,
            };
            let mut progress = Progress::new();
            let result =
                refresh::refresh(&store, &registry, source, &options, &mut |step| progress.refresh(step));
            progress.finish();
            let name = &source.name;
            match result {
                Ok(Outcome::NotModified) => writeln!(out, "{name}: not modified")?,
                Ok(Outcome::Busy) => writeln!(out, "{name}: another process refreshes it now")?,
                Ok(Outcome::Imported(summaries)) => {
                    for summary in &summaries {
                        program.audit("import", &format!("batch {} of {}", summary.batch, summary.source))?;
                        write!(out, "{name}: ")?;
                        write_summary(summary, out)?;
                    }
                }
                Err(error) => {
                    out.flush()?;
                    talk(&format!("{name}: {error}"));
                    code = Code::Bad;
                }
            }
        }
        Ok(code)
    }
}
