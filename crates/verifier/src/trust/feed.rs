//! Application of the revocation feed to a trust.
//!
//! Everything here is a function of the trust in use, the fetched bytes and the time. Fetched files are
//! accepted or refused as a whole.

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
    /// Reads a signed head and checks it against the trust in use, without changing the trust. The head
    /// determines what to fetch: the changes from [`Trust::position`] to the head's position if both are in the
    /// same epoch, and otherwise the snapshot.
    ///
    /// # Errors
    /// [`FeedError`]; in that case, the head must not be used.
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
        // Positions are comparable only within an epoch. Within one, an older head is a replay, and two different heads
        // with the same number are a fork.
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
        // A replayed head of an older epoch also names an older keyset.
        let keyset = self.keyset().version;
        if !same && head.keyset_version < keyset {
            return Err(FeedError::Keyset {
                used: keyset,
                offered: head.keyset_version,
            });
        }
        let older = match same {
            // The head in use may be fetched again, but the head of a new epoch must be newer.
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

    /// Returns this trust with the changes from the revocations in use up to `head`. Each line ends in a line
    /// feed, and there may be no lines.
    ///
    /// # Errors
    /// [`FeedError`]; if [`FeedError::wants_snapshot`] returns true, fetching a snapshot helps.
    pub fn with_delta(
        &self,
        head: &[u8],
        lines: &[u8],
        now: Timestamp,
    ) -> Result<Trust, FeedError> {
        let head = self.head(head, now)?;
        let used = self.revocations.as_ref().ok_or(FeedError::Nothing)?;
        // `follow` checks that the lines hash to the digest in the head, so each is as good as signed.
        let changes = used.position.follow(lines, &head)?;
        Ok(self.with_revocations(used.with(&changes, &head)?, &head))
    }

    /// Returns this trust with a snapshot instead of the revocations in use, and with the changes from the
    /// snapshot up to `head`. This is the only way to enter another epoch.
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
        // A snapshot signed by a clock that ran ahead may omit entries that have not yet expired.
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
        Ok(self.with_revocations(offered, &head))
    }

    fn with_revocations(&self, offered: Revocations, head: &Head) -> Trust {
        let (keyset, used) = (self.keyset(), self.revocations.as_deref());
        self.with(offered.telling_of(head.keyset_version, keyset, used))
    }

    /// A newer keyset that heads have announced.
    pub(crate) fn newer_keyset(&self) -> Option<NewerKeyset> {
        let told = self.revocations.as_deref()?.newer_keyset();
        told.filter(|told| told.version > self.keyset().version)
    }

    /// The position up to which the revocations were read, if any were.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.revocations.as_ref().map(|used| used.position)
    }

    /// Time at which the head in use, or the snapshot read from a file, was signed.
    #[must_use]
    pub fn revocations_issued_at(&self) -> Option<Timestamp> {
        self.revocations.as_ref().map(|used| used.issued_at)
    }

    /// Time at which that head or snapshot expires.
    #[must_use]
    pub fn revocations_expire(&self) -> Option<Timestamp> {
        self.revocations.as_ref().map(|used| used.expires)
    }

    /// Number of revocations.
    #[must_use]
    pub fn revocation_count(&self) -> usize {
        self.revocations.as_deref().map_or(0, Revocations::len)
    }

    /// Number of further revocations kept from an earlier history. An issuer that was restored from a backup
    /// lacks them. They stay in force here until this verifier restarts, so an operator should revoke them
    /// again at the issuer.
    #[must_use]
    pub fn carried_revocations(&self) -> usize {
        self.revocations.as_deref().map_or(0, Revocations::carried)
    }

    fn of_this_issuer(&self, issuer: &str) -> Result<(), FeedError> {
        let keyset = &self.keyset().issuer;
        (issuer == keyset).then_some(()).ok_or(FeedError::Issuer)
    }
}

/// The reasons for refusing a part of the feed. The trust in use does not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The head cannot be read, or is not signed by the keyset key.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The snapshot cannot be read, or is not signed by the keyset key.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The changes do not lead to the head: a gap, a fork, a replay or another epoch.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// The head or the snapshot belongs to another issuer.
    #[error(
        "the feed and the keyset belong to different issuers; check the addresses that they are fetched from"
    )]
    Issuer,
    /// The head has expired.
    #[error(
        "the head of the revocations expired at {0}; check that the issuer is running, and the clock of this machine"
    )]
    Expired(Timestamp),
    /// According to this clock, the head or the snapshot was signed in the future.
    #[error(
        "the revocations were signed at {0}, in the future; set the clock of this machine or of the issuer"
    )]
    Ahead(Timestamp),
    /// The head is older than the one in use.
    #[error(
        "the head was signed at {offered}, but one of {used} is in use; fetch the head again from the issuer"
    )]
    Replay {
        /// Time at which the head in use was signed.
        used: Timestamp,
        /// Time at which the refused head was signed.
        offered: Timestamp,
    },
    /// The head begins another history, but names an older keyset than the one in use.
    #[error(
        "the head begins another history with keyset {offered}, but keyset {used} is in use, so a restored issuer did not raise its keyset or a cache serves old answers; check both at the issuer"
    )]
    Keyset {
        /// Version of the keyset in use.
        used: u64,
        /// Version of the keyset that the head names.
        offered: u64,
    },
    /// There are changes, but no revocations to add them to.
    #[error("changes cannot be applied before a snapshot; fetch the snapshot")]
    Nothing,
    /// The snapshot would undo the revocations in use.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
}

impl FeedError {
    /// Returns true if fetching a snapshot helps.
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

    /// Returns true if the fetched files would undo those in use, or belong to a second history.
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
