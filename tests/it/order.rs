//! What no schema can say of a report on a domain or an address: in which order its rows stand, and that
//! its sections agree with each other.
//!
//! Written from the contract and on plain JSON, without any code of the program, so that a mistake there
//! cannot hide here. Both checkers take a report in the TIP dialect with any choice of sections, check
//! what is there, and name the first thing that is wrong. Neither is for answers under
//! `round_counts = true`: rounded counts neither sort nor add up.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

/// Zones in the order that rows stand in.
const ZONES: [&str; 5] = ["Red", "Orange", "Yellow", "Grey", "Green"];

/// Each zone with the scores that it can have.
const SCORES: [(&str, u64, u64); 5] =
    [("Red", 75, 100), ("Orange", 50, 74), ("Yellow", 1, 49), ("Grey", 0, 49), ("Green", 0, 0)];

/// The row sections of both kinds of report, each with its own hits field.
const ROW_SECTIONS: [(&str, Option<&str>); 12] = [
    ("FilesAccessed", Some("AccessedHitsCount")),
    ("FilesDownloaded", Some("DownloadedHitsCount")),
    ("Subdomains", None),
    ("UrlReferrals", None),
    ("UrlReferredTo", None),
    ("DomainDnsResolutions", Some("HitsCount")),
    ("FeedMasks", None),
    ("FilesDownloadedFromIp", Some("DownloadHitsCount")),
    ("HostedUrls", Some("UrlHitsCount")),
    ("IpDnsResolutions", Some("HitsCount")),
    ("FileDownloadedFromUrls", Some("DownloadHitsCount")),
    ("FileAccessedUrls", Some("AccessHitsCount")),
];

/// The names that break ties, in this order; `Ip` comes after them.
const NAMES: [&str; 5] = ["Md5", "Url", "Subdomain", "Domain", "NormalizedMask"];

/// What no two rows of a section have in common.
const UNIQUE: [(&str, &[&str]); 15] = [
    ("FilesAccessed", &["Md5"]),
    ("FilesDownloaded", &["Md5"]),
    ("Subdomains", &["Subdomain"]),
    ("UrlReferrals", &["Url"]),
    ("UrlReferredTo", &["Url"]),
    ("DomainDnsResolutions", &["Ip"]),
    ("FeedMasks", &["Zone", "NormalizedMask", "MaskType"]),
    ("hostSimilarDomains", &["domain"]),
    ("FilesDownloadedFromIp", &["Md5", "Url"]),
    ("HostedUrls", &["Url"]),
    ("IpDnsResolutions", &["Domain"]),
    ("DetectionsInfo", &["DetectionName", "DetectionMethod"]),
    ("FileNames", &["FileName"]),
    ("FileDownloadedFromUrls", &["Url"]),
    ("FileAccessedUrls", &["Url"]),
];

/// The lists that `HasRedZone` of a domain report, of an IP report and of a file report is about; that of a URL
/// report is about those of a domain but `Subdomains`.
const RELATED: [&[&str]; 3] = [
    &[
        "FilesAccessed",
        "FilesDownloaded",
        "Subdomains",
        "UrlReferrals",
        "UrlReferredTo",
        "DomainDnsResolutions",
    ],
    &["FilesDownloadedFromIp", "HostedUrls", "IpDnsResolutions"],
    &["FileDownloadedFromUrls", "FileAccessedUrls"],
];

/// Pairs of fields that always have the same value.
const TWINS: [(&str, &str, &str); 3] = [
    ("FilesAccessed", "AccessedHitsCount", "AccessHitsCount"),
    ("FilesDownloaded", "DownloadedHitsCount", "DownloadHitsCount"),
    ("FeedMasks", "Type", "MaskType"),
];

/// Categories that are not Grey, by zone; every other one is.
const CATEGORIES: [(&str, &str); 3] = [
    ("Red", "MALWARE PHISHING BOTNET_CNC SPAM SCAM RANSOMWARE EXPLOIT CRYPTOJACKING APT"),
    ("Orange", "COMPROMISED SUSPICIOUS TOR_EXIT_NODE PROXY"),
    ("Yellow", "ADWARE TRACKER PORNWARE OTHER"),
];

/// The numbers that need not be whole.
const FRACTIONS: [&str; 9] = [
    "spam_ratio",
    "Weight",
    "SourceConfidence",
    "Age",
    "Lifetime",
    "Speed",
    "Decay",
    "Factor",
    "Contribution",
];

/// Most rows of a section.
const ROWS_MAX: usize = 1000;

/// Up to here a part is never shown as more than its whole: counts are exact up to 10,000, and an estimate of
/// more is off by 2 % at most.
const CERTAIN_MAX: u64 = 9800;

