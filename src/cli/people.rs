//! `pin`, `note`, `sighting`, `false-positive`: what people say of an object, kept with who, why and when.

use std::io::Write;

use super::lookup::Format;
use super::table::{self, Cell, FAINT};
use super::{Code, Failure, Program, shown, talk};
use crate::indicator::Indicator;
use crate::people::{self, FALSE_POSITIVE, Kind, NOTE, PIN, PeopleError, Record, SIGHTING, Said, Status};
use crate::value::{Timestamp, Zone};

const PIN_EXAMPLE: &str = "\
Examples:
  zonelens pin set evil.example --zone Red --reason 'seen in case 17' --expires 2030-01-01
  zonelens pin remove evil.example --reason 'case 17 is closed'
  zonelens pin list evil.example";
const REMOVE_EXAMPLE: &str = "\
Example:
  zonelens pin remove evil.example --reason 'case 17 is closed'

Exit code: 3 where an object has no live pin; then nothing is removed.";
const NOTE_EXAMPLE: &str = "\
Examples:
  zonelens note add evil.example 'its owner answers abuse@evil.example'
  zonelens note list evil.example --format json";
const SIGHTING_EXAMPLE: &str = "\
Examples:
  zonelens sighting add evil.example --observed 2024-05-28T07:03Z
  zonelens sighting list evil.example";
const FALSE_POSITIVE_EXAMPLE: &str = "\
Examples:
  zonelens false-positive add shop.example --reason 'our own shop'
  zonelens false-positive list shop.example";
const LIST_EXAMPLE: &str = "\
Example:
  zonelens pin list evil.example      (note, sighting and false-positive alike)

Exit code: 3 where nothing was ever said.";

/// Who says it, and how the answer looks.
#[derive(clap::Args)]
struct Who {
    /// Who says so [default: $USER]
    #[arg(long, value_name = "NAME", env = "USER", hide_env = true)]
    by: String,
    /// For a person, or what is kept in the native form, one object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is said of each of these.
#[derive(clap::Args)]
struct Objects {
    /// Domains, addresses, web addresses or files, defanged or not; all of them or none
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
}

/// List everything that was ever said, the newest first
#[derive(clap::Args)]
#[command(after_help = LIST_EXAMPLE)]
struct List {
    #[command(flatten)]
    objects: Objects,
    /// For a person, or in the native form, one object a line, as `zonelens import` reads it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Set the zone of exactly one object, whatever is listed; see and end it
#[derive(clap::Args)]
#[command(after_help = PIN_EXAMPLE)]
pub(super) struct Pin {
    #[command(subcommand)]
    action: PinAction,
}

#[derive(clap::Subcommand)]
enum PinAction {
    /// Set the zone of objects, until a moment or for good
    #[command(
        after_help = "Example: zonelens pin set evil.example --zone Red --by ann --reason 'seen in case 17'"
    )]
    Set {
        #[command(flatten)]
        objects: Objects,
        /// Red, Orange, Yellow, Grey or Green
        #[arg(long)]
        zone: Zone,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Until when, to the minute; a day means its begin [default: for good]
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
        #[command(flatten)]
        who: Who,
    },
    /// Take the live pins on objects back; they stay listed
    #[command(after_help = REMOVE_EXAMPLE)]
    Remove {
        #[command(flatten)]
        objects: Objects,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    List(List),
}

/// Remark on an object; see the remarks
#[derive(clap::Args)]
#[command(after_help = NOTE_EXAMPLE)]
pub(super) struct Note {
    #[command(subcommand)]
    action: NoteAction,
}

#[derive(clap::Subcommand)]
enum NoteAction {
    /// Remark on an object
    #[command(after_help = "Example: zonelens note add evil.example 'its owner answers abuse@evil.example'")]
    Add {
        /// A domain, an address, a web address or a file, defanged or not
        indicator: String,
        /// The remark
        text: String,
        #[command(flatten)]
        who: Who,
    },
    List(List),
}

/// Say that an object was seen in the wild: listings of it are then as young as that
#[derive(clap::Args)]
#[command(after_help = SIGHTING_EXAMPLE)]
pub(super) struct Sighting {
    #[command(subcommand)]
    action: SightingAction,
}

#[derive(clap::Subcommand)]
enum SightingAction {
    /// Say that objects were seen
    #[command(after_help = "Example: zonelens sighting add evil.example other.example --by proxy-7")]
    Add {
        #[command(flatten)]
        objects: Objects,
        /// When [default: now]
        #[arg(long, value_name = "TIME")]
        observed: Option<Timestamp>,
        #[command(flatten)]
        who: Who,
    },
    List(List),
}

/// Report that an object is wrongly listed: noted beside the verdict, which stays
#[derive(clap::Args)]
#[command(after_help = FALSE_POSITIVE_EXAMPLE)]
pub(super) struct FalsePositive {
    #[command(subcommand)]
    action: FalsePositiveAction,
}

#[derive(clap::Subcommand)]
enum FalsePositiveAction {
    /// Report objects as wrongly listed
    #[command(after_help = "Example: zonelens false-positive add shop.example --reason 'our own shop'")]
    Add {
        #[command(flatten)]
        objects: Objects,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    List(List),
}

impl Pin {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            PinAction::Set { objects, zone, reason, expires, who } => {
                say(program, out, PIN, &objects, &who, |said| Said {
                    zone: Some(zone),
                    reason: Some(reason.clone()),
                    expires,
                    ..said
                })
            }
            PinAction::Remove { objects, reason, who } => {
                let now = program.clock.now();
                let removed = people::remove_pins(&program.store()?, &objects.read()?, &who.by, &reason, now);
                told(program, PIN, "remove", removed, who.format, out)
            }
            PinAction::List(list) => list.run(PIN, program, out),
        }
    }
}

