//! How wrong this issuer's own clock may be.

/// How far the clock may have been wrong for a while, in seconds, without anything that was decided
/// meanwhile being lost: so long, what has ended is remembered.
pub(crate) const CLOCK_FAULT: u64 = 2 * 86_400;
