//! Verification of an exported audit log without an issuer. It takes only the keyset key.

use std::io::{self, BufRead, Seek};

use bailiwick_token::{json, key::PublicKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AuditHead, AuditReport, AuditRow, Checkpoint, CheckpointError, Walk};
use crate::line::{self, Line};

/// Maximum length of a line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// A line that contains a checkpoint. Such lines are between rows or at the end.
#[derive(Deserialize)]
struct SignedLine {
    checkpoint: Box<RawValue>,
}

/// Verifies the chain of an export: recomputes it, compares it with the signed checkpoints in the export and
/// with those `kept` elsewhere, and reports the first row that was tampered with. Several consecutive exports
/// can be joined into one.
///
/// # Errors
/// [`ExportError`]. Tampering is not an error but a finding.
pub fn verify_export<R: BufRead + Seek>(
    input: &mut R,
    key: &PublicKey,
    kept: &[Checkpoint],
) -> Result<AuditReport, ExportError> {
    // Checkpoints come after the rows that they cover, so the file is read twice.
    let mut signed: Vec<AuditHead> = kept.iter().map(|checkpoint| checkpoint.head).collect();
    lines(input, |number, line| {
        if let Ok(SignedLine { checkpoint }) = json::from_slice(line) {
            let read = Checkpoint::read(checkpoint.get().as_bytes(), key)
                .map_err(|error| ExportError::Checkpoint { number, error })?;
            signed.push(read.head);
        }
        Ok(())
    })?;
    if signed.is_empty() {
        return Err(ExportError::Unsigned);
    }
    input.rewind()?;
    let mut walk = Walk::new(signed);
    lines(input, |number, line| {
        if let Ok(row) = json::from_slice::<AuditRow>(line) {
            if walk.last().seq == 0 && row.seq > 1 {
                return Err(ExportError::Start(row.seq));
            }
            walk.step(row.seq, Some(&row));
        } else if json::from_slice::<SignedLine>(line).is_err() {
            return Err(ExportError::Line(number));
        }
        Ok(())
    })?;
    let last = walk.last();
    Ok(walk.finish(last))
}

/// Calls `each` for every line, with the line's number, counted from 1.
fn lines<R: BufRead>(
    input: &mut R,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut line = Vec::new();
    for number in 1.. {
        match line::read(input, MAX_LINE, &mut line)? {
            Line::Whole => each(number, &line)?,
            Line::Torn => return Err(ExportError::Torn),
            Line::TooLong => return Err(ExportError::Line(number)),
            Line::End => break,
        }
    }
    Ok(())
}

/// The error of an export that cannot be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The export cannot be read.
    #[error("the export cannot be read ({0}); check the path and permissions of the file")]
    Io(#[from] io::Error),
    /// A line is neither a row nor a checkpoint.
    #[error("line {0} is not a row of an audit; give a file that `bailiwick audit export` wrote")]
    Line(u64),
    /// The export does not begin with the first row.
    #[error("the export begins with row {0}; put the exports of the earlier rows in front of it")]
    Start(u64),
    /// The last line is incomplete.
    #[error("the export ends in the middle of a line; export the audit again")]
    Torn,
    /// The export contains no checkpoint.
    #[error(
        "the export has no checkpoint, so rows may be missing at its end; give a checkpoint that was kept elsewhere"
    )]
    Unsigned,
    /// A checkpoint is not signed by this key.
    #[error("line {number} is a checkpoint that cannot be used: {error}")]
    Checkpoint {
        /// Line number, counted from 1.
        number: u64,
        /// The reason for refusing the checkpoint.
        error: CheckpointError,
    },
}
