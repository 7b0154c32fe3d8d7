//! The report of the demonstration.

use serde::Serialize;

use super::{client::CallOutcome, rotation::RotationCounts};

/// The report of what was shown, for programs.
#[derive(Debug, Serialize)]
pub(super) struct DemoReport {
    pub(super) version: u32,
    /// True if everything came out as it should.
    pub(super) ok: bool,
    /// Each call that is on the screen, in its order.
    pub(super) calls: Vec<CallOutcome>,
    pub(super) rotation: RotationCounts,
    pub(super) audit_rows: u64,
    pub(super) audit_intact: bool,
    pub(super) seconds: f64,
}
