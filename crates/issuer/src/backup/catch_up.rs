//! Adoption of state that is newer than the one to which an issuer was restored.

use std::collections::BTreeMap;

use bailiwick_token::{revocation::Revocation, timestamp::Timestamp};
use ed25519_dalek::SigningKey;
use serde::Serialize;
use serde_json::json;

use super::{
    error::RestoreError,
    evidence::{RestoreEvidence, RestoredState, VerifiedEvidence},
};
use crate::{
    audit::{AuditEvent, Entry},
    clock::CLOCK_FAULT,
    feed::new_epoch,
    keyring::{Change, Ring},
    keys::{self, Fresh, check_reason},
    revoke::{RevocationInfo, covers},
    settings::Settings,
    store::{PAGE, StoreError, Tx, target_name},
    vault::Vault,
};

/// The reason recorded for revocations made after the backup. The original reasons are lost.
const REASON: &str = "revoked after the backup";

/// The result of a restore, and the newer state that was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The issuer's name, usually a URL.
    pub issuer: String,
    /// Time at which the backup was made; absent if the database was restored by other means.
    pub made_at: Option<Timestamp>,
    /// Version of the keyset that is now published. As far as is known, no verifier has a higher one.
    pub keyset_version: u64,
    /// The name of the history of revocations that begins with this restore.
    pub epoch: String,
    /// Time at which the last known keyset was signed. Keys that were revoked later must be revoked again.
    pub keys_until: Option<Timestamp>,
    /// Number of adopted revocations that were made after the backup.
    pub revocations: u64,
    /// Time up to which revocations are known. Later revocations must be made again.
    pub revocations_until: Option<Timestamp>,
    /// The transitions of root keys.
    pub keys: Vec<Change>,
    /// Number of registered clients. Their secrets and keys are those at the time of the backup, so check the
    /// clients that changed since then.
    pub clients: u64,
}

/// Adopts the state that is newer than the backup, and publishes the result.
pub(super) async fn catch_up(
    tx: &mut Tx,
    (settings, vault, signer): (&Settings, &Vault, &SigningKey),
    evidence: &RestoreEvidence,
    made_at: Option<Timestamp>,
    actor: &str,
    now: Timestamp,
) -> Result<RestoreReport, RestoreError> {
    if let Some(reason) = &evidence.revoke_keys {
        check_reason(reason).map_err(|()| keys::RootKeyError::Reason)?;
    }
    let keyset = tx.keyset().await?.ok_or(StoreError::Damaged("keyset"))?;
    let state = RestoredState {
        keyset_version: keyset.version,
        keyset_issued_at: keyset.issued_at,
        position: tx.position().await?,
    };
    let mut known = evidence.verify(settings, &state, now)?;

    // Verifiers may already have other changes under the numbers that follow the backup, so the history continues
    // under a new name.
    let epoch = new_epoch().to_string();
    tx.begin_history(&epoch, now).await?;
    let revocations = replay(tx, std::mem::take(&mut known.revocations), now).await?;

    let mut fresh = Fresh::new(&settings.issuer);
    let ring = Ring::new(
        settings.policy(),
        tx.keys().await?,
        known.version.saturating_add(1),
    );
    let ring = ring_after(ring, &known, evidence, &mut fresh, now)?;
    let detail = json!({
        "made_at": made_at,
        "keyset_before": state.keyset_version,
        "keyset_seen": known.version,
        "epoch": epoch,
        "revocations": revocations,
        "revocations_until": known.until,
        "keys_revoked": evidence.revoke_keys,
    });
    tx.record(Entry::new(AuditEvent::Restore, detail), actor, now)
        .await?;
    let keyset_version = keys::save(tx, settings, vault, signer, &ring, fresh, actor, now).await?;
    Ok(RestoreReport {
        issuer: settings.issuer.clone(),
        made_at,
        keyset_version,
        keys_until: known.keyset.as_ref().map(|keyset| keyset.issued_at),
        epoch,
        revocations,
        revocations_until: known.until,
        keys: ring.changes().to_vec(),
        clients: tx.client_count().await?,
    })
}

/// Returns the keys after all changes that were made since the backup.
fn ring_after(
    ring: Ring,
    known: &VerifiedEvidence,
    evidence: &RestoreEvidence,
    fresh: &mut Fresh<'_>,
    now: Timestamp,
) -> Result<Ring, keys::RootKeyError> {
    let ring = match &known.keyset {
        Some(keyset) => ring.catch_up(keyset, now)?,
        None => ring,
    };
    let ring = match &evidence.revoke_keys {
        Some(reason) => ring.revoke_all(reason, now),
        None => ring,
    };
    Ok(fresh.complete(ring, now)?)
}

/// Adds the revocations that are missing, and returns their number.
async fn replay(
    tx: &mut Tx,
    revocations: Vec<Revocation>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    // A target may occur more than once. Only the entry that revokes the most is used.
    let mut widest: BTreeMap<(&'static str, Vec<u8>), Revocation> = BTreeMap::new();
    for revocation in revocations {
        let (kind, name) = target_name(&revocation.target);
        let key = (kind, name.to_vec());
        if widest
            .get(&key)
            .is_none_or(|known| !covers(known, &revocation))
        {
            widest.insert(key, revocation);
        }
    }
    let mut entries = Vec::new();
    let mut count = 0_u64;
    // The clock may run ahead, so only entries that expired long ago are left out.
    let then = now.minus(CLOCK_FAULT);
    for revocation in widest.into_values().filter(|entry| !entry.is_dead(then)) {
        let known = tx.revocation(&revocation.target).await?;
        if known.is_some_and(|known| covers(&known.revocation, &revocation)) {
            continue;
        }
        entries.push(RevocationInfo {
            // The store sets this.
            seq: 0,
            revocation,
            revoked_at: now,
            reason: REASON.to_owned(),
        });
        count = count.saturating_add(1);
        if entries.len() >= PAGE {
            tx.append_revocations(&entries).await?;
            entries.clear();
        }
    }
    tx.append_revocations(&entries).await?;
    Ok(count)
}
