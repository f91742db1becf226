//! `source add`, `remove`, `enable`, `disable`: the sources that stand in the data folder.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::cli::import::{category, counts, state};
use crate::cli::{Code, Failure, Program, failed};
use crate::feeds::State;
use crate::source::status::Status;
use crate::source::{self, Credentials, Interval, Location, Source, catalogue};
use crate::store::Counts;
use crate::value::{Category, Tlp};

const EXAMPLE: &str = "\
Examples:
  zonelens source add urlhaus
  zonelens source add phishtank --key-file /etc/zonelens/phishtank.key
  zonelens source add our-c2 https://feed.example/c2.txt --interval 6h --category BOTNET_CNC --tlp amber
  zonelens source add partner taxii+https://taxii.example/api1/collections/91a7b528/ --user ann --key-env TAXII_KEY";

/// Add a source: one of the catalogue by its name, or one of your own with its location
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// A file, a folder, a pattern, https://…, taxii+https://…, misp+https://…, rdap: [default: the catalogue's]
    location: Option<Location>,
    /// How often `serve` asks for it: 15m, 6h, 1d [default: the catalogue's; without one only `source refresh` does]
    #[arg(long, value_name = "TIME")]
    interval: Option<Interval>,
    /// The format, as `zonelens formats` lists them [default: found by content]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Which column of a table is what, as a TOML file; with --format csv
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Whether a batch is all that the source says, or adds to it [default: the format's]
    #[arg(long, value_parser = PossibleValuesParser::new(["whole", "events"]).map(|text| state(&text)))]
    state: Option<State>,
    /// Whether counts add up or are totals so far [default: additive]
    #[arg(long, value_parser = PossibleValuesParser::new(["additive", "cumulative"]).map(|text| counts(&text)))]
    counts: Option<Counts>,
    /// What listings are where the feed does not say [default: MALWARE]
    #[arg(long, value_name = "NAME", value_parser = category)]
    category: Option<Category>,
    /// How far the source is believed where the feed does not say, 0 to 100
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    confidence: Option<u8>,
    /// What its listings weigh beside others', 0 to 1
    #[arg(long, value_name = "0-1")]
    weight: Option<f64>,
    /// To whom what it says may be passed on: clear, green, amber, amber+strict, red
    #[arg(long, value_name = "TLP")]
    tlp: Option<Tlp>,
    /// Days that what it says is kept [default: for good]
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// The proxy to ask through
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// A PEM file with the certificates to check its server against
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// It may lead to loopback, private and link-local addresses
    #[arg(long)]
    allow_private: bool,
    /// The file whose first line is the key or password
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    key_file: Option<PathBuf>,
    /// The variable of the environment with the key or password
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// The user whose password it is
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The header that carries the key [default: the catalogue's, Authorization: Bearer]
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// Do not ask for it before `source enable`
    #[arg(long)]
    disabled: bool,
}

impl Add {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let ready = catalogue::find(&self.name);
        if ready.is_none() && self.location.is_none() {
            return Err(Failure::Usage(format!(
                "{:?} is not in the catalogue: name a location after it, or see `zonelens source catalogue`",
                self.name
            )));
        }
        let key = ready.as_ref().and_then(|ready| ready.key.clone());
        let needs_key = key.is_some() && self.key_file.is_none() && self.key_env.is_none();
        let source = self.over(ready.map(|ready| ready.source));
        if let (Some(key), true, None) = (&key, needs_key, &source.credentials) {
            return Err(Failure::Usage(format!(
                "{} needs a key, which {key} gives: name it by --key-file or --key-env",
                source.name
            )));
        }
        source.check().map_err(Failure::Usage)?;
        if program.config.source(&source.name).is_some() {
            return Err(Failure::Usage(format!(
                "the source {} stands in the configuration: change it there",
                source.name
            )));
        }
        let added = source.clone();
        source::change(&program.config.data, |sources| {
            if sources.iter().any(|known| known.name == added.name) {
                return Err(format!(
                    "there is a source {}: `zonelens source remove {}` first",
                    added.name, added.name
                ));
            }
            sources.push(added);
            Ok(())
        })
        .map_err(Failure::Failed)?;
        let name = &source.name;
        program.audit("source add", name)?;
        let location = source.location.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "added {name}: {location}")?;
        match (&source.interval, source.disabled) {
            (_, true) => writeln!(out, "it is asked for after `zonelens source enable {name}`")?,
            (Some(interval), _) => writeln!(
                out,
                "`zonelens serve` asks for it every {interval}; now: zonelens source refresh {name}"
            )?,
            (None, _) => writeln!(out, "it has no interval: zonelens source refresh {name}")?,
        }
        Ok(Code::Done)
    }

    /// What was typed over what the catalogue says.
    fn over(self, ready: Option<Source>) -> Source {
        let base = ready.unwrap_or_else(|| Source::named(&self.name));
        let key = self.key_file.is_some() || self.key_env.is_some();
        let known = base.credentials.unwrap_or_default();
        let credentials = Credentials {
            file: if key { self.key_file } else { known.file },
            env: if key { self.key_env } else { known.env },
            user: self.user.or(known.user),
            header: self.header.or(known.header),
        };
        Source {
            name: base.name,
            location: self.location.or(base.location),
            interval: self.interval.or(base.interval),
            disabled: self.disabled,
            format: self.format.or(base.format),
            mapping: self.mapping.or(base.mapping),
            state: self.state.or(base.state),
            counts: self.counts.or(base.counts),
            category: self.category.or(base.category),
            confidence: self.confidence.or(base.confidence),
            weight: self.weight.or(base.weight),
            tlp: self.tlp.or(base.tlp),
            keep_days: self.keep_days.or(base.keep_days),
            licence: base.licence,
            proxy: self.proxy.or(base.proxy),
            ca_file: self.ca_file.or(base.ca_file),
            allow_private: self.allow_private || base.allow_private,
            timeout_s: base.timeout_s,
            size_mb: base.size_mb,
            credentials: (credentials != Credentials::default()).then_some(credentials),
            rdap: base.rdap,
        }
    }
}

