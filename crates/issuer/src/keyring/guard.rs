//! A guard: a transition that would be right, and is too early.

use std::fmt;

use bailiwick_token::{key::KeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// A guard: the transition is right, and too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("key `{id}` {wait} until {until}: wait, or force it and accept denied tokens")]
pub struct Guard {
    /// The key.
    pub id: KeyId,
    /// The thing that is waited for.
    pub wait: Wait,
    /// From then on the guard lets it pass.
    pub until: Timestamp,
}

/// A thing that a guard waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// To be activated: verifiers may not have seen the key yet (4 × refresh hint).
    Publication,
    /// To be activated: a verifier said that it uses a keyset without the key (until that ends).
    Verifiers,
    /// To be retired: tokens that it signed may be alive (max TTL + skew + keyset life).
    LiveTokens,
    /// To be activated by a rotation: the one before is still under way.
    Rotation,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wait::Publication => "may be unknown to verifiers",
            Wait::Verifiers => "is unknown to a verifier (see `verifier lag`), at most",
            Wait::LiveTokens => "may have signed tokens that are alive",
            Wait::Rotation => "stands by while an earlier rotation is under way,",
        })
    }
}
