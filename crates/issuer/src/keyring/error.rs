//! Why a key was left in its state.

use bailiwick_token::key::KeyId;

use super::{guard::Guard, key::State};

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
        /// The transition to make instead, in words.
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
