//! The hash chain that reduces a history of revocations to one digest.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Label that is hashed first, so that a digest of a chain cannot equal a digest of anything else.
const LABEL: &[u8] = b"bailiwick revocation change v1";

/// A SHA-256 digest. Its text form is 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The name of a history: 8 random bytes, written as 16 lower-case hexadecimal digits. An issuer that cannot
/// continue its history, for example after a restore, begins another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch([u8; 8]);

/// The position that a reader has reached in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The name of the history.
    pub epoch: Epoch,
    /// Number of the last change read; 0 before the first.
    pub seq: u64,
    /// The digest of the chain up to the last change read.
    pub digest: Digest,
}

/// Returns the digest of a chain extended by one line, which is given without its line feed.
#[must_use]
pub fn chain(before: &Digest, line: &[u8]) -> Digest {
    // The length fixes where one line ends, so that two histories which divide the same bytes into
    // different lines have different digests.
    let digest = Sha256::new()
        .chain_update(LABEL)
        .chain_update(before.0)
        .chain_update((line.len() as u64).to_be_bytes())
        .chain_update(line);
    Digest(digest.finalize().into())
}

impl Digest {
    /// The digest of the chain before its first line.
    pub const START: Digest = Digest([0; 32]);

    /// Returns the SHA-256 digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// Makes a digest from its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// Returns the digest's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Epoch {
    /// Makes an epoch from its 8 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 8]) -> Epoch {
        Epoch(bytes)
    }

    /// Returns the epoch's 8 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl Position {
    /// The position at the beginning of a history.
    #[must_use]
    pub fn start(epoch: Epoch) -> Position {
        Position {
            epoch,
            seq: 0,
            digest: Digest::START,
        }
    }

    /// Returns the position after one more line; `None` if the number cannot rise further.
    #[must_use]
    pub fn then(&self, line: &[u8]) -> Option<Position> {
        Some(Position {
            epoch: self.epoch,
            // A number that wrapped around to 0 would denote the beginning.
            seq: self.seq.checked_add(1)?,
            digest: chain(&self.digest, line),
        })
    }

    /// Returns true if the number and the digest are consistent: only the beginning of a history has number 0.
    pub(super) fn is_sound(&self) -> bool {
        // A file that states no changes but the digest of some contradicts itself, so no lines can be checked
        // against it.
        self.seq > 0 || self.digest == Digest::START
    }
}

/// The error of a text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest of 43 base64url characters")]
pub struct DigestError;

/// The error of a text that is not an epoch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an epoch of 16 lower-case hexadecimal digits")]
pub struct EpochError;

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        // This engine refuses padding and stray bits after the last byte, so a digest has one text.
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| DigestError)?;
        bytes.try_into().map(Digest).map_err(|_| DigestError)
    }
}

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Epoch, EpochError> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| EpochError)?;
        // `hex` reads both cases; an epoch has one text, which is also the name of its pages.
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        lower.then_some(Epoch(bytes)).ok_or(EpochError)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Implements `Debug` and the JSON form, both as the text of `Display`.
macro_rules! as_text {
    ($type:ty) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(Digest);
as_text!(Epoch);