//------------ Order ---------------------------------------------------------

/// Whether the rows of every section, and the lists with an order of their own, stand in the order of the
/// contract.
///
/// # Errors
///
/// The first pair that stands the wrong way round, or the first value that cannot be read.
pub fn check_order(report: &Value) -> Result<(), String> {
    check_file_lists(report)?;
    for (section, hits) in ROW_SECTIONS {
        let keys: Vec<Key> = rows(report, section)
            .iter()
            .enumerate()
            .map(|(index, row)| key(row, hits).map_err(|error| format!("{section}[{index}]: {error}")))
            .collect::<Result<_, _>>()?;
        ascending(section, &keys)?;
    }
    check_similar_order(report)?;
    for section in ["DomainGeneralInfo", "IpGeneralInfo", "UrlGeneralInfo", "FileGeneralInfo"] {
        let Some(info) = report.get(section) else { continue };
        let keys: Vec<_> = rows(info, "CategoriesWithZone")
            .iter()
            .map(|category| Ok((zone_rank(text(category, "Zone")?)?, text(category, "Name")?)))
            .collect::<Result<_, String>>()?;
        ascending(&format!("{section}.CategoriesWithZone"), &keys)?;
    }
    for (index, row) in rows(report, "IpDnsResolutions").iter().enumerate() {
        let names: Vec<&str> = rows(row, "Categories").iter().filter_map(Value::as_str).collect();
        let keys: Vec<_> = names.iter().map(|name| (category_rank(name), name)).collect();
        ascending(&format!("IpDnsResolutions[{index}].Categories"), &keys)?;
    }
    let feeds: Vec<&str> = rows(report, "DataFeeds").iter().filter_map(Value::as_str).collect();
    ascending("DataFeeds", &feeds)?;
    let evidence = report.get("Verdict").map_or(&[][..], |verdict| rows(verdict, "Evidence"));
    let contributions: Vec<f64> =
        evidence.iter().filter_map(|row| row.get("Contribution")?.as_f64()).collect();
    match contributions.windows(2).position(|pair| matches!(pair, [one, next] if one < next)) {
        Some(index) => Err(format!("Verdict.Evidence[{}] is larger than the one before it", index + 1)),
        None => Ok(()),
    }
}

/// Zone, hits, time, names, address: what rows are sorted by, the first difference decides. Times are
/// those that are shown, and as text they sort as times.
type Key<'a> = (usize, Reverse<u64>, Reverse<&'a str>, Vec<&'a str>, Option<IpAddr>);

fn key<'a>(row: &'a Value, hits: Option<&str>) -> Result<Key<'a>, String> {
    let zone = zone_rank(text(row, "Zone")?)?;
    let hits = hits.map_or(Ok(0), |hits| count(row, hits))?;
    let time = match (row.get("LastSeen"), row.get("FirstSeen")) {
        (Some(_), _) => text(row, "LastSeen")?,
        (None, Some(_)) => text(row, "FirstSeen")?,
        (None, None) => "",
    };
    let names = NAMES.iter().filter(|name| row.get(name).is_some());
    let names = names.map(|name| text(row, name)).collect::<Result<_, _>>()?;
    let address = match row.get("Ip") {
        Some(_) => {
            let ip = text(row, "Ip")?;
            Some(ip.parse().map_err(|_| format!("{ip:?} is no address"))?)
        }
        None => None,
    };
    Ok((zone, Reverse(hits), Reverse(time), names, address))
}

/// Detections by zone, then the last; file names by hits, then by name: lists whose rows have no zone or time of their
/// own.
fn check_file_lists(report: &Value) -> Result<(), String> {
    let detections = rows(report, "DetectionsInfo").iter().map(|row| {
        Ok((
            zone_rank(text(row, "Zone")?)?,
            Reverse(text(row, "LastDetectDate")?),
            text(row, "DetectionName")?,
        ))
    });
    ascending("DetectionsInfo", &detections.collect::<Result<Vec<_>, String>>()?)?;
    let names = rows(report, "FileNames")
        .iter()
        .map(|row| Ok((Reverse(count(row, "FileNamesHitsCount")?), text(row, "FileName")?)));
    ascending("FileNames", &names.collect::<Result<Vec<_>, String>>()?)
}

