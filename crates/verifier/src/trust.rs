//! The trust of a verifier: an immutable state of a keyset and revocations.
//!
//! Revocations come either from a file, which is a snapshot that the issuer exported, or from the issuer's
//! feed. [`Trust::with_keyset`], [`Trust::with_delta`] and [`Trust::with_snapshot`] make a new [`Trust`] from
//! the one in use and newly fetched files. [`Verifier::replace_trust`](crate::Verifier::replace_trust) puts it
//! into use. The feature `refresh` does this in the background.

mod distrust;
mod error;
mod feed;
mod readiness;
mod revocations;
mod revoked;
mod staleness;

use std::{collections::HashMap, sync::Arc};

use bailiwick_token::{
    key::{KeyId, PublicKey},
    keyset::{Keyset, KeysetError},
    revocation::Snapshot,
    timestamp::Timestamp,
};
use sha2::{Digest, Sha256};

use self::revocations::{Revocations, is_ahead};
pub(crate) use self::revoked::{RevocationNames, TrustedFacts};
pub use self::{
    distrust::Distrust,
    error::{RollbackError, TrustError},
    feed::FeedError,
    staleness::{Staleness, WhenStale},
};

/// A keyset and, if configured, revocations, all with verified signatures.
///
/// ```
/// # use bailiwick_token::key::PublicKey;
/// use bailiwick_verifier::Trust;
///
/// # fn example(key: PublicKey) -> Result<(), Box<dyn std::error::Error>> {
/// let keyset = std::fs::read("keyset.json")?;
/// let revocations = std::fs::read("revocations.json")?;
/// let trust = Trust::open(&keyset, &key, Some(&revocations))?;
/// println!("keyset {} of {}", trust.keyset().version, trust.keyset().issuer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Trust {
    keys: Arc<Keys>,
    keyset_key: PublicKey,
    revocations: Option<Arc<Revocations>>,
    /// True if no token is trusted until revocations have been read.
    needs_revocations: bool,
}

#[derive(Debug)]
struct Keys {
    keyset: Keyset,
    /// The digest of the keyset's exact bytes, because a version must always have the same bytes.
    digest: [u8; 32],
    by_id: HashMap<KeyId, usize>,
}

impl Trust {
    /// Reads a signed keyset and, if given, a signed snapshot of revocations, both as the issuer exports
    /// them. `keyset_key` is the only key that a verifier is configured with.
    ///
    /// # Errors
    /// [`TrustError`] if a file cannot be read, if a signature does not verify, or if the files belong to
    /// different issuers.
    pub fn open(
        keyset: &[u8],
        keyset_key: &PublicKey,
        revocations: Option<&[u8]>,
    ) -> Result<Trust, TrustError> {
        let keys = Keys::open(keyset, keyset_key)?;
        let mut trust = Trust {
            keys: Arc::new(keys),
            keyset_key: *keyset_key,
            revocations: None,
            needs_revocations: false,
        };
        if let Some(file) = revocations {
            let snapshot = Snapshot::open(file, keyset_key)?;
            // One keyset key may sign for several issuers, and the revocations of one do not cover the tokens of
            // another.
            if snapshot.header().issuer != trust.keyset().issuer {
                return Err(TrustError::Issuer {
                    revocations: snapshot.header().issuer.clone(),
                    keyset: trust.keyset().issuer.clone(),
                });
            }
            trust = trust.with(Revocations::of_file(&snapshot)?);
        }
        Ok(trust)
    }

    /// Returns this trust with another keyset, which the same key must have signed.
    ///
    /// # Errors
    /// [`TrustError`] if the keyset cannot be read, or its signature does not verify.
    pub fn with_keyset(&self, keyset: &[u8]) -> Result<Trust, TrustError> {
        Ok(Trust {
            keys: Arc::new(Keys::open(keyset, &self.keyset_key)?),
            ..self.clone()
        })
    }

    /// Denies everything until revocations are loaded.
    #[must_use]
    pub fn require_revocations(self) -> Trust {
        Trust {
            needs_revocations: true,
            ..self
        }
    }

    fn with(&self, revocations: Revocations) -> Trust {
        Trust {
            revocations: Some(Arc::new(revocations)),
            ..self.clone()
        }
    }

    /// Returns the verified keyset.
    #[must_use]
    pub fn keyset(&self) -> &Keyset {
        &self.keys.keyset
    }

