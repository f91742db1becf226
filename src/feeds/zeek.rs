//! `zeek`: logs of the Zeek (formerly Bro) network monitor, TSV or JSON, one file or a whole folder of them.
//!
//! Read are `conn`, `dns`, `http`, `files`, `ssl` and `x509`, described at
//! <https://docs.zeek.org/en/master/script-reference/log-files.html>. A log is known by `#path`, in JSON by `_path`, else
//! by fields that only it has. Any other is skipped with one rejection `path` that names it.
//!
//! | log | facts |
//! |---|---|
//! | `conn` | a contact with the responder's address; of an established TCP connection its open port, once a day |
//! | `dns` | the records that were answered; a contact with the name |
//! | `http` | the request; a contact with the host |
//! | `files` | of files with a hash: their traits, once a day, and the download, with its URL from `http` |
//! | `ssl` | the certificate that was shown; a contact with the name asked for, else the address |
//! | `x509` | what the certificate says |
//!
//! Logs that name the same file are joined in whichever order they come. What waits for another log is bounded: when too
//! much does, it is yielded with what is known.

use std::collections::BTreeSet;
use std::io;

use super::once::Once;
use super::stop::{Stop, settle};
use super::{Emit, Format, Input, Lines, Parse, Proof, Sample, State};
use crate::fact::{Contact, Fact, PortState, Seen};
use crate::indicator::{Indicator, Url};
use join::Join;
use json::Record;
use row::{Field, Row};
use tsv::Header;

mod dns;
mod join;
mod json;
mod row;
pub(super) mod tls;
mod tsv;
mod web;

pub(super) const FORMAT: Format = Format {
    name: "zeek",
    title: "Zeek logs, TSV or JSON: conn, dns, http, files, ssl, x509",
    state: State::Events,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(Batch::new()),
};

fn recognise(sample: &Sample<'_>) -> bool {
    let Some(line) = sample.lines().find(|line| !line.trim().is_empty()) else { return false };
    if line.starts_with("#separator ") {
        return true;
    }
    let Ok(record) = serde_json::from_str::<Record<'_>>(line) else { return false };
    let row = Row::Json(&record.0);
    let named = row.has(Field::Path) || row.has(Field::OrigH) || Log::by_fields(&row).is_some();
    row.has(Field::Ts) && (named || sample.name.ends_with(".log"))
}

/// The logs that are read.
#[derive(Clone, Copy)]
enum Log {
    Conn,
    Dns,
    Files,
    Http,
    Ssl,
    X509,
}

impl Log {
    fn find(path: &str) -> Option<Log> {
        match path {
            "conn" => Some(Log::Conn),
            "dns" => Some(Log::Dns),
            "files" => Some(Log::Files),
            "http" => Some(Log::Http),
            "ssl" => Some(Log::Ssl),
            "x509" => Some(Log::X509),
            _ => None,
        }
    }

    /// Finds a log by fields that only it has, and always.
    fn by_fields(row: &Row<'_>) -> Option<Log> {
        match () {
            () if row.has(Field::Aa) => Some(Log::Dns),
            () if row.has(Field::RequestBodyLen) => Some(Log::Http),
            () if row.has(Field::Fuid) && row.has(Field::SeenBytes) => Some(Log::Files),
            () if row.has(Field::CertSerial) => Some(Log::X509),
            () if row.has(Field::Resumed) || row.has(Field::Cipher) => Some(Log::Ssl),
            () if row.has(Field::ConnState) || row.has(Field::MissedBytes) => Some(Log::Conn),
            () => None,
        }
    }
}

/// More logs than Zeek has: names of skipped ones beyond are not kept, and not rejected again.
const SKIPPED_MAX: usize = 1000;

/// How much of the name of a skipped log is kept.
const SKIPPED_NAME_MAX: usize = 64;

