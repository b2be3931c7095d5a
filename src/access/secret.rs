//! Passwords and tokens. The only user of argon2, SHA-2, constant-time comparison and random bytes.
//!
//! Passwords are hashed with argon2id at its crate's default costs: tens of milliseconds and 19 MiB,
//! so callers run it on the pool. Tokens have 256 random bits, which nobody guesses: their SHA-256
//! is stored, and is looked up without a cost.

use std::sync::OnceLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AccessError;

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// Hashes a password with a fresh salt.
pub(super) fn hash_password(password: &str) -> Result<String, AccessError> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|_| AccessError::Secret { doing: "hash the password" })
}

/// Whether a password is the one of that hash.
pub(super) fn is_password(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// Takes as long as [`is_password`], so that an unknown name is not told by its quick answer.
pub(super) fn pretend(password: &str) {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let hash = NOBODY.get_or_init(|| hash_password("nobody has this password").unwrap_or_default());
    let _ = is_password(password, hash);
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AccessError::Secret { doing: "get random bytes from the system" })?;
    Ok(bytes)
}

/// A word that nobody can guess: 128 random bits in hexadecimal.
///
/// # Errors
/// The system gives no random bytes.
pub fn random_word() -> Result<String, AccessError> {
    Ok(hex(&random::<16>()?))
}

/// The hash of a token, as it is stored.
pub(super) fn hash_token(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// A hash of name and password that is worth nothing without `key`, which never leaves the memory.
pub(super) fn keyed(key: &[u8; 32], name: &str, password: &str) -> Hash {
    let mut sha = Sha256::new();
    sha.update(key);
    sha.update((name.len() as u64).to_le_bytes());
    sha.update(name.as_bytes());
    sha.update(password.as_bytes());
    sha.finalize().into()
}

/// Compares without telling by the time where they differ.
pub(super) fn equal(a: &Hash, b: &Hash) -> bool {
    bool::from(a.ct_eq(b))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash from its hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Hash> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_its_hash_is_argon2id_with_a_salt() {
        let (one, two) = (hash_password("correct horse").unwrap(), hash_password("correct horse").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two, "{one}");
        assert!(is_password("correct horse", &one) && !is_password("correct hors", &one) && !is_password("", &one));
        assert!(!is_password("x", "damaged") && !is_password("x", ""));
    }

    #[test]
    fn tokens_differ_and_their_hashes_read_back() {
        let (one, two) = (hex(&random::<32>().unwrap()), hex(&random::<32>().unwrap()));
        assert!(one.len() == 64 && one != two);
        let hash = hash_token(&one);
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        assert!(equal(&hash, &hash_token(&one)) && !equal(&hash, &hash_token(&two)));
        assert_eq!((unhex("x"), unhex(&"g".repeat(64))), (None, None));
    }

    #[test]
    fn a_keyed_hash_tells_name_and_password_apart() {
        let key = [7; 32];
        assert_ne!(keyed(&key, "ab", "c"), keyed(&key, "a", "bc"));
        assert_ne!(keyed(&key, "a", "b"), keyed(&[8; 32], "a", "b"));
    }
}
