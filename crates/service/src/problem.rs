//! Errors as `application/problem+json` (RFC 9457): one table from what went wrong to a status, a
//! code that programs go by, and a text for whoever called. Details for the log stay in the log.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bailiwick_issuer::{
    ClientError, Guard, MintError, RevokeError, RootKeyError, SignError, SnapshotFailure,
    StoreError, TransitionError, Withdrawn,
};
use bailiwick_verifier::Reason;
use serde::{Deserialize, Serialize};

use crate::caller::CallerError;

/// What went wrong, for programs. Codes are never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The request cannot be read, or asks for what cannot be.
    BadRequest,
    /// No credentials, or wrong ones.
    Unauthenticated,
    /// Credentials that do not allow it.
    Denied,
    /// It is not there.
    NotFound,
    /// It is not possible in this state, or not yet: see `guard`.
    Guarded,
    /// The body is too large.
    TooLarge,
    /// Too many requests of this caller.
    TooMany,
    /// Too much to do, or a part of the issuer does not answer. Try again.
    Unavailable,
    /// A fault of the issuer.
    Internal,
}

/// An error as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// For programs.
    pub code: Code,
    /// For people: what is wrong, and what to do.
    pub detail: String,
    /// What is waited for, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// The verifier's reason code, where it decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When to come again, in seconds, where that is known: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// When to come again, where nothing better is known, in seconds.
const RETRY_AFTER: u64 = 5;

impl Problem {
    /// A problem with a text of its own.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            status: status(code).as_u16(),
            code,
            detail: detail.into(),
            guard: None,
            reason: None,
            retry_after: None,
        }
    }

    /// The same under another status than its code has as a rule.
    pub(crate) fn with_status(self, status: StatusCode) -> Problem {
        Problem {
            status: status.as_u16(),
            ..self
        }
    }

    /// What is told of a fault, which is itself in the log.
    fn internal(error: &dyn std::error::Error) -> Problem {
        tracing::error!(%error, "a request failed");
        Problem::new(
            Code::Internal,
            "the issuer has a fault of its own, which is in its log",
        )
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Denied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Guarded => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.code {
            Code::Unavailable | Code::TooMany => {
                let seconds = self.retry_after.unwrap_or(RETRY_AFTER);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Code::Unauthenticated => {
                let challenge = match self.reason {
                    Some(_) => "Bearer error=\"invalid_token\"",
                    None => "Bearer",
                };
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static(challenge),
                );
            }
            Code::Denied => {
                let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match &error {
            // On record already.
            StoreError::Withdrawn(Withdrawn::Client) => {
                Problem::new(Code::Unauthenticated, CallerError::WrongSecret.to_string())
            }
            StoreError::Withdrawn(Withdrawn::Operator) => Problem {
                reason: Some(Reason::Revoked.code().to_owned()),
                ..Problem::new(Code::Unauthenticated, error.to_string())
            },
            StoreError::Withdrawn(_) => Problem::new(Code::Unavailable, error.to_string()),
            StoreError::Nul => Problem::new(Code::BadRequest, error.to_string()),
            // Not in the log: a flood would fill it.
            StoreError::Overloaded => Problem::new(Code::Unavailable, error.to_string()),
            StoreError::Busy
            | StoreError::Conflict
            | StoreError::Full
            | StoreError::Slow
            | StoreError::Unreachable => {
                tracing::error!(%error, "the store refused");
                Problem::new(Code::Unavailable, error.to_string())
            }
            // How the store is reached is not the caller's to know.
            StoreError::Tls(_) | StoreError::File(_) => {
                tracing::error!(%error, "the store refused");
                Problem::new(
                    Code::Unavailable,
                    "the issuer cannot use its store, and its log says why",
                )
            }
            _ => Problem::internal(&error),
        }
    }
}

impl From<SignError> for Problem {
    fn from(error: SignError) -> Problem {
        match error {
            SignError::Store(error) => error.into(),
            other => Problem::internal(&other),
        }
    }
}

impl From<SnapshotFailure> for Problem {
    fn from(error: SnapshotFailure) -> Problem {
        match error {
            SnapshotFailure::Sign(error) => error.into(),
            other => Problem::internal(&other),
        }
    }
}

impl From<RootKeyError> for Problem {
    fn from(error: RootKeyError) -> Problem {
        let code = match &error {
            RootKeyError::Transition(TransitionError::NotFound(_)) => Code::NotFound,
            RootKeyError::Transition(_) => Code::Guarded,
            RootKeyError::Reason => Code::BadRequest,
            _ => {
                return match error {
                    RootKeyError::Sign(error) => error.into(),
                    other => Problem::internal(&other),
                };
            }
        };
        Problem {
            guard: error.guard().cloned(),
            ..Problem::new(code, error.to_string())
        }
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Problem {
        match error {
            RevokeError::Store(error) => error.into(),
            full @ RevokeError::Full => Problem::new(Code::Guarded, full.to_string()),
            other => Problem::new(Code::BadRequest, other.to_string()),
        }
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Problem {
        let code = match &error {
            ClientError::NotFound(_) => Code::NotFound,
            ClientError::Exists(_) | ClientError::Disabled(_) | ClientError::TooManySecrets => {
                Code::Guarded
            }
            ClientError::Hash => Code::Unavailable,
            ClientError::Store(_) => {
                return match error {
                    ClientError::Store(error) => error.into(),
                    other => Problem::internal(&other),
                };
            }
            _ => Code::BadRequest,
        };
        Problem::new(code, error.to_string())
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Problem {
        match error {
            MintError::Refused(refusal) => Problem::new(Code::Denied, refusal.to_string()),
            MintError::Sign(error) => error.into(),
            other => Problem::internal(&other),
        }
    }
}
