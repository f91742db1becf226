//! Search over everything known: what is found and why, paging, wrong questions, what is restricted.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::indicator::Indicator;
use zonelens::lookup::{Context, Licence, LookupError};
use zonelens::search::{LIMIT_MAX, Page, search};
use zonelens::store::merge::Retention;
use zonelens::store::walk::{Head, Range, Walk};
use zonelens::store::{Reader, Subject, Table};
use zonelens::value::Tlp;

use crate::program::{NOW, Program};
use crate::world::World;

const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// Facts of every kind that can be searched for.
const FACTS: &str = r#"
{"fact":"resolution","rrname":"example.net","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"resolution","rrname":"www.example.net","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-02","last":"2024-05-03","hits":2}
{"fact":"resolution","rrname":"a.www.example.net","rrtype":"A","rdata":{"address":"192.31.196.9"},"first":"2024-05-02","last":"2024-05-03","hits":2}
{"fact":"resolution","rrname":"example-two.net","rrtype":"A","rdata":{"address":"192.31.197.1"},"first":"2024-05-02","last":"2024-05-03","hits":2}
{"fact":"resolution","rrname":"example.co.uk","rrtype":"A","rdata":{"address":"192.31.197.2"},"first":"2024-05-02","last":"2024-05-03","hits":2}
{"fact":"network","range":"192.31.196.0-192.31.196.255","asn":112,"as_name":"AS112","country":"US","name":"AS112-NET"}
{"fact":"network","range":"192.31.196.0-192.31.196.15","country":"NL","name":"SMALL"}
{"fact":"registration","domain":"example.net","name_servers":["ns1.example.org","ns2.example.org"],"contacts":[{"contact_type":"registrant","name":"Jane Doe","organization":"Acme  Ltd","email":"Jane@Example.org"},{"contact_type":"technical","name":"Host Master","email":"jane@example.org"}]}
{"fact":"registration","domain":"example.co.uk","name_servers":["NS1.example.org"],"contacts":[{"contact_type":"registrant","organization":"ACME Limited"}]}
{"fact":"file_verdict","file":{"md5":"11111111111111111111111111111111","sha256":"1111111111111111111111111111111111111111111111111111111111111111"},"zone":"Red","names":["Invoice 2024.exe","invoice.exe"]}
{"fact":"download","file":{"md5":"22222222222222222222222222222222"},"url":"http://files.example.net/dir/invoice.exe?user=a@b.example","first":"2024-05-04","last":"2024-05-05","hits":2}
{"fact":"publication","id":"r1","type":"APT","title":"Silent Harvest","tags":["apt99","Stealer"],"actors":["Mallory"],"published":"2024-04-01"}
{"fact":"publication","id":"r2","type":"Crimeware","title":"A harvest of stealers","description":"Nothing silent here."}
{"fact":"certificate","digest":"da39a3ee5e6b4b0d3255bfef95601890afd80709","names":["example.net"],"server_name":"tls.example.net","address":"192.31.196.7","first":"2024-05-01","last":"2024-05-02","hits":1}
"#;

const LISTED: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"www.example.net","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_DOMAIN","mask":"*.evil.example","category":"CATEGORY_PHISHING"}
{"fact":"listing","type":"MASK_TYPE_URL","mask":"example.net/a?token=secret","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_URL","mask":"example.net/a/b","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_URL","mask":"example.net/a","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_NETWORK","mask":"192.31.196.0/28","category":"CATEGORY_SPAM"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.196.9","port":8080,"category":"CATEGORY_BOTNET_CNC"}
{"fact":"listing","type":"MASK_TYPE_WILDCARD","mask":"*-evil.example*","category":"CATEGORY_SCAM"}
{"fact":"listing","file":{"md5":"33333333333333333333333333333333","sha1":"3333333333333333333333333333333333333333"},"category":"CATEGORY_MALWARE"}
"#;

/// What is over, as a source of events said it.
const OVER: &str = r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"expired.example","category":"CATEGORY_MALWARE","until":"2024-05-01"}"#;

fn world() -> World {
    let mut world = World::new();
    world.feed("facts", FACTS);
    world.feed_at("threats", State::Whole, "2024-05-30", LISTED);
    world.feed("events", OVER);
    world
}

