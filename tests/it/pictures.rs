//! The pictures of a report: on its page, by what its reader may see, and the timeline that comes by itself.

use zonelens::feeds::State;
use zonelens::indicator::Indicator;
use zonelens::lookup::{self, Request};
use zonelens::page::picture;
use zonelens::store::Reader;
use zonelens::value::Tlp;

use crate::program::{Program, Serving};
use crate::world::World;

const FACTS: &str = r#"
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-20","last":"2024-05-20","hits":1234}
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.8"},"first":"2024-05-01","last":"2024-05-10","hits":50}
{"fact":"phishing_report","indicator":"domain:bad.example","regions":["BR","DE"],"first":"2024-05-01","last":"2024-05-02","hits":7}
{"fact":"network","range":"192.31.196.7-192.31.196.7","asn":64500,"as_name":"EXAMPLE <b>","country":"NL"}
{"fact":"network","range":"192.31.196.8-192.31.196.8","asn":64501,"as_name":"OTHER","country":"DE"}
"#;

fn service(program: &Program) -> Serving {
    program.file("facts.ndjson", FACTS.trim_start());
    program.file("list.txt", "bad.example\n");
    program.ok(&["import", "--source", "sensor", "facts.ndjson"]);
    program.ok(&["import", "--source", "threats", "--category", "MALWARE", "list.txt"]);
    program.serve(&[])
}

fn page(service: &Serving, path: &str) -> String {
    let answer = service.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(!answer.body.contains("style=") && !answer.body.contains("<b>"), "{}", answer.body);
    answer.body
}

/// What stands between two texts.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{from} is not in {text}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

#[test]
fn pictures_stand_at_the_head_of_what_they_show() {
    let program = Program::new();
    let service = service(&program);
    let html = page(&service, "/domain/bad.example");
    let section = between(&html, "<section id=\"DomainDnsResolutions\"", "</section>");
    for part in [
        "<h3>Addresses over time</h3>",
        "192[.]31[.]196[.]8<tspan",
        "AS64500 EXAMPLE &#60;b&#62;, NL",
        "2 addresses since 2024-05-01",
        "<h3>Hits a day</h3>",
        "1\u{202f}284 resolutions in 11 of 20 days, the most on 2024-05-20: 1\u{202f}234. Striped: 50 whose day is not known",
        "<h3>Where it is hosted</h3>",
        "96 % of the hits are in AS64500",
    ] {
        assert!(section.contains(part), "{part} is not in {section}");
    }
    assert!(between(&html, "<section id=\"Verdict\"", "</section>").contains("1 source listed it"), "{html}");
    let phishing = between(&html, "<section id=\"hostPhishingInfo\"", "</section>");
    assert!(phishing.contains("7 attacks on people of 2 countries, most of all of BR: 100 %"), "{phishing}");
    // No two pieces of a page have one name.
    let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    let html = page(&service, "/ip/192.31.196.7");
    assert!(html.contains("<h3>Names over time</h3>"), "{html}");
    assert!(!html.contains("<h3>Names by zone</h3>"), "one name is no share: {html}");
}

#[test]
fn the_timeline_is_led_to_and_made_when_it_is_asked_for() {
    let program = Program::new();
    let service = service(&program);
    let html = page(&service, "/domain/bad.example");
    let led = between(&html, "<section id=\"timeline\"", "</section>");
    assert!(led.contains("class=\"later\" href=\"/domain/bad.example?section=timeline#timeline\""), "{led}");
    assert!(!led.contains("<svg"), "{led}");
    for path in ["/domain/bad.example?section=timeline", "/domain/bad.example?section=timeline&part=1"] {
        let html = page(&service, path);
        let made = between(&html, "<section id=\"timeline\"", "</section>");
        for part in [
            "<h3>Zone over time</h3>",
            "Red since 2024-06-01",
            "threats lists bad[.]example as MALWARE",
            "href=\"/domain/bad.example?as_of=2024-06-01T",
        ] {
            assert!(made.contains(part), "{part} is not in {made}");
        }
        assert_eq!(html.contains("id=\"DomainDnsResolutions\""), !path.contains("part"), "{path}");
    }
}

#[test]
fn who_has_a_quota_follows_the_link_himself() {
    let program = Program::new();
    program.user("ann", "analyst", &["--day-quota", "5"]);
    let token = program.token("ann", &[]);
    let service = service(&program);
    let answer = service.ask("GET", "/domain/bad.example", &token, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let led = between(&answer.body, "<section id=\"timeline\"", "</section>");
    assert!(led.contains("<a href=\"/domain/bad.example?section=timeline#timeline\""), "{led}");
}

#[test]
fn a_picture_shows_no_source_that_its_reader_may_not_see() {
    let listing = |mask: &str| {
        format!(
            r#"{{"fact":"listing","type":"MASK_TYPE_HOST","mask":"{mask}","category":"CATEGORY_BOTNET_CNC"}}"#
        )
    };
    let mut world = World::new();
    world.feed_marked("partner", State::Events, "2024-05-31", Tlp::Red, &listing("bad.example"));
    world.feed("open", &listing("bad.example"));
    let drawn = |world: &World| -> String {
        let context = world.context();
        let indicator = Indicator::parse("bad.example").unwrap();
        let snapshot = context.snapshot().unwrap();
        lookup::about(&snapshot, &context, &indicator, &Request::default(), |about| {
            let pictures = picture::of(about, None)?;
            Ok(pictures.iter().flat_map(|(_, all)| all).map(ToString::to_string).collect())
        })
        .unwrap()
    };
    let mut read_by = |clearance: Tlp, is_export: bool| {
        world.reader = Reader { clearance, is_export, ..Reader::default() };
        drawn(&world)
    };
    assert!(read_by(Tlp::Red, false).contains("partner"));
    let less = read_by(Tlp::Green, false);
    assert!(!less.contains("partner") && less.contains("restricted"), "{less}");
    let exported = read_by(Tlp::Green, true);
    assert!(!exported.contains("restricted") && exported.contains("1 source listed it"), "{exported}");
}
