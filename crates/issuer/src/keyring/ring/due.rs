//! Transitions that are due, each with the time since which it is due.

use bailiwick_token::{key::KeyId, timestamp::Timestamp};

use super::{Change, Ring, StagedKey, Step, StoredKey};

/// A transition that the next rotation will make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueStep {
    /// The key; `None` if the rotation will create it.
    pub id: Option<KeyId>,
    /// The kind of transition.
    pub step: Step,
    /// Time from which a rotation could have made the transition.
    pub since: Timestamp,
}

impl Ring {
    /// Describes a change that a rotation of this ring makes; `None` for a change that only follows from
    /// another one, such as the active key being superseded by its successor.
    pub(crate) fn due(&self, change: &Change, now: Timestamp) -> Option<DueStep> {
        let (id, since) = match (change.step, self.get(change.id)) {
            (Step::Retire, Some(StoredKey::Retiring(key))) => {
                (Some(change.id), key.due_at(&self.policy))
            }
            (Step::Activate, Some(StoredKey::Staged(key))) => {
                (Some(change.id), self.activation_due_at(key, now))
            }
            (Step::Stage, None) if self.spare().is_none() => (None, now),
            _ => return None,
        };
        let step = change.step;
        Some(DueStep { id, step, since })
    }

    /// Time from which a rotation could have activated a staged key.
    fn activation_due_at(&self, staged: &StagedKey, now: Timestamp) -> Timestamp {
        let behind = self
            .reports
            .iter()
            .filter(|report| report.version < staged.0.published_version)
            .map(|report| report.seen_at.plus(self.policy.keyset_life));
        // A rotation begins only after the previous one is complete, so the end of the previous one counts as well.
        let earlier = self.keys.values().filter_map(|key| match key {
            StoredKey::Retiring(retiring) => Some(retiring.due_at(&self.policy)),
            StoredKey::Retired(retired) => Some(retired.retired_at),
            _ => None,
        });
        let last = behind.chain(earlier).filter(|met| *met <= now).max();
        let ready = staged.ready_at(&self.policy);
        last.map_or(ready, |last| last.max(ready))
    }
}
