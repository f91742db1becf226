//! What a mask covers: the table of section 5.

use super::{Mask, MaskType};
use crate::indicator::{Host, Url};

impl Mask {
    /// Whether the mask covers the web address.
    ///
    /// A host mask with a port covers every address on the host but those spelled with another explicit port; a host, a
    /// domain and a network cover all addresses on their hosts.
    pub fn matches_url(&self, url: &Url) -> bool {
        let key = url.key();
        match self.mask_type {
            MaskType::Url => key == self.text,
            MaskType::Folder => self.text.strip_suffix("/*").is_some_and(|folder| is_in_folder(key, folder)),
            MaskType::Script => self.text.strip_suffix('*').is_some_and(|script| key.starts_with(script)),
            MaskType::Wildcard => {
                // A trailing `/` is not in a key, so `x/*` must be asked for `x` too.
                let folder = self.text.strip_suffix("/*");
                glob(&self.text, key) || folder.is_some_and(|folder| glob(folder, key))
            }
            MaskType::Host => url.host_str() == self.host_key() && self.admits(url.port()),
            MaskType::Domain => is_on(url.host_str(), &self.text),
            MaskType::Network => self.covers_address_of(&url.host()),
        }
    }

    /// Whether the mask covers the host as such, in a report on a domain or an address: a host or domain mask that is it
    /// or above it, a network that holds it, a wildcard that matches the bare host. Masks of one web address, a folder
    /// or a script say nothing of their host. The host is compared without one leading `www.`, so it is one that was asked
    /// for, not that of a [`Url`], whose `www.` is gone: for those see [`matches_url`](Self::matches_url).
    pub fn matches_host(&self, host: &Host) -> bool {
        match self.mask_type {
            MaskType::Url | MaskType::Folder | MaskType::Script => false,
            MaskType::Wildcard => glob(&self.text, &host.normal().to_key()),
            MaskType::Host => host.normal().to_key() == self.host_key(),
            MaskType::Domain => is_on(&host.normal().to_key(), &self.text),
            MaskType::Network => self.covers_address_of(&host.normal()),
        }
    }

    /// The text of a host mask as it stands in a key.
    fn host_key(&self) -> std::borrow::Cow<'_, str> {
        if self.text.contains(':') { format!("[{}]", self.text).into() } else { self.text.as_str().into() }
    }

    /// The port rule: only two ports that are both known can differ.
    fn admits(&self, port: Option<u16>) -> bool {
        self.port.is_none() || port.is_none() || self.port == port
    }

    fn covers_address_of(&self, host: &Host) -> bool {
        match (self.prefix(), host.address()) {
            (Some(prefix), Some(address)) => prefix.contains(address),
            _ => false,
        }
    }
}

/// Whether a host, as in a key, is the name of a domain mask (`*.example.com`) or below it.
fn is_on(host: &str, mask: &str) -> bool {
    // With the star the mask begins with the dot that must stand before the name.
    mask.strip_prefix('*')
        .is_some_and(|dotted| host.ends_with(dotted) || Some(host) == dotted.strip_prefix('.'))
}

/// Whether a key is the folder or below it. A folder that is a whole host also has the host's pages without a path.
fn is_in_folder(key: &str, folder: &str) -> bool {
    let Some(below) = key.strip_prefix(folder) else { return false };
    let whole_host = !folder.contains('/');
    below.is_empty() || below.starts_with('/') || (whole_host && below.starts_with('?'))
}

/// Whether the text matches a pattern in which `*` stands for any text, also none. Time grows with the text for each
/// fixed part, not with their product.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(text) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return text.is_empty() };
    let Some(mut text) = text.strip_suffix(last) else { return false };
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn fixed_parts_match_in_order_without_overlap() {
        for (pattern, text, matches) in [
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }
}
