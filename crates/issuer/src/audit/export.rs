//! An export of the audit, checked without an issuer: by whoever keeps it, with the keyset key alone.

use std::io::{self, BufRead, Seek};

use bailiwick_token::key::PublicKey;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AuditHead, AuditReport, AuditRow, Checkpoint, CheckpointError, Walk};
use crate::line::{self, Line};

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// The lines between rows, and the last one.
#[derive(Deserialize)]
struct SignedLine {
    checkpoint: Box<RawValue>,
}

/// Recomputes the chain of an export from its first row on, holds it against the signed checkpoints in
/// it and those that were `kept` elsewhere, and names the first row that is not as it was written.
/// Several exports that go on from each other are one.
///
/// # Errors
/// [`ExportError`]; tampering is no error but a finding.
pub fn verify_export<R: BufRead + Seek>(
    input: &mut R,
    key: &PublicKey,
    kept: &[Checkpoint],
) -> Result<AuditReport, ExportError> {
    // Checkpoints come after the rows that they vouch for, so the file is read twice.
    let mut signed: Vec<AuditHead> = kept.iter().map(|checkpoint| checkpoint.head).collect();
    lines(input, |number, line| {
        if let Ok(SignedLine { checkpoint }) = serde_json::from_slice(line) {
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
        if let Ok(row) = serde_json::from_slice::<AuditRow>(line) {
            if walk.last().seq == 0 && row.seq > 1 {
                return Err(ExportError::Start(row.seq));
            }
            walk.step(row.seq, Some(&row));
        } else if serde_json::from_slice::<SignedLine>(line).is_err() {
            return Err(ExportError::Line(number));
        }
        Ok(())
    })?;
    let last = walk.last();
    Ok(walk.finish(last))
}

/// Hands over each line with its number, from 1.
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

/// Why an export cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It cannot be read.
    #[error("the export cannot be read ({0}): check the file")]
    Io(#[from] io::Error),
    /// A line that is neither a row nor a checkpoint.
    #[error("line {0} is no row of an audit: give what `bailiwick audit export` wrote")]
    Line(u64),
    /// It does not begin with the first row.
    #[error("the export begins with row {0}: put the exports of the rows before it in front")]
    Start(u64),
    /// The last line has no end.
    #[error("the export was cut off within a line: export it again")]
    Torn,
    /// Nothing in it is signed.
    #[error(
        "the export has no checkpoint, so its end may be missing: give one that was kept elsewhere"
    )]
    Unsigned,
    /// A checkpoint that this key did not sign.
    #[error("line {number} holds a checkpoint that is not one: {error}")]
    Checkpoint {
        /// The line, from 1.
        number: u64,
        /// Why.
        error: CheckpointError,
    },
}
