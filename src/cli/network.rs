//! `network` and `asn`: what is in a network or an autonomous system, and how much of it is listed.

use std::io::{self, Write};

use super::table::{self, Cell, FAINT, HEADING, grouped};
use super::text::zone_style;
use super::{Code, Failure, Program, shown};
use crate::indicator::{AddressRange, Asn};
use crate::lookup::{Context, Licence};
use crate::network::{NetworkRow, Overview, Subject, overview};
use crate::request;

const NETWORK_EXAMPLE: &str = "\
Examples:
  zonelens network 192.0.2.0/24
  zonelens network 192.0.2.0-192.0.2.9 --as-of 2024-05-28 --json

Exit code: 0 something is known, 2 wrong input, 3 nothing is known.";

const SYSTEM_EXAMPLE: &str = "\
Examples:
  zonelens asn 4837
  zonelens asn AS4837 --json

Exit code: 0 something is known, 2 wrong input, 3 nothing is known.";

/// How many rows of each table a person is shown.
const ROWS_SHOWN: usize = 20;

/// Show what is in a network: how much is listed, the worst neighbours, names that resolve into it
#[derive(clap::Args)]
#[command(after_help = NETWORK_EXAMPLE)]
pub(super) struct Network {
    /// 192.0.2.0/24, 2001:db8::/32 or 192.0.2.0-192.0.2.9, defanged or not
    network: String,
    #[command(flatten)]
    how: How,
}

/// Show what an autonomous system announces, and what is in there
#[derive(clap::Args)]
#[command(after_help = SYSTEM_EXAMPLE)]
pub(super) struct System {
    /// 4837 or AS4837
    asn: String,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// As of a past day (its end) or minute: 2024-05-28 or 2024-05-28T07:03Z
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Network {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let range = AddressRange::parse(&self.network).map_err(|error| Failure::Usage(error.to_string()))?;
        self.how.show(&Subject::Network(range), program, out)
    }
}

impl System {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let asn = Asn::parse(&self.asn).map_err(|error| Failure::Usage(error.to_string()))?;
        self.how.show(&Subject::System(asn), program, out)
    }
}

impl How {
    fn show(self, subject: &Subject, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let now = program.clock.now();
        let as_of = self.as_of.as_ref().map(|text| request::moment("--as-of", text, now));
        let as_of = as_of.transpose().map_err(Failure::Usage)?.flatten();
        let policy = program.policy()?;
        let store = program.store()?;
        let context = Context {
            store: &store,
            policy: &policy,
            licence: Licence::default(),
            now,
            round_counts: program.config.http.round_counts,
            reader: crate::store::Reader::default(),
        };
        match overview(&context, subject, as_of) {
            Ok(overview) if self.json => {
                writeln!(out, "{}", serde_json::to_string(&overview).expect("no maps"))?;
                Ok(Code::Done)
            }
            Ok(overview) => {
                write(&overview, out)?;
                Ok(Code::Done)
            }
            Err(error) => super::unanswered(error),
        }
    }
}

fn write(overview: &Overview, out: &mut dyn Write) -> io::Result<()> {
    let density = &overview.density;
    let all = match (overview.addresses, overview.ipv4_addresses) {
        (Some(count), _) => format!("{} addresses", grouped(count)),
        (None, 0) => "more than 2^53 addresses".to_owned(),
        (None, count) => format!("{} IPv4 addresses, and IPv6", grouped(count)),
    };
    writeln!(out, "{HEADING}{}{HEADING:#}  {all}", overview.subject)?;
    let joined = |texts: Vec<String>| shown(&texts.join(", "));
    let systems = overview.systems.iter().map(|one| format!("{} {}", one.asn, one.names.join(" / ")));
    for (name, text) in [
        ("Announced by", joined(systems.map(|text| text.trim_end().to_owned()).collect())),
        ("Countries", joined(overview.countries.iter().map(|code| code.as_str().to_owned()).collect())),
        ("Holders", joined(overview.holders.iter().take(ROWS_SHOWN).cloned().collect())),
        ("Reserved", overview.special_purpose.unwrap_or_default().to_owned()),
        ("Known", format!("{} addresses, {} names", grouped(density.known), grouped(overview.names_count))),
        (
            "Listed",
            format!(
                "{} addresses ({:.1} % of those known), {} networks",
                grouped(density.listed),
                density.listed_share * 100.0,
                grouped(density.networks_listed)
            ),
        ),
    ] {
        if !text.is_empty() {
            writeln!(out, "  {name:12}  {text}")?;
        }
    }
    let counts = density.categories.iter().map(|one| {
        vec![
            Cell::text(one.zone.name()).styled(zone_style(one.zone)),
            Cell::text(one.category.short_name()),
            Cell::number(one.addresses),
            Cell::number(one.networks),
        ]
    });
    section(out, "Listed as", &["Zone", "Category", "Addresses", "Networks"], counts.collect())?;
    let worst = overview.worst.iter().map(|one| {
        let categories: Vec<&str> = one.categories.iter().map(|category| category.short_name()).collect();
        vec![
            Cell::text(one.zone.name()).styled(zone_style(one.zone)),
            Cell::right(one.score.0.to_string()),
            Cell::text(shown(&one.indicator)),
            Cell::text(categories.join(", ")),
        ]
    });
    section(out, "Worst", &["Zone", "Score", "Indicator", "Categories"], worst.collect())?;
    let names = overview.names.iter().map(|one| {
        vec![
            Cell::text(one.zone.name()).styled(zone_style(one.zone)),
            Cell::text(shown(&one.name)),
            Cell::number(one.hits),
            Cell::text(one.last_seen.to_string()),
        ]
    });
    section(out, "Names", &["Zone", "Name", "Hits", "Last seen"], names.collect())?;
    networks(out, "Networks above", &overview.networks_above)?;
    networks(out, "Networks inside", &overview.networks_inside)?;
    for what in &overview.left_out {
        writeln!(out, "\n{FAINT}Not looked at: {what}{FAINT:#}")?;
    }
    Ok(())
}

fn networks(out: &mut dyn Write, title: &str, rows: &[NetworkRow]) -> io::Result<()> {
    let text = |value: &Option<String>| Cell::text(shown(value.as_deref().unwrap_or_default()));
    let rows = rows.iter().map(|row| {
        let zone = row.zone.map_or(Cell::text(""), |zone| Cell::text(zone.name()).styled(zone_style(zone)));
        vec![
            Cell::text(row.network.clone()),
            Cell::text(row.country.map_or(String::new(), |code| code.as_str().to_owned())),
            Cell::text(row.asn.map_or(String::new(), |asn| asn.to_string())),
            zone,
            text(&row.name),
            text(&row.holder),
        ]
    });
    section(out, title, &["Network", "Country", "AS", "Zone", "Name", "Holder"], rows.collect())
}

/// A table under its title, cut to what a person reads; nothing where there is no row.
fn section(out: &mut dyn Write, title: &str, heads: &[&str], rows: Vec<Vec<Cell>>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}{title}{HEADING:#}")?;
    table::write(out, 2, heads, &rows[..rows.len().min(ROWS_SHOWN)])?;
    if rows.len() > ROWS_SHOWN {
        writeln!(out, "  {FAINT}and {} more: --json shows them{FAINT:#}", rows.len() - ROWS_SHOWN)?;
    }
    Ok(())
}
