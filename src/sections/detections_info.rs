//! `DetectionsInfo`: what a file was detected as. `count` does not cut it.

use serde::Serialize;

use super::wire::Time;
use super::{OfFile, Section};
use crate::dossier::FileDossier;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct DetectionsInfo;

/// A detection.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    last_detect_date: Time,
    description_url: Option<String>,
    zone: Zone,
    detection_name: String,
    detection_method: Option<String>,
}

impl Section for DetectionsInfo {
    const NAME: &'static str = "DetectionsInfo";
    const TITLE: &'static str = "Detections";
    type Of = OfFile;
    type Body = Vec<Row>;

    fn answer(about: &FileDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.detections().into_iter().map(|detection| Row {
            last_detect_date: Time(detection.last),
            description_url: detection.description_url,
            zone: detection.zone,
            detection_name: detection.name,
            detection_method: detection.method,
        });
        Ok(Some(rows.collect()))
    }
}
