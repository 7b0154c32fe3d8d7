//! Public keys of the two algorithms that sign Biscuits.

use std::{fmt, str::FromStr};

use ed25519_dalek::VerifyingKey;
use p256::ecdsa;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{container::NamedKey, small_order::is_small_order};

/// The signature algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over secp256r1 with SHA-256.
    Secp256r1,
}

impl Algorithm {
    /// The algorithm with this number, if the specification has one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Algorithm> {
        [Algorithm::Ed25519, Algorithm::Secp256r1]
            .into_iter()
            .find(|algorithm| algorithm.number() == number)
    }

    /// Returns the algorithm's number in the specification.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Algorithm::Ed25519 => 0,
            Algorithm::Secp256r1 => 1,
        }
    }
}

/// A public key of a Biscuit. Its text form is `ed25519/` or `secp256r1/` and lower-case hex digits.
///
/// Each key has exactly one encoding: a non-canonical Ed25519 encoding or an uncompressed secp256r1 point is
/// refused. So is an Ed25519 point of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Ed25519 (RFC 8032).
    Ed25519(PublicKey),
    /// ECDSA over secp256r1, which is P-256, with SHA-256.
    Secp256r1(P256Key),
}

/// A public key of P-256, from the compressed form of its point (SEC 1, section 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct P256Key(ecdsa::VerifyingKey);

/// The reason for refusing a key of either algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text does not have the text form of a key.
    #[error(
        "not a public key; write `ed25519/` and 64 lower-case hex digits, or `secp256r1/` and 66"
    )]
    Form,
    /// The specification has no algorithm of this number.
    #[error("its algorithm is neither Ed25519 nor P-256")]
    Algorithm,
    /// The bytes are not the canonical encoding of an acceptable Ed25519 key.
    #[error("not a usable Ed25519 key, because it is not in canonical form or has small order")]
    Ed25519,
    /// The bytes are not the compressed form of a P-256 point.
    #[error("not a P-256 key in its compressed form of 33 bytes")]
    P256,
}

/// The algorithm's prefix in the text form.
const SECP256R1: &str = "secp256r1/";

impl Key {
    /// Reads the key that a container names.
    ///
    /// # Errors
    /// [`KeyError`] if its algorithm is neither Ed25519 nor P-256 or its bytes are not an acceptable key.
    pub fn from_named(key: &NamedKey) -> Result<Key, KeyError> {
        match Algorithm::from_number(key.algorithm) {
            Some(Algorithm::Ed25519) => PublicKey::from_bytes(&key.key)
                .map(Key::Ed25519)
                .map_err(|_| KeyError::Ed25519),
            Some(Algorithm::Secp256r1) => P256Key::from_bytes(&key.key).map(Key::Secp256r1),
            None => Err(KeyError::Algorithm),
        }
    }
}

impl P256Key {
    pub(crate) fn verifying_key(&self) -> &ecdsa::VerifyingKey {
        &self.0
    }

    /// Makes a key from the 33 bytes of the compressed form.
    ///
    /// # Errors
    /// [`KeyError::P256`] if the bytes are not the compressed form of a point. The uncompressed form is refused
    /// too, so that each key has exactly one encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<P256Key, KeyError> {
        match bytes {
            [2 | 3, point @ ..] if point.len() == 32 => ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(P256Key)
                .map_err(|_| KeyError::P256),
            _ => Err(KeyError::P256),
        }
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Key, KeyError> {
        if text.starts_with(ED25519) {
            return text.parse().map(Key::Ed25519).map_err(|error| match error {
                PublicKeyError::Form => KeyError::Form,
                _ => KeyError::Ed25519,
            });
        }
        let digits = text.strip_prefix(SECP256R1).ok_or(KeyError::Form)?;
        let upper = digits.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode(digits) {
            Ok(bytes) if !upper => P256Key::from_bytes(&bytes).map(Key::Secp256r1),
            _ => Err(KeyError::Form),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Ed25519(key) => key.fmt(f),
            Key::Secp256r1(key) => key.fmt(f),
        }
    }
}

impl fmt::Display for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.0.to_encoded_point(true);
        write!(f, "{SECP256R1}{}", hex::encode(point.as_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An Ed25519 public key (RFC 8032). Its text form is `ed25519/` and 64 lower-case hex digits.
///
/// A key of small order, under which one signature fits almost every message, cannot be constructed, nor can
/// one from a non-canonical encoding of its point.
///
/// ```
/// use bailiwick_biscuit::key::PublicKey;
///
/// let text = "ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// let key: PublicKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// # Ok::<(), bailiwick_biscuit::key::PublicKeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

/// The algorithm's prefix in the text form.
const ED25519: &str = "ed25519/";

impl PublicKey {
    /// Makes a key from the 32 bytes of RFC 8032, section 5.1.5.
    ///
    /// # Errors
    /// [`PublicKeyError`] if the bytes are not an acceptable key.
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

    /// The key as `ed25519_dalek` represents it.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0
    }
}

impl TryFrom<VerifyingKey> for PublicKey {
    type Error = PublicKeyError;

    fn try_from(key: VerifyingKey) -> Result<PublicKey, PublicKeyError> {
        if is_small_order(*key.as_bytes()) {
            return Err(PublicKeyError::Weak);
        }
        // Two encodings of one point would give one key two ids. The only other second form, a sign bit
        // for x = 0, belongs to points of small order.
        if !is_reduced(key.as_bytes()) {
            return Err(PublicKeyError::NotCanonical);
        }
        Ok(PublicKey(key))
    }
}

/// Returns true if the y coordinate is below the field's prime 2^255 - 19 (RFC 8032, section 5.1.3).
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    let at_least_the_prime =
        *lowest >= 0xed && middle.iter().all(|byte| *byte == 0xff) && highest & 0x7f == 0x7f;
    !at_least_the_prime
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<PublicKey, PublicKeyError> {
        let digits = text.strip_prefix(ED25519).ok_or(PublicKeyError::Form)?;
        let mut bytes = [0; 32];
        if !is_lower_hex(digits) || hex::decode_to_slice(digits, &mut bytes).is_err() {
            return Err(PublicKeyError::Form);
        }
        PublicKey::from_bytes(&bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ED25519}{}", hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reason for refusing an Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The input is neither 32 bytes nor in the text form.
    #[error("not a public key; write `ed25519/` and 64 lower-case hex digits")]
    Form,
    /// The bytes are not the encoding of a point on the curve.
    #[error("the key is not a point of Ed25519; copy it again from its source")]
    NotAPoint,
    /// The bytes encode a point in a non-canonical way.
    #[error("the key is not in the canonical encoding of Ed25519; copy it again from its source")]
    NotCanonical,
    /// The point has small order: anyone can make signatures under it.
    #[error("the key has small order and protects nothing; make a new key")]
    Weak,
}

/// Returns true if `text` consists of `0-9a-f` only. Upper case is refused so that each value has one text
/// form.
#[must_use]
pub fn is_lower_hex(text: &str) -> bool {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The public key of test 1 in RFC 8032, section 7.1.
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
}
