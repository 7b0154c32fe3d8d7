//! Readiness of a trust for decisions.

use bailiwick_token::timestamp::Timestamp;

use super::{Trust, revocations::is_ahead, staleness::Staleness};

impl Trust {
    /// Returns true if a verifier with this trust and staleness setting can decide calls at `now`, rather than
    /// denying all calls as stale: its keyset is in force, and its revocations are present and fresh enough, or
    /// short-lived tokens are admitted regardless.
    #[must_use]
    pub fn is_ready(&self, staleness: &Staleness, now: Timestamp) -> bool {
        let keyset = self.keyset();
        let in_force = now < keyset.expires && !is_ahead(keyset.issued_at, now);
        let revocations = match &self.revocations {
            None => !self.needs_revocations,
            Some(revocations) => revocations.is_ready(staleness, now),
        };
        in_force && revocations && self.not_withheld(staleness, now).is_ok()
    }
}
