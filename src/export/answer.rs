//! One indicator or many, in the form that somebody wants.

use std::sync::Arc;

use super::{Extent, misp, page, stix, table};
use crate::indicator::{Indicator, Kind};
use crate::lookup::{Context, LookupError, Report, Request, about, report_in};
use crate::sections::{SECTIONS, license_info};
use crate::store::Snapshot;

/// The most values of a bundle or an event.
pub const VALUES_MAX: usize = 10_000;

/// What an answer looks like to who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The report.
    Json,
    /// The report in a line; of many values a line each.
    Ndjson,
    /// A STIX 2.1 bundle.
    Stix,
    /// A MISP event.
    Misp,
    /// One section as a table; of many values a row each.
    Csv,
    /// A page to be printed.
    Html,
}

impl Format {
    /// All of them: what they are called, and the media type of each.
    pub const ALL: [(Format, &'static str, &'static str); 6] = [
        (Format::Json, "json", "application/json"),
        (Format::Ndjson, "ndjson", "application/x-ndjson"),
        (Format::Stix, "stix", stix::MEDIA_TYPE),
        (Format::Misp, "misp", misp::MEDIA_TYPE),
        (Format::Csv, "csv", "text/csv; charset=utf-8"),
        (Format::Html, "html", "text/html; charset=utf-8"),
    ];

    /// What many values can be answered in.
    pub const OF_MANY: [Format; 4] = [Format::Ndjson, Format::Csv, Format::Stix, Format::Misp];

    fn row(self) -> (Format, &'static str, &'static str) {
        Format::ALL.into_iter().find(|(format, ..)| *format == self).unwrap_or(Format::ALL[0])
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it is sent as.
    pub fn media_type(self) -> &'static str {
        self.row().2
    }

    /// How a file of it ends.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Stix | Format::Misp => "json",
            other => other.name(),
        }
    }

    /// Whether it is made of objects, not of sections.
    pub fn is_graph(self) -> bool {
        matches!(self, Format::Stix | Format::Misp)
    }

    /// The one of these that is called so.
    ///
    /// # Errors
    ///
    /// There is none; says which there are.
    pub fn parse(text: &str, of: &[Format]) -> Result<Format, String> {
        of.iter().copied().find(|format| format.name() == text).ok_or_else(|| {
            let names: Vec<&str> = of.iter().map(|format| format.name()).collect();
            format!("format is {text:?}: use {}", names.join(", "))
        })
    }

    /// The first of these that an `Accept` header names; what it weighs them with is not looked at.
    pub fn accepted(accept: &str, of: &[Format]) -> Option<Format> {
        let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut wanted = accept.split(',').map(essence);
        wanted.find_map(|wanted| of.iter().copied().find(|format| essence(format.media_type()) == wanted))
    }
}

/// What is known of an indicator and may be passed on. Licence and quota are not in it unless they are asked for; a
/// bundle and an event have no sections.
///
/// # Errors
///
/// As [`lookup::report`](crate::lookup::report); and of a table, where not one section is asked for.
pub fn one(
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
    format: Format,
) -> Result<Vec<u8>, LookupError> {
    let snapshot = context.exported()?;
    let request = &exported(request, indicator.kind());
    let report = || report_in(&snapshot, context, indicator, request);
    match format {
        Format::Json => Ok(report()?.json()),
        Format::Ndjson => Ok([report()?.json(), b"\n".to_vec()].concat()),
        Format::Html => Ok(page::page(&report()?, request.as_of.unwrap_or(context.now))?),
        Format::Csv => Ok(table::table(only(&table_of(request, indicator.kind(), report)?))?),
        Format::Stix => about(&snapshot, context, indicator, request, |about| {
            let mut bundle = stix::Bundle::new(Extent::Related);
            bundle.add_report(about)?;
            Ok(bundle.finish())
        }),
        Format::Misp => event(&snapshot, context, indicator, request).map(misp::Event::finish),
    }
}

/// The MISP event on an indicator, from a snapshot of what may be passed on.
///
/// # Errors
///
/// As [`lookup::report`](crate::lookup::report).
pub fn event(
    snapshot: &Arc<Snapshot>,
    context: &Context<'_>,
    indicator: &Indicator,
    request: &Request,
) -> Result<misp::Event, LookupError> {
    about(snapshot, context, indicator, request, |about| {
        let mut event = misp::Event::new([indicator], Extent::Related);
        event.add_report(about)?;
        Ok(event)
    })
}

