//! Why a caller is not known.

use crate::{provider::error::AssertionError, strangers::CredentialKind};

/// The error of a caller that is not known. Its text is for that caller, and says as much as is safe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallerError {
    #[error(
        "the request carries credentials in more than one way, or in a way that cannot be read"
    )]
    Ambiguous,
    #[error("the client's name or secret is wrong")]
    WrongSecret,
    #[error("too many wrong secrets of this client: wait a minute")]
    TooMany,
    #[error("the {what} is not accepted: {error}")]
    Assertion {
        what: &'static str,
        error: AssertionError,
    },
    #[error("the {what} has to have a `jti`: it is used once")]
    NoId {
        what: &'static str,
        /// Its subject, as the audit names it.
        name: String,
    },
    #[error("the {what} has been used before")]
    Replayed {
        what: &'static str,
        /// Its subject, as the audit names it.
        name: String,
    },
    #[error(transparent)]
    Store(#[from] bailiwick_issuer::StoreError),
}

impl CallerError {
    /// The kind of a refused JWT, and its subject if its provider vouches for that. `None` if nothing
    /// was refused: the store or the provider did not answer.
    pub(super) fn refused_jwt(&self) -> Option<(CredentialKind, &str)> {
        match self {
            CallerError::Assertion { error, .. } => match error {
                AssertionError::Unreachable => None,
                AssertionError::Claim(_) | AssertionError::Time | AssertionError::Life => {
                    Some((CredentialKind::Signed, ""))
                }
                _ => Some((CredentialKind::Unsigned, "")),
            },
            CallerError::NoId { name, .. } | CallerError::Replayed { name, .. } => {
                Some((CredentialKind::Signed, name))
            }
            _ => None,
        }
    }
}
