//! Networks and autonomous systems: what they are, how much of them is listed, the worst in them, names that lead there.

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::indicator::{AddressRange, Asn};
use zonelens::lookup::{Context, Licence, LookupError};
use zonelens::network::{NAMES_SHOWN, NETWORKS_SHOWN, Subject, WORST_MAX, overview};
use zonelens::store::Reader;
use zonelens::store::merge::Retention;
use zonelens::value::{Timestamp, Tlp};

use crate::program::Program;
use crate::world::World;

const FACTS: &str = r#"
{"fact":"network","range":"192.31.0.0-192.31.255.255","country":"US","name":"BIG","contacts":[{"organization":"Big Holdings"}]}
{"fact":"network","range":"192.31.196.0-192.31.196.255","asn":112,"as_name":"AS112-ONE","country":"NL","description":["Anycast"]}
{"fact":"network","range":"192.31.196.0-192.31.196.9","country":"DE","name":"SMALL"}
{"fact":"network","range":"192.31.198.0-192.31.198.127","asn":112,"as_name":"AS112-TWO","country":"DE"}
{"fact":"network","range":"2620:4f:8000::-2620:4f:8000:ffff:ffff:ffff:ffff:ffff","asn":112,"country":"NL"}
{"fact":"resolution","rrname":"good.example","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-02","last":"2024-05-03","hits":2}
{"fact":"resolution","rrname":"good.example","rrtype":"A","rdata":{"address":"192.31.196.200"},"first":"2024-05-21","last":"2024-05-22","hits":4}
{"fact":"resolution","rrname":"six.example","rrtype":"AAAA","rdata":{"address":"2620:4f:8000::1"},"first":"2024-05-21","last":"2024-05-22","hits":1}
{"fact":"resolution","rrname":"elsewhere.example","rrtype":"A","rdata":{"address":"192.31.197.1"},"first":"2024-05-21","last":"2024-05-22","hits":1}
"#;

const LISTED: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.196.9","category":"CATEGORY_BOTNET_CNC"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.198.1","category":"CATEGORY_SPAM"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.198.200","category":"CATEGORY_SPAM"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"bad.example","category":"CATEGORY_MALWARE"}
{"fact":"listing","type":"MASK_TYPE_NETWORK","mask":"192.31.196.64/28","category":"CATEGORY_SPAM"}
"#;

fn world() -> World {
    let mut world = World::new();
    world.feed("facts", FACTS);
    world.feed_at("threats", State::Whole, "2024-05-30", LISTED);
    world
}

fn subject(text: &str) -> Subject {
    match Asn::parse(text) {
        Ok(asn) => Subject::System(asn),
        Err(_) => Subject::Network(AddressRange::parse(text).unwrap()),
    }
}

fn ask(world: &World, text: &str, as_of: Option<&str>) -> Result<Value, LookupError> {
    world.store.refresh();
    let context = Context {
        store: &world.store,
        policy: &world.policy,
        licence: Licence::default(),
        now: world.now,
        round_counts: false,
        reader: world.reader.clone(),
    };
    let as_of = as_of.map(|text| Timestamp::parse(text).unwrap());
    let overview = overview(&context, &subject(text), as_of)?;
    Ok(serde_json::to_value(overview).unwrap())
}

/// One field of each row.
fn each<'v>(rows: &'v Value, field: &str) -> Vec<&'v Value> {
    rows.as_array().unwrap().iter().map(|row| &row[field]).collect()
}

#[test]
fn a_network_is_described_counted_and_judged() {
    let world = world();
    let found = ask(&world, "192.31.196.0/24", None).unwrap();
    assert_eq!((&found["subject"], &found["addresses"]), (&json!("192.31.196.0/24"), &json!(256)));
    assert_eq!(found["systems"], json!([{"asn": 112, "names": ["AS112-ONE"]}]));
    assert_eq!(found["countries"], json!(["NL"]), "of the narrowest that holds all of it");
    assert_eq!(found["holders"], json!(["Anycast", "Big Holdings"]), "the narrowest first");
    assert_eq!(each(&found["networks_above"], "network"), ["192.31.0.0/16", "192.31.196.0/24"]);
    assert_eq!(each(&found["networks_inside"], "network"), ["192.31.196.0-192.31.196.9", "192.31.196.64/28"]);
    assert_eq!(
        found["networks_inside"][1],
        json!({"network": "192.31.196.64/28", "name": null, "holder": null, "country": "NL", "asn": null,
            "as_name": null, "zone": "Red", "categories": ["CATEGORY_SPAM"], "sources": ["threats"]})
    );
    assert_eq!(
        found["density"],
        json!({"known": 3, "listed": 1, "listed_share": 1.0 / 3.0, "networks_listed": 1,
            "zones": [{"zone": "Red", "addresses": 1, "networks": 1}],
            "categories": [
                {"category": "CATEGORY_BOTNET_CNC", "zone": "Red", "addresses": 1, "networks": 0},
                {"category": "CATEGORY_SPAM", "zone": "Red", "addresses": 0, "networks": 1}]})
    );
    assert_eq!(each(&found["worst"], "indicator"), ["bad.example", "192.31.196.9"]);
    assert_eq!(
        found["worst"][1],
        json!({"kind": "ip", "indicator": "192.31.196.9", "zone": "Red", "score": 86,
            "categories": ["CATEGORY_BOTNET_CNC"]})
    );
    assert_eq!(found["names_count"], 2);
    assert_eq!(
        found["names"][1],
        json!({"zone": "Grey", "name": "good.example", "hits": 7,
            "first_seen": "2024-05-01T00:00:00Z", "last_seen": "2024-05-22T00:00:00Z"})
    );
    assert_eq!((&found["truncated"], &found["left_out"]), (&json!(false), &json!([])));
}

