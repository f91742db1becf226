//! The graph of what is around indicators: relations from both ends, bounds, what restricted sources say, the page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use zonelens::feeds::State;
use zonelens::graph::{NODES_MAX, RELATIONS, Wanted, graph};
use zonelens::lookup::{Context, Licence, LookupError};
use zonelens::store::Reader;
use zonelens::value::Tlp;

use crate::pages::page;
use crate::program::{Program, Serving};
use crate::report::golden;
use crate::schema::assert_valid;
use crate::world::World;

const MD5: &str = "44D88612FEA8A8F36DE82E1278ABB02F";
const SHA256: &str = "275A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F";

const FACTS: &str = r#"
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-01","last":"2024-05-20","hits":5}
{"fact":"resolution","rrname":"bad.example","rrtype":"A","rdata":{"address":"192.31.196.8"},"first":"2024-05-02","last":"2024-05-03","hits":9}
{"fact":"resolution","rrname":"good.example","rrtype":"A","rdata":{"address":"192.31.196.7"},"first":"2024-05-04","last":"2024-05-05","hits":2}
{"fact":"resolution","rrname":"bad.example","rrtype":"CNAME","rdata":{"name":"edge.hosting.example"},"first":"2024-05-01","last":"2024-05-02","hits":1}
{"fact":"resolution","rrname":"bad.example","rrtype":"NS","rdata":{"name":"ns1.hosting.example"},"first":"2024-05-01","last":"2024-05-02","hits":3}
{"fact":"resolution","rrname":"bad.example","rrtype":"MX","rdata":{"name":"mx.hosting.example"},"first":"2024-05-01","last":"2024-05-02","hits":4}
{"fact":"resolution","rrname":"login.bad.example","rrtype":"A","rdata":{"address":"192.31.196.9"},"first":"2024-05-06","last":"2024-05-07","hits":1}
{"fact":"web_request","url":"http://bad.example/gate.php?user=ann%40corp.example","first":"2024-05-08","last":"2024-05-09","hits":6}
{"fact":"web_request","url":"http://bad.example/gate.php","referrer":"http://start.example/go","first":"2024-05-08","last":"2024-05-09","hits":6}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f","sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},"url":"http://bad.example/setup.exe","first":"2024-05-10","last":"2024-05-11","hits":7}
{"fact":"access","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"target":"url:http://control.example/c2","first":"2024-05-12","last":"2024-05-13","hits":8}
{"fact":"certificate","digest":"aa11","names":["bad.example","twin.example"],"address":"192.31.196.20","first":"2024-05-14","last":"2024-05-15","hits":1}
{"fact":"registration","domain":"bad.example","name_servers":["ns1.hosting.example","ns2.hosting.example"],"contacts":[{"contact_type":"registrant","organization":"Bear Holdings","email":"bear@mail.example"}],"observed":"2024-05-01"}
{"fact":"registration","domain":"sister.example","name_servers":["ns2.hosting.example"],"contacts":[{"contact_type":"registrant","organization":"Bear Holdings"}],"observed":"2024-05-01"}
{"fact":"registration","domain":"hidden1.example","contacts":[{"contact_type":"registrant","organization":"Privacy Protect"}],"observed":"2024-05-01"}
{"fact":"registration","domain":"hidden2.example","contacts":[{"contact_type":"registrant","organization":"Privacy Protect"}],"observed":"2024-05-01"}
{"fact":"resolution","rrname":"bda.example","rrtype":"A","rdata":{"address":"192.31.196.30"},"first":"2024-05-06","last":"2024-05-07","hits":1}
{"fact":"publication","id":"EX-1","type":"APT","title":"Example Bear <script>alert(1)</script> at http://bad.example/"}
{"fact":"mention","publication":"EX-1","indicator":"domain:bad.example"}
{"fact":"mention","publication":"EX-1","indicator":"ip:192.31.196.99"}
"#;

const LISTED: &str = r#"
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"192.31.196.7","category":"CATEGORY_BOTNET_CNC"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"sister.example","category":"CATEGORY_PHISHING"}
"#;

