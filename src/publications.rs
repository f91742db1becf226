//! Intelligence reports: which there are, and what they name.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::export::iocs::{self, Csv};
use crate::fact::{Mention, Publication, ReportType};
use crate::indicator::{Indicator, Kind};
use crate::store::{ObjectKey, Statement, StoreError, Table, View};
use crate::value::{Category, ThreatScore, Timestamp, Zone};
use crate::verdict::Judge;

/// The most reports of a list: the newest.
pub const LIST_MAX: usize = 100_000;

/// The most rows of a list of all indicators: those of the newest reports.
pub const MASTER_ROWS_MAX: usize = 1_000_000;

/// Which reports a list of all indicators is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// On targeted attackers.
    Apt,
    /// On crime for money.
    Crimeware,
    /// All, those on industrial systems too.
    All,
}

impl Group {
    /// The group that clients call so.
    ///
    /// # Errors
    ///
    /// There is none; says which there are.
    pub fn parse(text: &str) -> Result<Group, String> {
        match text {
            "apt" => Ok(Group::Apt),
            "fin" => Ok(Group::Crimeware),
            "all" => Ok(Group::All),
            _ => Err(format!("report_group is {text:?}: use apt, fin or all")),
        }
    }

    fn has(self, report: &Publication) -> bool {
        match self {
            Group::Apt => report.report_type == ReportType::Apt,
            Group::Crimeware => report.report_type == ReportType::Crimeware,
            Group::All => true,
        }
    }
}

/// The newest of what is said of a report; `None`: there is none of this identifier. It has a day of publication.
///
/// # Errors
///
/// Damage in the store, here and below.
pub fn find(view: &View, id: &str) -> Result<Option<Publication>, StoreError> {
    Ok(find_stated(view, id)?.map(|(report, _)| report))
}

/// The same, with the source that says it.
///
/// # Errors
///
/// As [`find`].
pub fn find_stated(view: &View, id: &str) -> Result<Option<(Publication, String)>, StoreError> {
    let object = view.table(&ObjectKey::publication(id), Table::Publication)?;
    // The title of one that is restricted would name who wrote it.
    let is_shown = |one: &&Statement| one.is_current() && !view.snapshot().is_restricted(one.source);
    let said = object.statements(Table::Publication).filter(is_shown);
    let Some(newest) = said.max_by_key(|one| one.last) else { return Ok(None) };
    let mut report: Publication = newest.fact()?;
    report.published = report.published.or(Some(newest.first));
    Ok(Some((report, view.snapshot().source_name(newest.source).to_owned())))
}

/// The reports published from a moment to another, both included; the newest first, [`LIST_MAX`] at most.
///
/// # Errors
///
/// Damage in the store.
pub fn list(
    view: &View,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Vec<Publication>, StoreError> {
    let mut reports = Vec::new();
    for id in view.publications()? {
        let Some(report) = find(view, &id)? else { continue };
        let is_in = |at: Timestamp| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to);
        if report.published.is_some_and(is_in) {
            reports.push(report);
        }
    }
    reports.sort_by(|a, b| (b.published, &a.id).cmp(&(a.published, &b.id)));
    reports.truncate(LIST_MAX);
    Ok(reports)
}

/// Which reports are looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words, all of which stand in the identifier, the title, the description or a tag, in any case.
    pub words: String,
    /// Of this type; `None`: of any.
    pub report_type: Option<ReportType>,
    /// Published then or later.
    pub from: Option<Timestamp>,
    /// Published then or before.
    pub to: Option<Timestamp>,
}

