//! `lookup`: what is known of indicators.

use std::io::{Read, Write};
use std::sync::Arc;

use clap::ValueEnum;

use super::{Code, Failure, Program, failed, talk, text};
use crate::bulk::{self, Batch, Form, Wanted};
use crate::export;
use crate::indicator::Indicator;
use crate::lookup::{self, Context, Licence, LookupError, Report, Request};
use crate::request;
use crate::store::{Reader, Store, StoreError};
use crate::verdict::Policy;

const EXAMPLE: &str = "\
Examples:
  zonelens lookup example.com 192.0.2.1
  zonelens lookup hxxp://evil[.]example/gate.php 44d88612fea8a8f36de82e1278abb02f
  zonelens lookup --sections Verdict,FeedMasks 'evil[.]example'
  zonelens lookup --as-of 2024-05-28 --format json example.com
  zonelens lookup - < alert.txt
  zonelens lookup - --format csv < hosts.csv
  zonelens lookup - --format misp < alert.txt > event.json
  zonelens lookup --format csv --sections FeedMasks example.com
  zonelens lookup --format html example.com > report.html

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
    /// For a person; the report as the service answers it; or what may be passed on, a report each: a bundle or an event
    /// (with - one of all), one section as a table (with - a row a value), a page
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
    /// A MISP event
    Misp,
    /// A page that can be printed
    Html,
}

impl Format {
    /// What may be passed on, in which form.
    fn export(self) -> Option<export::Format> {
        match self {
            Format::Text | Format::Json => None,
            Format::Csv => Some(export::Format::Csv),
            Format::Stix => Some(export::Format::Stix),
            Format::Misp => Some(export::Format::Misp),
            Format::Html => Some(export::Format::Html),
        }
    }
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
        if self.column.is_some() {
            let detail = "--column is for many values: name - for standard input";
            return Err(Failure::Usage(detail.to_owned()));
        }
        if matches!(self.format, Format::Csv | Format::Html) && self.indicators.len() > 1 {
            let detail = "--format csv and html are of one value: name one, or - for a table of many";
            return Err(Failure::Usage(detail.to_owned()));
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
            let context = context(program, store, &policy)?;
            let answer = match self.format.export() {
                Some(format) => export::one(&context, &indicator, &request, format).map(Answer::Bytes),
                None => lookup::report(&context, &indicator, &request).map(Answer::Report),
            };
            match answer {
                Ok(Answer::Bytes(bytes)) => write_line(&bytes, out)?,
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

/// What a lookup needs. Whoever has the data folder may see everything; what leaves it is what may.
fn context<'a>(program: &Program, store: &'a Store, policy: &'a Policy) -> Result<Context<'a>, Failure> {
    let marks = Arc::new(program.registry()?.marks());
    Ok(Context {
        store,
        policy,
        licence: Licence::default(),
        now: program.clock.now(),
        round_counts: program.config.http.round_counts,
        reader: Reader { marks, export: program.config.tlp.export, ..Reader::default() },
    })
}

/// Writes what ends with a line.
fn write_line(bytes: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
    out.write_all(bytes)?;
    if bytes.ends_with(b"\n") { Ok(()) } else { writeln!(out) }
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
        if self.format == Format::Html {
            let detail = "--format html is for a single value: name it instead of -";
            return Err(Failure::Usage(detail.to_owned()));
        }
        let mut content = Vec::new();
        std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut content).map_err(failed)?;
        if content.len() as u64 > INPUT_BYTES_MAX {
            let mib = INPUT_BYTES_MAX >> 20;
            return Err(Failure::Usage(format!("standard input has more than {mib} MiB: ask in parts")));
        }
        let is_table = self.format == Format::Csv;
        let form = match Form::of_content(&content) {
            Form::Text if is_table || self.column.is_some() => Form::Csv,
            form => form,
        };
        let batch = Batch::read(&content, form, self.column.as_deref()).map_err(Failure::Usage)?;
        let batch = match self.format {
            Format::Csv => batch.into_table(),
            Format::Json | Format::Text => batch.into_lines(),
            _ => batch,
        };
        let wanted = match &self.sections {
            None => Wanted::Zone { as_of: request.as_of },
            Some(_) => Wanted::Report(request.clone()),
        };
        let store = program.store()?;
        let context = context(program, &store, policy)?;
        if let Some(format) = self.format.export().filter(|format| format.is_graph()) {
            return one_of_many(&context, &batch, &wanted.into_request(), format, out);
        }
        let snapshot = if is_table { context.exported()? } else { context.snapshot()? };
        let mut rows = Vec::new();
        let is_text = self.format == Format::Text;
        let result = bulk::answer(&snapshot, &context, &batch, &wanted, &mut |lines| {
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

/// Many values as one bundle or event.
fn one_of_many(
    context: &Context<'_>,
    batch: &Batch,
    request: &Request,
    format: export::Format,
    out: &mut dyn Write,
) -> Result<Code, Failure> {
    let set = export::many(context, batch.values(), request, format).map_err(|error| match error {
        LookupError::Store(error) => error.into(),
        error => Failure::Usage(error.to_string()),
    })?;
    write_line(&set.bytes, out)?;
    if set.left_out > 0 {
        let left_out = set.left_out;
        talk(&format!("{left_out} values are left out: nothing is known of them, or they are no indicators"));
    }
    Ok(if set.told == 0 { Code::NothingKnown } else { Code::Done })
}
