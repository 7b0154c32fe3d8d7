//! The waiting times of key transitions.

use bailiwick_token::timestamp::SKEW;

/// The intervals from which the guards compute their waiting times, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPolicy {
    /// The interval at which verifiers look for a newer keyset.
    pub(crate) refresh_hint: u64,
    /// Maximum lifetime of a token.
    pub(crate) max_token_ttl: u64,
    /// The lifetime of a signed keyset.
    pub(crate) keyset_life: u64,
}

impl KeyPolicy {
    /// The time for which a key must be published before it signs.
    pub(super) fn publication(&self) -> u64 {
        // A cache may serve the old keyset for one interval, and a verifier asks once per interval. The other
        // two intervals allow for refreshes that fail.
        self.refresh_hint.saturating_mul(4)
    }

    /// The time for which a key is still needed after its last signature.
    pub(super) fn outliving(&self) -> u64 {
        // A verifier may use an old keyset, in which the key is still active, for as long as `keyset_life`.
        self.max_token_ttl
            .saturating_add(SKEW)
            .saturating_add(self.keyset_life)
    }
}
