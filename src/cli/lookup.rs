//! `lookup`: what is known of indicators.

use std::io::Write;

use clap::ValueEnum;

use super::{Code, Failure, Program, talk, text};
use crate::indicator::Indicator;
use crate::lookup::{self, Context, Licence, LookupError, Report, Request};
use crate::request;

const EXAMPLE: &str = "\
Examples:
  zonelens lookup example.com 192.0.2.1
  zonelens lookup hxxp://evil[.]example/gate.php 44d88612fea8a8f36de82e1278abb02f
  zonelens lookup --sections Verdict,FeedMasks 'evil[.]example'
  zonelens lookup --as-of 2024-05-28 --format json example.com

Exit code: 0 something is known, 2 wrong input, 3 nothing is known; of several the greatest.";

/// How many rows of a table a person is shown unless --count says more.
const ROWS_SHOWN: usize = 20;

/// Show what is known of domains, addresses, URLs and files
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Lookup {
    /// Domains, addresses, URLs (with a `/` or `?`) or file hashes, defanged or not
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// Only these sections, separated by commas [default: all]
    #[arg(long, value_name = "NAMES")]
    sections: Option<String>,
    /// The most rows of a section, 1 to 1000 [default: 1000, of text 20]
    #[arg(long, value_name = "ROWS")]
    count: Option<String>,
    /// What was known at a past day (its end) or minute: 2024-05-28, 2024-05-28T07:03Z
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// For a person, the report as the service answers it, or a STIX bundle; one a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// A STIX 2.1 bundle
    Stix,
}

/// What a lookup gives.
enum Answer {
    Report(Report),
    Bytes(Vec<u8>),
}

impl Lookup {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let now = program.clock.now();
        let mut request = Request::default();
        let wrong = |problem: String| Failure::Usage(format!("--{problem}"));
        request.sections = self.sections.as_deref().map(request::sections).transpose().map_err(wrong)?;
        if let Some(count) = &self.count {
            request.count = request::count(count).map_err(wrong)?;
        }
        if let Some(text) = &self.as_of {
            request.as_of = request::as_of(text, now).map_err(wrong)?;
        }
        let policy = program.policy()?;
        let rows_max = if self.count.is_some() { request.count } else { ROWS_SHOWN };
        // The rows of a text are cut where they are shown, so that it can say how many more there are.
        let mut store = None;
        let mut code = Code::Done;
        for (index, text) in self.indicators.iter().enumerate() {
            let indicator = match Indicator::parse(text) {
                Ok(indicator) => indicator,
                Err(error) => {
                    talk(&error.to_string());
                    code = code.max(Code::WrongInput);
                    continue;
                }
            };
            let store = match &store {
                Some(store) => store,
                None => store.insert(program.store()?),
            };
            let context = Context {
                store,
                policy: &policy,
                licence: Licence::default(),
                now,
                round_counts: program.config.http.round_counts,
                reader: crate::store::Reader::default(),
            };
            let answer = match self.format {
                Format::Stix => lookup::bundle(&context, &indicator, &request).map(Answer::Bytes),
                _ => lookup::report(&context, &indicator, &request).map(Answer::Report),
            };
            match answer {
                Ok(Answer::Bytes(bytes)) => {
                    out.write_all(&bytes)?;
                    writeln!(out)?;
                }
                Ok(Answer::Report(report)) if self.format == Format::Json => {
                    out.write_all(&report.json())?;
                    writeln!(out)?;
                }
                Ok(Answer::Report(report)) => {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    text::write(&report, rows_max, out)?;
                }
                Err(LookupError::Unknown(asked)) => {
                    // Not an error: an answer that is talk.
                    let _ = writeln!(anstream::stderr(), "{asked}");
                    code = code.max(Code::NothingKnown);
                }
                Err(LookupError::BadRequest(problem)) => {
                    talk(&problem);
                    code = code.max(Code::WrongInput);
                }
                Err(LookupError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(code)
    }
}
