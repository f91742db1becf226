//! Files by their digests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseError, refang};

/// A file by one digest: MD5 (RFC 1321), SHA-1 or SHA-256 (FIPS 180-4).
///
/// Shown, and written by serde, in upper-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileHash {
    /// 16 bytes, 32 digits.
    Md5([u8; 16]),
    /// 20 bytes, 40 digits.
    Sha1([u8; 20]),
    /// 32 bytes, 64 digits.
    Sha256([u8; 32]),
}

impl FileHash {
    /// Reads 32, 40 or 64 hexadecimal digits in any case, with white space around them.
    ///
    /// # Errors
    /// Any other length, or a character that is no digit.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let plain = refang(text.trim());
        let hash = match plain.len() {
            32 => decode(&plain).map(Self::Md5),
            40 => decode(&plain).map(Self::Sha1),
            64 => decode(&plain).map(Self::Sha256),
            length => {
                let problem = format!("it has {length} bytes");
                return Err(ParseError::new(text, WANTED, problem, RIGHT));
            }
        };
        hash.ok_or_else(|| ParseError::new(text, WANTED, "it has characters other than 0-9 and a-f", RIGHT))
    }

    /// The digest's bytes: 16, 20 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

const WANTED: &str = "a file hash";
const RIGHT: &str = "32 (MD5), 40 (SHA-1) or 64 (SHA-256) hexadecimal digits";

/// `2 * N` hexadecimal digits as bytes; None for anything else.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).expect("two hexadecimal digits fit a byte");
    }
    Some(bytes)
}

impl fmt::Display for FileHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

impl FromStr for FileHash {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl Serialize for FileHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_text(deserializer, Self::parse)
    }
}

/// All that is known of one file's digests. Serde writes `{"md5":"…","sha1":"…","sha256":"…"}`, unknown ones left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileHashes {
    /// MD5, when known.
    #[serde(with = "digest", default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<[u8; 16]>,
    /// SHA-1, when known.
    #[serde(with = "digest", default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<[u8; 20]>,
    /// SHA-256, when known.
    #[serde(with = "digest", default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<[u8; 32]>,
}

impl FileHashes {
    /// Whether at least one digest is known.
    pub fn any(&self) -> bool {
        !self.is_empty()
    }

    /// Whether no digest is known.
    pub fn is_empty(&self) -> bool {
        self.best().is_none()
    }

    /// The digest that names the file in a report: MD5 (every row of the interface has one), else SHA-256, else SHA-1.
    pub fn best(&self) -> Option<FileHash> {
        self.md5.map(FileHash::Md5).or(self.sha256.map(FileHash::Sha256)).or(self.sha1.map(FileHash::Sha1))
    }

    /// The known digests: MD5, SHA-1, SHA-256.
    pub fn iter(&self) -> impl Iterator<Item = FileHash> + use<> {
        let all =
            [self.md5.map(FileHash::Md5), self.sha1.map(FileHash::Sha1), self.sha256.map(FileHash::Sha256)];
        all.into_iter().flatten()
    }

    /// Whether the digest of each kind is known.
    pub fn is_complete(&self) -> bool {
        self.md5.is_some() && self.sha1.is_some() && self.sha256.is_some()
    }

    /// Adds one digest where none of its kind is known.
    pub fn fill(&mut self, hash: FileHash) {
        let (known, mut filled) = (*self, *self);
        filled.set(hash);
        *self = FileHashes {
            md5: known.md5.or(filled.md5),
            sha1: known.sha1.or(filled.sha1),
            sha256: known.sha256.or(filled.sha256),
        };
    }

    /// Adds one digest, in place of a known one of its kind.
    pub fn set(&mut self, hash: FileHash) {
        match hash {
            FileHash::Md5(bytes) => self.md5 = Some(bytes),
            FileHash::Sha1(bytes) => self.sha1 = Some(bytes),
            FileHash::Sha256(bytes) => self.sha256 = Some(bytes),
        }
    }
}

impl From<FileHash> for FileHashes {
    fn from(hash: FileHash) -> Self {
        let mut hashes = Self::default();
        hashes.set(hash);
        hashes
    }
}

/// Serde of one optional digest as upper-case hexadecimal.
mod digest {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::{FileHash, decode};

    pub(super) fn serialize<const N: usize, S: Serializer>(
        digest: &Option<[u8; N]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match digest {
            Some(bytes) => serializer.collect_str(&Hex(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; N]>, D::Error> {
        let Some(text) = Option::<Cow<'_, str>>::deserialize(deserializer)? else { return Ok(None) };
        let hash = FileHash::parse(&text).map_err(de::Error::custom)?;
        match decode(text.trim()) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(de::Error::custom(format_args!("{hash} is not a digest of {N} bytes"))),
        }
    }

    struct Hex<'a>(&'a [u8]);

    impl std::fmt::Display for Hex<'_> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02X}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "44D88612FEA8A8F36DE82E1278ABB02F";
    const SHA1: &str = "3395856CE81F2B7382DEE72602F798B642F14140";
    const SHA256: &str = "275A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F";

    #[test]
    fn three_lengths_in_any_case() {
        for text in [MD5, SHA1, SHA256] {
            assert_eq!(FileHash::parse(text).unwrap().to_string(), text);
            assert_eq!(FileHash::parse(&format!("  {} ", text.to_lowercase())).unwrap().to_string(), text);
        }
        for wrong in
            ["", "44D8", &MD5[1..], &MD5.replace('4', "g"), &"é".repeat(16), &MD5.replacen("44", "+4", 1)]
        {
            assert!(FileHash::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn best_is_md5_then_sha256_then_sha1() {
        let mut hashes = FileHashes::default();
        assert!(hashes.is_empty() && !hashes.any() && hashes.best().is_none());
        for text in [SHA1, SHA256, MD5] {
            let hash = FileHash::parse(text).unwrap();
            hashes.set(hash);
            assert_eq!(hashes.best(), Some(hash));
        }
        assert_eq!(hashes.iter().map(|hash| hash.to_string()).collect::<Vec<_>>(), [MD5, SHA1, SHA256]);
    }

    #[test]
    fn json_leaves_out_what_is_unknown() {
        let hashes = FileHashes::from(FileHash::parse(SHA256).unwrap());
        let json = format!("{{\"sha256\":\"{SHA256}\"}}");
        assert_eq!(serde_json::to_string(&hashes).unwrap(), json);
        assert_eq!(serde_json::from_str::<FileHashes>(&json).unwrap(), hashes);
        assert!(serde_json::from_str::<FileHashes>(&format!("{{\"md5\":\"{SHA256}\"}}")).is_err());
        assert_eq!(serde_json::from_str::<FileHashes>("{\"md5\":null}").unwrap(), FileHashes::default());
    }

    proptest! {
        #[test]
        fn parse_print_parse(bytes: [u8; 32]) {
            let hash = FileHash::Sha256(bytes);
            prop_assert_eq!(FileHash::parse(&hash.to_string()), Ok(hash));
            let json = serde_json::to_string(&hash).unwrap();
            prop_assert_eq!(serde_json::from_str::<FileHash>(&json).unwrap(), hash);
        }

        #[test]
        fn no_panic_on_anything(text in "\\PC*") {
            let _ = FileHash::parse(&text);
        }
    }
}