/// Nearest first, then by name, where the names of the same owner, which no field shows, follow the
/// others: so at one distance the names may start anew once.
fn check_similar_order(report: &Value) -> Result<(), String> {
    let section = "hostSimilarDomains";
    let mut started_anew = false;
    for (index, pair) in rows(report, section).windows(2).enumerate() {
        let [one, next] = pair else { continue };
        let distances = (count(one, "distance")?, count(next, "distance")?);
        if distances.0 > distances.1 {
            return Err(format!("{section}[{}] is nearer than the one before it", index + 1));
        }
        if distances.0 < distances.1 {
            started_anew = false;
        } else if text(one, "domain")? > text(next, "domain")? {
            if started_anew {
                return Err(format!("{section}[{}] sorts before the one before it", index + 1));
            }
            started_anew = true;
        }
    }
    Ok(())
}

fn ascending<K: PartialOrd + std::fmt::Debug>(list: &str, keys: &[K]) -> Result<(), String> {
    for (index, pair) in keys.windows(2).enumerate() {
        if let [one, next] = pair
            && one > next
        {
            return Err(format!(
                "{list}[{}] sorts before the one before it: {next:?} after {one:?}",
                index + 1
            ));
        }
    }
    Ok(())
}

//------------ Consistency ---------------------------------------------------

/// Whether the sections of a report agree with each other and the fields of a row among themselves.
///
/// # Errors
///
/// The first contradiction, or the first value that cannot be read.
pub fn check_consistency(report: &Value) -> Result<(), String> {
    check_consistency_of(report, ROWS_MAX)
}

/// [`check_consistency`] of an answer to a request with `count`: a section of so many rows may have been cut.
///
/// # Errors
///
/// As there.
pub fn check_consistency_of(report: &Value, count: usize) -> Result<(), String> {
    check_red_zone(report)?;
    check_data_feeds(report, count)?;
    check_twins(report)?;
    check_unique(report)?;
    check_scores(report)?;
    check_categories(report)?;
    check_counts(report)?;
    check_peaks(report)?;
    check_everywhere(report, "")
}

/// `HasRedZone` is true when a row is Red; and, as Red rows stand first and so are never cut, only then.
fn check_red_zone(report: &Value) -> Result<(), String> {
    let Some(related) = report.get("RelatedObjects") else { return Ok(()) };
    let has_red_zone = related
        .get("HasRedZone")
        .and_then(Value::as_bool)
        .ok_or("RelatedObjects.HasRedZone is no boolean")?;
    let is_red = |section: &&str| {
        rows(report, section).iter().any(|row| row.get("Zone").and_then(Value::as_str) == Some("Red"))
    };
    let red = RELATED.into_iter().flatten().find(|section| is_red(section));
    let of_url = report.get("UrlGeneralInfo").is_some();
    let is_shown = |section: &&str| report.get(section).is_some() || (of_url && *section == "Subdomains");
    let all_shown = RELATED.iter().any(|sections| sections.iter().all(is_shown));
    match red {
        Some(section) if !has_red_zone => Err(format!("HasRedZone is false, but a row of {section} is Red")),
        None if has_red_zone && all_shown => Err("HasRedZone is true, but no row is Red".to_owned()),
        _ => Ok(()),
    }
}

/// `DataFeeds` is the union of the feeds' names over all masks, also over those that were cut.
fn check_data_feeds(report: &Value, count: usize) -> Result<(), String> {
    let Some(masks) = report.get("FeedMasks").and_then(Value::as_array) else { return Ok(()) };
    let union: BTreeSet<&str> =
        masks.iter().flat_map(|mask| rows(mask, "FeedNames")).filter_map(Value::as_str).collect();
    let Some(feeds) = report.get("DataFeeds") else {
        // Left out: because there are none, or because it was not asked for.
        let all_asked =
            ["RelatedObjects", "Industries", "Verdict"].iter().all(|name| report.get(name).is_some());
        return match union.first() {
            Some(name) if all_asked => Err(format!("DataFeeds is missing, but a mask is of {name:?}")),
            _ => Ok(()),
        };
    };
    let feeds = feeds.as_array().ok_or("DataFeeds is no list")?;
    let feeds: BTreeSet<&str> = feeds.iter().filter_map(Value::as_str).collect();
    if let Some(name) = union.difference(&feeds).next() {
        return Err(format!("DataFeeds lacks {name:?}, which a mask names"));
    }
    match feeds.difference(&union).next() {
        Some(name) if masks.len() < count => Err(format!("DataFeeds has {name:?}, which no mask names")),
        _ => Ok(()),
    }
}

fn check_twins(report: &Value) -> Result<(), String> {
    for (section, one, other) in TWINS {
        for (index, row) in rows(report, section).iter().enumerate() {
            // The masks of an IP report have no `Type`.
            if row.get(one).is_some_and(|value| row.get(other) != Some(value)) {
                return Err(format!("{section}[{index}]: {one} and {other} differ"));
            }
        }
    }
    Ok(())
}

