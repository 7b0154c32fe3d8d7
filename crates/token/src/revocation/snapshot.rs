//! Snapshots: every revocation that still matters, as one signed file.
//!
//! The first line is a DSSE envelope over a [`SnapshotHeader`]; each further line is a
//! [`Revocation`]. The header holds the digest of everything after it, so one signature covers the
//! whole file, and a file that was cut off, extended or edited is refused before its lines are parsed.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::{DeltaError, Digest, Epoch, LineError, Position, Revocation, delta::split};
use crate::{
    dsse::{self, Envelope, EnvelopeError},
    json,
    key::PublicKey,
    timestamp::{Timestamp, unix},
};

/// The `payloadType` of a snapshot's header.
pub const SNAPSHOT_TYPE: &str = "application/vnd.bailiwick.snapshot.v1+json";

/// Maximum size of a snapshot, in bytes, which is enough for a million blocks.
pub const MAX_SNAPSHOT: usize = 256 << 20;

/// Maximum number of entries in a snapshot.
pub const MAX_ENTRIES: usize = 1_250_000;

/// Maximum length of a header, in bytes.
const MAX_HEADER: usize = 8192;

/// The signed header of a snapshot. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// The issuer whose tokens are revoked.
    pub issuer: String,
    /// The name of the history.
    pub epoch: Epoch,
    /// Number of the last change that the snapshot includes; 0 before the first.
    pub seq: u64,
    /// Time of signing.
    #[serde(with = "unix")]
    pub issued_at: Timestamp,
    /// Time from which the snapshot is stale, unless a newer head confirms it.
    #[serde(with = "unix")]
    pub expires: Timestamp,
    /// The digest of the [`chain`](super::chain) of all lines of the history up to that change.
    pub digest: Digest,
    /// Number of the lines that follow.
    pub entries: u64,
    /// The digest of all bytes that follow.
    pub content: Digest,
    /// Version of the newest keyset at the time of signing; 0 if the file does not state it.
    #[serde(default)]
    pub keyset_version: u64,
}

/// The contents of a snapshot other than its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotBase {
    /// The issuer's name, usually a URL.
    pub issuer: String,
    /// The position of the last change that the snapshot includes.
    pub position: Position,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which the snapshot is stale.
    pub expires: Timestamp,
    /// Version of the newest keyset.
    pub keyset_version: u64,
}

/// A snapshot whose signature and content have been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<'a> {
    header: SnapshotHeader,
    lines: &'a [u8],
}

impl SnapshotBase {
    /// Writes a snapshot, signed with the keyset key. Entries that are dead at the time of signing are left
    /// out. A target may occur more than once; each of its entries applies.
    ///
    /// # Errors
    /// [`SnapshotError::TooMany`] or [`SnapshotError::TooLarge`] if no reader would accept it.
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
            // Checked in the loop, so that memory stays bounded however many entries the caller has.
            if lines.len() > MAX_SNAPSHOT {
                return Err(SnapshotError::TooLarge);
            }
        }
        // There are two digests: `digest` ties the snapshot to the whole history, whose expired lines are
        // missing here, and `content` covers the lines that are here.
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
        // Checked again, because the header takes room too.
        if file.len() > MAX_SNAPSHOT {
            return Err(SnapshotError::TooLarge);
        }
        Ok(file)
    }
}

impl<'a> Snapshot<'a> {
    /// Reads a snapshot of at most [`MAX_SNAPSHOT`] bytes: verifies the signature of `key` over its header, and
    /// the header's digest of the lines after it. Expiry is not checked, because only the caller knows the
    /// time.
    ///
    /// # Errors
    /// [`SnapshotError`]; in that case, no part of the file may be used.
    pub fn open(file: &'a [u8], key: &PublicKey) -> Result<Snapshot<'a>, SnapshotError> {
        let (header, lines) = SnapshotHeader::open(file, key)?;
        // Verified before any line is split or parsed, because until here the lines may be an attacker's.
        if Digest::of(lines) != header.content {
            return Err(SnapshotError::Content);
        }
        let snapshot = Snapshot { header, lines };
        snapshot.validate()?;
        Ok(snapshot)
    }

    /// Returns the signed header.
    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// Iterates over the entries. If any entry is an error, nothing in the file may be used, because this
    /// version cannot honour all of it.
    pub fn entries(&self) -> impl Iterator<Item = Result<Revocation, SnapshotError>> + use<'a> {
        // `validate` has split these lines, so this cannot fail. The header is line 1.
        let lines = split(self.lines).into_iter().flatten();
        lines.zip(2_u64..).map(|(line, number)| {
            Revocation::from_line(line).map_err(|error| SnapshotError::Line { number, error })
        })
    }

