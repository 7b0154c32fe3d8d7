//! The published keyset: signed once per version, then served byte for byte.

use bailiwick_token::{
    keyset::Keyset,
    timestamp::{SKEW, Timestamp},
};
use ed25519_dalek::SigningKey;
use serde::Serialize;

use crate::{
    issuer::Issuer,
    keyring::Ring,
    settings::Settings,
    signer::SignError,
    store::{StoreError, StoredKeyset, Tx},
};

/// Age in seconds at which an unchanged keyset is signed again.
pub const KEYSET_RESIGN: u64 = 3_600;

/// A signed keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedKeyset {
    /// Version of the keyset.
    pub version: u64,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which verifiers refuse the keyset.
    pub expires: Timestamp,
    /// The DSSE envelope that verifiers receive, byte for byte.
    pub envelope: String,
}

impl Issuer {
    /// Returns the current keyset, signed again if it is more than an hour old or if less than half of its lifetime
    /// remains. Only signing needs the private keys.
    ///
    /// # Errors
    /// [`SignError`]; in that case, [`Issuer::published_keyset`] still returns the last keyset.
    pub async fn keyset(&self, now: Timestamp) -> Result<PublishedKeyset, SignError> {
        let life = self.settings.keyset_life;
        let fresh = |keyset: &StoredKeyset| is_fresh(keyset.issued_at, keyset.expires, life, now);
        if let Some(keyset) = self.store.read().await?.keyset().await?.filter(fresh) {
            return Ok(keyset.into());
        }
        let signer = {
            let mut tx = self.store.read().await?;
            self.keyset_signer(&mut tx).await?
        };
        let mut tx = self.write(now).await?;
        // Another caller or issuer may have signed the keyset in between.
        if let Some(keyset) = tx.keyset().await?.filter(fresh) {
            return Ok(keyset.into());
        }
        let ring = ring(&mut tx, &self.settings).await?;
        let keyset = publish(&mut tx, &self.settings, &ring, &signer, now).await?;
        tx.commit().await?;
        Ok(keyset.into())
    }

    /// Returns the last signed keyset, however old it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn published_keyset(&self) -> Result<PublishedKeyset, StoreError> {
        let keyset = self.store.read().await?.keyset().await?;
        keyset
            .map(PublishedKeyset::from)
            .ok_or(StoreError::Damaged("keyset"))
    }
}

/// Returns the ring of all keys, as this transaction sees them.
pub(crate) async fn ring(tx: &mut Tx, settings: &Settings) -> Result<Ring, StoreError> {
    let last = tx.keyset().await?.map_or(0, |last| last.version);
    let keys = tx.keys().await?;
    Ok(Ring::new(settings.policy(), keys, last.saturating_add(1)))
}

/// Signs and stores the keyset of a ring, in the transaction that changes the ring.
pub(crate) async fn publish(
    tx: &mut Tx,
    settings: &Settings,
    ring: &Ring,
    signer: &SigningKey,
    now: Timestamp,
) -> Result<StoredKeyset, StoreError> {
    let version = ring.next_version();
    let keyset = Keyset {
        issuer: settings.issuer.clone(),
        version,
        issued_at: now,
        expires: now.plus(settings.keyset_life),
        refresh_hint: settings.refresh_hint,
        max_token_ttl: settings.max_token_ttl,
        keys: ring.published().collect(),
        tombstones: ring.tombstones(),
        // The URL comes from the store: another process may have set it since this one read the settings.
        revocation_url: tx.revocation_url().await?,
    };
    let envelope = keyset.sign(signer).to_json();
    let stored = StoredKeyset {
        version,
        issued_at: now,
        expires: keyset.expires,
        envelope,
    };
    tx.insert_keyset(&stored).await?;
    Ok(stored)
}

/// Returns true if a signed file is fresh enough to be served without signing it again.
pub(crate) fn is_fresh(
    issued_at: Timestamp,
    expires: Timestamp,
    life: u64,
    now: Timestamp,
) -> bool {
    // No other issuer's clock within the skew can have set a time of signing later than this. So this clock was set
    // back, and readers would refuse the file as not valid yet.
    issued_at <= now.plus(SKEW)
        && now.since(issued_at) < KEYSET_RESIGN
        && expires.since(now) >= life.div_ceil(2)
}

impl From<StoredKeyset> for PublishedKeyset {
    fn from(stored: StoredKeyset) -> PublishedKeyset {
        let StoredKeyset {
            version,
            issued_at,
            expires,
            envelope,
        } = stored;
        PublishedKeyset {
            version,
            issued_at,
            expires,
            envelope,
        }
    }
}
