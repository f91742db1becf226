//! `lookup`: what is known of indicators.

use std::io::{Read, Write};

use clap::ValueEnum;

use super::{Code, Failure, Program, failed, talk, text};
use crate::bulk::{self, Batch, Form, Wanted};
use crate::indicator::Indicator;
use crate::lookup::{self, Context, Licence, LookupError, Report, Request};
use crate::request;
use crate::store::StoreError;
use crate::verdict::Policy;

const EXAMPLE: &str = "\
Examples:
  zonelens lookup example.com 192.0.2.1
  zonelens lookup hxxp://evil[.]example/gate.php 44d88612fea8a8f36de82e1278abb02f
  zonelens lookup --sections Verdict,FeedMasks 'evil[.]example'
  zonelens lookup --as-of 2024-05-28 --format json example.com
  zonelens lookup - < alert.txt
  zonelens lookup - --format csv < hosts.csv

Of many values (-) each is one line: its zone, score and categories; with --sections its report too.
Exit code: 0 something is known, 2 wrong input, 3 nothing is known; of several the greatest.";

/// How many rows of a table a person is shown unless --count says more.
const ROWS_SHOWN: usize = 20;

/// Show what is known of domains, addresses, URLs and files
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Lookup {
    /// Domains, addresses, URLs (with a `/` or `?`) or file hashes, defanged or not; - for a list, a table or any text
    /// on standard input
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
    /// For a person; the report as the service answers it or a STIX bundle, one a line; csv: a table with columns added
    /// (with -)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    Csv,
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
        if self.format == Format::Stix {
            let detail = "--format stix is for single values: name them instead of -";
            return Err(Failure::Usage(detail.to_owned()));
        }
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
        let round_counts = program.config.http.round_counts;
        let licence = Licence::default();
        let context = Context { store: &store, policy, licence, now, round_counts, reader };
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
