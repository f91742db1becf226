//! The other forms of a report: OpenTIP, scans, publications, STIX, rounded counts.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::program::{Answer, Program, Serving};
use crate::report::golden;
use crate::schema::assert_valid;

pub const MD5: &str = "44D88612FEA8A8F36DE82E1278ABB02F";
const SHA1: &str = "3395856CE81F2B7382DEE72602F798B642F14140";
/// The content whose hashes these are: a test file that every scanner knows, here in two halves so that none does.
const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

pub const FACTS: &str = r#"
{"fact":"resolution","rrname":"shop.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-01","last":"2024-05-20","hits":37}
{"fact":"resolution","rrname":"shop.example","rrtype":"AAAA","rdata":{"address":"2620:4f:8000::10"},"first":"2024-05-20","last":"2024-05-20","hits":1}
{"fact":"web_request","url":"http://shop.example/get/a.exe?user=me","address":"192.31.196.10","referrer":"http://other.example/start","first":"2024-05-01T10:30:59Z","last":"2024-05-01T10:30:59Z","hits":60}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"url":"http://shop.example/get/a.exe?user=me","first":"2024-05-03","last":"2024-05-04","hits":5}
{"fact":"access","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"target":"domain:shop.example","first":"2024-05-05","last":"2024-05-05","hits":9}
{"fact":"file_verdict","file":{"sha1":"3395856ce81f2b7382dee72602f798b642f14140"},"zone":"Red","detection_name":"EICAR-Test-File","observed":"2024-05-31T08:09:10Z"}
{"fact":"listing","type":"MASK_TYPE_FOLDER","mask":"shop.example/get/*","category":"CATEGORY_MALWARE","last":"2024-05-31"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"shop.example","category":"CATEGORY_MALWARE","last":"2024-05-31"}
{"fact":"registration","domain":"shop.example","created":"2020-02-03","registrar":"A Registrar","name_servers":["ns1.shop.example"],"contacts":[{"contact_type":"registrant","organization":"A Shop"}]}
{"fact":"network","range":"192.31.196.0/24","asn":112,"as_name":"DNS-OARC","country":"US","name":"NET","observed":"2024-05-01"}
{"fact":"publication","id":"r-1","type":"APT","title":"On 'shops', <their> tills","published":"2024-05-10","updated":"2024-05-11","description":"In short\u0001.","tags":["retail"],"industries":["Retail"],"geography":["NL"],"actors":["Heron"],"url":"https://reports.example/1"}
{"fact":"publication","id":"r-2","type":"Crimeware","title":"A loader","published":"2024-05-20"}
{"fact":"publication","id":"r-3","type":"Industrial","title":"Pumps","published":"2024-05-20T00:00:01Z"}
{"fact":"mention","publication":"r-1","indicator":"domain:shop.example"}
{"fact":"mention","publication":"r-1","indicator":"hash:3395856ce81f2b7382dee72602f798b642f14140"}
{"fact":"mention","publication":"r-1","indicator":"url:http://shop.example/it's?a,b"}
{"fact":"mention","publication":"r-2","indicator":"ip:192.31.196.10"}
"#;

pub const URL: &str = "http://shop.example/get/a.exe?user=me";

pub fn service(program: &Program, arguments: &[&str]) -> Serving {
    program.file("facts.ndjson", FACTS.trim_start());
    program.ok(&["import", "--format", "native", "facts.ndjson"]);
    program.serve(arguments)
}

fn ok(service: &Serving, path: &str) -> Value {
    let answer = service.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

#[test]
fn open_tip_is_a_smaller_report() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (kind, object) in [
        ("domain", "shop.example"),
        ("ip", "192.31.196.10"),
        ("url", URL),
        ("hash", SHA1),
        ("ip", "10.0.0.1"),
    ] {
        let answer = service.get(&format!("/api/v1/search/{kind}?request={object}"));
        assert_eq!(answer.status, 200, "{kind}: {}", answer.body);
        assert!(answer.header("ratelimit-remaining").is_some());
        let report = answer.json();
        assert_valid(&format!("opentip.json#/$defs/{kind}"), &report);
        if object != "10.0.0.1" {
            golden(&format!("opentip-{kind}.json"), &report);
        }
    }
    let domain = ok(&service, "/api/v1/search/domain?request=shop.example");
    let info = &domain["DomainGeneralInfo"];
    // Malicious ones: of the file nobody says so by the MD5 that telemetry has, and 0 is left out.
    assert_eq!((&info["UrlsCount"], info.get("FilesCount")), (&json!(1), None));
    assert_eq!(domain["DomainWhoIsInfo"]["Created"], "2020-02-03T00:00:00Z");
    let address = ok(&service, "/api/v1/search/ip?request=10.0.0.1");
    assert_eq!((&address["IpGeneralInfo"]["Status"], &address["Zone"]), (&json!("reserved"), &json!("Grey")));
    // The connection test of clients: nothing is known of it, and it is answered.
    let test = ok(&service, "/api/v1/search/domain?request=example.com");
    let info = json!({"Domain": "example.com", "Categories": [], "CategoriesWithZone": []});
    assert_eq!(test, json!({"Zone": "Grey", "DomainGeneralInfo": info}));
    let result = service.request("POST", &format!("/api/v1/getresult/file?request={SHA1}")).json();
    assert_eq!((&result["Status"], &result["Zone"]), (&json!("complete"), &json!("Red")));
    // It counts as the other dialect does.
    assert_eq!(
        ok(&service, "/api/domain/example.com?sections=LicenseInfo")["LicenseInfo"]["DayRequests"],
        10
    );
}

#[test]
fn a_scan_answers_by_all_hashes_of_what_came_in() {
    let program = Program::new();
    let service = service(&program, &[]);
    let scan = |body: &str| service.send("POST", "/api/v1/scan/file?filename=a%20b.exe", &[], body);
    let known = scan(&EICAR.concat());
    assert_eq!(known.status, 200, "{}", known.body);
    assert_valid("opentip.json#/$defs/hash", &known.json());
    let info = &known.json()["FileGeneralInfo"];
    // What is said of its MD5 and of its SHA-1, which no fact joins.
    assert_eq!(
        (&info["Md5"], &info["Sha1"], &info["FileStatus"]),
        (&json!(MD5), &json!(SHA1), &json!("Malware"))
    );
    assert_eq!(info["HitsCount"], 14);
    let unknown = scan("hello").json();
    assert_valid("opentip.json#/$defs/hash", &unknown);
    assert_eq!((&unknown["Zone"], &unknown["FileGeneralInfo"]["Size"]), (&json!("Grey"), &json!(5)));
    assert_eq!(unknown["FileGeneralInfo"]["FileStatus"], "NotCategorized");
    assert_eq!(unknown["FileGeneralInfo"]["Md5"], "5D41402ABC4B2A76B9719D911017C592");
    assert_eq!(service.get("/api/hash/5d41402abc4b2a76b9719d911017c592").status, 404, "it is forgotten");
}

/// Sends a head and as many bytes of a body as the service takes, and reads its answer.
fn upload(service: &Serving, head: &str, chunks: usize) -> Answer {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    let head = format!(
        "POST /api/v1/scan/file?filename=x HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{head}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n", &[0_u8; 1 << 20][..], b"\r\n"].concat();
    for _ in 0..chunks {
        // It may answer before all is sent, and then close.
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[test]
fn a_body_that_is_too_large_or_broken_is_refused() {
    let program = Program::new();
    program.file("zonelens.toml", "[http]\nrequest_timeout_s = 1\n");
    let service = program.serve(&[]);
    let answer = upload(&service, "Content-Length: 268435457", 0);
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert_valid("problem.json", &answer.json());
    // Without a length it is counted as it streams.
    assert_eq!(upload(&service, "Transfer-Encoding: chunked", 257).status, 413);
    let silent = service.send("POST", "/api/v1/scan/file", &[("Transfer-Encoding", "chunked")], "");
    assert_eq!(silent.status, 408, "{}", silent.body);
    let broken = upload(&service, "Transfer-Encoding: chunked\r\n\r\nno chunk", 0);
    assert_eq!(broken.status, 400, "{}", broken.body);
}

#[test]
fn publications_are_as_their_clients_read_them() {
    let program = Program::new();
    let service = service(&program, &[]);
    for method in ["GET", "POST"] {
        let ids = |query: &str| {
            let answer = service.request(method, &format!("/api/publications/get_list{query}"));
            assert_valid("publications.json#/$defs/List", &answer.json());
            let data = &answer.json()["return_data"];
            let list = data["publications"].as_array().unwrap();
            assert_eq!(data["count"], list.len());
            list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(""), ["r-3", "r-2", "r-1"]);
        assert_eq!(ids("?date_start=1716163200&date_end=1716163200"), ["r-2"], "both included");
        assert_eq!(ids("?date_start=1716163201"), ["r-3"]);
        assert_eq!(ids("?date_end=1"), [""; 0]);
        let one = |query: &str| {
            service.request(method, &format!("/api/publications/get_one?publication_id=r-1{query}")).json()
        };
        assert_valid("publications.json#/$defs/One", &one(""));
        assert!(one("")["return_data"].get("report_iocs").is_none());
        assert!(one("&include_info=yara,pdf")["return_data"].get("report_iocs").is_none());
        let whole = one("&include_info=all");
        assert_valid("publications.json#/$defs/One", &whole);
        golden("publication.json", &whole);
        let iocs = decoded(&whole["return_data"]["report_iocs"]);
        let iocs = String::from_utf8(iocs).unwrap();
        assert!(
            iocs.contains("<short_description>On &apos;shops&apos;, &lt;their&gt; tills</short_description>"),
            "{iocs}"
        );
        assert!(iocs.contains("search=\"FileItem/Sha1sum\"") && iocs.contains(SHA1), "{iocs}");
        assert!(iocs.contains("<description>In short.</description>"), "no control characters: {iocs}");
    }
}

fn decoded(base64: &Value) -> Vec<u8> {
    STANDARD.decode(base64.as_str().unwrap()).unwrap()
}

#[test]
fn all_indicators_of_a_group_are_one_list() {
    let program = Program::new();
    let service = service(&program, &[]);
    let master = |group: &str| {
        let data = ok(&service, &format!("/api/publications/get_master_ioc{group}"));
        let mut text = String::new();
        let bytes = decoded(&data["return_data"]["master_ioc"]);
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        text
    };
    let apt = master("?report_group=apt");
    let rows: Vec<&str> = apt.lines().collect();
    assert_eq!(rows[0], "UUID,Publication,Indicator,DetectionDate,IndicatorType");
    let after_id = |row: &str| row.split_once(',').unwrap().1.to_owned();
    let rows: Vec<String> = rows[1..].iter().map(|row| after_id(row)).collect();
    // Quotes are `'`, doubled inside.
    assert_eq!(
        rows,
        [
            "r-1,shop.example,2024-05-10,networkActivity".to_owned(),
            "r-1,'shop.example/it''s?a,b',2024-05-10,networkActivity".to_owned(),
            format!("r-1,{SHA1},2024-05-10,sha1Hash"),
        ]
    );
    assert!(master("?report_group=fin").contains("r-2,192.31.196.10,2024-05-20,networkActivity"));
    assert_eq!(master("").lines().count(), 5);
    assert_eq!(master("?report_group=apt"), apt);
    let yara = ok(&service, "/api/publications/get_master_yara?report_group=all");
    let mut text = String::new();
    let bytes = decoded(&yara["return_data"]["master_yara"]);
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "", "no fact has rules");
}

#[test]
fn a_bundle_of_each_kind() {
    let program = Program::new();
    let service = service(&program, &[]);
    for (kind, object) in [("domain", "shop.example"), ("ip", "192.31.196.10"), ("url", URL), ("hash", MD5)] {
        let raw = if object.contains('?') { "&" } else { "?" };
        let path = format!("/api/{kind}/{object}{raw}format=stix");
        let answer = service.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/stix+json;version=2.1"));
        let bundle = answer.json();
        assert_valid("stix.json", &bundle);
        golden(&format!("stix-{kind}.json"), &bundle);
        references_resolve(&bundle);
        assert_eq!(service.get(&path).body, answer.body);
        // What would be wrong or would cut is ignored.
        assert_eq!(service.get(&format!("{path}&count=1&sections=Zone")).json(), bundle);
    }
    assert_eq!(service.get("/api/domain/unknown.test?format=stix").status, 404);
    let past = ok(&service, "/api/domain/example.com?format=stix&as_of=2024-05-01");
    assert_valid("stix.json", &past);
}

/// Every reference of a bundle leads to an object in it, and each object stands once.
pub fn references_resolve(bundle: &Value) {
    let objects = bundle["objects"].as_array().unwrap();
    let ids: Vec<&str> = objects.iter().map(|object| object["id"].as_str().unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(ids.iter().position(|other| other == id), Some(at), "{id} stands twice");
    }
    for object in objects {
        for (name, value) in object.as_object().unwrap() {
            let refs: Vec<&Value> = match value {
                Value::Array(list) if name.ends_with("_refs") => list.iter().collect(),
                one if name.ends_with("_ref") => vec![one],
                _ => continue,
            };
            for reference in refs {
                assert!(ids.contains(&reference.as_str().unwrap()), "{name} of {object}");
            }
        }
    }
}

#[test]
fn counts_are_rounded_where_a_site_wants_that() {
    let program = Program::new();
    program.file("zonelens.toml", "[http]\nround_counts = true\n");
    let service = service(&program, &[]);
    let domain = ok(&service, "/api/domain/shop.example");
    assert_valid("domain.json#/$defs/Whole", &domain);
    let row = &domain["DomainDnsResolutions"][0];
    assert_eq!((&row["Ip"], &row["HitsCount"]), (&json!("192.31.196.10"), &json!(10)));
    assert_eq!(
        (&domain["FilesAccessed"][0]["AccessHitsCount"], &domain["FilesDownloaded"][0]["DownloadHitsCount"]),
        (&json!(10), &json!(1))
    );
    // Addresses and quotas stay.
    assert_eq!(
        (&domain["DomainGeneralInfo"]["HitsCount"], &domain["DomainGeneralInfo"]["Ipv4Count"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(domain["LicenseInfo"]["DayQuota"], 2_147_483_647);
    let url = ok(&service, &format!("/api/url/{URL}"));
    assert_eq!(url["UrlGeneralInfo"]["HitsCount"], 100, "65");
    assert_eq!(ok(&service, &format!("/api/hash/{MD5}"))["FileGeneralInfo"]["HitsCount"], 10, "14");
    assert_eq!(ok(&service, "/api/ip/192.31.196.10")["HostedUrls"][0]["UrlHitsCount"], 100, "60");
    // In the other dialect, in a bundle, in what changed, and on the command line.
    let open = ok(&service, &format!("/api/v1/search/url?request={URL}"));
    assert_eq!(open["UrlGeneralInfo"]["HitsCount"], 100);
    let bundle = ok(&service, "/api/domain/shop.example?format=stix");
    let observed =
        bundle["objects"].as_array().unwrap().iter().filter_map(|one| one["number_observed"].as_u64());
    assert!(observed.clone().count() > 1 && observed.clone().all(|count| [1, 10, 100].contains(&count)));
    let report = program.json(&["lookup", "--format", "json", "shop.example"]);
    assert_eq!(report["DomainDnsResolutions"], domain["DomainDnsResolutions"]);
}