/// Ask for a source by itself again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source enable urlhaus")]
pub(super) struct Enable {
    /// Its name
    name: String,
}

impl Enable {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        changed(program, &self.name, |source| source.disabled = false)?;
        writeln!(out, "{} is asked for again", self.name)?;
        Ok(Code::Done)
    }
}

/// Do not ask for a source by itself; what it said still counts, and grows stale
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source disable urlhaus")]
pub(super) struct Disable {
    /// Its name
    name: String,
}

impl Disable {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        changed(program, &self.name, |source| source.disabled = true)?;
        writeln!(
            out,
            "{} is not asked for any more; what it said still counts: `zonelens retire --source {}` takes it out",
            self.name, self.name
        )?;
        Ok(Code::Done)
    }
}

/// Forget a source; what it said still counts
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zonelens source remove urlhaus")]
pub(super) struct Remove {
    /// Its name
    name: String,
}

impl Remove {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        is_changeable(program, &self.name)?;
        source::change(&program.config.data, |sources| {
            sources.retain(|source| source.name != self.name);
            Ok(())
        })
        .map_err(Failure::Failed)?;
        Status::remove(&program.config.data, &self.name).map_err(failed)?;
        program.audit("source remove", &self.name)?;
        writeln!(
            out,
            "removed {}; what it said still counts: `zonelens retire --source {}` takes it out",
            self.name, self.name
        )?;
        Ok(Code::Done)
    }
}

/// Changes a source that a command added.
fn changed(program: &Program, name: &str, change: impl FnOnce(&mut Source)) -> Result<(), Failure> {
    is_changeable(program, name)?;
    source::change(&program.config.data, |sources| {
        if let Some(source) = sources.iter_mut().find(|source| source.name == name) {
            change(source);
        }
        Ok(())
    })
    .map_err(Failure::Failed)?;
    program.audit("source change", name)
}

/// Whether commands may change a source: those of the configuration belong to who writes it.
fn is_changeable(program: &Program, name: &str) -> Result<(), Failure> {
    let registry = program.registry()?;
    if registry.is_added(name) {
        return Ok(());
    }
    Err(Failure::Usage(match registry.find(name) {
        Some(_) => format!("the source {name} stands in the configuration: change it there"),
        None => format!("there is no source {name}: `zonelens source list` shows all"),
    }))
}
