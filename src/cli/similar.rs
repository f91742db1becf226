//! `similar`: the known names that imitate one.

use std::io::Write;

use super::table::{self, Cell, FAINT, HEADING};
use super::{Code, Failure, Program, shown};
use crate::lookalikes::{LIMIT, Lookalikes, Row, Wanted, domain, lookalikes};
use crate::lookup::{Context, Licence, LookupError};

const EXAMPLE: &str = "\
Examples:
  zonelens similar example.com
  zonelens similar --technique homoglyph,skeleton example.com
  zonelens similar --json --limit 1000 example.com

docs/similar.md explains each technique.

Exit code: 0 some are known, 2 wrong input, 3 none is known.";

/// List the known names that imitate a domain, the ones most worth a look first
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Similar {
    /// The domain
    domain: String,
    /// Only these techniques, with commas between them
    #[arg(long, value_name = "NAME")]
    technique: Option<String>,
    /// The most rows, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = LIMIT.to_string())]
    limit: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Similar {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let wanted = Wanted::parse(self.technique.as_deref(), Some(&self.limit)).map_err(Failure::Usage)?;
        let name = match domain(&self.domain) {
            Err(LookupError::BadRequest(problem)) => return Err(Failure::Usage(problem)),
            other => other.map_err(|error| Failure::Failed(error.to_string()))?,
        };
        let policy = program.policy()?;
        let store = program.store()?;
        let context = Context {
            store: &store,
            policy: &policy,
            licence: Licence::default(),
            now: program.clock.now(),
            round_counts: program.config.http.round_counts,
            reader: crate::store::Reader::default(),
        };
        let found = match lookalikes(&context, &name, wanted) {
            Ok(found) => found,
            Err(error) => return super::unanswered(error),
        };
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&found).expect("only texts as keys"))?;
        } else {
            write(&found, out)?;
        }
        Ok(if found.rows.is_empty() { Code::NothingKnown } else { Code::Done })
    }
}

fn write(found: &Lookalikes, out: &mut dyn Write) -> std::io::Result<()> {
    let asked = found.domain.as_deref().unwrap_or("a public suffix: nobody imitates it");
    writeln!(out, "{HEADING}{}{HEADING:#}", shown(asked))?;
    if found.rows.is_empty() {
        return writeln!(out, "  {FAINT}no name that is known looks like it{FAINT:#}");
    }
    let heads = ["zone", "domain", "technique", "distance", "registered", "rank", ""];
    let rows: Vec<Vec<Cell>> = found.rows.iter().map(cells).collect();
    table::write(out, 2, &heads, &rows)?;
    if found.found > found.rows.len() {
        let (shown, all) = (found.rows.len(), found.found);
        writeln!(out, "  {FAINT}{shown} of {all}: --limit shows more, --technique other ones{FAINT:#}")?;
    }
    Ok(())
}

fn cells(row: &Row) -> Vec<Cell> {
    let name = match &row.unicode {
        Some(unicode) => format!("{} ({})", shown(&row.domain), shown(unicode)),
        None => shown(&row.domain),
    };
    vec![
        Cell::text(row.zone.to_string()).styled(super::text::zone_style(row.zone)),
        Cell::text(name),
        Cell::text(row.technique),
        Cell::number(row.distance as u64),
        Cell::text(row.registration.as_deref().unwrap_or("-")),
        Cell::right(row.popularity.map_or("-".to_owned(), |rank| table::grouped(u64::from(rank)))),
        Cell::text(if row.same_owner { "same owner" } else { "" }).styled(FAINT),
    ]
}
