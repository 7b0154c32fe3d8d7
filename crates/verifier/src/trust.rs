//! What a verifier trusts: an immutable snapshot of keyset and revocations.

use std::collections::HashMap;

use bailiwick_token::{
    claims::TokenId,
    key::{KeyId, PublicKey},
    keyset::{Keyset, KeysetError},
    revocation::{RevocationList, RevocationListError, Target},
    timestamp::Timestamp,
};
use sha2::{Digest, Sha256};

use crate::decision::Reason;

/// A keyset and, where configured, a list of revocations, whose signatures have been verified.
#[derive(Debug)]
pub struct Trust {
    keyset: Keyset,
    /// The digest of the keyset's exact bytes: one version must mean one byte string.
    digest: [u8; 32],
    keys: HashMap<KeyId, usize>,
    revocations: Option<Revocations>,
}

/// The keyset or the revocation list cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The keyset file is not one, or is not signed by the keyset key.
    #[error("the keyset cannot be used: {0}")]
    Keyset(#[from] KeysetError),
    /// The revocation list is not one, or is not signed by the keyset key.
    #[error("the revocation list cannot be used: {0}")]
    Revocations(#[from] RevocationListError),
    /// The revocation list is another issuer's.
    #[error(
        "the revocation list is of the issuer `{list}`, the keyset of `{keyset}`: export both from one issuer"
    )]
    Issuer {
        /// The issuer that the list names.
        list: String,
        /// The issuer that the keyset names.
        keyset: String,
    },
}

/// A new snapshot would undo what an earlier one said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// The keyset is of another issuer.
    #[error("the keyset is of another issuer than the one in use")]
    Issuer,
    /// The keyset is older than the one in use.
    #[error(
        "the keyset has version {offered}, the one in use has {used}: fetch it again from the issuer"
    )]
    Version {
        /// The version in use.
        used: u64,
        /// The version offered.
        offered: u64,
    },
    /// The keyset has the version of the one in use, and other bytes.
    #[error(
        "two different keysets carry the version {0}: one of them is forged, or a restored issuer did not raise its version"
    )]
    Fork(u64),
    /// The revocation list has the number of the one in use, and other bytes.
    #[error(
        "two different revocation lists carry the number {0}: one of them is forged, or a restored issuer did not raise its number"
    )]
    RevocationsFork(u64),
    /// The revocation list is older than the one in use, or gone.
    #[error("the revocation list is older than the one in use, or missing")]
    Revocations,
}

#[derive(Debug)]
struct Revocations {
    seq: u64,
    /// The digest of the list's exact bytes.
    digest: [u8; 32],
    expires: Timestamp,
    /// In order: nothing but the 16 bytes of each.
    tokens: Box<[TokenId]>,
    /// In order. A signature of another length is on no block of this profile.
    blocks: Box<[[u8; 64]]>,
}

/// What a token shows to be looked up.
pub(crate) struct Credentials<'a> {
    pub(crate) root_key: KeyId,
    /// The key itself: an id is too short to tell two issuers' keys apart for certain.
    pub(crate) root: &'a [u8; 32],
    pub(crate) token_id: TokenId,
    pub(crate) blocks: &'a [[u8; 64]],
}

impl Trust {
    /// Reads a signed keyset and, where given, a signed revocation list, both as their issuer
    /// exports them. `keyset_key` is the one thing that a verifier is configured with.
    ///
    /// # Errors
    /// When either is not what its signature vouches for.
    pub fn open(
        keyset: &[u8],
        keyset_key: &PublicKey,
        revocations: Option<&[u8]>,
    ) -> Result<Trust, TrustError> {
        let digest = Sha256::digest(keyset).into();
        let keyset = Keyset::open(keyset, keyset_key)?;
        let revocations = match revocations {
            None => None,
            Some(bytes) => {
                let list = RevocationList::open(bytes, keyset_key)?;
                if list.issuer != keyset.issuer {
                    return Err(TrustError::Issuer {
                        list: list.issuer,
                        keyset: keyset.issuer,
                    });
                }
                Some(Revocations::new(list, Sha256::digest(bytes).into()))
            }
        };
        let keys = keyset
            .keys
            .iter()
            .enumerate()
            .map(|(index, key)| (key.id, index))
            .collect();
        Ok(Trust {
            keyset,
            digest,
            keys,
            revocations,
        })
    }

