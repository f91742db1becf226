//! `search`: everything known that fits a text.

use std::io::{self, Write};

use super::table::{self, Cell, FAINT};
use super::text::zone_style;
use super::{Code, Failure, Program, shown};
use crate::lookup::{Context, Licence};
use crate::request;
use crate::search::{LIMIT, LIMIT_MAX, Page, search};

const EXAMPLE: &str = "\
Examples:
  zonelens search '*.example.com'
  zonelens search 'example.*'
  zonelens search 192.0.2.0/24
  zonelens search AS4837
  zonelens search 'registrant:Example Ltd'
  zonelens search hostmaster@example.com
  zonelens search ns:ns1.example.com
  zonelens search 'file:invoice*' --limit 1000 --json
  zonelens search source:urlhaus
  zonelens search report:stealer

Exit code: 0 something was found, 2 wrong input, 3 nothing was found.";

/// Search everything known: names, networks, registrants, files, reports, what a source lists
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Search {
    /// What it looks like is taken; registrant: email: ns: file: source: report: tag: cert: say it
    query: String,
    /// The most results, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N")]
    limit: Option<String>,
    /// Go on where the page before ended: the cursor that it printed
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Search {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let limit = self.limit.as_ref().map(|text| request::limit(text)).transpose();
        let limit = limit.map_err(|problem| Failure::Usage(format!("--{problem}")))?.unwrap_or(LIMIT);
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
        let mut page = match search(&context, &self.query, self.cursor.as_deref(), limit) {
            Ok(page) => page,
            Err(error) => return super::unanswered(error),
        };
        // One request reads so much and no more; nobody else waits for a command.
        while let Some(cursor) = page.cursor.clone().filter(|_| page.results.len() < limit) {
            let left = (limit - page.results.len()).min(LIMIT_MAX);
            match search(&context, &self.query, Some(&cursor), left) {
                Ok(next) => {
                    page.results.extend(next.results);
                    page.cursor = next.cursor;
                }
                Err(error) => return super::unanswered(error),
            }
        }
        let is_empty = page.results.is_empty();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&page).expect("no maps"))?;
        } else {
            write(&page, out)?;
        }
        Ok(if is_empty { Code::NothingKnown } else { Code::Done })
    }
}

fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<Vec<Cell>> = page
        .results
        .iter()
        .map(|found| {
            let zone =
                found.zone.map_or(Cell::text("-"), |zone| Cell::text(zone.name()).styled(zone_style(zone)));
            let indicator = match &found.title {
                Some(title) => format!("{} ({title})", found.indicator),
                None => found.indicator.clone(),
            };
            vec![
                zone,
                Cell::right(found.score.map_or("-".to_owned(), |score| score.0.to_string())),
                Cell::text(found.kind),
                Cell::text(shown(&indicator)),
                Cell::text(found.last_seen.map_or("-".to_owned(), |at| at.to_string())),
                Cell::text(shown(&found.why)),
            ]
        })
        .collect();
    if rows.is_empty() {
        writeln!(out, "{FAINT}nothing fits {}{FAINT:#}", shown(&page.query))?;
    } else {
        table::write(out, 0, &["Zone", "Score", "Kind", "Indicator", "Last seen", "Why"], &rows)?;
    }
    for what in &page.left_out {
        writeln!(out, "\n{FAINT}Not looked at: {what}{FAINT:#}")?;
    }
    if let Some(cursor) = &page.cursor {
        writeln!(out, "\n{FAINT}There is more: --cursor {cursor}{FAINT:#}")?;
    }
    Ok(())
}
