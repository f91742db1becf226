//! `import`: a file, a folder or standard input to one batch.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::progress::Progress;
use super::table::grouped;
use super::{Code, Failure, Program};
use crate::feeds::State;
use crate::import::{self, Options, Origin, Summary};
use crate::store::Counts;
use crate::value::{CATEGORIES, Category, Timestamp};

const EXAMPLE: &str = "\
Examples:
  zonelens import --source urlhaus --category MALWARE urlhaus.txt
  zonelens import --observed-at 2024-05-28 dns.log.gz
  curl -s https://feed.example/list | zonelens import --source example --state whole -";

/// Import a feed, logs or reports as one batch, all of it or nothing
///
/// gzip, bzip2, xz and zstd are read through; the files of a tar or zip are as those of a folder. The format is found by
/// content unless it is named. A record that is not understood is counted, shown and passed over. The same content again,
/// packed in another way or not, changes nothing.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Import {
    /// A file, a folder or an archive (its files are one batch), or - for standard input
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// The format, as `zonelens formats` lists them [default: found by content]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Whose data it is [default: the file's name without endings]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The moment of records without a date of their own [default: the moment of learning]
    #[arg(long, value_name = "TIME")]
    observed_at: Option<Timestamp>,
    /// When this was learnt, for backfills: not in the future [default: now]
    #[arg(long, value_name = "TIME")]
    learnt_at: Option<Timestamp>,
    /// What listings are where the feed does not say [default: the source's, MALWARE]
    #[arg(long, value_name = "NAME", value_parser = category)]
    category: Option<Category>,
    /// How far the source is believed where the feed does not say, 0 to 100
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    confidence: Option<u8>,
    /// Whether counts add up or are totals so far [default: the source's, additive]
    #[arg(long, value_parser = PossibleValuesParser::new(["additive", "cumulative"]).map(|text| counts(&text)))]
    counts: Option<Counts>,
    /// Whether this is all that the source says, or adds to it [default: the source's, the format's]
    #[arg(long, value_parser = PossibleValuesParser::new(["whole", "events"]).map(|text| state(&text)))]
    state: Option<State>,
    /// Which column of a table is what, as a TOML file; with --format csv
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Take a whole state also where more than 30 % is gone from it
    #[arg(long)]
    accept: bool,
    /// Write every rejected record to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn category(name: &str) -> Result<Category, String> {
    Category::find(name).ok_or_else(|| {
        let names: Vec<&str> = CATEGORIES.iter().map(|(name, _)| *name).collect();
        format!("no such category: use one of {}", names.join(", "))
    })
}

pub(super) fn counts(text: &str) -> Counts {
    if text == "cumulative" { Counts::Cumulative } else { Counts::Additive }
}

pub(super) fn state(text: &str) -> State {
    if text == "whole" { State::Whole } else { State::Events }
}

impl Import {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        if let Some(name) = &self.format {
            import::format_by_name(name).map_err(Failure::Usage)?;
        }
        let mapping = self.mapping.as_deref().map(|path| {
            let text = std::fs::read_to_string(path);
            text.map_err(|error| Failure::Usage(format!("--mapping {}: {error}", path.display())))
        });
        let options = Options {
            mapping: mapping.transpose()?,
            source: self.source,
            format: self.format,
            observed: self.observed_at,
            learnt: self.learnt_at,
            category: self.category,
            confidence: self.confidence,
            counts: self.counts,
            state: self.state,
            rejects: self.rejects,
            buffer_bytes: program.config.import.buffer_mb << 20,
            accept: self.accept,
            sources: program.registry()?.iter().cloned().collect(),
            ..Options::new(program.clock.now())
        };
        let origin = if self.path.as_os_str() == "-" { Origin::Stdin } else { Origin::Path(self.path) };
        let store = program.store_or_new()?;
        let mut progress = Progress::new();
        let result = import::import(&store, &options, origin, &mut |step| progress.step(step));
        progress.finish();
        let summary = result?;
        program.audit("import", &format!("batch {} of {}", summary.batch, summary.source))?;
        if self.json {
            let json = serde_json::to_string(&summary).expect("a summary has only names as keys");
            writeln!(out, "{json}")?;
        } else {
            write_summary(&summary, out)?;
        }
        Ok(Code::Done)
    }
}

pub(super) fn write_summary(summary: &Summary, out: &mut dyn Write) -> std::io::Result<()> {
    let Summary { batch, source, format, .. } = summary;
    if summary.unchanged {
        return writeln!(
            out,
            "already imported as batch {batch} (source {source}, format {format}): nothing changed"
        );
    }
    let state = match summary.state {
        State::Whole => "whole state",
        State::Events => "events",
    };
    writeln!(out, "batch {batch}: source {source}, format {format}, {state}, observed {}", summary.observed)?;
    let facts = summary.facts.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count)));
    let facts = facts.collect::<Vec<_>>().join(", ");
    writeln!(out, "  facts     {}", if facts.is_empty() { "none" } else { &facts })?;
    for (name, reason) in &summary.rejected {
        writeln!(out, "  rejected  {} {name}", grouped(reason.count))?;
        for example in &reason.examples {
            let file = if summary.files > 1 { format!("{} ", example.file) } else { String::new() };
            writeln!(out, "            {file}line {}: {}", example.line, super::shown(&example.detail))?;
        }
    }
    let rate = grouped(summary.records_per_second);
    writeln!(out, "  took      {:.1} s, {rate} records/s", summary.seconds)
}
