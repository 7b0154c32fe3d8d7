//! Root keys and their states: `staged → active → retiring → retired`, and `revoked` from any.
//!
//! This is the pure part: no store, no clock, no private key. A transition consumes the key that
//! it leaves, so that a key cannot be in two states, and [`Ring`] holds what is true of all keys
//! together: one is active, and a published spare stands by.

mod key;
mod ring;

pub(crate) use key::{ActiveKey, Dates, Key, RetiredKey, RetiringKey, RevokedKey, StagedKey};
pub use key::{KeyInfo, State};
pub use ring::{Change, Step};
pub(crate) use ring::{KeysetInUse, Ring};

use std::fmt;

use bailiwick_token::{key::KeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// How far clocks may lie apart, in seconds.
pub const SKEW: u64 = 60;

/// How far the issuer's own clock may have been wrong for a while, in seconds, without anything that
/// was decided meanwhile being lost: so long, what has ended is remembered.
pub(crate) const CLOCK_FAULT: u64 = 2 * 86_400;

/// The times that the guards rest on, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How often verifiers look for a newer keyset.
    pub(crate) refresh_hint: u64,
    /// The longest life of a token.
    pub(crate) max_token_ttl: u64,
    /// The life of a signed keyset.
    pub(crate) keyset_life: u64,
}

impl Policy {
    /// For how long a key is published before it signs.
    fn publication(&self) -> u64 {
        self.refresh_hint.saturating_mul(4)
    }

    /// For how long after its last signature a key is still needed.
    fn outliving(&self) -> u64 {
        // An old keyset, in which the key was still active, is trusted for `keyset_life`.
        self.max_token_ttl
            .saturating_add(SKEW)
            .saturating_add(self.keyset_life)
    }
}

/// A guard: the transition is right, and too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("key `{id}` {wait} until {until}: wait, or use --force and accept denied tokens")]
pub struct Guard {
    /// The key.
    pub id: KeyId,
    /// What is waited for.
    pub wait: Wait,
    /// From then on the guard lets it pass.
    pub until: Timestamp,
}

/// What a guard waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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

/// Why a key was left in its state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitionError {
    /// No key has this id.
    #[error("no key has the id `{0}`: `key list` shows all of them")]
    NotFound(KeyId),
    /// The state has no such transition.
    #[error("key `{id}` is {state}: {hint}")]
    WrongState {
        /// The key.
        id: KeyId,
        /// The state that it is in.
        state: State,
        /// What to do instead.
        hint: &'static str,
    },
    /// Too early.
    #[error(transparent)]
    Guard(#[from] Guard),
    /// The keyset would outgrow its format.
    #[error("a keyset holds at most {max} keys: retire or revoke staged and retiring keys first")]
    TooMany {
        /// The most keys.
        max: usize,
    },
    /// Another key has the id.
    #[error("another key has the id `{0}`: make a new key")]
    Collision(KeyId),
    /// The key protects nothing.
    #[error("the key is one of the few that protect nothing: make a new one")]
    Weak,
    /// The active key cannot go without a successor.
    #[error("no staged key can take over: run `key stage` first")]
    NoSpare,
}
