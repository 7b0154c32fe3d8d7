//! Limits that the facts and the findings of a report share.

use bailiwick_token::timestamp::Timestamp;

/// Time before a secret's expiry from which the secret counts as about to expire, in seconds.
const SECRET_ENDING: u64 = 7 * 86_400;

/// Time after which a verifier that does not report counts as silent, in seconds.
pub(super) const SILENT: u64 = 3_600;

/// Maximum number of names to list in a report.
pub(super) const MAX_NAMES: usize = 20;

/// Returns true for a secret that is valid now and about to expire.
pub(super) fn is_ending(expires: Timestamp, now: Timestamp) -> bool {
    expires > now && expires.since(now) <= SECRET_ENDING
}
