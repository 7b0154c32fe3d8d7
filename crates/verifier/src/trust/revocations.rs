//! The revocations in a trust: their position in the history, age, and contents.

use std::sync::Arc;

use bailiwick_token::{
    keyset::Keyset,
    revocation::{Head, Position, Revocation, SKEW, Snapshot, SnapshotError},
    timestamp::Timestamp,
};

use super::{
    distrust::Distrust,
    error::RollbackError,
    revoked::{Revoked, RevokedBy, TrustedFacts},
    staleness::{Staleness, WhenStale},
};

/// An issuer's history of revocations, up to a position.
#[derive(Debug, Clone)]
pub(super) struct Revocations {
    pub(super) position: Position,
    /// Time at which the state was signed. Entries that had expired at this time are dropped.
    pub(super) issued_at: Timestamp,
    /// The expiry that the issuer signed.
    pub(super) expires: Timestamp,
    /// True if a head of the feed confirms the state. A snapshot from a file is limited only by its own expiry.
    fed: bool,
    revoked: Arc<Revoked>,
    /// Revocations of an earlier history that the current, restarted one lacks, because the issuer was restored
    /// from a backup and did not revoke them again. They stay in force here.
    carried: Arc<Revoked>,
    newer_keyset: Option<NewerKeyset>,
}

/// A newer keyset that heads have announced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewerKeyset {
    /// The newest version that was announced.
    pub(crate) version: u64,
    /// Time since which a version newer than the one in use has been announced.
    pub(crate) since: Timestamp,
    /// Version in use at that time.
    pub(crate) in_use: u64,
}

impl Revocations {
    /// The revocations of a snapshot alone.
    pub(super) fn of_file(snapshot: &Snapshot<'_>) -> Result<Revocations, SnapshotError> {
        let header = snapshot.header();
        Ok(Revocations {
            position: header.position(),
            issued_at: header.issued_at,
            expires: header.expires,
            fed: false,
            revoked: Arc::new(Revoked::new(snapshot.entries(), header.issued_at)?),
            carried: Arc::default(),
            newer_keyset: None,
        })
    }

    /// The revocations of a snapshot and of the changes that lead from it to a head.
    pub(super) fn of_feed(
        snapshot: &Snapshot<'_>,
        changes: Vec<Revocation>,
        head: &Head,
    ) -> Result<Revocations, SnapshotError> {
        let entries = snapshot.entries().chain(changes.into_iter().map(Ok));
        Ok(Revocations::at(
            head,
            Revoked::new(entries, head.issued_at)?.into(),
            Arc::default(),
        ))
    }

    /// Adds the changes from the current position to a head. Without changes, nothing is copied.
    pub(super) fn with(
        &self,
        changes: &[Revocation],
        head: &Head,
    ) -> Result<Revocations, SnapshotError> {
        let revoked = match changes {
            [] => Arc::clone(&self.revoked),
            changes => Arc::new(self.revoked.with(changes, head.issued_at)?),
        };
        // A change may revoke a carried entry again. The issuer then lists the entry, so it is no longer carried.
        let mut next = Revocations::at(head, revoked, Arc::clone(&self.carried));
        if !changes.is_empty() {
            next.carried = next.lacking(&[&self.carried])?;
        }
        Ok(next)
    }

    /// Keeps revocations of `used` that these no longer list because their history was restarted.
    pub(super) fn merge_previous(&self, used: &Revocations) -> Result<Revocations, SnapshotError> {
        let same = self.position.epoch == used.position.epoch;
        if same && Arc::ptr_eq(&self.carried, &used.carried) {
            return Ok(self.clone());
        }
        let carried = match same {
            true => self.lacking(&[&self.carried, &used.carried])?,
            // Another epoch: every entry in use that it lacks is kept. Otherwise a restored backup would make revoked
            // tokens valid again.
            false => self.lacking(&[&self.carried, &used.revoked, &used.carried])?,
        };
        // If nothing changed, the old list is shared rather than kept twice.
        let known = self.carried.covers(&carried, self.issued_at);
        Ok(match known && self.carried.len() == carried.len() {
            true => self.clone(),
            false => Revocations {
                carried,
                ..self.clone()
            },
        })
    }

    fn lacking(&self, known: &[&Revoked]) -> Result<Arc<Revoked>, SnapshotError> {
        Ok(Arc::new(self.revoked.lacking(known, self.issued_at)?))
    }

