//! Errors of minting.

use bailiwick_token::{
    datalog::DatalogError, duration::show, limits::LimitError, token::TokenError,
};

use crate::{
    group_commit::RecordError,
    signer::{SignError, from_sources},
    store::StoreError,
};

/// The reason for refusing a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MintRefusal {
    /// The requested lifetime is zero or too long. It is never shortened to fit.
    #[error("a lifetime of {} was requested, but this issuer allows 1s to {}; ask for one in that range", show(*.ttl), show(*.max))]
    Ttl {
        /// The requested lifetime, in seconds.
        ttl: u64,
        /// The maximum lifetime, in seconds.
        max: u64,
    },
    /// The agent or the principal is empty.
    #[error("the {0} is empty; name the agent and the principal on whose authority it acts")]
    Empty(&'static str),
    /// The token cannot carry one of the claims, or this lifetime.
    #[error(transparent)]
    Datalog(#[from] DatalogError),
    /// The token would be larger than verifiers accept.
    #[error("the token would be too large: {0}; grant less, or use several tokens")]
    Limit(#[from] LimitError),
    /// The new token cannot be read back.
    #[error("the minted token cannot be read back ({0}); report this as a bug in bailiwick")]
    Token(#[from] TokenError),
    /// An internal error of this program.
    #[error("the token cannot be signed; report this as a bug in bailiwick, with the request")]
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
