//! Errors of minting.

use bailiwick_token::{datalog::DatalogError, limits::LimitError, token::TokenError};

use crate::{
    group_commit::RecordError,
    signer::{SignError, from_sources},
    store::StoreError,
};

/// The reason for refusing a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MintRefusal {
    /// The requested life is zero or too long. It is never shortened to fit.
    #[error("a token lives 1 to {max} s, and {ttl} s were asked for: ask for less")]
    Ttl {
        /// The requested life, in seconds.
        ttl: u64,
        /// The maximum life, in seconds.
        max: u64,
    },
    /// The agent or the principal is empty.
    #[error("`{0}` is empty: a token names an agent and on whose authority it acts")]
    Empty(&'static str),
    /// The token cannot carry one of the claims, or this life.
    #[error(transparent)]
    Datalog(#[from] DatalogError),
    /// The token would be larger than verifiers accept.
    #[error("{0}: grant less, or in several tokens")]
    Limit(#[from] LimitError),
    /// The new token cannot be read back.
    #[error("the token cannot be read back: {0}")]
    Token(#[from] TokenError),
    /// An internal error of this program.
    #[error("the token cannot be made: report this with the request")]
    Fault,
}

/// The error of a failed mint. There is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The request was refused, and the refusal is recorded.
    #[error(transparent)]
    Refused(#[from] MintRefusal),
    /// The token cannot be signed or recorded.
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