    /// Returns these revocations with the keyset version that their head announces, combined with earlier
    /// announcements.
    pub(super) fn telling_of(
        self,
        keyset_version: u64,
        in_use: &Keyset,
        used: Option<&Revocations>,
    ) -> Revocations {
        let told = used.and_then(|used| used.newer_keyset);
        // An announcement is never forgotten: a later head with a lower version must not hide it.
        let version = told.map_or(0, |told| told.version).max(keyset_version);
        let since = match told {
            None => self.issued_at,
            Some(told) if told.in_use == in_use.version => told.since,
            // A newer keyset has arrived, but not the newest one, which was signed after it.
            Some(told) => told.since.max(in_use.issued_at),
        };
        let newer = NewerKeyset {
            version,
            since,
            in_use: in_use.version,
        };
        Revocations {
            newer_keyset: (version > in_use.version).then_some(newer),
            ..self
        }
    }

    /// The newest keyset that heads announced, if it is newer than the keyset in use.
    pub(super) fn newer_keyset(&self) -> Option<NewerKeyset> {
        self.newer_keyset
    }

    fn at(head: &Head, revoked: Arc<Revoked>, carried: Arc<Revoked>) -> Revocations {
        Revocations {
            position: head.position(),
            issued_at: head.issued_at,
            expires: head.expires,
            fed: true,
            revoked,
            carried,
            newer_keyset: None,
        }
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Number of further entries kept from an earlier history.
    pub(super) fn carried(&self) -> usize {
        self.carried.len()
    }

    /// Checks that these revocations may replace `used`: they are newer, and contain every entry of `used` that
    /// is still in force. A restarted history only has to be newer; the entries that it lacks are
    /// [carried](Revocations::merge_previous).
    pub(super) fn may_replace(&self, used: &Revocations) -> Result<(), RollbackError> {
        let (offered, current) = (&self.position, &used.position);
        if offered.epoch != current.epoch {
            let newer = self.issued_at > used.issued_at;
            return newer.then_some(()).ok_or(RollbackError::Revocations);
        }
        if offered.seq < current.seq || self.issued_at < used.issued_at {
            return Err(RollbackError::Revocations);
        }
        // The same list, as after a head without changes: no need to compare a million entries.
        if Arc::ptr_eq(&self.revoked, &used.revoked) {
            return Ok(());
        }
        let same = offered.seq == current.seq;
        if same && offered.digest != current.digest {
            return Err(RollbackError::RevocationsFork(current.seq));
        }
        let covered = |one: &Revocations, other: &Revocations| {
            one.revoked.covers(&other.revoked, self.issued_at)
        };
        match covered(self, used) && (!same || covered(used, self)) {
            true => Ok(()),
            false if same => Err(RollbackError::RevocationsFork(current.seq)),
            false => Err(RollbackError::RevocationsLost),
        }
    }

    /// Checks that a token is not revoked, and that the revocations are fresh enough at `now` to decide that.
    pub(super) fn check(
        &self,
        shown: &TrustedFacts<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        self.fresh(shown, staleness, now)?;
        let find = |revoked: &Revoked| revoked.find(shown.names, shown.issued_at, self.issued_at);
        match find(&self.revoked).or_else(|| find(&self.carried)) {
            None => Ok(()),
            Some(RevokedBy::Token) => Err(Distrust::RevokedToken),
            Some(RevokedBy::Block(block)) => Err(Distrust::RevokedBlock(block)),
            Some(RevokedBy::IssuedBefore(party, before)) => {
                Err(Distrust::RevokedParty { party, before })
            }
        }
    }

    fn fresh(
        &self,
        shown: &TrustedFacts<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        if now >= self.expires {
            return Err(Distrust::RevocationsEnded(self.expires));
        }
        // This clock or the issuer's is wrong: entries left out as expired may still be needed.
        if is_ahead(self.issued_at, now) {
            return Err(Distrust::RevocationsAhead(self.issued_at));
        }
        if !self.fed {
            return Ok(());
        }
        let age = now.since(self.issued_at);
        let admitted = match staleness.then {
            WhenStale::Deny => false,
            WhenStale::AdmitShortLived { life } => {
                // `since` saturates, so a token that ends before its issue would count as short-lived.
                shown.issued_at <= shown.expires && shown.expires.since(shown.issued_at) <= life
            }
        };
        if age <= staleness.after || admitted {
            return Ok(());
        }
        Err(Distrust::RevocationsOld {
            age,
            allowed: staleness.after,
        })
    }
}

impl Revocations {
    /// Returns true if the revocations are fresh enough at `now` to admit tokens, even if only short-lived
    /// ones.
    pub(super) fn is_ready(&self, staleness: &Staleness, now: Timestamp) -> bool {
        let young = !self.fed || now.since(self.issued_at) <= staleness.after;
        let in_force = now < self.expires && !is_ahead(self.issued_at, now);
        in_force && (young || staleness.then != WhenStale::Deny)
    }
}

/// Returns true if a signing time is later than `now` by more than the tolerance [`SKEW`].
pub(super) fn is_ahead(issued_at: Timestamp, now: Timestamp) -> bool {
    issued_at > now.plus(SKEW)
}
