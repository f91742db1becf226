//! How values look on the wire, where that differs from how facts spell them.

use serde::{Serialize, Serializer};

use crate::dossier::Common;
use crate::store::StoreError;
use crate::store::observed::Peak;
use crate::value::{DAY_S, Timestamp, Zone};

/// A time to the minute: `2024-05-28T07:03Z`.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A time that may be unknown.
pub fn time(at: Option<Timestamp>) -> Option<Time> {
    at.map(Time)
}

/// The day of a peak as a time.
pub fn peak_date(peak: &Peak) -> Time {
    Time(Timestamp(i64::from(peak.day) * DAY_S))
}

/// A category with its zone.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoryWithZone {
    name: String,
    zone: Zone,
}

/// A report that names the object.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RelatedReport {
    id: String,
    r#type: crate::fact::ReportType,
    title: String,
}

/// The names of the object's categories.
pub fn categories(common: &Common<'_>) -> Vec<String> {
    common.verdict.categories().iter().map(ToString::to_string).collect()
}

/// The object's categories with their zones.
pub fn categories_with_zone(common: &Common<'_>) -> Vec<CategoryWithZone> {
    let all = common.verdict.categories();
    all.iter()
        .map(|category| CategoryWithZone { name: category.to_string(), zone: category.zone() })
        .collect()
}

/// The reports that name the object.
///
/// # Errors
///
/// Damage in the store.
pub fn related_reports(common: &Common<'_>) -> Result<Vec<RelatedReport>, StoreError> {
    let report = |report: &crate::fact::Publication| RelatedReport {
        id: report.id.clone(),
        r#type: report.report_type,
        title: report.title.clone(),
    };
    Ok(common.publications()?.iter().map(report).collect())
}

/// A contact without what is empty.
pub fn text(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|text| !text.is_empty())
}
