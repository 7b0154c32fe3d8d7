//! The revocations of a trust: how far their history was read, how old that is, and what it says.

use std::sync::Arc;

use bailiwick_token::{
    revocation::{Head, Position, Revocation, SKEW, Snapshot, SnapshotError},
    timestamp::Timestamp,
};

use super::{
    Credentials, RollbackError,
    revoked::{Found, Revoked},
    staleness::{Staleness, WhenStale},
};
use crate::{admit::Refused, decision::Reason};

/// What was read of an issuer's history of revocations.
#[derive(Debug)]
pub(super) struct Revocations {
    pub(super) position: Position,
    /// When that was signed: the time by which entries vanish.
    pub(super) issued_at: Timestamp,
    /// The end that was signed.
    pub(super) expires: Timestamp,
    /// Whether a head of the feed said so. A file is carried by hand, and has no other age than its end.
    fed: bool,
    revoked: Arc<Revoked>,
}

impl Revocations {
    /// A snapshot as it stands.
    pub(super) fn of_file(snapshot: &Snapshot<'_>) -> Result<Revocations, SnapshotError> {
        let header = snapshot.header();
        Ok(Revocations {
            position: header.position(),
            issued_at: header.issued_at,
            expires: header.expires,
            fed: false,
            revoked: Arc::new(Revoked::new(snapshot.entries(), header.issued_at)?),
        })
    }

    /// A snapshot and the changes that lead from it to a head.
    pub(super) fn of_feed(
        snapshot: &Snapshot<'_>,
        changes: Vec<Revocation>,
        head: &Head,
    ) -> Result<Revocations, SnapshotError> {
        let entries = snapshot.entries().chain(changes.into_iter().map(Ok));
        Ok(Revocations::at(
            head,
            Revoked::new(entries, head.issued_at)?.into(),
        ))
    }

    /// The changes that lead from here to a head. Where there are none it costs nothing.
    pub(super) fn with(
        &self,
        changes: &[Revocation],
        head: &Head,
    ) -> Result<Revocations, SnapshotError> {
        let revoked = match changes {
            [] => Arc::clone(&self.revoked),
            changes => Arc::new(self.revoked.with(changes, head.issued_at)?),
        };
        Ok(Revocations::at(head, revoked))
    }

    fn at(head: &Head, revoked: Arc<Revoked>) -> Revocations {
        Revocations {
            position: head.position(),
            issued_at: head.issued_at,
            expires: head.expires,
            fed: true,
            revoked,
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether `self` may take the place of `used`: it is newer, and has everything that still
    /// holds there. A history that was begun anew need not; it has to be newer, though.
    pub(super) fn may_replace(&self, used: &Revocations) -> Result<(), RollbackError> {
        let (offered, current) = (&self.position, &used.position);
        if offered.epoch != current.epoch {
            let newer = self.issued_at > used.issued_at;
            return newer.then_some(()).ok_or(RollbackError::Revocations);
        }
        if offered.seq < current.seq || self.issued_at < used.issued_at {
            return Err(RollbackError::Revocations);
        }
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

    /// Whether a token is not revoked, as far as anyone can know at `now`.
    pub(super) fn check(
        &self,
        shown: &Credentials<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Refused> {
        self.fresh(shown, staleness, now)?;
        let found = self
            .revoked
            .find(shown.names, shown.issued_at, self.issued_at);
        let detail = match found {
            None => return Ok(()),
            Some(Found::Token) => "the token has been revoked".to_owned(),
            Some(Found::Block(block)) => format!("block {block} of the token has been revoked"),
            Some(Found::IssuedBefore(party, time)) => {
                format!(
                    "all tokens of its {party} that were issued before {time} have been revoked"
                )
            }
        };
        Err((Reason::Revoked, detail))
    }

    fn fresh(
        &self,
        shown: &Credentials<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let stale = |detail: String| Err((Reason::StaleKeyset, detail));
        if now >= self.expires {
            return stale(format!(
                "the revocations ended at {}: fetch newer ones from the issuer",
                self.expires
            ));
        }
        // Its clock, or the issuer's, is wrong: what it left out as ended may be alive.
        if is_ahead(self.issued_at, now) {
            return stale(format!(
                "the revocations were signed at {}, which is yet to come: set the clock of this machine or of the issuer",
                self.issued_at
            ));
        }
        if !self.fed {
            return Ok(());
        }
        let age = now.since(self.issued_at);
        let admitted = match staleness.then {
            WhenStale::Deny => false,
            WhenStale::AdmitShortLived { life } => {
                shown.issued_at <= shown.expires && shown.expires.since(shown.issued_at) <= life
            }
        };
        if age <= staleness.after || admitted {
            return Ok(());
        }
        stale(format!(
            "the revocations are {age} seconds old, {} are allowed: see that the issuer can be reached",
            staleness.after
        ))
    }
}

/// Whether something was signed at a time that a clock of `now` cannot have, give or take [`SKEW`].
pub(super) fn is_ahead(issued_at: Timestamp, now: Timestamp) -> bool {
    issued_at > now.plus(SKEW)
}
