//! Where a source comes from, as it is written.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a source comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Location {
    /// A file or a folder.
    Path(PathBuf),
    /// Files by a pattern of shells: `/var/log/dns/*.log.gz`.
    Pattern(String),
    /// A web address; `{key}` in it is where the secret of the credentials goes.
    Http(String),
    /// A collection of a TAXII 2.1 server: `taxii+https://host/api/collections/<id>/`.
    Taxii(String),
    /// A feed of MISP events, its manifest beside them: `misp+https://host/feed/`.
    Misp(String),
    /// Registrations of domains, asked of their registries: `rdap:`.
    Rdap,
}

/// Makes a location of a web address.
type Make = fn(String) -> Location;

/// Locations that are read over the network, by what they begin with.
const NETWORKED: [(&str, Make); 3] =
    [("taxii+", Location::Taxii), ("misp+", Location::Misp), ("", Location::Http)];

impl Location {
    /// Whether asking for it leaves this machine.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Location::Path(_) | Location::Pattern(_))
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Location, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the location is empty: name a file, a folder or an address".to_owned());
        }
        if text == "rdap:" {
            return Ok(Location::Rdap);
        }
        if text.chars().any(char::is_control) {
            return Err(format!("the location {text:?} has a control character: write it without"));
        }
        for (prefix, make) in NETWORKED {
            let Some(rest) = text.strip_prefix(prefix) else { continue };
            if rest.starts_with("https://") || rest.starts_with("http://") {
                let filled = rest.replace("{key}", "key");
                let uri = filled.parse::<ureq::http::Uri>();
                let is_sound = uri.is_ok_and(|uri| {
                    uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                });
                return match is_sound {
                    true => Ok(make(rest.to_owned())),
                    false => Err(format!(
                        "the location {text:?} is no web address: use https://host/path; a user belongs in credentials"
                    )),
                };
            }
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(format!(
                "the location {text:?} begins with {scheme}:// : use https://, http://, taxii+https://, misp+https://, \
                 rdap: or a path"
            ));
        }
        if text.contains(['*', '?', '[']) {
            glob::Pattern::new(text)
                .map_err(|error| format!("the location {text:?} is no pattern: {error}"))?;
            return Ok(Location::Pattern(text.to_owned()));
        }
        Ok(Location::Path(PathBuf::from(text)))
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> Result<Location, String> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> String {
        location.to_string()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => path.display().fmt(out),
            Location::Pattern(text) | Location::Http(text) => out.write_str(text),
            Location::Taxii(url) => write!(out, "taxii+{url}"),
            Location::Misp(url) => write!(out, "misp+{url}"),
            Location::Rdap => out.write_str("rdap:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Location>();
        for text in [
            "/var/log/dns",
            "dns.log",
            "/var/log/*.gz",
            "https://a.example/x?y={key}",
            "http://[::1]:80/",
            "taxii+https://a.example/api/collections/1/",
            "misp+http://a.example/feed/",
            "rdap:",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert!(matches!(read("taxii+https://a.example/"), Ok(Location::Taxii(_))));
        assert!(read("/a/b").is_ok_and(|location| !location.is_remote()));
        for wrong in [
            "",
            " ",
            "ftp://a.example/",
            "https://",
            "https://u:p@a.example/",
            "/a/[",
            "https://a b/",
            "a\nb",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
