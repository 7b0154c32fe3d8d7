//! The tolerated error of the issuer's own clock.

/// Maximum error of the clock, in seconds, that causes no wrong decision. Entries are kept for this time after they
/// expire.
pub(crate) const CLOCK_FAULT: u64 = 2 * 86_400;
