//! What pages load: style, script and icon, in the program itself.

use std::sync::LazyLock;

use xxhash_rust::xxh3::Xxh3;

/// A file that pages load.
pub struct Asset {
    /// Its name under `/static/`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        Asset {
            name: $name,
            media_type: $kind,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/", $name)),
        }
    };
}

/// All of them.
pub const ASSETS: &[Asset] = &[
    asset!("zonelens.css", STYLE),
    asset!("pictures.css", STYLE),
    asset!("zonelens.js", SCRIPT),
    asset!("icon.svg", "image/svg+xml"),
    asset!("graph.css", STYLE),
    asset!("graph.js", SCRIPT),
    asset!("vendor/cytoscape.min.js", SCRIPT),
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Xxh3::new();
    for asset in ASSETS {
        digest.update(asset.bytes);
    }
    format!("{:016x}", digest.digest())
});

/// A digest of all of them: in their addresses, so that browsers keep them until they change.
pub fn version() -> &'static str {
    &VERSION
}
