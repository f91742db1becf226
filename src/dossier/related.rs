//! Rows of the files and URLs that an object has to do with, from its relations.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Common;
use super::rows::{FileRow, List, UrlRow, moments};
use crate::indicator::{DomainName, FileHash, FileHashes, Url, redact};
use crate::store::observed::Observed;
use crate::store::{Edge, ObjectKey, Part, StoreError, Table, read_part};
use crate::value::{Timestamp, Zone};

impl Common<'_> {
    /// A file's zone and hashes; `None` where no MD5 is known, by which rows show it.
    fn file(&self, hash: FileHash) -> Result<Option<(Zone, FileHashes)>, StoreError> {
        let file = self.view().file_hashes(hash.into())?;
        if file.md5.is_none() {
            return Ok(None);
        }
        Ok(Some((self.judge.file(&file)?.zone, file)))
    }

    /// Rows of files from edges whose counterpart is a file and, perhaps, a URL: one row a file, or one a
    /// file and URL.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn files<'e>(
        &self,
        edges: impl Iterator<Item = &'e Edge>,
        by_url: bool,
    ) -> Result<Vec<FileRow>, StoreError> {
        let mut files: HashMap<FileHash, Option<(Zone, FileHashes)>> = HashMap::new();
        let mut joined: HashMap<(String, Option<String>), FileRow> = HashMap::new();
        for edge in edges {
            let Some((Part::File(hash), rest)) = read_part(&edge.counterpart) else { continue };
            let known = match files.entry(hash) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(empty) => *empty.insert(self.file(hash)?),
            };
            let Some((zone, file)) = known else { continue };
            let md5 = file.best().map(|md5| md5.to_string()).unwrap_or_default();
            let url = match read_part(rest) {
                Some((Part::Url(url), _)) => Some(redact(url).0),
                _ => None,
            };
            let (first, last) = moments(&edge.observed);
            let hits = edge.observed.hits();
            match joined.entry((md5.clone(), if by_url { url.clone() } else { None })) {
                Entry::Occupied(mut row) => {
                    let row = row.get_mut();
                    row.hits += hits;
                    row.first = row.first.min(first);
                    if (last, &url) > (row.last, &row.url) || row.url.is_none() {
                        row.url = url.or(row.url.take());
                    }
                    row.last = row.last.max(last);
                }
                Entry::Vacant(empty) => {
                    empty.insert(FileRow { zone, hits, first, last, md5, file, detection: None, url });
                }
            }
        }
        Ok(joined.into_values().collect())
    }

    /// Names what the files that are shown were detected as.
    pub(super) fn name_detections(&self, list: &mut List<FileRow>) -> Result<(), StoreError> {
        for row in list.rows.iter_mut().filter(|row| !matches!(row.zone, Zone::Green)) {
            let mut best: Option<(Timestamp, String)> = None;
            for hash in row.file.iter() {
                let object = self.view().table(&ObjectKey::file(&hash), Table::FileVerdict)?;
                for statement in object.statements(Table::FileVerdict).filter(|one| one.is_current()) {
                    let verdict: crate::fact::FileVerdict = statement.fact()?;
                    let at = verdict.observed.unwrap_or(statement.last);
                    if let Some(name) = verdict.detection_name
                        && best.as_ref().is_none_or(|(known, _)| at >= *known)
                    {
                        best = Some((at, name));
                    }
                }
            }
            row.detection = best.map(|(_, name)| name);
        }
        Ok(())
    }

    /// Rows of URLs from edges whose counterpart is a URL, or a host; rows that private data made different are one.
    pub(super) fn urls<'e>(
        &self,
        edges: impl Iterator<Item = &'e Edge>,
        with_hits: bool,
    ) -> Result<Vec<UrlRow>, StoreError> {
        let mut joined: HashMap<String, UrlRow> = HashMap::new();
        for edge in edges {
            let (text, zone) = match read_part(&edge.counterpart) {
                Some((Part::Url(key), _)) => match Url::from_key(key) {
                    Ok(url) => (key.to_owned(), self.judge.url(&url)?.zone),
                    Err(_) => continue,
                },
                // Where a file came from or went to without a URL.
                Some((Part::Address(address), _)) => {
                    (address.to_string(), self.judge.address_zone(address)?.0)
                }
                Some((Part::Domain(name), _)) => match DomainName::from_store(&name) {
                    Some(domain) => (name, self.judge.domain_zone(&domain)?.0),
                    None => continue,
                },
                _ => continue,
            };
            add_url(&mut joined, &text, zone, &edge.observed, with_hits);
        }
        Ok(joined.into_values().collect())
    }
}

fn add_url(
    joined: &mut HashMap<String, UrlRow>,
    key: &str,
    zone: Zone,
    observed: &Observed,
    with_hits: bool,
) {
    let (url, is_truncated) = redact(key);
    let (first, last) = moments(observed);
    let hits = if with_hits { observed.hits() } else { 0 };
    match joined.get_mut(&url) {
        Some(row) => {
            row.zone = row.zone.min(zone);
            row.hits += hits;
            row.first = row.first.min(first);
            row.last = row.last.max(last);
            row.is_truncated |= is_truncated;
        }
        None => {
            joined.insert(url.clone(), UrlRow { zone, hits, first, last, url, is_truncated });
        }
    }
}
