//! The keyset: what a verifier trusts of an issuer.
//!
//! It names the root keys, their states and the revoked ones, and is signed by a keyset key, which
//! signs nothing else. A verifier is configured with the public half of that key, and takes root
//! keys from nowhere but a keyset that it opened.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::{
    dsse::{self, Envelope, EnvelopeError},
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};

/// The `payloadType` of a signed keyset.
pub const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.keyset.v1+json";

/// The most root keys in a keyset.
pub const MAX_KEYS: usize = 64;

/// The most tombstones in a keyset.
pub const MAX_TOMBSTONES: usize = 1024;

/// The root keys of one issuer at one time. Members that a reader does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// The issuer's name, as tokens state it: a URL, as a rule.
    pub issuer: String,
    /// Rises with each change; the same version means the same bytes.
    pub version: u64,
    /// When this version was signed.
    pub issued_at: Timestamp,
    /// From then on nothing in it is trusted.
    pub expires: Timestamp,
    /// How often a verifier should look for a newer version, in seconds.
    pub refresh_hint: u64,
    /// The longest life that the issuer gives a token, in seconds.
    pub max_token_ttl: u64,
    /// The keys under which tokens may be valid: at most one active, at most [`MAX_KEYS`].
    pub keys: Vec<RootKey>,
    /// The keys that were revoked, at most [`MAX_TOMBSTONES`].
    #[serde(default)]
    pub tombstones: Vec<Tombstone>,
    /// Where the issuer serves its revocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
}

/// A root key, by its public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// What tokens name it by: [`KeyId::derive`] of issuer and public key.
    pub id: KeyId,
    /// How it signs.
    pub alg: Algorithm,
    /// The public half.
    pub public: PublicKey,
    /// Where it stands in its life.
    pub state: KeyState,
    /// When the last token that it signed is dead; set once it is retiring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// How a root key signs. A keyset that states another algorithm is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algorithm {
    /// RFC 8032.
    Ed25519,
}

/// The states of a root key that a keyset shows. Retired keys have left it, revoked ones are
/// tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyState {
    /// Published ahead of use, so that its first token finds verifiers that know it.
    Staged,
    /// Signs new tokens.
    Active,
    /// Signs no more; what it signed lives on until its end.
    Retiring,
}

/// A revoked root key: no token that it signed is valid any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The key.
    pub id: KeyId,
    /// Since when.
    pub revoked_at: Timestamp,
    /// Why, for people.
    pub reason: String,
}

impl Keyset {
    /// Signs this keyset with the keyset key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        Envelope::sign(PAYLOAD_TYPE, dsse::to_json(self), key)
    }

    /// Reads a signed keyset: verifies the signature of `key`, parses what was signed, and checks
    /// that it is consistent. Whether it has expired is for the caller, who knows the time.
    ///
    /// # Errors
    /// [`KeysetError`], and then nothing of the file may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Keyset, KeysetError> {
        let envelope = Envelope::parse(envelope)?;
        Keyset::read(envelope.open(PAYLOAD_TYPE, key)?)
    }

    /// Reads a keyset **without verifying its signature**: for showing it to a person who has no
    /// key at hand, and for nothing else.
    ///
    /// # Errors
    /// [`KeysetError`] where the file is no consistent keyset.
    pub fn read_unverified(envelope: &[u8]) -> Result<Keyset, KeysetError> {
        let envelope = Envelope::parse(envelope)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::WrongType {
                found: envelope.payload_type,
                expected: PAYLOAD_TYPE.to_owned(),
            }
            .into());
        }
        Keyset::read(&envelope.payload)
    }

    /// The key that signs new tokens.
    #[must_use]
    pub fn active(&self) -> Option<&RootKey> {
        self.keys.iter().find(|key| key.state == KeyState::Active)
    }

    fn read(payload: &[u8]) -> Result<Keyset, KeysetError> {
        let keyset: Keyset = serde_json::from_slice(payload)
            .map_err(|error| KeysetError::Malformed(error.to_string()))?;
        keyset.validate()?;
        Ok(keyset)
    }

    /// What holds for every keyset, whoever signed it.
    fn validate(&self) -> Result<(), KeysetError> {
        if self.issuer.is_empty() {
            return Err(KeysetError::NoIssuer);
        }
        if self.expires <= self.issued_at {
            return Err(KeysetError::NoLife);
        }
        if self.keys.len() > MAX_KEYS || self.tombstones.len() > MAX_TOMBSTONES {
            return Err(KeysetError::TooMany);
        }
        let active = self
            .keys
            .iter()
            .filter(|key| key.state == KeyState::Active)
            .count();
        if active > 1 {
            return Err(KeysetError::ManyActive);
        }
        let mut seen: BTreeSet<KeyId> = self.tombstones.iter().map(|dead| dead.id).collect();
        if seen.len() != self.tombstones.len() {
            return Err(KeysetError::DuplicateTombstone);
        }
        for key in &self.keys {
            if KeyId::derive(&self.issuer, &key.public) != key.id {
                return Err(KeysetError::WrongId(key.id));
            }
            // Also where the first one is a tombstone: revoked is revoked.
            if !seen.insert(key.id) {
                return Err(KeysetError::Duplicate(key.id));
            }
        }
        Ok(())
    }
}

