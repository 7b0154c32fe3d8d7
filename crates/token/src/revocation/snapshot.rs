//! Every revocation that still matters, as one signed file.
//!
//! The first line is a DSSE envelope over a [`SnapshotHeader`]; each further line is a
//! [`Revocation`]. The header has the digest of all that follows it, so that one signature covers
//! the whole, and a file that was cut off, extended or edited is refused before it is parsed.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::{DeltaError, Digest, Epoch, LineError, Position, Revocation, delta::split};
use crate::{
    dsse::{self, Envelope, EnvelopeError},
    key::PublicKey,
    timestamp::{Timestamp, unix},
};

/// The `payloadType` of a snapshot's header.
pub const SNAPSHOT_TYPE: &str = "application/vnd.bailiwick.snapshot.v1+json";

/// The largest snapshot that is read, in bytes: room for a million blocks.
pub const MAX_SNAPSHOT: usize = 256 << 20;

/// The most entries of a snapshot: a million, and some.
pub const MAX_ENTRIES: usize = 1_250_000;

/// The longest header that is read, in bytes.
const MAX_HEADER: usize = 8192;

/// What is signed of a snapshot. Members that a reader does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// The issuer whose tokens these are.
    pub issuer: String,
    /// Which history.
    pub epoch: Epoch,
    /// The number of the last change in it; 0 before the first.
    pub seq: u64,
    /// When it was signed.
    #[serde(with = "unix")]
    pub issued_at: Timestamp,
    /// From then on it is stale, where no head follows it.
    #[serde(with = "unix")]
    pub expires: Timestamp,
    /// The [`chain`](super::chain) of all lines of the history up to that change.
    pub digest: Digest,
    /// How many lines follow.
    pub entries: u64,
    /// The digest of all bytes that follow.
    pub content: Digest,
    /// The newest keyset when it was signed; 0 where that was not said.
    #[serde(default)]
    pub keyset_version: u64,
}

/// What a snapshot is made of, besides its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotBase {
    /// The issuer.
    pub issuer: String,
    /// How far the history goes.
    pub position: Position,
    /// When it is signed.
    pub issued_at: Timestamp,
    /// When it is stale.
    pub expires: Timestamp,
    /// The newest keyset.
    pub keyset_version: u64,
}

/// A snapshot whose signature and content have been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<'a> {
    header: SnapshotHeader,
    lines: &'a [u8],
}

impl SnapshotBase {
    /// Writes a snapshot, signed with the keyset key. Entries that are dead by the time it is signed
    /// are left out. The same target may come more than once; all of it holds.
    ///
    /// # Errors
    /// [`SnapshotError::TooMany`] or [`SnapshotError::TooLarge`] where no reader would take it.
    pub fn write(
        &self,
        entries: impl IntoIterator<Item = Revocation>,
        key: &SigningKey,
    ) -> Result<String, SnapshotError> {
        let (mut lines, mut count) = (String::new(), 0_usize);
        for entry in entries {
            if entry.is_dead(self.issued_at) {
                continue;
            }
            count = count.saturating_add(1);
            if count > MAX_ENTRIES {
                return Err(SnapshotError::TooMany);
            }
            lines.push_str(&entry.to_line());
            lines.push('\n');
            if lines.len() > MAX_SNAPSHOT {
                return Err(SnapshotError::TooLarge);
            }
        }
        let header = SnapshotHeader {
            issuer: self.issuer.clone(),
            epoch: self.position.epoch,
            seq: self.position.seq,
            issued_at: self.issued_at,
            expires: self.expires,
            digest: self.position.digest,
            entries: count as u64,
            content: Digest::of(lines.as_bytes()),
            keyset_version: self.keyset_version,
        };
        let mut file = Envelope::sign(SNAPSHOT_TYPE, dsse::to_json(&header), key).to_json();
        file.push('\n');
        file.push_str(&lines);
        if file.len() > MAX_SNAPSHOT {
            return Err(SnapshotError::TooLarge);
        }
        Ok(file)
    }
}

