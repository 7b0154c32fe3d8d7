//! Operations on root keys: each runs the state machine of [`crate::keyring`], then stores, records and
//! publishes the result.
//!
//! Each operation is one transaction that writes keys, audit rows and the new keyset, or nothing. After every
//! operation, a staged spare key is published.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    keyring::{Change, Guard, Ring, Step, StoredKey, TransitionError, Wait},
    keyset,
    settings::Settings,
    signer::{SignError, from_sources},
    store::Tx,
    vault::{ImportedKey, Vault},
};

/// Maximum length of a reason, in bytes. The reason is published with the tombstone.
pub(crate) const MAX_REASON: usize = 512;

/// The result of an operation on keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyReport {
    /// The transitions, in order; empty if nothing had to change.
    pub changes: Vec<Change>,
    /// Version of the keyset after the transitions.
    pub keyset_version: u64,
}

/// The result of a rotation, with the guards that later transitions wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The transitions, in order; empty if nothing was due.
    pub changes: Vec<Change>,
    /// Version of the keyset after the transitions.
    pub keyset_version: u64,
    /// The next transitions, with their times. Run the rotation again then, or more often: a rotation does
    /// nothing early.
    pub waiting: Vec<Guard>,
}

impl Issuer {
    /// Creates a new key and publishes it. The key does not sign yet.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed.
    pub async fn stage(&self, now: Timestamp) -> Result<KeyReport, RootKeyError> {
        self.change(now, |ring, fresh| Ok(fresh.stage(ring, now)?.0))
            .await
    }

    /// Activates a staged key. The previously active key begins to retire. `force` overrides the guard; in that
    /// case, verifiers that have not yet seen the new key deny its tokens for a while.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed. See [`RootKeyError::guard`].
    pub async fn activate(
        &self,
        id: KeyId,
        force: bool,
        now: Timestamp,
    ) -> Result<KeyReport, RootKeyError> {
        self.change(now, |ring, _| ring.activate(id, force, now))
            .await
    }

    /// Destroys the private half of a retiring key and removes the key from the keyset. `force` overrides the
    /// guard; in that case, tokens that the key signed are denied before they expire.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed. See [`RootKeyError::guard`].
    pub async fn retire(
        &self,
        id: KeyId,
        force: bool,
        now: Timestamp,
    ) -> Result<KeyReport, RootKeyError> {
        self.change(now, |ring, _| ring.retire(id, force, now))
            .await
    }

    /// Revokes a key in any state: a tombstone replaces it, its private half is destroyed, and all its tokens
    /// are denied. If the key was active, the oldest spare replaces it at once. A key that is already revoked
    /// does not change.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed.
    pub async fn revoke_key(
        &self,
        id: KeyId,
        reason: &str,
        now: Timestamp,
    ) -> Result<KeyReport, RootKeyError> {
        check_reason(reason).map_err(|()| RootKeyError::Reason)?;
        self.change(now, |ring, fresh| {
            fresh.spare(ring, now)?.revoke(id, reason, now)
        })
        .await
    }

    /// Makes all transitions that are due: retires, stages and activates keys. This is safe to run at any time,
    /// even concurrently: a rotation begins only when the previous one is complete, so runs neither undo nor
    /// hasten each other. Running it more often never causes a token to be denied.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed. It is not an error if nothing is due.
    pub async fn rotate(&self, now: Timestamp) -> Result<Rotation, RootKeyError> {
        let mut waiting = Vec::new();
        let report = self.change(now, |ring, fresh| {
            let (ring, guards) = rotate(ring, fresh, now)?;
            waiting = guards;
            Ok(ring)
        });
        let KeyReport {
            changes,
            keyset_version,
        } = report.await?;
        Ok(Rotation {
            changes,
            keyset_version,
            waiting,
        })
    }

    /// Publishes a key that was created elsewhere, for example by an issuer that this one replaces.
    ///
    /// # Errors
    /// [`RootKeyError`]; in that case, nothing changed. [`TransitionError::Known`] if the key is already here.
    pub async fn import(
        &self,
        key: ImportedKey,
        now: Timestamp,
    ) -> Result<KeyReport, RootKeyError> {
        self.change(now, |ring, fresh| fresh.adopt(ring, key.0, now))
            .await
    }

