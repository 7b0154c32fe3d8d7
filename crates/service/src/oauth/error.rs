//! Errors of the token endpoint, and the table that maps them to the codes of RFC 6749, section 5.2.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bailiwick_api::{OAuthError, OAuthErrorCode};
use bailiwick_issuer::{MintError, SignError, StoreError, Withdrawn};
use serde::Serialize;

use crate::{
    caller::error::CallerError, mint::error::ProfileMintError, provider::error::AssertionError,
    wire::IntoWire,
};

/// An error answer of the token endpoint.
pub(super) struct OAuthFailure {
    status: StatusCode,
    pub(super) error: OAuthErrorCode,
    pub(super) description: String,
    /// True if the answer requests HTTP Basic with `WWW-Authenticate`.
    challenge: bool,
    /// Value of `Retry-After`, in seconds.
    retry_after: Option<u64>,
}

impl OAuthFailure {
    /// A failure with status 400.
    pub(super) fn new(error: OAuthErrorCode, description: impl Into<String>) -> OAuthFailure {
        OAuthFailure {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            challenge: false,
            retry_after: None,
        }
    }

    /// Replaces the status.
    pub(super) fn with_status(self, status: StatusCode) -> OAuthFailure {
        OAuthFailure { status, ..self }
    }

    /// The failure of a request without client credentials.
    pub(super) fn no_client() -> OAuthFailure {
        OAuthFailure {
            status: StatusCode::UNAUTHORIZED,
            challenge: true,
            ..OAuthFailure::new(
                OAuthErrorCode::InvalidClient,
                "the request has no credentials of a client; authenticate with HTTP Basic, or with a `client_assertion`",
            )
        }
    }

    /// The failure of a request whose client could not be authenticated (RFC 6749, section 5.2).
    pub(super) fn of_client(refused: CallerError, headers: &HeaderMap) -> OAuthFailure {
        let text = refused.to_string();
        match refused {
            CallerError::Store(error) => unavailable(&error),
            CallerError::Assertion {
                error: AssertionError::Unreachable,
                ..
            } => busy(text),
            CallerError::TooMany => OAuthFailure {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: Some(60),
                ..OAuthFailure::new(OAuthErrorCode::InvalidClient, text)
            },
            _ => OAuthFailure {
                status: StatusCode::UNAUTHORIZED,
                // RFC 6749, section 5.2: a client that sent `Authorization` is told the scheme to use.
                challenge: headers.contains_key(header::AUTHORIZATION),
                ..OAuthFailure::new(OAuthErrorCode::InvalidClient, text)
            },
        }
    }

    /// The failure of a subject or actor token that is not accepted (RFC 8693, section 2.2.2).
    pub(super) fn of_token(refused: CallerError) -> OAuthFailure {
        let text = refused.to_string();
        match refused {
            CallerError::Store(error) => unavailable(&error),
            CallerError::Assertion {
                error: AssertionError::Unreachable,
                ..
            } => busy(text),
            _ => OAuthFailure::new(OAuthErrorCode::InvalidRequest, text),
        }
    }
}

impl From<ProfileMintError> for OAuthFailure {
    fn from(error: ProfileMintError) -> OAuthFailure {
        match error {
            ProfileMintError::Refused(refusal) => {
                OAuthFailure::new(refusal.code().into_wire(), refusal.public())
            }
            ProfileMintError::TooMany(wait) => OAuthFailure {
                status: StatusCode::TOO_MANY_REQUESTS,
                // This is rounded up, so that a client that waits this long is not refused again.
                retry_after: Some(wait.as_secs().saturating_add(1)),
                ..OAuthFailure::new(
                    OAuthErrorCode::SlowDown,
                    format!(
                        "{}; wait for the number of seconds in `Retry-After`",
                        ProfileMintError::TOO_OFTEN
                    ),
                )
            },
            ProfileMintError::Mint(MintError::Refused(refusal)) => {
                OAuthFailure::new(OAuthErrorCode::InvalidRequest, refusal.to_string())
            }
            // The client's secret or key ended while the request waited, so the next attempt would be refused like a
            // wrong secret.
            ProfileMintError::Mint(MintError::Sign(SignError::Store(StoreError::Withdrawn(
                Withdrawn::Client,
            )))) => OAuthFailure {
                status: StatusCode::UNAUTHORIZED,
                ..OAuthFailure::new(
                    OAuthErrorCode::InvalidClient,
                    CallerError::WrongSecret.to_string(),
                )
            },
            ProfileMintError::Mint(MintError::Sign(SignError::Store(error))) => unavailable(&error),
            ProfileMintError::Mint(failed) => {
                tracing::error!(error = %failed, "cannot mint a token");
                OAuthFailure {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    ..OAuthFailure::new(
                        OAuthErrorCode::ServerError,
                        "the issuer had an internal error; see its log",
                    )
                }
            }
        }
    }
}

fn unavailable(failed: &StoreError) -> OAuthFailure {
    // These are not logged: a flood of requests would fill the log, and a withdrawal is in the audit already.
    if let StoreError::Overloaded | StoreError::Withdrawn(_) = failed {
        return busy(failed.to_string());
    }
    tracing::error!(error = %failed, "cannot use the store");
    match failed {
        StoreError::Busy
        | StoreError::Conflict
        | StoreError::Full
        | StoreError::Slow
        | StoreError::Unreachable => busy(failed.to_string()),
        // Other errors may say how the store is reached, which callers must not learn.
        _ => busy("the issuer cannot use its store; see its log"),
    }
}

fn busy(text: impl Into<String>) -> OAuthFailure {
    OAuthFailure {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: Some(5),
        ..OAuthFailure::new(OAuthErrorCode::TemporarilyUnavailable, text)
    }
}

impl IntoResponse for OAuthFailure {
    fn into_response(self) -> Response {
        // RFC 6749, section 5.2, allows printable ASCII without `"` and `\` in a description.
        let plain = |c: char| match c {
            '`' | '"' => '\'',
            ' '..='~' if c != '\\' => c,
            _ => '?',
        };
        let description: String = self.description.chars().map(plain).take(512).collect();
        let body = OAuthError {
            error: self.error,
            error_description: description,
        };
        let mut response = respond(self.status, &body);
        let headers = response.headers_mut();
        if self.challenge {
            let basic = HeaderValue::from_static("Basic realm=\"bailiwick\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Builds an answer that no cache may store (RFC 6749, section 5.1).
pub(super) fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