    /// Checks that this trust may replace the trust in use.
    pub(crate) fn may_replace(&self, used: &Trust) -> Result<(), RollbackError> {
        let (offered, current) = (self.keyset(), used.keyset());
        if offered.issuer != current.issuer {
            return Err(RollbackError::Issuer);
        }
        if offered.version < current.version {
            return Err(RollbackError::Version {
                used: current.version,
                offered: offered.version,
            });
        }
        // Two keysets of one version: a forgery, or an issuer restored from a backup. Taking either would let an
        // attacker who serves the files choose.
        if offered.version == current.version && self.keys.digest != used.keys.digest {
            return Err(RollbackError::Fork(offered.version));
        }
        match (&self.revocations, &used.revocations) {
            (None, Some(_)) => Err(RollbackError::Revocations),
            (Some(offered), Some(used)) => offered.may_replace(used),
            // A keyset that stops naming a feed must not turn the requirement off.
            (None, None) if used.needs_revocations && !self.needs_revocations => {
                Err(RollbackError::Revocations)
            }
            (_, None) => Ok(()),
        }
    }

    /// Keeps revocations of `used` that this trust no longer lists because its history was restarted.
    pub(crate) fn merge_previous(&self, used: &Trust) -> Result<Trust, RollbackError> {
        match (&self.revocations, &used.revocations) {
            (Some(offered), Some(used)) => {
                let merged = offered.merge_previous(used);
                // The merged list exceeds the maximum number of entries.
                Ok(self.with(merged.map_err(|_| RollbackError::RevocationsLost)?))
            }
            _ => Ok(self.clone()),
        }
    }

    /// Returns the root key that a token names, if that key is trusted at `now`.
    pub(crate) fn root_key(
        &self,
        id: Option<u32>,
        now: Timestamp,
    ) -> Result<(KeyId, PublicKey), Distrust> {
        let keyset = self.keyset();
        if now >= keyset.expires {
            return Err(Distrust::KeysetEnded(keyset.expires));
        }
        // Otherwise a clock that is set back would make expired tokens valid again.
        if is_ahead(keyset.issued_at, now) {
            return Err(Distrust::KeysetAhead(keyset.issued_at));
        }
        let key = id.map(KeyId::from_u32).ok_or(Distrust::NoRootKey)?;
        // Tombstones are looked up before keys, so that a key is revoked if the keyset lists both.
        if keyset
            .tombstones
            .iter()
            .any(|tombstone| tombstone.id == key)
        {
            return Err(Distrust::RevokedKey(key));
        }
        let index = self.keys.by_id.get(&key);
        match index.and_then(|index| keyset.keys.get(*index)) {
            Some(root) if root.not_after.is_none_or(|end| now < end) => Ok((key, root.public)),
            Some(_) => Err(Distrust::RetiredKey(key)),
            None => Err(Distrust::UnknownKey {
                key,
                version: keyset.version,
            }),
        }
    }

    /// Checks that a token verified earlier is still trusted at `now`.
    pub(crate) fn check_trust(
        &self,
        shown: &TrustedFacts<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        let (id, key) = self.root_key(Some(shown.root_key.as_u32()), now)?;
        if key.as_bytes() != shown.root {
            return Err(Distrust::OtherKey(id));
        }
        // Only the keyset tells which keys are revoked, so withholding it must not keep a revoked key in use.
        self.not_withheld(staleness, now)?;
        match &self.revocations {
            Some(revocations) => revocations.check(shown, staleness, now),
            None if self.needs_revocations => Err(Distrust::RevocationsUnread),
            None => Ok(()),
        }
    }

    /// Checks that no newer keyset is being withheld. A newer keyset that has been announced but does not arrive may
    /// revoke the key. The time allowed is two refresh hints (one for a cache that may hold the old keyset, one for the
    /// next regular fetch) plus the maximum age of a head.
    fn not_withheld(&self, staleness: &Staleness, now: Timestamp) -> Result<(), Distrust> {
        let keyset = self.keyset();
        let told = self.newer_keyset();
        let Some(told) = told.filter(|told| told.in_use == keyset.version) else {
            return Ok(());
        };
        let looks = keyset.refresh_hint.max(1).saturating_mul(2);
        if now.since(told.since) <= staleness.after.saturating_add(looks) {
            return Ok(());
        }
        Err(Distrust::KeysetWithheld {
            used: keyset.version,
            newer: told.version,
            since: told.since,
        })
    }
}

impl Keys {
    fn open(keyset: &[u8], keyset_key: &PublicKey) -> Result<Keys, KeysetError> {
        let digest = Sha256::digest(keyset).into();
        let keyset = Keyset::open(keyset, keyset_key)?;
        let keys = keyset.keys.iter().enumerate();
        Ok(Keys {
            by_id: keys.map(|(index, key)| (key.id, index)).collect(),
            keyset,
            digest,
        })
    }
}
