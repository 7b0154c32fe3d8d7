//! Errors of key transitions.

use bailiwick_token::key::KeyId;

use super::{guard::Guard, key::State};

/// A transition that was refused. The key keeps its state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitionError {
    /// No key has this id.
    #[error("no key has the id `{0}`: `key list` shows all of them")]
    NotFound(KeyId),
    /// The transition is not possible from the key's state.
    #[error("key `{id}` is {state}: {hint}")]
    WrongState {
        /// The key.
        id: KeyId,
        /// The state that it is in.
        state: State,
        /// The transition to make instead, as text.
        hint: &'static str,
    },
    /// It is too early for the transition.
    #[error(transparent)]
    Guard(#[from] Guard),
    /// The keyset would outgrow its format.
    #[error("a keyset holds at most {max} keys: retire or revoke staged and retiring keys first")]
    TooMany {
        /// The maximum number of keys.
        max: usize,
    },
    /// Another key has the same id.
    #[error("another key has the id `{0}`: make a new key")]
    Collision(KeyId),
    /// The key is a weak one: anyone can forge its signatures.
    #[error("the key is one of the few that protect nothing: make a new one")]
    Weak,
    /// The active key cannot be revoked, because no staged key can succeed it.
    #[error("no staged key can take over: run `key stage` first")]
    NoSpare,
}
