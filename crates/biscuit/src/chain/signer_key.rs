//! The signers of a chain: the root key, and the keys that blocks name.

use ed25519_dalek::SigningKey;
use p256::ecdsa;

use super::{error::ChainError, memo::Memo};
use crate::{
    container::NamedKey,
    key::{Algorithm, Key, KeyError, PublicKey},
};

/// The key that supposedly made a signature.
#[derive(Clone, Copy)]
pub(super) enum SignerKey<'a> {
    Root(&'a Key),
    /// A key that a block names, with the block's number and the algorithm. The key's bytes are not yet read.
    Named(usize, &'a NamedKey, Algorithm),
}

/// The numbers of the algorithms, as signed messages contain them.
const ED25519_NUMBER: [u8; 4] = Algorithm::Ed25519.number().to_le_bytes();
const SECP256R1_NUMBER: [u8; 4] = Algorithm::Secp256r1.number().to_le_bytes();

impl<'a> SignerKey<'a> {
    /// Returns the key that a block names. An unknown algorithm is refused here, because the signed messages
    /// and the digests in the memo both contain its number.
    pub(super) fn named(block: usize, key: &'a NamedKey) -> Result<SignerKey<'a>, ChainError> {
        let algorithm = Algorithm::from_number(key.algorithm);
        let algorithm = algorithm.ok_or(ChainError::Key(block, KeyError::Algorithm))?;
        Ok(SignerKey::Named(block, key, algorithm))
    }

    fn is(self) -> Algorithm {
        match self {
            SignerKey::Root(Key::Ed25519(_)) => Algorithm::Ed25519,
            SignerKey::Root(Key::Secp256r1(_)) => Algorithm::Secp256r1,
            SignerKey::Named(_, _, algorithm) => algorithm,
        }
    }

    /// Reads the key, or takes it from the memo.
    pub(super) fn key(self, memo: Option<&Memo>) -> Result<Key, ChainError> {
        match self {
            // The root key was read and checked long before this token arrived.
            SignerKey::Root(key) => Ok(*key),
            SignerKey::Named(_, key, Algorithm::Ed25519)
                if let Some(known) = memo.and_then(|memo| memo.key(&key.key)) =>
            {
                Ok(Key::Ed25519(known))
            }
            SignerKey::Named(block, key, _) => {
                Key::from_named(key).map_err(|error| ChainError::Key(block, error))
            }
        }
    }

    /// Number of the key's algorithm, as signed messages contain it.
    pub(super) fn algorithm(self) -> &'static [u8] {
        match self.is() {
            Algorithm::Ed25519 => &ED25519_NUMBER,
            Algorithm::Secp256r1 => &SECP256R1_NUMBER,
        }
    }

    /// Calls `with` with the bytes of the key.
    pub(super) fn with_bytes<T>(self, with: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            SignerKey::Root(Key::Ed25519(key)) => with(key.as_bytes()),
            SignerKey::Root(Key::Secp256r1(key)) => {
                with(key.verifying_key().to_encoded_point(true).as_bytes())
            }
            SignerKey::Named(_, key, _) => with(&key.key),
        }
    }

    /// Checks that `secret` is the private half of this key, and returns the key if it is Ed25519. With any
    /// other secret, a holder could not append blocks, and the proof would prove nothing. A key derived from a
    /// secret is always canonical and valid, so bytes that equal it need no further check.
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
            // If the key's bytes are not a valid key, that is the more specific error.
            false => self.key(None).and(Err(ChainError::Proof)),
        }
    }
}
