//! Errors as `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};

use crate::keys::KeyGuard;

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemDetails {
    /// The HTTP status, repeated in the body (RFC 9457, section 3.1.2).
    pub status: u16,
    /// The kind of error, for programs.
    pub code: ProblemCode,
    /// A description of the error and its remedy, for people.
    pub detail: String,
    /// The guard that refused, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<KeyGuard>,
    /// The reason code of the verifier or profile that refused, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kind of an error, for programs. Codes are never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The request cannot be parsed, or asks for something impossible.
    BadRequest,
    /// Credentials are missing or wrong.
    Unauthenticated,
    /// The credentials do not allow the request.
    Denied,
    /// The object does not exist.
    NotFound,
    /// The state of the object does not allow the request, or does not allow it yet: see `guard`.
    Guarded,
    /// The body is too large.
    TooLarge,
    /// The caller sends too many requests.
    TooMany,
    /// The issuer is overloaded, or a part of it does not answer. Try again.
    Unavailable,
    /// The issuer failed.
    Internal,
}

impl ProblemCode {
    /// Returns the usual HTTP status for the code. A few answers have a more precise one.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            ProblemCode::BadRequest => 400,
            ProblemCode::Unauthenticated => 401,
            ProblemCode::Denied => 403,
            ProblemCode::NotFound => 404,
            ProblemCode::Guarded => 409,
            ProblemCode::TooLarge => 413,
            ProblemCode::TooMany => 429,
            ProblemCode::Unavailable => 503,
            ProblemCode::Internal => 500,
        }
    }
}
