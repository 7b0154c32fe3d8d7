//! Guards, which refuse transitions until they are safe.

use std::fmt;

use bailiwick_token::{key::KeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// A guard that refuses a transition because it is too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "key `{id}` {wait} until {until}; wait until then, or force it and accept that tokens are denied"
)]
pub struct Guard {
    /// The id of the key.
    pub id: KeyId,
    /// The condition that must be met first.
    pub wait: Wait,
    /// Time from which the guard allows the transition.
    pub until: Timestamp,
}

/// A condition that a guard waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Activation waits, because verifiers may not have seen the key yet (4 × refresh hint).
    Publication,
    /// Activation waits, because a verifier reported a keyset that lacks the key (until that keyset expires).
    Verifiers,
    /// Retirement waits, because tokens that the key signed may still be valid (max TTL + skew + keyset lifetime).
    LiveTokens,
    /// Activation by a rotation waits, because the previous rotation is not complete.
    Rotation,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wait::Publication => "may be unknown to verifiers",
            Wait::Verifiers => "may be unknown to a verifier (see `verifier lag`)",
            Wait::LiveTokens => "may have signed tokens that are still valid",
            Wait::Rotation => "has to wait for an earlier rotation",
        })
    }
}
