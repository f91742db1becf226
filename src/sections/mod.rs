//! The sections of a report: one file a section, [`SECTIONS`] is the registration.
//!
//! A section turns a dossier into the contract's words. It knows no HTTP, reads no store and calls no other
//! section. The file holds name, heading, body and answer; the table holds the order.

use serde::Serialize;

use crate::dossier::rows::Counts;
use crate::indicator::Kind;
use crate::store::StoreError;

mod data_feeds;
mod detections_info;
mod dns_resolutions_of_domain;
mod dns_resolutions_of_ip;
mod domain_general_info;
mod domain_who_is_info;
mod feed_masks_of_domain;
mod feed_masks_of_ip;
mod file_general_info;
mod file_names;
mod file_urls;
mod files_accessed;
mod files_downloaded;
mod files_downloaded_from_ip;
mod hosted_urls;
mod industries;
mod ip_general_info;
mod ip_who_is;
mod kinds;
pub mod license_info;
mod phishing_info;
mod related_objects;
mod similar_domains;
mod spam_info;
mod subdomains;
mod url_general_info;
mod url_referrals;
mod verdict;
mod wire;
mod zone;

pub use kinds::{About, Of, OfAddress, OfDomain, OfFile, OfUrl, Web};
pub use phishing_info::attacks_by_country;

/// All sections, in the order of reports. A name that stands for two kinds of report has a row for each.
pub const SECTIONS: &[Entry] = &[
    row::<license_info::LicenseInfo<OfDomain>>(),
    row::<zone::ZoneSection<OfDomain>>(),
    row::<related_objects::RelatedObjects<OfDomain>>(),
    row::<domain_general_info::DomainGeneralInfo>(),
    row::<files_accessed::FilesAccessed<OfDomain>>(),
    row::<files_downloaded::FilesDownloaded<OfDomain>>(),
    row::<subdomains::Subdomains>(),
    row::<url_referrals::UrlReferrals<OfDomain>>(),
    row::<url_referrals::UrlReferredTo<OfDomain>>(),
    row::<domain_who_is_info::DomainWhoIsInfo>(),
    row::<dns_resolutions_of_domain::DomainDnsResolutions<OfDomain>>(),
    row::<feed_masks_of_domain::FeedMasks<OfDomain>>(),
    row::<similar_domains::SimilarDomains>(),
    row::<spam_info::HostSpamInfo>(),
    row::<phishing_info::HostPhishingInfo>(),
    row::<data_feeds::DataFeeds<OfDomain>>(),
    row::<industries::Industries<OfDomain>>(),
    row::<verdict::VerdictSection<OfDomain>>(),
    row::<license_info::LicenseInfo<OfAddress>>(),
    row::<zone::ZoneSection<OfAddress>>(),
    row::<related_objects::RelatedObjects<OfAddress>>(),
    row::<ip_general_info::IpGeneralInfo>(),
    row::<files_downloaded_from_ip::FilesDownloadedFromIp>(),
    row::<hosted_urls::HostedUrls>(),
    row::<feed_masks_of_ip::FeedMasks>(),
    row::<ip_who_is::IpWhoIs>(),
    row::<dns_resolutions_of_ip::IpDnsResolutions>(),
    row::<spam_info::IpSpamInfo>(),
    row::<phishing_info::IpPhishingInfo>(),
    row::<data_feeds::DataFeeds<OfAddress>>(),
    row::<industries::Industries<OfAddress>>(),
    row::<verdict::VerdictSection<OfAddress>>(),
    row::<license_info::LicenseInfo<OfUrl>>(),
    row::<zone::ZoneSection<OfUrl>>(),
    row::<related_objects::RelatedObjects<OfUrl>>(),
    row::<url_general_info::UrlGeneralInfo>(),
    row::<domain_who_is_info::UrlDomainWhoIs>(),
    row::<dns_resolutions_of_domain::DomainDnsResolutions<OfUrl>>(),
    row::<files_downloaded::FilesDownloaded<OfUrl>>(),
    row::<files_accessed::FilesAccessed<OfUrl>>(),
    row::<url_referrals::UrlReferrals<OfUrl>>(),
    row::<url_referrals::UrlReferredTo<OfUrl>>(),
    row::<feed_masks_of_domain::FeedMasks<OfUrl>>(),
    row::<data_feeds::DataFeeds<OfUrl>>(),
    row::<industries::Industries<OfUrl>>(),
    row::<verdict::VerdictSection<OfUrl>>(),
    row::<license_info::LicenseInfo<OfFile>>(),
    row::<zone::ZoneSection<OfFile>>(),
    row::<related_objects::RelatedObjects<OfFile>>(),
    row::<file_general_info::FileGeneralInfo>(),
    row::<detections_info::DetectionsInfo>(),
    row::<file_names::FileNames>(),
    row::<file_urls::FileDownloadedFromUrls>(),
    row::<file_urls::FileAccessedUrls>(),
    row::<data_feeds::DataFeeds<OfFile>>(),
    row::<industries::Industries<OfFile>>(),
    row::<verdict::VerdictSection<OfFile>>(),
];

