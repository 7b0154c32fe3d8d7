//! Root keys and their states: `staged → active → retiring → retired`, and `revoked` from any.
//!
//! This module has no store, no clock and no private key. A transition consumes the key in its old state, so a key
//! cannot be in two states. [`Ring`] holds all keys, and enforces rules for all of them together, for example that at
//! most one is active.

mod error;
mod guard;
mod key;
mod policy;
mod ring;

pub use error::TransitionError;
pub use guard::{Guard, Wait};
pub(crate) use key::{ActiveKey, Dates, RetiredKey, RetiringKey, RevokedKey, StagedKey, StoredKey};
pub use key::{KeyInfo, State};
pub(crate) use policy::KeyPolicy;
pub use ring::{Change, Step, due::DueStep};
pub(crate) use ring::{KeysetInUse, Ring};
