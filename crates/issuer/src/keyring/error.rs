//! Errors of key transitions.

use bailiwick_token::key::KeyId;

use super::{guard::Guard, key::State};

/// The error of a refused transition. The key keeps its state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitionError {
    /// No key has this id.
    #[error("no key has the id `{0}`; `key list` shows the ids of all keys")]
    NotFound(KeyId),
    /// The transition is not possible from the key's state.
    #[error("key `{id}` is {state}; {hint}")]
    WrongState {
        /// The id of the key.
        id: KeyId,
        /// The present state of the key.
        state: State,
        /// The reason why this state does not allow the transition, with the next step.
        hint: &'static str,
    },
    /// The transition is too early.
    #[error(transparent)]
    Guard(#[from] Guard),
    /// The keyset would exceed the limits of its format.
    #[error(
        "the keyset already has {max} keys, which is the maximum; retire or revoke staged and retiring keys first"
    )]
    TooMany {
        /// Maximum number of keys.
        max: usize,
    },
    /// The key is already one of this issuer.
    #[error(
        "this key is here already as `{id}` and is {state}; make a new key if you need another one"
    )]
    Known {
        /// The id of the key.
        id: KeyId,
        /// The present state of the key.
        state: State,
    },
    /// Another key has the same id.
    #[error("another key already has the id `{0}`; make a new key")]
    Collision(KeyId),
    /// The key is weak: anyone can forge its signatures.
    #[error("the key is weak and anyone can forge its signatures; make a new key")]
    Weak,
    /// The active key cannot be revoked, because there is no staged key to replace it.
    #[error("no staged key can take over from the active key; run `key stage` first")]
    NoSpare,
}