fn page(world: &World, query: &str, cursor: Option<&str>, limit: usize) -> Result<Page, LookupError> {
    world.store.refresh();
    let context = Context {
        store: &world.store,
        policy: &world.policy,
        licence: Licence::default(),
        now: world.now,
        round_counts: false,
        reader: world.reader.clone(),
    };
    search(&context, query, cursor, limit)
}

/// All that is found, as `kind indicator (why)`.
fn found(world: &World, query: &str) -> Vec<String> {
    let page = page(world, query, None, LIMIT_MAX).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!((page.cursor, page.truncated), (None, false), "{query}");
    page.results.iter().map(|one| format!("{} {} ({})", one.kind, one.indicator, one.why)).collect()
}

#[test]
fn each_kind_of_question_finds_what_it_should() {
    let world = world();
    let long = "11111111111111111111111111111111";
    for (query, expected) in [
        (
            "*.example.net",
            vec![
                "domain files.example.net (below example.net)",
                "domain tls.example.net (below example.net)",
                "domain www.example.net (below example.net)",
                "domain a.www.example.net (below example.net)",
            ],
        ),
        ("example.*", vec!["domain example.net (label example)", "domain example.co.uk (label example)"]),
        (
            "192.31.196.0/24",
            vec![
                "ip 192.31.196.7 (in 192.31.196.0/24)",
                "ip 192.31.196.9 (in 192.31.196.0/24)",
                "network 192.31.196.0/28 (in 192.31.196.0/24)",
                "network 192.31.196.0/24 (in 192.31.196.0/24)",
            ],
        ),
        ("192.31.196.8-192.31.196.20", vec!["ip 192.31.196.9 (in 192.31.196.8-192.31.196.20)"]),
        (
            "AS112",
            vec![
                "ip 192.31.196.7 (announced by AS112)",
                "ip 192.31.196.9 (announced by AS112)",
                "network 192.31.196.0/24 (announced by AS112)",
            ],
        ),
        ("registrant:acme ltd", vec!["domain example.net (registrant acme ltd)"]),
        ("registrant: Jane   DOE", vec!["domain example.net (registrant jane doe)"]),
        (
            "registrant:acme*",
            vec![
                "domain example.co.uk (registrant acme limited)",
                "domain example.net (registrant acme ltd)",
            ],
        ),
        // A technical contact is no registrant.
        ("registrant:host master", vec![]),
        ("jane@EXAMPLE.org", vec!["domain example.net (e-mail jane@example.org)"]),
        ("email:jane@*", vec!["domain example.net (e-mail jane@example.org)"]),
        (
            "ns:ns1.example.org",
            vec![
                "domain example.net (name server ns1.example.org)",
                "domain example.co.uk (name server ns1.example.org)",
            ],
        ),
        // A name server that nothing else is known of is recognised.
        ("ns2.example.org", vec!["domain example.net (name server ns2.example.org)"]),
        (
            "file:INVOICE.exe",
            vec![
                &*format!("hash {long} (file name invoice.exe)"),
                "hash 22222222222222222222222222222222 (file name invoice.exe)",
            ],
        ),
        ("file:invoice 2*", vec![&*format!("hash {long} (file name invoice 2024.exe)")]),
        (
            "source:threats",
            vec![
                "mask *.evil.example (threats lists it as PHISHING)",
                // A host is listed without its www.
                "domain example.net (threats lists it as MALWARE)",
                "url example.net/a (threats lists it as MALWARE)",
                "url example.net/a/b (threats lists it as MALWARE)",
                "url example.net/a?token= (threats lists it as MALWARE)",
                "hash 33333333333333333333333333333333 (threats lists it as MALWARE)",
                "mask 192.31.196.9:8080 (threats lists it as BOTNET_CNC)",
                "network 192.31.196.0/28 (threats lists it as SPAM)",
                "mask *-evil.example* (threats lists it as SCAM)",
            ],
        ),
        (
            "report:silent harvest",
            vec!["report r1 (silent harvest in title)", "report r2 (silent harvest in description, title)"],
        ),
        ("mallory", vec!["report r1 (mallory in actors)"]),
        ("tag:APT99", vec!["report r1 (tag apt99)"]),
        ("tag:apt", vec![]),
        (
            SHA1,
            vec![
                "domain example.net (certificate da39a3ee5e6b4b0d3255bfef95601890afd80709)",
                "domain tls.example.net (certificate da39a3ee5e6b4b0d3255bfef95601890afd80709)",
                "ip 192.31.196.7 (certificate da39a3ee5e6b4b0d3255bfef95601890afd80709)",
            ],
        ),
        ("example.net", vec!["domain example.net (is what was asked)"]),
        (
            "192.31.196.9",
            vec![
                "ip 192.31.196.9 (is what was asked)",
                "network 192.31.196.0/28 (holds 192.31.196.9)",
                "network 192.31.196.0/24 (holds 192.31.196.9)",
            ],
        ),
        ("nothing.example", vec![]),
        ("no such words", vec![]),
    ] {
        assert_eq!(found(&world, query), expected, "{query}");
    }
}

