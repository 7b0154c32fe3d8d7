//! Bounds that the facts and the findings of a report share.

use bailiwick_token::timestamp::Timestamp;

/// Time before its end from which a secret counts as about to end, in seconds.
const SECRET_ENDING: u64 = 7 * 86_400;

/// Time after which a verifier that does not report counts as silent, in seconds.
pub(super) const SILENT: u64 = 3_600;

/// Maximum number of names in a list of a report.
pub(super) const MAX_NAMES: usize = 20;

/// Returns true for a secret that is good now and about to end.
pub(super) fn is_ending(expires: Timestamp, now: Timestamp) -> bool {
    expires > now && expires.since(now) <= SECRET_ENDING
}
