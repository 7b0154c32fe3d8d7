//! The tolerated error of the issuer's own clock.

/// Maximum error of the clock, in seconds, that loses no decision: entries that have ended are remembered
/// for this time.
pub(crate) const CLOCK_FAULT: u64 = 2 * 86_400;
