//! Public halves of root keys, and the short ids by which tokens refer to them.

use std::{fmt, str::FromStr};

use bailiwick_biscuit::key::is_lower_hex;
pub use bailiwick_biscuit::key::{PublicKey, PublicKeyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The id of a root key: the first four bytes, big endian, of SHA-256(issuer ‖ public key).
///
/// Biscuits carry this id as `root_key_id`, an unsigned hint that selects one key of a keyset. The text form of
/// an id is 8 lower-case hex digits.
///
/// ```
/// use bailiwick_token::key::KeyId;
///
/// let id: KeyId = "0a1b2c3d".parse()?;
/// assert_eq!(id.as_u32(), 0x0a1b_2c3d);
/// # Ok::<(), bailiwick_token::key::KeyIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// Derives the id of an issuer's public key.
    #[must_use]
    pub fn derive(issuer: &str, public: &PublicKey) -> KeyId {
        // The key has a fixed length, so issuer and key cannot be divided in two ways.
        let digest = Sha256::new()
            .chain_update(issuer)
            .chain_update(public.as_bytes())
            .finalize();
        let [a, b, c, d, ..]: [u8; 32] = digest.into();
        KeyId(u32::from_be_bytes([a, b, c, d]))
    }

    /// Returns the id as the number in a Biscuit.
    #[must_use]
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// Makes an id from the number in a Biscuit.
    #[must_use]
    pub fn from_u32(id: u32) -> KeyId {
        KeyId(id)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<KeyId, KeyIdError> {
        // `from_str_radix` also accepts a sign and upper case; an id has one text.
        if text.len() != 8 || !is_lower_hex(text) {
            return Err(KeyIdError);
        }
        u32::from_str_radix(text, 16)
            .map(KeyId)
            .map_err(|_| KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of a text that is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a key; write 8 lower-case hex digits such as `0a1b2c3d`")]
pub struct KeyIdError;

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The public key of test 1 in RFC 8032, section 7.1.
    const TEST_1: &str = "ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn an_id_is_the_head_of_the_digest() {
        let key: PublicKey = TEST_1.parse().unwrap();
        let digest =
            Sha256::digest([b"https://issuer.example".as_slice(), key.as_bytes()].concat());
        let id = KeyId::derive("https://issuer.example", &key);
        assert_eq!(id.to_string(), hex::encode(&digest[..4]));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(KeyId::from_u32(id.as_u32()), id);
        assert_eq!(KeyId::from_u32(10).to_string(), "0000000a");
        for text in ["", "a", "0000000A", "+000000a", "0000000ab"] {
            assert_eq!(text.parse::<KeyId>(), Err(KeyIdError), "{text}");
        }
    }
}
