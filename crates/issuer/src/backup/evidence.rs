//! Evidence of state that is newer than the one to which an issuer is restored.

use bailiwick_token::{
    dsse::Envelope,
    keyset::{Keyset, KeysetError},
    revocation::{HEAD_TYPE, Head, HeadError, Position, Revocation, Snapshot, SnapshotError},
    timestamp::{SKEW, Timestamp},
};

use crate::settings::Settings;

/// Signed state that is newer than a backup. The issuer signed every file, so it does not matter who kept them.
/// The newest files are usually in the directory of a verifier.
///
/// If the keyset or the revocations are lost, [`RestoreEvidence::revoke_keys`] invalidates every token instead.
#[derive(Debug, Clone, Default)]
pub struct RestoreEvidence {
    /// The last keyset, as a signed file.
    pub keyset: Option<Vec<u8>>,
    /// Version of the last keyset, if the keyset itself is lost.
    pub version: u64,
    /// Snapshots of the revocations, and heads with the changes up to them.
    pub revocations: Vec<Vec<u8>>,
    /// The reason for revoking every key, if every key is to be revoked. The issuer then begins with new keys.
    pub revoke_keys: Option<String>,
}

/// Maximum version of a keyset. Higher versions would leave too little room for later ones.
const MAX_VERSION: u64 = 1 << 53;

/// Maximum number of seconds by which the revocations may be older than the keyset. A service reuses a snapshot
/// for five minutes if nothing is revoked.
const GAP: u64 = 600;

/// The contents of the files after their verification.
pub(super) struct VerifiedEvidence {
    pub(super) keyset: Option<Keyset>,
    /// The highest known version.
    pub(super) version: u64,
    pub(super) revocations: Vec<Revocation>,
    /// Time up to which revocations are known.
    pub(super) until: Option<Timestamp>,
}

/// The contents of the revocation files.
#[derive(Default)]
struct Feed {
    entries: Vec<Revocation>,
    until: Option<Timestamp>,
    /// Version of the newest keyset that the files name.
    keyset_version: u64,
}

/// The state to which an issuer was restored.
pub(super) struct RestoredState {
    pub(super) keyset_version: u64,
    pub(super) keyset_issued_at: Timestamp,
    pub(super) position: Position,
}

impl RestoreEvidence {
    pub(super) fn verify(
        &self,
        settings: &Settings,
        state: &RestoredState,
        now: Timestamp,
    ) -> Result<VerifiedEvidence, RestoreEvidenceError> {
        let missing = match (&self.keyset, &*self.revocations) {
            (Some(_), [_, ..]) => None,
            (None, [_, ..]) => Some("the last keyset"),
            (Some(_), []) => Some("the last revocations"),
            (None, []) => Some("the last keyset and revocations"),
        };
        let numbered = self.keyset.is_some() || self.version > 0;
        match (&self.revoke_keys, missing) {
            _ if self.version > MAX_VERSION => return Err(RestoreEvidenceError::TooHigh),
            (None, Some(missing)) => return Err(RestoreEvidenceError::Incomplete { missing }),
            (Some(_), _) if !numbered => return Err(RestoreEvidenceError::Version),
            _ => {}
        }
        let keyset = match &self.keyset {
            None => None,
            Some(file) => Some(self.keyset(file, settings, state)?),
        };
        let feed = self.feed(settings, state)?;
        let until = feed.until;
        // Verifiers refuse a file that was signed before the one that they have, so the clock must not be
        // behind the newest file.
        let signed = keyset.as_ref().map(|keyset| keyset.issued_at);
        let last = signed.max(until).max(Some(state.keyset_issued_at));
        if let Some(last) = last.filter(|last| *last > now.plus(SKEW)) {
            return Err(RestoreEvidenceError::Clock { now, last });
        }
        if let (None, Some(signed), Some(until)) = (&self.revoke_keys, signed, until)
            && signed > until.plus(GAP)
        {
            return Err(RestoreEvidenceError::Gap { signed, until });
        }
        let shown = keyset.as_ref().map_or(0, |keyset| keyset.version);
        if self.revoke_keys.is_none() && shown < feed.keyset_version {
            return Err(RestoreEvidenceError::NotTheLast {
                given: shown,
                seen: feed.keyset_version,
            });
        }
        let known = [
            state.keyset_version,
            shown,
            feed.keyset_version,
            self.version,
        ];
        Ok(VerifiedEvidence {
            version: known.into_iter().max().unwrap_or(0),
            keyset,
            revocations: feed.entries,
            until,
        })
    }

    fn keyset(
        &self,
        file: &[u8],
        settings: &Settings,
        state: &RestoredState,
    ) -> Result<Keyset, RestoreEvidenceError> {
        let keyset = Keyset::open(file, &settings.keyset_key)?;
        same_issuer(&keyset.issuer, settings)?;
        if keyset.version < state.keyset_version {
            return Err(RestoreEvidenceError::OlderKeyset {
                given: keyset.version,
                restored: state.keyset_version,
            });
        }
        Ok(keyset)
    }

