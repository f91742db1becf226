//! Pictures of fixed data against kept ones (`BLESS=1 cargo test --lib picture` keeps them anew: read the diff), and
//! what holds for any data: XML that is well-formed, in which nothing is outside the box.

use std::path::PathBuf;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::countries::Countries;
use super::drawing::{Anchor, WIDTH, width_of};
use super::history::{Counterpart, History};
use super::hits::Hits;
use super::hosting::{Names, Networks};
use super::listings::{Listing, Listings, State};
use super::timeline::{InZone, Strip};
use super::*;
use crate::fact::Seen;
use crate::indicator::Indicator;
use crate::store::observed::Observed;
use crate::value::{Category, CountryCode, ThreatScore, Zone};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Compares a picture with the one that is kept.
fn check(name: &str, picture: Option<Picture>) {
    let picture = picture.unwrap_or_else(|| panic!("{name}: nothing is drawn"));
    sound(&picture.drawing.to_string());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/picture/{name}.html"));
    let text = picture.to_string();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == kept, "{name} differs: if that is meant, run with BLESS=1 and read the diff\n{text}");
}

/// Checks that a drawing is XML, and that all of it is in its box.
fn sound(svg: &str) {
    let mut reader = Reader::from_str(svg);
    let (mut height, mut depth, mut ids) = (0.0, 0, Vec::new());
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error} in {svg}"));
        let (start, is_open) = match &event {
            Event::Eof => break,
            Event::Start(start) => (start, true),
            Event::Empty(start) => (start, false),
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Text(text) => {
                assert!(!text.contains(['<', '>']), "{svg}");
                continue;
            }
            Event::GeneralRef(_) => continue,
            other => panic!("{other:?} in {svg}"),
        };
        depth += i32::from(is_open);
        let attributes: Vec<(String, String)> = start
            .attributes()
            .map(|one| one.unwrap())
            .map(|one| (one.key.as_ref().to_owned(), one.value.to_string()))
            .collect();
        let name = start.name().as_ref().to_owned();
        let text =
            |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let number = |wanted: &str| text(wanted).map_or(0.0, |value| value.parse::<f64>().unwrap());
        assert!(
            text("style").is_none() && !attributes.iter().any(|(name, _)| name.starts_with("on")),
            "{svg}"
        );
        if let Some(id) = text("id") {
            assert!(!ids.contains(&id), "{id} stands twice in {svg}");
            ids.push(id);
        }
        let inside = |value: f64, most: f64| {
            assert!((-0.05..=most + 0.05).contains(&value), "{value} of {most}: {svg}")
        };
        match name.as_str() {
            "svg" => {
                let view = text("viewBox").unwrap();
                let parts: Vec<f64> = view.split(' ').map(|part| part.parse().unwrap()).collect();
                assert_eq!(parts[..3], [0.0, 0.0, WIDTH]);
                height = parts[3];
                assert!(height > 0.0 && height < 1000.0, "{view}");
                let named = text("aria-labelledby").unwrap();
                assert!(named.split(' ').all(|id| svg.contains(&format!("id=\"{id}\""))), "{named}");
            }
            "rect" => {
                inside(number("x"), WIDTH);
                inside(number("y"), height);
                assert!(number("width") > 0.0 && number("height") > 0.0, "{svg}");
                inside(number("x") + number("width"), WIDTH);
                inside(number("y") + number("height"), height);
            }
            "line" => {
                for (x, y) in [("x1", "y1"), ("x2", "y2")] {
                    inside(number(x), WIDTH);
                    inside(number(y), height);
                }
            }
            "text" => {
                inside(number("x"), WIDTH);
                inside(number("y"), height);
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{svg}");
}

/// Checks that no text of a drawing is wider than its room.
fn texts_have_room(drawing: &Drawing) {
    for shape in &drawing.shapes {
        let drawing::Shape::Text { x, anchor, text, note, .. } = shape else { continue };
        let note = if note.is_empty() { 0.0 } else { drawing::GAP + width_of(note) };
        let width = width_of(text) + note;
        let (left, right) = match anchor {
            Anchor::Start => (x.0, x.0 + width),
            Anchor::Middle => (x.0 - width / 2.0, x.0 + width / 2.0),
            Anchor::End => (x.0 - width, x.0),
        };
        // A text of which nothing has room is cut to its dots.
        assert!(left > -8.0 && right < WIDTH + 8.0, "{text:?} from {left} to {right}");
    }
}

fn counterpart(zone: Zone, label: &str, note: &str, hits: u64, first: &str, last: &str) -> Counterpart {
    Counterpart {
        zone,
        label: crate::export::defanged(label),
        cell: Cell::indicator(Indicator::parse(label).ok(), label),
        note: note.to_owned(),
        hits,
        first: at(first),
        last: at(last),
    }
}

fn history(counterparts: Vec<Counterpart>, total: u64) -> History {
    let red = counterparts.iter().filter(|one| one.zone == Zone::Red).count() as u64;
    let what = ("address", "addresses");
    History { title: "Addresses over time", what, counterparts, total, red, at: at("2024-06-01") }
}

#[test]
fn dns_history() {
    let all = vec![
        counterpart(
            Zone::Red,
            "192.31.196.10",
            "AS64500 Example Networks, NL",
            2042,
            "2024-01-03",
            "2024-05-31",
        ),
        counterpart(Zone::Grey, "2620:4f:8000::10", "AS112", 3, "2024-05-31", "2024-05-31"),
        counterpart(Zone::Green, "192.31.196.66", "", 17, "2023-11-02", "2024-02-29"),
    ];
    check("history", history(all, 3).picture());
    assert!(history(Vec::new(), 0).picture().is_none());
}

#[test]
fn of_many_the_last_seen_are_shown_and_the_others_counted() {
    let all = (1..=30).map(|day| {
        let text = format!("2024-04-{day:02}");
        counterpart(Zone::Yellow, &format!("192.31.196.{day}"), "", 1, &text, &text)
    });
    let picture = history(all.collect(), 5000).picture().unwrap();
    let svg = picture.drawing.to_string();
    assert!(svg.contains("192[.]31[.]196[.]30") && !svg.contains("192[.]31[.]196[.]18<"), "{svg}");
    assert_eq!(picture.rows.len(), 12);
    assert!(picture.caption.contains("5\u{202f}000 addresses since 2024-04-01."), "{}", picture.caption);
    assert!(picture.caption.contains("4\u{202f}988 more are not"), "{}", picture.caption);
}

#[test]
fn no_name_becomes_markup_or_turns_text_round() {
    let long = "a".repeat(63);
    let names = [
        "<script>alert(1)</script>",
        "\u{202e}\"'&]]>\u{0}\u{1b}",
        "]]><!--",
        &long,
        "\u{fdfd}\u{0301}\u{0301}ﷺ漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
    ];
    let all = names.iter().map(|name| Counterpart {
        label: (*name).to_owned(),
        note: format!("{name}{name}"),
        cell: Cell::indicator(None, name),
        ..counterpart(Zone::Red, "192.31.196.10", "", 1, "2024-05-01", "2024-05-02")
    });
    let picture = history(all.collect(), 5).picture().unwrap();
    texts_have_room(&picture.drawing);
    let svg = picture.drawing.to_string();
    sound(&svg);
    let html = picture.to_string();
    for bad in ["<script", "<!--", "\u{202e}", "\u{1b}", "\u{0}"] {
        assert!(!html.contains(bad), "{bad:?} in {html}");
    }
    assert!(svg.contains("&#60;script&#62;") && svg.contains("aaa…<"), "{svg}");
    let source = "<b>\u{202e}".to_owned() + &long;
    let listing = Listing {
        source,
        category: Category::MALWARE,
        first: at("2024-05-01"),
        last: at("2024-05-02"),
        held: at("2024-05-02"),
        state: State::Over,
    };
    let picture = Listings::new([listing], at("2024-06-01")).picture().unwrap();
    texts_have_room(&picture.drawing);
    sound(&picture.drawing.to_string());
    assert!(!picture.to_string().contains("<b>"));
    let networks =
        Networks { networks: vec![("<i>&".repeat(30), 5), ("b".into(), 1)], addresses: 2, total: 2 };
    let picture = networks.picture().unwrap();
    texts_have_room(&picture.drawing);
    sound(&picture.drawing.to_string());
    assert!(!picture.to_string().contains("<i>"));
}

fn observed(first: &str, last: &str, hits: u64) -> Observed {
    Observed::additive(&Seen { first: at(first), last: at(last), hits })
}

#[test]
fn hits_a_day_with_an_estimate() {
    let mut hits = Hits::default();
    for (day, count) in [("2024-05-01", 3), ("2024-05-02", 40), ("2024-05-03", 12), ("2024-05-09", 7)] {
        hits.add(&observed(day, day, count));
    }
    hits.add(&observed("2024-05-03", "2024-05-08", 60));
    check("hits", hits.picture("resolutions"));
    assert!(Hits::default().picture("resolutions").is_none());
}

#[test]
fn columns_of_a_longer_time_are_weeks_months_or_years_and_lose_no_hit() {
    for (last, title) in [
        ("2020-05-01", "Hits a day"),
        ("2020-12-24", "Hits a week"),
        ("2024-01-01", "Hits a month"),
        ("2099-01-01", "Hits a year"),
    ] {
        let mut hits = Hits::default();
        hits.add(&observed("2020-01-15", "2020-01-15", 5));
        hits.add(&observed(last, last, 4));
        hits.add(&observed("2020-02-27", last, 100));
        let picture = hits.picture("hits").unwrap();
        assert_eq!(picture.drawing.title, title);
        sound(&picture.drawing.to_string());
        let count = |cell: &Cell| match cell {
            Cell::Number(text) => text.replace('\u{202f}', "").parse::<f64>().unwrap(),
            other => panic!("{other:?}"),
        };
        let all: f64 = picture.rows.iter().map(|row| count(&row[1])).sum();
        // Each column is rounded.
        assert!((all - 109.0).abs() <= picture.rows.len() as f64 / 2.0 + 1.0, "{title}: {all}");
        assert!(picture.caption.starts_with("109 hits in "), "{}", picture.caption);
    }
}

#[test]
fn a_site_that_rounds_counts_rounds_them_here() {
    let mut hits = Hits::default();
    hits.add(&observed("2024-05-01", "2024-05-01", 1234));
    let picture = hits.rounded(|_| 1000).picture("resolutions").unwrap();
    assert!(!picture.to_string().contains("234"), "{picture}");
}

fn listings() -> Listings {
    let one = |source: &str, category, first: &str, last: &str, held: &str, state| Listing {
        source: source.to_owned(),
        category,
        first: at(first),
        last: at(last),
        held: at(held),
        state,
    };
    let all = [
        one("blocklist", Category::MALWARE, "2024-03-01", "2024-05-31", "2024-06-01", State::Counts),
        one("blocklist", Category::MALWARE, "2024-02-10", "2024-02-12", "2024-02-12", State::Over),
        one("events", Category::BOTNET_CNC, "2024-04-20", "2024-05-20", "2024-05-20", State::Counts),
        one("retired", Category::SUSPICIOUS, "2024-04-01", "2024-05-10", "2024-05-10", State::Ages),
        one("old", Category::ADWARE, "2024-01-10", "2024-01-30", "2024-01-30", State::Over),
    ];
    Listings::new(all, at("2024-06-01"))
}

#[test]
fn listings_by_source() {
    let listings = listings();
    assert_eq!(listings.listings.len(), 4, "the same of one source is one");
    check("listings", listings.picture());
    assert!(Listings::new([], at("2024-06-01")).picture().is_none());
}

#[test]
fn countries_attacked() {
    let code = |text: &str| CountryCode::parse(text).unwrap();
    let attacks = vec![(code("BR"), 700), (code("DE"), 250), (code("NL"), 2)];
    check("countries", Countries { attacks, total: 1000 }.picture());
    assert!(Countries::default().picture().is_none());
}

#[test]
fn hosting_by_network_and_names_by_zone() {
    let networks = vec![
        ("AS64500 Example Networks, NL".to_owned(), 10),
        ("AS112 DNS-OARC".to_owned(), 990),
        ("unknown network".to_owned(), 1),
    ];
    check("networks", Networks { networks: networks.clone(), addresses: 50, total: 220 }.picture());
    let one = Networks { networks: networks[..1].to_vec(), addresses: 1, total: 1 };
    assert!(one.picture().is_none(), "one network is no share");
    let zones = vec![(Zone::Red, 5), (Zone::Yellow, 0), (Zone::Grey, 295)];
    check("names", Names { zones, total: 300, domains: 298, is_shared: true }.picture());
    assert!(Names::default().picture().is_none());
}

#[test]
fn zones_over_time() {
    let zone = |from: &str, to: &str, zone, score| InZone {
        from: at(from),
        to: at(to),
        zone,
        score: ThreatScore(score),
    };
    let zones = vec![
        zone("2024-01-10", "2024-01-30", Zone::Yellow, 20),
        zone("2024-01-30", "2024-02-10", Zone::Grey, 0),
        zone("2024-02-10", "2024-06-01", Zone::Red, 92),
    ];
    let seen = Some((at("2023-06-01"), at("2024-05-30")));
    check("timeline", Strip { zones, listings: listings(), seen, at: at("2024-06-01") }.picture());
    let never = Strip {
        zones: Vec::new(),
        listings: Listings::new([], at("2024-06-01")),
        seen,
        at: at("2024-06-01"),
    };
    assert!(never.picture().is_none());
}

fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (1_600_000_000i64..1_700_000_000).prop_map(Timestamp),
        (0i64..Timestamp::RECORD_MAX.0).prop_map(Timestamp),
        any::<i64>().prop_map(Timestamp),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z<>&\"'\\]\\[]{0,80}", "\\PC{0,40}"]
}

