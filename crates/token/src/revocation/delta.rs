//! A run of changes, and how it is joined to what a reader has.

use super::{Head, LineError, MAX_LINE, Position, Revocation};

/// The most changes in one page of a delta.
pub const MAX_PAGE: u64 = 10_000;

/// The most bytes of a delta of so many changes.
#[must_use]
pub fn page_bytes(changes: u64) -> usize {
    let changes = usize::try_from(changes).unwrap_or(usize::MAX);
    changes.saturating_mul(MAX_LINE.saturating_add(1))
}

impl Position {
    /// Reads the lines that lead from here to `head`: all of them, each with its line feed, in
    /// order. Nothing of them is parsed before their chain was found to end in the head's digest,
    /// which is what its signature vouches for.
    ///
    /// The head must have been opened, and be of the issuer whose history this is.
    ///
    /// # Errors
    /// [`DeltaError`], and then nothing of the lines may be used.
    pub fn follow(&self, lines: &[u8], head: &Head) -> Result<Vec<Revocation>, DeltaError> {
        if head.epoch != self.epoch {
            return Err(DeltaError::Epoch);
        }
        let Some(missing) = head.seq.checked_sub(self.seq) else {
            return Err(DeltaError::Replay {
                used: self.seq,
                offered: head.seq,
            });
        };
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
        if end.digest != head.digest {
            return Err(match missing {
                0 => DeltaError::Fork(head.seq),
                _ => DeltaError::Chain(head.seq),
            });
        }
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

/// The lines, each of which ends in a line feed, without it.
pub(super) fn split(lines: &[u8]) -> Result<impl Iterator<Item = &[u8]>, DeltaError> {
    let whole = match lines {
        [] => None,
        [whole @ .., b'\n'] => Some(whole),
        _ => return Err(DeltaError::Torn),
    };
    let lines = whole.into_iter();
    Ok(lines.flat_map(|whole| whole.split(|byte| *byte == b'\n')))
}

/// Why changes do not lead from what a reader has to a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// The head is of another history.
    #[error("the issuer has begun another history of revocations: take its snapshot")]
    Epoch,
    /// The head is older than what the reader has.
    #[error("the head has number {offered}, and {used} are in use: fetch it again from the issuer")]
    Replay {
        /// The number of the last change in use.
        used: u64,
        /// The head's number.
        offered: u64,
    },
    /// Fewer or more changes than there are between the two.
    #[error(
        "{wanted} changes lead to the head, and {found} were given: fetch them again, or take the snapshot"
    )]
    Gap {
        /// How many lead to the head.
        wanted: u64,
        /// How many there are.
        found: u64,
    },
    /// The head has the number of what the reader has, and another digest.
    #[error(
        "two different histories carry the number {0}: one of them is forged, or a restored issuer did not begin a new epoch"
    )]
    Fork(u64),
    /// The changes, after those that the reader has, are not the ones that the head was signed over.
    #[error(
        "the changes up to number {0} are others than the head was signed over: take the snapshot"
    )]
    Chain(u64),
    /// The last line is cut off.
    #[error("the changes end within a line: fetch them again")]
    Torn,
    /// More bytes than that many changes can have.
    #[error("the changes are larger than so many can be: fetch them again")]
    TooLarge,
    /// Signed, and not to be honoured by this version.
    #[error(
        "the change {number} cannot be honoured ({error}): a newer issuer may have written it, so upgrade this program first"
    )]
    Line {
        /// The number of the change.
        number: u64,
        /// What is wrong with it.
        error: LineError,
    },
}