fn world() -> World {
    let mut world = World::new();
    world.feed("facts", FACTS);
    world.feed_at("threats", State::Whole, "2024-05-30", LISTED);
    world
}

fn ask(world: &World, of: &str, open: &[&str], only: &[&str], limit: &str) -> Result<Value, LookupError> {
    world.store.refresh();
    let context = Context {
        store: &world.store,
        policy: &world.policy,
        licence: Licence::default(),
        now: world.now,
        round_counts: false,
        reader: world.reader.clone(),
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let limit = Some(limit).filter(|limit| !limit.is_empty());
    let wanted = Wanted::parse(of, &texts(open), &texts(only), limit, None, world.now).unwrap();
    Ok(serde_json::to_value(graph(&context, &wanted)?).unwrap())
}

fn all(world: &World, of: &str) -> Value {
    ask(world, of, &[], &[], "").unwrap()
}

/// The edges as `from relation to`.
fn edges(graph: &Value) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let edges = graph["edges"].as_array().unwrap().iter();
    edges
        .map(|edge| format!("{} {} {}", text(&edge["from"]), text(&edge["relation"]), text(&edge["to"])))
        .collect()
}

fn node<'a>(graph: &'a Value, id: &str) -> &'a Value {
    let mut nodes = graph["nodes"].as_array().unwrap().iter();
    nodes.find(|node| node["id"] == id).unwrap_or_else(|| panic!("{id} is not in {graph}"))
}

