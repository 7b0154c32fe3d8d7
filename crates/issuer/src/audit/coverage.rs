//! The part of the audit log that signed checkpoints cover.

use bailiwick_token::timestamp::Timestamp;

/// The part of the audit log that signed checkpoints cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCoverage {
    /// Number of rows.
    pub rows: u64,
    /// The last row that a checkpoint covers; 0 if there is no checkpoint.
    pub checkpoint: u64,
    /// Time at which the last checkpoint was signed.
    pub checkpoint_at: Option<Timestamp>,
    /// Time of the first row that no checkpoint covers.
    pub uncovered_since: Option<Timestamp>,
}
