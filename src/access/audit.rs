//! The audit: who asked and changed what, when, from where.
//!
//! `<data>/audit/2024-05-28.ndjson` has the entries of a day (UTC), one JSON object a line, in the order in which
//! they were written; nothing but the end of its retention removes a day. A service writes through one thread, each
//! second at the latest; commands append lines of their own, so several processes can write at a time.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::Timestamp;

/// The folder's name.
pub const FOLDER: &str = "audit";
/// Entries that wait to be written; who has more waits too.
const QUEUE_MAX: usize = 8192;
/// How long an entry waits to be written.
const EVERY: Duration = Duration::from_secs(1);
/// So many bytes are written sooner.
const BUFFER_BYTES: usize = 256 << 10;
/// The longest text of an entry, in bytes; more is cut off.
pub const TEXT_BYTES_MAX: usize = 2000;
/// The longest line that is read back.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// One thing that somebody did, or was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// When, to the second.
    pub at: Timestamp,
    /// Who: a user, `anonymous`, or what a command's user is called by its system.
    pub user: String,
    /// The id of the token that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// From where; a command has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<std::net::IpAddr>,
    /// What was done, in a word or two: `lookup`, `pin set`, `login` …
    pub action: String,
    /// The request as it was sent: method, path and query; or the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What it was about, where the request alone does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// How it was answered: the status of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A text no longer than an entry may have.
pub fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

//------------ Writing -------------------------------------------------------

enum Message {
    Entry(Box<Entry>),
    /// Write all that came before, then say so.
    Flush(SyncSender<()>),
}

/// Writes the audit of a service until it is dropped.
pub struct Audit {
    /// Dropped to end the thread.
    sender: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Audit {
    /// Begins. `days` is how long a day is kept.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or there can be no more threads.
    pub fn start(data: &Path, days: u32) -> io::Result<Audit> {
        let folder = make_folder(data)?;
        let (sender, receiver) = sync_channel(QUEUE_MAX);
        let mut writer =
            Writer { folder, days, buffer: Vec::new(), day: i64::MIN, is_torn: false, is_failing: false };
        let run = move || writer.run(&receiver);
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(run)?;
        Ok(Audit { sender: Some(sender), thread: Some(thread) })
    }

    fn sender(&self) -> &SyncSender<Message> {
        self.sender.as_ref().expect("taken in drop only")
    }

    /// Takes an entry in without waiting; gives it back where too many wait already.
    pub fn try_record(&self, entry: Box<Entry>) -> Result<(), Box<Entry>> {
        match self.sender().try_send(Message::Entry(entry)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => match message {
                Message::Entry(entry) => Err(entry),
                Message::Flush(_) => unreachable!("an entry was sent"),
            },
        }
    }

    /// Takes an entry in, as soon as there is room.
    pub fn record(&self, entry: Box<Entry>) {
        if self.sender().send(Message::Entry(entry)).is_err() {
            tracing::error!("the audit has ended: restart the service");
        }
    }

    /// Writes all that was taken in, and waits for it.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.sender().send(Message::Flush(done)).is_ok() {
            // An error means that the thread is gone, which it has said.
            let _ = written.recv();
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.sender = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the audit panicked");
        }
    }
}

/// What the thread works with.
struct Writer {
    folder: PathBuf,
    days: u32,
    buffer: Vec<u8>,
    /// The day that the buffer is of.
    day: i64,
    /// Whether the last write may have left half a line.
    is_torn: bool,
    is_failing: bool,
}

