//! Passive DNS as its clients ask for it: the Common Output Format and DNSDB's paths.

use serde_json::{Value, json};

use crate::program::{Answer, Program, Serving};

/// A service over records of every kind that can be asked for.
fn service(program: &Program) -> Serving {
    let cof = |name: &str, rrtype: &str, rdata: &str, first: u32, count: u32| {
        let last = first + 1000;
        json!({"rrname": name, "rrtype": rrtype, "rdata": rdata, "time_first": first, "time_last": last, "count": count})
            .to_string()
            + "\n"
    };
    let dns = [
        cof("example.net", "A", "192.31.196.7", 1_716_000_000, 3),
        cof("www.example.net", "CNAME", "example.net", 1_716_100_000, 2),
        cof("a.www.example.net", "AAAA", "2001:4860::1", 1_716_200_000, 1),
        cof("example.net", "NS", "ns1.example.org", 1_716_300_000, 9),
        cof("example.net", "TXT", "v=spf1 \"-all\"", 1_716_400_000, 4),
        // Sorts between a name and what is below it, and is neither.
        cof("example-two.net", "A", "192.31.196.9", 1_716_500_000, 5),
        cof("example.co.uk", "A", "192.31.196.8", 1_716_600_000, 6),
    ];
    program.file("dns.cof", dns.concat());
    program.ok(&["import", "dns.cof"]);
    program.serve(&[])
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The records of a DNSDB answer as `name type data`, and how it ended.
fn records(service: &Serving, path: &str) -> (Vec<String>, String) {
    let mut lines = lines(&service.get(&format!("/dnsdb/v2/{path}")));
    assert_eq!(lines.remove(0), json!({"cond": "begin"}));
    let end = lines.pop().unwrap()["cond"].as_str().unwrap().to_owned();
    let text = |value: &Value| match value {
        Value::Array(one) => one[0].as_str().unwrap().to_owned(),
        one => one.as_str().unwrap().to_owned(),
    };
    let shown = lines.iter().map(|line| {
        let obj = &line["obj"];
        let (name, rrtype) = (obj["rrname"].as_str().unwrap(), obj["rrtype"].as_str().unwrap());
        format!("{name} {rrtype} {}", text(&obj["rdata"]))
    });
    (shown.collect(), end)
}

#[test]
fn dnsdb_paths_answer_names_data_wildcards_and_networks() {
    let program = Program::new();
    let service = service(&program);
    let (a, ns, txt) = (
        "example.net. A 192.31.196.7",
        "example.net. NS ns1.example.org.",
        "example.net. TXT v=spf1 \"-all\"",
    );
    let cname = "www.example.net. CNAME example.net.";
    let aaaa = "a.www.example.net. AAAA 2001:4860::1";
    let (two, uk) = ("example-two.net. A 192.31.196.9", "example.co.uk. A 192.31.196.8");
    for (path, expected) in [
        ("lookup/rrset/name/example.net", vec![a, ns, txt]),
        ("lookup/rrset/name/example.net./ANY", vec![a, ns, txt]),
        ("lookup/rrset/name/EXAMPLE.net/ns", vec![ns]),
        ("lookup/rrset/name/example.net/A/net", vec![a]),
        ("lookup/rrset/name/*.example.net", vec![a, ns, txt, cname, aaaa]),
        ("lookup/rrset/name/%2A.www.example.net", vec![cname, aaaa]),
        ("lookup/rrset/name/example.*", vec![uk, a, ns, txt]),
        ("lookup/rrset/name/nothing.example", vec![]),
        ("lookup/rdata/name/example.net", vec![cname]),
        ("lookup/rdata/name/*.example.org", vec![ns]),
        ("lookup/rdata/ip/192.31.196.7", vec![a]),
        ("lookup/rdata/ip/192.31.196.0,24", vec![a, uk, two]),
        ("lookup/rdata/ip/192.31.196.8-192.31.196.9", vec![uk, two]),
        ("lookup/rdata/ip/2001:4860::,32", vec![aaaa]),
        ("lookup/rrset/name/example.net?time_first_after=1716350000", vec![txt]),
        ("lookup/rrset/name/example.net?time_last_before=1716001000", vec![a]),
        ("lookup/rrset/name/example.net?time_last_after=-1", vec![]),
        ("lookup/rrset/name/example.net?offset=1&limit=5", vec![ns, txt]),
    ] {
        let (found, end) = records(&service, path);
        assert_eq!(
            (found, end.as_str()),
            (expected.iter().map(ToString::to_string).collect(), "succeeded"),
            "{path}"
        );
    }
    let (found, end) = records(&service, "lookup/rrset/name/*.example.net?limit=2");
    assert_eq!((found, end.as_str()), (vec![a.to_owned(), ns.to_owned()], "limited"));
    let set = &lines(&service.get("/dnsdb/v2/lookup/rrset/name/example.net/A"))[1]["obj"];
    assert_eq!(
        set,
        &json!({"count": 3, "time_first": 1716000000, "time_last": 1716001000, "rrname": "example.net.", "rrtype": "A",
            "bailiwick": "example.net.", "rdata": ["192.31.196.7"]})
    );
    let sum = &lines(&service.get("/dnsdb/v2/summarize/rrset/name/*.example.net/ANY"))[1]["obj"];
    assert_eq!(
        sum,
        &json!({"count": 19, "num_results": 5, "time_first": 1716000000, "time_last": 1716401000})
    );
    assert_eq!(service.get("/dnsdb/v2/ping").json(), json!({"ping": "ok"}));
    assert!(service.get("/dnsdb/v2/rate_limit").json()["rate"]["remaining"].is_u64());
}

#[test]
fn the_common_output_format_answers_a_name_and_what_holds_it() {
    let program = Program::new();
    let service = service(&program);
    let found = lines(&service.get("/pdns/query/example.net"));
    let cname = json!({"rrname": "www.example.net", "rrtype": "CNAME", "rdata": "example.net",
        "time_first": 1716100000, "time_last": 1716101000, "count": 2});
    assert_eq!((found.len(), &found[3]), (4, &cname));
    assert_eq!(lines(&service.get("/pdns/query/192.31.196.7"))[0]["rrname"], "example.net");
    assert_eq!(lines(&service.get("/pdns/query/192.31.196.0/24")).len(), 3);
    // What was answered is read back as it is.
    program.file("again.cof", service.get("/pdns/query/*.example.net").body);
    let again = program.json(&["--data", "other", "import", "--json", "--source", "again", "again.cof"]);
    assert_eq!((&again["format"], &again["facts"]), (&json!("cof"), &json!({"resolution": 5})));
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let program = Program::new();
    let service = service(&program);
    for (path, said) in [
        ("/dnsdb/v2/lookup/rrset/name", "rrset/name/example.com"),
        ("/dnsdb/v2/lookup/rrset/raw/aa", "rdata/ip"),
        ("/dnsdb/v2/lookup/rrset/name/a..b", "empty label"),
        ("/dnsdb/v2/lookup/rrset/name/a.b.*", "example.*"),
        ("/dnsdb/v2/lookup/rrset/name/example.net/BOGUS", "no type of record"),
        ("/dnsdb/v2/lookup/rrset/name/%FF", "not UTF-8"),
        ("/dnsdb/v2/lookup/rdata/ip/192.0.2.0,33", "192.0.2.0/33"),
        ("/dnsdb/v2/lookup/rdata/ip/192.0.2.9-192.0.2.1", "lower address first"),
        ("/dnsdb/v2/lookup/rrset/name/example.net?limit=-1", "limit"),
        ("/dnsdb/v2/lookup/rrset/name/example.net?time_first_before=yesterday", "time_first_before"),
        ("/pdns/query/a/b/c", "a/b/c"),
    ] {
        let answer = service.get(path);
        assert!(
            (answer.status, answer.body.contains(said)) == (400, true),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
    }
}