/// A request with the sections that are passed on.
fn exported(request: &Request, kind: Kind) -> Request {
    let names = SECTIONS.iter().filter(|entry| entry.kind == kind && entry.name != license_info::NAME);
    let all = || names.map(|entry| entry.name.to_owned()).collect();
    Request { sections: Some(request.sections.clone().unwrap_or_else(all)), ..request.clone() }
}

/// The report that a table is made of: of one section.
fn table_of(
    request: &Request,
    kind: Kind,
    report: impl FnOnce() -> Result<Report, LookupError>,
) -> Result<Report, LookupError> {
    if request.sections.as_ref().is_none_or(|names| names.len() != 1) {
        let names = SECTIONS.iter().filter(|entry| entry.kind == kind).map(|entry| entry.name);
        return Err(LookupError::BadRequest(format!(
            "a table is of one section: name it by section, as one of {}",
            names.collect::<Vec<_>>().join(", ")
        )));
    }
    report()
}

/// The body of the only section; of one that is left out for lack of rows, no rows.
fn only(report: &Report) -> &str {
    report.sections.first().map_or("[]", |answer| answer.body.get())
}

/// Many values as one.
pub struct Set {
    /// The bundle or event.
    pub bytes: Vec<u8>,
    /// How many values are in it.
    pub told: usize,
    /// How many are not: nothing is known of them, or they are no indicators.
    pub left_out: usize,
}

/// What is said of more than [`VALUES_MAX`] values.
pub fn too_many(count: usize, format: Format) -> String {
    format!("there are {count} values: send at most {VALUES_MAX} at a time for {}", format.name())
}

enum Graph {
    Stix(stix::Bundle),
    Misp(misp::Event),
}

/// What is known of many values and may be passed on, as one bundle or event: of each its verdict and the intelligence
/// reports that name it, not what it has to do with. In the order of kinds and names, each once.
///
/// # Errors
///
/// More than [`VALUES_MAX`] values, a form that is neither; or where the store cannot answer.
pub fn many(
    context: &Context<'_>,
    values: &[String],
    request: &Request,
    format: Format,
) -> Result<Set, LookupError> {
    if values.len() > VALUES_MAX {
        return Err(LookupError::BadRequest(too_many(values.len(), format)));
    }
    let indicators: Vec<Indicator> = values.iter().filter_map(|value| Indicator::parse(value).ok()).collect();
    let unread = values.len() - indicators.len();
    let set = of_indicators(context, indicators, request, format)?;
    Ok(Set { left_out: set.left_out + unread, ..set })
}

/// The same of indicators.
///
/// # Errors
///
/// As [`many`].
pub fn of_indicators(
    context: &Context<'_>,
    mut indicators: Vec<Indicator>,
    request: &Request,
    format: Format,
) -> Result<Set, LookupError> {
    if indicators.len() > VALUES_MAX {
        return Err(LookupError::BadRequest(too_many(indicators.len(), format)));
    }
    let mut left_out = 0;
    indicators.sort();
    indicators.dedup();
    let mut graph = match format {
        Format::Stix => Graph::Stix(stix::Bundle::new(Extent::Alone)),
        Format::Misp => Graph::Misp(misp::Event::new(&indicators, Extent::Alone)),
        other => {
            let detail = format!("{} is not one answer to many values: use stix or misp", other.name());
            return Err(LookupError::BadRequest(detail));
        }
    };
    let snapshot = context.exported()?;
    let mut told = 0;
    for indicator in &indicators {
        let added = about(&snapshot, context, indicator, request, |about| match &mut graph {
            Graph::Stix(bundle) => bundle.add_report(about),
            Graph::Misp(event) => event.add_report(about),
        });
        match added {
            Ok(()) => told += 1,
            Err(LookupError::Unknown(_)) => left_out += 1,
            Err(error) => return Err(error),
        }
    }
    let bytes = match graph {
        Graph::Stix(bundle) => bundle.finish(),
        Graph::Misp(event) => event.finish(),
    };
    Ok(Set { bytes, told, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name_and_by_media_type() {
        for (format, name, media_type) in Format::ALL {
            assert_eq!(Format::parse(name, &[Format::Csv, format]), Ok(format));
            assert_eq!(Format::accepted(media_type, &[format]), Some(format));
        }
        let problem = Format::parse("pdf", &Format::OF_MANY).unwrap_err();
        assert_eq!(problem, "format is \"pdf\": use ndjson, csv, stix, misp");
        let accepted = |accept| Format::accepted(accept, &Format::OF_MANY);
        assert_eq!(accepted("text/html, application/stix+json;q=0.9"), Some(Format::Stix));
        assert_eq!(accepted("*/*"), None);
        assert_eq!(accepted("TEXT/CSV"), Some(Format::Csv));
    }
}