/// The sections that a report on a reserved address has.
pub const RESERVED: [&str; 4] = ["LicenseInfo", "Zone", "IpGeneralInfo", "IpWhoIs"];

/// One section of one kind of report.
pub trait Section {
    /// Its name on the wire.
    const NAME: &'static str;
    /// Its heading on a page.
    const TITLE: &'static str;
    /// What kind of report has it.
    type Of: Of;
    /// What it says.
    type Body: Serialize;

    /// What it says of an object; `None`: it is left out of the report.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn answer(about: &<Self::Of as Of>::Dossier<'_>) -> Result<Option<Self::Body>, StoreError>;

    /// How many rows it has, those beyond `count` too; `None`: as many as the answer has, or it has none.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn counts(_about: &<Self::Of as Of>::Dossier<'_>) -> Result<Option<Counts>, StoreError> {
        Ok(None)
    }
}

/// A row of [`SECTIONS`].
pub struct Entry {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its heading on a page.
    pub title: &'static str,
    /// The kind of report that has it.
    pub kind: Kind,
    write: fn(&About<'_>) -> Result<Option<String>, StoreError>,
    counts: fn(&About<'_>) -> Result<Option<Counts>, StoreError>,
}

impl Entry {
    /// The section's body as JSON; `None` where it is left out.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn write(&self, about: &About<'_>) -> Result<Option<String>, StoreError> {
        (self.write)(about)
    }

    /// How many rows it has, where it does not show all.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    pub fn counts(&self, about: &About<'_>) -> Result<Option<Counts>, StoreError> {
        (self.counts)(about)
    }
}

const fn row<S: Section>() -> Entry {
    Entry { name: S::NAME, title: S::TITLE, kind: S::Of::KIND, write: write::<S>, counts: counts::<S> }
}

fn write<S: Section>(about: &About<'_>) -> Result<Option<String>, StoreError> {
    let Some(dossier) = S::Of::pick(about) else { return Ok(None) };
    let Some(body) = S::answer(dossier)? else { return Ok(None) };
    serde_json::to_string(&body).map(Some).map_err(|error| StoreError::Io(std::io::Error::other(error)))
}

fn counts<S: Section>(about: &About<'_>) -> Result<Option<Counts>, StoreError> {
    S::Of::pick(about).map_or(Ok(None), S::counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_stands_once_for_a_kind() {
        for (at, entry) in SECTIONS.iter().enumerate() {
            assert!(!entry.title.is_empty());
            let same = |other: &Entry| other.name == entry.name && other.kind == entry.kind;
            assert_eq!(SECTIONS.iter().position(same), Some(at), "{} stands twice", entry.name);
        }
    }
}
