//! How much may be asked: quotas to the lookup, over restarts and crashes, and rates.

use serde_json::{Value, json};

use crate::access::LOOKUP;
use crate::program::{Answer, Program, Serving};
use crate::schema::assert_valid;

const OPENTIP: &str = "/api/v1/search/domain?request=a.example";

fn ask(service: &Serving, token: &str) -> Answer {
    service.ask("GET", LOOKUP, token, "")
}

/// Lookups of today, as a report says.
fn count(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["LicenseInfo"]["DayRequests"].as_u64().unwrap()
}

fn quota_headers(answer: &Answer) -> [Option<&str>; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| answer.header(name))
}

#[test]
fn a_quota_ends_with_its_last_lookup_and_begins_anew_at_midnight() {
    let program = Program::new();
    program.user("ann", "analyst", &["--day-quota", "5"]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    for number in 1..=3 {
        let answer = ask(&service, &token);
        assert_eq!(count(&answer), number);
        let licence = &answer.json()["LicenseInfo"];
        let expected = json!({"AccessType": "Commercial", "DayRequests": number, "DayQuota": 5,
            "TokenExpirationDate": "2025-06-01T12:00Z"});
        assert_eq!(*licence, expected);
        assert_eq!(
            quota_headers(&answer),
            [Some("5"), Some((5 - number).to_string().as_str()), Some("43200")]
        );
    }
    // A wrong question and what is no lookup do not count; that nothing is known does.
    assert_eq!(service.ask("GET", "/api/domain/a..b", &token, "").status, 400);
    assert_eq!(service.ask("GET", "/api/v1/pins?indicator=a.example", &token, "").status, 200);
    let answer = service.ask("GET", "/api/domain/unknown.test", &token, "");
    assert_eq!((answer.status, answer.header("ratelimit-remaining")), (404, Some("1")));
    let me = service.ask("GET", "/api/v1/me", &token, "").json();
    assert_eq!(me["quota"], json!({"day": 5, "used": 4, "left": 1}));
    assert_eq!(count(&ask(&service, &token)), 5);
    let answer = ask(&service, &token);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("43200")));
    assert_eq!(quota_headers(&answer), [Some("5"), Some("0"), Some("43200")]);
    assert_valid("problem.json", &answer.json());
    let answer = service.ask("GET", OPENTIP, &token, "");
    assert_eq!((answer.status, answer.header("retry-after")), (403, Some("43200")), "the other dialect");
    assert_eq!(service.ask("GET", "/api/v1/me", &token, "").status, 200, "what is no lookup is not held up");
    // A restart gives nothing back; the next day does.
    drop(service);
    let service = program.serve(&[]);
    assert_eq!(ask(&service, &token).status, 429);
    let (code, _) = service.stop();
    assert_eq!(code, Some(0));
    let service = program.serve(&["--now", "2024-06-01T23:59:59Z"]);
    let answer = ask(&service, &token);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    drop(service);
    let service = program.serve(&["--now", "2024-06-02T00:00:00Z"]);
    assert_eq!(count(&ask(&service, &token)), 1);
}

#[test]
fn a_count_outlives_the_process_that_kept_it() {
    let program = Program::new();
    program.user("ann", "analyst", &[]);
    let token = program.token("ann", &[]);
    let (mut counted, mut made) = (0, 0);
    // Killed without notice (that is how a service ends that is dropped): at most a block is lost, never a lookup.
    for lookups in [1, 64, 70, 3] {
        let service = program.serve(&[]);
        for position in 0..lookups {
            let now = count(&ask(&service, &token));
            made += 1;
            assert!(now > counted && now >= made, "{now} after {counted}");
            assert!(position == 0 || now == counted + 1, "{now} after {counted}");
            assert!(now <= counted + 64 + 1, "{now} after {counted}");
            counted = now;
        }
        drop(service);
    }
    // Stopped as it should be: not one is lost.
    let service = program.serve(&[]);
    counted = count(&ask(&service, &token));
    assert_eq!(service.stop().0, Some(0));
    for _ in 0..3 {
        let service = program.serve(&[]);
        counted += 1;
        assert_eq!(count(&ask(&service, &token)), counted);
        assert_eq!(service.stop().0, Some(0));
    }
}

