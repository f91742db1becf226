//! `lookup`: what is known of indicators.

use std::io::{Read, Write};

use clap::ValueEnum;

use super::{Code, Failure, Program, failed, talk, text};
use crate::bulk::{self, Batch, Form, Wanted};
use crate::indicator::{Indicator, Kind};
use crate::lookup::{self, Context, Licence, LookupError, Request};
use crate::request;
use crate::store::StoreError;
use crate::verdict::Policy;

const EXAMPLE: &str = "\
Examples:
  zonelens lookup example.com 192.0.2.1
  zonelens lookup --sections Verdict,FeedMasks 'evil[.]example'
  zonelens lookup --as-of 2024-05-28 --format json example.com
  zonelens lookup - < alert.txt
  zonelens lookup - --format csv < hosts.csv

Of many values (-) each is one line: its zone, score and categories; with --sections its report too.
Exit code: 0 something is known, 2 wrong input, 3 nothing is known; of several the greatest.";

/// How many rows of a table a person is shown unless --count says more.
const ROWS_SHOWN: usize = 20;

/// Show what is known of domains and addresses
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Lookup {
    /// Domains or addresses, defanged or not; - for a list, a table or any text on standard input
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
    /// The column of a table, by its heading or its number; with -
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// For a person, or the report as the service answers it, one a line; csv: a table with columns added (with -)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    Csv,
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
        if self.indicators == ["-"] {
            return self.many(program, &policy, &request, out);
        }
        if self.format == Format::Csv || self.column.is_some() {
            return Err(Failure::Usage(
                "--format csv and --column are for many values: name - for standard input".to_owned(),
            ));
        }
        let rows_max = if self.count.is_some() { request.count } else { ROWS_SHOWN };
        // The rows of a text are cut where they are shown, so that it can say how many more there are.
        let mut store = None;
        let mut code = Code::Done;
        for (index, text) in self.indicators.iter().enumerate() {
            let indicator = match indicator(text) {
                Ok(indicator) => indicator,
                Err(problem) => {
                    talk(&problem);
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
                reader: crate::store::Reader::default(),
            };
            match lookup::report(&context, &indicator, &request) {
                Ok(report) if self.format == Format::Json => {
                    out.write_all(&report.json())?;
                    writeln!(out)?;
                }
                Ok(report) => {
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

/// The most bytes of standard input.
const INPUT_BYTES_MAX: u64 = 32 << 20;

impl Lookup {
    /// Values of standard input.
    fn many(
        &self,
        program: &Program,
        policy: &Policy,
        request: &Request,
        out: &mut dyn Write,
    ) -> Result<Code, Failure> {
        let mut content = Vec::new();
        std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut content).map_err(failed)?;
        if content.len() as u64 > INPUT_BYTES_MAX {
            let mib = INPUT_BYTES_MAX >> 20;
            return Err(Failure::Usage(format!("standard input has more than {mib} MiB: ask in parts")));
        }
        let form = if self.format == Format::Csv { Form::Csv } else { Form::of_content(&content) };
        let batch = Batch::read(&content, form, self.column.as_deref()).map_err(Failure::Usage)?;
        let wanted = match &self.sections {
            None => Wanted::Zone { as_of: request.as_of },
            Some(_) => Wanted::Report(request.clone()),
        };
        let store = program.store()?;
        let now = program.clock.now();
        let reader = crate::store::Reader::default();
        let context = Context { store: &store, policy, licence: Licence::default(), now, reader };
        let mut rows = Vec::new();
        let is_text = self.format == Format::Text;
        let result = bulk::answer(&context.snapshot()?, &context, &batch, &wanted, &mut |lines| {
            if is_text {
                rows.extend_from_slice(&lines);
                return Ok(());
            }
            out.write_all(&lines)
        });
        result.map_err(|error| match error {
            StoreError::Io(error) => Failure::Output(error),
            error => error.into(),
        })?;
        if is_text {
            text::many(&rows, out)?
        }
        Ok(if batch.is_empty() { Code::NothingKnown } else { Code::Done })
    }
}

/// An indicator that can be looked up by now.
fn indicator(text: &str) -> Result<Indicator, String> {
    let indicator = Indicator::parse(text).map_err(|error| error.to_string())?;
    match (indicator.kind(), &indicator) {
        (Kind::Domain | Kind::Ip, _) => Ok(indicator),
        (_, Indicator::Url(url)) => Err(format!(
            "lookups of web addresses are not available yet, they come later: look up the host {}",
            url.host_str()
        )),
        _ => Err(format!(
            "{indicator} is a file: lookups of files are not available yet, they come later: use a domain or an address"
        )),
    }
}
