//! Public halves of root keys, and the short ids that tokens name them by.

use std::{fmt, str::FromStr};

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// An Ed25519 public key (RFC 8032), as its text form `ed25519/` and 64 lower-case hex digits.
///
/// A key of small order, under which one signature fits almost every message, and an encoding
/// that is not the canonical one of its point cannot be constructed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

/// The algorithm, as it opens the text form.
const PREFIX: &str = "ed25519/";

impl PublicKey {
    /// From the 32 bytes of RFC 8032, section 5.1.5.
    ///
    /// # Errors
    /// [`PublicKeyError`] where the bytes are no acceptable key.
    pub fn from_bytes(bytes: &[u8]) -> Result<PublicKey, PublicKeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| PublicKeyError::Form)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::NotAPoint)?;
        PublicKey::try_from(key)
    }

    /// The 32 bytes of RFC 8032, section 5.1.5.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The same key for `ed25519_dalek`.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0
    }
}

impl TryFrom<VerifyingKey> for PublicKey {
    type Error = PublicKeyError;

    fn try_from(key: VerifyingKey) -> Result<PublicKey, PublicKeyError> {
        if key.is_weak() {
            return Err(PublicKeyError::Weak);
        }
        // Two encodings of one point would be two ids of one key. The only other second form, a sign
        // for x = 0, belongs to points of small order.
        if !is_reduced(key.as_bytes()) {
            return Err(PublicKeyError::NotCanonical);
        }
        Ok(PublicKey(key))
    }
}

/// Whether the y coordinate is below the field's prime 2^255 - 19 (RFC 8032, section 5.1.3).
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    let at_least_the_prime =
        *lowest >= 0xed && middle.iter().all(|byte| *byte == 0xff) && highest & 0x7f == 0x7f;
    !at_least_the_prime
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<PublicKey, PublicKeyError> {
        let digits = text.strip_prefix(PREFIX).ok_or(PublicKeyError::Form)?;
        let mut bytes = [0; 32];
        if !is_lower_hex(digits) || hex::decode_to_slice(digits, &mut bytes).is_err() {
            return Err(PublicKeyError::Form);
        }
        PublicKey::from_bytes(&bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a public key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not 32 bytes, or not the text form.
    #[error("not a public key: write `ed25519/` and 64 lower-case hex digits")]
    Form,
    /// The bytes are not the encoding of a point on the curve.
    #[error("not a point of Ed25519: copy the key again from where it was made")]
    NotAPoint,
    /// A second encoding of a point that has another, canonical one.
    #[error(
        "not the canonical encoding of an Ed25519 key: copy the key again from where it was made"
    )]
    NotCanonical,
    /// A point of small order, for which anyone can make signatures.
    #[error("an Ed25519 key of small order protects nothing: make a new key")]
    Weak,
}

/// The id of a root key: the first four bytes, big endian, of SHA-256(issuer ‖ public key).
///
/// It is the `root_key_id` of a Biscuit, an unsigned hint that selects one key of a keyset.
/// Its text form is 8 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// The id of `public` at `issuer`.
    #[must_use]
    pub fn derive(issuer: &str, public: &PublicKey) -> KeyId {
        let digest = Sha256::new()
            .chain_update(issuer)
            .chain_update(public.as_bytes())
            .finalize();
        let [a, b, c, d, ..]: [u8; 32] = digest.into();
        KeyId(u32::from_be_bytes([a, b, c, d]))
    }

    /// The number that a Biscuit carries.
    #[must_use]
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// From the number that a Biscuit carries.
    #[must_use]
    pub fn from_u32(id: u32) -> KeyId {
        KeyId(id)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<KeyId, KeyIdError> {
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

/// The text is not the id of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a key: write 8 lower-case hex digits such as `0a1b2c3d`")]
pub struct KeyIdError;

/// Whether `text` holds nothing but `0-9a-f`: one value has one text.
fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

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

    /// RFC 8032, section 7.1, test 1.
    const TEST_1: &str = "ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn a_key_and_its_text_are_one_to_one() {
        let key: PublicKey = TEST_1.parse().unwrap();
        assert_eq!(key.to_string(), TEST_1);
        assert_eq!(
            serde_json::to_string(&key).unwrap(),
            format!("\"{TEST_1}\"")
        );
        assert_eq!(
            serde_json::from_str::<PublicKey>(&format!("\"{TEST_1}\"")).unwrap(),
            key
        );
        let upper = TEST_1.to_uppercase().replace("ED25519", "ed25519");
        for text in [
            upper.as_str(),
            "",
            "ed25519/",
            &TEST_1[..70],
            &TEST_1[8..],
            &format!("{TEST_1} "),
        ] {
            assert_eq!(
                text.parse::<PublicKey>(),
                Err(PublicKeyError::Form),
                "{text}"
            );
        }
    }

    #[test]
    fn small_order_and_second_encodings_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(PublicKeyError::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(PublicKeyError::Weak));
        // y = p + 3, little endian: 3 is the y of a point that is not of small order.
        let mut second = [0xff; 32];
        second[0] = 0xf0;
        second[31] = 0x7f;
        assert_eq!(
            PublicKey::from_bytes(&second),
            Err(PublicKeyError::NotCanonical)
        );
        assert!(PublicKey::from_bytes(&[0; 31]).is_err());
    }

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
