//! The walls between the rooms, and documents that must be true.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    paths.sort();
    paths
}

/// What a room must not name, and why.
const WALLS: &[(&str, &[&str], &str)] = &[
    (
        "src/feeds",
        &["crate::store", "crate::clock", "crate::http", "std::net::Tcp", "tokio"],
        "a format is a pure reader",
    ),
    ("src/sections", &["axum", "tokio", "crate::http", "crate::feeds"], "a section knows no transport"),
    (
        "src/dossier",
        &["axum", "tokio", "crate::http", "crate::feeds", "crate::sections"],
        "a dossier knows no wire",
    ),
    (
        "src/verdict",
        &["axum", "tokio", "crate::http", "crate::sections", "crate::dossier"],
        "a verdict is a pure function",
    ),
    (
        "src/store",
        &["axum", "tokio", "crate::http", "crate::sections", "crate::verdict", "crate::dossier"],
        "the store judges nothing",
    ),
    (
        "src/people",
        &["axum", "tokio", "crate::http", "crate::cli", "crate::verdict"],
        "what people say knows no transport and no verdict",
    ),
    (
        "src/access",
        &["axum", "tokio", "crate::http", "crate::cli", "crate::store"],
        "who may do what rests on no transport",
    ),
    (
        "src/page",
        &["axum", "tokio", "crate::http", "crate::feeds", "crate::store::View", ".object(&", ".table(&"],
        "a page knows no transport and reads nothing",
    ),
    ("src/http", &["store::read_part", "store::Table", ".object(&", ".table(&"], "the service asks lookup"),
    (
        "src/cli",
        &["store::read_part", "store::Table", ".object(&", ".table(&"],
        "commands ask lookup and upkeep",
    ),
];

#[test]
fn rooms_keep_to_themselves() {
    for path in all_sources() {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for (room, forbidden, why) in WALLS.iter().filter(|(room, ..)| name.starts_with(room)) {
            for word in *forbidden {
                assert!(!code.contains(word), "{name} names {word}: {room} must not, {why}");
            }
        }
    }
}

#[test]
fn nothing_is_left_undone() {
    // Spelled in two parts, so that this file does not find itself.
    let forbidden = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[", "allow("),
    ];
    for path in all_sources() {
        let text = fs::read_to_string(&path).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} holds {word}", path.display());
        }
    }
}

#[test]
fn the_architecture_names_every_room() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            assert!(page.contains(&format!("`src/{name}/`")), "ARCHITECTURE.md does not name src/{name}/");
        }
    }
    for line in page.lines() {
        for part in line.split('`').filter(|part| part.starts_with("src/") && !part.contains('<')) {
            assert!(root().join(part).exists(), "ARCHITECTURE.md names {part}, which is gone");
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for path in all_sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!") || path.ends_with("tests.rs"), "{} has no head", path.display());
    }
}
