//! `audit`: who looked up and changed what, when, from where.

use std::io::{self, Write};

use super::{Code, Failure, Program, shown};
use crate::access::audit::{self, CSV_HEADS, Entry, Filter, cells, csv_cells};
use crate::value::Timestamp;

const EXAMPLE: &str = "\
Examples:
  zonelens audit --since 2024-05-28 --user ann
  zonelens audit --action lookup --format csv > lookups.csv
  zonelens audit --action 'pin set' --format ndjson

A running service writes what happened within a second.";

/// Show who looked up and changed what
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Audit {
    /// From this moment on
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this moment
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Of this action: lookup, login, denied, import, pin, `pin add`, user, token …
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// For a person, or all fields
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Ndjson,
    Csv,
}

impl Audit {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let filter = Filter { since: self.since, until: self.until, user: self.user, action: self.action };
        let store = program.store()?;
        let mut output = Output::new(self.format, out)?;
        let mut written = Ok(());
        audit::read(store.folder(), &filter, &mut |entry| {
            written = output.write(&entry);
            Ok(written.is_ok())
        })
        .map_err(|error| Failure::Failed(format!("the audit cannot be read: {error}")))?;
        written?;
        Ok(Code::Done)
    }
}

/// Writes entries one by one: there may be millions.
enum Output<'a> {
    Text(&'a mut dyn Write),
    Ndjson(&'a mut dyn Write),
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
}

impl<'a> Output<'a> {
    fn new(format: Format, out: &'a mut dyn Write) -> io::Result<Output<'a>> {
        Ok(match format {
            Format::Text => Output::Text(out),
            Format::Ndjson => Output::Ndjson(out),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(CSV_HEADS)?;
                Output::Csv(Box::new(writer))
            }
        })
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        match self {
            Output::Text(out) => {
                let cells = cells(entry);
                let cells: Vec<&str> =
                    cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
                writeln!(out, "{}", shown(&cells.join("  ")))
            }
            Output::Ndjson(out) => writeln!(out, "{}", serde_json::to_string(entry)?),
            Output::Csv(writer) => Ok(writer.write_record(csv_cells(entry))?),
        }
    }
}