#[test]
fn a_domain_has_neighbours_of_every_relation() {
    let world = world();
    let graph = all(&world, "bad.example");
    let hash = format!("hash:{MD5}");
    let expected: BTreeSet<String> = [
        "domain:bad.example resolves_to ip:192.31.196.7",
        "domain:bad.example resolves_to ip:192.31.196.8",
        "domain:bad.example alias_of domain:edge.hosting.example",
        "domain:bad.example has_subdomain domain:login.bad.example",
        "domain:bad.example hosts url:bad.example/gate.php",
        "domain:bad.example hosts url:bad.example/gate.php?user=",
        "domain:bad.example hosts url:bad.example/setup.exe",
        &format!("domain:bad.example serves {hash}"),
        "url:start.example/go refers_to domain:bad.example",
        "domain:bad.example similar_to domain:bda.example",
        "domain:bad.example mentioned_in report:EX-1",
        "domain:bad.example same_certificate domain:twin.example",
        "domain:bad.example same_certificate ip:192.31.196.20",
        "domain:bad.example has_name_server domain:ns1.hosting.example",
        "domain:bad.example has_name_server domain:ns2.hosting.example",
        "domain:bad.example has_mail_server domain:mx.hosting.example",
        "domain:bad.example same_registrant domain:sister.example",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    let found = edges(&graph);
    let redacted: BTreeSet<String> =
        found.iter().map(|edge| edge.split("user=").next().unwrap().to_owned()).collect();
    let wanted: BTreeSet<String> =
        expected.iter().map(|edge| edge.split("user=").next().unwrap().to_owned()).collect();
    assert_eq!(redacted, wanted, "{found:#?}");
    assert!(!graph.to_string().contains("corp.example"), "private data");
    golden("graph.json", &graph);
}

#[test]
fn what_two_say_of_each_other_is_one_edge() {
    let world = world();
    let opened = [
        "192.31.196.7",
        "edge.hosting.example",
        "login.bad.example",
        "bad.example/gate.php",
        SHA256,
        "start.example/go",
        "bda.example",
        "report:EX-1",
        "twin.example",
        "192.31.196.20",
        "ns1.hosting.example",
        "mx.hosting.example",
        "sister.example",
    ];
    let alone = edges(&all(&world, "bad.example"));
    let graph = ask(&world, "bad.example", &opened, &[], "").unwrap();
    let joined = edges(&graph);
    assert!(alone.is_subset(&joined));
    // Every relation of the domain is found from its other end, too.
    for opened in opened {
        let of = ask(&world, opened, &[], &[], "").unwrap();
        let id = of["of"].as_str().unwrap();
        let said: Vec<&String> = alone.iter().filter(|edge| edge.split(' ').any(|part| part == id)).collect();
        let own = edges(&of);
        for edge in said {
            // A web address and its host are two nodes: who names the one is named by either.
            let is_said = own.contains(edge)
                || own.iter().any(|own| {
                    let host = own.replace("url:bad.example/gate.php", "domain:bad.example");
                    host.replace("url:bad.example/setup.exe", "domain:bad.example") == *edge
                });
            assert!(is_said, "{id} does not say {edge}, but {own:#?}");
        }
        assert!(node(&graph, id)["opened"].as_bool().unwrap(), "{id}");
    }
    for edge in ["ip:192.31.196.99", "domain:sister.example"] {
        assert!(joined.iter().any(|joined| joined.contains(edge)), "{edge}");
    }
    assert!(joined.contains("domain:sister.example has_name_server domain:ns2.hosting.example"));
    assert!(joined.contains(&format!("hash:{MD5} contacts url:control.example/c2")));
    assert_eq!(graph["of"], "domain:bad.example");
    assert_eq!(graph["opened"].as_array().unwrap().len(), opened.len() + 1);
}

#[test]
fn the_worst_come_first_and_the_rest_is_counted() {
    let world = world();
    let graph = ask(&world, "bad.example", &[], &["resolves_to,same_registrant"], "1").unwrap();
    assert_eq!(
        edges(&graph).into_iter().collect::<Vec<_>>(),
        [
            "domain:bad.example resolves_to ip:192.31.196.7",
            "domain:bad.example same_registrant domain:sister.example"
        ],
        "the listed one, though another has more hits"
    );
    assert_eq!(
        graph["more"],
        json!([{"of": "domain:bad.example", "relation": "resolves_to", "side": "from", "shown": 1, "all": 2}])
    );
    let address = node(&graph, "ip:192.31.196.7");
    assert_eq!((&address["zone"], &address["opened"]), (&json!("Red"), &json!(false)));
    assert_eq!(
        (&address["label"], &address["href"]),
        (&json!("192[.]31[.]196[.]7"), &json!("/ip/192.31.196.7"))
    );
    assert!(address["score"].as_u64().unwrap() > 0);
}

#[test]
fn a_graph_is_bounded() {
    let mut world = World::new();
    let mut facts = String::new();
    for address in 0..20 {
        for name in 0..110 {
            facts.push_str(&format!(
                r#"{{"fact":"resolution","rrname":"n{name}.a{address}.example","rrtype":"A","rdata":{{"address":"192.31.196.{address}"}},"first":"2024-05-01","last":"2024-05-20","hits":5}}"#
            ));
            facts.push('\n');
        }
    }
    world.feed("facts", &facts);
    let addresses: Vec<String> = (0..20).map(|address| format!("192.31.196.{address}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let graph = ask(&world, addresses[0], &addresses, &[], "100").unwrap();
    let nodes = graph["nodes"].as_array().unwrap();
    // Opened ones are there though it is full.
    assert!((NODES_MAX..NODES_MAX + 20).contains(&nodes.len()), "{}", nodes.len());
    let shown: u64 =
        graph["more"].as_array().unwrap().iter().map(|more| more["shown"].as_u64().unwrap()).sum();
    assert_eq!(shown, graph["edges"].as_array().unwrap().len() as u64);
    assert!(graph["more"].as_array().unwrap().iter().all(|more| more["all"] == 110));
}

#[test]
fn unknown_ones_and_other_refusals() {
    let world = world();
    assert!(matches!(ask(&world, "unknown.test", &[], &[], ""), Err(LookupError::Unknown(_))));
    assert!(matches!(ask(&world, "report:none", &[], &[], ""), Err(LookupError::BadRequest(_))));
    let graph = ask(&world, "bad.example", &["unknown.test", "report:none"], &[], "").unwrap();
    assert_eq!(graph["unknown"], json!(["domain:unknown.test", "report:none"]));
    assert_eq!(graph["opened"], json!(["domain:bad.example", "domain:unknown.test", "report:none"]));
}

#[test]
fn who_hides_behind_the_same_service_is_not_the_same() {
    assert_eq!(
        edges(&ask(&world(), "hidden1.example", &[], &["same_registrant"], "").unwrap()),
        BTreeSet::new()
    );
}

#[test]
fn reports_of_restricted_sources_are_not_there() {
    let mut world = World::new();
    world.feed_marked("partner", State::Events, "2024-05-31", Tlp::Red, FACTS);
    let ids = |world: &World| edges(&all(world, "bad.example"));
    let named = "domain:bad.example mentioned_in report:EX-1";
    let everything = ids(&world);
    assert!(everything.contains(named));
    world.reader = Reader { clearance: Tlp::Green, marks: Arc::new(BTreeMap::new()), ..Reader::default() };
    let seen = ids(&world);
    assert!(!seen.contains(named), "a title would name who said it");
    assert_eq!(
        everything.difference(&seen).collect::<Vec<_>>(),
        [named],
        "what was observed is the same for everybody"
    );
    assert!(matches!(ask(&world, "report:EX-1", &[], &[], ""), Err(LookupError::BadRequest(_))));
    // What leaves nothing behind for this reader leaves nothing in the graph either.
    world.reader.is_export = true;
    assert!(matches!(ask(&world, "bad.example", &[], &[], ""), Err(LookupError::Unknown(_))));
}

#[test]
fn no_title_is_markup_or_a_link() {
    let graph = all(&world(), "bad.example");
    let report = node(&graph, "report:EX-1");
    assert_eq!((&report["zone"], &report["kind"]), (&Value::Null, &json!("report")));
    assert!(!report["label"].as_str().unwrap().contains("http://"), "{report}");
    for edge in graph["edges"].as_array().unwrap() {
        assert!(RELATIONS.iter().any(|relation| edge["relation"] == relation.name));
    }
}

//------------ Over HTTP -----------------------------------------------------

fn service(program: &Program) -> Serving {
    program.file("facts.ndjson", FACTS);
    program.file("listed.ndjson", LISTED);
    for file in ["facts.ndjson", "listed.ndjson"] {
        program.ok(&["import", file, "--format", "native"]);
    }
    program.serve(&[])
}

#[test]
fn each_that_is_opened_is_a_lookup() {
    let program = Program::new();
    let service = service(&program);
    let left = |path: &str| {
        let answer = service.get(path);
        (answer.status, answer.header("ratelimit-remaining").unwrap().parse::<u64>().unwrap())
    };
    let (status, first) = left("/api/v1/graph?of=bad.example");
    assert_eq!(status, 200);
    let open = "open=bad.example&open=ip%3A192.31.196.7&open=unknown.test";
    assert_eq!(left(&format!("/api/v1/graph?of=bad.example&{open}")), (200, first - 3));
    assert_eq!(left(&format!("/graph?of=bad.example&{open}")), (200, first - 6));
    // What is not answered does not count.
    assert_eq!(left("/api/v1/graph?of=bad.example&relation=likes"), (400, first - 6));
    assert_eq!(left("/api/v1/graph?of=unknown.test"), (404, first - 7));
}

#[test]
fn the_interface_says_what_is_wrong() {
    let program = Program::new();
    let service = service(&program);
    let many: String = (0..31).map(|number| format!("&open=n{number}.example")).collect();
    for (query, said) in [
        ("", "of is missing"),
        ("?of=", "of is missing"),
        ("?of=a%20b", "a b"),
        ("?of=bad.example&open=a%20b", "open: "),
        ("?of=bad.example&relation=likes", "resolves_to"),
        ("?of=bad.example&limit=0", "limit"),
        ("?of=bad.example&as_of=2099-01-01", "future"),
        (&format!("?of=bad.example{many}"), "32 are opened"),
    ] {
        let answer = service.get(&format!("/api/v1/graph{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
        assert_valid("problem.json", &answer.json());
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", answer.body);
    }
    let long = format!("/api/v1/graph?of=bad.example&open={}", "a".repeat(9_000));
    assert_eq!(service.get(&long).status, 414);
    let past = service.get("/api/v1/graph?of=bad.example&as_of=2024-05-28");
    assert_eq!(past.status, 404, "not learnt yet: {}", past.body);
}

#[test]
fn the_page_works_by_its_links_alone() {
    let program = Program::new();
    let service = service(&program);
    let start = service.get("/graph");
    assert!(page(&start).contains("<input id=\"of\""));
    assert!(!page(&start).contains("cytoscape.min.js"), "nothing is drawn yet");
    let first = service.get("/graph?of=bad.example&relation=resolves_to");
    let html = page(&first);
    assert!(html.contains("cytoscape.min.js") && html.contains("bad[.]example"));
    assert!(
        html.contains("/graph?of=domain:bad.example&#38;open=ip:192.31.196.7&#38;relation=resolves_to"),
        "{html}"
    );
    let second = service.get("/graph?of=domain:bad.example&open=ip:192.31.196.7&relation=resolves_to");
    let html = page(&second);
    assert!(html.contains("href=\"/domain/good.example\""), "{html}");
    assert!(
        html.contains("href=\"/graph?of=domain:bad.example&#38;relation=resolves_to\""),
        "it closes: {html}"
    );
    assert!(!service.get("/domain/bad.example").body.contains("cytoscape"), "no other page loads what draws");
    let library = service.get("/static/vendor/cytoscape.min.js");
    assert_eq!(
        (library.status, library.header("content-type")),
        (200, Some("text/javascript; charset=utf-8"))
    );
}

#[test]
fn what_the_page_cannot_show_it_says() {
    let program = Program::new();
    let service = service(&program);
    let few = service.get("/graph?of=bad.example&open=unknown.test&limit=1");
    let html = page(&few);
    assert!(html.contains("bad[.]example resolves to 2: 1 are shown."), "{html}");
    assert!(html.contains("Nothing is known of domain:unknown[.]test."), "{html}");
    let wrong = service.get("/graph?of=a%20b");
    assert_eq!(wrong.status, 400);
    page(&wrong);
    let unknown = service.get("/graph?of=unknown.test");
    assert_eq!(unknown.status, 404);
    page(&unknown);
}

#[test]
fn no_string_of_others_is_markup_on_the_page() {
    let hostile = r#"
{"fact":"publication","id":"<script>alert(1)</script>","type":"APT","title":"\"><img src=x>\u202eend"}
{"fact":"mention","publication":"<script>alert(1)</script>","indicator":"domain:bad.example"}
{"fact":"registration","domain":"bad.example","contacts":[{"contact_type":"registrant","organization":"<img src=x>"}],"observed":"2024-05-01"}
{"fact":"registration","domain":"sister.example","contacts":[{"contact_type":"registrant","organization":"<img src=x>"}],"observed":"2024-05-01"}
{"fact":"certificate","digest":"\"><script>alert(1)</script>","names":["bad.example","twin.example"],"first":"2024-05-14","last":"2024-05-15","hits":1}
{"fact":"web_request","url":"http://bad.example/<script>alert(1)</script>?a=\"onclick=alert(1)","first":"2024-05-08","last":"2024-05-09","hits":6}
"#;
    let program = Program::new();
    program.file("hostile.ndjson", hostile);
    program.ok(&["import", "hostile.ndjson", "--format", "native"]);
    let service = program.serve(&[]);
    let answer = service
        .get("/graph?of=bad.example&open=report%3A%3Cscript%3Ealert(1)%3C%2Fscript%3E&open=%3Cb%3E.example");
    assert_eq!(answer.status, 400, "no name has such characters");
    page(&answer);
    let answer = service.get("/graph?of=bad.example&open=report%3A%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let html = page(&answer);
    for known in ["registrant", "certificate", "/reports/%3Cscript%3E"] {
        assert!(html.contains(known), "{known} is not on the page: {html}");
    }
}
