//! Feed formats: bytes in, facts and rejected records out.
//!
//! One file a format; [`FORMATS`] is its registration. A format knows no store, no clock and no network.
//! It reads its input as a stream with bounded memory, and a bad record is a value, not an error: it is
//! [rejected](Emit::reject) with the line and the reason, and nothing else is lost. `io::Error` means that
//! the input cannot be read on (a truncated gzip) or that the sink is full.

use std::io::{self, BufRead};
use utoipa::ToSchema;

use crate::fact::Fact;
use crate::value::Tlp;

mod abuseipdb;
mod answers;
mod cells;
mod cof;
mod delegated;
mod dnsmasq;
mod dnstap;
mod dshield;
mod entry;
mod feodo_tracker;
mod hosts;
mod httpx;
mod ip_ranges;
mod json_values;
mod kaspersky;
mod lenient;
mod lines;
mod list;
mod malwarebazaar;
mod mapped_csv;
mod mask_csv;
mod masscan;
mod misp_event;
mod misp_warninglist;
mod mmdb;
mod native;
mod nmap;
mod once;
mod openioc;
mod otx;
mod phishtank;
mod popularity;
mod rdap;
mod records;
mod reports;
mod rpsl;
mod rpz;
mod said;
mod spamhaus_drop;
mod squid;
mod sslbl;
mod stix;
mod stop;
mod suricata_eve;
mod threatfox;
mod tor_exits;
mod trails;
mod unbound;
mod urlhaus;
mod urlhaus_filter;
mod whois;
mod withheld;
mod zeek;

pub use lines::{LINE_BYTES_MAX, Lines};
pub use mapped_csv::{Mapping, mapped};

/// One feed format.
pub struct Format {
    /// What `import --format` takes.
    pub name: &'static str,
    /// One line for a person: what it is and who writes it.
    pub title: &'static str,
    /// What a batch of it means.
    pub state: State,
    /// What it was written against.
    pub proof: Proof,
    /// Whether content looks like this format. The first row of [`FORMATS`] that says yes is taken.
    pub recognise: fn(&Sample<'_>) -> bool,
    /// A parser for one batch.
    pub open: fn() -> Box<dyn Parse>,
}

/// What a format was written against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It has read what its writer really writes.
    Sample,
    /// It was written by the documentation, and has not met a real file yet.
    Documentation,
}

/// What a batch of a format means, unless its source is configured otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SourceState)]
pub enum State {
    /// Everything that the source says at that moment: what is not in it any more is no longer listed.
    Whole,
    /// What happened or was learnt since: adds to what is there.
    Events,
}

/// The first bytes of an input, by which its format is found.
pub struct Sample<'a> {
    /// The file's name without its folder and the ending of its compression; empty for standard input.
    pub name: &'a str,
    /// Up to [`SAMPLE_BYTES`] of content, decompressed.
    pub head: &'a [u8],
}

/// How much of an input is looked at to find its format.
pub const SAMPLE_BYTES: usize = 65_536;

impl Sample<'_> {
    /// The complete lines of the sample that are valid UTF-8; all of it where there is no line end.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let end = if self.head.len() < SAMPLE_BYTES {
            self.head.len()
        } else {
            self.head.iter().rposition(|byte| *byte == b'\n').map_or(self.head.len(), |at| at + 1)
        };
        self.head[..end].split(|byte| *byte == b'\n').filter_map(|line| {
            std::str::from_utf8(line)
                .ok()
                .map(|line| line.trim_end_matches('\r').trim_start_matches('\u{feff}'))
        })
    }

    /// The lines that say something: neither blank nor a comment (`#`, `!`, `;`, `//`).
    pub fn data_lines(&self) -> impl Iterator<Item = &str> {
        self.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '!', ';']) && !line.starts_with("//"))
    }

    /// Whether the first byte that is no white space is `byte`.
    pub fn starts_with(&self, byte: u8) -> bool {
        self.head
            .trim_ascii_start()
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(self.head.trim_ascii_start())
            .first()
            == Some(&byte)
    }

    /// Whether the sample holds this text.
    pub fn contains(&self, text: &str) -> bool {
        self.head.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// Whether more than half of some lines of a sample are understood.
fn most<T>(lines: impl Iterator<Item = T>, mut understands: impl FnMut(T) -> bool) -> bool {
    let (mut seen, mut understood) = (0, 0);
    for line in lines {
        seen += 1;
        understood += usize::from(understands(line));
    }
    understood * 2 > seen
}

/// One file of a batch.
pub struct Input<'a> {
    /// The file's name as [`Sample::name`]; with its folder, `/` between, where a folder was imported.
    pub name: &'a str,
    /// Its content, decompressed.
    pub reader: &'a mut dyn BufRead,
}

