//! The enrichment module as MISP asks for it.

use serde_json::{Value, json};

use crate::dialects::{FACTS, MD5, URL, service};
use crate::program::{Answer, Program, Serving};
use crate::report::golden;

fn query(service: &Serving, question: &Value) -> Answer {
    service.send("POST", "/query", &[("content-type", "application/json")], &question.to_string())
}

fn ok(service: &Serving, question: &Value) -> Value {
    let answer = query(service, question);
    assert_eq!(answer.status, 200, "{question}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[test]
fn the_module_says_what_it_takes() {
    let program = Program::new();
    let service = service(&program, &[]);
    let answer = service.get("/modules");
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, None), "it is no lookup");
    golden("misp-modules.json", &answer.json());
}

#[test]
fn attributes_of_each_type_are_expanded() {
    let program = Program::new();
    let service = service(&program, &[]);
    let id = "f1d2d2f9-24e9-4a2c-9b7a-0a1b2c3d4e5f";
    for (kind, value) in [
        ("ip-src", "192.31.196.10"),
        ("ip-dst", "192.31.196.10"),
        ("domain", "shop.example"),
        ("hostname", "shop.example"),
        ("url", URL),
        ("md5", MD5),
        ("sha1", "3395856ce81f2b7382dee72602f798b642f14140"),
    ] {
        let attribute = json!({"type": kind, "value": value, "uuid": id, "category": "Network activity"});
        let answer = ok(&service, &json!({"module": "zonelens", "attribute": attribute, "event_id": "7"}));
        let results = &answer["results"];
        assert_eq!(results["Attribute"][0], attribute, "what was asked is there, to be linked");
        let object = &results["Object"][0];
        assert_eq!(object["ObjectReference"].as_array().unwrap().last().unwrap()["referenced_uuid"], id);
        let tags = object["Attribute"].to_string();
        assert!(tags.contains("zonelens:zone="), "{tags}");
        if kind == "domain" {
            golden("misp-expanded.json", &answer);
        }
        let older = ok(&service, &json!({"module": "zonelens", kind: value}));
        let results = older["results"].as_array().unwrap();
        assert_eq!(results[0]["types"], json!(["text"]), "the verdict is first: {older}");
        assert!(results[0]["values"][0].as_str().unwrap().starts_with("Zone "), "{older}");
        if kind == "domain" {
            golden("misp-expanded-older.json", &older);
        }
    }
    // Each question is a lookup.
    let answer = query(&service, &json!({"module": "zonelens", "domain": "shop.example"}));
    assert_eq!(answer.header("ratelimit-remaining"), Some("2147483632"));
    // Older versions of MISP call their JSON a form.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = json!({"module": "zonelens", "domain": "shop.example"}).to_string();
    assert_eq!(service.send("POST", "/query", &form, &body).json(), answer.json());
}

#[test]
fn what_is_wrong_is_said_as_modules_say_it() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (question, said) in [
        (json!([]), "not as MISP asks"),
        (json!({"module": "dns", "domain": "a.example"}), "there is no module \"dns\""),
        (json!({"module": "zonelens"}), "send one of ip-src"),
        (json!({"module": "zonelens", "domain": 7}), "send one of ip-src"),
        (json!({"module": "zonelens", "attribute": "x"}), "send one of ip-src"),
        (
            json!({"module": "zonelens", "attribute": {"type": "btc", "value": "1"}}),
            "the attribute's type is \"btc\"",
        ),
        (json!({"module": "zonelens", "ip-dst": "shop.example"}), "shop.example"),
        (json!({"module": "zonelens", "md5": "zz"}), "zz"),
        (json!({"module": "zonelens", "domain": "unknown.test"}), "nothing is known of domain unknown.test"),
    ] {
        let answer = ok(&service, &question);
        assert!(answer["error"].as_str().unwrap_or_default().contains(said), "{question}: {answer}");
    }
    let long = json!({"module": "zonelens", "domain": "a".repeat(70_000)});
    assert_eq!(query(&service, &long).status, 413);
    assert_eq!(service.get("/query").status, 405);
}

#[test]
fn who_asks_says_so_in_the_configuration_of_the_module() {
    let program = Program::new();
    program.user("ann", "analyst", &["--clearance", "amber"]);
    let token = program.token("ann", &[]);
    program.file(
        "zonelens.toml",
        "[tlp]\nexport = \"amber\"\n[[source]]\nname = \"partner\"\ntlp = \"amber+strict\"\n",
    );
    program.file("strict.ndjson", FACTS.trim_start().replace("r-1", "nightfall"));
    program.ok(&["import", "--source", "partner", "--format", "native", "strict.ndjson"]);
    let service = service(&program, &[]);
    assert_eq!(service.get("/modules").status, 200, "MISP asks without a token");
    let attribute = json!({"type": "domain", "value": "shop.example"});
    let question =
        |token: &Value| json!({"module": "zonelens", "attribute": attribute, "config": {"token": token}});
    for wrong in [json!("zl_wrong"), json!(""), json!(7), json!("a\nb"), Value::Null] {
        let answer = query(&service, &question(&wrong));
        assert_eq!(answer.status, 401, "{wrong}: {}", answer.body);
        assert!(answer.header("www-authenticate").is_some());
    }
    let answer = query(&service, &question(&json!(token)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("On 'shops'") && !answer.body.contains("nightfall"), "{}", answer.body);
    assert!(!answer.body.contains(&token));
    let by_header = service.ask(
        "POST",
        "/query",
        &token,
        &json!({"module": "zonelens", "attribute": attribute}).to_string(),
    );
    assert_eq!(by_header.json(), answer.json());
    // A header counts more than the body, also where it is wrong.
    let wrong = service.ask("POST", "/query", "zl_wrong", &question(&json!(token)).to_string());
    assert_eq!(wrong.status, 401);
    // The audit says who asked of what, and no token.
    let (_, talk) = service.stop();
    assert!(!talk.contains(&token), "{talk}");
    let audit = program.ok(&["audit", "--format", "ndjson"]).out;
    let asked: Vec<&str> =
        audit.lines().filter(|line| line.contains("shop.example") && line.contains("ann")).collect();
    assert_eq!(asked.len(), 2, "{audit}");
    assert!(!audit.contains(&token), "{audit}");
}
