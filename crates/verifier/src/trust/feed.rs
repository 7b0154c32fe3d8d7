//! The feed of revocations, applied to a trust.
//!
//! Everything here is a function of what is in use, what was fetched and the time. What was fetched
//! is taken as a whole or refused as a whole.

use bailiwick_token::{
    revocation::{DeltaError, Head, HeadError, Position, Snapshot, SnapshotError},
    timestamp::Timestamp,
};

use super::{
    Trust,
    error::RollbackError,
    revocations::{NewerKeyset, Revocations, is_ahead},
};

impl Trust {
    /// Reads a signed head and judges it by what is in use. Nothing changes; the head says what has
    /// to be fetched: the changes from [`Trust::position`] to its own where both are of one epoch, the
    /// snapshot otherwise.
    ///
    /// # Errors
    /// [`FeedError`], and then nothing of the head may be used.
    pub fn head(&self, head: &[u8], now: Timestamp) -> Result<Head, FeedError> {
        let head = Head::open(head, &self.keyset_key)?;
        self.of_this_issuer(&head.issuer)?;
        if now >= head.expires {
            return Err(FeedError::Expired(head.expires));
        }
        if is_ahead(head.issued_at, now) {
            return Err(FeedError::Ahead(head.issued_at));
        }
        let Some(used) = &self.revocations else {
            return Ok(head);
        };
        let (offered, current) = (head.position(), used.position);
        let same = offered.epoch == current.epoch;
        if same && offered.seq < current.seq {
            return Err(DeltaError::Replay {
                used: current.seq,
                offered: offered.seq,
            }
            .into());
        }
        if same && offered.seq == current.seq && offered != current {
            return Err(DeltaError::Fork(offered.seq).into());
        }
        // Who put an issuer back to an older state, revocations included, has an older keyset, too.
        let keyset = self.keyset().version;
        if !same && head.keyset_version < keyset {
            return Err(FeedError::Keyset {
                used: keyset,
                offered: head.keyset_version,
            });
        }
        let older = match same {
            true => head.issued_at < used.issued_at,
            false => head.issued_at <= used.issued_at,
        };
        if older {
            return Err(FeedError::Replay {
                used: used.issued_at,
                offered: head.issued_at,
            });
        }
        Ok(head)
    }

    /// This trust, with the changes that lead from what is in use to `head`, each line with its line
    /// feed. There may be none.
    ///
    /// # Errors
    /// [`FeedError`]; [`FeedError::wants_snapshot`] tells what helps.
    pub fn with_delta(
        &self,
        head: &[u8],
        lines: &[u8],
        now: Timestamp,
    ) -> Result<Trust, FeedError> {
        let head = self.head(head, now)?;
        let used = self.revocations.as_ref().ok_or(FeedError::Nothing)?;
        let changes = used.position.follow(lines, &head)?;
        Ok(self.told(used.with(&changes, &head)?, &head))
    }

