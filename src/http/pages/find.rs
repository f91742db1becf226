//! `/find`: what fits a text; `/network/{cidr}` and `/asn/{n}`: what is in a network; `/similar`: names that imitate one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::desk::grid;
use super::{frame, looked_up, page};
use crate::access::Caller;
use crate::export::defanged;
use crate::export::tree::{Tree, shown};
use crate::http::Service;
use crate::http::api::parameter;
use crate::http::error::Problem;
use crate::http::own;
use crate::http::people::answered;
use crate::http::search::{Parse, asn, cidr, overview};
use crate::lookalikes::{self, LIMIT_MAX};
use crate::lookup::LookupError;
use crate::page::cell::{Cell, heading};
use crate::page::grid::{At, Grid, PAGE_ROWS, Wanted};
use crate::page::rows::{DetailPage, Field, Form, RowsPage, parts_of, rows_of};
use crate::page::{escaped, thousands};
use crate::search::{self, PREFIXES};
use crate::similar::TECHNIQUES;
use crate::store::StoreError;

type Asks = (State<Arc<Service>>, Extension<Caller>);

pub(super) fn routes() -> Router<Arc<Service>> {
    let of = |begin: &'static str, parse: Parse| {
        get(move |asks: Asks, uri: Uri| answered(network(asks, uri, begin, parse)))
    };
    Router::new()
        .route("/find", get(|asks: Asks, uri: Uri| answered(find(asks, uri))))
        .route("/network/{*cidr}", of("/network/", cidr))
        .route("/asn/{asn}", of("/asn/", asn))
        .route("/similar", get(|asks: Asks, uri: Uri| answered(similar(asks, uri))))
}

/// A form of one line, sent with GET.
fn asks(title: &'static str, action: &str, fields: Vec<Field>) -> Form {
    Form { title, action: action.to_owned(), is_change: false, fields, button: "Find" }
}

/// A field that has to be filled in.
fn typed(name: &'static str, label: &'static str, value: &str) -> Field {
    Field { name, label, kind: "search", value: value.to_owned(), is_needed: true, ..Field::default() }
}

/// `GET /find?q=&cursor=`: a page of what fits. Without `q`: what can be asked.
async fn find((State(service), Extension(caller)): Asks, uri: Uri) -> Result<Response, Problem> {
    let frame = frame(&service, &caller, "/find");
    let query = uri.query().unwrap_or_default().to_owned();
    let given = parameter(&query, "q").unwrap_or_default();
    let forms = vec![asks("What fits", "/find", vec![typed("q", "Search", &given)])];
    if given.trim().is_empty() {
        let about = "Everything known that fits a text: names, addresses, networks, files, registrants, reports. One \
                     indicator is looked up faster in the box above."
            .to_owned();
        let (title, record) = ("Find".to_owned(), examples());
        let shown = DetailPage { frame, title, about, record, forms, ..DetailPage::default() };
        return Ok(page(StatusCode::OK, &shown));
    }
    let found_page = looked_up(&service, &caller, &uri, true, move |context| {
        let found = search::search(context, &given, parameter(&query, "cursor").as_deref(), PAGE_ROWS)?;
        let left_out = found.left_out.join("; ");
        Ok(RowsPage {
            frame,
            title: format!("Find: {}", defanged(&shown(&given))),
            about: if left_out.is_empty() { left_out } else { format!("Not looked at: {left_out}.") },
            done: "",
            forms,
            tables: vec![(String::new(), found_grid(found, &given)?)],
            exports: Vec::new(),
        })
    });
    Ok(page(StatusCode::OK, &found_page.await?))
}

/// What was found, in the order of keys, a page at a time: neither sorted nor filtered.
fn found_grid(found: search::Page, given: &str) -> Result<Grid, StoreError> {
    let count = found.results.len() as u64;
    let mut grid = Grid::new(&rows_of(&found.results)?, &Wanted::default(), &At::default(), None);
    grid.columns.iter_mut().for_each(|column| column.href = String::new());
    let next = |cursor: String| format!("/find?q={}&cursor={}", escaped(given), escaped(&cursor));
    grid.next = found.cursor.map(next);
    grid.range = match (count, &grid.next) {
        (0, None) => "nothing fits".to_owned(),
        (0, Some(_)) => "nothing yet: there is more to look at".to_owned(),
        (count, None) => format!("{} here, the last", thousands(count)),
        (count, Some(_)) => format!("{} here, and more", thousands(count)),
    };
    Ok(Grid { id: "rows".to_owned(), is_long: false, ..grid })
}

