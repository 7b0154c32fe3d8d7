//! An issuer's history of revocations, and the documents signed from it.

use bailiwick_token::{
    revocation::{Epoch, Head, Position, Revocation, SnapshotBase},
    timestamp::Timestamp,
};
use bailiwick_verifier::{FeedError, Trust};
use ed25519_dalek::SigningKey;

use crate::{ISSUER, Root};

/// A history of revocations. Callers supply the time of each signature.
#[derive(Clone)]
pub struct Feed {
    pub key: SigningKey,
    pub epoch: Epoch,
    pub changes: Vec<Revocation>,
}

impl Feed {
    pub fn new(root: &Root, changes: impl IntoIterator<Item = Revocation>) -> Feed {
        Feed {
            key: root.keyset_key.clone(),
            epoch: Epoch::from_bytes([1; 8]),
            changes: changes.into_iter().collect(),
        }
    }

    pub fn position(&self, seq: usize) -> Position {
        let start = Position::start(self.epoch);
        self.changes[..seq].iter().fold(start, |position, change| {
            let line = change.to_line();
            position.then(line.as_bytes()).expect("another change")
        })
    }

    /// The lines of the changes after number `after`, up to and including number `to`.
    pub fn lines(&self, after: usize, to: usize) -> String {
        let lines = self.changes[after..to].iter();
        lines.map(|change| change.to_line() + "\n").collect()
    }

    pub fn head(&self, seq: usize, at: Timestamp) -> Head {
        let Position { epoch, seq, digest } = self.position(seq);
        Head {
            issuer: ISSUER.to_owned(),
            epoch,
            seq,
            keyset_version: 1,
            issued_at: at,
            expires: at.plus(3600),
            digest,
        }
    }

    pub fn signed(&self, head: &Head) -> String {
        head.sign(&self.key).to_json()
    }

    pub fn base(&self, seq: usize, at: Timestamp) -> SnapshotBase {
        SnapshotBase {
            keyset_version: 1,
            issuer: ISSUER.to_owned(),
            position: self.position(seq),
            issued_at: at,
            expires: at.plus(3600),
        }
    }

    pub fn snapshot(&self, seq: usize, at: Timestamp) -> String {
        let entries = self.changes[..seq].iter().cloned();
        let file = self.base(seq, at).write(entries, &self.key);
        file.expect("a snapshot")
    }

    /// Adds the snapshot up to change `seq` to a trust that has no revocations yet.
    pub fn begin(&self, trust: &Trust, seq: usize, at: Timestamp) -> Result<Trust, FeedError> {
        let (snapshot, head) = (self.snapshot(seq, at), self.signed(&self.head(seq, at)));
        trust.with_snapshot(snapshot.as_bytes(), head.as_bytes(), b"", at)
    }

    /// Adds the changes up to change `to` to a trust, at the time at which their head was signed.
    pub fn advance(&self, trust: &Trust, to: usize, at: Timestamp) -> Result<Trust, FeedError> {
        let after = trust.position().map_or(0, |position| position.seq);
        let after = usize::try_from(after).expect("a short history");
        let (lines, head) = (self.lines(after, to), self.signed(&self.head(to, at)));
        trust.with_delta(head.as_bytes(), lines.as_bytes(), at)
    }
}