#[test]
fn results_say_zone_score_and_when() {
    let world = world();
    let all = page(&world, "*.example.net", None, 100).unwrap();
    let www = serde_json::to_value(&all.results[2]).unwrap();
    assert_eq!(
        www,
        json!({"kind": "domain", "indicator": "www.example.net", "title": null, "zone": "Red", "score": 86,
            "why": "below example.net", "first_seen": "2024-05-02T00:00:00Z", "last_seen": "2024-05-03T00:00:00Z"})
    );
    let network = &page(&world, "192.31.196.9", None, 100).unwrap().results[1];
    assert_eq!(serde_json::to_value(network).unwrap()["zone"], "Red", "spam is red");
    assert_eq!(serde_json::to_value(network).unwrap()["score"], Value::Null);
    let report = &page(&world, "tag:apt99", None, 100).unwrap().results[0];
    assert_eq!((report.title.as_deref(), report.zone), (Some("Silent Harvest"), None));
}

#[test]
fn a_walk_that_reads_little_at_a_time_finds_the_same() {
    let mut world = crowded();
    // An object with more rows of one table than are read before it is stepped over.
    let mut many = String::new();
    for number in 0..300 {
        many += &format!(
            r#"{{"fact":"resolution","rrname":"many{number}.example","rrtype":"A","rdata":{{"address":"192.88.2.2"}},"first":"2024-05-01","last":"2024-05-02","hits":1}}
"#
        );
    }
    many += r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.88.2.2","category":"CATEGORY_SPAM"}"#;
    world.feed("many", &many);
    world.store.refresh();
    let view = world.store.snapshot().unwrap().view(None);
    let ranges = [Range::all(), Range::terms("sh"), Range::below("crowd.example")];
    let tables: [&[Table]; 5] = [
        &[],
        &[Table::Listing],
        &[Table::ResolvedBy, Table::Listing],
        &[Table::NameServerOf],
        &[Table::RegistrantOf, Table::EmailOf, Table::NameServerOf],
    ];
    let walk = |range: &Range, tables: &[Table], head, max, rows_max| {
        view.walk(&Walk { range, tables, head, max, rows_max, source: None }).unwrap()
    };
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let some = (0..ranges.len(), 0..tables.len(), any::<bool>(), 1_usize..50, 1_usize..500);
    runner
        .run(&some, |(range, table, by_row, max, rows_max)| {
            let (mut range, tables) = (ranges[range].clone(), tables[table]);
            // Rows of terms only: no counterpart of theirs is the beginning of another.
            let head = if by_row && table > 2 { Head::Row } else { Head::Object };
            let all = walk(&range, tables, head, usize::MAX, usize::MAX);
            prop_assert!(all.stopped.is_none() && all.heads.is_sorted());
            let mut found = Vec::new();
            loop {
                let some = walk(&range, tables, head, max, rows_max);
                prop_assert!(some.heads.len() <= max);
                let (is_full, last) = (some.heads.len() == max, some.heads.last().cloned());
                found.extend(some.heads);
                match (some.stopped, last) {
                    (Some(at), _) => {
                        prop_assert!(at > range.from || !is_full, "it goes on");
                        range.from = at;
                    }
                    (None, Some(last)) if is_full => range.from = [&last[..], &[u8::MAX; 3]].concat(),
                    _ => break,
                }
            }
            prop_assert_eq!(found, all.heads);
            Ok(())
        })
        .unwrap();
    // Of one source: what another lists at the same place is no result.
    let of = |source| Walk {
        range: &ranges[0],
        tables: tables[1],
        head: Head::Object,
        max: 1000,
        rows_max: 100_000,
        source,
    };
    let count = |name: &str| {
        let sources = &view.snapshot().manifest.sources;
        let id = sources.iter().position(|known| known == name).map(|id| id as u16);
        view.walk(&of(id)).unwrap().heads.len()
    };
    assert_eq!((count("many"), count("other"), count("facts")), (1, 1, 0));
}

