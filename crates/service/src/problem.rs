//! Errors as `application/problem+json` (RFC 9457): one table that maps them to a code and a text for the
//! caller. Details that are meant for the log stay in the log.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bailiwick_api::{ProblemCode, ProblemDetails, TargetsError};
use bailiwick_issuer::{
    AuditEventError, CheckpointError, ClientError, MintError, RevocationUrlError, RevokeError,
    RootKeyError, SignError, SnapshotFailure, StoreError, TokenListError, TransitionError,
    Withdrawn,
};
use bailiwick_verifier::{Reason, layer};

use crate::{
    caller::error::CallerError, client_keys::ClientKeyError, mint::error::ProfileMintError,
    provider::error::AssertionError, wire::IntoWire,
};

/// Default `Retry-After`, in seconds.
const RETRY_AFTER: u64 = 5;

/// An error answer of the service.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// The body of the answer.
    pub(crate) problem: ProblemDetails,
    /// `Retry-After`, in seconds, if known.
    pub(crate) retry_after: Option<u64>,
}

impl ApiError {
    /// An error with this code and text.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> ApiError {
        ApiError {
            problem: ProblemDetails {
                status: code.status(),
                code,
                detail: detail.into(),
                guard: None,
                reason: None,
            },
            retry_after: None,
        }
    }

    /// The error of a request that cannot be parsed, or asks for something impossible.
    pub(crate) fn bad_request(error: impl ToString) -> ApiError {
        ApiError::new(ProblemCode::BadRequest, error.to_string())
    }

    /// Replaces the usual status of the code.
    pub(crate) fn with_status(mut self, status: StatusCode) -> ApiError {
        self.problem.status = status.as_u16();
        self
    }

    /// Adds the reason code of a verifier or a profile.
    pub(crate) fn with_reason(mut self, reason: &str) -> ApiError {
        self.problem.reason = Some(reason.to_owned());
        self
    }

    /// Sets `Retry-After`, in seconds.
    pub(crate) fn with_retry_after(mut self, seconds: u64) -> ApiError {
        self.retry_after = Some(seconds);
        self
    }

    /// Logs a fault, and returns the answer, which does not repeat it.
    pub(crate) fn internal(error: &dyn std::error::Error) -> ApiError {
        tracing::error!(%error, "a request failed");
        ApiError::new(
            ProblemCode::Internal,
            "the issuer had an internal error; see its log",
        )
    }
}

