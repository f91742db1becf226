//! The page of a report.

use askama::Template;

use super::cell::{Cell, heading, is_twice};
use super::grid::{At, Grid, Wanted};
use super::ours::Ours;
use super::picture::{Picture, timeline};
use super::why::Why;
use super::{Badge, Frame, escaped, path_of, thousands, told};
use crate::dossier::rows::Counts;
use crate::export::defanged;
use crate::export::tree::{Tree, shown};
use crate::history::diff::Diff;
use crate::indicator::Kind;
use crate::lookup::{Answer, Licence, Report};
use crate::store::StoreError;
use crate::value::{Timestamp, Zone};

/// Sections that stand elsewhere on the page than in the order of reports.
const ELSEWHERE: [&str; 4] = ["LicenseInfo", "Zone", "RelatedObjects", "Verdict"];

/// The section of a page that no report has: it is made when it is asked for.
pub const TIMELINE: &str = "timeline";

/// What a page shows besides the report's own words.
#[derive(Default)]
pub struct Drawn {
    /// The pictures of sections, by the section's name.
    pub pictures: Vec<(&'static str, Vec<Picture>)>,
    /// The timeline, where it is wanted.
    pub timeline: Option<timeline::Shown>,
}

impl Drawn {
    fn take(&mut self, section: &str) -> Vec<Picture> {
        let at = self.pictures.iter().position(|(name, _)| *name == section);
        at.map(|at| self.pictures.swap_remove(at).1).unwrap_or_default()
    }
}

/// How a report is wanted as a page.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The past day or moment as asked for; empty: now.
    pub as_of: String,
    /// The section that is sorted, filtered or paged; empty: none.
    pub section: String,
    /// How that is wanted.
    pub rows: Wanted,
    /// Scheme and host of the service as the reader wrote it, for the line that asks the same.
    pub base: String,
}

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub struct ReportPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The object, defanged.
    pub subject: String,
    /// The object as it is copied.
    pub value: String,
    /// Its kind.
    pub kind: Kind,
    /// Its zone.
    pub badge: Badge,
    /// The word for that.
    pub word: &'static str,
    /// Its score.
    pub score: u8,
    /// Whether a score is said of it: not of a reserved address.
    pub has_score: bool,
    /// The head: what is read first.
    pub facts: Vec<(String, Cell)>,
    /// Why it is in its zone; nothing is said of a reserved address.
    pub why: Option<Why>,
    /// The sections that say something.
    pub sections: Vec<Section>,
    /// The headings of those that do not.
    pub empty: Vec<&'static str>,
    /// The past moment that it is of; empty: now.
    pub as_of: String,
    /// The day up to which a past day can be chosen.
    pub today: String,
    /// What changed since the past moment.
    pub since: Option<Since>,
    /// Who listed it, as a picture.
    pub listings: Vec<Picture>,
    /// When it was in which zone; `None`: it is only led to.
    pub timeline: Option<timeline::Shown>,
    /// The path of the page with its timeline; empty: there is none.
    pub timeline_path: String,
    /// Whether each lookup counts: then nothing is asked for that the reader did not ask for.
    pub has_quota: bool,
    /// The path of this page.
    pub path: String,
    /// The line that asks the same.
    pub request: String,
    /// What leaves, by name, path, and name of the file; empty where it is shown instead.
    pub exports: Vec<(&'static str, String, String)>,
    /// The object as the name of a file.
    pub file: String,
    /// The sections that are ours alone.
    pub ours: Vec<Ours>,
    /// The path of the graph.
    pub graph: String,
    /// Lookups today, and how many are allowed.
    pub licence: String,
}

/// A section.
pub struct Section {
    /// Its name on the wire, which is its place on the page.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How many rows are Red, and how many there are.
    pub counts: Option<(String, String)>,
    /// The same as pictures, as far as it can be drawn.
    pub pictures: Vec<Picture>,
    /// What it says.
    pub body: Body,
    /// The line that asks for it.
    pub request: String,
    /// The path of it as a table.
    pub csv: String,
    /// What leads on from it, by name and path.
    pub links: Vec<(String, String)>,
}

/// What a section says.
pub enum Body {
    /// Rows.
    Table(Box<Grid>),
    /// Values with names.
    Record(Vec<(String, Cell)>),
    /// Words.
    Words(Vec<String>),
}

/// What changed since a past moment.
pub struct Since {
    /// The zone then, and its score.
    pub then: (Badge, u8),
    /// The zone now, and its score.
    pub now: (Badge, u8),
    /// What came and went, in words.
    pub changes: Vec<String>,
    /// Sections, with how many rows came and went.
    pub sections: Vec<(String, usize, usize)>,
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Io(error.into())
}

