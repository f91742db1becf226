//! How a value stands on a page: what it is decides, which the name of its column says.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Badge, path_of, thousands};
use crate::export::tree::{Tree, shown};
use crate::export::{defanged, without_links};
use crate::indicator::{AddressRange, Asn, Indicator, Kind, Prefix, refang};
use crate::value::{Category, Zone};

/// A value as it is shown.
#[derive(Clone, Debug, Template)]
#[template(path = "cell.html")]
pub enum Cell {
    /// Nothing is known.
    Nothing,
    /// Text, in which nothing is an indicator that could be opened.
    Text(String),
    /// A number, its thousands apart.
    Number(String),
    /// A zone.
    Zone(Badge),
    /// An indicator: defanged, with the path of its report and the value that is copied.
    Indicator {
        /// Defanged.
        text: String,
        /// The report on it; empty: there is none.
        path: String,
        /// What is copied.
        value: String,
    },
    /// A moment or a day, as reports write it; in UTC.
    Time {
        /// For programs.
        at: String,
        /// For people.
        text: String,
    },
    /// A link to another page of ours.
    Link {
        /// Its path.
        path: String,
        /// Its text.
        text: String,
    },
    /// Words beside each other.
    Words(Vec<String>),
    /// Several values.
    List(Vec<Cell>),
    /// Values with their names.
    Record(Vec<(String, Cell)>),
}

// A template escapes what it is made of.
impl HtmlSafe for Cell {}

/// What the values of a column are.
#[derive(Clone, Copy)]
enum Is {
    Object(Kind),
    /// An indicator of whatever kind, or a mask.
    Any,
    Time,
    Category,
    Report,
    /// Where something is that is not of ours.
    Place,
    /// A network or an autonomous system.
    Network,
    System,
    /// The identifier of an intelligence report.
    ReportId,
    /// What was asked of the service: names in it stand in no place where they are known as such.
    Request,
    /// What has a page of ours below this path.
    Page(&'static str),
}

impl Is {
    /// What a row's `indicator` is, as its `kind` says.
    fn of_kind(kind: &str) -> Is {
        match kind.parse() {
            Ok(kind) => Is::Object(kind),
            Err(_) if kind == "network" => Is::Network,
            Err(_) if kind == "report" => Is::ReportId,
            Err(_) => Is::Place,
        }
    }
}

/// What columns hold, by the name that the report gives them; all else is text or a number.
const COLUMNS: &[(&str, Is)] = {
    use Is::{Any, Category, Network, Object, Page, Place, Report, Request, System, Time};
    &[
        ("Domain", Object(Kind::Domain)),
        ("domain", Object(Kind::Domain)),
        ("DomainName", Object(Kind::Domain)),
        ("Subdomain", Object(Kind::Domain)),
        ("NameServers", Object(Kind::Domain)),
        ("Via", Object(Kind::Domain)),
        ("Host", Any),
        ("Ip", Object(Kind::Ip)),
        ("RangeStart", Object(Kind::Ip)),
        ("RangeEnd", Object(Kind::Ip)),
        ("Url", Object(Kind::Url)),
        ("Md5", Object(Kind::Hash)),
        ("Sha1", Object(Kind::Hash)),
        ("Sha256", Object(Kind::Hash)),
        ("Indicator", Any),
        ("indicator", Any),
        ("value", Any),
        ("NormalizedMask", Any),
        ("UnicodeDomain", Place),
        ("Reference", Place),
        ("DescriptionUrl", Place),
        ("Email", Place),
        ("request", Request),
        ("FirstSeen", Time),
        ("LastSeen", Time),
        ("PeakDate", Time),
        ("LastDownloadDate", Time),
        ("LastDetectDate", Time),
        ("last_attack_date", Time),
        ("Created", Time),
        ("Updated", Time),
        ("Expires", Time),
        ("Changed", Time),
        ("registration", Time),
        ("expiration", Time),
        ("TokenExpirationDate", Time),
        ("AsOf", Time),
        ("published", Time),
        ("updated", Time),
        ("first_seen", Time),
        ("last_seen", Time),
        ("at", Time),
        ("since", Time),
        ("until", Time),
        ("expires", Time),
        ("created", Time),
        ("last_used", Time),
        ("learnt", Time),
        ("observed", Time),
        ("newest", Time),
        ("good", Time),
        ("next", Time),
        ("asked", Time),
        ("retired", Time),
        ("refreshed", Time),
        ("failing_since", Time),
        ("source", Page("/sources/")),
        ("with", Page("/sources/")),
        ("derived_from", Page("/sources/")),
        ("perhaps_derived_from", Page("/sources/")),
        ("user", Page("/users/")),
        ("Categories", Category),
        ("categories", Category),
        ("category", Category),
        ("RelatedAptReports", Report),
        ("network", Network),
        ("asn", System),
        ("Origin", System),
    ]
};

impl Cell {
    /// A member of a report or of a value of ours.
    pub fn of(column: &str, value: &Tree) -> Cell {
        let is = COLUMNS.iter().find(|(name, _)| *name == column).map(|(_, is)| *is);
        Cell::made(column, is, value)
    }

