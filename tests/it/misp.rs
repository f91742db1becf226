//! Feeds of MISP events over HTTP: what is fetched, what is kept, and what hostile manifests name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::program::{Program, Ran};
use crate::web::{Reply, Web};

fn uuid(number: usize) -> String {
    format!("5bf30242-8ef4-4c52-a2d7-{number:012}")
}

/// An event that lists a host.
fn event(number: usize, host: &str) -> String {
    json!({"Event": {
        "uuid": uuid(number), "info": format!("event {number}"), "date": "2024-05-01", "timestamp": "1714521600",
        "Attribute": [{"uuid": "5bf30242-8ef4-4c52-a2d7-aaaaaaaaaaaa", "type": "domain", "value": host, "to_ids": true,
            "category": "Network activity", "timestamp": "1714521600"}],
        "Object": [{"name": "domain-ip", "Attribute": [
            {"type": "domain", "value": host, "to_ids": false}, {"type": "ip-dst", "value": "192.0.2.1", "to_ids": false},
            {"type": "datetime", "object_relation": "first-seen", "value": "2024-05-01T00:00:00Z", "to_ids": false}],
            "first_seen": "2024-05-01T00:00:00Z", "last_seen": "2024-05-02T00:00:00Z"}],
    }})
    .to_string()
}

/// The files of a feed by their names, and its manifest: seconds by event.
#[derive(Default)]
struct Feed {
    files: BTreeMap<String, String>,
    manifest: BTreeMap<String, u64>,
}

impl Feed {
    fn put(&mut self, number: usize, seconds: u64, host: &str) {
        self.files.insert(format!("/feed/{}.json", uuid(number)), event(number, host));
        self.manifest.insert(uuid(number), seconds);
    }

    fn manifest(&self) -> String {
        let entry = |(uuid, seconds): (&String, &u64)| {
            (uuid.clone(), json!({"info": "x", "timestamp": seconds.to_string()}))
        };
        json!(self.manifest.iter().map(entry).collect::<serde_json::Map<_, _>>()).to_string()
    }
}

/// A server of a feed, its manifest dated by its content.
fn server(feed: &Arc<Mutex<Feed>>) -> Web {
    let feed = feed.clone();
    Web::start(move |asked| {
        let feed = feed.lock().unwrap();
        if asked.path == "/feed/manifest.json" {
            let text = feed.manifest();
            let tag = format!("\"{}\"", text.len() as u64 + feed.manifest.values().sum::<u64>());
            return match asked.header("if-none-match") == Some(&tag) {
                true => Reply::status(304),
                false => Reply::ok(text).with("etag", &tag),
            };
        }
        feed.files.get(&asked.path).map_or_else(|| Reply::status(404), Reply::ok)
    })
}

fn program(web: &Web) -> Program {
    let program = Program::new();
    program.ok(&["source", "add", "osint", &format!("misp+{}", web.url("/feed/")), "--allow-private"]);
    program
}

fn refresh(program: &Program, now: &str) -> Ran {
    program.run(&["source", "refresh", "osint", "--now", now])
}

