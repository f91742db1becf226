//! The sections of a report: one file a section, [`SECTIONS`] is the registration.
//!
//! A section turns a dossier into the contract's words. It knows no HTTP, reads no store and calls no other
//! section. The file holds name, heading, body and answer; the table holds the order.

use serde::Serialize;

use crate::dossier::{AddressDossier, Common, DomainDossier, MaskRow, References};
use crate::indicator::Kind;
use crate::store::StoreError;

mod data_feeds;
mod dns_resolutions_of_domain;
mod dns_resolutions_of_ip;
mod domain_general_info;
mod domain_who_is_info;
mod feed_masks_of_domain;
mod feed_masks_of_ip;
mod files_accessed;
mod files_downloaded;
mod files_downloaded_from_ip;
mod hosted_urls;
mod industries;
mod ip_general_info;
mod ip_who_is;
pub mod license_info;
mod phishing_info;
mod related_objects;
mod similar_domains;
mod spam_info;
mod subdomains;
mod url_referrals;
mod verdict;
mod wire;
mod zone;

/// All sections, in the order of reports. A name that stands for two kinds of report has a row for each.
pub const SECTIONS: &[Entry] = &[
    row::<license_info::LicenseInfo<OfDomain>>(),
    row::<zone::ZoneSection<OfDomain>>(),
    row::<related_objects::RelatedObjects<OfDomain>>(),
    row::<domain_general_info::DomainGeneralInfo>(),
    row::<files_accessed::FilesAccessed>(),
    row::<files_downloaded::FilesDownloaded>(),
    row::<subdomains::Subdomains>(),
    row::<url_referrals::UrlReferrals>(),
    row::<url_referrals::UrlReferredTo>(),
    row::<domain_who_is_info::DomainWhoIsInfo>(),
    row::<dns_resolutions_of_domain::DomainDnsResolutions>(),
    row::<feed_masks_of_domain::FeedMasks>(),
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
}

/// What a report is about.
#[expect(clippy::large_enum_variant, reason = "there is one a report, and it is not moved")]
pub enum About<'a> {
    /// A domain.
    Domain(DomainDossier<'a>),
    /// An address.
    Address(AddressDossier<'a>),
}

impl<'a> About<'a> {
    /// What dossiers of all kinds have.
    pub fn common(&self) -> &Common<'a> {
        match self {
            About::Domain(dossier) => &dossier.common,
            About::Address(dossier) => &dossier.common,
        }
    }
}

/// A kind of report.
pub trait Of {
    /// The kind.
    const KIND: Kind;
    /// Its dossier.
    type Dossier<'a>;

    /// The dossier, where the report is of this kind.
    fn pick<'d>(about: &'d About<'_>) -> Option<&'d Self::Dossier<'d>>;
    /// What dossiers of all kinds have.
    fn common<'d>(dossier: &'d Self::Dossier<'_>) -> &'d Common<'d>;
    /// Whether some row of the report's lists is Red, counted before rows are cut.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn has_red_zone(dossier: &Self::Dossier<'_>) -> Result<bool, StoreError>;
    /// The masks of the report.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn masks<'b>(dossier: &'b Self::Dossier<'_>) -> Result<&'b [MaskRow], StoreError>;
    /// Where to read more of a piece of evidence, by source and indicator.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn references(dossier: &Self::Dossier<'_>) -> Result<References, StoreError>;
    /// What is worth knowing besides evidence.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn notes(dossier: &Self::Dossier<'_>) -> Result<Vec<String>, StoreError>;
}

/// Reports on domains.
pub struct OfDomain;

impl Of for OfDomain {
    const KIND: Kind = Kind::Domain;
    type Dossier<'a> = DomainDossier<'a>;

    fn pick<'d>(about: &'d About<'_>) -> Option<&'d DomainDossier<'d>> {
        match about {
            About::Domain(dossier) => Some(dossier),
            About::Address(_) => None,
        }
    }

    fn common<'d>(dossier: &'d DomainDossier<'_>) -> &'d Common<'d> {
        &dossier.common
    }

    fn has_red_zone(dossier: &DomainDossier<'_>) -> Result<bool, StoreError> {
        Ok(dossier.accessed()?.has_red
            || dossier.downloaded()?.has_red
            || dossier.subdomains()?.has_red
            || dossier.referrals()?.has_red
            || dossier.referred_to()?.has_red
            || dossier.resolutions()?.has_red)
    }

    fn masks<'b>(dossier: &'b DomainDossier<'_>) -> Result<&'b [MaskRow], StoreError> {
        dossier.masks()
    }

    fn references(dossier: &DomainDossier<'_>) -> Result<References, StoreError> {
        dossier.references()
    }

    fn notes(dossier: &DomainDossier<'_>) -> Result<Vec<String>, StoreError> {
        dossier.notes()
    }
}

/// Reports on addresses.
pub struct OfAddress;

impl Of for OfAddress {
    const KIND: Kind = Kind::Ip;
    type Dossier<'a> = AddressDossier<'a>;

    fn pick<'d>(about: &'d About<'_>) -> Option<&'d AddressDossier<'d>> {
        match about {
            About::Address(dossier) => Some(dossier),
            About::Domain(_) => None,
        }
    }

    fn common<'d>(dossier: &'d AddressDossier<'_>) -> &'d Common<'d> {
        &dossier.common
    }

    fn has_red_zone(dossier: &AddressDossier<'_>) -> Result<bool, StoreError> {
        Ok(dossier.files()?.has_red || dossier.urls()?.has_red || dossier.names()?.has_red)
    }

    fn masks<'b>(dossier: &'b AddressDossier<'_>) -> Result<&'b [MaskRow], StoreError> {
        dossier.masks()
    }

    fn references(dossier: &AddressDossier<'_>) -> Result<References, StoreError> {
        dossier.references()
    }

    fn notes(dossier: &AddressDossier<'_>) -> Result<Vec<String>, StoreError> {
        dossier.notes()
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
}

const fn row<S: Section>() -> Entry {
    Entry { name: S::NAME, title: S::TITLE, kind: S::Of::KIND, write: write::<S> }
}

fn write<S: Section>(about: &About<'_>) -> Result<Option<String>, StoreError> {
    let Some(dossier) = S::Of::pick(about) else { return Ok(None) };
    let Some(body) = S::answer(dossier)? else { return Ok(None) };
    serde_json::to_string(&body).map(Some).map_err(|error| StoreError::Io(std::io::Error::other(error)))
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
