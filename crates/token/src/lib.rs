//! Bailiwick tokens for their holders: reading, narrowing, sealing and inspecting them.
//!
//! The laws of a token: only a root key creates authority. Any holder can narrow a token, and no holder can
//! widen one. Once signed, a block cannot be removed, reordered or changed.
//!
//! This crate holds no root key, does no I/O and reads no clock; it also builds for `wasm32-unknown-unknown`.
//! It defines the data that issuers and verifiers share: the [`keyset`] and the [`revocation`]s, as signed
//! [`dsse`] envelopes.

pub use bailiwick_biscuit::escape;

pub mod address;
pub mod attenuate;
pub mod caveat;
pub mod claims;
pub mod condition;
pub mod datalog;
pub mod dsse;
pub mod duration;
pub mod grant;
pub mod inspect;
pub mod json;
pub mod key;
pub mod keyset;
pub mod limits;
pub mod report;
pub mod revocation;
pub mod text;
pub mod timestamp;
pub mod token;
pub mod value;
