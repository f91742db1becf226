//! `FileGeneralInfo`: the overview of a file.

use serde::Serialize;

use super::wire::{
    CategoryWithZone, RelatedReport, Time, categories, categories_with_zone, related_reports, text, time,
};
use super::{OfFile, Section};
use crate::dossier::FileDossier;
use crate::indicator::FileHash;
use crate::store::StoreError;
use crate::value::Zone;

/// The section.
pub struct FileGeneralInfo;

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    /// The zone in a file's word.
    file_status: &'static str,
    /// Empty where it is unknown: the one text that is never null.
    md5: String,
    sha1: Option<String>,
    sha256: Option<String>,
    first_seen: Option<Time>,
    last_seen: Option<Time>,
    /// Whose signature it carries.
    signer: Option<String>,
    /// No source says how dangerous a signer is.
    signer_zone: Option<Zone>,
    /// No source says whether a signature holds.
    signer_status: Option<String>,
    /// What it is packed with.
    packer: Option<String>,
    /// Bytes.
    size: Option<u64>,
    /// MIME type or kind of file.
    r#type: Option<String>,
    /// Downloads of it, and what it contacted.
    hits_count: u64,
    /// Categories of live listings and detections.
    categories: Vec<String>,
    /// The same with their zones.
    categories_with_zone: Vec<CategoryWithZone>,
    /// A report on a targeted attacker names it, or a feed lists it as one's.
    has_apt: bool,
    /// Every report that names it, newest first.
    related_apt_reports: Vec<RelatedReport>,
}

fn status(about: &FileDossier<'_>) -> &'static str {
    match about.common.verdict.zone {
        Zone::Red => "Malware",
        // A file is never Orange.
        Zone::Orange | Zone::Yellow => "Adware",
        Zone::Grey => "NotCategorized",
        Zone::Green if about.is_listed_clean() => "Clean",
        Zone::Green => "NoThreats",
    }
}

impl Section for FileGeneralInfo {
    const NAME: &'static str = "FileGeneralInfo";
    const TITLE: &'static str = "Overview";
    type Of = OfFile;
    type Body = Body;

    fn answer(about: &FileDossier<'_>) -> Result<Option<Body>, StoreError> {
        let common = &about.common;
        let seen = about.seen();
        let file = about.file;
        let shown = |hash: Option<FileHash>| hash.map(|hash| hash.to_string());
        Ok(Some(Body {
            file_status: status(about),
            md5: shown(file.md5.map(FileHash::Md5)).unwrap_or_default(),
            sha1: shown(file.sha1.map(FileHash::Sha1)),
            sha256: shown(file.sha256.map(FileHash::Sha256)),
            first_seen: time(seen.map(|(first, _)| first)),
            last_seen: time(seen.map(|(_, last)| last)),
            signer: about.newest(|said| text(&said.signer).map(str::to_owned)),
            signer_zone: None,
            signer_status: None,
            packer: about.newest(|said| text(&said.packer).map(str::to_owned)),
            size: about.newest(|said| said.size),
            r#type: about.newest(|said| text(&said.file_type).map(str::to_owned)),
            hits_count: common.rounded(about.hits()),
            categories: categories(common),
            categories_with_zone: categories_with_zone(common),
            has_apt: common.has_apt()?,
            related_apt_reports: related_reports(common)?,
        }))
    }
}