    /// The keyset.
    #[must_use]
    pub fn keyset(&self) -> &Keyset {
        &self.keyset
    }

    /// Whether `self` may take the place of `used`.
    pub(crate) fn may_replace(&self, used: &Trust) -> Result<(), RollbackError> {
        let (offered, current) = (&self.keyset, &used.keyset);
        if offered.issuer != current.issuer {
            return Err(RollbackError::Issuer);
        }
        if offered.version < current.version {
            return Err(RollbackError::Version {
                used: current.version,
                offered: offered.version,
            });
        }
        if offered.version == current.version && self.digest != used.digest {
            return Err(RollbackError::Fork(offered.version));
        }
        match (&self.revocations, &used.revocations) {
            (None, Some(_)) => Err(RollbackError::Revocations),
            (Some(offered), Some(used)) if offered.seq < used.seq => {
                Err(RollbackError::Revocations)
            }
            (Some(offered), Some(used))
                if offered.seq == used.seq && offered.digest != used.digest =>
            {
                Err(RollbackError::RevocationsFork(used.seq))
            }
            _ => Ok(()),
        }
    }

    /// The root key that a token names, where it is trusted at `now`.
    pub(crate) fn root_key(
        &self,
        id: Option<u32>,
        now: Timestamp,
    ) -> Result<(KeyId, PublicKey), (Reason, String)> {
        if now >= self.keyset.expires {
            return Err((
                Reason::StaleKeyset,
                format!(
                    "the keyset ended at {}: fetch a newer one from the issuer",
                    self.keyset.expires
                ),
            ));
        }
        let Some(id) = id.map(KeyId::from_u32) else {
            return Err((Reason::UnknownKey, "the token names no root key".to_owned()));
        };
        if self
            .keyset
            .tombstones
            .iter()
            .any(|tombstone| tombstone.id == id)
        {
            return Err((
                Reason::RevokedKey,
                format!("the root key `{id}` has been revoked"),
            ));
        }
        let key = self
            .keys
            .get(&id)
            .and_then(|index| self.keyset.keys.get(*index));
        match key {
            Some(key) if key.not_after.is_none_or(|end| now < end) => Ok((id, key.public)),
            Some(_) => Err((
                Reason::UnknownKey,
                format!("the root key `{id}` is retired"),
            )),
            None => Err((
                Reason::UnknownKey,
                format!(
                    "the root key `{id}` is not in the keyset (version {})",
                    self.keyset.version
                ),
            )),
        }
    }

    /// Whether what was verified earlier is still trusted at `now`.
    pub(crate) fn recheck(
        &self,
        shown: &Credentials<'_>,
        now: Timestamp,
    ) -> Result<(), (Reason, String)> {
        let (id, key) = self.root_key(Some(shown.root_key.as_u32()), now)?;
        if key.as_bytes() != shown.root {
            return Err((
                Reason::UnknownKey,
                format!("the root key `{id}` is another than the one that signed the token"),
            ));
        }
        let Some(revocations) = &self.revocations else {
            return Ok(());
        };
        if now >= revocations.expires {
            return Err((
                Reason::StaleKeyset,
                format!(
                    "the revocation list ended at {}: fetch a newer one from the issuer",
                    revocations.expires
                ),
            ));
        }
        if revocations.tokens.binary_search(&shown.token_id).is_ok() {
            return Err((Reason::Revoked, "the token has been revoked".to_owned()));
        }
        match shown
            .blocks
            .iter()
            .position(|block| revocations.blocks.binary_search(block).is_ok())
        {
            Some(block) => Err((
                Reason::Revoked,
                format!("block {block} of the token has been revoked"),
            )),
            None => Ok(()),
        }
    }
}

impl Revocations {
    fn new(list: RevocationList, digest: [u8; 32]) -> Revocations {
        let (mut tokens, mut blocks) = (Vec::new(), Vec::new());
        for entry in list.entries {
            match entry.target {
                Target::Token(id) => tokens.push(id),
                Target::Block(signature) => {
                    blocks.extend(<[u8; 64]>::try_from(signature.as_slice()).ok());
                }
            }
        }
        tokens.sort_unstable();
        blocks.sort_unstable();
        Revocations {
            seq: list.seq,
            digest,
            expires: list.expires,
            tokens: tokens.into(),
            blocks: blocks.into(),
        }
    }
}
