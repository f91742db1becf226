//! Golden files of the feed formats: `tests/feeds/<format>/<case>.in[.<name>]` is read by the format its
//! folder names, and what comes out must equal `<case>.out`. `BLESS=1 cargo test` writes the `.out` files
//! anew: read the diff. A case that is a folder `<case>.in/` is one batch of several files.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zonelens::feeds::{self, Emit, Input, Item, SAMPLE_BYTES, Sample};
use zonelens::value::Timestamp;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feeds")
}

pub fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files of a case with the names that the format sees: `urlhaus.in.list.txt` is `list.txt`.
pub fn files(input: &Path) -> Vec<(String, Vec<u8>)> {
    if input.is_dir() {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        return sorted(input).iter().map(|path| (name(path), fs::read(path).unwrap())).collect();
    }
    let name = input.file_name().unwrap().to_str().unwrap();
    let (case, rest) = name.split_once(".in").unwrap();
    let seen = rest.strip_prefix('.').map_or_else(|| format!("{case}.txt"), str::to_owned);
    vec![(seen, fs::read(input).unwrap())]
}

pub fn read(format: &feeds::Format, files: &[(String, Vec<u8>)]) -> String {
    let mut text = String::new();
    let mut sink = |item| {
        match item {
            Item::Fact(fact, line) => {
                text.push_str(&format!("{line} {}\n", serde_json::to_string(&fact).unwrap()));
                let again: zonelens::fact::Fact =
                    serde_json::from_str(&serde_json::to_string(&fact).unwrap()).unwrap_or_else(|error| {
                        panic!("the native form of a fact reads back: {error}\n{fact:?}")
                    });
                // What the import refuses need not be written.
                let years = Timestamp::RECORD_MIN..=Timestamp::RECORD_MAX;
                let dates = fact.observed().into_iter().chain(fact.record_dates()).flatten();
                let is_writable = dates.into_iter().all(|at| years.contains(&at));
                assert!(
                    !is_writable || again == fact,
                    "the native form of a fact reads back as it was: {fact:?}"
                );
            }
            Item::Mark(tlp) => text.push_str(&format!("marked {tlp}\n")),
            Item::Rejected(rejected) => {
                text.push_str(&format!(
                    "{} rejected {}\n",
                    rejected.line,
                    serde_json::to_string(&rejected).unwrap()
                ));
            }
        }
        Ok(())
    };
    let mut out = Emit::new(&mut sink);
    let mut parser = (format.open)();
    for (name, content) in files {
        out.set_file(name);
        let mut reader = BufReader::new(&content[..]);
        parser.read(&mut Input { name, reader: &mut reader }, &mut out).unwrap();
    }
    parser.finish(&mut out).unwrap();
    text
}

#[test]
fn every_sample_reads_as_its_golden_file_says() {
    let mut cases = 0;
    for format_folder in sorted(&folder()) {
        let name = format_folder.file_name().unwrap().to_str().unwrap();
        let format = feeds::find(name).unwrap_or_else(|| panic!("tests/feeds/{name} names no format"));
        for input in sorted(&format_folder) {
            let file = input.file_name().unwrap().to_str().unwrap();
            let Some((case, _)) = file.split_once(".in") else { continue };
            cases += 1;
            let files = files(&input);
            let text = read(format, &files);
            let golden = format_folder.join(format!("{case}.out"));
            if std::env::var_os("BLESS").is_some() {
                fs::write(&golden, &text).unwrap();
            }
            let expected = fs::read_to_string(&golden)
                .unwrap_or_else(|_| panic!("{} is missing: run with BLESS=1 and read it", golden.display()));
            assert_eq!(
                text, expected,
                "{name}/{case}: if the change is meant, run with BLESS=1 and read the diff"
            );
            let (first, content) = &files[0];
            let head = &content[..content.len().min(SAMPLE_BYTES)];
            let found = feeds::recognise(&Sample { name: first, head }).map(|format| format.name);
            if !case.ends_with("-unrecognised") {
                assert_eq!(found, Some(name), "{name}/{case} is not recognised by its content");
            }
        }
    }
    assert!(cases >= feeds::FORMATS.len(), "every format has a sample: {cases} cases");
}

#[test]
fn every_format_has_a_sample() {
    for format in feeds::FORMATS {
        assert!(folder().join(format.name).is_dir(), "tests/feeds/{} is missing", format.name);
    }
}

