//! `trails`: the static trails of maltrail, one file an actor, a malware family or a kind of nuisance.
//!
//! Written by <https://github.com/stamparm/maltrail>; a folder with `malware/`, `malicious/`, `suspicious/` is one
//! batch. A line is a trail; `# Reference: …` says where those after it come from, of several in a row the first;
//! `# Generic` and `# Misc` end that; `# Aliases: …` are other names of the actor or family.
//!
//! | trail | what maltrail does with it | listed as |
//! |---|---|---|
//! | `name` | looks up the name that is asked for and all above it (`_check_domain` in `sensor.py`) | domain |
//! | `192.0.2.1`, `192.0.2.1:80` | a connection to it (and that port) | host (and port) |
//! | `http://host`, `host/` | any request to that host, not to those below it | host |
//! | `host/path` | a request for it, with whatever query | URL |
//! | `192.0.2.0/24` | | network |
//!
//! Rejected are what no report on a host or a URL could show: a path on any host (`path`), an expression
//! (`pattern`), a whole top-level domain (`suffix`).
//!
//! The [category](CATEGORIES) follows from folder and file. An actor's or a family's file also is a report: a
//! [`Publication`] of the file's name, and a [`Mention`] for each trail that names an object.

use std::io;

use super::entry::{Entry, Fault, listing, shown};
use super::lines::Lines;
use super::{Emit, Format, Input, Parse, Proof, Sample, State};
use crate::fact::{Fact, Listed, Mention, Publication, ReportType};
use crate::indicator::{Host, Indicator, Mask};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "trails",
    title: "maltrail's static trails, a folder of text files: one an actor, a family or a nuisance",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open,
};

/// A longer reference is not kept: it is copied into each listing.
const REFERENCE_BYTES_MAX: usize = 1000;

/// How many other names of an actor are kept.
const ALIASES_MAX: usize = 100;