/// Every question that has several results.
const QUESTIONS: &[&str] = &[
    "*.example.net",
    "example.*",
    "192.31.196.0/24",
    "AS112",
    "ns:ns1.example.org",
    "registrant:acme*",
    "file:invoice*",
    "source:threats",
    "report:harvest",
    SHA1,
    "192.31.196.9",
    "*.crowd.example",
    "192.88.0.0/16",
    "ns:shared.example",
    "source:crowd",
    "label.*",
];

/// Many names, addresses and registrations that are equal but for their name, in several batches.
fn crowded() -> World {
    let mut world = world();
    for part in 0..3 {
        let mut facts = String::new();
        for number in (part * 20)..(part * 20 + 30) {
            let address = format!("192.88.{}.{}", number % 5, number);
            facts += &format!(
                r#"{{"fact":"resolution","rrname":"n{number}.crowd.example","rrtype":"A","rdata":{{"address":"{address}"}},"first":"2024-05-01","last":"2024-05-02","hits":1}}
{{"fact":"registration","domain":"r{number}.example","name_servers":["shared.example"]}}
{{"fact":"listing","type":"MASK_TYPE_URL","mask":"one.example/{number}","category":"CATEGORY_MALWARE"}}
{{"fact":"listing","type":"MASK_TYPE_URL","mask":"one.example/{number}/more","category":"CATEGORY_PHISHING"}}
{{"fact":"resolution","rrname":"label.s{number}","rrtype":"A","rdata":{{"address":"{address}"}},"first":"2024-05-01","last":"2024-05-02","hits":1}}
"#
            );
        }
        world.feed_at(if part == 1 { "other" } else { "crowd" }, State::Events, "2024-05-31", &facts);
    }
    world
}