/// Why a keyset was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysetError {
    /// Not a signed file, or not signed by the key that is trusted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, and not the JSON of a keyset that this version understands.
    #[error(
        "the keyset cannot be read ({0}): a newer issuer may have written it, so upgrade this program first"
    )]
    Malformed(String),
    /// No issuer.
    #[error("the keyset names no issuer: have its issuer make it again")]
    NoIssuer,
    /// It expires before it was issued.
    #[error("the keyset expires before it begins: check the issuer's clock and have it made again")]
    NoLife,
    /// More than [`MAX_KEYS`] or [`MAX_TOMBSTONES`].
    #[error(
        "the keyset has over {MAX_KEYS} keys or {MAX_TOMBSTONES} tombstones: retire keys at the issuer"
    )]
    TooMany,
    /// More than one active key.
    #[error("the keyset has more than one active key: have its issuer make it again")]
    ManyActive,
    /// A key whose id is not derived from it.
    #[error("the id `{0}` in the keyset is not that of its key: have its issuer make it again")]
    WrongId(KeyId),
    /// An id twice, or as a key and as a tombstone.
    #[error("the keyset names the key `{0}` twice: have its issuer make it again")]
    Duplicate(KeyId),
    /// The same tombstone twice.
    #[error("the keyset names a tombstone twice: have its issuer make it again")]
    DuplicateTombstone,
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn public(seed: u8) -> PublicKey {
        SigningKey::from_bytes(&[seed; 32])
            .verifying_key()
            .try_into()
            .unwrap()
    }

    fn root(seed: u8, state: KeyState) -> RootKey {
        let public = public(seed);
        let id = KeyId::derive("https://issuer.example", &public);
        RootKey {
            id,
            alg: Algorithm::Ed25519,
            public,
            state,
            not_after: None,
        }
    }

    fn keyset() -> Keyset {
        Keyset {
            issuer: "https://issuer.example".to_owned(),
            version: 3,
            issued_at: Timestamp::from_unix(1_000).unwrap(),
            expires: Timestamp::from_unix(2_000).unwrap(),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![root(1, KeyState::Active), root(2, KeyState::Staged)],
            tombstones: vec![Tombstone {
                id: KeyId::from_u32(7),
                revoked_at: Timestamp::from_unix(900).unwrap(),
                reason: "laptop lost".to_owned(),
            }],
            revocation_url: None,
        }
    }

    fn reopen(keyset: &Keyset) -> Result<Keyset, KeysetError> {
        let key = SigningKey::from_bytes(&[9; 32]);
        Keyset::open(keyset.sign(&key).to_json().as_bytes(), &public(9))
    }

    #[test]
    fn a_signed_keyset_is_read_as_it_was_written() {
        assert_eq!(reopen(&keyset()), Ok(keyset()));
        let envelope = keyset().sign(&SigningKey::from_bytes(&[9; 32])).to_json();
        assert!(matches!(
            Keyset::open(envelope.as_bytes(), &public(8)),
            Err(KeysetError::Envelope(EnvelopeError::NotSigned { .. }))
        ));
        assert_eq!(Keyset::read_unverified(envelope.as_bytes()), Ok(keyset()));
        assert_eq!(keyset().active(), keyset().keys.first());
    }

    #[test]
    fn inconsistent_keysets_are_refused_though_signed() {
        let refused = |change: fn(&mut Keyset)| {
            let mut changed = keyset();
            change(&mut changed);
            reopen(&changed).unwrap_err()
        };
        assert_eq!(refused(|k| k.issuer.clear()), KeysetError::NoIssuer);
        assert_eq!(refused(|k| k.expires = k.issued_at), KeysetError::NoLife);
        assert_eq!(
            refused(|k| k.keys[1].state = KeyState::Active),
            KeysetError::ManyActive
        );
        assert!(matches!(
            refused(|k| k.keys[1].id = KeyId::from_u32(1)),
            KeysetError::WrongId(_)
        ));
        assert!(matches!(
            refused(|k| k.issuer = "https://b.example".to_owned()),
            KeysetError::WrongId(_)
        ));
        assert!(matches!(
            refused(|k| k.keys[1] = root(1, KeyState::Staged)),
            KeysetError::Duplicate(_)
        ));
        assert!(matches!(
            refused(|k| k.tombstones[0].id = k.keys[0].id),
            KeysetError::Duplicate(_)
        ));
        assert_eq!(
            refused(|k| k.tombstones = vec![k.tombstones[0].clone(); 2]),
            KeysetError::DuplicateTombstone
        );
        assert_eq!(
            refused(|k| k.keys = (0..65).map(|seed| root(seed, KeyState::Staged)).collect()),
            KeysetError::TooMany
        );
    }

    #[test]
    fn unknown_members_pass_and_unknown_algorithms_do_not() {
        let signed = |text: &str| {
            let key = SigningKey::from_bytes(&[9; 32]);
            let envelope = Envelope::sign(PAYLOAD_TYPE, text.as_bytes().to_vec(), &key);
            Keyset::open(envelope.to_json().as_bytes(), &public(9))
        };
        let text = serde_json::to_string(&keyset()).unwrap();
        assert_eq!(
            signed(&text.replacen('{', "{\"later\":[1],", 1)),
            Ok(keyset())
        );
        assert!(matches!(
            signed(&text.replace("\"ed25519\"", "\"p256\"")),
            Err(KeysetError::Malformed(_))
        ));
        assert!(matches!(
            signed(&text.replace("\"staged\"", "\"dormant\"")),
            Err(KeysetError::Malformed(_))
        ));
        assert!(matches!(signed(""), Err(KeysetError::Malformed(_))));
    }
}
