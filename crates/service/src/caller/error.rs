//! Errors of authenticating a caller.

use crate::{provider::error::AssertionError, strangers::CredentialKind};

/// The error of a caller that could not be authenticated. Its text is sent to that caller and reveals no
/// more than is safe.
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
    /// The kind of a refused JWT, with its subject if the provider's signature covers it. `None` if no JWT
    /// was refused, for example because the store or the provider did not answer.
    pub(super) fn refused_jwt(&self) -> Option<(CredentialKind, &str)> {
        match self {
            CallerError::Assertion { error, .. } => match error {
                AssertionError::Unreachable => None,
                // Claims are checked after the signature, so its provider has signed this JWT.
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
