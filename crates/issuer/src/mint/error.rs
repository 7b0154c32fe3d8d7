//! Why there is no token.

use bailiwick_token::{datalog::DatalogError, limits::LimitError, token::TokenError};

use crate::{
    group_commit::RecordError,
    signer::{SignError, from_sources},
    store::StoreError,
};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MintRefusal {
    /// Too long, or zero. It is never trimmed.
    #[error("a token lives 1 to {max} s, and {ttl} s were asked for: ask for less")]
    Ttl {
        /// The life that was asked for, in seconds.
        ttl: u64,
        /// The longest life, in seconds.
        max: u64,
    },
    /// Nobody.
    #[error("`{0}` is empty: a token names an agent and on whose authority it acts")]
    Empty(&'static str),
    /// Claims or grants do not fit the profile.
    #[error(transparent)]
    Datalog(#[from] DatalogError),
    /// The token would be larger than verifiers accept.
    #[error("{0}: grant less, or in several tokens")]
    Limit(#[from] LimitError),
    /// The token that was built cannot be read back.
    #[error("the token cannot be read back: {0}")]
    Token(#[from] TokenError),
    /// A fault of this program.
    #[error("the token cannot be made: report this with the request")]
    Fault,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The request was refused, and that is recorded.
    #[error(transparent)]
    Refused(#[from] MintRefusal),
    /// It cannot be signed, or not be recorded.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(MintError);

impl From<RecordError> for MintError {
    fn from(error: RecordError) -> MintError {
        match error {
            RecordError::Store(error) => error.into(),
            RecordError::Superseded => StoreError::Busy.into(),
        }
    }
}