impl Writer {
    fn run(&mut self, receiver: &Receiver<Message>) {
        let mut due = Instant::now() + EVERY;
        loop {
            let message = receiver.recv_timeout(due.saturating_duration_since(Instant::now()));
            match message {
                Ok(Message::Entry(entry)) => {
                    if entry.at.day() != self.day {
                        self.write();
                        self.day = entry.at.day();
                        self.expire(entry.at);
                    }
                    line(&entry, &mut self.buffer);
                    // What cannot be written is held until it can: then the queue fills, and requests wait.
                    while self.buffer.len() >= BUFFER_BYTES && !self.write() {
                        std::thread::sleep(EVERY);
                    }
                }
                Ok(Message::Flush(done)) => {
                    self.write();
                    // Nobody may be waiting any more.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    if !self.write() {
                        tracing::error!(bytes = self.buffer.len(), "the end of the audit was not written");
                    }
                    return;
                }
            }
            if Instant::now() >= due {
                self.write();
                due = Instant::now() + EVERY;
            }
        }
    }

    /// Writes what is in the buffer; says whether it could.
    fn write(&mut self) -> bool {
        if self.buffer.is_empty() {
            return true;
        }
        match append(&self.folder, self.day, &self.buffer, self.is_torn) {
            Ok(()) => {
                self.buffer.clear();
                (self.is_torn, self.is_failing) = (false, false);
                true
            }
            Err(error) => {
                self.is_torn = true;
                if !std::mem::replace(&mut self.is_failing, true) {
                    let folder = self.folder.display();
                    tracing::error!(%error, %folder, "the audit cannot be written: requests will wait; make room");
                }
                false
            }
        }
    }

    /// Removes days that are kept no longer.
    fn expire(&self, now: Timestamp) {
        let first = now.day() - i64::from(self.days);
        let old = match days_of(&self.folder) {
            Ok(days) => days.into_iter().filter(|(day, _)| *day < first),
            Err(error) => {
                tracing::warn!(%error, "old days of the audit cannot be listed");
                return;
            }
        };
        for (_, path) in old {
            match fs::remove_file(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "a day of the audit was kept long enough"),
                Err(error) => tracing::warn!(%error, path = %path.display(), "a day of the audit stays"),
            }
        }
    }
}

fn line(entry: &Entry, into: &mut Vec<u8>) {
    serde_json::to_writer(&mut *into, entry).expect("texts and numbers into memory");
    into.push(b'\n');
}

fn make_folder(data: &Path) -> io::Result<PathBuf> {
    let folder = data.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Appends whole lines to a day, durably.
fn append(folder: &Path, day: i64, lines: &[u8], is_torn: bool) -> io::Result<()> {
    let path = folder.join(format!("{}.ndjson", Timestamp::start_of_day(day).date()));
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if is_torn {
        file.write_all(b"\n")?;
    }
    // In one write: lines of several processes stand whole beside each other.
    file.write_all(lines)?;
    file.sync_data()
}

/// Appends one entry: for commands.
///
/// # Errors
///
/// What the file system says.
pub fn append_entry(data: &Path, entry: &Entry) -> io::Result<()> {
    let mut lines = Vec::new();
    line(entry, &mut lines);
    append(&make_folder(data)?, entry.at.day(), &lines, false)
}

//------------ Reading -------------------------------------------------------

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this action, or of those that begin with it and a space.
    pub action: Option<String>,
}

impl Filter {
    fn wants(&self, entry: &Entry) -> bool {
        let is_action = |action: &String| {
            entry
                .action
                .strip_prefix(action.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && self.user.as_ref().is_none_or(|user| *user == entry.user)
            && self.action.as_ref().is_none_or(is_action)
    }
}

/// The days there are, oldest first.
fn days_of(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut days = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(days),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".ndjson"));
        if let Some(at) = name.filter(|name| name.len() == 10).and_then(|name| Timestamp::parse(name).ok()) {
            days.push((at.day(), path));
        }
    }
    days.sort();
    Ok(days)
}

/// The days of which entries are wanted, oldest first.
fn days_wanted(data: &Path, filter: &Filter) -> io::Result<Vec<PathBuf>> {
    let is_wanted = |day: i64| {
        let (first, end) = (Timestamp::start_of_day(day), Timestamp::start_of_day(day + 1));
        filter.since.is_none_or(|since| since < end) && filter.until.is_none_or(|until| until > first)
    };
    let days = days_of(&data.join(FOLDER))?.into_iter();
    Ok(days.filter(|(day, _)| is_wanted(*day)).map(|(_, path)| path).collect())
}

