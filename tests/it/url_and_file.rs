//! Reports on URLs and files: what they gather, when one is known, and that a file is one under all its hashes.

use serde_json::{Value, json};
use zonelens::lookup::{LookupError, Request};

use crate::report::{check, golden};
use crate::world::World;

const MD5: &str = "44D88612FEA8A8F36DE82E1278ABB02F";
const SHA1: &str = "3395856CE81F2B7382DEE72602F798B642F14140";
const SHA256: &str = "275A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F";

const TELEMETRY: &str = r#"
{"fact":"resolution","rrname":"shop.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-01","last":"2024-05-20","hits":3}
{"fact":"web_request","url":"http://www.shop.example/get/a.exe?user=me&v=2","address":"192.31.196.10","referrer":"http://other.example/start","first":"2024-05-01T10:30:00Z","last":"2024-05-01T10:30:00Z","hits":2}
{"fact":"web_request","url":"http://next.example/","referrer":"http://shop.example/get/a.exe?user=me&v=2","first":"2024-05-02","last":"2024-05-02","hits":1}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f","sha1":"3395856ce81f2b7382dee72602f798b642f14140"},"url":"http://shop.example/get/a.exe?user=me&v=2","first":"2024-05-03","last":"2024-05-04","hits":5}
{"fact":"access","file":{"sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},"target":"url:http://shop.example/get/a.exe?user=me&v=2","first":"2024-05-05","last":"2024-05-05","hits":1}
{"fact":"download","file":{"sha1":"3395856ce81f2b7382dee72602f798b642f14140"},"address":"192.31.196.10","first":"2024-05-06","last":"2024-05-06","hits":2}
"#;

const SAID: &str = r#"
{"fact":"file_verdict","file":{"sha1":"3395856ce81f2b7382dee72602f798b642f14140","sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},"zone":"Red","detection_name":"EICAR-Test-File","names":["a.exe"],"size":68,"observed":"2024-05-20"}
{"fact":"listing","file":{"sha256":"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},"category":"CATEGORY_MALWARE","first":"2024-05-30","last":"2024-05-31"}
{"fact":"listing","type":"MASK_TYPE_FOLDER","mask":"shop.example/get/*","category":"CATEGORY_MALWARE","last":"2024-05-31","reference":"https://report.example/2"}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"shop.example","port":8080,"category":"CATEGORY_BOTNET_CNC","last":"2024-05-31"}
{"fact":"publication","id":"r-1","type":"APT","title":"On shops","published":"2024-05-10","industries":["Retail"]}
{"fact":"mention","publication":"r-1","indicator":"hash:3395856ce81f2b7382dee72602f798b642f14140"}
"#;

const URL: &str = "http://shop.example/get/a.exe?user=me&v=2";

fn world() -> World {
    let mut world = World::new();
    world.feed("telemetry", TELEMETRY);
    world.feed("said", SAID);
    world
}

fn is_unknown(world: &World, object: &str) -> bool {
    matches!(world.ask(object, &Request::default()), Err(LookupError::Unknown(_)))
}

#[test]
fn a_url_with_what_was_seen_of_it() {
    let world = world();
    let report = world.report(URL);
    check("url", &report);
    golden("url.json", &report);
    let info = &report["UrlGeneralInfo"];
    assert_eq!(
        (&info["Url"], &info["Host"]),
        (&json!("shop.example/get/a.exe?user=&v=2"), &json!("shop.example"))
    );
    assert_eq!(
        (&info["HitsCount"], &info["Ipv4Count"], &info["FilesCount"]),
        (&json!(9), &json!(1), &json!(1))
    );
    assert_eq!(report["FilesDownloaded"][0]["Md5"], MD5);
    assert_eq!(report["FilesAccessed"][0]["Md5"], MD5, "known by its SHA-256 alone there");
    assert_eq!(report["UrlReferrals"][0]["Url"], "other.example/start");
    assert_eq!(report["UrlReferredTo"][0]["Url"], "next.example");
    assert_eq!(report["Verdict"]["Evidence"][1]["Reference"], "https://report.example/2");
    let masks = |report: &Value| -> Vec<String> {
        let rows = report["FeedMasks"].as_array().unwrap();
        rows.iter().map(|row| row["NormalizedMask"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(masks(&report), ["shop.example/get/*", "shop.example:8080"]);
    // Another explicit port is not the one that is listed.
    let other = world.report("http://shop.example:81/get/a.exe?user=me&v=2");
    assert_eq!(masks(&other), ["shop.example/get/*"]);
    // `www.` and the bare name are one host, and schemes are no part of a URL.
    let www = world.report("https://www.shop.example/get/a.exe?user=me&v=2");
    assert_eq!(www, report);
}

#[test]
fn a_url_is_known_by_itself_or_by_a_mask_that_covers_it() {
    let world = world();
    for known in
        ["shop.example/get/else", "shop.example:8080/", "other.example/start", "http://next.example/"]
    {
        assert!(!is_unknown(&world, known), "{known}");
        check("url", &world.report(known));
    }
    assert!(!is_unknown(&world, "http://example.com/"), "the connection test of clients");
    for unknown in
        ["shop.example:81/cart", "other.example/else", "nobody.example/", "192.31.196.10/", "10.0.0.1/x"]
    {
        assert!(is_unknown(&world, unknown), "{unknown}");
    }
    let Err(LookupError::Unknown(asked)) = world.ask("a.shop.example/x", &Request::default()) else {
        panic!()
    };
    assert!(asked.to_string().contains("its registrable domain shop.example is known"), "{asked}");
}

#[test]
fn a_file_is_one_under_all_its_hashes() {
    let world = world();
    let report = world.report(SHA1);
    check("hash", &report);
    golden("hash.json", &report);
    let info = &report["FileGeneralInfo"];
    assert_eq!(
        (&info["Md5"], &info["Sha1"], &info["Sha256"]),
        (&json!(MD5), &json!(SHA1), &json!(SHA256)),
        "joined through the download and the verdict"
    );
    assert_eq!((&info["FileStatus"], &info["HitsCount"]), (&json!("Malware"), &json!(8)));
    assert_eq!(report["FileDownloadedFromUrls"].as_array().unwrap().len(), 2);
    assert_eq!(report["FileDownloadedFromUrls"][1]["Url"], "192.31.196.10", "where no URL is known");
    assert_eq!(report["FileAccessedUrls"][0]["Url"], "shop.example/get/a.exe?user=&v=2");
    assert_eq!(report["DataFeeds"], json!(["said"]));
    assert_eq!(info["RelatedAptReports"][0]["Id"], "r-1");
    for same in [MD5, SHA256] {
        assert_eq!(world.report(same), report, "{same}");
    }
    // A row shows the zone that the file's own report has.
    assert_eq!(world.report("shop.example")["FilesDownloaded"][0]["Zone"], report["Zone"]);
    assert!(is_unknown(&world, &"0".repeat(32)));
}

#[test]
fn files_of_each_status() {
    let mut world = World::new();
    let hash = |digit: &str| digit.repeat(32);
    let said = |digit: &str, zone: &str| {
        let (hash, zone) = (hash(digit), json!(zone));
        format!(
            "{{\"fact\":\"file_verdict\",\"file\":{{\"md5\":\"{hash}\"}},\"zone\":{zone},\"observed\":\"2024-05-31\"}}\n"
        )
    };
    world.feed("lab", &[said("a", "Red"), said("b", "Yellow"), said("c", "Green")].concat());
    world.feed(
        "known",
        &format!("{{\"fact\":\"benign\",\"file\":{{\"md5\":\"{}\"}},\"action\":\"suppress\"}}", hash("d")),
    );
    world.feed(
        "lab2",
        &format!("{{\"fact\":\"file_verdict\",\"file\":{{\"md5\":\"{}\"}},\"size\":7}}", hash("e")),
    );
    world.feed(
        "sha",
        &format!(
            "{{\"fact\":\"file_verdict\",\"file\":{{\"sha1\":\"{}\"}},\"zone\":\"Red\"}}",
            "f".repeat(40)
        ),
    );
    for (digit, status, zone) in [
        ("a", "Malware", "Red"),
        ("b", "Adware", "Yellow"),
        ("c", "NoThreats", "Green"),
        ("d", "Clean", "Green"),
        ("e", "NotCategorized", "Grey"),
    ] {
        let report = world.report(&hash(digit));
        check("hash", &report);
        assert_eq!(
            (&report["FileGeneralInfo"]["FileStatus"], &report["Zone"]),
            (&json!(status), &json!(zone))
        );
    }
    let report = world.report(&"f".repeat(40));
    check("hash", &report);
    assert_eq!(report["FileGeneralInfo"]["Md5"], "", "the one text that is never null");
}

#[test]
fn of_two_files_that_share_an_md5_each_keeps_its_own_sha256() {
    let mut world = World::new();
    let both = |sha: &str, zone: &str, day: u8| {
        format!(
            "{{\"fact\":\"file_verdict\",\"file\":{{\"md5\":\"{}\",\"sha256\":\"{}\"}},\"zone\":\"{zone}\",\"observed\":\"2024-05-{day}\"}}\n",
            "a".repeat(32),
            sha.repeat(64)
        )
    };
    world.feed("lab", &(both("1", "Red", 30) + &both("2", "Green", 31)));
    let (one, two) = (world.report(&"1".repeat(64)), world.report(&"2".repeat(64)));
    assert_eq!(one["FileGeneralInfo"]["Sha256"], "1".repeat(64));
    assert_eq!(two["FileGeneralInfo"]["Sha256"], "2".repeat(64));
    // What is said of the MD5 is said of both.
    assert_eq!((&one["Zone"], &two["Zone"]), (&json!("Red"), &json!("Red")));
}
