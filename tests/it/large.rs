//! Objects with thousands of rows: what summaries and candidates give is what reading everything gives.

use serde_json::Value;
use zonelens::feeds::State;
use zonelens::lookup::Request;
use zonelens::store::merge::Retention;

use crate::report::check;
use crate::world::{NOW, World};

const ADDRESS: &str = "192.31.196.7";

/// Names of a part of a crowd: of each third registrable domain one more is below it.
fn crowd(numbers: std::ops::Range<u32>) -> String {
    let mut facts = String::new();
    for number in numbers {
        let sub = if number % 3 == 0 { "a." } else { "" };
        let (hits, minute) = (number % 97 + 1, number % 60);
        facts += &format!(
            r#"{{"fact":"resolution","rrname":"{sub}crowd{}.example","rrtype":"A","rdata":{{"address":"{ADDRESS}"}},"first":"2024-05-01T10:{minute:02}:00Z","last":"2024-05-01T11:{minute:02}:00Z","hits":{hits}}}"#,
            number / 2
        );
        facts.push('\n');
    }
    facts
}

/// Names that are listed, each with one hit: nothing but being listed brings them up.
fn listings() -> String {
    let listing = |number: u32| {
        format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"crowd{}.example","category":"CATEGORY_MALWARE"}}"#,
            number * 97 / 2
        ) + "\n"
    };
    (1..60).step_by(12).map(|number| listing(number * 2)).collect()
}

fn resolutions(report: &Value) -> &Vec<Value> {
    report["IpDnsResolutions"].as_array().unwrap()
}

/// The report as of now, which reads everything, against the one that does not.
fn assert_same(world: &World, exact: bool) {
    let quick = world.report(ADDRESS);
    let all = world
        .ask(
            ADDRESS,
            &Request { as_of: Some(zonelens::value::Timestamp::parse(NOW).unwrap()), ..Request::default() },
        )
        .unwrap();
    check("ip", &quick);
    assert_eq!(resolutions(&quick).len(), 1000);
    let listed = |report: &Value| -> Vec<Value> {
        resolutions(report).iter().filter(|row| row["Zone"] != "Grey").cloned().collect()
    };
    assert_eq!(listed(&quick), listed(&all));
    if exact {
        assert_eq!(resolutions(&quick), resolutions(&all));
        assert_eq!(quick["IpGeneralInfo"], all["IpGeneralInfo"]);
        return;
    }
    let count =
        |report: &Value| report["IpGeneralInfo"]["SharedHosting"]["RegistrableDomains"].as_f64().unwrap();
    assert!((count(&quick) / count(&all) - 1.0).abs() < 0.02, "{} {}", count(&quick), count(&all));
    assert_eq!(quick["IpGeneralInfo"]["HitsCount"], all["IpGeneralInfo"]["HitsCount"]);
}

#[test]
fn one_run_says_exactly_what_all_rows_say() {
    let mut world = World::new();
    world.feed("dns", &crowd(0..11_000));
    world.feed_at("threats", State::Whole, "2024-05-31T08:00:00Z", &listings());
    assert_same(&world, true);
    let listed =
        resolutions(&world.report(ADDRESS)).iter().take(5).map(|row| row["Zone"].clone()).collect::<Vec<_>>();
    assert_eq!(listed, vec!["Red"; 5]);
}

#[test]
fn several_runs_and_their_merge_agree() {
    let mut world = World::new();
    // Listed before the edges are known, and after.
    world.feed_at("threats", State::Whole, "2024-05-31T08:00:00Z", &listings());
    world.feed("dns", &crowd(0..7_000));
    world.feed("dns", &crowd(5_500..11_000));
    world.feed("dns", &crowd(10_900..11_400));
    assert_same(&world, false);
    world.store.merge(world.now, &Retention { retire_days: 0, ..Retention::default() }).unwrap();
    world.store.refresh();
    assert_eq!(world.store.snapshot().unwrap().runs().len(), 1);
    assert_same(&world, true);
}

#[test]
fn a_domain_with_thousands_of_names_below_it_shows_the_listed_ones_first() {
    let mut world = World::new();
    let facts: String = (0..6_000)
        .map(|number| {
            let day = number % 28 + 1;
            format!(
                r#"{{"fact":"resolution","rrname":"n{number}.many.example","rrtype":"A","rdata":{{"address":"192.31.196.8"}},"first":"2024-04-{day:02}T10:00:00Z","last":"2024-05-01T11:00:00Z","hits":1}}"#
            ) + "\n"
        })
        .collect();
    world.feed("dns", &facts);
    world.feed(
        "threats",
        r#"{"fact":"listing","type":"MASK_TYPE_HOST","mask":"n4000.many.example","category":"CATEGORY_PHISHING"}"#,
    );
    let report = world.report("many.example");
    check("domain", &report);
    let rows = report["Subdomains"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["Subdomain"].as_str().unwrap()), (1000, "n4000.many.example"));
    assert_eq!(report["RelatedObjects"]["HasRedZone"], true);
}