/// The code for a verifier's denial. The status comes from the verifier's own table.
pub(crate) fn denial_code(reason: Reason) -> ProblemCode {
    match layer::status(reason) {
        StatusCode::FORBIDDEN => ProblemCode::Denied,
        StatusCode::BAD_REQUEST => ProblemCode::BadRequest,
        StatusCode::SERVICE_UNAVAILABLE => ProblemCode::Unavailable,
        _ => ProblemCode::Unauthenticated,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError {
            problem,
            retry_after,
        } = self;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match problem.code {
            ProblemCode::Unavailable | ProblemCode::TooMany => {
                let seconds = retry_after.unwrap_or(RETRY_AFTER);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            ProblemCode::Unauthenticated => {
                let challenge = match problem.reason {
                    Some(_) => "Bearer error=\"invalid_token\"",
                    None => "Bearer",
                };
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static(challenge),
                );
            }
            ProblemCode::Denied => {
                let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        response
    }
}

impl From<CallerError> for ApiError {
    fn from(error: CallerError) -> ApiError {
        match error {
            CallerError::Store(error) => error.into(),
            CallerError::TooMany => {
                ApiError::new(ProblemCode::TooMany, error.to_string()).with_retry_after(60)
            }
            CallerError::Assertion {
                error: AssertionError::Unreachable,
                ..
            } => ApiError::new(ProblemCode::Unavailable, error.to_string()),
            CallerError::Ambiguous => ApiError::new(
                ProblemCode::Unauthenticated,
                "the request carries credentials in more than one way, or in one that cannot be read; authenticate with HTTP Basic or with a `client_assertion`, and not with both",
            ),
            other => ApiError::new(ProblemCode::Unauthenticated, other.to_string()),
        }
    }
}

impl From<ProfileMintError> for ApiError {
    fn from(error: ProfileMintError) -> ApiError {
        match error {
            ProfileMintError::Refused(refusal) => {
                let reason = refusal.code().as_str();
                ApiError::new(ProblemCode::Denied, refusal.public()).with_reason(reason)
            }
            ProfileMintError::TooMany(wait) => {
                let seconds = wait.as_secs().saturating_add(1);
                let detail = format!("{}; wait {seconds} s", ProfileMintError::TOO_OFTEN);
                ApiError::new(ProblemCode::TooMany, detail).with_retry_after(seconds)
            }
            ProfileMintError::Mint(error) => error.into(),
        }
    }
}

impl From<TargetsError> for ApiError {
    fn from(error: TargetsError) -> ApiError {
        ApiError::bad_request(error)
    }
}

impl From<AuditEventError> for ApiError {
    fn from(error: AuditEventError) -> ApiError {
        ApiError::bad_request(error)
    }
}

impl From<TokenListError> for ApiError {
    fn from(error: TokenListError) -> ApiError {
        match error {
            TokenListError::Store(error) => error.into(),
            other => ApiError::bad_request(other),
        }
    }
}

impl From<CheckpointError> for ApiError {
    fn from(error: CheckpointError) -> ApiError {
        ApiError::bad_request(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match &error {
            // This is not logged, because the withdrawal is in the audit already.
            StoreError::Withdrawn(Withdrawn::Client) => ApiError::new(
                ProblemCode::Unauthenticated,
                CallerError::WrongSecret.to_string(),
            ),
            StoreError::Withdrawn(Withdrawn::Operator) => {
                ApiError::new(ProblemCode::Unauthenticated, error.to_string())
                    .with_reason(Reason::Revoked.code())
            }
            StoreError::Withdrawn(_) => ApiError::new(ProblemCode::Unavailable, error.to_string()),
            StoreError::Nul => ApiError::new(ProblemCode::BadRequest, error.to_string()),
            // This is not logged, because a flood of requests would fill the log.
            StoreError::Overloaded => ApiError::new(ProblemCode::Unavailable, error.to_string()),
            StoreError::Busy
            | StoreError::Conflict
            | StoreError::Full
            | StoreError::Slow
            | StoreError::Unreachable => {
                tracing::error!(%error, "cannot use the store");
                ApiError::new(ProblemCode::Unavailable, error.to_string())
            }
            // The caller must not learn how the store is reached.
            StoreError::Tls(_) | StoreError::File(_) => {
                tracing::error!(%error, "cannot use the store");
                ApiError::new(
                    ProblemCode::Unavailable,
                    "the issuer cannot use its store; see its log",
                )
            }
            _ => ApiError::internal(&error),
        }
    }
}

impl From<SignError> for ApiError {
    fn from(error: SignError) -> ApiError {
        match error {
            SignError::Store(error) => error.into(),
            other => ApiError::internal(&other),
        }
    }
}

impl From<RevocationUrlError> for ApiError {
    fn from(error: RevocationUrlError) -> ApiError {
        match error {
            RevocationUrlError::Sign(error) => error.into(),
            other => ApiError::bad_request(other),
        }
    }
}

impl From<SnapshotFailure> for ApiError {
    fn from(error: SnapshotFailure) -> ApiError {
        match error {
            SnapshotFailure::Sign(error) => error.into(),
            other => ApiError::internal(&other),
        }
    }
}

impl From<RootKeyError> for ApiError {
    fn from(error: RootKeyError) -> ApiError {
        let code = match &error {
            RootKeyError::Transition(TransitionError::NotFound(_)) => ProblemCode::NotFound,
            RootKeyError::Transition(_) => ProblemCode::Guarded,
            RootKeyError::Reason => ProblemCode::BadRequest,
            _ => {
                return match error {
                    RootKeyError::Sign(error) => error.into(),
                    other => ApiError::internal(&other),
                };
            }
        };
        let mut answer = ApiError::new(code, error.to_string());
        answer.problem.guard = error.guard().cloned().into_wire();
        answer
    }
}

impl From<RevokeError> for ApiError {
    fn from(error: RevokeError) -> ApiError {
        match error {
            RevokeError::Store(error) => error.into(),
            full @ RevokeError::Full => ApiError::new(ProblemCode::Guarded, full.to_string()),
            other => ApiError::bad_request(other),
        }
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> ApiError {
        let code = match &error {
            ClientError::NotFound(_) | ClientError::KeyNotFound(_) => ProblemCode::NotFound,
            ClientError::Exists(_)
            | ClientError::Disabled(_)
            | ClientError::TooManySecrets
            | ClientError::KeyExists(_)
            | ClientError::TooManyKeys => ProblemCode::Guarded,
            ClientError::Hash => ProblemCode::Unavailable,
            ClientError::Store(_) => {
                return match error {
                    ClientError::Store(error) => error.into(),
                    other => ApiError::internal(&other),
                };
            }
            _ => ProblemCode::BadRequest,
        };
        ApiError::new(code, error.to_string())
    }
}

impl From<ClientKeyError> for ApiError {
    fn from(error: ClientKeyError) -> ApiError {
        match error {
            ClientKeyError::Client(error) => error.into(),
            other => ApiError::bad_request(other),
        }
    }
}

impl From<MintError> for ApiError {
    fn from(error: MintError) -> ApiError {
        match error {
            MintError::Refused(refusal) => ApiError::new(ProblemCode::Denied, refusal.to_string()),
            MintError::Sign(error) => error.into(),
            other => ApiError::internal(&other),
        }
    }
}