fn check_unique(report: &Value) -> Result<(), String> {
    for (section, fields) in UNIQUE {
        let mut seen = BTreeSet::new();
        for (index, row) in rows(report, section).iter().enumerate() {
            // A detection may be by no known method.
            let value = |field: &&str| match row.get(field) {
                Some(Value::Null) => Ok(""),
                _ => text(row, field),
            };
            let object: Vec<&str> = fields.iter().map(value).collect::<Result<_, _>>()?;
            if !seen.insert(object) {
                return Err(format!("{section}[{index}] is a second row of the same object"));
            }
        }
    }
    Ok(())
}

/// A score lies in the range of its zone, and the report, its overview and its verdict say the same.
fn check_scores(report: &Value) -> Result<(), String> {
    let info = report.get("DomainGeneralInfo").or_else(|| report.get("IpGeneralInfo"));
    let verdict = report.get("Verdict");
    let zones = [report.get("Zone"), verdict.and_then(|verdict| verdict.get("Zone"))];
    if let [Some(zone), Some(derived)] = zones
        && zone != derived
    {
        return Err(format!("Zone is {zone}, but Verdict.Zone is {derived}"));
    }
    // Null for a reserved address, whose zone is Grey without a score.
    let shown = info.and_then(|info| info.get("ThreatScore")).filter(|score| !score.is_null());
    let scores = [shown, verdict.and_then(|verdict| verdict.get("ThreatScore"))];
    if let [Some(score), Some(derived)] = scores
        && score != derived
    {
        return Err(format!("ThreatScore is {score}, but Verdict.ThreatScore is {derived}"));
    }
    let zone = zones.into_iter().flatten().next();
    let score = scores.into_iter().flatten().next();
    if let (Some(zone), Some(score)) = (zone, score) {
        // A file is never Orange: what would be is Yellow.
        let is_high =
            report.get("FileGeneralInfo").is_some() && zone == "Yellow" && score.as_u64() >= Some(50);
        let orange = Value::from("Orange");
        check_score(if is_high { &orange } else { zone }, score)
            .map_err(|error| format!("the report: {error}"))?;
    }
    for (index, row) in rows(report, "DomainDnsResolutions").iter().enumerate() {
        let value =
            |name: &str| row.get(name).ok_or_else(|| format!("DomainDnsResolutions[{index}] has no {name}"));
        check_score(value("Zone")?, value("ThreatScore")?)
            .map_err(|error| format!("DomainDnsResolutions[{index}]: {error}"))?;
    }
    Ok(())
}

fn check_score(zone: &Value, score: &Value) -> Result<(), String> {
    let range = SCORES.iter().find(|(name, _, _)| Some(*name) == zone.as_str());
    match (range, score.as_u64()) {
        (Some((_, least, most)), Some(score)) if (*least..=*most).contains(&score) => Ok(()),
        _ => Err(format!("the score {score} does not fit the zone {zone}")),
    }
}

/// The two lists of categories are one, and `HasApt` is what they and the reports say.
fn check_categories(report: &Value) -> Result<(), String> {
    for section in ["DomainGeneralInfo", "IpGeneralInfo", "UrlGeneralInfo", "FileGeneralInfo"] {
        let Some(info) = report.get(section) else { continue };
        let names: Vec<_> = rows(info, "Categories").iter().map(Some).collect();
        let with_zone: Vec<_> = rows(info, "CategoriesWithZone").iter().map(|row| row.get("Name")).collect();
        if names != with_zone {
            return Err(format!("{section}: Categories and CategoriesWithZone differ"));
        }
        let is = |value: Option<&Value>, word: &str| value.and_then(Value::as_str) == Some(word);
        let apt = rows(info, "RelatedAptReports").iter().any(|row| is(row.get("Type"), "APT"))
            || names.iter().any(|name| is(*name, "CATEGORY_APT"));
        if info.get("HasApt").and_then(Value::as_bool) != Some(apt) {
            return Err(format!("{section}: HasApt is not {apt}, as its reports and categories are"));
        }
    }
    Ok(())
}

