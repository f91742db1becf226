//! The kinds of report: which dossier each is of, and what sections of several kinds need of it.

use std::collections::BTreeSet;

use crate::dossier::rows::{AddressRow, FileRow, List, UrlRow};
use crate::dossier::{AddressDossier, Common, DomainDossier, FileDossier, MaskRow, References, UrlDossier};
use crate::fact::Registration;
use crate::indicator::Kind;
use crate::store::StoreError;

/// What a report is about.
#[expect(clippy::large_enum_variant, reason = "there is one a report, and it is not moved")]
pub enum About<'a> {
    /// A domain.
    Domain(DomainDossier<'a>),
    /// An address.
    Address(AddressDossier<'a>),
    /// A URL.
    Url(UrlDossier<'a>),
    /// A file.
    File(FileDossier<'a>),
}

impl<'a> About<'a> {
    /// What dossiers of all kinds have.
    pub fn common(&self) -> &Common<'a> {
        match self {
            About::Domain(dossier) => &dossier.common,
            About::Address(dossier) => &dossier.common,
            About::Url(dossier) => &dossier.common,
            About::File(dossier) => &dossier.common,
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
    fn pick<'d, 'a>(about: &'d About<'a>) -> Option<&'d Self::Dossier<'a>>;
    /// What dossiers of all kinds have.
    fn common<'d>(dossier: &'d Self::Dossier<'_>) -> &'d Common<'d>;
    /// Whether some row of the report's lists is Red, counted before rows are cut.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn has_red_zone(dossier: &Self::Dossier<'_>) -> Result<bool, StoreError>;
    /// The feeds that list the object, or what the report has of it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn feeds(dossier: &Self::Dossier<'_>) -> Result<BTreeSet<String>, StoreError>;
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

/// A list of a report.
type Listed<'b, T> = Result<&'b List<T>, StoreError>;

/// Reports on what the web names: a domain, a URL.
pub trait Web: Of {
    /// Files downloaded from it.
    ///
    /// # Errors
    ///
    /// Damage in the store, here and below.
    fn downloaded<'b>(dossier: &'b Self::Dossier<'_>) -> Listed<'b, FileRow>;
    /// Files that accessed it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn accessed<'b>(dossier: &'b Self::Dossier<'_>) -> Listed<'b, FileRow>;
    /// URLs that refer to it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn referrals<'b>(dossier: &'b Self::Dossier<'_>) -> Listed<'b, UrlRow>;
    /// URLs that it refers to.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn referred_to<'b>(dossier: &'b Self::Dossier<'_>) -> Listed<'b, UrlRow>;
    /// Addresses that it resolved to.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn resolutions<'b>(dossier: &'b Self::Dossier<'_>) -> Listed<'b, AddressRow>;
    /// Masks that cover it or lie on it.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn masks<'b>(dossier: &'b Self::Dossier<'_>) -> Result<&'b [MaskRow], StoreError>;
    /// The registration of the registrable domain.
    ///
    /// # Errors
    ///
    /// Damage in the store.
    fn registration<'b>(dossier: &'b Self::Dossier<'_>) -> Result<Option<&'b Registration>, StoreError>;
}

/// All feeds of some masks.
fn feeds_of(masks: &[MaskRow]) -> BTreeSet<String> {
    masks.iter().flat_map(|row| row.feeds.iter().cloned()).collect()
}

macro_rules! kind_of_report {
    ($(#[$doc:meta] $of:ident $variant:ident $dossier:ident $kind:ident: red $red:expr, feeds $feeds:expr, notes $notes:expr;)*) => {
        $(
            #[$doc]
            pub struct $of;

            impl Of for $of {
                const KIND: Kind = Kind::$kind;
                type Dossier<'a> = $dossier<'a>;

                fn pick<'d, 'a>(about: &'d About<'a>) -> Option<&'d $dossier<'a>> {
                    match about {
                        About::$variant(dossier) => Some(dossier),
                        _ => None,
                    }
                }

                fn common<'d>(dossier: &'d $dossier<'_>) -> &'d Common<'d> {
                    &dossier.common
                }

                fn has_red_zone(dossier: &$dossier<'_>) -> Result<bool, StoreError> {
                    let red: fn(&$dossier<'_>) -> Result<bool, StoreError> = $red;
                    red(dossier)
                }

                fn feeds(dossier: &$dossier<'_>) -> Result<BTreeSet<String>, StoreError> {
                    let feeds: fn(&$dossier<'_>) -> Result<BTreeSet<String>, StoreError> = $feeds;
                    feeds(dossier)
                }

                fn references(dossier: &$dossier<'_>) -> Result<References, StoreError> {
                    dossier.references()
                }

                fn notes(dossier: &$dossier<'_>) -> Result<Vec<String>, StoreError> {
                    let notes: fn(&$dossier<'_>) -> Result<Vec<String>, StoreError> = $notes;
                    notes(dossier)
                }
            }
        )*
    };
}

kind_of_report! {
    /// Reports on domains.
    OfDomain Domain DomainDossier Domain:
        red |one| Ok(reds_of_web::<OfDomain>(one)? || one.subdomains()?.has_red()),
        feeds |one| Ok(feeds_of(one.masks()?)),
        notes |one| one.notes();
    /// Reports on addresses.
    OfAddress Address AddressDossier Ip:
        red |one| Ok(one.files()?.has_red() || one.urls()?.has_red() || one.names()?.has_red()),
        feeds |one| Ok(feeds_of(one.masks()?)),
        notes |one| one.notes();
    /// Reports on URLs.
    OfUrl Url UrlDossier Url:
        red |one| reds_of_web::<OfUrl>(one),
        feeds |one| Ok(feeds_of(one.masks()?)),
        notes |one| one.notes();
    /// Reports on files.
    OfFile File FileDossier Hash:
        red |one| Ok(one.downloaded_from()?.has_red() || one.accessed()?.has_red()),
        feeds |one| Ok(one.feeds()),
        notes |one| Ok(one.notes());
}

/// Whether some row of the lists that domains and URLs have is Red.
fn reds_of_web<O: Web>(dossier: &O::Dossier<'_>) -> Result<bool, StoreError> {
    Ok(O::accessed(dossier)?.has_red()
        || O::downloaded(dossier)?.has_red()
        || O::referrals(dossier)?.has_red()
        || O::referred_to(dossier)?.has_red()
        || O::resolutions(dossier)?.has_red())
}

macro_rules! web {
    ($of:ident, $dossier:ident) => {
        impl Web for $of {
            fn downloaded<'b>(dossier: &'b $dossier<'_>) -> Listed<'b, FileRow> {
                dossier.downloaded()
            }

            fn accessed<'b>(dossier: &'b $dossier<'_>) -> Listed<'b, FileRow> {
                dossier.accessed()
            }

            fn referrals<'b>(dossier: &'b $dossier<'_>) -> Listed<'b, UrlRow> {
                dossier.referrals()
            }

            fn referred_to<'b>(dossier: &'b $dossier<'_>) -> Listed<'b, UrlRow> {
                dossier.referred_to()
            }

            fn resolutions<'b>(dossier: &'b $dossier<'_>) -> Listed<'b, AddressRow> {
                dossier.resolutions()
            }

            fn masks<'b>(dossier: &'b $dossier<'_>) -> Result<&'b [MaskRow], StoreError> {
                dossier.masks()
            }

            fn registration<'b>(dossier: &'b $dossier<'_>) -> Result<Option<&'b Registration>, StoreError> {
                dossier.registration()
            }
        }
    };
}

web!(OfDomain, DomainDossier);
web!(OfUrl, UrlDossier);
