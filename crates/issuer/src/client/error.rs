//! Errors of operations on clients, and the limits in their messages.

use bailiwick_token::{claims, timestamp::Timestamp};

use crate::store::StoreError;

/// Maximum length of a client's name, in bytes.
pub(super) const MAX_CLIENT_NAME: usize = 128;

/// Maximum number of secrets per client: the one in use, its replacement, and one spare.
pub(super) const MAX_SECRETS: usize = 3;

/// Maximum number of keys per client. A rotation needs two; the others allow several instances with keys of
/// their own.
pub(super) const MAX_KEYS: usize = 8;

/// Maximum length of a key's `kid`, in bytes.
pub(super) const MAX_KID: usize = 128;

/// The error of an operation on clients. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client's name is invalid.
    #[error(
        "the client's name is not valid; use 1 to {MAX_CLIENT_NAME} visible ASCII characters without `:`, `/`, `\\`, `%`, `?` and `#`, and not `.` or `..`"
    )]
    Name,
    /// The principal is missing, or its name is invalid.
    #[error(
        "the client's principal is not valid; name one of 1 to {} bytes, without control characters and without white space at its ends",
        claims::MAX_NAME
    )]
    Principal,
    /// There are no profiles, or too many.
    #[error("the client does not have 1 to 64 profiles; name the profiles that it may use")]
    Profiles,
    /// The claims are too large, or use a name that is reserved for the issuer.
    #[error(
        "the client's claims are not valid; use at most 16 KiB of JSON and none of the names `client`, `principal` and `profiles`"
    )]
    Claims,
    /// A client with this name already exists.
    #[error(
        "the name `{0}` belongs to a client already, perhaps a disabled one; choose another name"
    )]
    Exists(String),
    /// No client has this name.
    #[error("no client has the name `{0}`; `client list` shows the names of all clients")]
    NotFound(String),
    /// The client is disabled.
    #[error("the client was disabled at {0}; register another client")]
    Disabled(Timestamp),
    /// Too many secrets of the client are still valid.
    #[error(
        "the client already has {MAX_SECRETS} secrets; wait until one of them has expired, or use a shorter overlap"
    )]
    TooManySecrets,
    /// The text is not a public key in the form that is stored.
    #[error(
        "the client's key is not valid; give a public JSON Web Key of the type EC, OKP or RSA, whose `kid`, if any, has 1 to {MAX_KID} visible ASCII characters"
    )]
    Key,
    /// No key is given.
    #[error("no key is given; name at least one public key")]
    NoKey,
    /// The client already has this key, or another one with the same `kid`.
    #[error(
        "the client already has the key `{0}`, or another key with the same `kid`; remove the old key, or give the new key another `kid`"
    )]
    KeyExists(String),
    /// The client has no key with this id.
    #[error("the client has no key `{0}`; `client list` shows the keys of all clients")]
    KeyNotFound(String),
    /// The client would have too many keys.
    #[error("the client already has {MAX_KEYS} keys; remove a key that is no longer used")]
    TooManyKeys,
    /// The secret cannot be hashed, usually for lack of memory.
    #[error("there is not enough memory to hash the secret; free memory and try again")]
    Hash,
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
