//! Names that imitate one, on request: all techniques, the ones most worth a look first.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dossier::registration;
use crate::dossier::similar::{Owner, SimilarRow, ranked};
use crate::indicator::DomainName;
use crate::lookup::{Context, LookupError};
use crate::similar::{Technique, Techniques, label_and_suffix};
use crate::value::Zone;
use crate::verdict::Judge;

/// Rows of an answer unless another number is asked for.
pub const LIMIT: usize = 100;

/// The most rows of an answer.
pub const LIMIT_MAX: usize = 1000;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The techniques; none: all.
    pub techniques: Option<Techniques>,
    /// The most rows, 1 to [`LIMIT_MAX`].
    pub limit: usize,
}

impl Wanted {
    /// Reads techniques, with commas between them, and a limit, as texts.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right.
    pub fn parse(techniques: Option<&str>, limit: Option<&str>) -> Result<Wanted, String> {
        let names = techniques.into_iter().flat_map(|text| text.split(',')).map(str::trim);
        let all =
            names.filter(|name| !name.is_empty()).map(Technique::parse).collect::<Result<Techniques, _>>()?;
        let limit = match limit {
            None => LIMIT,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => limit,
                _ => return Err(format!("limit is {text:?}: use 1 to {LIMIT_MAX}")),
            },
        };
        Ok(Wanted { techniques: (!all.is_empty()).then_some(all), limit })
    }
}

/// The known names that imitate one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Lookalikes {
    /// What was asked about: the registrable domain; null for a public suffix, which nobody imitates.
    pub domain: Option<String>,
    /// How many there are; above a thousand the rows are of those that are nearest.
    pub found: usize,
    /// They, the ones most worth a look first, same owner last.
    pub rows: Vec<Row>,
}

/// A name that imitates another.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LookalikeRow)]
pub struct Row {
    /// The name in A-labels; of the technique `subdomain` the whole host.
    pub domain: String,
    /// The same in Unicode; null where that is the same.
    pub unicode: Option<String>,
    /// Its zone.
    pub zone: Zone,
    /// The most telling technique.
    pub technique: &'static str,
    /// All techniques that it fits.
    pub techniques: Vec<&'static str>,
    /// Edit distance of the two labels, in Unicode.
    pub distance: usize,
    /// When it was registered: a date.
    pub registration: Option<String>,
    /// When that runs out: a date.
    pub expiration: Option<String>,
    /// Port 80 answered when it was last tried.
    pub http_open: Option<bool>,
    /// Port 443 did.
    pub https_open: Option<bool>,
    /// Its best rank in a list of popular names.
    pub popularity: Option<u32>,
    /// Same registrant, name servers or addresses as what was asked about.
    pub same_owner: bool,
}

impl From<SimilarRow> for Row {
    fn from(row: SimilarRow) -> Row {
        let unicode = DomainName::from_normal(&row.domain).map(|name| name.unicode());
        Row {
            unicode: unicode.filter(|unicode| *unicode != row.domain),
            zone: row.zone,
            technique: row.technique(),
            techniques: row.techniques.iter().map(|technique| technique.name).collect(),
            distance: row.distance,
            registration: row.created.map(|at| at.date()),
            expiration: row.expires.map(|at| at.date()),
            http_open: row.http_open,
            https_open: row.https_open,
            popularity: row.popularity,
            same_owner: row.same_owner,
            domain: row.domain,
        }
    }
}

/// The known names that imitate the registrable domain of `name`.
///
/// # Errors
///
/// Where the store cannot answer.
pub fn lookalikes(
    context: &Context<'_>,
    name: &DomainName,
    wanted: Wanted,
) -> Result<Lookalikes, LookupError> {
    let view = context.snapshot()?.view(None);
    let judge = Judge::new(&view, context.policy, context.now);
    let domain = label_and_suffix(name.as_str()).map(|(label, suffix)| format!("{label}.{suffix}"));
    let own = domain.as_deref().map_or(Ok(None), |domain| registration(&view, domain))?;
    let owner = Owner::of(&judge, name, own.as_ref())?;
    let (found, rows) = ranked(&judge, name, &owner, wanted.techniques)?;
    let rows = rows.into_iter().take(wanted.limit).map(Row::from).collect();
    Ok(Lookalikes { domain, found, rows })
}

/// A domain to ask about, as typed.
///
/// # Errors
///
/// What is wrong and what would be right.
pub fn domain(text: &str) -> Result<DomainName, LookupError> {
    DomainName::parse(text).map_err(|error| LookupError::BadRequest(format!("domain: {error}")))
}