/// The names of files of the mirror.
fn mirror(program: &Program) -> Vec<String> {
    let folder = program.folder.join("zonelens-data/sources/osint.d/events");
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn only_events_that_changed_are_fetched() {
    let feed = Arc::new(Mutex::new(Feed::default()));
    for number in 0..4 {
        feed.lock().unwrap().put(number, 1000, &format!("host{number}.example"));
    }
    let web = server(&feed);
    let program = program(&web);
    let ran = refresh(&program, "2024-06-01");
    assert!(ran.code == 0 && ran.out.contains("4 listing"), "{}{}", ran.out, ran.talk);
    assert_eq!((web.asked().len(), mirror(&program).len()), (5, 5));
    // Nothing changed: the manifest is asked for, and no more.
    web.forget();
    let ran = refresh(&program, "2024-06-02");
    assert_eq!(
        (ran.out.as_str(), web.paths()),
        ("osint: not modified\n", vec!["/feed/manifest.json".to_owned()])
    );
    // One changed, one is new, one is gone, one is named and not there.
    {
        let mut feed = feed.lock().unwrap();
        feed.put(0, 2000, "other.example");
        feed.put(9, 2000, "new.example");
        feed.manifest.remove(&uuid(1));
        feed.manifest.insert(uuid(8), 2000);
    }
    web.forget();
    let ran = refresh(&program, "2024-06-03");
    assert!(ran.code == 0 && ran.out.contains("4 listing"), "{}{}", ran.out, ran.talk);
    assert!(ran.out.contains("1 missing"), "{}", ran.out);
    let path = |number| format!("/feed/{}.json", uuid(number));
    assert_eq!(web.paths(), ["/feed/manifest.json".to_owned(), path(0), path(8), path(9)]);
    let file = |number, seconds: u64| format!("{}.{seconds}.json", uuid(number));
    assert_eq!(
        mirror(&program),
        [file(0, 2000), file(2, 1000), file(3, 1000), file(9, 2000), "manifest.json".to_owned()]
    );
    assert_eq!(program.run(&["lookup", "new.example"]).code, 0);
    // The mirror was imported twice; what its events saw is counted once.
    let report = program
        .ok(&["lookup", "host2.example", "--format", "json", "--sections", "DomainDnsResolutions"])
        .out;
    assert!(report.contains("\"HitsCount\":1,") || report.contains("\"HitsCount\":1}"), "{report}");
    program.ok(&["source", "remove", "osint"]);
    assert!(!program.folder.join("zonelens-data/sources/osint.d").exists());
}

#[test]
fn a_refresh_that_was_cut_off_is_gone_on_with() {
    let feed = Arc::new(Mutex::new(Feed::default()));
    for number in 0..4 {
        feed.lock().unwrap().put(number, 1000, &format!("host{number}.example"));
    }
    let broken = Arc::new(Mutex::new(true));
    let (is_broken, files) = (broken.clone(), server(&feed));
    let behind = files.host().to_owned();
    let web = Web::start(move |asked| {
        if asked.path.contains(&uuid(2)) && *is_broken.lock().unwrap() {
            return Reply::status(403);
        }
        Reply::redirect(&format!("http://{behind}{}", asked.path))
    });
    let program = program(&web);
    let ran = refresh(&program, "2024-06-01");
    assert!(
        ran.code == 1 && ran.talk.contains("2 of 4 events are here, the next refresh goes on"),
        "{}",
        ran.talk
    );
    assert_eq!(program.run(&["lookup", "host0.example"]).code, 3, "all or nothing");
    *broken.lock().unwrap() = false;
    web.forget();
    let ran = refresh(&program, "2024-06-02");
    assert!(ran.code == 0 && ran.out.contains("4 listing"), "{}{}", ran.out, ran.talk);
    assert_eq!(web.asked().len(), 3, "the manifest and two events: {:?}", web.paths());
}

#[test]
fn what_is_no_event_is_kept_nowhere() {
    let feed = Arc::new(Mutex::new(Feed::default()));
    feed.lock().unwrap().put(0, 1000, "host0.example");
    feed.lock().unwrap().put(1, 1000, "host1.example");
    let login = "<html>please log in</html>".to_owned();
    feed.lock().unwrap().files.insert(format!("/feed/{}.json", uuid(1)), login);
    let web = server(&feed);
    let program = program(&web);
    let ran = refresh(&program, "2024-06-01");
    assert!(
        ran.code == 0 && ran.out.contains("1 listing") && ran.out.contains("1 missing"),
        "{}{}",
        ran.out,
        ran.talk
    );
    assert_eq!(mirror(&program), [format!("{}.1000.json", uuid(0)), "manifest.json".to_owned()]);
}

#[test]
fn manifests_cannot_name_files_elsewhere() {
    for name in ["../../../evil", "/etc/passwd", "..\\evil", "5bf30242-8ef4-4c52-a2d7-0b7b0a01621."] {
        let feed = Arc::new(Mutex::new(Feed::default()));
        feed.lock().unwrap().manifest.insert(name.to_owned(), 1);
        let web = server(&feed);
        let program = program(&web);
        let ran = refresh(&program, "2024-06-01");
        assert!(
            ran.code == 1 && ran.talk.contains("a uuid and seconds are expected"),
            "{name}: {}",
            ran.talk
        );
        assert_eq!(web.asked().len(), 1);
    }
    let web = Web::start(|_| Reply::ok("<html>"));
    let ran = refresh(&program(&web), "2024-06-01");
    assert!(ran.talk.contains("check that the location is the folder of a MISP feed"), "{}", ran.talk);
}

#[test]
fn the_mirror_as_a_whole_has_a_limit() {
    let feed = Arc::new(Mutex::new(Feed::default()));
    for number in 0..3 {
        feed.lock().unwrap().put(number, 1000, "a.example");
        let large = event(number, "a.example").replace("event", &"e".repeat(500_000));
        feed.lock().unwrap().files.insert(format!("/feed/{}.json", uuid(number)), large);
    }
    let web = server(&feed);
    let program = Program::new();
    let location = format!("misp+{}", web.url("/feed/"));
    let config =
        format!("[[source]]\nname = \"osint\"\nlocation = {location:?}\nallow_private = true\nsize_mb = 1\n");
    program.file("zonelens.toml", config);
    for _ in 0..2 {
        let ran = refresh(&program, "2024-06-01");
        assert!(ran.code == 1 && ran.talk.contains("more than 1 MiB: raise size_mb"), "{}", ran.talk);
        assert!(ran.talk.contains("2 of 3 events are here"), "{}", ran.talk);
    }
}
