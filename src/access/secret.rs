//! Secrets: tokens, passwords, sessions; how they are made, kept and compared.
//!
//! A token is 256 random bits, so nobody finds it by trying, and its SHA-256 is kept: a slow hash protects what
//! people choose and would cost every request here. A password is kept as Argon2id with the parameters that
//! OWASP names (19 MiB, two passes, one lane), as a PHC string.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AccessError;

/// How tokens begin, so that scanners for leaked secrets find them.
pub const TOKEN_PREFIX: &str = "zl_";
/// The length of a token: the prefix and 64 hex digits.
pub const TOKEN_BYTES: usize = TOKEN_PREFIX.len() + 64;
/// The fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest password, in bytes: hashing takes what is given.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// The digest that is kept of a random secret.
pub type Digest256 = [u8; 32];

/// OWASP's password storage cheat sheet: m = 19 MiB, t = 2, p = 1.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within the limits of Argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// 256 random bits.
///
/// # Errors
///
/// When the system has no randomness.
pub fn random() -> Result<[u8; 32], AccessError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| AccessError::Failed(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that lower- or upper-case hex stands for; [`None`] where it is none.
pub fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// A new random secret as text behind a prefix.
///
/// # Errors
///
/// As [`random`].
pub fn new_secret(prefix: &str) -> Result<String, AccessError> {
    Ok(format!("{prefix}{}", hex(&random()?)))
}

/// What is kept of a random secret.
pub fn digest(secret: &str) -> Digest256 {
    Sha256::digest(secret.as_bytes()).into()
}

/// A digest that only this process can make, over parts whose borders count.
pub fn keyed(key: &[u8; 32], parts: &[&str]) -> Digest256 {
    let mut hash = Sha256::new().chain_update(key);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// Whether two secrets are the same, in a time that does not say where they differ.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// What is kept of a password.
///
/// # Errors
///
/// When it is too short or too long, or the system has no randomness.
pub fn hash_password(password: &str) -> Result<String, AccessError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(AccessError::Wrong(format!(
            "the password has {} characters: use {PASSWORD_CHARS_MIN} or more, at most {PASSWORD_BYTES_MAX} bytes",
            password.chars().count()
        )));
    }
    let failed =
        |error: argon2::password_hash::Error| AccessError::Failed(format!("hashing a password: {error}"));
    let salt = &random()?[..16];
    let hash = argon2().hash_password_with_salt(password.as_bytes(), salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// Of no password: 32 bytes of output that nothing hashes to on purpose.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyBpdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a password is the one whose hash was kept. Without a hash it takes as long and says no.
pub fn verify_password(password: &str, kept: Option<&str>) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let verified = argon2().verify_password(password.as_bytes(), kept.unwrap_or(NOBODY)).is_ok();
    verified && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_owasp_says() {
        let kept = hash_password("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify_password("correct horse battery", Some(&kept)));
        assert!(!verify_password("correct horse batterz", Some(&kept)));
        assert!(!verify_password("correct horse battery", None));
        assert_ne!(hash_password("correct horse battery").unwrap(), kept, "salted");
        assert!(hash_password("too short").is_err());
        assert!(hash_password(&"x".repeat(PASSWORD_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn nobody_s_hash_is_as_dear_as_one_that_is_kept() {
        // The same algorithm with the same figures does the same work.
        let figures = |hash: &str| hash.splitn(5, '$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(figures(NOBODY), figures(&hash_password("correct horse battery").unwrap()));
    }

    #[test]
    fn tokens_are_random_and_recognisable() {
        let token = new_secret(TOKEN_PREFIX).unwrap();
        assert_eq!(token.len(), TOKEN_BYTES);
        assert!(token.starts_with("zl_") && token[3..].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(new_secret(TOKEN_PREFIX).unwrap(), token);
        let key = [7; 32];
        assert_ne!(keyed(&key, &["ab", "c"]), keyed(&key, &["a", "bc"]), "borders count");
        assert_ne!(keyed(&key, &["ab", "c"]), keyed(&[8; 32], &["ab", "c"]));
    }
}