    /// A member of a row: what an `indicator` is, the row's `kind` says; the `title` of what has an `id` leads to it.
    pub fn of_row(row: &Tree, column: &str, value: &Tree) -> Cell {
        match (column, row.member("kind"), row.member("id")) {
            ("indicator", Some(Tree::Text(kind)), _) => Cell::made(column, Some(Is::of_kind(kind)), value),
            ("title", _, Some(Tree::Text(id))) => {
                Cell::Link { path: report_path(id), text: without_links(&value.line(shown)) }
            }
            _ => Cell::of(column, value),
        }
    }

    fn made(column: &str, is: Option<Is>, value: &Tree) -> Cell {
        match (value, is) {
            (value, _) if value.is_empty() => Cell::Nothing,
            (Tree::List(items), Some(Is::Category)) => {
                Cell::Words(items.iter().map(|item| category(&item.line(shown))).collect())
            }
            (Tree::List(items), Some(Is::Report)) => Cell::List(items.iter().map(report).collect()),
            (Tree::List(items), None) if value.is_flat() => {
                Cell::Words(items.iter().map(|item| without_links(&item.line(shown))).collect())
            }
            (Tree::List(items), is) => {
                Cell::List(items.iter().map(|item| Cell::made(column, is, item)).collect())
            }
            (Tree::Record(members), _) => {
                let members = members.iter().filter(|(_, value)| !value.is_empty());
                Cell::Record(members.map(|(name, value)| (heading(name), Cell::of(name, value))).collect())
            }
            (Tree::Text(text), Some(is)) => Cell::text_of(is, text),
            (Tree::Text(text), None) => match text.parse::<Zone>() {
                Ok(zone) if column.eq_ignore_ascii_case("zone") => Cell::Zone(Badge(zone)),
                _ => Cell::Text(without_links(&shown(text))),
            },
            (Tree::Plain(text), Some(is @ Is::System)) => Cell::text_of(is, text),
            (Tree::Plain(text), _) => match text.parse() {
                Ok(number) => Cell::Number(thousands(number)),
                Err(_) if text.parse::<f64>().is_ok() => Cell::Number(shown(text)),
                Err(_) => Cell::Text(shown(text)),
            },
            (Tree::Null, _) => Cell::Nothing,
        }
    }

    fn text_of(is: Is, text: &str) -> Cell {
        match is {
            Is::Object(kind) => Cell::indicator(Indicator::parse_as(kind, text).ok(), text),
            // A mask reads as a name only where it is one.
            Is::Any => {
                let is_mask = text.contains('*') || Prefix::parse(text).is_ok();
                let found = (!is_mask).then(|| Indicator::parse(text).ok()).flatten();
                Cell::indicator(found, text)
            }
            Is::Time => Cell::time(text),
            Is::Category => Cell::Words(vec![category(&shown(text))]),
            Is::Page(below) => {
                Cell::Link { path: format!("{below}{}", super::escaped(text)), text: shown(text) }
            }
            Is::Request => Cell::Text(shown(text).replace('.', "[.]").replace("://", "[://]")),
            Is::Place | Is::Report => Cell::Text(defanged(&shown(text))),
            Is::Network => match AddressRange::parse(text) {
                Ok(_) => {
                    Cell::Link { path: format!("/network/{}", super::escaped(text)), text: defanged(text) }
                }
                Err(_) => Cell::Text(defanged(&shown(text))),
            },
            Is::System => match Asn::parse(text) {
                Ok(asn) => Cell::Link { path: format!("/asn/{}", asn.0), text: asn.to_string() },
                Err(_) => Cell::Text(shown(text)),
            },
            Is::ReportId => Cell::Link { path: report_path(text), text: without_links(&shown(text)) },
        }
    }