    fn feed(
        &self,
        settings: &Settings,
        state: &RestoredState,
    ) -> Result<Feed, RestoreEvidenceError> {
        let mut feed = Feed::default();
        // The positions from which a file of changes may continue.
        let mut bases = vec![state.position];
        let mut ends: Vec<(Position, Timestamp)> = Vec::new();
        let mut heads = Vec::new();
        for file in &self.revocations {
            if let Some((head, lines)) = head(file) {
                let head = Head::open(head, &settings.keyset_key)?;
                same_issuer(&head.issuer, settings)?;
                bases.push(Position::start(head.epoch));
                feed.keyset_version = feed.keyset_version.max(head.keyset_version);
                heads.push((head, lines));
            } else {
                let snapshot = Snapshot::open(file, &settings.keyset_key)?;
                let header = snapshot.header();
                same_issuer(&header.issuer, settings)?;
                bases.push(header.position());
                feed.keyset_version = feed.keyset_version.max(header.keyset_version);
                ends.push((header.position(), header.issued_at));
                for entry in snapshot.entries() {
                    feed.entries.push(entry?);
                }
            }
        }
        for (head, lines) in heads {
            let mut joined = bases.iter().map(|base| base.follow(lines, &head));
            let entries = joined
                .find_map(Result::ok)
                .ok_or(RestoreEvidenceError::NoBase)?;
            feed.entries.extend(entries);
            ends.push((head.position(), head.issued_at));
        }
        let own = &state.position;
        let is_later = |(position, issued_at): &(Position, Timestamp)| {
            if position.epoch == own.epoch {
                position.seq >= own.seq
            } else {
                *issued_at >= state.keyset_issued_at
            }
        };
        if !ends.is_empty() && !ends.iter().any(is_later) {
            return Err(RestoreEvidenceError::OlderRevocations);
        }
        feed.until = ends.iter().map(|(_, issued_at)| *issued_at).max();
        Ok(feed)
    }
}

/// Splits a file into a head, which is the first line, and the changes after it; `None` for any other file.
fn head(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = file.iter().position(|byte| *byte == b'\n')?;
    let (first, rest) = file.split_at_checked(end)?;
    let envelope = Envelope::parse(first).ok()?;
    (envelope.payload_type == HEAD_TYPE).then_some((first, rest.strip_prefix(b"\n")?))
}

fn same_issuer(issuer: &str, settings: &Settings) -> Result<(), RestoreEvidenceError> {
    match issuer == settings.issuer {
        true => Ok(()),
        false => Err(RestoreEvidenceError::Issuer(issuer.to_owned())),
    }
}

/// The reason why evidence is insufficient. Nothing is restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreEvidenceError {
    /// A file is missing.
    #[error(
        "revocations made after the backup are unknown without {missing}; give the last keyset and the last revocations, which a verifier has kept, or revoke all keys"
    )]
    Incomplete {
        /// The kind of file that is missing.
        missing: &'static str,
    },
    /// The version of the last keyset is missing.
    #[error(
        "the last version of the keyset is unknown; give the last keyset, or a version that no keyset has reached"
    )]
    Version,
    /// The version leaves no room for later ones.
    #[error("the version is above {MAX_VERSION}; give a lower one")]
    TooHigh,
    /// The revocations are much older than the keyset.
    #[error(
        "the newest revocations were signed at {until}, long before the keyset ({signed}); give newer revocations, or revoke all keys"
    )]
    Gap {
        /// Time at which the keyset was signed.
        signed: Timestamp,
        /// Time at which the newest file of revocations was signed.
        until: Timestamp,
    },
    /// A file was signed in the future.
    #[error(
        "the clock says {now}, but one of the files was signed later, at {last}; set the clock of this machine"
    )]
    Clock {
        /// The time by this machine's clock.
        now: Timestamp,
        /// Time at which the newest file was signed.
        last: Timestamp,
    },
    /// A file belongs to another issuer.
    #[error(
        "one of the files belongs to the issuer `{0}`; give the files of the issuer that is restored"
    )]
    Issuer(String),
    /// The file is not a keyset of this issuer.
    #[error("the keyset cannot be used: {0}")]
    Keyset(#[from] KeysetError),
    /// The keyset is older than the restored state.
    #[error(
        "keyset {given} is older than keyset {restored} of the restored issuer; give the last keyset that was published, or revoke all keys if the restored issuer has been serving"
    )]
    OlderKeyset {
        /// Version in the file.
        given: u64,
        /// Version in the database.
        restored: u64,
    },
    /// The revocations show that there was a later keyset.
    #[error(
        "keyset {given} is not the last one and may lack revoked keys, because the revocations name keyset {seen}; give keyset {seen}, or revoke all keys"
    )]
    NotTheLast {
        /// Version in the file.
        given: u64,
        /// Version that was published later.
        seen: u64,
    },
    /// The file is not a head of this issuer.
    #[error("a file of changes cannot be used: {0}")]
    Head(#[from] HeadError),
    /// The file is not a snapshot of this issuer.
    #[error("a file of revocations cannot be used: {0}")]
    Snapshot(#[from] SnapshotError),
    /// A file of changes begins after a state that no other file contains.
    #[error(
        "a file of changes was modified, or it continues from a snapshot that was not given; give that snapshot as well"
    )]
    NoBase,
    /// The revocations are older than the restored state.
    #[error(
        "the revocations are older than the restored ones; give the last revocations that were published"
    )]
    OlderRevocations,
}