impl Note {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            NoteAction::Add { indicator, text, who } => {
                let objects = Objects { indicators: vec![indicator] };
                say(program, out, NOTE, &objects, &who, |said| Said { text: Some(text.clone()), ..said })
            }
            NoteAction::List(list) => list.run(NOTE, program, out),
        }
    }
}

impl Sighting {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            SightingAction::Add { objects, observed, who } => {
                say(program, out, SIGHTING, &objects, &who, |said| Said { observed, ..said })
            }
            SightingAction::List(list) => list.run(SIGHTING, program, out),
        }
    }
}

impl FalsePositive {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            FalsePositiveAction::Add { objects, reason, who } => {
                say(program, out, FALSE_POSITIVE, &objects, &who, |said| Said {
                    reason: Some(reason.clone()),
                    ..said
                })
            }
            FalsePositiveAction::List(list) => list.run(FALSE_POSITIVE, program, out),
        }
    }
}

impl Objects {
    fn read(&self) -> Result<Vec<Indicator>, Failure> {
        let read = |text: &String| Indicator::parse_tagged(text);
        self.indicators
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Says the same of all objects.
fn say(
    program: &Program,
    out: &mut dyn Write,
    kind: &Kind,
    objects: &Objects,
    who: &Who,
    with: impl Fn(Said) -> Said,
) -> Result<Code, Failure> {
    let said = objects.read()?.into_iter().map(|indicator| with(Said::new(indicator, &who.by))).collect();
    let records = people::say(&program.store_or_new()?, kind, said, program.clock.now());
    told(program, kind, "add", records, who.format, out)
}

/// What was kept; or why nothing was.
fn told(
    program: &Program,
    kind: &Kind,
    verb: &str,
    records: Result<Vec<Record>, PeopleError>,
    format: Format,
    out: &mut dyn Write,
) -> Result<Code, Failure> {
    match records {
        Ok(records) => {
            let objects: Vec<String> =
                records.iter().map(|record| record.said.indicator.to_string()).collect();
            let action = format!("{} {verb}", kind.path.trim_end_matches('s'));
            program.audit(&action, &objects.join(", "))?;
            write(kind, &records, format, out).map(|()| Code::Done)
        }
        Err(PeopleError::Wrong(problem)) => Err(Failure::Usage(problem)),
        Err(PeopleError::Nothing(problem)) => {
            talk(&problem);
            Ok(Code::NothingKnown)
        }
        Err(error) => Err(Failure::Failed(error.to_string())),
    }
}

impl List {
    fn run(self, kind: &Kind, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let (store, now) = (program.store()?, program.clock.now());
        let (mut all, mut code) = (Vec::new(), Code::Done);
        for indicator in self.objects.read()? {
            let records = people::records(&store, kind, &indicator, now)?;
            if records.is_empty() {
                // Not an error: an answer that is talk.
                let _ = writeln!(anstream::stderr(), "there is no {} on {indicator}", kind.words());
                code = Code::NothingKnown;
            }
            all.extend(records);
        }
        write(kind, &all, self.format, out)?;
        Ok(code)
    }
}

/// A column of a table: its head, which is the field's name, and what stands in it.
type Column = (&'static str, fn(&Record) -> String);

const COLUMNS: &[Column] = &[
    ("observed", |record| record.said.observed.map_or_else(String::new, |at| at.to_string())),
    ("indicator", |record| record.said.indicator.to_string()),
    ("zone", |record| record.said.zone.map_or_else(String::new, |zone| zone.to_string())),
    ("reason", |record| record.said.reason.clone().unwrap_or_default()),
    ("text", |record| record.said.text.clone().unwrap_or_default()),
    ("by", |record| record.said.by.clone()),
    ("expires", |record| record.said.expires.map_or_else(|| "never".to_owned(), |at| at.to_string())),
    ("status", |record| record.status.as_str().to_owned()),
    ("source", |record| record.source.clone()),
];

fn write(kind: &Kind, records: &[Record], format: Format, out: &mut dyn Write) -> Result<(), Failure> {
    if format == Format::Json {
        for record in records {
            writeln!(out, "{}", serde_json::to_string(record).expect("only names as keys"))?;
        }
        return Ok(());
    }
    if records.is_empty() {
        return Ok(());
    }
    let of_some = |head: &str| matches!(head, "zone" | "reason" | "text" | "expires");
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|(head, _)| !of_some(head) || kind.rule(head).is_some()).collect();
    let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
    let row = |record: &Record| {
        let style = if record.status == Status::Live { Default::default() } else { FAINT };
        columns.iter().map(|(_, text)| Cell::text(shown(&text(record))).styled(style)).collect()
    };
    table::write(out, 0, &heads, &records.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}
