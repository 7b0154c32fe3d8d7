//! Public keys of both algorithms that Biscuits are signed with.

use std::{fmt, str::FromStr};

use bailiwick_token::key::{PublicKey, PublicKeyError};
use biscuit_auth::format::schema::{self, public_key::Algorithm};
use ed25519_dalek::SigningKey;
use p256::ecdsa;

use super::error::ChainError;

/// A public key of a Biscuit: `ed25519/` or `secp256r1/` and lower-case hex digits.
///
/// Each key has one form. A point of Ed25519 of small order or in a second encoding, and one of
/// secp256r1 that is not compressed, cannot be constructed.
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

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the text form.
    #[error(
        "not a public key: write `ed25519/` and 64, or `secp256r1/` and 66 lower-case hex digits"
    )]
    Form,
    /// A number that stands for no algorithm of the specification.
    #[error("its algorithm is unknown")]
    Algorithm,
    /// Not the one encoding of an Ed25519 key that protects something.
    #[error("not an Ed25519 key in its canonical form, or one of small order")]
    Ed25519,
    /// Not the one encoding of a P-256 key.
    #[error("not a P-256 key in its compressed form, which is 33 bytes")]
    P256,
}

/// The algorithm, as it opens the text form.
const ED25519: &str = "ed25519/";
const SECP256R1: &str = "secp256r1/";

impl Key {
    /// The key that a container names.
    pub(super) fn read(key: &schema::PublicKey) -> Result<Key, KeyError> {
        match Algorithm::from_i32(key.algorithm) {
            Some(Algorithm::Ed25519) => PublicKey::from_bytes(&key.key)
                .map(Key::Ed25519)
                .map_err(|_| KeyError::Ed25519),
            Some(Algorithm::Secp256r1) => P256Key::from_bytes(&key.key).map(Key::Secp256r1),
            None => Err(KeyError::Algorithm),
        }
    }
}

impl P256Key {
    /// From the 33 bytes of the compressed form.
    ///
    /// # Errors
    /// When they are not that form of a point. The uncompressed form would be a second encoding of
    /// the same token.
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

/// A key that is somewhere else.
#[derive(Clone, Copy)]
pub(super) enum KeyRef<'a> {
    Ed25519(&'a ed25519_dalek::VerifyingKey),
    Secp256r1(&'a ecdsa::VerifyingKey),
}

impl<'a> From<&'a PublicKey> for KeyRef<'a> {
    fn from(key: &'a PublicKey) -> KeyRef<'a> {
        KeyRef::Ed25519(key.verifying_key())
    }
}

impl<'a> From<&'a Key> for KeyRef<'a> {
    fn from(key: &'a Key) -> KeyRef<'a> {
        match key {
            Key::Ed25519(key) => key.into(),
            Key::Secp256r1(P256Key(key)) => KeyRef::Secp256r1(key),
        }
    }
}

impl KeyRef<'_> {
    /// The number of its algorithm, as messages name it.
    pub(super) fn algorithm(self) -> &'static [u8] {
        const ED25519: [u8; 4] = (Algorithm::Ed25519 as i32).to_le_bytes();
        const SECP256R1: [u8; 4] = (Algorithm::Secp256r1 as i32).to_le_bytes();
        match self {
            KeyRef::Ed25519(_) => &ED25519,
            KeyRef::Secp256r1(_) => &SECP256R1,
        }
    }

    /// Whether `secret` is its other half. The proof that is not could extend nothing, and proves
    /// nothing.
    pub(super) fn owns(self, secret: &[u8]) -> Result<(), ChainError> {
        let secret: &[u8; 32] = secret.try_into().map_err(|_| ChainError::NoProof)?;
        let owns = match self {
            KeyRef::Ed25519(key) => SigningKey::from_bytes(secret).verifying_key() == *key,
            KeyRef::Secp256r1(key) => ecdsa::SigningKey::from_slice(secret)
                .is_ok_and(|secret| secret.verifying_key() == key),
        };
        match owns {
            true => Ok(()),
            false => Err(ChainError::Proof),
        }
    }
}