fn pages(world: &World, query: &str, limits: &[usize]) -> Vec<Value> {
    let (mut all, mut cursor, mut limits) = (Vec::new(), None, limits.iter().cycle());
    loop {
        let limit = *limits.next().unwrap();
        let page = page(world, query, cursor.as_deref(), limit).unwrap();
        assert!(page.results.len() <= limit, "{query}");
        all.extend(page.results.iter().map(|one| serde_json::to_value(one).unwrap()));
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

#[test]
fn pages_of_any_size_are_one_page_cut() {
    let world = crowded();
    let mut whole: Vec<(&str, Vec<Value>)> = Vec::new();
    for query in QUESTIONS {
        let all = pages(&world, query, &[LIMIT_MAX]);
        assert!(all.len() > 1, "{query}: {all:?}");
        let distinct: BTreeSet<String> =
            all.iter().map(|one| format!("{}{}{}", one["kind"], one["indicator"], one["why"])).collect();
        assert_eq!(distinct.len(), all.len(), "{query}: nothing is there twice");
        whole.push((query, all));
    }
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&(0..QUESTIONS.len(), prop::collection::vec(1_usize..40, 1..5)), |(question, limits)| {
            let (query, all) = &whole[question];
            prop_assert_eq!(&pages(&world, query, &limits), all, "{} {:?}", query, limits);
            Ok(())
        })
        .unwrap();
    // Merged runs answer the same.
    let world_now = world.now;
    world.store.merge(world_now, &Retention::default()).unwrap();
    for (query, all) in &whole {
        assert_eq!(&pages(&world, query, &[7]), all, "{query} merged");
    }
}

#[test]
fn a_cursor_survives_what_is_imported_in_between() {
    let mut world = crowded();
    let before = page(&world, "*.crowd.example", None, 10).unwrap();
    let resolution = |name: &str| {
        format!(
            r#"{{"fact":"resolution","rrname":"{name}.crowd.example","rrtype":"A","rdata":{{"address":"192.88.9.9"}},"first":"2024-05-01","last":"2024-05-02","hits":1}}"#
        ) + "\n"
    };
    // One before the place of the cursor, one after it.
    world.feed("late", &(resolution("a") + &resolution("zz")));
    let after = page(&world, "*.crowd.example", before.cursor.as_deref(), LIMIT_MAX).unwrap();
    let names: Vec<&str> =
        before.results.iter().chain(&after.results).map(|one| one.indicator.as_str()).collect();
    assert_eq!(names.len(), 71);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 71);
    assert!(names.contains(&"zz.crowd.example") && !names.contains(&"a.crowd.example"));
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let world = world();
    let cursor = page(&world, "*.example.net", None, 1).unwrap().cursor.unwrap();
    for (query, cursor, said) in [
        ("", None, "*.example.com"),
        ("   ", None, "q is empty"),
        ("*.a..b", None, "empty label"),
        ("a.b.*", None, "example.*"),
        ("192.0.2.0/33", None, "192.0.2.0/24"),
        ("192.0.2.1/24", None, "bits after it are set"),
        ("source:nobody", None, "there is no source"),
        ("source:", None, "source:urlhaus"),
        ("file:a*", None, "at least 3 characters"),
        ("cert:12", None, "SHA-1"),
        ("tag:", None, "nothing follows"),
        ("report:...", None, "no word"),
        ("a b c d e f g h i j k", None, "10 are the most"),
        ("http://", None, "http://"),
        ("*.example.net", Some("x"), "cursor"),
        ("*.example.net", Some("AAAAAAAAAAAAAAAA"), "cursor"),
        ("*.example.org", Some(&*cursor), "cursor is none of this question"),
    ] {
        match page(&world, query, cursor, 10) {
            Err(LookupError::BadRequest(text)) => assert!(text.contains(said), "{query}: {text}"),
            other => panic!("{query} {cursor:?}: {other:?}"),
        }
    }
    let long = "a".repeat(2001);
    assert!(matches!(page(&world, &long, None, 10), Err(LookupError::BadRequest(_))));
}

#[test]
fn what_is_retired_or_no_longer_said_is_found_no_more() {
    let mut world = World::new();
    let registration = |registrant: &str| {
        format!(
            r#"{{"fact":"registration","domain":"example.net","contacts":[{{"contact_type":"registrant","name":"{registrant}"}}]}}"#
        )
    };
    let seq = world.feed_at("whois", State::Events, "2024-05-01", &registration("First Owner"));
    world.feed_at("whois", State::Events, "2024-05-20", &registration("Second Owner"));
    // Of a registrant that was one before, too.
    let past = page(&world, "registrant:first owner", None, 10).unwrap();
    assert_eq!(past.results.len(), 1);
    assert_eq!(past.results[0].last_seen.unwrap().to_string(), "2024-05-01T00:00Z");
    world.store.merge(world.now, &Retention::default()).unwrap();
    assert_eq!(found(&world, "registrant:*owner").len(), 0, "an asterisk stands at the end");
    assert_eq!(found(&world, "registrant:second owner").len(), 1);
    world.store.retire(&[seq], world.now).unwrap();
    assert_eq!(found(&world, "registrant:first owner").len(), 0);
    assert_eq!(found(&world, "registrant:second owner").len(), 1);
}

#[test]
fn what_is_restricted_is_neither_listed_nor_named() {
    let mut world = World::new();
    world.feed_marked(
        "partner",
        State::Events,
        "2024-05-31",
        Tlp::Red,
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_BOTNET_CNC"}
{"fact":"publication","id":"nightfall","type":"APT","title":"Operation Nightfall","tags":["night"]}
{"fact":"registration","domain":"bad.example","name_servers":["ns.bad.example"]}"#,
    );
    assert_eq!(found(&world, "source:partner"), ["domain bad.example (partner lists it as BOTNET_CNC)"]);
    assert_eq!((found(&world, "nightfall").len(), found(&world, "tag:night").len()), (1, 1));
    world.reader = Reader { clearance: Tlp::Green, ..Reader::default() };
    let text = page(&world, "source:partner", None, 10).unwrap_err().to_string();
    assert_eq!(
        text,
        page(&world, "source:nobody", None, 10).unwrap_err().to_string().replace("nobody", "partner")
    );
    assert_eq!((found(&world, "nightfall").len(), found(&world, "tag:night").len()), (0, 0));
    // What was said counts, as in reports; for an answer that is passed on it does not.
    assert_eq!(found(&world, "ns:ns.bad.example").len(), 1);
    world.reader.is_export = true;
    assert_eq!(found(&world, "ns:ns.bad.example").len(), 0);
    assert_eq!(found(&world, "bad.example").len(), 0);
}