/// Part of a file's name without folder and `.txt`.
enum Name {
    Starts(&'static str),
    Ends(&'static str),
    Has(&'static str),
    Any,
}

impl Name {
    fn matches(&self, name: &str) -> bool {
        match self {
            Name::Starts(part) => name.starts_with(part),
            Name::Ends(part) => name.ends_with(part),
            Name::Has(part) => name.contains(part),
            Name::Any => true,
        }
    }
}

/// Folder, file and what its trails are: the first row counts. Where only a file was imported, its folder is not
/// known: then all rows with a name apply, and none without.
///
/// A category better than the folder's is taken only where the name plainly says it: of families like `locky`
/// one has to know that it is ransomware. In `suspicious/` the files that name a service, not a suspicion, get the
/// topic; remote control and mining pools are services too, but maltrail keeps here what was abused.
const CATEGORIES: &[(&str, Name, &str)] = &[
    ("malware", Name::Starts("apt_"), "APT"),
    ("malware", Name::Starts("sinkhole_"), "SINKHOLE"),
    ("malware", Name::Has("ransom"), "RANSOMWARE"),
    ("malware", Name::Ends("miner"), "CRYPTOJACKING"),
    ("malware", Name::Any, "MALWARE"),
    ("malicious", Name::Starts("ek_"), "EXPLOIT"),
    ("malicious", Name::Ends("_c2"), "BOTNET_CNC"),
    ("malicious", Name::Starts("c2_"), "BOTNET_CNC"),
    ("malicious", Name::Has("phish"), "PHISHING"),
    ("malicious", Name::Has("scam"), "SCAM"),
    ("malicious", Name::Has("scare"), "SCAM"),
    ("malicious", Name::Starts("spam"), "SPAM"),
    ("malicious", Name::Any, "MALWARE"),
    ("suspicious", Name::Starts("anonymous_web_proxy"), "PROXY"),
    ("suspicious", Name::Starts("port_proxy"), "PROXY"),
    ("suspicious", Name::Starts("onion"), "PROXY"),
    ("suspicious", Name::Starts("dynamic_domain"), "DYNAMIC_DNS"),
    ("suspicious", Name::Starts("free_web_hosting"), "HOSTING"),
    ("suspicious", Name::Starts("ipinfo"), "INFORMATION_TECHNOLOGIES"),
    ("suspicious", Name::Starts("parking_site"), "PARKED"),
    ("suspicious", Name::Starts("suspended_domain"), "PARKED"),
    ("suspicious", Name::Ends("pua"), "ADWARE"),
    ("suspicious", Name::Starts("superfish"), "ADWARE"),
    ("suspicious", Name::Any, "SUSPICIOUS"),
    ("", Name::Starts("mass_scanner"), "SUSPICIOUS"),
];

/// The header that all of maltrail's files have.
fn recognise(sample: &Sample<'_>) -> bool {
    sample
        .lines()
        .take(10)
        .any(|line| line.starts_with("# Copyright") && line.contains("Maltrail developers"))
}

fn open() -> Box<dyn Parse> {
    Box::new(Trails { last: None })
}

struct Trails {
    /// The report of the file before: `family-1.txt` goes on with that of `family.txt`.
    last: Option<Publication>,
}

impl Parse for Trails {
    fn read(&mut self, input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
        let (folder, name) = folder_and_name(input.name);
        let category = category(folder, name);
        let mut report = report(folder, name, category).map(|new| match self.last.take() {
            Some(last) if last.id == new.id => last,
            _ => new,
        });
        let mut mentions = false;
        let mut block = Block::default();
        let mut lines = Lines::new(input.reader);
        while let Some((number, line)) = lines.next(out)? {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                block.comment(comment.trim());
                if let (Some(report), Some(aliases)) = (&mut report, aliases(comment.trim())) {
                    add_aliases(report, aliases);
                }
                continue;
            }
            block.open = false;
            let text = line.split('#').next().unwrap_or_default().trim_end();
            if text.is_empty() {
                continue;
            }
            let (mask, indicator) = match trail(text) {
                Ok(trail) => trail,
                Err((reason, detail)) => {
                    out.reject(number, reason, detail, line.as_bytes())?;
                    continue;
                }
            };
            let mut listing = listing(Listed::Mask(mask));
            listing.category = category;
            listing.reference.clone_from(&block.reference);
            out.fact(number, Fact::Listing(listing))?;
            if let (Some(report), Some(indicator)) = (&report, indicator) {
                mentions = true;
                let mention = Mention { publication: report.id.clone(), indicator };
                out.fact(number, Fact::Mention(mention))?;
            }
        }
        if mentions && let Some(report) = &report {
            out.fact(lines.number(), Fact::Publication(report.clone()))?;
        }
        self.last = report;
        Ok(())
    }
}

/// `static/malware/apt_turla.txt` is folder `malware`, name `apt_turla`.
fn folder_and_name(path: &str) -> (&str, &str) {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folders.rsplit('/').next().unwrap_or_default();
    (folder, file.strip_suffix(".txt").unwrap_or(file))
}

fn category(folder: &str, name: &str) -> Option<Category> {
    let known = CATEGORIES.iter().any(|(of, ..)| !of.is_empty() && *of == folder);
    let row = CATEGORIES.iter().find(|(of, part, _)| {
        let here = if known { *of == folder } else { !matches!(part, Name::Any) };
        here && part.matches(name)
    });
    row.and_then(|(.., category)| Category::find(category))
}

/// The report that a file is, without its other names.
///
/// None of a file that collects what belongs to nobody (`generic`), and none in `malicious/` and `suspicious/`, whose
/// files are tools and services of all sorts.
fn report(folder: &str, name: &str, category: Option<Category>) -> Option<Publication> {
    let (start, number) = name.rsplit_once('-').unwrap_or((name, ""));
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let name = if numbered { start } else { name };
    let crimeware = [Category::MALWARE, Category::RANSOMWARE, Category::CRYPTOJACKING];
    let (report_type, shown, kind) = match category? {
        Category::APT => (ReportType::Apt, title(name.strip_prefix("apt_").unwrap_or(name)), "APT "),
        found if crimeware.contains(&found) => (ReportType::Crimeware, title(name), "Malware: "),
        _ => return None,
    };
    if matches!(folder, "malicious" | "suspicious") || name.split('_').any(|word| word == "generic") {
        return None;
    }
    let slug: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut report = Publication {
        id: format!("maltrail-{}", slug.to_ascii_lowercase()),
        report_type,
        title: format!("{kind}{shown}"),
        published: None,
        updated: None,
        description: None,
        url: None,
        tags: Vec::new(),
        industries: Vec::new(),
        geography: Vec::new(),
        actors: Vec::new(),
    };
    add_aliases(&mut report, &shown);
    Some(report)
}

/// `cobalt_dickens` is `Cobalt Dickens`.
fn title(name: &str) -> String {
    let mut title = String::with_capacity(name.len());
    for word in name.split(['_', ' ']).filter(|word| !word.is_empty()) {
        if !title.is_empty() {
            title.push(' ');
        }
        let mut letters = word.chars();
        title.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        title.push_str(letters.as_str());
    }
    title
}

/// The list of other names in a comment.
fn aliases(comment: &str) -> Option<&str> {
    let word = comment.get(..7).filter(|word| word.eq_ignore_ascii_case("Aliases"))?;
    comment[word.len()..].trim_start().strip_prefix(':')
}

/// Adds names: of an actor to the actors, of a malware family to the tags.
fn add_aliases(report: &mut Publication, aliases: &str) {
    let names = if report.report_type == ReportType::Apt { &mut report.actors } else { &mut report.tags };
    for alias in aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty()) {
        if names.len() < ALIASES_MAX && !names.iter().any(|known| known.eq_ignore_ascii_case(alias)) {
            names.push(alias.to_owned());
        }
    }
}

/// Comments in a row, and the trails up to the next such.
#[derive(Default)]
struct Block {
    reference: Option<String>,
    /// Whether the reference is that of the comments which are being read.
    open: bool,
}

impl Block {
    /// Takes notice of a comment. `Reference` is spelled in a dozen ways; all begin with `Ref`.
    fn comment(&mut self, comment: &str) {
        let starts =
            |word: &str| comment.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if starts("Generic") || starts("Misc") {
            self.reference = None;
        } else if starts("Ref") {
            let text = comment.split_once(char::is_whitespace).map_or("", |(_, text)| text.trim_start());
            if !self.open {
                let kept = !text.is_empty() && text.len() <= REFERENCE_BYTES_MAX;
                self.reference = kept.then(|| text.to_owned());
                self.open = kept;
            }
        }
    }
}

/// What a trail lists, and the object that it names.
fn trail(text: &str) -> Result<(Mask, Option<Indicator>), Fault> {
    if text.starts_with('/') {
        return Err(("path", "a path on any host".to_owned()));
    }
    if text.bytes().any(|byte| matches!(byte, b'\\' | b'^' | b'|' | b'*' | b'(' | b'{'))
        && !text.contains('/')
    {
        return Err(("pattern", "an expression, not a name".to_owned()));
    }
    if let Some(suffix) = text.strip_prefix('.').filter(|rest| !rest.contains('.')) {
        return Err(("suffix", format!("all of {}, a whole top-level domain", shown(suffix))));
    }
    // A host that only requests are looked for on, not queries of its name.
    let is_scheme = |scheme: &&str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let scheme = text.split_once("://").map(|(scheme, _)| scheme).filter(is_scheme);
    let rest = scheme.map_or(text, |scheme| &text[scheme.len() + 3..]);
    let bare = rest.strip_suffix('/').unwrap_or(rest);
    let requests = !bare.contains('/') && (scheme.is_some() || bare.len() < rest.len());
    let entry = Entry::parse(if requests { bare } else { text })?;
    Ok(match entry {
        Entry::Host(Host::Domain(name), None) if !requests => {
            (Mask::domain(&name), Some(Indicator::Domain(name)))
        }
        Entry::Domain(name) => (Mask::domain(&name), Some(Indicator::Domain(name))),
        Entry::Host(host, port) => (Mask::host(&host, port), Some(host.into())),
        Entry::Url(url) => (Mask::url(&url), Some(Indicator::Url(url))),
        Entry::Network(prefix) => (Mask::network(prefix), None),
        Entry::Range(_) | Entry::File(_) => {
            return Err(("trail", "a range of addresses or a file hash".to_owned()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Item;

    fn facts(files: &[(&str, &str)]) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut sink = |item| {
            match item {
                Item::Fact(fact, _) => facts.push(fact),
                Item::Rejected(rejected) => panic!("{rejected:?}"),
                Item::Mark(tlp) => panic!("{tlp}"),
            }
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        let mut parser = open();
        for (name, content) in files {
            let mut reader = content.as_bytes();
            parser.read(&mut Input { name, reader: &mut reader }, &mut out).unwrap();
        }
        facts
    }

    #[test]
    fn folder_and_file_say_what_trails_are() {
        for (path, expected) in [
            ("static/malware/apt_turla.txt", Some("APT")),
            ("malware/sinkhole_cert.txt", Some("SINKHOLE")),
            ("malware/elf_ransomware.txt", Some("RANSOMWARE")),
            ("malware/h2miner.txt", Some("CRYPTOJACKING")),
            ("malware/emotet.txt", Some("MALWARE")),
            ("malicious/ek_scamclub.txt", Some("EXPLOIT")),
            ("malicious/swat_c2.txt", Some("BOTNET_CNC")),
            ("malicious/gophish.txt", Some("PHISHING")),
            ("malicious/havoc.txt", Some("MALWARE")),
            ("suspicious/osx_pua.txt", Some("ADWARE")),
            ("suspicious/parking_site.txt", Some("PARKED")),
            ("suspicious/crypto_mining.txt", Some("SUSPICIOUS")),
            ("suspicious/ipinfo.txt", Some("INFORMATION_TECHNOLOGIES")),
            ("static/mass_scanner_cidr.txt", Some("SUSPICIOUS")),
            ("apt_turla.txt", Some("APT")),
            ("emotet.txt", None),
        ] {
            let (folder, name) = folder_and_name(path);
            assert_eq!(category(folder, name).map(Category::short_name), expected, "{path}");
        }
        for (_, _, category) in CATEGORIES {
            assert!(Category::find(category).is_some(), "{category}");
        }
    }

    #[test]
    fn numbered_files_are_one_report() {
        let facts = facts(&[
            ("static/malware/some_loader-1.txt", "# Aliases: second\n192.0.2.1\n"),
            ("static/malware/some_loader.txt", "# Aliases: first, Second\nexample.com\n"),
            ("static/malware/elf_generic.txt", "generic.example\n"),
            ("static/malicious/havoc.txt", "havoc.example\n"),
        ]);
        let reports: Vec<String> = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Publication(report) => {
                    Some(format!("{}: {}: {}", report.id, report.title, report.tags.join(", ")))
                }
                _ => None,
            })
            .collect();
        let expected = [
            "maltrail-some-loader: Malware: Some Loader: Some Loader, second",
            "maltrail-some-loader: Malware: Some Loader: Some Loader, second, first",
        ];
        assert_eq!(reports, expected);
        assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Mention(_))).count(), 2);
    }

    #[test]
    fn a_reference_holds_up_to_the_next_comments() {
        let content = "a.example\n# Reference: one\n# Reference: two\n\nb.example\nc.example\n\n\
                       # Reference: empty\n\n# Ref: three\nd.example\n# Misc\ne.example\n";
        let references: Vec<_> = facts(&[("static/suspicious/domain.txt", content)])
            .into_iter()
            .map(|fact| match fact {
                Fact::Listing(listing) => listing.reference,
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [None, Some("one"), Some("one"), Some("three"), None];
        assert_eq!(references, expected.map(|reference| reference.map(str::to_owned)));
    }
}