    /// An indicator as data spells it.
    pub fn indicator(indicator: Option<Indicator>, text: &str) -> Cell {
        let path = indicator.map(|found| path_of(found.kind(), &found.to_string())).unwrap_or_default();
        // What somebody pasted may be defanged already.
        Cell::Indicator { text: defanged(&refang(&shown(text))), path, value: shown(text) }
    }

    /// A moment as reports write it, `2024-05-28T07:03Z`, or a day.
    pub fn time(text: &str) -> Cell {
        let text = shown(text);
        let day = text.strip_suffix("T00:00Z").unwrap_or(&text);
        let people = day.replace('T', " ");
        Cell::Time { text: people.trim_end_matches('Z').to_owned(), at: text }
    }

    /// Whether it is a number, which stands at the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Cell::Number(_))
    }
}

/// The page of an intelligence report.
fn report_path(id: &str) -> String {
    format!("/reports/{}", super::escaped(id))
}

/// A report that names an object: the text is its title.
fn report(tree: &Tree) -> Cell {
    let text = |name: &str| tree.member(name).map(|value| value.line(shown)).unwrap_or_default();
    let title = without_links(&text("Title"));
    Cell::Link { path: report_path(&text("Id")), text: format!("{title} ({})", text("Type")) }
}

/// A category as people read it: `CATEGORY_BOTNET_CNC` is `Botnet cnc`.
pub fn category(name: &str) -> String {
    let Some(category) = Category::find(name) else { return name.to_owned() };
    let words = category.short_name().replace('_', " ").to_lowercase();
    match words.as_str() {
        "apt" => "APT".to_owned(),
        "botnet cnc" => "Botnet C&C".to_owned(),
        _ => capitalised(&words),
    }
}