#[test]
fn what_is_forgotten_is_found_by_nothing_that_named_it() {
    let world = world();
    let forget = |text: &str| {
        let subject = Subject::indicator(Indicator::parse(text).unwrap());
        world.store.forget(&[subject], false, world.now).unwrap();
    };
    forget("example.net");
    for query in [
        "*.example.net",
        "example.net",
        "ns2.example.org",
        "registrant:acme ltd",
        "jane@example.org",
        "tls.example.net",
    ] {
        assert_eq!(found(&world, query), [""; 0], "{query}");
    }
    assert_eq!(found(&world, "example.*"), ["domain example.co.uk (label example)"]);
    assert_eq!(found(&world, "ns:ns1.example.org"), ["domain example.co.uk (name server ns1.example.org)"]);
    forget("example.org");
    assert_eq!(found(&world, "ns:ns1.example.org"), [""; 0], "the name server itself");
    forget("22222222222222222222222222222222");
    assert_eq!(found(&world, "file:invoice.exe").len(), 1);
}

#[test]
fn the_program_and_the_service_search() {
    let program = Program::new();
    program.file("facts.ndjson", FACTS.trim_start());
    program.file("threats.ndjson", LISTED.trim_start());
    program.ok(&["import", "--format", "native", "facts.ndjson"]);
    program.ok(&["import", "--format", "native", "threats.ndjson"]);
    let text = program.ok(&["search", "registrant:acme*"]).out;
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["Zone", "Score", "Kind", "Indicator", "Last", "seen", "Why"]);
    assert_eq!(&lines[1][..4], ["Grey", "0", "domain", "example.co.uk"]);
    let first = program.ok(&["search", "--limit", "1", "*.example.net"]).out;
    let cursor = first.split("--cursor ").nth(1).unwrap().trim();
    let rest = program.ok(&["search", "*.example.net", "--cursor", cursor]).out;
    assert!(first.contains("files.example.net") && rest.contains("a.www.example.net"), "{first}{rest}");
    assert!(!rest.contains("files.example.net"), "{rest}");
    assert_eq!(program.run(&["search", "nothing.example"]).code, 3);
    let wrong = program.run(&["search", "file:a*"]);
    assert_eq!((wrong.code, wrong.talk.contains("at least 3 characters")), (2, true), "{}", wrong.talk);
    assert_eq!(program.run(&["search", "x.example", "--limit", "0"]).code, 2);

    let service = program.serve(&[]);
    let json = program.json(&["search", "--json", "source:threats"]);
    let answer = service.get("/api/v1/search-all?q=source%3Athreats");
    assert_eq!((answer.status, &answer.json()), (200, &json), "{NOW}");
    assert_eq!(answer.header("ratelimit-remaining"), Some("2147483646"));
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("/api/v1/search-all?q=*.example.net&limit=3{cursor}")).json();
        names.extend(page["results"].as_array().unwrap().iter().map(|one| one["indicator"].clone()));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["files.example.net", "tls.example.net", "www.example.net", "a.www.example.net"]);
    for (path, said) in [
        ("/api/v1/search-all", "?q="),
        ("/api/v1/search-all?q=", "q is missing"),
        ("/api/v1/search-all?q=x.example&limit=0", "1 to 1000"),
        ("/api/v1/search-all?q=x.example&limit=ten", "1 to 1000"),
        ("/api/v1/search-all?q=x.example&cursor=%00%ff", "cursor"),
        ("/api/v1/search-all?q=x.example&cursor=", "cursor"),
    ] {
        let answer = service.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.body.contains(said), "{path}: {}", answer.body);
    }
}
