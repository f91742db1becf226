//! `FileNames`: the names that a file was seen under.

use serde::Serialize;

use super::{OfFile, Section};
use crate::dossier::FileDossier;
use crate::store::StoreError;

/// The section.
pub struct FileNames;

/// A name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    file_name: String,
    /// How many examinations saw it under this name.
    file_names_hits_count: u64,
}

impl Section for FileNames {
    const NAME: &'static str = "FileNames";
    const TITLE: &'static str = "File names";
    type Of = OfFile;
    type Body = Vec<Row>;

    fn answer(about: &FileDossier<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = about.names().into_iter().take(about.common.count).map(|(name, count)| Row {
            file_name: name.to_owned(),
            file_names_hits_count: about.common.rounded(count),
        });
        Ok(Some(rows.collect()))
    }
}
