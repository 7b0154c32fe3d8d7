//! Errors of authenticating a caller.

use crate::{provider::error::AssertionError, strangers::CredentialKind};

/// The error of a caller that could not be authenticated. The text of the error is sent to that caller, so it
/// reveals no more than is safe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallerError {
    #[error(
        "the request carries credentials in more than one way, or in one that cannot be read; authenticate with HTTP Basic or with a `client_assertion`, and not with both"
    )]
    Ambiguous,
    #[error("the name or the secret of the client is wrong; check both")]
    WrongSecret,
    #[error("there were too many wrong secrets or assertions of this client; wait a minute")]
    TooMany,
    #[error("the client assertion is not accepted: {0}")]
    OwnAssertion(#[from] OwnAssertionError),
    #[error("the {what} is not accepted: {error}")]
    Assertion {
        what: &'static str,
        error: AssertionError,
    },
    #[error("the {what} has no `jti`, which a single-use assertion needs; add one")]
    NoId {
        what: &'static str,
        /// The subject of the JWT, as the audit log names it.
        name: String,
    },
    #[error("the {what} was used before; send a new one")]
    Replayed {
        what: &'static str,
        /// The subject of the JWT, as the audit log names it.
        name: String,
    },
    #[error(transparent)]
    Store(#[from] bailiwick_issuer::StoreError),
}

impl CallerError {
    /// Returns the kind of a refused JWT, with its subject if the signature is valid; `None` if no JWT was
    /// refused, for example because the store or the provider did not answer.
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
            CallerError::OwnAssertion(OwnAssertionError::Unsigned(_)) => {
                Some((CredentialKind::Unsigned, ""))
            }
            CallerError::OwnAssertion(_) => Some((CredentialKind::Signed, "")),
            CallerError::NoId { name, .. } | CallerError::Replayed { name, .. } => {
                Some((CredentialKind::Signed, name))
            }
            _ => None,
        }
    }
}

/// The error of an assertion that a client signs itself. Its text is sent to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OwnAssertionError {
    /// No key of the client signed the assertion. The text is the same if there is no such client, or if it is
    /// disabled. The reason is only for the record.
    #[error("it is not signed with a registered key of the client that it names")]
    Unsigned(&'static str),
    #[error("its `sub` and its `iss` name different clients")]
    Subject,
    #[error(
        "its `aud` is not this issuer alone; name the URL of the issuer or of its token endpoint, and no other"
    )]
    Audience,
    #[error("its `{0}` is missing or not valid")]
    Claim(&'static str),
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("its lifetime is above {0} seconds; shorten it")]
    Life(u64),
}

impl OwnAssertionError {
    /// The text for the audit log and the program's log.
    pub(super) fn record(&self) -> String {
        match self {
            OwnAssertionError::Unsigned(reason) => format!("client assertion: {reason}"),
            other => format!("client assertion: {other}"),
        }
    }
}
