//! All sources with what came of them, as lists show them.

use std::io;
use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::quarantine::Quarantine;
use super::status::Status;
use super::{Registry, Source};

/// A source and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = KnownSource)]
pub struct Known {
    /// The source; its location with `{key}` unfilled.
    #[serde(flatten)]
    pub source: Source,
    /// What came of it.
    pub status: Status,
    /// Records of its newest import that were not understood.
    pub rejected: u64,
}

/// All sources of a registry, by name.
///
/// # Errors
///
/// What the file system says; a file that does not read.
pub fn all(registry: &Registry, data: &Path) -> io::Result<Vec<Known>> {
    let known = |source: &Source| {
        let status = Status::read(data, &source.name)?;
        let rejected = Quarantine::read(data, &source.name)?.count();
        Ok(Known { source: source.clone(), status, rejected })
    };
    registry.iter().map(known).collect()
}

impl Known {
    /// Without what is nobody's business over a network: where secrets are kept, a proxy (which may carry a password),
    /// paths of this machine beside the location.
    pub fn published(self) -> Known {
        let source = Source { credentials: None, proxy: None, ca_file: None, mapping: None, ..self.source };
        Known { source, ..self }
    }
}
