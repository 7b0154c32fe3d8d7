//! The report of the demonstration.

use serde::Serialize;

use super::{client::CallOutcome, rotation::RotationCounts};

/// A report on the demonstration, for programs.
#[derive(Debug, Serialize)]
pub(super) struct DemoReport {
    pub(super) version: u32,
    /// True if all outcomes were as expected.
    pub(super) ok: bool,
    /// The calls on the screen, in order.
    pub(super) calls: Vec<CallOutcome>,
    pub(super) rotation: RotationCounts,
    pub(super) audit_rows: u64,
    pub(super) audit_intact: bool,
    pub(super) seconds: f64,
}
