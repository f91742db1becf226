//! What goes wrong: processes killed at any moment, bytes that are not what was written.
//!
//! As in [`crate::mutate`], `ZONELENS_FULL=1` runs them as often as the project promises.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use zonelens::import::{self, Options, Origin};
use zonelens::lookup::{LookupError, Request};
use zonelens::store::merge::Retention;
use zonelens::store::{Damage, Store, StoreError};
use zonelens::value::Timestamp;

use crate::mutate::{ADDRESSES, Doing, NAMES, Random, ask, killed, live, times};
use crate::program::Program;
use crate::world::Folder;

/// 2024-06-01, the moment that [`Program`] takes for now.
const NOW: i64 = 1_717_243_200;

//------------ Kills ---------------------------------------------------------

const NAMES_A_FILE: u64 = 4000;

/// A file that says the same as every other of its kind.
fn large_file(number: u64) -> String {
    let mut text = format!("# {number}\n");
    for name in 0..NAMES_A_FILE {
        let fact = json!({"fact": "resolution", "rrname": format!("n{name}.test"), "rrtype": "A",
            "rdata": {"address": "192.31.196.9"}, "first": "2024-05-20", "last": "2024-05-20", "hits": 1});
        text += &format!("{fact}\n");
    }
    text
}

/// How often a name resolved to the address: once for each batch that is there.
fn hits(store: &Store, name: u64) -> u64 {
    let request = Request { sections: Some(vec!["DomainDnsResolutions".to_owned()]), ..Request::default() };
    match ask(store, NOW, &format!("n{name}.test"), &request) {
        Ok(answer) => answer["DomainDnsResolutions"][0]["HitsCount"].as_u64().unwrap(),
        Err(LookupError::Unknown(_)) => 0,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_killed_process_loses_nothing_and_leaves_nothing_half() {
    let program = Program::new();
    let data = program.folder.join("data");
    let import = ["--data", "data", "import", "--source", "dns", "--format", "native"];
    let start = Instant::now();
    let path = program.file("first.ndjson", large_file(0));
    program.ok(&[&import[..], &[path.to_str().unwrap()]].concat());
    let longest = start.elapsed() + start.elapsed() / 5;
    let (mut random, mut expected, mut killed_in_time) = (Random::new(1), 1, 0);
    for number in 1..=times(10, 200) {
        let _doing = Doing(format!("kill {number}"));
        let delay = longest.mul_f64(random.below(1000) as f64 / 1000.0);
        if number % 4 == 0 {
            killed(&program, &["--data", "data", "merge"], delay / 2);
        } else {
            let path = program.file("large.ndjson", large_file(number));
            let done = killed(&program, &[&import[..], &[path.to_str().unwrap()]].concat(), delay);
            killed_in_time += u64::from(!done);
            let added = live(&program).len() as u64 - expected;
            assert!(added <= 1 && added >= u64::from(done), "done: {done}, added: {added}");
            expected += added;
        }
        let live = live(&program);
        assert_eq!(live.len() as u64, expected);
        assert!(live.values().all(|(_, facts)| *facts == NAMES_A_FILE || *facts == 1));
        let large = live.values().filter(|(_, facts)| *facts == NAMES_A_FILE).count() as u64;
        let store = Store::open(&data).unwrap();
        for name in [0, NAMES_A_FILE / 3, NAMES_A_FILE - 1] {
            assert_eq!(hits(&store, name), large);
        }
        // The next import works and takes away what was left behind.
        let small = json!({"fact": "resolution", "rrname": "small.test", "rrtype": "A",
            "rdata": {"address": "192.31.196.8"}, "first": number, "last": number});
        let small = small.to_string().replace(&format!(":{number}"), &format!(":{}", NOW - number as i64));
        let path = program.file("small.ndjson", small);
        program.ok(&[&import[..], &[path.to_str().unwrap()]].concat());
        expected += 1;
        let left: Vec<PathBuf> =
            fs::read_dir(data.join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
        program.ok(&["--data", "data", "verify"]);
        if number % 20 == 0 {
            program.ok(&["--data", "data", "retire", "--source", "dns"]);
            expected = 0;
        }
    }
    assert!(killed_in_time > 0, "no import was killed before it was done");
}

//------------ Damage --------------------------------------------------------

/// What a lookup says; damage apart.
fn answer(store: &Store, object: &str, as_of: Option<Timestamp>) -> Result<String, LookupError> {
    match ask(store, NOW, object, &Request { as_of, ..Request::default() }) {
        Ok(answer) => Ok(answer.to_string()),
        Err(LookupError::Unknown(_)) => Ok("unknown".to_owned()),
        Err(error) => Err(error),
    }
}

/// Objects and moments that are asked about after each fault.
fn questions() -> Vec<(&'static str, Option<Timestamp>)> {
    let past = Some(Timestamp(NOW - 3 * 86_400));
    let objects = NAMES.into_iter().chain(ADDRESSES).chain(["n77.test"]);
    objects.flat_map(|object| [(object, None), (object, past)]).collect()
}

/// A store with several runs: some of a few pages, one of many, a merged one with its originals.
fn build(folder: &Path) {
    let store = Store::open_or_create(folder, 7).unwrap();
    let mut random = Random::new(5);
    for number in 0..7 {
        let mut content = format!("# {number}\n");
        let rows = if number == 5 { 6000 } else { 40 };
        for row in 0..rows {
            let name = if number == 5 { format!("n{row}.test") } else { (*random.of(&NAMES)).to_owned() };
            let first = NOW - 86_400 * 10 + random.below(86_400 * 6) as i64;
            let address = if number == 5 { "192.31.196.77" } else { *random.of(&ADDRESSES[..3]) };
            content += &json!({"fact": "resolution", "rrname": name, "rrtype": "A",
                "rdata": {"address": address}, "first": first, "last": first + 60,
                "hits": 1 + random.below(50)})
            .to_string();
            content += "\n";
        }
        if number % 2 == 0 {
            content += "{\"fact\":\"listing\",\"type\":\"MASK_TYPE_HOST\",\"mask\":\"one.test\",\"category\":\"APT\"}\n";
            content +=
                "{\"fact\":\"network\",\"range\":\"192.31.196.0/24\",\"asn\":112,\"country\":\"SE\"}\n";
        }
        let path = folder.join("content.ndjson");
        fs::write(&path, content).unwrap();
        let mut options = Options::new(Timestamp(NOW - 86_400 * (4 - number / 2)));
        (options.source, options.format) = (Some(format!("dns-{}", number % 3)), Some("native".to_owned()));
        import::import(&store, &options, Origin::Path(path), &mut |_| {}).unwrap();
        if number == 3 {
            assert_eq!(store.merge(options.now, &Retention::default()).unwrap(), (4, 2));
        }
    }
    fs::remove_file(folder.join("content.ndjson")).unwrap();
}

/// Whether a file is that of a run.
fn is_of(file: &Path, run: u64) -> bool {
    file.ends_with(format!("runs/{run:010}.run"))
}

/// The damage that is found, and the batches to import again.
fn verify(folder: &Path) -> (Vec<Damage>, Vec<u64>) {
    let found = zonelens::store::verify(folder).unwrap();
    (found.damage, found.lost.iter().map(|batch| batch.seq).collect())
}

#[test]
fn damage_is_named_and_never_answers() {
    let folder = Folder::new();
    build(&folder.0);
    let store = Store::open(&folder.0).unwrap();
    let right: Vec<String> =
        questions().iter().map(|(object, as_of)| answer(&store, object, *as_of).unwrap()).collect();
    let manifest = store.snapshot().unwrap().manifest.clone();
    drop(store);
    assert_eq!(verify(&folder.0), (Vec::new(), Vec::new()));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.0.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), manifest.runs.len() + 4, "a merged run of four, beside it its originals");
    files.extend([folder.0.join("MANIFEST"), folder.0.join("catalogue.log")]);
    let (mut random, mut wrong, mut still_right) = (Random::new(3), 0, 0);
    for number in 0..times(60, 1000) {
        let file = &files[number as usize % files.len()];
        let content = fs::read(file).unwrap();
        let mut damaged = content.clone();
        let at = random.below(content.len() as u64) as usize;
        let is_cut = random.once_in(4);
        if is_cut {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 1 << random.below(8);
        }
        let how = if is_cut { "cut at" } else { "flipped in" };
        let _doing = Doing(format!("fault {number}: {} {how} byte {at}", file.display()));
        // A file of its own: what is mapped must not change below a reader.
        fs::remove_file(file).unwrap();
        fs::write(file, &damaged).unwrap();
        let store = Store::open(&folder.0);
        for ((object, as_of), right) in questions().iter().zip(&right) {
            match store.as_ref().map(|store| answer(store, object, *as_of)) {
                Ok(Ok(answer)) => {
                    assert_eq!(answer, *right, "{object} as of {as_of:?}");
                    still_right += 1;
                }
                Ok(Err(LookupError::Store(StoreError::Damaged(damage)))) => {
                    assert_eq!(damage.file, *file);
                    wrong += 1;
                }
                Err(StoreError::Damaged(damage)) => {
                    assert_eq!(damage.file, *file);
                    wrong += 1;
                }
                other => panic!("{object} as of {as_of:?}: {other:?}"),
            }
        }
        let (damage, lost) = verify(&folder.0);
        let run = manifest.runs.iter().find(|run| is_of(file, run.id));
        let all = || manifest.runs.iter().flat_map(|run| run.batches.clone()).collect();
        let without = if file.ends_with("MANIFEST") { all() } else { Vec::new() };
        assert_eq!(lost, run.map_or(without, |run| run.batches.clone()));
        // A log that ends with a whole line is what a kill leaves; the next import adds what it lacks.
        let is_whole = file.ends_with("catalogue.log")
            && is_cut
            && (at == 0 || content[at - 1] == b'\n' || content[at] == b'\n');
        assert_eq!(damage.is_empty(), is_whole, "{damage:?}");
        assert!(damage.iter().all(|damage| damage.file == *file && !damage.place.is_empty()), "{damage:?}");
        if let Some(page) = damage.first().filter(|damage| damage.place.starts_with("page ")) {
            assert!(page.place.starts_with(&format!("page {} ", at / (16 << 10))), "{page}");
        }
        if file.ends_with("catalogue.log") || run.is_none() && !file.ends_with("MANIFEST") {
            let store = store.unwrap();
            assert!(questions().iter().all(|(object, as_of)| answer(&store, object, *as_of).is_ok()));
        }
        fs::remove_file(file).unwrap();
        fs::write(file, &content).unwrap();
    }
    assert!(wrong > 0 && still_right > 0, "{wrong} refused, {still_right} right");
    // What verify says to do helps: with the batches of a damaged run retired, the rest answers.
    for file in files.iter().filter(|file| manifest.runs.iter().any(|run| is_of(file, run.id))) {
        let content = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        fs::write(file, &content[..content.len() / 2]).unwrap();
        let lost = verify(&folder.0).1;
        Store::open(&folder.0).unwrap().retire(&lost, Timestamp(NOW)).unwrap();
        assert_eq!(verify(&folder.0), (Vec::new(), Vec::new()));
    }
}