/// The counts of a domain's overview are not less than what the report shows.
fn check_counts(report: &Value) -> Result<(), String> {
    let Some(info) = report.get("DomainGeneralInfo") else { return Ok(()) };
    let least = |name: &str, shown: usize, what: &str| match count(info, name)? {
        counted if counted < shown as u64 => {
            Err(format!("{name} is {counted}, but {shown} {what} are shown"))
        }
        _ => Ok(()),
    };
    let files = || rows(report, "FilesAccessed").iter().chain(rows(report, "FilesDownloaded"));
    let distinct = |zone: Option<&str>| {
        let of_zone = |row: &&Value| zone.is_none() || row.get("Zone").and_then(Value::as_str) == zone;
        files().filter(of_zone).filter_map(|row| row.get("Md5")?.as_str()).collect::<BTreeSet<_>>().len()
    };
    least("FilesCount", distinct(None), "files")?;
    least("MaliciousFilesCount", distinct(Some("Red")), "Red files")?;
    // A reserved address relates nothing, so it need not be counted.
    let addresses = rows(report, "DomainDnsResolutions").iter();
    let addresses = addresses.filter(|row| row.get("Status").and_then(Value::as_str) != Some("Reserved"));
    let addresses: Vec<&str> = addresses.filter_map(|row| row.get("Ip")?.as_str()).collect();
    least("HitsCount", addresses.len(), "addresses")?;
    least("Ipv4Count", addresses.iter().filter(|ip| !ip.contains(':')).count(), "IPv4 addresses")?;
    for (part, whole) in [
        ("MaliciousFilesCount", "FilesCount"),
        ("MaliciousUrlsCount", "UrlsCount"),
        ("Ipv4Count", "HitsCount"),
    ] {
        let counts = (count(info, part)?, count(info, whole)?);
        if counts.0 > counts.1 && counts.0 <= CERTAIN_MAX {
            return Err(format!("{part} is {}, but {whole} only {}", counts.0, counts.1));
        }
    }
    Ok(())
}

/// The greatest day has no more hits than all days, and is one of them.
fn check_peaks(report: &Value) -> Result<(), String> {
    for section in ["DomainDnsResolutions", "IpDnsResolutions"] {
        for (index, row) in rows(report, section).iter().enumerate() {
            if count(row, "DailyPeak")? > count(row, "HitsCount")? {
                return Err(format!("{section}[{index}]: DailyPeak is greater than HitsCount"));
            }
            let day = |name: &str| text(row, name).map(|time| time.split('T').next().unwrap_or(time));
            let peak = day("PeakDate")?;
            if peak < day("FirstSeen")? || peak > day("LastSeen")? {
                return Err(format!("{section}[{index}]: PeakDate is not between FirstSeen and LastSeen"));
            }
        }
    }
    Ok(())
}

/// Wherever they stand: `LastSeen` is not before `FirstSeen`, and counts are integers (a schema takes `1.0`
/// for one, clients do not).
fn check_everywhere(value: &Value, path: &str) -> Result<(), String> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_everywhere(item, &format!("{path}[{index}]"))),
        Value::Object(fields) => {
            let time = |name: &str| fields.get(name).and_then(Value::as_str);
            if let (Some(first), Some(last)) = (time("FirstSeen"), time("LastSeen"))
                && last < first
            {
                return Err(format!("{path}: LastSeen {last} is before FirstSeen {first}"));
            }
            for (name, field) in fields {
                if field.is_f64() && !FRACTIONS.contains(&name.as_str()) {
                    return Err(format!("{path}.{name} is {field}, not an integer"));
                }
                check_everywhere(field, &format!("{path}.{name}"))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

//------------ Reading -------------------------------------------------------

/// A list, empty where there is none.
fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Value, name: &str) -> Result<&'a str, String> {
    row.get(name).and_then(Value::as_str).ok_or_else(|| format!("{name} is no text in {row}"))
}

fn count(row: &Value, name: &str) -> Result<u64, String> {
    row.get(name).and_then(Value::as_u64).ok_or_else(|| format!("{name} is no count in {row}"))
}

fn zone_rank(zone: &str) -> Result<usize, String> {
    ZONES.iter().position(|name| *name == zone).ok_or_else(|| format!("{zone:?} is no zone"))
}

fn category_rank(name: &str) -> usize {
    let name = name.trim_start_matches("CATEGORY_");
    let listed = |(_, names): &(&str, &str)| names.split(' ').any(|listed| listed == name);
    CATEGORIES.iter().position(listed).unwrap_or(CATEGORIES.len())
}