    async fn change(
        &self,
        now: Timestamp,
        verb: impl FnOnce(Ring, &mut Fresh<'_>) -> Result<Ring, TransitionError>,
    ) -> Result<KeyReport, RootKeyError> {
        let mut tx = self.write(now).await?;
        let reports = tx.keysets_in_use().await?;
        let ring = keyset::ring(&mut tx, &self.settings)
            .await?
            .with_reports(reports);
        let mut fresh = Fresh::new(&self.settings.issuer);
        let ring = verb(ring, &mut fresh)?;
        let ring = fresh.spare(ring, now)?;
        if ring.changes().is_empty() {
            let keyset_version = tx.keyset().await?.map_or(0, |keyset| keyset.version);
            return Ok(KeyReport {
                changes: Vec::new(),
                keyset_version,
            });
        }
        let signer = self.keyset_signer(&mut tx).await?;
        let (vault, actor) = (self.vault()?, &self.actor);
        let keyset_version = save(
            &mut tx,
            &self.settings,
            vault,
            &signer,
            &ring,
            fresh,
            actor,
            now,
        )
        .await?;
        tx.commit().await?;
        let changes = ring.changes().to_vec();
        if changes.iter().any(|change| destroys(change.step)) {
            self.store.scrub().await;
        }
        Ok(KeyReport {
            changes,
            keyset_version,
        })
    }
}

/// Runs a rotation once. Also returns the guards that later transitions wait for.
pub(crate) fn rotate(
    mut ring: Ring,
    fresh: &mut Fresh<'_>,
    now: Timestamp,
) -> Result<(Ring, Vec<Guard>), TransitionError> {
    let policy = *ring.policy();
    let retiring: Vec<_> = ring
        .retiring()
        .map(|key| (key.key.id, key.due_at(&policy)))
        .collect();
    let mut waiting = Vec::new();
    for (id, until) in retiring {
        if until <= now {
            ring = ring.retire(id, false, now)?;
        } else {
            waiting.push(Guard {
                id,
                wait: Wait::LiveTokens,
                until,
            });
        }
    }
    ring = fresh.spare(ring, now)?;
    let Some(spare) = ring.spare() else {
        return Ok((ring, waiting));
    };
    let id = spare.0.id;
    let guard = ring.guard(spare, now);
    let under_way = waiting.iter().map(|guard| guard.until).max();
    match (under_way, guard) {
        (Some(until), guard) => waiting.push(Guard {
            id,
            wait: Wait::Rotation,
            until: guard.map_or(until, |guard| until.max(guard.until)),
        }),
        (None, Some(guard)) => waiting.push(guard),
        (None, None) => ring = ring.activate(id, false, now)?,
    }
    Ok((ring, waiting))
}

/// Keys created in this transaction, whose private halves are not stored yet.
pub(crate) struct Fresh<'a> {
    issuer: &'a str,
    made: Vec<(KeyId, SigningKey)>,
}

