//! The ring of an issuer's root keys, and the rules for all of them together.

pub(super) mod due;

use std::collections::BTreeMap;

use bailiwick_token::{
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, MAX_KEYS, MAX_TOMBSTONES, RootKey, Tombstone},
    timestamp::{SKEW, Timestamp},
};
use serde::{Deserialize, Serialize};

use super::{
    error::TransitionError,
    guard::{Guard, Wait},
    key::{ActiveKey, Dates, RetiringKey, StagedKey, State, StoredKey},
    policy::KeyPolicy,
};

/// All keys that the issuer ever had, and the transitions since they were loaded.
///
/// A transition consumes the ring, so a refused transition leaves no half-changed ring behind.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    policy: KeyPolicy,
    keys: BTreeMap<KeyId, StoredKey>,
    /// Version of the keyset that will contain the changes.
    next_version: u64,
    /// The keyset that each verifier last reported.
    reports: Vec<KeysetInUse>,
    changes: Vec<Change>,
}

/// A verifier's report of the keyset that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeysetInUse {
    pub(crate) version: u64,
    pub(crate) seen_at: Timestamp,
}

/// One transition of one key, which the audit log records as one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The id of the key.
    pub id: KeyId,
    /// The kind of transition.
    pub step: Step,
    /// True if a guard was overridden.
    pub forced: bool,
}

/// The kinds of transitions of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The key was created and published.
    Stage,
    /// The key began to sign.
    Activate,
    /// The key stopped signing.
    Supersede,
    /// The key left the keyset, and its private half was destroyed.
    Retire,
    /// The key became a tombstone, and its private half was destroyed.
    Revoke,
}

impl Change {
    fn is_revocation(&self) -> bool {
        self.step == Step::Revoke
    }
}

