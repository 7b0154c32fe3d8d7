//! The keyset: the signed file that tells verifiers which root keys of an issuer to trust.
//!
//! A keyset lists the root keys with their states, and the revoked keys. The keyset key signs it and signs no
//! tokens. A verifier is configured with the public half of the keyset key, and takes root keys only from a
//! keyset whose signature it has verified.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::{
    dsse::{self, Envelope, EnvelopeError},
    json,
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};

/// The `payloadType` of a signed keyset.
pub const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.keyset.v1+json";

/// Maximum number of root keys in a keyset.
pub const MAX_KEYS: usize = 64;

/// Maximum number of tombstones in a keyset.
pub const MAX_TOMBSTONES: usize = 1024;

/// The root keys of one issuer at one time. Unknown members are ignored.
///
/// ```
/// use bailiwick_token::{key::PublicKey, keyset::{Keyset, KeysetError}};
///
/// /// The issuer's name, and the number of keys that may sign its tokens.
/// fn summary(file: &[u8], key: &PublicKey) -> Result<String, KeysetError> {
///     let keyset = Keyset::open(file, key)?;
///     Ok(format!("{}: {} keys", keyset.issuer, keyset.keys.len()))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// The issuer's name as its tokens state it, usually a URL.
    pub issuer: String,
    /// The version, which rises with each change. The same version means the same bytes.
    pub version: u64,
    /// Time at which this version was signed.
    pub issued_at: Timestamp,
    /// Time from which nothing in the keyset is trusted.
    pub expires: Timestamp,
    /// Suggested interval between a verifier's checks for a newer version, in seconds.
    pub refresh_hint: u64,
    /// The longest lifetime that the issuer gives a token, in seconds.
    pub max_token_ttl: u64,
    /// The keys whose tokens may be valid: at most [`MAX_KEYS`], of which at most one is active.
    pub keys: Vec<RootKey>,
    /// The revoked keys, at most [`MAX_TOMBSTONES`].
    #[serde(default)]
    pub tombstones: Vec<Tombstone>,
    /// URL at which the issuer serves its revocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
}

/// The public half of a root key, with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// The id by which tokens refer to the key: [`KeyId::derive`] of the issuer and the public key.
    pub id: KeyId,
    /// Signature algorithm of the key.
    pub alg: Algorithm,
    /// The public half.
    pub public: PublicKey,
    /// State of the key.
    pub state: KeyState,
    /// Expiry time of the last token that the key signed; set once the key is retiring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// The signature algorithm of a root key. A keyset that states another algorithm is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// The state of a root key in a keyset. Retired keys are not listed, and revoked keys are tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyState {
    /// Published before its first use, so that verifiers know the key when its first token arrives.
    Staged,
    /// Signs new tokens.
    Active,
    /// No longer signs. The tokens that it signed stay valid until they expire.
    Retiring,
}

/// A revoked root key: none of the tokens that it signed is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The key's id.
    pub id: KeyId,
    /// Time of the revocation.
    pub revoked_at: Timestamp,
    /// The reason, for people.
    pub reason: String,
}

impl Keyset {
    /// Signs this keyset with the keyset key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        Envelope::sign(PAYLOAD_TYPE, dsse::to_json(self), key)
    }

    /// Reads a signed keyset: verifies the signature of `key`, parses the signed payload, and checks that the
    /// keyset is consistent. Expiry is not checked, because only the caller knows the time.
    ///
    /// # Errors
    /// [`KeysetError`]; in that case, no part of the file may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Keyset, KeysetError> {
        let envelope = Envelope::parse(envelope)?;
        Keyset::read(envelope.open(PAYLOAD_TYPE, key)?)
    }

    /// Reads a keyset **without verifying its signature**: only for showing it to a person who does not have
    /// the key.
    ///
    /// # Errors
    /// [`KeysetError`] if the file is not a consistent keyset.
    pub fn read_unverified(envelope: &[u8]) -> Result<Keyset, KeysetError> {
        let envelope = Envelope::parse(envelope)?;
        // The same check that `open` makes: a head or a snapshot must not be shown as a keyset.
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
        let keyset: Keyset =
            json::from_slice(payload).map_err(|error| KeysetError::Malformed(error.to_string()))?;
        keyset.validate()?;
        Ok(keyset)
    }

    /// Checks the rules that every keyset must follow, whichever key signed it.
    fn validate(&self) -> Result<(), KeysetError> {
        if self.issuer.is_empty() {
            return Err(KeysetError::NoIssuer);
        }
        // Such a keyset could never be used. It usually means that the issuer's clock is wrong.
        if self.expires <= self.issued_at {
            return Err(KeysetError::NoLife);
        }
        // Checked before the loop below, which hashes each key.
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
            // Derived again, not trusted: with a wrong id, tokens would be verified under a key that did not
            // sign them.
            if KeyId::derive(&self.issuer, &key.public) != key.id {
                return Err(KeysetError::WrongId(key.id));
            }
            // A token selects its key by id alone, so each id must be unique. This also refuses a key
            // whose id is a tombstone's: a revoked key must never become valid again.
            if !seen.insert(key.id) {
                return Err(KeysetError::Duplicate(key.id));
            }
        }
        Ok(())
    }
}

/// The reason for refusing a keyset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysetError {
    /// The file is not a signed file, or the trusted key did not sign it.
    #[error("{}", .0.of("keyset"))]
    Envelope(#[from] EnvelopeError),
    /// The signed payload is not the JSON of a keyset that this version understands.
    #[error(
        "the keyset cannot be read ({0}); upgrade this program, since a newer issuer may have written it"
    )]
    Malformed(String),
    /// The keyset names no issuer.
    #[error("the keyset names no issuer; get a new keyset from the issuer")]
    NoIssuer,
    /// The keyset expires at or before the time of its signing.
    #[error(
        "the keyset expires at or before the time of its signing; check the clock of the issuer, and get a new keyset"
    )]
    NoLife,
    /// The keyset has more than [`MAX_KEYS`] keys or [`MAX_TOMBSTONES`] tombstones.
    #[error(
        "the keyset has more than {MAX_KEYS} keys or {MAX_TOMBSTONES} tombstones; retire keys at the issuer"
    )]
    TooMany,
    /// The keyset has more than one active key.
    #[error("the keyset has more than one active key; get a new keyset from the issuer")]
    ManyActive,
    /// A key has an id that is not derived from it.
    #[error(
        "the id `{0}` in the keyset does not belong to its key; get a new keyset from the issuer"
    )]
    WrongId(KeyId),
    /// Two keys, or a key and a tombstone, have the same id.
    #[error("the keyset names the key `{0}` twice; get a new keyset from the issuer")]
    Duplicate(KeyId),
    /// The keyset has the same tombstone twice.
    #[error("the keyset names a tombstone twice; get a new keyset from the issuer")]
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