impl<'a> Fresh<'a> {
    pub(crate) fn new(issuer: &'a str) -> Fresh<'a> {
        Fresh {
            issuer,
            made: Vec::new(),
        }
    }

    /// Stages a newly created key.
    fn stage(&mut self, ring: Ring, now: Timestamp) -> Result<(Ring, KeyId), TransitionError> {
        self.stage_from(ring, now, || SigningKey::generate(&mut OsRng))
    }

    /// Stages an existing key.
    fn adopt(
        &mut self,
        ring: Ring,
        key: SigningKey,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        let public = PublicKey::try_from(key.verifying_key()).map_err(|_| TransitionError::Weak)?;
        let id = KeyId::derive(self.issuer, &public);
        let ring = ring.stage(id, public, now)?;
        self.made.push((id, key));
        Ok(ring)
    }

    /// Ensures that one key is active and another is staged.
    pub(crate) fn complete(&mut self, ring: Ring, now: Timestamp) -> Result<Ring, TransitionError> {
        let ring = self.spare(ring, now)?;
        let spare = ring.spare().map(|spare| spare.0.id);
        match (ring.active(), spare) {
            (None, Some(spare)) => self.spare(ring.activate(spare, true, now)?, now),
            _ => Ok(ring),
        }
    }

    /// Stages a newly created key if none is staged.
    fn spare(&mut self, ring: Ring, now: Timestamp) -> Result<Ring, TransitionError> {
        if ring.spare().is_some() {
            Ok(ring)
        } else {
            Ok(self.stage(ring, now)?.0)
        }
    }

    fn stage_from(
        &mut self,
        ring: Ring,
        now: Timestamp,
        mut generate: impl FnMut() -> SigningKey,
    ) -> Result<(Ring, KeyId), TransitionError> {
        loop {
            let key = generate();
            // This practically never happens: the key would have to be one of the eight weak ones.
            let Ok(public) = PublicKey::try_from(key.verifying_key()) else {
                continue;
            };
            let id = KeyId::derive(self.issuer, &public);
            // One key in four billion has the id of another key or of a tombstone. With the id of a tombstone,
            // verifiers would deny all its tokens.
            if ring.get(id).is_none() {
                let ring = ring.stage(id, public, now)?;
                self.made.push((id, key));
                return Ok((ring, id));
            }
        }
    }
}

/// Writes the changes of a ring: keys, private halves, audit rows, and the new keyset.
#[expect(
    clippy::too_many_arguments,
    reason = "called by init, which has no issuer yet, and by verbs"
)]
pub(crate) async fn save(
    tx: &mut Tx,
    settings: &Settings,
    vault: &Vault,
    signer: &SigningKey,
    ring: &Ring,
    fresh: Fresh<'_>,
    actor: &str,
    now: Timestamp,
) -> Result<u64, RootKeyError> {
    // Changes are stored in order: the old key stops being active before the new one becomes active.
    for change in ring.changes() {
        let Some(key) = ring.get(change.id) else {
            continue;
        };
        tx.save_key(&key.info(ring.policy())).await?;
        tx.record(entry(change, key), actor, now).await?;
        if destroys(change.step) {
            tx.destroy_sealed(change.id).await?;
        }
    }
    for (id, key) in &fresh.made {
        tx.insert_sealed(&id.to_string(), &vault.seal(key)?).await?;
    }
    let keyset = keyset::publish(tx, settings, ring, signer, now).await?;
    Ok(keyset.version)
}

fn destroys(step: Step) -> bool {
    matches!(step, Step::Retire | Step::Revoke)
}

fn entry(change: &Change, key: &StoredKey) -> Entry {
    let event = match change.step {
        Step::Stage => AuditEvent::KeyStage,
        Step::Activate => AuditEvent::KeyActivate,
        Step::Supersede => AuditEvent::KeySupersede,
        Step::Retire => AuditEvent::KeyRetire,
        Step::Revoke => AuditEvent::KeyRevoke,
    };
    let mut detail = json!({ "public": key.dates().public, "forced": change.forced });
    if let (StoredKey::Revoked(revoked), Some(detail)) = (key, detail.as_object_mut()) {
        detail.insert("reason".to_owned(), json!(revoked.reason));
    }
    Entry {
        key: Some(change.id.to_string()),
        ..Entry::new(event, detail)
    }
}

/// Checks that a reason can be published: one line that is not blank.
pub(crate) fn check_reason(reason: &str) -> Result<(), ()> {
    let says_something = !reason.trim().is_empty() && reason.len() <= MAX_REASON;
    (says_something && !reason.contains(char::is_control))
        .then_some(())
        .ok_or(())
}

/// The error of an operation on root keys. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootKeyError {
    /// The transition of a key was refused.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The reason is missing or cannot be published.
    #[error("the revocation has no valid reason; give one line of at most {MAX_REASON} bytes")]
    Reason,
    /// The keys cannot be used or stored.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(RootKeyError);

impl RootKeyError {
    /// Returns the guard that refused the operation, if a guard did.
    #[must_use]
    pub fn guard(&self) -> Option<&Guard> {
        match self {
            RootKeyError::Transition(TransitionError::Guard(guard)) => Some(guard),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