impl<'a> Snapshot<'a> {
    /// Reads a snapshot of at most [`MAX_SNAPSHOT`] bytes: verifies the signature of `key` over its
    /// header, and that what follows is what the header was signed over. Whether it has expired is
    /// for the caller, who knows the time.
    ///
    /// # Errors
    /// [`SnapshotError`], and then nothing of the file may be used.
    pub fn open(file: &'a [u8], key: &PublicKey) -> Result<Snapshot<'a>, SnapshotError> {
        let (header, lines) = SnapshotHeader::open(file, key)?;
        if Digest::of(lines) != header.content {
            return Err(SnapshotError::Content);
        }
        let snapshot = Snapshot { header, lines };
        snapshot.validate()?;
        Ok(snapshot)
    }

    /// What was signed.
    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// Its entries, one after the other. Where one of them is an error nothing of the file may be
    /// used: it cannot be honoured as a whole.
    pub fn entries(&self) -> impl Iterator<Item = Result<Revocation, SnapshotError>> + use<'a> {
        let lines = split(self.lines).into_iter().flatten();
        lines.zip(2_u64..).map(|(line, number)| {
            Revocation::from_line(line).map_err(|error| SnapshotError::Line { number, error })
        })
    }

    /// What holds for every snapshot, whoever signed it.
    fn validate(&self) -> Result<(), SnapshotError> {
        let SnapshotHeader {
            issuer,
            issued_at,
            expires,
            entries,
            ..
        } = &self.header;
        if issuer.is_empty() {
            return Err(SnapshotError::NoIssuer);
        }
        if expires <= issued_at {
            return Err(SnapshotError::NoLife);
        }
        if !self.header.position().is_sound() {
            return Err(SnapshotError::Start);
        }
        if *entries > MAX_ENTRIES as u64 {
            return Err(SnapshotError::TooMany);
        }
        let count = split(self.lines)
            .map_err(|_: DeltaError| SnapshotError::Content)?
            .count();
        if count as u64 != *entries {
            return Err(SnapshotError::Count {
                stated: *entries,
                found: count,
            });
        }
        Ok(())
    }
}

impl SnapshotHeader {
    /// Reads the header of a snapshot and verifies its signature. What follows it comes back as it
    /// stands, unverified: [`Snapshot::open`] is for reading that.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn open<'a>(
        file: &'a [u8],
        key: &PublicKey,
    ) -> Result<(SnapshotHeader, &'a [u8]), SnapshotError> {
        if file.len() > MAX_SNAPSHOT {
            return Err(SnapshotError::TooLarge);
        }
        let start = file.get(..MAX_HEADER).unwrap_or(file);
        let (envelope, rest) = match start.iter().position(|byte| *byte == b'\n') {
            Some(end) => file.split_at(end),
            // A file of another kind is told so.
            None => (start, &[][..]),
        };
        let envelope = Envelope::parse_bounded(envelope, MAX_HEADER)?;
        let header: SnapshotHeader = serde_json::from_slice(envelope.open(SNAPSHOT_TYPE, key)?)
            .map_err(|error| SnapshotError::Malformed(error.to_string()))?;
        let lines = rest.strip_prefix(b"\n").ok_or(SnapshotError::Content)?;
        Ok((header, lines))
    }

    /// Where a reader is who has read it.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
            digest: self.digest,
        }
    }
}

/// Why a snapshot was refused, or cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not a signed file, or not signed by the key that is trusted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, and not the JSON of a header that this version understands.
    #[error(
        "the header of the revocations cannot be read ({0}): a newer issuer may have written it, so upgrade this program first"
    )]
    Malformed(String),
    /// What follows the header is not what it was signed over.
    #[error(
        "the revocations are not those that were signed: the file is cut off or was changed, so fetch it again"
    )]
    Content,
    /// Signed, and with another number of lines than it states.
    #[error(
        "{stated} revocations are announced and {found} follow: have the issuer make the file again"
    )]
    Count {
        /// How many the header states.
        stated: u64,
        /// How many there are.
        found: usize,
    },
    /// More than [`MAX_ENTRIES`].
    #[error("over {MAX_ENTRIES} revocations: revoke by agent, principal, tenant or key instead")]
    TooMany,
    /// More than [`MAX_SNAPSHOT`].
    #[error("revocations have at most {MAX_SNAPSHOT} bytes: check that this is the right file")]
    TooLarge,
    /// No issuer.
    #[error("the revocations name no issuer: have their issuer make the file again")]
    NoIssuer,
    /// It expires before it was issued.
    #[error(
        "the revocations expire before they begin: check the issuer's clock and have the file made again"
    )]
    NoLife,
    /// No changes, and the digest of some.
    #[error(
        "the revocations have the digest of changes and none of them: have their issuer make the file again"
    )]
    Start,
    /// Signed, and not to be honoured by this version.
    #[error(
        "line {number} of the revocations cannot be honoured ({error}): a newer issuer may have written it, so upgrade this program first"
    )]
    Line {
        /// The number of the line in the file.
        number: u64,
        /// What is wrong with it.
        error: LineError,
    },
}