/// The page of a report.
///
/// # Errors
///
/// A section that is no JSON, which its making excludes.
pub fn page(
    frame: Frame,
    report: &Report,
    mut drawn: Drawn,
    view: &View,
    now: Timestamp,
    since: Option<&Diff>,
) -> Result<ReportPage, StoreError> {
    let path = path_of(report.kind, &report.subject);
    let mut sections = Vec::new();
    let mut empty = Vec::new();
    let mut head = Vec::new();
    let (mut why, mut licence, mut has_quota) = (None, String::new(), false);
    for answer in &report.sections {
        let body: Tree = serde_json::from_str(answer.body.get()).map_err(unreadable)?;
        match answer.name {
            "Verdict" => why = Some(Why::of(&body)),
            "LicenseInfo" => (licence, has_quota) = licence_of(&body),
            name if ELSEWHERE.contains(&name) => {}
            _ if body.says_nothing() => empty.push(answer.title),
            name => {
                if name.ends_with("GeneralInfo") {
                    head = facts(&body);
                }
                sections.push(section(report, drawn.take(name), view, &path, answer, body));
            }
        }
    }
    let value = escaped(&report.subject);
    let as_of =
        if view.as_of.is_empty() { String::new() } else { format!("&as_of={}", escaped(&view.as_of)) };
    let file = file_name(&report.subject);
    let export = |format: &str| format!("/api/v1/export?value={value}&format={format}{as_of}");
    Ok(ReportPage {
        subject: defanged(&shown(&report.subject)),
        value: report.subject.clone(),
        kind: report.kind,
        badge: Badge(report.zone),
        word: report.zone.word_of(report.kind),
        score: report.score.0,
        has_score: why.is_some(),
        facts: head,
        listings: drawn.take("Verdict"),
        timeline: drawn.timeline,
        timeline_path: why
            .as_ref()
            .map_or(String::new(), |_| format!("{path}?section={TIMELINE}{as_of}#{TIMELINE}")),
        why,
        sections,
        empty,
        as_of: view.as_of.clone(),
        today: now.date(),
        since: since.map(changed),
        request: curl(view, &format!("/api{path}"), &as_of.replacen('&', "?", 1)),
        exports: vec![
            ("JSON", export("json"), format!("{file}.json")),
            ("STIX 2.1", export("stix"), format!("{file}.stix.json")),
            ("MISP event", export("misp"), format!("{file}.misp.json")),
            ("Page to print", export("html"), String::new()),
        ],
        file,
        ours: Vec::new(),
        graph: format!("/graph?of={value}"),
        path,
        licence,
        has_quota,
        frame,
    })
}

/// An object as the name of a file without an ending: letters and digits, and not too many.
fn file_name(object: &str) -> String {
    const CHARS_MAX: usize = 80;
    let kept = |character: char| {
        if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '-' }
    };
    object.chars().map(kept).take(CHARS_MAX).collect()
}

/// A line that asks a path of this service.
fn curl(view: &View, path: &str, query: &str) -> String {
    format!("curl -H \"authorization: Bearer $TOKEN\" '{}{path}{query}'", view.base)
}

/// What is read first, from the overview.
fn facts(overview: &Tree) -> Vec<(String, Cell)> {
    const HEAD: [&str; 9] = [
        "Categories",
        "Status",
        "FileStatus",
        "CountryCode",
        "Popularity",
        "FirstSeen",
        "LastSeen",
        "SharedHosting",
        "RelatedAptReports",
    ];
    let mut facts: Vec<(String, Cell)> = HEAD
        .iter()
        .filter_map(|name| Some((*name, overview.member(name)?)))
        .filter(|(_, value)| !value.says_nothing())
        .map(|(name, value)| (heading(name), Cell::of(name, value)))
        .collect();
    if overview.member("Categories").is_some_and(Tree::is_empty) {
        facts.insert(0, (heading("Categories"), Cell::Words(vec!["General".to_owned()])));
    }
    facts
}

/// Lookups today in words, and whether they are limited.
fn licence_of(body: &Tree) -> (String, bool) {
    let number = |name: &str| body.member(name).and_then(|value| value.line(shown).parse::<u64>().ok());
    let (Some(used), Some(quota)) = (number("DayRequests"), number("DayQuota")) else {
        return (String::new(), true);
    };
    let used = thousands(used);
    match quota {
        none if none == Licence::default().day_quota => (format!("{used} lookups today, no quota"), false),
        quota => (format!("{used} of {} lookups today", thousands(quota)), true),
    }
}

