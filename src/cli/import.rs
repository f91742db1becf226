//! `import`: a file, a folder or standard input to one batch.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::progress::Progress;
use super::table::grouped;
use super::{Code, Failure, Program};
use crate::feeds::State;
use crate::import::{self, Follower, Options, Origin, PART_BYTES, Summary};
use crate::source::Interval;
use crate::source::status::turn;
use crate::store::Counts;
use crate::value::{CATEGORIES, Category, Timestamp};

const EXAMPLE: &str = "\
Examples:
  zonelens import --source urlhaus --category MALWARE urlhaus.txt
  zonelens import --observed-at 2024-05-28 dns.log.gz
  zonelens import --follow --source gateway /var/log/squid/access.log
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
    /// Follow a log that grows, as `tail -F`: its new lines are a batch each --every
    #[arg(long, conflicts_with_all = ["observed_at", "learnt_at", "state", "accept", "rejects"])]
    follow: bool,
    /// How often new lines are taken in, and at once when they are 64 MiB
    #[arg(long, value_name = "INTERVAL", default_value = "10s", requires = "follow")]
    every: Interval,
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
        let (follow, every) = (self.follow, self.every);
        let options = Options {
            telemetry: program.config.telemetry,
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
        if follow {
            return run_follower(program, options, &self.path, every.duration(), self.json, out);
        }
        let origin = if self.path.as_os_str() == "-" { Origin::Stdin } else { Origin::Path(self.path) };
        let store = program.store_or_new()?;
        let mut progress = Progress::new();
        let result = import::import(&store, &options, origin, &mut |step| progress.step(step));
        progress.finish();
        let summary = result?;
        program.audit("import", &format!("batch {} of {}", summary.batch, summary.source))?;
        write_as(&summary, self.json, out)?;
        Ok(Code::Done)
    }
}

fn write_as(summary: &Summary, json: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if !json {
        return write_summary(summary, out);
    }
    let json = serde_json::to_string(summary).expect("a summary has only names as keys");
    writeln!(out, "{json}")
}

/// How often it is looked how much a log has grown.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Follows a log until the process is ended, at any moment: what was not taken in is read again.
fn run_follower(
    program: &Program,
    options: Options,
    path: &Path,
    every: Duration,
    json: bool,
    out: &mut dyn Write,
) -> Result<Code, Failure> {
    let store = program.store_or_new()?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("log").to_owned();
    let source = options.source.clone().unwrap_or(stem);
    import::source_name(&source).map_err(Failure::Usage)?;
    let Some(_turn) = turn(store.folder(), &source, false).map_err(super::failed)? else {
        return Err(Failure::Failed(format!(
            "somebody else follows or refreshes the source {source}: end that, or name another --source"
        )));
    };
    let mut follower = Follower::new(&store, Options { source: Some(source), ..options }, path)?;
    let mut is_first = true;
    loop {
        match follower.step(program.clock.now(), &mut |_| {}) {
            Ok(summaries) => summaries.iter().try_for_each(|summary| write_as(summary, json, out))?,
            // What is wrong from the beginning is told to who typed it; later a disk may be full for a while.
            Err(error) if is_first => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "tried again"),
        }
        out.flush()?;
        is_first = false;
        let start = Instant::now();
        while start.elapsed() < every && follower.bytes_left() < PART_BYTES {
            std::thread::sleep(LOOK_EVERY.min(every));
        }
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
    for (why, count) in &summary.not_kept {
        writeln!(out, "  not kept  {} {why}", grouped(*count))?;
    }
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
