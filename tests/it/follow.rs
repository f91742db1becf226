//! Following logs: every line counts once, whatever is rotated, truncated or killed.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use serde_json::json;
use zonelens::import::{Follower, Options};
use zonelens::lookup::{LookupError, Request};
use zonelens::store::Store;
use zonelens::store::merge::Retention;
use zonelens::value::Timestamp;

use crate::mutate::{Random, ask, times};
use crate::program::{Program, gzip, text, until};
use crate::world::Folder;

/// 2024-06-01, the moment that [`Program`] takes for now.
const NOW: i64 = 1_717_243_200;

/// The `number`th line of a log; no two are alike, all say the same.
fn line(number: u64) -> String {
    let at = format!("2024-05-20T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60);
    let fact = json!({"fact": "resolution", "rrname": "a.test", "rrtype": "A", "rdata": {"address": "192.31.196.7"},
        "first": at, "last": at, "hits": 1});
    format!("{fact}\n")
}

fn hits_of(store: &Store, name: &str) -> u64 {
    store.refresh();
    let request = Request { sections: Some(vec!["DomainDnsResolutions".to_owned()]), ..Request::default() };
    match ask(store, NOW, name, &request) {
        Ok(answer) => answer["DomainDnsResolutions"][0]["HitsCount"].as_u64().unwrap(),
        Err(LookupError::Unknown(_)) => 0,
        Err(error) => panic!("{error}"),
    }
}

/// A log and a store, in one folder.
struct Log {
    folder: Folder,
    store: Store,
    path: PathBuf,
    lines: std::cell::Cell<u64>,
}

impl Log {
    fn new() -> Log {
        let folder = Folder::new();
        let store = Store::open_or_create(&folder.0.join("data"), 7).unwrap();
        let path = folder.0.join("dns.log");
        Log { folder, store, path, lines: std::cell::Cell::new(0) }
    }

    fn options(&self) -> Options {
        let (source, format) = (Some("dns".to_owned()), Some("native".to_owned()));
        Options { source, format, buffer_bytes: 1 << 20, ..Options::new(Timestamp(NOW)) }
    }

    fn follower(&self) -> Follower<'_> {
        Follower::new(&self.store, self.options(), &self.path).unwrap()
    }

    fn write(&self, text: &str) {
        append(&self.path, text);
    }

    /// Writes so many lines more.
    fn grow(&self, count: u64) {
        let from = self.lines.replace(self.lines.get() + count);
        let text: String = (from..from + count).map(line).collect();
        self.write(&text);
    }

    fn hits(&self) -> u64 {
        hits_of(&self.store, "a.test")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Takes in what is new; how many batches that was.
fn step(follower: &mut Follower<'_>) -> usize {
    follower.step(Timestamp(NOW), &mut |_| {}).unwrap().len()
}

#[test]
fn new_lines_are_a_batch_and_only_whole_ones() {
    let log = Log::new();
    let mut first = log.follower();
    assert_eq!(step(&mut first), 0, "there is no file yet");
    log.write(&line(0)[..20]);
    assert_eq!(step(&mut first), 0, "no line is whole");
    log.write(&line(0)[20..]);
    log.lines.set(1);
    assert_eq!((step(&mut first), step(&mut first), log.hits()), (1, 0, 1));
    drop(first);
    log.grow(3);
    log.write("{\"half\":");
    let mut again = log.follower();
    assert_eq!((step(&mut again), step(&mut again), log.hits()), (1, 0, 4));
    drop(again);
    // Merging and a retired batch change nothing of how far it was read.
    log.store.merge(Timestamp(NOW), &Retention::default()).unwrap();
    log.store.retire(&[1], Timestamp(NOW)).unwrap();
    assert_eq!((step(&mut log.follower()), log.hits()), (0, 3));
    log.write("1}\n");
    log.grow(1);
    assert_eq!((step(&mut log.follower()), log.hits()), (1, 4));
}

#[test]
fn a_renamed_log_is_read_to_its_end() {
    let log = Log::new();
    log.grow(5);
    let old = log.beside("dns.log.1");
    {
        let mut follower = Follower::new(&log.store, log.options(), &log.path.clone()).unwrap();
        step(&mut follower);
        fs::rename(&log.path, &old).unwrap();
        // Who writes does not know yet.
        append(&old, &line(100));
        assert_eq!(step(&mut follower), 1);
        append(&log.path, &line(200));
        append(&old, &line(101));
        append(&old, line(102).trim_end());
        assert_eq!(step(&mut follower), 2);
        // The last line has no end, and nobody writes on.
        assert_eq!((0..4).map(|_| step(&mut follower)).sum::<usize>(), 1);
    }
    assert_eq!(log.hits(), 9);
    // Rotated while nobody followed; what was compressed before is not read again.
    append(&log.path, &line(201));
    fs::rename(&old, log.beside("dns.log.2")).unwrap();
    fs::rename(&log.path, &old).unwrap();
    append(&log.path, &line(300));
    assert_eq!(step(&mut log.follower()), 2);
    assert_eq!(log.hits(), 11);
}

#[test]
fn a_truncated_log_is_another_one() {
    let log = Log::new();
    log.grow(5);
    let copy = log.beside("dns.log.1");
    let mut follower = Follower::new(&log.store, log.options(), &log.path.clone()).unwrap();
    step(&mut follower);
    // copytruncate, with lines that nobody had read.
    append(&log.path, &line(100));
    fs::copy(&log.path, &copy).unwrap();
    File::create(&log.path).unwrap();
    step(&mut follower);
    append(&log.path, &line(200));
    step(&mut follower);
    drop(follower);
    assert_eq!(log.hits(), 7);
    // It begins as the last one did, also once it is longer than that was.
    for more in [6, 8] {
        fs::remove_file(&log.path).unwrap();
        let text: String =
            (0..more).map(|number| if number == 0 { line(0) } else { line(1000 + more * number) }).collect();
        let before = log.hits();
        append(&log.path, &text);
        step(&mut log.follower());
        assert_eq!(log.hits(), before + more, "{more}");
    }
}

#[test]
fn formats_with_a_header_get_it_before_every_part() {
    let folder = Folder::new();
    let store = Store::open_or_create(&folder.0.join("data"), 7).unwrap();
    let path = folder.0.join("dns.log");
    let header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n\
        #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\tanswers\n\
        #types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tstring\tvector[string]\n";
    let row = |number: u64| {
        format!(
            "17161000{number:02}.1\tC{number}\t10.0.0.1\t5353\t10.0.0.2\t53\tudp\ta.test\tA\t192.31.196.7\n"
        )
    };
    let options =
        Options { source: Some("zeek".to_owned()), buffer_bytes: 1 << 20, ..Options::new(Timestamp(NOW)) };
    append(&path, header);
    append(&path, &row(0));
    let mut follower = Follower::new(&store, options.clone(), &path).unwrap();
    assert_eq!(step(&mut follower), 1);
    for number in 1..4 {
        append(&path, &row(number));
        assert_eq!(step(&mut follower), 1);
    }
    assert_eq!(hits_of(&store, "a.test"), 4);
    // What does not stand in lines by itself is refused, and so is what is not events.
    let path = folder.0.join("list.txt");
    append(&path, "a.example\nb.example\n");
    let mut follower =
        Follower::new(&store, Options { format: Some("list".to_owned()), ..options.clone() }, &path).unwrap();
    let refused = follower.step(Timestamp(NOW), &mut |_| {}).unwrap_err().to_string();
    assert!(refused.contains("list cannot be followed"), "{refused}");
    let whole = Options { state: Some(zonelens::feeds::State::Whole), ..options };
    assert!(Follower::new(&store, whole, &path).is_err());
}

fn follow(program: &Program) -> Child {
    let arguments =
        ["import", "--follow", "--every", "1s", "--format", "native", "--source", "dns", "dns.log"];
    program.command(&arguments).spawn().unwrap()
}

#[test]
fn whenever_it_is_killed_every_line_counts_once() {
    let program = Program::new();
    let (path, mut random, mut lines, mut rotated) = (program.folder.join("dns.log"), Random::new(9), 0, 0);
    for _ in 0..times(8, 100) {
        let mut child = follow(&program);
        // The writer goes on while the other is begun, reads, publishes and dies.
        let deadline = std::time::Instant::now() + Duration::from_millis(20 + random.below(700));
        while std::time::Instant::now() < deadline {
            let count = 1 + random.below(40);
            let text: String = (lines..lines + count).map(line).collect();
            lines += count;
            let (head, rest) = text.split_at(random.below(text.len() as u64) as usize);
            append(&path, head);
            append(&path, rest);
            std::thread::sleep(Duration::from_millis(random.below(8)));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A file of which nothing was ever read cannot be known again under another name.
        if random.once_in(3) && hits(&program) > 0 {
            rotated += 1;
            fs::rename(&path, program.folder.join(format!("dns.log.{rotated}"))).unwrap();
            lines += 1;
            append(&path, &line(lines - 1));
            // As long as one follows between two rotations nothing is lost.
            let mut child = follow(&program);
            until(|| hits(&program) == lines);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        if random.once_in(3) && program.folder.join("zonelens-data").exists() {
            program.ok(&["merge"]);
        }
    }
    let mut child = follow(&program);
    // What it reads it has the turn for.
    append(&path, &line(lines));
    lines += 1;
    until(|| hits(&program) >= lines);
    // A second one on the same source would count twice: it is refused.
    let second = program.run(&["import", "--follow", "--source", "dns", "--format", "native", text(&path)]);
    assert!(second.code == 1 && second.talk.contains("somebody else follows"), "{}", second.talk);
    std::thread::sleep(Duration::from_millis(1200));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(hits(&program), lines);
    assert_eq!(program.ok(&["verify"]).code, 0);
}

fn hits(program: &Program) -> u64 {
    match Store::open(&program.folder.join("zonelens-data")) {
        Ok(store) => hits_of(&store, "a.test"),
        Err(_) => 0,
    }
}

#[test]
fn what_was_followed_is_known_where_it_is_compressed() {
    let program = Program::new();
    let content: String = (0..50).map(line).collect();
    program.file("log/dns.log", &content);
    program.file(
        "zonelens.toml",
        "[[source]]\nname = \"dns\"\nlocation = \"log\"\nformat = \"native\"\nstate = \"events\"\n",
    );
    let refresh = || until(|| program.run(&["source", "refresh", "dns"]).code == 0 && hits(&program) > 0);
    refresh();
    assert_eq!(hits(&program), 50);
    let whole = content + &line(50);
    fs::remove_file(program.folder.join("log/dns.log")).unwrap();
    let packed = program.file("log/dns.log.1.gz", gzip(whole.as_bytes()));
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64);
    File::options().append(true).open(&packed).unwrap().set_modified(old).unwrap();
    refresh();
    assert_eq!(hits(&program), 51);
}
