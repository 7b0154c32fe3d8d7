//! The times that transitions wait for.

use bailiwick_token::timestamp::SKEW;

/// The times that the guards rest on, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPolicy {
    /// The interval in which verifiers look for a newer keyset.
    pub(crate) refresh_hint: u64,
    /// The longest life of a token.
    pub(crate) max_token_ttl: u64,
    /// The life of a signed keyset.
    pub(crate) keyset_life: u64,
}

impl KeyPolicy {
    /// For how long a key is published before it signs.
    pub(super) fn publication(&self) -> u64 {
        self.refresh_hint.saturating_mul(4)
    }

    /// For how long after its last signature a key is still needed.
    pub(super) fn outliving(&self) -> u64 {
        // An old keyset, in which the key was still active, is trusted for `keyset_life`.
        self.max_token_ttl
            .saturating_add(SKEW)
            .saturating_add(self.keyset_life)
    }
}
