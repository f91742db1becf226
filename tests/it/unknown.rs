//! The answer that nothing is known: what was asked, over HTTP, on the command line and as of a past day.

use serde_json::json;
use zonelens::feeds::State;
use zonelens::lookup::{LookupError, Request};
use zonelens::store::Again;
use zonelens::unknown::Asked;
use zonelens::value::Timestamp;

use crate::program::Program;
use crate::world::World;

fn asked(world: &World, indicator: &str, request: &Request) -> Asked {
    match world.ask(indicator, request) {
        Err(LookupError::Unknown(asked)) => *asked,
        other => panic!("{indicator}: {other:?}"),
    }
}

#[test]
fn what_was_asked_is_named_as_of_any_moment() {
    let mut world = World::new();
    assert_eq!(
        asked(&world, "a.example", &Request::default()).to_string(),
        "nothing is known of domain a.example: nothing was imported yet"
    );
    let name = |name: &str| {
        format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{name}","category":"CATEGORY_MALWARE"}}"#
        )
    };
    let list = world.feed_at("list", State::Whole, "2024-05-01", &name("bank.example"));
    world.feed_at("dns", State::Events, "2024-05-20", r#"{"fact":"resolution","rrname":"www.other.example","rrtype":"A","rdata":{"address":"192.31.196.1"},"first":"2024-05-20","last":"2024-05-20","hits":1}"#);
    let again = Timestamp::parse("2024-05-31").unwrap();
    world.store.seen_again(list, Again { observed: again, learnt: again }).unwrap();
    let unknown = asked(&world, "b4nk.example", &Request::default());
    let json = serde_json::to_value(&unknown).unwrap();
    assert_eq!(
        json["sources"],
        json!([
            {"name": "list", "newest": "2024-05-31T00:00:00Z", "age_hours": 36},
            {"name": "dns", "newest": "2024-05-20T00:00:00Z", "age_hours": 300},
        ])
    );
    assert_eq!(
        (&json["registrable"], &json["lookalikes"]),
        (&json!(null), &json!([{"name": "bank.example", "zone": "Red"}]))
    );
    assert_eq!(
        unknown.to_string(),
        "nothing is known of domain b4nk.example: 2 sources were asked, the newest list of 2024-05-31T00:00Z; \
         it looks like bank.example (Red)"
    );
    let below = asked(&world, "mail.other.example", &Request::default());
    assert_eq!(
        below.registrable.as_ref().map(|one| (one.name.as_str(), one.known)),
        Some(("other.example", true))
    );
    assert!(below.to_string().contains("; its registrable domain other.example is known"), "{below}");
    let below = asked(&world, "x.none.test", &Request::default()).to_string();
    assert!(below.contains("; nor is its registrable domain none.test known"), "{below}");
    let address = asked(&world, "192.31.196.2", &Request::default());
    assert!(address.lookalikes.is_empty() && address.registrable.is_none() && address.sources_count == 2);
    // What was learnt later was not asked.
    let past = Request { as_of: Some(Timestamp::parse("2024-05-10").unwrap()), ..Request::default() };
    let past = asked(&world, "b4nk.example", &past);
    assert_eq!(
        past.to_string().split(';').next().unwrap(),
        "nothing is known of domain b4nk.example: 1 source was asked, list of 2024-05-01T00:00Z"
    );
    assert_eq!(past.sources[0].age_hours, 9 * 24);
}

#[test]
fn the_program_and_the_service_say_what_was_asked() {
    let program = Program::new();
    program.file("list.txt", "bank.example\n");
    program.ok(&["import", "list.txt"]);
    let ran = program.run(&["lookup", "b4nk.example"]);
    let sentence = "nothing is known of domain b4nk.example: 1 source was asked, list of 2024-06-01T12:00Z; it looks like bank.example (Red)";
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(ran.talk.lines().any(|line| line == sentence), "{}", ran.talk);
    let service = program.serve(&[]);
    let problem = service.get("/api/domain/b4nk.example");
    assert_eq!((problem.status, &problem.json()["detail"]), (404, &json!(sentence)));
    let answer = service.get("/api/v1/indicator?value=b4nk%5B.%5Dexample");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let json = answer.json();
    assert_eq!((&json["known"], &json["asked"]["sources"][0]["name"]), (&json!(false), &json!("list")));
    assert!(json.get("report").is_none() && answer.header("ratelimit-remaining").is_some());
    // A known one is the report as its own path answers it.
    let known = service.get("/api/v1/indicator?value=bank.example&sections=Zone,Verdict").json();
    assert_eq!(known["known"], true);
    assert_eq!(known["report"], service.get("/api/domain/bank.example?sections=Zone,Verdict").json());
    assert!(known.get("asked").is_none());
    assert_eq!(service.get("/api/v1/indicator?value=127.0.0.1").json()["report"]["Zone"], "Grey");
    let url = service.get("/api/v1/indicator?value=http://bank.example/x").json();
    assert_eq!(
        (&url["known"], &url["report"]["UrlGeneralInfo"]["Url"]),
        (&json!(true), &json!("bank.example/x"))
    );
    let file = service.get("/api/v1/indicator?value=d41d8cd98f00b204e9800998ecf8427e").json();
    assert_eq!((&file["known"], &file["asked"]["kind"]), (&json!(false), &json!("hash")));
    for (value, said) in [
        ("", "value is missing"),
        ("?value=", "value is missing"),
        ("?value=a..b", "a..b"),
        ("?value=http://bank.example:port/x", "port"),
        ("?value=bank.example&format=stix", "JSON"),
        ("?value=bank.example&count=0", "count"),
    ] {
        let answer = service.get(&format!("/api/v1/indicator{value}"));
        assert_eq!(answer.status, 400, "{value}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{value}: {}", answer.body);
    }
}