fn zone() -> impl Strategy<Value = Zone> {
    (0..Zone::ALL.len()).prop_map(|at| Zone::ALL[at])
}

proptest! {
    #[test]
    fn any_history_is_sound(rows in prop::collection::vec((text(), text(), zone(), moment(), moment(), any::<u64>()), 0..30), end in moment()) {
        let one = |(label, note, zone, first, last, hits): (String, String, Zone, Timestamp, Timestamp, u64)| Counterpart {
            cell: Cell::indicator(None, &label), zone, label, note, hits, first, last,
        };
        let all: Vec<Counterpart> = rows.into_iter().map(one).collect();
        let picture = History { at: end, ..history(all, 7) }.picture();
        if let Some(picture) = picture {
            texts_have_room(&picture.drawing);
            sound(&picture.drawing.to_string());
        }
    }

    #[test]
    fn any_hits_are_sound(days in prop::collection::btree_map(any::<u32>(), any::<u64>(), 0..40),
                          near in prop::collection::btree_map(19_000u32..19_400, 0u64..1000, 0..40),
                          spans in prop::collection::btree_map((0u32..50_000, 0u32..50_000), any::<u64>(), 0..10)) {
        let spans: std::collections::BTreeMap<(u32, u32), u64> =
            spans.into_iter().map(|((a, b), hits)| ((a.min(b), a.max(b)), hits)).collect();
        let near_span = std::collections::BTreeMap::from([((19_001, 19_050), 77)]);
        for hits in [
            Hits { days, spans: spans.clone(), total: 9 },
            Hits { days: near, spans: near_span, total: 9 },
            Hits { spans, ..Hits::default() },
        ] {
            if let Some(picture) = hits.picture("hits") {
                texts_have_room(&picture.drawing);
                sound(&picture.drawing.to_string());
            }
        }
    }

    #[test]
    fn any_strip_is_sound(zones in prop::collection::vec((moment(), moment(), zone()), 0..20),
                          rows in prop::collection::vec((text(), 0u8..17, moment(), moment(), moment(), 0u8..3), 0..20),
                          seen in prop::option::of((moment(), moment())), end in moment()) {
        let listing = |(source, category, first, last, held, state): (String, u8, Timestamp, Timestamp, Timestamp, u8)| Listing {
            source,
            category: Category::from_index(category).unwrap(),
            first,
            last,
            held,
            state: [State::Counts, State::Ages, State::Over][usize::from(state)],
        };
        let listings = Listings::new(rows.into_iter().map(listing), end);
        let zones = zones.into_iter().map(|(from, to, zone)| InZone { from, to, zone, score: ThreatScore(1) });
        let strip = Strip { zones: zones.collect(), listings: listings.clone(), seen, at: end };
        for picture in [strip.picture(), listings.picture()].into_iter().flatten() {
            texts_have_room(&picture.drawing);
            sound(&picture.drawing.to_string());
        }
    }

    #[test]
    fn any_bars_are_sound(rows in prop::collection::vec((text(), any::<u64>()), 0..30), total in any::<u64>()) {
        let attacks = rows.iter().map(|(_, hits)| (CountryCode::parse("NL").unwrap(), *hits)).collect();
        let zones = rows.iter().map(|(_, hits)| (Zone::Red, *hits)).collect();
        for picture in [
            Countries { attacks, total }.picture(),
            Names { zones, total, domains: total, is_shared: total.is_multiple_of(2) }.picture(),
            Networks { networks: rows, addresses: 3, total }.picture(),
        ].into_iter().flatten() {
            texts_have_room(&picture.drawing);
            sound(&picture.drawing.to_string());
        }
    }
}

#[test]
fn a_moment_is_drawn_so_that_it_is_seen() {
    let one = history(vec![counterpart(Zone::Grey, "192.31.196.1", "", 1, "2024-06-01", "2024-06-01")], 1);
    let svg = one.picture().unwrap().drawing.to_string();
    sound(&svg);
    assert!(svg.contains("width=\"1.5\""), "{svg}");
}