fn capitalised(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// Headings that do not follow from the name.
const HEADINGS: &[(&str, &str)] = &[
    ("Md5", "MD5"),
    ("Sha1", "SHA-1"),
    ("Sha256", "SHA-256"),
    ("Ip", "IP address"),
    ("Url", "URL"),
    ("UrlsCount", "URLs"),
    ("MaliciousUrlsCount", "Malicious URLs"),
    ("FilesCount", "Files"),
    ("MaliciousFilesCount", "Malicious files"),
    ("HitsCount", "Hits"),
    ("Ipv4Count", "IPv4 addresses"),
    ("DownloadHitsCount", "Hits"),
    ("AccessHitsCount", "Hits"),
    ("UrlHitsCount", "Hits"),
    ("FileNamesHitsCount", "Hits"),
    ("HasApt", "In APT reports"),
    ("RelatedAptReports", "Reports"),
    ("NormalizedMask", "Mask"),
    ("MaskType", "Type of mask"),
    ("FeedNames", "Feeds"),
    ("CountryCode", "Country"),
    ("IanaId", "IANA ID"),
    ("Asn", "AS"),
    ("Net", "Network"),
    ("IsUrlTruncated", "Private data removed"),
    ("PeakIsEstimate", "Peak is an estimate"),
    ("Domain", "Domain"),
    ("UnicodeDomain", "In Unicode"),
    ("http_open", "HTTP open"),
    ("https_open", "HTTPS open"),
    ("tlp", "TLP"),
    ("url", "URL"),
    ("asn", "AS"),
    ("as_name", "Name of AS"),
    ("ipv4_addresses", "IPv4 addresses"),
    ("known", "Known addresses"),
    ("listed", "Listed addresses"),
    ("listed_share", "Share of known that is listed"),
    ("systems", "Autonomous systems"),
    ("networks_above", "Networks that hold it"),
    ("networks_inside", "Networks inside"),
    ("networks_inside_count", "Networks inside"),
    ("networks_listed", "Listed networks"),
    ("zones", "Listed by zone"),
    ("worst", "The worst"),
    ("names_count", "Names"),
    ("left_out", "Not looked at"),
    ("id", "ID"),
    ("age_hours", "Age, hours"),
    ("good", "Last as it is here"),
    ("next", "Asked for next"),
    ("asked", "Last asked for"),
    ("by_kind", "By kind"),
    ("unique_percent", "Unique, %"),
    ("share_percent", "Shared, %"),
    ("timeout_s", "Timeout, s"),
    ("size_mb", "Size at most, MiB"),
    ("keep_days", "Kept, days"),
    ("day_quota", "Lookups a day"),
    ("per_second", "Requests a second"),
    ("burst", "Requests at once"),
    ("disabled", "Locked out"),
    ("has_password", "Has a password"),
    ("at", "When"),
];

/// Names that say again what another column says, for clients that read one or the other.
const TWICE: &[&str] =
    &["DownloadedHitsCount", "AccessedHitsCount", "LastDownloadDate", "Type:MASK", "CategoriesWithZone"];

/// Whether a column says what another one says.
pub fn is_twice(name: &str) -> bool {
    TWICE.contains(&name)
}

/// The heading of a column: `FirstSeen` and `first_seen` are `First seen`.
pub fn heading(name: &str) -> String {
    if let Some((_, heading)) = HEADINGS.iter().find(|(own, _)| *own == name) {
        return (*heading).to_owned();
    }
    let mut words = String::with_capacity(name.len() + 4);
    for (at, character) in name.chars().enumerate() {
        if character == '_' {
            words.push(' ');
        } else if character.is_ascii_uppercase() && at > 0 {
            words.push(' ');
            words.push(character.to_ascii_lowercase());
        } else {
            words.push(character);
        }
    }
    capitalised(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(column: &str, json: &str) -> String {
        Cell::of(column, &serde_json::from_str(json).unwrap()).to_string()
    }

    #[test]
    fn indicators_lead_to_their_reports_alone() {
        let domain = html("Domain", "\"evil.example\"");
        assert!(domain.contains("href=\"/domain/evil.example\""), "{domain}");
        assert!(domain.contains("evil[.]example</bdi></a>"), "{domain}");
        let url = html("Url", "\"evil.example/a?b=javascript:alert(1)\"");
        assert!(url.contains("href=\"/url/evil.example%2Fa%3Fb%3Djavascript:alert%281%29\""), "{url}");
        assert!(html("value", "\"evil[.]example\"").contains(">evil[.]example<"), "once");
        assert!(!html("NormalizedMask", "\"*.evil.example\"").contains("href"));
        assert!(!html("Indicator", "\"192.0.2.0/24\"").contains("href"), "a network has no report of a URL");
        assert!(!html("Reference", "\"https://evil.example/\"").contains("href"));
        assert_eq!(html("request", "\"GET /domain/evil.example\""), "GET /domain/evil[.]example");
        assert_eq!(html("source", "\"a/<b>\""), "<a href=\"/sources/a%2F%3Cb%3E\">a/&#60;b&#62;</a>");
        assert_eq!((html("weight", "0.5"), html("weight", "1.0")), ("0.5".to_owned(), "1".to_owned()));
    }

    #[test]
    fn no_text_is_markup() {
        for column in ["Domain", "Url", "Type", "FirstSeen", "Categories", "FeedNames", "Zone", "Reference"] {
            for json in ["\"<script>alert(1)</script>\"", "[\"<img src=x onerror=y>\"]", "\"\\u202e\\\"'\""] {
                let html = html(column, json);
                assert!(!html.contains("<script") && !html.contains("<img"), "{column}: {html}");
                assert!(!html.contains('\u{202e}'), "{column}: {html}");
            }
        }
    }

    #[test]
    fn names_of_columns_are_words() {
        for (name, expected) in [
            ("FirstSeen", "First seen"),
            ("first_seen", "First seen"),
            ("Md5", "MD5"),
            ("registration", "Registration"),
            ("ThreatScore", "Threat score"),
        ] {
            assert_eq!(heading(name), expected);
        }
        assert_eq!(category("CATEGORY_BOTNET_CNC"), "Botnet C&C");
        assert_eq!(category("CATEGORY_MALWARE"), "Malware");
        assert_eq!(category("no category"), "no category");
    }
}