    /// This trust, with a snapshot in the place of what is in use, and the changes that lead from it
    /// to `head`. This is the only way into another epoch.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn with_snapshot(
        &self,
        snapshot: &[u8],
        head: &[u8],
        lines: &[u8],
        now: Timestamp,
    ) -> Result<Trust, FeedError> {
        let head = self.head(head, now)?;
        let snapshot = Snapshot::open(snapshot, &self.keyset_key)?;
        self.of_this_issuer(&snapshot.header().issuer)?;
        // By a clock that ran ahead it may lack what is still alive.
        if is_ahead(snapshot.header().issued_at, now) {
            return Err(FeedError::Ahead(snapshot.header().issued_at));
        }
        let changes = snapshot.header().position().follow(lines, &head)?;
        let offered = Revocations::of_feed(&snapshot, changes, &head)?;
        let offered = match &self.revocations {
            None => offered,
            Some(used) => {
                offered.may_replace(used)?;
                offered.merge_previous(used)?
            }
        };
        Ok(self.told(offered, &head))
    }

    fn told(&self, offered: Revocations, head: &Head) -> Trust {
        let (keyset, used) = (self.keyset(), self.revocations.as_deref());
        self.with(offered.telling_of(head.keyset_version, keyset, used))
    }

    /// A newer keyset that heads have told of.
    pub(crate) fn newer_keyset(&self) -> Option<NewerKeyset> {
        let told = self.revocations.as_deref()?.newer_keyset();
        told.filter(|told| told.version > self.keyset().version)
    }

    /// How far the revocations were read, where there are any.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.revocations.as_ref().map(|used| used.position)
    }

    /// When the head, or the snapshot of a file, was signed that is in use.
    #[must_use]
    pub fn revocations_issued_at(&self) -> Option<Timestamp> {
        self.revocations.as_ref().map(|used| used.issued_at)
    }

    /// The end of that, which was signed.
    #[must_use]
    pub fn revocations_expire(&self) -> Option<Timestamp> {
        self.revocations.as_ref().map(|used| used.expires)
    }

    /// How many revocations there are.
    #[must_use]
    pub fn revocation_count(&self) -> usize {
        self.revocations.as_deref().map_or(0, Revocations::len)
    }

    /// How many more an earlier history has left: an issuer that was restored from a backup lacks them,
    /// and until this verifier starts anew they hold here all the same. Revoke them at the issuer again.
    #[must_use]
    pub fn carried_revocations(&self) -> usize {
        self.revocations.as_deref().map_or(0, Revocations::carried)
    }

    fn of_this_issuer(&self, issuer: &str) -> Result<(), FeedError> {
        let keyset = &self.keyset().issuer;
        (issuer == keyset).then_some(()).ok_or(FeedError::Issuer)
    }
}

/// Why something of the feed was refused. What was in use stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The head is not one, or is not signed by the keyset key.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The snapshot is not one, or is not signed by the keyset key.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The changes do not lead to the head: a gap, a fork, a replay or another epoch.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// The head or the snapshot is another issuer's.
    #[error("the feed is of another issuer than the keyset: check where it is fetched from")]
    Issuer,
    /// The head has ended.
    #[error(
        "the head of the revocations ended at {0}: see whether the issuer still signs, and set this machine's clock"
    )]
    Expired(Timestamp),
    /// The head or the snapshot is of a time to come.
    #[error(
        "the revocations were signed at {0}, which is yet to come: set the clock of this machine or of the issuer"
    )]
    Ahead(Timestamp),
    /// The head is older than the one in use.
    #[error(
        "the head was signed at {offered}, and one of {used} is in use: fetch it again from the issuer"
    )]
    Replay {
        /// When the one in use was signed.
        used: Timestamp,
        /// When this one was signed.
        offered: Timestamp,
    },
    /// The head begins another history, and goes with an older keyset than the one in use.
    #[error(
        "the head begins another history with keyset {offered}, and {used} is in use: a restored issuer did not raise its keyset, or somebody serves old answers"
    )]
    Keyset {
        /// The keyset in use.
        used: u64,
        /// The one that the head names.
        offered: u64,
    },
    /// Changes, and nothing that they could be added to.
    #[error("there are no revocations that changes could be added to: take the snapshot")]
    Nothing,
    /// The snapshot would undo what is in use.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
}

impl FeedError {
    /// Whether the snapshot helps.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        matches!(
            self,
            FeedError::Nothing
                | FeedError::Delta(
                    DeltaError::Epoch
                        | DeltaError::Gap { .. }
                        | DeltaError::Chain(_)
                        | DeltaError::Torn
                        | DeltaError::TooLarge
                )
        )
    }

    /// Whether what was fetched would undo what is in use, or is of a second history.
    #[must_use]
    pub fn is_rollback(&self) -> bool {
        matches!(
            self,
            FeedError::Replay { .. }
                | FeedError::Keyset { .. }
                | FeedError::Rollback(_)
                | FeedError::Delta(
                    DeltaError::Replay { .. } | DeltaError::Fork(_) | DeltaError::Chain(_)
                )
        )
    }
}