    /// Checks the rules that every snapshot must follow, whichever key signed it.
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
        // The digest already covers the lines. A different count means that the issuer wrote the header for
        // other entries, so it is unclear which of the two it meant.
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
    /// Reads the header of a snapshot and verifies its signature. Also returns the bytes after the header,
    /// unverified: use [`Snapshot::open`] to read them.
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
        // Only this part is searched, so that a large file of another kind is not searched to its end.
        let start = file.get(..MAX_HEADER).unwrap_or(file);
        let (envelope, rest) = match start.iter().position(|byte| *byte == b'\n') {
            Some(end) => file.split_at(end),
            // A keyset or a head is one line. Its type is read below, so that the error can name it.
            None => (start, &[][..]),
        };
        let envelope = Envelope::parse_bounded(envelope, MAX_HEADER)?;
        let header: SnapshotHeader = json::from_slice(envelope.open(SNAPSHOT_TYPE, key)?)
            .map_err(|error| SnapshotError::Malformed(error.to_string()))?;
        let lines = rest.strip_prefix(b"\n").ok_or(SnapshotError::Content)?;
        Ok((header, lines))
    }

    /// The position of a reader that has read the snapshot.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
            digest: self.digest,
        }
    }
}

/// The reason for refusing a snapshot, or for being unable to write one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file is not a signed file, or the trusted key did not sign it.
    #[error("{}", .0.of("snapshot of the revocations"))]
    Envelope(#[from] EnvelopeError),
    /// The signed payload is not the JSON of a header that this version understands.
    #[error(
        "the header of the revocations cannot be read ({0}); upgrade this program, since a newer issuer may have written it"
    )]
    Malformed(String),
    /// The bytes after the header are not those whose digest was signed.
    #[error(
        "the revocations do not match their signed header, because the file was cut off or modified; fetch the file again"
    )]
    Content,
    /// The number of lines differs from the number in the signed header.
    #[error(
        "the header of the revocations announces {stated}, but {found} follow; fetch the file again from the issuer"
    )]
    Count {
        /// Number that the header states.
        stated: u64,
        /// Number of lines found.
        found: usize,
    },
    /// The snapshot has more than [`MAX_ENTRIES`] entries.
    #[error(
        "there are more than {MAX_ENTRIES} revocations; revoke by agent, principal, tenant or key instead"
    )]
    TooMany,
    /// The snapshot has more than [`MAX_SNAPSHOT`] bytes.
    #[error(
        "the file is longer than the {MAX_SNAPSHOT} bytes that revocations can have; check that it is the right file"
    )]
    TooLarge,
    /// The snapshot names no issuer.
    #[error("the revocations name no issuer; fetch the file again from the issuer")]
    NoIssuer,
    /// The snapshot expires at or before the time of its signing.
    #[error(
        "the revocations expire at or before the time of their signing; check the clock of the issuer, and fetch the file again"
    )]
    NoLife,
    /// The number of the last change is 0, but the digest is not that of an empty history.
    #[error(
        "the header of the revocations states that there are no changes, but its digest covers some; fetch the file again from the issuer"
    )]
    Start,
    /// A signed line is one that this version cannot honour.
    #[error(
        "line {number} of the revocations is not understood ({error}); upgrade this program, since a newer issuer may have written it"
    )]
    Line {
        /// Number of the line in the file, counted from 1.
        number: u64,
        /// The error of the line.
        error: LineError,
    },
}
