//! The error that this issuer's own clock may have.

/// The longest error of the clock, in seconds, without anything that was decided
/// meanwhile being lost: so long, what has ended is remembered.
pub(crate) const CLOCK_FAULT: u64 = 2 * 86_400;