fn section(
    report: &Report,
    pictures: Vec<Picture>,
    view: &View,
    path: &str,
    answer: &Answer,
    body: Tree,
) -> Section {
    let name = answer.name;
    let wanted = if view.section == name { view.rows.clone() } else { Wanted::default() };
    let mut keep = vec![("section", name.to_owned())];
    let (mut query, mut csv_query) = (format!("?sections={name}"), format!("&section={name}"));
    if !view.as_of.is_empty() {
        keep.push(("as_of", view.as_of.clone()));
        let as_of = format!("&as_of={}", escaped(&view.as_of));
        query.push_str(&as_of);
        csv_query.push_str(&as_of);
    }
    let at = At { path: path.to_owned(), keep, id: name.to_owned() };
    let links = links(name, &report.subject, &body);
    let red = |rows: &[Tree]| {
        let is_red = |row: &&Tree| {
            let zone = row.member("Zone").or_else(|| row.member("zone"));
            zone.is_some_and(|zone| *zone == Tree::Text(Zone::Red.name().to_owned()))
        };
        rows.iter().filter(is_red).count() as u64
    };
    let (counts, body) = match body {
        Tree::List(rows) if rows.iter().all(|row| matches!(row, Tree::Record(_))) => {
            let here = Counts { all: rows.len() as u64, red: red(&rows) };
            let counts = answer.counts.unwrap_or(here);
            (Some(counts), Body::Table(Box::new(Grid::new(&rows, &wanted, &at, Some(counts)))))
        }
        Tree::List(words) => (None, Body::Words(words.iter().map(|word| word.line(shown)).collect())),
        Tree::Record(members) => {
            let members = members.iter().filter(|(name, value)| !is_twice(name) && !value.is_empty());
            (
                None,
                Body::Record(members.map(|(name, value)| (heading(name), Cell::of(name, value))).collect()),
            )
        }
        other => (None, Body::Words(vec![other.line(shown)])),
    };
    let counts = counts.map(|counts| (thousands(counts.red), thousands(counts.all)));
    Section {
        name,
        title: answer.title,
        counts,
        pictures,
        body,
        links,
        request: curl(view, &format!("/api{path}"), &query),
        csv: format!("/api/v1/export?value={}&format=csv{csv_query}", escaped(&report.subject)),
    }
}

/// The most name servers that lead on.
const NAME_SERVERS_MAX: usize = 4;

/// What leads on from a section: all that imitate a name, whatever else is registered so, the network of an address.
fn links(name: &str, subject: &str, body: &Tree) -> Vec<(String, String)> {
    let text = |tree: Option<&Tree>| tree.filter(|tree| !tree.is_empty()).map(|tree| tree.line(shown));
    let find = |what: &str, of: &str| format!("/find?q={}", escaped(&format!("{what}:{of}")));
    match name {
        "hostSimilarDomains" => {
            vec![("All, by technique".to_owned(), format!("/similar?domain={}", escaped(subject)))]
        }
        "DomainWhoIsInfo" | "UrlDomainWhoIs" => {
            let servers = match body.member("NameServers") {
                Some(Tree::List(servers)) => servers.as_slice(),
                _ => &[],
            };
            let servers = servers.iter().take(NAME_SERVERS_MAX).map(|server| server.line(shown));
            let servers =
                servers.map(|server| (format!("All at {}", defanged(&server)), find("ns", &server)));
            let registrant = text(body.member("RegistrationOrganization"));
            let registrant =
                registrant.map(|of| ("All of the registrant".to_owned(), find("registrant", &of)));
            registrant.into_iter().chain(servers).collect()
        }
        "IpWhoIs" => {
            let net = body.member("Net");
            let end = |name: &str| text(net.and_then(|net| net.member(name)));
            let range = end("RangeStart").zip(end("RangeEnd"));
            let network = range.map(|(first, last)| {
                ("The network".to_owned(), format!("/network/{}", escaped(&format!("{first}-{last}"))))
            });
            network.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn changed(diff: &Diff) -> Since {
    Since {
        then: (Badge(diff.from.zone), diff.from.score.0),
        now: (Badge(diff.to.zone), diff.to.score.0),
        changes: diff.changes.iter().map(told).collect(),
        sections: (diff.sections.iter())
            .map(|section| (section.title.to_owned(), section.came_count, section.went_count))
            .filter(|(_, added, removed)| added + removed > 0)
            .collect(),
    }
}