impl Ring {
    /// Creates a ring of all keys. Its changes will be published in the keyset of `next_version`.
    pub(crate) fn new(
        policy: KeyPolicy,
        keys: impl IntoIterator<Item = StoredKey>,
        next_version: u64,
    ) -> Ring {
        let keys = keys.into_iter().map(|key| (key.id(), key)).collect();
        Ring {
            policy,
            keys,
            next_version,
            reports: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Adds the reports of verifiers, so that a key is not activated while a verifier still lacks it.
    pub(crate) fn with_reports(mut self, reports: Vec<KeysetInUse>) -> Ring {
        self.reports = reports;
        self
    }

    /// Returns the guard that delays the activation of a staged key; `None` if it can be activated.
    pub(crate) fn guard(&self, staged: &StagedKey, now: Timestamp) -> Option<Guard> {
        let (wait, until) = self.last_condition(staged);
        let id = staged.0.id;
        (now < until).then_some(Guard { id, wait, until })
    }

    /// Returns the time from which a staged key can be activated, according to the reports so far.
    pub(crate) fn allowed_from(&self, staged: &StagedKey) -> Timestamp {
        self.last_condition(staged).1
    }

    /// Returns the last condition to be met before a staged key can be activated, and the time at which it is met.
    /// All other conditions are met by then.
    fn last_condition(&self, staged: &StagedKey) -> (Wait, Timestamp) {
        let published = (Wait::Publication, staged.ready_at(&self.policy));
        // A verifier that never fetches again stops using its keyset when that keyset expires. So a verifier that no
        // longer exists delays an activation for `keyset_life` at most.
        let ends = |report: &KeysetInUse| report.seen_at.plus(self.policy.keyset_life);
        let behind = self
            .reports
            .iter()
            .filter(|report| report.version < staged.0.published_version)
            .map(|report| (Wait::Verifiers, ends(report)));
        behind.fold(published, |last, next| match next.1 >= last.1 {
            true => next,
            false => last,
        })
    }

    /// Adds a new key.
    pub(crate) fn stage(
        mut self,
        id: KeyId,
        public: PublicKey,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        // Ids of retired and revoked keys are never used again: verifiers that have the tombstone would
        // deny everything that the new key signs.
        if let Some(known) = self.keys.get(&id) {
            let state = known.state();
            return Err(match known.dates().public == public {
                true => TransitionError::Known { id, state },
                false => TransitionError::Collision(id),
            });
        }
        if self.published().count() >= MAX_KEYS {
            return Err(TransitionError::TooMany { max: MAX_KEYS });
        }
        // Nothing else adds a key, so this keeps the keyset within its format. `catch_up` needs no such
        // check: it leaves only keys that are in the later keyset.
        let staged = StagedKey(Dates {
            id,
            public,
            published_version: self.next_version,
            staged_at: now,
        });
        self.put(StoredKey::Staged(staged), Step::Stage, false);
        Ok(self)
    }

    /// Makes a staged key the active one. The previously active key, if any, begins to retire.
    pub(crate) fn activate(
        mut self,
        id: KeyId,
        force: bool,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        let staged = match self.take(id)? {
            StoredKey::Staged(staged) => staged,
            other => {
                return Err(wrong_state(
                    &other,
                    "name a staged key, since no other can be activated",
                ));
            }
        };
        // The very first key need not wait, because no verifier trusts another key yet. The successor
        // of a key that was just revoked is not the first: its early activation is recorded as forced.
        let first = self.active().is_none() && !self.changes.iter().any(Change::is_revocation);
        let guard = self.guard(&staged, now).filter(|_| !first);
        let early = guard.is_some();
        if let Some(guard) = guard.filter(|_| !force) {
            return Err(guard.into());
        }
        // The old key steps down before the new one is recorded as active: changes are stored in this
        // order, and the database allows one active key at any time.
        let active = staged.activate(now);
        if let Some(old) = self.active().map(|old| old.key.id)
            && let StoredKey::Active(old) = self.take(old)?
        {
            self.put(
                StoredKey::Retiring(old.supersede(now)),
                Step::Supersede,
                false,
            );
        }
        self.put(StoredKey::Active(active), Step::Activate, early);
        Ok(self)
    }

    /// Retires a retiring key.
    pub(crate) fn retire(
        mut self,
        id: KeyId,
        force: bool,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        let retiring = match self.take(id)? {
            StoredKey::Retiring(retiring) => retiring,
            other => {
                let hint = match other.state() {
                    State::Active => {
                        "activate another key first, and this key then begins to retire"
                    }
                    State::Staged => "use `key revoke` to remove this key, which signed nothing",
                    _ => "leave it as it is, since it is no longer in the keyset",
                };
                return Err(wrong_state(&other, hint));
            }
        };
        // This is computed before the key is consumed. The audit says that a guard was overridden only if the guard
        // would have refused.
        let early = now < retiring.due_at(&self.policy);
        let retired = if force {
            retiring.drop_at_once(now)
        } else {
            retiring.retire(&self.policy, now)?
        };
        self.put(StoredKey::Retired(retired), Step::Retire, early);
        Ok(self)
    }

    /// Turns a key in any state into a tombstone. If the key was active, the oldest spare replaces it, even if
    /// that was published only now: a key that verifiers do not know yet is better than a stolen one.
    pub(crate) fn revoke(
        mut self,
        id: KeyId,
        reason: &str,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        let key = self.take(id)?;
        let was_active = key.state() == State::Active;
        let was_revoked = key.state() == State::Revoked;
        let revoked = StoredKey::Revoked(key.revoke(reason, now));
        // Revoking twice is no change: no audit row, and no new version of the keyset.
        if was_revoked {
            self.keys.insert(id, revoked);
            return Ok(self);
        }
        self.put(revoked, Step::Revoke, false);
        if was_active {
            let spare = self
                .spare()
                .map(|spare| spare.0.id)
                .ok_or(TransitionError::NoSpare)?;
            // This is forced, because the guard protects only availability, and waiting would leave no key to sign
            // with.
            return self.activate(spare, true, now);
        }
        Ok(self)
    }

    /// Turns every key that verifiers may trust into a tombstone. No key is active afterwards.
    pub(crate) fn revoke_all(mut self, reason: &str, now: Timestamp) -> Ring {
        // Retired keys stay as they are: they are not in the keyset, so verifiers deny them as unknown.
        let trusted: Vec<KeyId> = self.published().map(|key| key.id).collect();
        for id in trusted {
            self.revoke_alone(id, reason, now);
        }
        self
    }

    /// Adopts the state of a later keyset, after these keys were restored from an earlier time.
    ///
    /// Keys that have since been revoked or removed from the keyset are revoked or retired here too, and a key
    /// that is active in the keyset becomes active. The private halves of keys that were created since are
    /// lost: such keys are added as retiring, so that their tokens stay valid until they expire. Afterwards,
    /// there may be no active key.
    pub(crate) fn catch_up(
        mut self,
        later: &Keyset,
        now: Timestamp,
    ) -> Result<Ring, TransitionError> {
        for tombstone in &later.tombstones {
            // The tombstone of a key that is not in this ring is dropped: verifiers deny unknown keys too.
            self.revoke_alone(tombstone.id, &tombstone.reason, tombstone.revoked_at);
        }
        // A key that is trusted here but missing from the later keyset has been retired since. If it were published
        // again, tokens that verifiers already deny would become valid again.
        let gone = |id: &KeyId| later.keys.iter().all(|key| key.id != *id);
        let left: Vec<KeyId> = self.published().map(|key| key.id).filter(gone).collect();
        for id in left {
            let retiring = match self.take(id)? {
                StoredKey::Staged(staged) => staged.activate(now).supersede(now),
                StoredKey::Active(active) => active.supersede(now),
                StoredKey::Retiring(retiring) => retiring,
                other => {
                    self.keys.insert(id, other);
                    continue;
                }
            };
            self.put(
                StoredKey::Retired(retiring.drop_at_once(now)),
                Step::Retire,
                false,
            );
        }
        for key in &later.keys {
            // A key that stopped signing must not sign again. `not_after` is the time at which signing ended plus
            // this lifetime. So the end of signing follows from `not_after`, and the key is retired when it would
            // have been.
            let life = self.policy.max_token_ttl.saturating_add(SKEW);
            let since = key.not_after.map_or(now, |end| end.minus(life).min(now));
            let here = self.keys.get(&key.id).map(StoredKey::state);
            match (here, key.state) {
                (Some(State::Staged), KeyState::Active) => {
                    self = self.activate(key.id, true, now)?;
                }
                (Some(State::Staged | State::Active), KeyState::Retiring) => {
                    let retiring = match self.take(key.id)? {
                        StoredKey::Staged(staged) => staged.activate(since).supersede(since),
                        StoredKey::Active(active) => active.supersede(since),
                        other => {
                            self.keys.insert(key.id, other);
                            continue;
                        }
                    };
                    self.put(StoredKey::Retiring(retiring), Step::Supersede, false);
                }
                // The key was created after the backup. Whatever its state in the keyset, the backup lacks its
                // private half, so the key can only be kept for the tokens that it signed.
                (None, _) => {
                    let dates = Dates {
                        id: key.id,
                        public: key.public,
                        published_version: later.version,
                        staged_at: now,
                    };
                    let retiring = StagedKey(dates).activate(since).supersede(since);
                    let retiring = StoredKey::Retiring(retiring);
                    self.put(retiring, Step::Supersede, false);
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// Turns a key into a tombstone, if it exists and is not one already. No other key replaces it.
    fn revoke_alone(&mut self, id: KeyId, reason: &str, at: Timestamp) {
        if let Ok(key) = self.take(id) {
            match key.state() {
                State::Revoked => drop(self.keys.insert(id, key)),
                _ => self.put(
                    StoredKey::Revoked(key.revoke(reason, at)),
                    Step::Revoke,
                    false,
                ),
            }
        }
    }

    /// Version of the keyset that will contain the changes.
    pub(crate) fn next_version(&self) -> u64 {
        self.next_version
    }

    pub(crate) fn get(&self, id: KeyId) -> Option<&StoredKey> {
        self.keys.get(&id)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.keys.values()
    }

    /// Returns the key that signs.
    pub(crate) fn active(&self) -> Option<&ActiveKey> {
        self.keys.values().find_map(|key| match key {
            StoredKey::Active(active) => Some(active),
            _ => None,
        })
    }

    /// Returns the spare that will be activated next: the one that has been published longest.
    pub(crate) fn spare(&self) -> Option<&StagedKey> {
        let staged = self.keys.values().filter_map(|key| match key {
            StoredKey::Staged(staged) => Some(staged),
            _ => None,
        });
        // The spare that was published first is known to the most verifiers. The id only breaks ties.
        staged.min_by_key(|staged| (staged.0.staged_at, staged.0.id))
    }

    /// Returns the keys that no longer sign but are still trusted.
    pub(crate) fn retiring(&self) -> impl Iterator<Item = &RetiringKey> {
        self.keys.values().filter_map(|key| match key {
            StoredKey::Retiring(retiring) => Some(retiring),
            _ => None,
        })
    }

    /// Returns the transitions since the ring was loaded, in order.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(crate) fn policy(&self) -> &KeyPolicy {
        &self.policy
    }

    /// Returns the keys that the keyset contains.
    pub(crate) fn published(&self) -> impl Iterator<Item = RootKey> {
        self.keys.values().filter_map(|key| {
            let (state, not_after) = match key {
                StoredKey::Staged(_) => (KeyState::Staged, None),
                StoredKey::Active(_) => (KeyState::Active, None),
                StoredKey::Retiring(retiring) => {
                    (KeyState::Retiring, Some(retiring.not_after(&self.policy)))
                }
                StoredKey::Retired(_) | StoredKey::Revoked(_) => return None,
            };
            let Dates { id, public, .. } = *key.dates();
            Some(RootKey {
                id,
                alg: Algorithm::Ed25519,
                public,
                state,
                not_after,
            })
        })
    }

    /// Returns the tombstones of the keyset, latest first. If there are more than the format allows, the oldest are
    /// left out: verifiers deny those keys anyway, as unknown.
    pub(crate) fn tombstones(&self) -> Vec<Tombstone> {
        let revoked = self.keys.values().filter_map(|key| match key {
            StoredKey::Revoked(revoked) => Some(revoked),
            _ => None,
        });
        let mut tombstones: Vec<Tombstone> = revoked
            .map(|revoked| Tombstone {
                id: revoked.key.id,
                revoked_at: revoked.revoked_at,
                reason: revoked.reason.clone(),
            })
            .collect();
        tombstones.sort_by_key(|tombstone| std::cmp::Reverse(tombstone.revoked_at));
        tombstones.truncate(MAX_TOMBSTONES);
        tombstones
    }

    fn take(&mut self, id: KeyId) -> Result<StoredKey, TransitionError> {
        self.keys.remove(&id).ok_or(TransitionError::NotFound(id))
    }

    fn put(&mut self, key: StoredKey, step: Step, forced: bool) {
        let id = key.id();
        self.keys.insert(id, key);
        self.changes.push(Change { id, step, forced });
    }
}

fn wrong_state(key: &StoredKey, hint: &'static str) -> TransitionError {
    TransitionError::WrongState {
        id: key.id(),
        state: key.state(),
        hint,
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