/// The page of the formats is the table: what a format is, what a batch of it means, what proved it.
#[test]
fn the_page_of_formats_is_the_table() {
    let mut page = String::from(
        "# Formats\n\nWhat `import` reads, in the order in which a content is tried. `whole`: a batch is all that its source\n\
         lists, and what is not in it any more is no longer listed; `events`: a batch adds to what is there. A source can\n\
         be configured otherwise. `sample`: it has read what its writer really writes. `documentation`: it was written by\n\
         the documentation, and has not met a real file yet. The head of `src/feeds/<format>.rs` says what each makes of\n\
         what; `BLESS=1 cargo test --test it feeds` writes this page.\n\n\
         Plain lists of feeds (OpenPhish, blocklist.de, the Tor bulk exit list, Spamhaus DROP and AbuseIPDB as text) are\n\
         a `list`; answers of DNSDB, version 2 too, are `cof`.\n\n\
         ## Compressed content and archives\n\n\
         gzip, bzip2, xz and zstd are found by the first bytes, tar and zip by the content, whatever the name says. A tar\n\
         may be compressed, and so may each member of an archive; an archive within an archive is an error. The members\n\
         are read as the files of a folder are: hidden and empty ones, folders, links and devices are passed over, and a\n\
         name is only a name. Of a zip, members are stored or deflated, not encrypted, and no two have one name; of a tar\n\
         that says a name twice both are read. What was packed anew, in another order or way, is the same content. A zip\n\
         on standard input is kept in a nameless file in the system's temporary folder (`TMPDIR`) while it is read.\n\n\
         Limits: 1,000,000 members, 256 GiB of them decompressed, 1,000 times the compressed size beyond the first 64 MiB,\n\
         windows that take 256 MiB of memory (xz) or 128 MiB (zstd). What goes beyond is an error that says which file,\n\
         which member and which limit, and nothing is imported.\n\n\
         ## Names\n\n\
         | name | what | batch | proof |\n|---|---|---|---|\n",
    );
    for format in feeds::FORMATS {
        let state = format!("{:?}", format.state).to_lowercase();
        let proof = format!("{:?}", format.proof).to_lowercase();
        page.push_str(&format!("| `{}` | {} | {state} | {proof} |\n", format.name, format.title));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(&path).unwrap(), "run with BLESS=1 and read the diff");
}

/// Of a table no line is passed over in silence, however it is damaged: each is a fact or a rejected record. What may
/// be passed over is blank, a comment, or the header.
#[test]
fn every_line_of_a_damaged_table_is_accounted_for() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 1).unwrap()
    };
    let is_table = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "csv");
    let formats = ["urlhaus", "threatfox", "malwarebazaar", "feodo-tracker", "sslbl", "phishtank"];
    let mut tables = 0;
    for name in formats {
        let format = feeds::find(name).unwrap();
        for input in sorted(&folder().join(name)).iter().filter(is_table) {
            tables += 1;
            let original = fs::read(input).unwrap();
            for _ in 0..60 {
                let mut content = original.clone();
                for _ in 0..=next() % 6 {
                    let at = next() % content.len();
                    match next() % 3 {
                        0 => content[at] = u8::try_from(next() % 256).unwrap(),
                        1 => content.truncate(at.max(1)),
                        _ => content.insert(at, b"\"\n, \xff"[next() % 5]),
                    }
                }
                let text = read(format, &[("feed.csv".to_owned(), content.clone())]);
                let said: std::collections::BTreeSet<usize> =
                    text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
                let silent = content.split(|byte| *byte == b'\n').enumerate().filter(|(at, line)| {
                    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
                    let text = String::from_utf8_lossy(line);
                    let text = text.trim();
                    !text.is_empty() && !text.starts_with('#') && !said.contains(&(at + 1))
                });
                // The header, where it is no comment.
                let silent = silent.count();
                assert!(
                    silent <= 1,
                    "{name}: {silent} lines say nothing\n{}",
                    String::from_utf8_lossy(&content)
                );
            }
        }
    }
    assert!(tables >= 10, "{tables} tables");
}

/// Formats of which each line is a record, and how their comments begin.
const LINE_FORMATS: &[(&str, Option<char>)] = &[("squid", None), ("dnsmasq", Some('#'))];

/// Every line that is neither blank nor a comment is a fact or a rejected record.
fn assert_accounted(format: &str, comment: Option<char>, content: &[u8], text: &str) {
    let numbers = text.lines().filter_map(|line| line.split(' ').next()?.parse().ok());
    let answered: std::collections::HashSet<usize> = numbers.collect();
    for (at, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches('\u{feff}').trim();
        let says = !line.is_empty() && !comment.is_some_and(|comment| line.starts_with(comment));
        assert!(!says || answered.contains(&(at + 1)), "{format} passes over line {}: {line:?}", at + 1);
    }
}

/// Whatever the bytes, a parser neither panics nor loses count of lines: seeded changes of real samples.
#[test]
fn damaged_samples_never_panic() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for format in feeds::FORMATS {
        let lines = LINE_FORMATS.iter().find(|(name, _)| *name == format.name);
        for input in sorted(&folder().join(format.name)) {
            if !input.file_name().unwrap().to_str().unwrap().contains(".in") {
                continue;
            }
            let original = files(&input);
            for _ in 0..30 {
                let mut changed = original.clone();
                for (_, content) in &mut changed {
                    for _ in 0..=next() % 8 {
                        if content.is_empty() {
                            break;
                        }
                        let at = usize::try_from(next() % content.len() as u64).unwrap();
                        match next() % 3 {
                            0 => content[at] = (next() & 0xff) as u8,
                            1 => content.truncate(at),
                            _ => {
                                content.remove(at);
                            }
                        }
                    }
                }
                let text = read(format, &changed);
                if let (Some((name, comment)), [(_, content)]) = (lines, &changed[..]) {
                    assert_accounted(name, *comment, content, &text);
                }
            }
        }
    }
}
