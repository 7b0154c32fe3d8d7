//! The revocations of a trust: how far their history was read, how old that is, and what it says.

use std::sync::Arc;

use bailiwick_token::{
    keyset::Keyset,
    revocation::{Head, Position, Revocation, SKEW, Snapshot, SnapshotError},
    timestamp::Timestamp,
};

use super::{
    distrust::Distrust,
    error::RollbackError,
    revoked::{Revoked, RevokedBy, TokenMarks},
    staleness::{Staleness, WhenStale},
};

/// What was read of an issuer's history of revocations.
#[derive(Debug, Clone)]
pub(super) struct Revocations {
    pub(super) position: Position,
    /// When that was signed: the time by which entries vanish.
    pub(super) issued_at: Timestamp,
    /// The end that was signed.
    pub(super) expires: Timestamp,
    /// Whether a head of the feed said so. A file is carried by hand, and has no other age than its end.
    fed: bool,
    revoked: Arc<Revoked>,
    /// What an earlier history said, and this one, which was begun anew, does not: the issuer was restored
    /// from a backup, and has not been told of it again. It holds here all the same.
    carried: Arc<Revoked>,
    newer_keyset: Option<NewerKeyset>,
}

/// A keyset that heads have told of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewerKeyset {
    /// The newest version that was told of.
    pub(crate) version: u64,
    /// From when on a newer one than is in use was there.
    pub(crate) since: Timestamp,
    /// Which was in use then.
    pub(crate) in_use: u64,
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
            carried: Arc::default(),
            newer_keyset: None,
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
            Arc::default(),
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
        let mut next = Revocations::at(head, revoked, Arc::clone(&self.carried));
        if !changes.is_empty() {
            next.carried = next.lacking(&[&self.carried])?;
        }
        Ok(next)
    }

    /// Keeps revocations of `used` that these, of a restarted history, no longer list.
    pub(super) fn merge_previous(&self, used: &Revocations) -> Result<Revocations, SnapshotError> {
        let same = self.position.epoch == used.position.epoch;
        if same && Arc::ptr_eq(&self.carried, &used.carried) {
            return Ok(self.clone());
        }
        let carried = match same {
            true => self.lacking(&[&self.carried, &used.carried])?,
            false => self.lacking(&[&self.carried, &used.revoked, &used.carried])?,
        };
        // Where it is the same, there is one of it.
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

    /// These, by a head that tells of a keyset, beside the one in use and what was told before.
    pub(super) fn telling_of(
        self,
        keyset_version: u64,
        in_use: &Keyset,
        used: Option<&Revocations>,
    ) -> Revocations {
        let told = used.and_then(|used| used.newer_keyset);
        let version = told.map_or(0, |told| told.version).max(keyset_version);
        let since = match told {
            None => self.issued_at,
            Some(told) if told.in_use == in_use.version => told.since,
            // One that came meanwhile and is not the last: what is newer was signed after it.
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

    /// What heads have told of keysets, where one was newer than the one in use.
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

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.revoked.len()
    }

    /// How many more an earlier history has left.
    pub(super) fn carried(&self) -> usize {
        self.carried.len()
    }

    /// Whether `self` may take the place of `used`: it is newer, and has everything that still
    /// holds there. A history that was begun anew need not: it has to be newer, and what it lacks is
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

    /// Checks that a token is not revoked, as far as anyone can know at `now`.
    pub(super) fn check(
        &self,
        shown: &TokenMarks<'_>,
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
        shown: &TokenMarks<'_>,
        staleness: &Staleness,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        if now >= self.expires {
            return Err(Distrust::RevocationsEnded(self.expires));
        }
        // Its clock, or the issuer's, is wrong: what it left out as ended may be alive.
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
    /// Returns whether they suffice to admit tokens at `now`, be it only short-lived ones.
    pub(super) fn is_ready(&self, staleness: &Staleness, now: Timestamp) -> bool {
        let young = !self.fed || now.since(self.issued_at) <= staleness.after;
        let in_force = now < self.expires && !is_ahead(self.issued_at, now);
        in_force && (young || staleness.then != WhenStale::Deny)
    }
}

/// Whether something was signed at a time that a clock of `now` cannot have, give or take [`SKEW`].
pub(super) fn is_ahead(issued_at: Timestamp, now: Timestamp) -> bool {
    issued_at > now.plus(SKEW)
}