/// Reads the entries that are wanted, the oldest day first, until `each` says no.
///
/// # Errors
///
/// What the file system or `each` says.
pub fn read(data: &Path, filter: &Filter, each: &mut dyn FnMut(Entry) -> io::Result<bool>) -> io::Result<()> {
    for path in days_wanted(data, filter)? {
        if !read_day(&path, filter, each)? {
            break;
        }
    }
    Ok(())
}

/// Reads the entries of a day that are wanted until `each` says no; says whether it did not.
fn read_day(
    path: &Path,
    filter: &Filter,
    each: &mut dyn FnMut(Entry) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        if io::Read::take(&mut reader, LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        number += 1;
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) if filter.wants(&entry) => {
                if !each(entry)? {
                    return Ok(false);
                }
            }
            Ok(_) => {}
            Err(_) if line.trim_ascii().is_empty() => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), number, %error, "a line of the audit cannot be read");
            }
        }
    }
}

/// The newest entries that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// Before this day nothing was looked at, since there was too much to read; absent: everything was.
    pub not_before: Option<Timestamp>,
}

/// How many bytes are read in search of the newest entries; the day that is begun is read to its end.
const NEWEST_BYTES_MAX: u64 = 128 << 20;

/// The newest entries that are wanted, `count` at most.
///
/// # Errors
///
/// What the file system says.
pub fn newest(data: &Path, filter: &Filter, count: usize) -> io::Result<Newest> {
    let (mut newest, mut bytes) = (Newest::default(), 0);
    let days = days_wanted(data, filter)?;
    for (older, path) in days.iter().enumerate().rev() {
        let room = count - newest.entries.len();
        let mut of_day = VecDeque::new();
        read_day(path, filter, &mut |entry| {
            if of_day.len() == room {
                of_day.pop_front();
            }
            of_day.push_back(entry);
            Ok(true)
        })?;
        newest.entries.extend(of_day.into_iter().rev());
        bytes += fs::metadata(path)?.len();
        if newest.entries.len() >= count {
            break;
        }
        if bytes >= NEWEST_BYTES_MAX && older > 0 {
            let name = path.file_stem().and_then(|name| name.to_str());
            newest.not_before = name.and_then(|name| Timestamp::parse(name).ok());
            break;
        }
    }
    Ok(newest)
}

/// The entry as a line of CSV with a fixed number of columns, or the heads of these.
pub const CSV_HEADS: [&str; 8] = ["at", "user", "token", "address", "action", "request", "object", "status"];

/// The cells of an entry under [`CSV_HEADS`]. A cell that begins like a formula is one to a spreadsheet: it gets a `'`.
pub fn csv_cells(entry: &Entry) -> [String; 8] {
    cells(entry).map(|cell| {
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
    })
}