#[test]
fn many_at_once_get_exactly_what_is_left() {
    let program = Program::new();
    program.user("ann", "analyst", &["--day-quota", "100"]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    let counts = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let answer = ask(&service, &token);
                    match answer.status {
                        200 => counts.lock().unwrap().push(count(&answer)),
                        status => assert_eq!(status, 429),
                    }
                }
            });
        }
    });
    let mut counts = counts.into_inner().unwrap();
    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<u64>>());
}

#[test]
fn a_group_shares_its_quota_and_its_users_keep_theirs() {
    let program = Program::new();
    program.ok(&["group", "set", "soc", "--day-quota", "4"]);
    program.user("ann", "analyst", &["--group", "soc", "--day-quota", "3"]);
    program.user("bob", "analyst", &["--group", "soc"]);
    let (ann, bob) = (program.token("ann", &[]), program.token("bob", &[]));
    let service = program.serve(&[]);
    let quota = |answer: &Answer| {
        let licence: &Value = &answer.json()["LicenseInfo"];
        (licence["DayRequests"].as_u64().unwrap(), licence["DayQuota"].as_u64().unwrap())
    };
    // Shown is the one of which less is left.
    assert_eq!(quota(&ask(&service, &ann)), (1, 3));
    assert_eq!(quota(&ask(&service, &bob)), (2, 4));
    assert_eq!(quota(&ask(&service, &bob)), (3, 4));
    assert_eq!(quota(&ask(&service, &ann)), (4, 4));
    assert_eq!((ask(&service, &ann).status, ask(&service, &bob).status), (429, 429));
    // What the group refused does not count for the user.
    program.ok(&["group", "set", "soc", "--day-quota", "10"]);
    crate::program::until(|| ask(&service, &ann).status == 200);
    assert_eq!(ask(&service, &ann).status, 429, "her own");
    assert_eq!(ask(&service, &bob).status, 200);
}

#[test]
fn each_of_many_values_counts_or_none() {
    let program = Program::new();
    program.user("ann", "analyst", &["--day-quota", "5"]);
    let token = program.token("ann", &[]);
    let service = program.serve(&[]);
    let many = |values: usize| {
        let values: Vec<String> = (0..values).map(|number| format!("name{number}.example")).collect();
        service.ask("POST", "/api/v1/lookup", &token, &json!(values).to_string())
    };
    assert_eq!(quota_headers(&many(3)), [Some("5"), Some("2"), Some("43200")]);
    let answer = many(3);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("43200")));
    assert_valid("problem.json", &answer.json());
    let me = || service.ask("GET", "/api/v1/me", &token, "").json()["quota"]["left"].clone();
    assert_eq!(me(), 2, "not one of the three");
    let rate = service.ask("GET", "/dnsdb/v2/rate_limit", &token, "").json();
    assert_eq!(rate["rate"], json!({"reset": 1_717_286_400, "limit": 5, "remaining": 2}));
    assert_eq!(quota_headers(&many(2)), [Some("5"), Some("0"), Some("43200")]);
    assert_eq!(service.ask("POST", "/api/v1/lookup", &token, "[").status, 429);
    // Each value stands in the audit.
    assert_eq!(service.stop().0, Some(0));
    let out = program.ok(&["audit", "--action", "lookup", "--format", "ndjson"]).out;
    assert_eq!(out.lines().filter(|line| line.contains("\"object\":\"name1.example\"")).count(), 2, "{out}");
}

#[test]
fn too_many_requests_a_second_wait() {
    let program = Program::new();
    program.user("ann", "analyst", &["--per-second", "0.01", "--burst", "2"]);
    program.ok(&["group", "set", "soc", "--per-second", "0.02"]);
    program.user("bob", "analyst", &["--group", "soc"]);
    let (ann, bob) = (program.token("ann", &[]), program.token("bob", &[]));
    let service = program.serve(&[]);
    let statuses: Vec<u16> = (0..3).map(|_| ask(&service, &ann).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let answer = ask(&service, &ann);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((90..=100).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit-remaining"), Some("2147483645"), "it was not counted");
    assert_eq!(service.ask("GET", OPENTIP, &ann, "").status, 403);
    assert_eq!((ask(&service, &bob).status, ask(&service, &bob).status), (200, 429));
}