/// Reads the files of one batch, in order.
pub trait Parse {
    /// Reads one file to its end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on or the sink takes no more; never because of a bad record.
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()>;

    /// Called once after the last file, for what could only be said then.
    ///
    /// # Errors
    ///
    /// As [`Parse::read`].
    fn finish(&mut self, _out: &mut Emit<'_>) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&mut Input<'_>, &mut Emit<'_>) -> io::Result<()>> Parse for F {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        self(input, out)
    }
}

/// A record that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, ToSchema)]
pub struct Rejected {
    /// The file.
    pub file: String,
    /// The line, from 1; in a JSON document without lines the number of the record.
    pub line: u64,
    /// The reason in a word or two, the same for all records of a kind: `domain`, `address`, `date`,
    /// `json`, `columns`, `encoding`, `too long`, …
    pub reason: &'static str,
    /// What was wrong, for a person.
    pub detail: String,
    /// The record, cut to [`REJECTED_TEXT_MAX`] bytes.
    pub text: String,
}

/// How much of a rejected record is kept.
pub const REJECTED_TEXT_MAX: usize = 1000;

/// Where a parser's facts and rejected records go.
pub struct Emit<'a> {
    file: String,
    sink: &'a mut dyn FnMut(Item) -> io::Result<()>,
}

/// What a parser yields.
pub enum Item {
    /// A fact and the line that it stands in.
    Fact(Fact, u64),
    /// A record that was not understood.
    Rejected(Rejected),
    /// What something in the content is marked with.
    Mark(Tlp),
}

impl<'a> Emit<'a> {
    /// An emitter into `sink`.
    pub fn new(sink: &'a mut dyn FnMut(Item) -> io::Result<()>) -> Emit<'a> {
        Emit { file: String::new(), sink }
    }

    /// Names the file that the next records come from.
    pub fn set_file(&mut self, name: &str) {
        name.clone_into(&mut self.file);
    }

    /// Yields a fact that stands in `line`.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub fn fact(&mut self, line: u64, fact: Fact) -> io::Result<()> {
        (self.sink)(Item::Fact(fact, line))
    }

    /// Says what something in the content is marked with: the strictest mark is that of the batch.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub fn mark(&mut self, tlp: Tlp) -> io::Result<()> {
        (self.sink)(Item::Mark(tlp))
    }

    /// Yields a record that was not understood: `reason` in a word or two, the same for all of a kind;
    /// `detail` for a person; `text` the record.
    ///
    /// # Errors
    ///
    /// When the sink takes no more.
    pub fn reject(
        &mut self,
        line: u64,
        reason: &'static str,
        detail: impl Into<String>,
        text: &[u8],
    ) -> io::Result<()> {
        let text = &text[..text.len().min(REJECTED_TEXT_MAX)];
        (self.sink)(Item::Rejected(Rejected {
            file: self.file.clone(),
            line,
            reason,
            detail: detail.into(),
            text: String::from_utf8_lossy(text).into_owned(),
        }))
    }
}

/// All formats. Where several recognise a content, the first is taken: the strictest stand first.
pub const FORMATS: &[Format] = &[
    dnstap::FORMAT,
    mmdb::FORMAT,
    openioc::FORMAT,
    misp_warninglist::FORMAT,
    misp_event::FORMAT,
    stix::FORMAT,
    rdap::FORMAT,
    whois::FORMAT,
    native::FORMAT,
    urlhaus::FORMAT,
    threatfox::FORMAT,
    malwarebazaar::FORMAT,
    feodo_tracker::FORMAT,
    sslbl::FORMAT,
    phishtank::FORMAT,
    spamhaus_drop::FORMAT,
    dshield::FORMAT,
    tor_exits::FORMAT,
    abuseipdb::FORMAT,
    otx::FORMAT,
    kaspersky::FORMAT,
    delegated::FORMAT,
    rpsl::FORMAT,
    masscan::FORMAT,
    nmap::FORMAT,
    httpx::FORMAT,
    cof::FORMAT,
    zeek::FORMAT,
    suricata_eve::FORMAT,
    squid::FORMAT,
    trails::FORMAT,
    mapped_csv::FORMAT,
    mask_csv::FORMAT,
    reports::FORMAT,
    ip_ranges::FORMAT,
    popularity::FORMAT,
    rpz::FORMAT,
    dnsmasq::FORMAT,
    unbound::FORMAT,
    urlhaus_filter::FORMAT,
    hosts::FORMAT,
    list::FORMAT,
];

/// Finds a format by its name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Finds the format of content.
pub fn recognise(sample: &Sample<'_>) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognise)(sample))
}