//============ Tests =========================================================

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EARLY: &str = "2024-05-01T10:00Z";
    const LATE: &str = "2024-05-28T07:03Z";

    fn file(zone: &str, hits: u64, last: &str, md5: &str) -> Value {
        json!({"Zone": zone, "AccessedHitsCount": hits, "AccessHitsCount": hits, "Md5": md5, "LastSeen": last,
               "FirstSeen": EARLY, "DetectionName": null})
    }

    fn address(zone: &str, score: u64, hits: u64, ip: &str) -> Value {
        json!({"Zone": zone, "Ip": ip, "CountryCode": null, "Status": "Known", "HitsCount": hits,
               "FirstSeen": EARLY, "LastSeen": LATE, "DailyPeak": 1, "PeakDate": "2024-05-01T00:00Z",
               "PeakIsEstimate": false, "ThreatScore": score, "Via": []})
    }

    fn domain() -> Value {
        json!({
            "Zone": "Orange",
            "RelatedObjects": {"HasRedZone": true},
            "DomainGeneralInfo": {
                "FilesCount": 2, "UrlsCount": 3, "HitsCount": 2, "Domain": "example.com", "Ipv4Count": 1,
                "Categories": ["CATEGORY_APT", "CATEGORY_PROXY", "CATEGORY_BANKS"],
                "CategoriesWithZone": [{"Name": "CATEGORY_APT", "Zone": "Red"},
                    {"Name": "CATEGORY_PROXY", "Zone": "Orange"}, {"Name": "CATEGORY_BANKS", "Zone": "Grey"}],
                "HasApt": true, "RelatedAptReports": [], "MaliciousFilesCount": 1, "MaliciousUrlsCount": 0,
                "ThreatScore": 60, "FirstSeen": EARLY, "LastSeen": LATE,
            },
            "FilesAccessed": [file("Red", 1, EARLY, "AA"), file("Grey", 5, EARLY, "BB")],
            "FilesDownloaded": [],
            "Subdomains": [],
            "UrlReferrals": [],
            "UrlReferredTo": [],
            "DomainDnsResolutions": [
                address("Orange", 50, 3, "1.2.3.4"), address("Grey", 49, 9, "2001:db8::1")],
            "FeedMasks": [
                {"Zone": "Red", "NormalizedMask": "*.example.com", "FeedNames": ["b", "a"],
                 "Type": "MASK_TYPE_DOMAIN", "MaskType": "MASK_TYPE_DOMAIN"},
                {"Zone": "Orange", "NormalizedMask": "*.example.com", "FeedNames": ["c"],
                 "Type": "MASK_TYPE_DOMAIN", "MaskType": "MASK_TYPE_DOMAIN"}],
            "DataFeeds": ["a", "b", "c"],
            "Industries": [],
            "Verdict": {"Zone": "Orange", "ThreatScore": 60, "Evidence": [
                {"Contribution": 0.5, "FirstSeen": EARLY, "LastSeen": LATE}, {"Contribution": 0.25}]},
        })
    }

    fn similar(distance: u64, domain: &str) -> Value {
        json!({"zone": "Grey", "domain": domain, "distance": distance})
    }

    /// The error that `check` has after `change` to a sound report.
    fn error(check: fn(&Value) -> Result<(), String>, path: &str, value: Value) -> String {
        let mut report = domain();
        *report.pointer_mut(path).expect(path) = value;
        check(&report).expect_err(path)
    }

    #[test]
    fn a_sound_report_passes() {
        assert_eq!(check_order(&domain()), Ok(()));
        assert_eq!(check_consistency(&domain()), Ok(()));
        assert_eq!(check_order(&json!({})), Ok(()));
        assert_eq!(check_consistency(&json!({})), Ok(()));
    }

    #[test]
    fn rows_stand_by_zone_then_hits_then_time_then_name() {
        let order = |rows: &[Value]| check_order(&json!({ "FilesAccessed": rows }));
        let rows = [
            file("Red", 1, EARLY, "DD"),
            file("Yellow", 9, EARLY, "CC"),
            file("Yellow", 2, LATE, "BB"),
            file("Yellow", 2, EARLY, "AA"),
            file("Yellow", 2, EARLY, "AB"),
            file("Green", 99, LATE, "00"),
        ];
        assert_eq!(order(&rows), Ok(()));
        for index in 1..rows.len() {
            let mut swapped = rows.clone();
            swapped.swap(index - 1, index);
            let error = order(&swapped).unwrap_err();
            assert!(error.starts_with(&format!("FilesAccessed[{index}] sorts before")), "{error}");
        }
    }

    #[test]
    fn subdomains_have_no_hits_and_only_a_first_time() {
        let row = |count: u64, first: &str, name: &str| {
            let mut row = json!({"Zone": "Grey", "UrlsCount": count, "FilesCount": count});
            row["Subdomain"] = json!(name);
            row["FirstSeen"] = json!(first);
            row
        };
        let order = |rows: [Value; 2]| check_order(&json!({ "Subdomains": rows }));
        assert_eq!(order([row(1, LATE, "b"), row(2, EARLY, "a")]), Ok(()));
        assert_eq!(order([row(1, LATE, "a"), row(2, LATE, "b")]), Ok(()));
        assert!(order([row(2, EARLY, "a"), row(1, LATE, "b")]).is_err());
        assert!(order([row(1, LATE, "b"), row(2, LATE, "a")]).is_err());
    }

    #[test]
    fn addresses_stand_by_number_not_by_text() {
        let order = |one: &str, next: &str| {
            check_order(
                &json!({"DomainDnsResolutions": [address("Grey", 0, 1, one), address("Grey", 0, 1, next)]}),
            )
        };
        assert_eq!(order("9.0.0.1", "10.0.0.1"), Ok(()));
        assert_eq!(order("10.0.0.1", "2001:db8::1"), Ok(()));
        assert_eq!(order("2001:db8::9", "2001:db8::10"), Ok(()));
        assert!(order("10.0.0.1", "9.0.0.1").is_err());
        assert!(order("2001:db8::1", "10.0.0.1").is_err());
        assert!(order("example.com", "10.0.0.1").unwrap_err().contains("no address"));
    }

    #[test]
    fn each_section_of_an_address_by_its_own_hits() {
        let row = |hits: &str, count: u64, name: &str, value: &str| {
            let mut row = json!({"Zone": "Grey", "FirstSeen": EARLY, "LastSeen": EARLY});
            row[hits] = json!(count);
            row[name] = json!(value);
            row
        };
        for (section, hits, name) in [
            ("FilesDownloadedFromIp", "DownloadHitsCount", "Md5"),
            ("HostedUrls", "UrlHitsCount", "Url"),
            ("IpDnsResolutions", "HitsCount", "Domain"),
        ] {
            let order = |one: Value, next: Value| check_order(&json!({ section: [one, next] }));
            assert_eq!(order(row(hits, 2, name, "b"), row(hits, 1, name, "a")), Ok(()));
            assert!(order(row(hits, 1, name, "a"), row(hits, 2, name, "b")).is_err(), "{section}");
            assert!(order(row(hits, 1, name, "b"), row(hits, 1, name, "a")).is_err(), "{section}");
            assert!(order(row("Count", 1, name, "b"), row(hits, 1, name, "a")).is_err(), "{section}");
        }
        let with_categories = |names: [&str; 3]| {
            let mut row = row("HitsCount", 1, "Domain", "a");
            row["Categories"] = json!(names);
            check_order(&json!({ "IpDnsResolutions": [row] }))
        };
        assert_eq!(with_categories(["CATEGORY_SPAM", "CATEGORY_OTHER", "CATEGORY_BANKS"]), Ok(()));
        assert!(with_categories(["CATEGORY_SPAM", "CATEGORY_BANKS", "CATEGORY_OTHER"]).is_err());
    }

    #[test]
    fn similar_domains_stand_by_distance_owner_and_name() {
        let order = |rows: &[Value]| check_order(&json!({ "hostSimilarDomains": rows }));
        // At distance 1, `c` and `d` are of others, `a` and `b` of the same owner.
        let rows = [similar(1, "c"), similar(1, "d"), similar(1, "a"), similar(1, "b"), similar(2, "a")];
        assert_eq!(order(&rows), Ok(()));
        assert!(order(&[similar(2, "a"), similar(1, "b")]).unwrap_err().contains("nearer"));
        assert!(order(&[similar(1, "c"), similar(1, "b"), similar(1, "a")]).is_err());
        let rows = [similar(1, "b"), similar(1, "a"), similar(2, "b"), similar(2, "a")];
        assert_eq!(order(&rows), Ok(()), "each distance may start anew");
    }

    #[test]
    fn lists_with_an_order_of_their_own() {
        assert!(error(check_order, "/DataFeeds", json!(["b", "a"])).starts_with("DataFeeds[1]"));
        assert!(error(check_order, "/Verdict/Evidence/0/Contribution", json!(0.1)).contains("Evidence[1]"));
        let wrong =
            json!([{"Name": "CATEGORY_BANKS", "Zone": "Grey"}, {"Name": "CATEGORY_APT", "Zone": "Red"}]);
        assert!(
            error(check_order, "/DomainGeneralInfo/CategoriesWithZone", wrong)
                .contains("CategoriesWithZone[1]")
        );
        assert!(error(check_order, "/FilesAccessed/0/Zone", json!("Blue")).contains("no zone"));
    }

    #[test]
    fn contradictions_are_found() {
        for (path, value, message) in [
            ("/RelatedObjects/HasRedZone", json!(false), "a row of FilesAccessed is Red"),
            ("/FilesAccessed/0/Zone", json!("Yellow"), "no row is Red"),
            ("/DataFeeds", json!(["a", "b"]), "DataFeeds lacks \"c\""),
            ("/DataFeeds", json!(["a", "b", "c", "d"]), "DataFeeds has \"d\""),
            ("/FilesAccessed/0/AccessHitsCount", json!(7), "AccessedHitsCount and AccessHitsCount differ"),
            ("/FeedMasks/0/MaskType", json!("MASK_TYPE_HOST"), "Type and MaskType differ"),
            ("/FilesAccessed/1/Md5", json!("AA"), "a second row"),
            ("/DomainDnsResolutions/1/Ip", json!("1.2.3.4"), "a second row"),
            ("/Zone", json!("Red"), "Verdict.Zone"),
            ("/DomainGeneralInfo/ThreatScore", json!(61), "Verdict.ThreatScore"),
            ("/DomainDnsResolutions/0/ThreatScore", json!(75), "does not fit"),
            ("/DomainDnsResolutions/1/ThreatScore", json!(50), "does not fit"),
            ("/DomainGeneralInfo/Categories", json!([]), "CategoriesWithZone differ"),
            ("/DomainGeneralInfo/HasApt", json!(false), "HasApt is not true"),
            ("/DomainGeneralInfo/FilesCount", json!(1), "2 files are shown"),
            ("/DomainGeneralInfo/MaliciousFilesCount", json!(0), "1 Red files are shown"),
            ("/DomainGeneralInfo/MaliciousFilesCount", json!(3), "FilesCount only 2"),
            ("/DomainGeneralInfo/MaliciousUrlsCount", json!(4), "UrlsCount only 3"),
            ("/DomainGeneralInfo/HitsCount", json!(1), "2 addresses are shown"),
            ("/DomainGeneralInfo/Ipv4Count", json!(0), "1 IPv4 addresses are shown"),
            ("/DomainDnsResolutions/0/DailyPeak", json!(4), "greater than HitsCount"),
            ("/DomainDnsResolutions/0/PeakDate", json!("2024-04-30T00:00Z"), "PeakDate"),
            ("/DomainDnsResolutions/0/PeakDate", json!("2024-05-29T00:00Z"), "PeakDate"),
            ("/DomainGeneralInfo/LastSeen", json!("2024-05-01T09:59Z"), "is before FirstSeen"),
            ("/Verdict/Evidence/0/LastSeen", json!("2023-05-01T09:59Z"), "is before FirstSeen"),
            ("/DomainGeneralInfo/UrlsCount", json!(3.0), "no count"),
        ] {
            let error = error(check_consistency, path, value);
            assert!(error.contains(message), "{path}: {error}");
        }
        let score = |zone: &str, score: u64| check_score(&json!(zone), &json!(score)).is_ok();
        assert!(score("Red", 75) && score("Grey", 0) && score("Grey", 49) && score("Green", 0));
        assert!(!score("Red", 74) && !score("Yellow", 0) && !score("Yellow", 50) && !score("Green", 1));
    }

    #[test]
    fn what_was_cut_or_not_asked_for_is_no_contradiction() {
        let mut report = domain();
        report["FeedMasks"].as_array_mut().unwrap().truncate(1);
        assert!(check_consistency(&report).unwrap_err().contains("DataFeeds has \"c\""));
        assert_eq!(check_consistency_of(&report, 1), Ok(()));
        let fields = report.as_object_mut().unwrap();
        fields.remove("DataFeeds");
        assert!(check_consistency(&report).unwrap_err().contains("DataFeeds is missing"));
        let fields = report.as_object_mut().unwrap();
        fields.remove("Verdict");
        assert_eq!(check_consistency(&report), Ok(()));
        let some = json!({"RelatedObjects": {"HasRedZone": true}, "FilesAccessed": []});
        assert_eq!(check_consistency(&some), Ok(()), "the Red row may stand in a section not asked for");
    }

    #[test]
    fn a_reserved_address_has_no_score() {
        let report = json!({"Zone": "Grey", "IpGeneralInfo": {"ThreatScore": null, "Categories": [],
            "CategoriesWithZone": [], "HasApt": false, "RelatedAptReports": []}});
        assert_eq!(check_consistency(&report), Ok(()));
    }

    #[test]
    fn estimates_of_large_counts_may_cross() {
        let mut report = domain();
        report["DomainGeneralInfo"]["UrlsCount"] = json!(20_000);
        report["DomainGeneralInfo"]["MaliciousUrlsCount"] = json!(20_010);
        assert_eq!(check_consistency(&report), Ok(()));
    }

    #[test]
    fn a_fraction_is_no_count_but_a_weight_may_be_one() {
        assert_eq!(check_everywhere(&json!({"Evidence": [{"Weight": 0.5, "Age": 1.5}]}), ""), Ok(()));
        assert_eq!(
            check_everywhere(&json!({"LicenseInfo": {"DayQuota": 1.0}}), ""),
            Err(".LicenseInfo.DayQuota is 1.0, not an integer".to_owned())
        );
    }
}