#[test]
fn an_autonomous_system_is_all_it_announces() {
    let mut world = world();
    let found = ask(&world, "AS112", None).unwrap();
    assert_eq!((&found["subject"], &found["addresses"]), (&json!("AS112"), &Value::Null), "a /48 of IPv6");
    assert_eq!(found["ipv4_addresses"], 256 + 128);
    assert_eq!(found["systems"], json!([{"asn": 112, "names": ["AS112-ONE", "AS112-TWO"]}]));
    assert_eq!(found["countries"], json!(["DE", "NL"]));
    assert_eq!(
        each(&found["networks_inside"], "network"),
        ["192.31.196.0/24", "192.31.198.0/25", "2620:4f:8000::/48"]
    );
    assert_eq!(found["density"]["known"], 5);
    assert_eq!(found["density"]["listed"], 2, "192.31.198.200 is of somebody else");
    assert_eq!(each(&found["names"], "name"), ["bad.example", "good.example", "six.example"]);
    // What its source no longer says, it announces no more.
    world.feed_at(
        "routes",
        State::Whole,
        "2024-05-01",
        r#"{"fact":"network","range":"192.31.250.0-192.31.250.255","asn":113}"#,
    );
    assert_eq!(ask(&world, "113", None).unwrap()["networks_inside_count"], 1);
    world.feed_at(
        "routes",
        State::Whole,
        "2024-05-30",
        r#"{"fact":"network","range":"192.31.251.0-192.31.251.255","asn":113}"#,
    );
    assert_eq!(each(&ask(&world, "113", None).unwrap()["networks_inside"], "network"), ["192.31.251.0/24"]);
    let past = ask(&world, "113", Some("2024-05-20T23:59:59Z")).unwrap();
    assert_eq!(each(&past["networks_inside"], "network"), ["192.31.250.0/24"]);
    // Merged runs answer the same.
    let before = (ask(&world, "AS112", None).unwrap(), ask(&world, "192.31.0.0/16", None).unwrap());
    let now = world.now;
    world.store.merge(now, &Retention::default()).unwrap();
    assert_eq!((ask(&world, "AS112", None).unwrap(), ask(&world, "192.31.0.0/16", None).unwrap()), before);
}

#[test]
fn a_past_moment_has_what_was_known_then() {
    let world = world();
    assert!(matches!(
        ask(&world, "192.31.196.0/24", Some("2024-04-30T00:00:00Z")),
        Err(LookupError::Unknown(_))
    ));
    // The names and networks were learnt a day after the listings.
    let past = ask(&world, "192.31.196.0/24", Some("2024-05-30T12:00:00Z")).unwrap();
    assert_eq!((&past["density"]["known"], &past["density"]["listed"]), (&json!(1), &json!(1)));
    assert_eq!((&past["names_count"], &past["networks_above"]), (&json!(0), &json!([])));
}

#[test]
fn what_nothing_is_known_of_says_what_was_asked() {
    let world = world();
    for (text, said) in
        [("192.88.0.0/16", "192.88.0.0/16: 2 sources were asked"), ("AS999", "addresses of AS999: 2 sources")]
    {
        let error = ask(&world, text, None).unwrap_err();
        assert!(matches!(error, LookupError::Unknown(_)) && error.to_string().contains(said), "{error}");
    }
    assert_eq!(ask(&world, "0.0.0.0/0", None).unwrap()["special_purpose"], Value::Null, "only its ends are");
    // Part of a network that is known is known.
    assert_eq!(ask(&world, "192.31.3.0/24", None).unwrap()["holders"], json!(["Big Holdings"]));
}

#[test]
fn what_is_restricted_is_not_named() {
    let mut world = world();
    let listing = r#"{"fact":"listing","type":"MASK_TYPE_NETWORK","mask":"192.31.196.64/28","category":"CATEGORY_MALWARE"}"#;
    world.feed_marked("partner", State::Events, "2024-05-31", Tlp::Red, listing);
    let sources =
        |world: &World| ask(world, "192.31.196.0/24", None).unwrap()["networks_inside"][1]["sources"].clone();
    assert_eq!(sources(&world), json!(["partner", "threats"]));
    world.reader = Reader { clearance: Tlp::Green, ..Reader::default() };
    assert_eq!(sources(&world), json!(["restricted", "threats"]));
}

