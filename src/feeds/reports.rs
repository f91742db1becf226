//! `reports`: a table of intelligence reports.
//!
//! CSV with a header; columns `report_id`, `title` or `subject`, and `type`, `date`, `url`, `source` where
//! there are any, in any order. Made from the references of the MISP galaxies (threat actors, ransomware,
//! <https://github.com/MISP/misp-galaxy>), MITRE ATT&CK groups and Tidal Cyber references.
//!
//! The type is the row's own where it says `APT`, `Crimeware` or `Industrial`. Where it says only that this is a
//! reference, title and subject must name it: words on control systems make it Industrial, on targeted attackers
//! APT, on crime for money Crimeware, on actors of whatever kind APT, in this order. A reference that has none of
//! them (the manual of a program, a vendor's advice) is no report on a threat and is rejected as `type`.
//!
//! A report without a title of its own is shown by its subject, the actor or family that it is about.

use std::io;

use csv::StringRecord;

use super::cells::Cells;
use super::entry::{Fault, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{Fact, Publication, ReportType};
use crate::value::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "reports",
    title: "a table of intelligence reports, CSV with report_id and title",
    state: State::Events,
    proof: Proof::Real,
    recognise,
    open,
};

/// Sources whose subject is an actor.
const ACTOR_SOURCES: &[&str] = &["threat-actor", "mitre-intrusion-set"];

/// Words and their beginnings (`*`), lower case, that tell the type of a reference. The first row that has one counts.
const TYPE_WORDS: &[(ReportType, &[&str])] = &[
    (ReportType::Industrial, &["ics", "ot", "scada", "plc", "plcs", "industrial", "operational technology"]),
    (
        ReportType::Apt,
        &[
            "apt*",
            "unc*",
            "advanced persistent",
            "espionage*",
            "cyberespionage",
            "nation state",
            "state sponsored",
            "targeted attack*",
            "intrusion set*",
        ],
    ),
    (
        ReportType::Crimeware,
        &[
            "ransomware*",
            "malware*",
            "trojan*",
            "botnet*",
            "stealer*",
            "infostealer*",
            "phishing*",
            "backdoor*",
            "rootkit*",
            "cybercrim*",
            "cryptojacking",
            "rat",
        ],
    ),
    (ReportType::Apt, &["threat actor*", "threat group*", "hacking group*"]),
];

/// Beginnings that only a number may follow: `APT28`, but not `aptitude` or `unchecked`.
const NUMBERED: &[&str] = &["apt*", "unc*"];

/// Where the cells stand.
struct Columns {
    id: usize,
    report_type: Option<usize>,
    title: Option<usize>,
    date: Option<usize>,
    subject: Option<usize>,
    url: Option<usize>,
    source: Option<usize>,
    width: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Option<Columns> {
        let find = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
        let columns = Columns {
            id: find("report_id")?,
            report_type: find("type"),
            title: find("title"),
            date: find("date"),
            subject: find("subject"),
            url: find("url"),
            source: find("source"),
            width: header.len(),
        };
        (columns.title.is_some() || columns.subject.is_some()).then_some(columns)
    }
}

/// The first line is a header with `report_id` and a title or subject.
fn recognise(sample: &Sample<'_>) -> bool {
    let first = sample.data_lines().next();
    first.is_some_and(|line| Cells::new(b',').split(line).ok().and_then(Columns::find).is_some())
}

fn open() -> Box<dyn Parse> {
    Box::new(read)
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut cells = Cells::new(b',');
    let mut columns = None;
    let mut lines = Lines::new(input.reader);
    while let Some((number, line)) = lines.next(out)? {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let record = match cells.split(line) {
            Ok(record) => record,
            Err(detail) => {
                out.reject(number, "columns", detail, line.as_bytes())?;
                continue;
            }
        };
        let Some(columns) = &columns else {
            columns = Columns::find(record);
            if columns.is_none() {
                out.reject(number, "columns", "no header with report_id and title", line.as_bytes())?;
            }
            continue;
        };
        match publication(record, columns) {
            Ok(publication) => out.fact(number, Fact::Publication(publication))?,
            Err((reason, detail)) => out.reject(number, reason, detail, line.as_bytes())?,
        }
    }
    Ok(())
}