/// The same as they are.
pub fn cells(entry: &Entry) -> [String; 8] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        entry.at.rfc3339(),
        entry.user.clone(),
        text(&entry.token),
        entry.address.map(|address| address.to_string()).unwrap_or_default(),
        entry.action.clone(),
        text(&entry.request),
        text(&entry.object),
        entry.status.map(|status| status.to_string()).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Data(PathBuf);

    impl Data {
        fn new(name: &str) -> Data {
            let path = std::env::temp_dir().join(format!("zonelens-audit-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Data(path)
        }

        fn read(&self, filter: &Filter) -> Vec<Entry> {
            let mut all = Vec::new();
            read(&self.0, filter, &mut |entry| {
                all.push(entry);
                Ok(true)
            })
            .unwrap();
            all
        }
    }

    impl Drop for Data {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn entry(at: &str, user: &str, action: &str) -> Entry {
        let at = Timestamp::parse(at).unwrap();
        Entry { at, user: user.into(), action: action.into(), ..Entry::default() }
    }

    #[test]
    fn entries_come_back_and_days_end() {
        let data = Data::new("days");
        let all = [
            entry("2024-05-28T23:59:59Z", "ann", "lookup"),
            entry("2024-05-29T00:00:00Z", "ann", "pin set"),
            entry("2024-05-29T10:00:00Z", "bob", "pin"),
            Entry {
                object: Some("a\nb\u{202e}".into()),
                status: Some(404),
                ..entry("2024-05-30", "eve", "pinned")
            },
        ];
        let audit = Audit::start(&data.0, 365).unwrap();
        for entry in &all {
            audit.try_record(Box::new(entry.clone())).unwrap();
        }
        audit.flush();
        assert_eq!(data.read(&Filter::default()), all);
        append_entry(&data.0, &entry("2024-05-30T01:00Z", "cli", "user add")).unwrap();
        audit.record(Box::new(entry("2024-05-30T02:00Z", "ann", "lookup")));
        drop(audit);
        assert_eq!(data.read(&Filter::default()).len(), 6, "the end is written");
        let filter = Filter { action: Some("pin".into()), ..Filter::default() };
        assert_eq!(data.read(&filter), all[1..3]);
        let filter = Filter { user: Some("ann".into()), until: Some(all[1].at), ..Filter::default() };
        assert_eq!(data.read(&filter), all[..1]);
        let filter = Filter { since: Some(all[1].at), until: Some(all[3].at), ..Filter::default() };
        assert_eq!(data.read(&filter), all[1..3]);
        let newest = |filter: &Filter, count| newest(&data.0, filter, count).unwrap();
        let found = newest(&Filter::default(), 3);
        assert_eq!(
            found.entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(),
            ["lookup", "user add", "pinned"]
        );
        assert_eq!(newest(&Filter::default(), 100).entries.last(), all.first());
        assert_eq!(newest(&filter, 100).entries, [all[2].clone(), all[1].clone()]);
        assert_eq!(newest(&filter, 1), Newest { entries: vec![all[2].clone()], not_before: None });
        // A day is kept as long as is said.
        let audit = Audit::start(&data.0, 1).unwrap();
        audit.record(Box::new(entry("2024-05-31", "ann", "lookup")));
        audit.flush();
        assert_eq!(data.read(&Filter::default())[0].at.date(), "2024-05-30");
    }

    #[test]
    fn what_reads_like_a_formula_is_none() {
        let entry = Entry { object: Some("=1+1".into()), ..entry("2024-05-28", "@ann", "-") };
        assert_eq!((&cells(&entry)[1], &cells(&entry)[6]), (&"@ann".to_owned(), &"=1+1".to_owned()));
        let safe = csv_cells(&entry);
        assert_eq!((safe[1].as_str(), safe[4].as_str(), safe[6].as_str()), ("'@ann", "'-", "'=1+1"));
    }

    #[test]
    fn a_damaged_line_hides_no_other() {
        let data = Data::new("damage");
        let first = entry("2024-05-28", "ann", "lookup");
        append_entry(&data.0, &first).unwrap();
        let folder = data.0.join(FOLDER);
        append(&folder, first.at.day(), b"{\"at\":\"2024-", false).unwrap();
        append(&folder, first.at.day(), b"", true).unwrap();
        append_entry(&data.0, &first).unwrap();
        assert_eq!(data.read(&Filter::default()), [first.clone(), first]);
    }

    #[test]
    fn nothing_is_lost_when_it_cannot_be_written_for_a_while() {
        let data = Data::new("full");
        let audit = Audit::start(&data.0, 365).unwrap();
        let folder = data.0.join(FOLDER);
        fs::remove_dir(&folder).unwrap();
        audit.record(Box::new(entry("2024-05-28", "ann", "lookup")));
        audit.flush();
        assert!(data.read(&Filter::default()).is_empty());
        fs::create_dir(&folder).unwrap();
        audit.flush();
        assert_eq!(data.read(&Filter::default()).len(), 1);
    }
}