/// A network with more of everything than an answer has.
fn crowd() -> World {
    let mut world = World::new();
    let mut facts = String::new();
    for number in 0..1500 {
        let address = format!("192.88.{}.{}", number / 250, number % 250);
        let name = format!("name{number}.example");
        facts += &format!(
            r#"{{"fact":"resolution","rrname":"{name}","rrtype":"A","rdata":{{"address":"{address}"}},"first":"2024-05-01","last":"2024-05-02","hits":{}}}
"#,
            number % 7 + 1
        );
        if number % 10 == 0 {
            facts += &format!(
                r#"{{"fact":"network","range":"{address}-{address}","name":"N{number}"}}
{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{address}","category":"CATEGORY_MALWARE"}}
{{"fact":"network","range":"192.88.{}.{}-192.88.{}.{}","name":"M{number}"}}
"#,
                number / 250,
                number % 250,
                number / 250,
                number % 250 + 1
            );
        }
    }
    // An address with so many names that they are summarised.
    for number in 0..6000 {
        facts += &format!(
            r#"{{"fact":"resolution","rrname":"shared{number}.example","rrtype":"A","rdata":{{"address":"192.88.200.1"}},"first":"2024-05-01","last":"2024-05-02","hits":1}}
"#
        );
    }
    world.feed("crowd", &facts);
    world
}

#[test]
fn answers_are_bounded_and_count_all_the_same() {
    let world = crowd();
    let found = ask(&world, "192.88.0.0/16", None).unwrap();
    assert_eq!(found["networks_inside"].as_array().unwrap().len(), NETWORKS_SHOWN);
    assert_eq!(found["networks_inside_count"], 300);
    assert_eq!(found["worst"].as_array().unwrap().len(), WORST_MAX);
    assert_eq!(found["names"].as_array().unwrap().len(), NAMES_SHOWN);
    assert_eq!(found["density"]["known"], 1501);
    assert_eq!(found["density"]["listed"], 150);
    assert_eq!(found["names_count"], 7500);
    // Not all of what is there is shown, but all of it was looked at.
    assert_eq!(found["truncated"], false);
    let score = |at: usize| found["worst"][at]["score"].as_u64().unwrap();
    assert!((1..WORST_MAX).all(|at| score(at - 1) >= score(at)));
}

#[test]
fn the_program_and_the_service_answer() {
    let program = Program::new();
    program.file("facts.ndjson", FACTS.trim_start());
    program.file("threats.ndjson", LISTED.trim_start());
    program.ok(&["import", "--format", "native", "facts.ndjson"]);
    program.ok(&["import", "--format", "native", "threats.ndjson"]);
    let text = program.ok(&["network", "192.31.196[.]0/24"]).out;
    for said in [
        "192.31.196.0/24  256 addresses",
        "AS112 AS112-ONE",
        "1 addresses (33.3 % of those known)",
        "bad.example",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(program.ok(&["asn", "112"]).out.contains("192.31.198.0/25"));
    let network = program.json(&["network", "--json", "192.31.196.0/24"]);
    let system = program.json(&["asn", "AS112", "--json"]);
    let service = program.serve(&[]);
    for (path, expected) in [
        ("network/192.31.196.0/24", &network),
        ("network/192.31.196.0%2F24", &network),
        ("network/192.31.196.0-192.31.196.255", &network),
        ("asn/112", &system),
        ("asn/AS112", &system),
    ] {
        let answer = service.get(&format!("/api/v1/{path}"));
        assert_eq!((answer.status, &answer.json()), (200, expected), "{path}");
    }
    assert_eq!(service.get("/api/v1/asn/112?as_of=2024-05-01").status, 404, "not learnt yet");
    for (path, status, said) in [
        ("network/192.31.196.1/24", 400, "bits after it are set"),
        ("network/192.31.196.1", 400, "no prefix length"),
        ("network/example.com", 400, "192.0.2.0/24"),
        ("network/192.31.196.9-192.31.196.1", 400, "wrong order"),
        ("network/%ff", 400, "192.0.2.0/24"),
        ("network/10.0.0.0/24", 404, "nothing is known of ip 10.0.0.0/24"),
        ("asn/ASX", 400, "AS4837"),
        ("asn/4294967296", 400, "32 bits"),
        ("asn/1", 404, "addresses of AS1"),
        ("asn/112?as_of=yesterday", 400, "as_of"),
    ] {
        let answer = service.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{path}: {}", answer.body);
    }
    assert_eq!(program.run(&["network", "10.0.0.0/24"]).code, 3);
    assert_eq!(program.run(&["asn", "x"]).code, 2);
    assert_eq!(program.run(&["asn", "112", "--as-of", "tomorrow"]).code, 2);
}
