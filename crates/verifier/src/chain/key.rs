//! Public keys of both algorithms that Biscuits are signed with.

use std::{fmt, str::FromStr};

use bailiwick_token::{
    container::{Algorithm, NamedKey},
    key::{PublicKey, PublicKeyError},
};
use ed25519_dalek::SigningKey;
use p256::ecdsa;

use super::{Memo, error::ChainError};

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
    pub(super) fn read(key: &NamedKey) -> Result<Key, KeyError> {
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
    pub(super) fn verifying_key(&self) -> &ecdsa::VerifyingKey {
        &self.0
    }

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

/// Who is said to have signed something.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    Root(&'a Key),
    /// The key that a block names, as it stands there, and its algorithm.
    Named(usize, &'a NamedKey, Algorithm),
}

/// The numbers of the algorithms, as messages name them.
const ED25519_NUMBER: [u8; 4] = Algorithm::Ed25519.number().to_le_bytes();
const SECP256R1_NUMBER: [u8; 4] = Algorithm::Secp256r1.number().to_le_bytes();

impl<'a> Signer<'a> {
    /// The key that a block names. Its algorithm is known: what messages say of it, and what is
    /// remembered, rests on that.
    pub(super) fn named(block: usize, key: &'a NamedKey) -> Result<Signer<'a>, ChainError> {
        let algorithm = Algorithm::from_number(key.algorithm);
        let algorithm = algorithm.ok_or(ChainError::Key(block, KeyError::Algorithm))?;
        Ok(Signer::Named(block, key, algorithm))
    }

    fn is(self) -> Algorithm {
        match self {
            Signer::Root(Key::Ed25519(_)) => Algorithm::Ed25519,
            Signer::Root(Key::Secp256r1(_)) => Algorithm::Secp256r1,
            Signer::Named(_, _, algorithm) => algorithm,
        }
    }

    /// The key, once its bytes have proved to be one.
    pub(super) fn key(self, memo: Option<&Memo>) -> Result<Key, ChainError> {
        match self {
            Signer::Root(key) => Ok(*key),
            Signer::Named(_, key, Algorithm::Ed25519)
                if let Some(known) = memo.and_then(|memo| memo.key(&key.key)) =>
            {
                Ok(Key::Ed25519(known))
            }
            Signer::Named(block, key, _) => {
                Key::read(key).map_err(|error| ChainError::Key(block, error))
            }
        }
    }

    /// The number of its algorithm, as messages name it.
    pub(super) fn algorithm(self) -> &'static [u8] {
        match self.is() {
            Algorithm::Ed25519 => &ED25519_NUMBER,
            Algorithm::Secp256r1 => &SECP256R1_NUMBER,
        }
    }

    /// Calls `with` with the bytes of the key.
    pub(super) fn with_bytes<T>(self, with: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Signer::Root(Key::Ed25519(key)) => with(key.as_bytes()),
            Signer::Root(Key::Secp256r1(key)) => with(key.0.to_encoded_point(true).as_bytes()),
            Signer::Named(_, key, _) => with(&key.key),
        }
    }

    /// Whether `secret` is its other half; then answers an Ed25519 key. The proof that is not could
    /// extend nothing, and proves nothing. What a secret makes is the one form of a key that protects
    /// something, so bytes that are equal to it need not be read.
    pub(super) fn owned_by(self, secret: &[u8]) -> Result<Option<PublicKey>, ChainError> {
        let secret: &[u8; 32] = secret.try_into().map_err(|_| ChainError::NoProof)?;
        let mut ed25519 = None;
        let owns = match self.is() {
            Algorithm::Ed25519 => {
                let made = SigningKey::from_bytes(secret).verifying_key();
                ed25519 = PublicKey::try_from(made).ok();
                self.with_bytes(|key| key == made.as_bytes())
            }
            Algorithm::Secp256r1 => ecdsa::SigningKey::from_slice(secret).is_ok_and(|made| {
                let made = made.verifying_key().to_encoded_point(true);
                self.with_bytes(|key| key == made.as_bytes())
            }),
        };
        match owns {
            true => Ok(ed25519),
            // A key that is none says more than that nobody owns it.
            false => self.key(None).and(Err(ChainError::Proof)),
        }
    }
}