/// What can be typed.
fn examples() -> Vec<(String, Cell)> {
    const OTHERS: [(&str, &str); 4] = [
        ("below a name", "*.example.com"),
        ("any suffix", "example.*"),
        ("in a network", "192.0.2.0/24"),
        ("of a system", "AS4837"),
    ];
    let prefixes = PREFIXES.iter().map(|(name, example, _)| (*name, *example));
    let shown = |(name, example): (&str, &str)| (name.to_owned(), Cell::Text(example.to_owned()));
    OTHERS.into_iter().chain(prefixes).map(shown).collect()
}

/// `GET /network/{cidr}?as_of=`, `/asn/{n}?as_of=`
async fn network(
    (State(service), Extension(caller)): Asks,
    uri: Uri,
    begin: &'static str,
    parse: Parse,
) -> Result<Response, Problem> {
    let frame = frame(&service, &caller, "");
    let asked = uri.clone();
    let made = looked_up(&service, &caller, &uri, true, move |context| {
        let overview = overview(context, asked.path(), begin, parse, asked.query().unwrap_or_default())?;
        let subject = overview.subject.clone();
        let mut record = rows_of(&overview)?.pop().unwrap_or(Tree::Null);
        name_domains(&mut record);
        let (record, lists) = parts_of(record);
        let tables = lists.into_iter();
        let tables = tables.map(|(name, rows)| (heading(&name), grid(&rows, &asked, &name, &["as_of"])));
        let is_told = |name: &str| ["Subject", "Truncated"].contains(&name);
        let searched = format!("/find?q={}", escaped(&subject));
        Ok(DetailPage {
            frame,
            title: subject,
            record: record.into_iter().filter(|(name, _)| !is_told(name)).collect(),
            tables: tables.collect(),
            links: vec![("Everything known in it", searched), ("JSON", format!("/api/v1{}", asked.path()))],
            ..DetailPage::default()
        })
    });
    Ok(page(StatusCode::OK, &made.await?))
}

/// The names that lead into a network are domains: so their column says.
fn name_domains(record: &mut Tree) {
    let Tree::Record(members) = record else { return };
    for (_, value) in members.iter_mut().filter(|(name, _)| name == "names") {
        let Tree::List(rows) = value else { continue };
        for row in rows {
            let Tree::Record(row) = row else { continue };
            row.iter_mut()
                .filter(|(name, _)| name == "name")
                .for_each(|(name, _)| *name = "domain".to_owned());
        }
    }
}

/// `GET /similar?domain=&technique=`
async fn similar((State(service), Extension(caller)): Asks, uri: Uri) -> Result<Response, Problem> {
    let frame = frame(&service, &caller, "");
    let asked = uri.clone();
    let made = looked_up(&service, &caller, &uri, true, move |context| {
        let query = asked.query().unwrap_or_default();
        let name = lookalikes::domain(&own::required(query, "domain")?)?;
        let technique = parameter(query, "technique").filter(|text| !text.is_empty());
        let wanted = lookalikes::Wanted::parse(technique.as_deref(), Some(&LIMIT_MAX.to_string()));
        let wanted = wanted.map_err(LookupError::BadRequest)?;
        let found = lookalikes::lookalikes(context, &name, wanted)?;
        let about = match (&found.domain, found.found) {
            (None, _) => "It is a public suffix, which nobody imitates.".to_owned(),
            (Some(domain), 0) => format!("No known name imitates {}.", defanged(domain)),
            (Some(domain), 1) => format!("One known name imitates {}.", defanged(domain)),
            (Some(domain), count) => format!(
                "{} known names imitate {}: the ones most worth a look first, of the same owner last.",
                thousands(count as u64),
                defanged(domain)
            ),
        };
        let any = [(String::new(), "any".to_owned())];
        let choices = TECHNIQUES.iter().map(|row| (row.name.to_owned(), row.name.replace('-', " ")));
        let choose = Field {
            name: "technique",
            label: "Technique",
            kind: "select",
            value: technique.unwrap_or_default(),
            choices: any.into_iter().chain(choices).collect(),
            is_needed: false,
        };
        let fields = vec![typed("domain", "Domain", name.as_str()), choose];
        Ok(RowsPage {
            frame,
            title: format!("Names like {}", defanged(name.as_str())),
            about,
            forms: vec![asks("Domain and technique", "/similar", fields)],
            tables: vec![(
                String::new(),
                grid(&rows_of(&found.rows)?, &asked, "rows", &["domain", "technique"]),
            )],
            done: "",
            exports: Vec::new(),
        })
    });
    Ok(page(StatusCode::OK, &made.await?))
}