/// What the files of a batch tell each other.
struct Batch {
    /// The URL that a file came from.
    files: Join<Url>,
    /// The digest of a certificate.
    certificates: Join<String>,
    /// Open ports and traits of files.
    once: Once,
    /// The logs that are skipped.
    skipped: BTreeSet<String>,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            files: Join::new(web::set_url, web::has_source),
            certificates: Join::new(tls::set_digest, |_| false),
            once: Once::default(),
            skipped: BTreeSet::new(),
        }
    }

    fn tsv(
        &mut self,
        file: &str,
        header: &mut Header,
        number: u64,
        line: &str,
        out: &mut Emit<'_>,
    ) -> Result<(), Stop> {
        if line.starts_with('#') {
            return header.read(line);
        }
        if !header.has_columns() {
            return Err(Stop::Bad("columns", "there is no #fields line above".to_owned()));
        }
        let log = match header.path.as_deref() {
            Some(path) => Log::find(path),
            None => Log::by_fields(&Row::Tsv(header, line)),
        };
        let Some(log) = log else { return self.skip(header.path.as_deref().unwrap_or(file)) };
        header.split(line)?;
        self.row(log, &Row::Tsv(header, line), number, out)
    }

    fn json(&mut self, file: &str, number: u64, line: &str, out: &mut Emit<'_>) -> Result<(), Stop> {
        let record =
            serde_json::from_str::<Record<'_>>(line).map_err(|error| Stop::Bad("json", error.to_string()))?;
        let row = Row::Json(&record.0);
        let path = row.text(Field::Path);
        let log = match path.as_deref() {
            Some(path) => Log::find(path),
            None => Log::by_fields(&row),
        };
        let Some(log) = log else { return self.skip(path.as_deref().unwrap_or(file)) };
        self.row(log, &row, number, out)
    }

    /// Rejects the first record of a log that is not read, and passes over the others.
    fn skip(&mut self, path: &str) -> Result<(), Stop> {
        let path: String = path.chars().take(SKIPPED_NAME_MAX).collect();
        if self.skipped.len() >= SKIPPED_MAX || !self.skipped.insert(path.clone()) {
            return Ok(());
        }
        Err(Stop::Bad(
            "path",
            format!("the log {path} is not read: conn, dns, http, files, ssl and x509 are"),
        ))
    }

    fn row(&mut self, log: Log, row: &Row<'_>, line: u64, out: &mut Emit<'_>) -> Result<(), Stop> {
        let Some(at) = row.time(Field::Ts) else {
            return Err(Stop::Bad("date", "ts is missing or no time".to_owned()));
        };
        let seen = Seen::once(at);
        match log {
            Log::Conn => self.conn(row, seen, line, out),
            Log::Dns => dns::read(row, seen, line, out),
            Log::Files => web::files(self, row, seen, line, out),
            Log::Http => web::http(self, row, seen, line, out),
            Log::Ssl => tls::ssl(self, row, seen, line, out),
            Log::X509 => tls::x509(self, row, seen, line, out),
        }
    }

    /// Yields who connected to what, and the port if it was open.
    fn conn(&mut self, row: &Row<'_>, seen: Seen, line: u64, out: &mut Emit<'_>) -> Result<(), Stop> {
        let client = client(row)?;
        let Some(address) = row.address(Field::RespH)? else {
            return Err(Stop::Bad("address", "id.resp_h is missing".to_owned()));
        };
        let indicator = Indicator::Address(address);
        let sensor = row.string(Field::SystemName);
        out.fact(line, Fact::Contact(Contact { client, indicator: indicator.clone(), sensor, seen }))?;

        let established = row.word(Field::ConnState).is_some_and(|state| ESTABLISHED.contains(&state));
        let port = row.count(Field::RespP).and_then(|port| u16::try_from(port).ok());
        if let Some(port) = port
            && established
            && row.word(Field::Proto) == Some("tcp")
            && self.once.first((address, port, seen.last.day()))
        {
            let state = PortState { host: indicator, port, open: true, observed: Some(seen.last) };
            out.fact(line, Fact::PortState(state))?;
        }
        Ok(())
    }
}

/// The states of a connection whose handshake was completed.
const ESTABLISHED: &[&str] = &["SF", "S1", "S2", "S3", "RSTO", "RSTR"];

/// Who opened the connection.
fn client(row: &Row<'_>) -> Result<String, Stop> {
    let missing = || Stop::Bad("address", "id.orig_h is missing".to_owned());
    let address = row.address(Field::OrigH)?.ok_or_else(missing)?;
    // An IPv4 address that was parsed from digits and dots has one spelling only.
    let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Ok(row.word(Field::OrigH).filter(plain).map_or_else(|| address.to_string(), str::to_owned))
}

impl Parse for Batch {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let mut lines = Lines::new(input.reader);
        let mut header = Header::default();
        while let Some((number, line)) = lines.next(out)? {
            let read = match line.as_bytes().first() {
                None => Ok(()),
                Some(b'{') => self.json(input.name, number, line, out),
                _ if line.trim().is_empty() => Ok(()),
                _ => self.tsv(input.name, &mut header, number, line, out),
            };
            settle(read, number, line, out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        self.files.release(out)?;
        self.certificates.release(out)
    }
}
