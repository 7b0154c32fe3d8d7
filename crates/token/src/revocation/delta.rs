//! Deltas: runs of changes that continue the history that a reader has.

use super::{Head, LineError, MAX_LINE, Position, Revocation};

/// Maximum number of changes in one page of a delta.
pub const MAX_PAGE: u64 = 10_000;

/// Maximum size of a delta of this many changes, in bytes.
#[must_use]
pub fn page_bytes(changes: u64) -> usize {
    let changes = usize::try_from(changes).unwrap_or(usize::MAX);
    changes.saturating_mul(MAX_LINE.saturating_add(1))
}

impl Position {
    /// Reads the lines between this position and `head`: all of them, in order, each with its line feed. Before
    /// any line is parsed, the chain of all lines must end in the head's digest, which the head's signature
    /// covers.
    ///
    /// The caller must have opened the head, and checked that it comes from the issuer of this history.
    ///
    /// # Errors
    /// [`DeltaError`]; in that case, none of the lines may be used.
    pub fn follow(&self, lines: &[u8], head: &Head) -> Result<Vec<Revocation>, DeltaError> {
        // Numbers of different histories cannot be compared, so this comes first.
        if head.epoch != self.epoch {
            return Err(DeltaError::Epoch);
        }
        // Replaying an old head would hide the newest revocations.
        let Some(missing) = head.seq.checked_sub(self.seq) else {
            return Err(DeltaError::Replay {
                used: self.seq,
                offered: head.seq,
            });
        };
        // The signed head bounds the number of bytes to hash below.
        if lines.len() > page_bytes(missing) {
            return Err(DeltaError::TooLarge);
        }
        let mut end = *self;
        for line in split(lines)? {
            end = end.then(line).ok_or(DeltaError::TooLarge)?;
        }
        if end.seq != head.seq {
            return Err(DeltaError::Gap {
                wanted: missing,
                found: end.seq.saturating_sub(self.seq),
            });
        }
        // The delta has no signature of its own. Any other line, order or division into lines would need a
        // collision of SHA-256.
        if end.digest != head.digest {
            return Err(match missing {
                0 => DeltaError::Fork(head.seq),
                _ => DeltaError::Chain(head.seq),
            });
        }
        // If one line cannot be honoured, all are refused: skipping it would admit a revoked token.
        let mut revocations = Vec::new();
        for (number, line) in (self.seq..).zip(split(lines)?) {
            let read = Revocation::from_line(line).map_err(|error| DeltaError::Line {
                number: number.saturating_add(1),
                error,
            })?;
            revocations.push(read);
        }
        Ok(revocations)
    }
}

/// Splits lines that each end in a line feed, and returns them without the line feeds.
pub(super) fn split(lines: &[u8]) -> Result<impl Iterator<Item = &[u8]>, DeltaError> {
    let whole = match lines {
        // Empty input has no lines; `split` would return one empty line.
        [] => None,
        [whole @ .., b'\n'] => Some(whole),
        _ => return Err(DeltaError::Torn),
    };
    let lines = whole.into_iter();
    Ok(lines.flat_map(|whole| whole.split(|byte| *byte == b'\n')))
}

/// The reason why changes do not lead from a reader's position to a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// The head belongs to another history.
    #[error("the issuer has begun another history of revocations; fetch its snapshot")]
    Epoch,
    /// The head is older than the reader's position.
    #[error(
        "the head has the number {offered}, but number {used} is in use; fetch the head again from the issuer"
    )]
    Replay {
        /// Number of the last change in use.
        used: u64,
        /// Number of the last change that the head covers.
        offered: u64,
    },
    /// The number of changes given is not the number between the position and the head.
    #[error(
        "the head is {wanted} changes ahead, but {found} were given; fetch the changes again, or the snapshot"
    )]
    Gap {
        /// Number of changes that lead to the head.
        wanted: u64,
        /// Number of changes given.
        found: u64,
    },
    /// The head has the same number as the reader's position, but a different digest.
    #[error(
        "two different histories of revocations have the number {0}, so one is forged or a restored issuer began no new epoch; compare them at the issuer"
    )]
    Fork(u64),
    /// The changes, appended to the reader's history, do not have the digest in the signed head.
    #[error(
        "the changes up to number {0} do not match the digest in the signed head; fetch the snapshot"
    )]
    Chain(u64),
    /// The last line is cut off.
    #[error("the changes end in the middle of a line; fetch them again")]
    Torn,
    /// There are more bytes than this many changes can have.
    #[error("the changes have more bytes than their number allows; fetch them again")]
    TooLarge,
    /// A signed change is one that this version cannot honour.
    #[error(
        "change {number} of the revocations is not understood ({error}); upgrade this program, since a newer issuer may have written it"
    )]
    Line {
        /// Number of the change.
        number: u64,
        /// The error of the change.
        error: LineError,
    },
}