fn publication(record: &StringRecord, columns: &Columns) -> Result<Publication, Fault> {
    if record.len() != columns.width {
        return Err(("columns", format!("{} cells, not {}", record.len(), columns.width)));
    }
    let cell =
        |at: Option<usize>| at.and_then(|at| record.get(at)).map(str::trim).filter(|text| !text.is_empty());
    let id = cell(Some(columns.id)).ok_or(("id", "no report_id".to_owned()))?;
    let subject = cell(columns.subject);
    let actor = cell(columns.source).is_some_and(|source| ACTOR_SOURCES.contains(&source));
    let subject = if actor { subject.map(actor_name) } else { subject };
    let title = cell(columns.title).or(subject).ok_or(("title", "neither title nor subject".to_owned()))?;
    let report_type =
        report_type(cell(columns.report_type).unwrap_or_default(), &[title, subject.unwrap_or_default()])
            .ok_or_else(|| ("type", format!("{} does not say what kind of report it is", shown(title))))?;
    let published = match cell(columns.date) {
        Some(date) => Some(Timestamp::parse(date).map_err(|detail| ("date", detail))?),
        None => None,
    };
    // Of a report by its title the subject is its short name in citations, which says nothing more.
    let about = subject.filter(|_| cell(columns.title).is_none());
    Ok(Publication {
        id: id.to_owned(),
        report_type,
        title: title.to_owned(),
        published,
        updated: None,
        description: None,
        url: cell(columns.url).map(str::to_owned),
        tags: about.filter(|_| !actor).map(str::to_owned).into_iter().collect(),
        industries: Vec::new(),
        geography: Vec::new(),
        actors: subject.filter(|_| actor).map(str::to_owned).into_iter().collect(),
    })
}

/// The name of an actor without the number of its ATT&CK group: `Tonto Team - G0131`.
fn actor_name(subject: &str) -> &str {
    match subject.rsplit_once(" - G") {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            name
        }
        _ => subject,
    }
}

/// The type that a row names, or that the words of its title and subject tell.
fn report_type(named: &str, texts: &[&str]) -> Option<ReportType> {
    for (name, report_type) in [
        ("APT", ReportType::Apt),
        ("Crimeware", ReportType::Crimeware),
        ("Industrial", ReportType::Industrial),
    ] {
        if named.eq_ignore_ascii_case(name) {
            return Some(report_type);
        }
    }
    // Single spaces between words and around all of them, so that whole words are found as they stand.
    let mut words = String::from(" ");
    for word in texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())) {
        if !word.is_empty() {
            words.push_str(&word.to_lowercase());
            words.push(' ');
        }
    }
    TYPE_WORDS
        .iter()
        .find(|(_, known)| known.iter().any(|known| has_word(&words, known)))
        .map(|(kind, _)| *kind)
}

/// Whether `words` has this word, or with `*` one that begins so.
fn has_word(words: &str, known: &str) -> bool {
    let stem = known.trim_end_matches('*');
    let open = stem.len() < known.len();
    words.match_indices(stem).any(|(at, _)| {
        let rest = &words[at + stem.len()..];
        let rest = &rest[..rest.find(' ').unwrap_or(rest.len())];
        let ends = rest.is_empty()
            || (open
                && (!NUMBERED.contains(&known)
                    || rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b's')));
        words[..at].ends_with(' ') && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_reference() {
        for (title, expected) in [
            ("APT35 exploits Log4j", Some(ReportType::Apt)),
            ("A dozen APTs", Some(ReportType::Apt)),
            ("Grayling: previously unseen threat actors", Some(ReportType::Apt)),
            ("Nation-State cyber attacks", Some(ReportType::Apt)),
            ("2021 ICS Cybersecurity Year in Review", Some(ReportType::Industrial)),
            ("EKANS Ransomware and ICS Operations", Some(ReportType::Industrial)),
            ("Understanding ransomware threat actors", Some(ReportType::Crimeware)),
            ("APT29 and its phishing", Some(ReportType::Apt)),
            ("Spear-phishing of banks", Some(ReportType::Crimeware)),
            ("Aptitude tests", None),
            ("Unchecked inputs are not unclear", None),
            ("Configuring wireless settings via Group Policy", None),
            ("Narrative of a rational desperate", None),
        ] {
            assert_eq!(report_type("reference", &[title]), expected, "{title}");
        }
        assert_eq!(report_type("crimeware", &["APT28"]), Some(ReportType::Crimeware));
    }
}