impl Search {
    fn fits(&self, report: &Publication, words: &[String]) -> bool {
        let tags = [&report.tags, &report.industries, &report.geography, &report.actors];
        let tags = tags.into_iter().flatten().map(String::as_str);
        let texts = [&*report.id, &*report.title, report.description.as_deref().unwrap_or_default()];
        let text = texts.into_iter().chain(tags).collect::<Vec<_>>().join("\n").to_lowercase();
        self.report_type.is_none_or(|wanted| wanted == report.report_type)
            && words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// How many reports fit, and those of a page: the newest first. [`LIST_MAX`] are looked at, the newest.
///
/// # Errors
///
/// Damage in the store.
pub fn search(
    view: &View,
    search: &Search,
    offset: usize,
    limit: usize,
) -> Result<(usize, Vec<Publication>), StoreError> {
    let words: Vec<String> = search.words.split_whitespace().map(str::to_lowercase).collect();
    let mut reports = list(view, search.from, search.to)?;
    reports.retain(|report| search.fits(report, &words));
    let total = reports.len();
    Ok((total, reports.into_iter().skip(offset).take(limit).collect()))
}

/// The most indicators that a report is shown with.
pub const INDICATORS_MAX: usize = 10_000;

/// What a report names, and how it is judged.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = NamedIndicator)]
pub struct Named {
    /// What kind of object it is.
    pub kind: Kind,
    /// The object.
    pub indicator: String,
    /// Its zone.
    pub zone: Zone,
    /// Its score.
    pub threat_score: ThreatScore,
    /// What it is listed as.
    pub categories: Vec<Category>,
}

/// How many indicators a report names, and how each is judged: the first [`INDICATORS_MAX`].
///
/// # Errors
///
/// Damage in the store.
pub fn named(judge: &Judge<'_>, id: &str) -> Result<(usize, Vec<Named>), StoreError> {
    let indicators = indicators(judge.view(), id)?;
    let judged = |indicator: &Indicator| {
        let verdict = judge.indicator(indicator)?;
        Ok(Named {
            kind: indicator.kind(),
            indicator: indicator.to_string(),
            zone: verdict.zone,
            threat_score: verdict.score,
            categories: verdict.categories(),
        })
    };
    let shown = indicators.iter().take(INDICATORS_MAX).map(judged).collect::<Result<_, StoreError>>()?;
    Ok((indicators.len(), shown))
}

/// What a report names, in the order of kinds, then of names.
///
/// # Errors
///
/// Damage in the store.
pub fn indicators(view: &View, id: &str) -> Result<Vec<Indicator>, StoreError> {
    let object = view.table(&ObjectKey::publication(id), Table::MentionOf)?;
    let mut indicators = Vec::new();
    let is_shown = |one: &&Statement| one.is_current() && !view.snapshot().is_restricted(one.source);
    for statement in object.statements(Table::MentionOf).filter(is_shown) {
        indicators.push(statement.fact::<Mention>()?.indicator);
    }
    indicators.sort();
    indicators.dedup();
    Ok(indicators)
}

/// An OpenIOC document of what a report names; `None` where it names nothing.
///
/// # Errors
///
/// Damage in the store.
pub fn openioc(view: &View, report: &Publication) -> Result<Option<Vec<u8>>, StoreError> {
    let indicators = indicators(view, &report.id)?;
    if indicators.is_empty() {
        return Ok(None);
    }
    Ok(Some(iocs::openioc(report, &indicators)?))
}

/// CSV of what a report names, as [`master_iocs`] has it of all.
///
/// # Errors
///
/// Damage in the store.
pub fn csv(view: &View, report: &Publication) -> Result<Vec<u8>, StoreError> {
    let mut csv = Csv::new(Vec::new()).map_err(io::Error::other)?;
    for indicator in indicators(view, &report.id)? {
        csv.push(report, &indicator).map_err(io::Error::other)?;
    }
    Ok(csv.finish()?)
}

/// What all reports of a group name, as CSV in gzip; [`MASTER_ROWS_MAX`] rows at most.
///
/// # Errors
///
/// Damage in the store.
pub fn master_iocs(view: &View, group: Group) -> Result<Vec<u8>, StoreError> {
    let mut csv = Csv::new(gzip()).map_err(io::Error::other)?;
    let mut left = MASTER_ROWS_MAX;
    for report in list(view, None, None)?.iter().filter(|report| group.has(report)) {
        for indicator in indicators(view, &report.id)?.iter().take(left) {
            csv.push(report, indicator).map_err(io::Error::other)?;
            left -= 1;
        }
    }
    Ok(csv.finish()?.finish()?)
}

/// A text in gzip.
///
/// # Errors
///
/// None: it is written to memory.
pub fn compressed(text: &str) -> io::Result<Vec<u8>> {
    let mut writer = gzip();
    writer.write_all(text.as_bytes())?;
    writer.finish()
}

/// A writer of gzip without a moment or a name, so that equal texts are equal bytes.
fn gzip() -> flate2::write::GzEncoder<Vec<u8>> {
    GzBuilder::new().write(Vec::new(), Compression::default())
}
