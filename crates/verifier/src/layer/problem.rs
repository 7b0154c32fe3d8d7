//! Denials as HTTP responses, with the only table from reasons to status codes.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::settings::ProtectSettings;
use crate::{decision::Deny, explain::Values, reason::Reason};

/// The status code for a denial, by the table in the [module's documentation](super).
#[must_use]
pub fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::MissingToken
        | Reason::Malformed
        | Reason::TooLarge
        | Reason::Unsupported
        | Reason::NotProfile
        | Reason::ReservedName
        | Reason::UnknownKey
        | Reason::RevokedKey
        | Reason::BadSignature
        | Reason::NotYetValid
        | Reason::Expired
        | Reason::Revoked => StatusCode::UNAUTHORIZED,
        Reason::WrongService
        | Reason::NoGrant
        | Reason::Caveat
        | Reason::Policy
        | Reason::Depth
        | Reason::EvaluationError
        | Reason::OutOfFuel => StatusCode::FORBIDDEN,
        Reason::BadRequest => StatusCode::BAD_REQUEST,
        Reason::StaleKeyset => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A refusal as `application/problem+json` (RFC 9457).
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    reason: Option<Reason>,
    detail: String,
    explain: Option<Vec<String>>,
    challenge: Option<HeaderValue>,
    /// Value of `Retry-After`, in seconds.
    retry_after: Option<u64>,
}

impl Problem {
    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason for the denial; `None` if nothing was denied, but the service is misconfigured.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Builds the response for a denied call to a route with this action.
    pub(super) fn denied(deny: &Deny, settings: &ProtectSettings, action: &str) -> Problem {
        let mut problem = Problem::bare(deny);
        let values = match (problem.status, settings.explain) {
            (StatusCode::SERVICE_UNAVAILABLE, _) => None,
            (StatusCode::FORBIDDEN, None) => Some(Values::Hidden),
            (_, configured) => configured,
        };
        problem.explain = values.map(|values| deny.explain(values));
        let metadata = settings.resource_metadata.as_ref().map(ToString::to_string);
        problem.challenge = challenge(
            problem.status,
            deny.reason(),
            Some(action),
            metadata.as_deref(),
        );
        if problem.status == StatusCode::SERVICE_UNAVAILABLE {
            // The service itself refreshes its trust at this interval.
            let hint = settings.verifier.trust().keyset().refresh_hint;
            problem.retry_after = Some(hint.clamp(1, 300));
        }
        problem
    }

    /// Builds the response for a denial alone, without an explanation or the route's action.
    pub(super) fn bare(deny: &Deny) -> Problem {
        let status = status(deny.reason());
        let detail = match status {
            // The denial's own text is meant for the operator.
            StatusCode::SERVICE_UNAVAILABLE => {
                "the service cannot check tokens at the moment; try again later".to_owned()
            }
            _ => deny.detail(),
        };
        Problem {
            status,
            reason: Some(deny.reason()),
            detail,
            explain: None,
            challenge: challenge(status, deny.reason(), None, None),
            retry_after: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(30),
        }
    }

    /// Builds the response for a handler that needs authority on a route without the layer.
    pub(super) fn unprotected() -> Problem {
        tracing::error!("a handler extracts `Authorized` on a route without the layer");
        Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            reason: None,
            detail: "the route is not set up to check authority".to_owned(),
            explain: None,
            challenge: None,
            retry_after: None,
        }
    }

    fn title(&self) -> &'static str {
        match self.status {
            StatusCode::UNAUTHORIZED if self.reason == Some(Reason::MissingToken) => "Token needed",
            StatusCode::UNAUTHORIZED => "Token not accepted",
            StatusCode::FORBIDDEN => "Outside of the token's authority",
            StatusCode::BAD_REQUEST => "Call cannot be read",
            StatusCode::SERVICE_UNAVAILABLE => "Tokens cannot be checked now",
            _ => "Service misconfigured",
        }
    }
}

/// The challenge for `WWW-Authenticate` (RFC 6750, section 3).
fn challenge(
    status: StatusCode,
    reason: Reason,
    scope: Option<&str>,
    metadata: Option<&str>,
) -> Option<HeaderValue> {
    let mut parameters = Vec::new();
    match status {
        StatusCode::UNAUTHORIZED => {
            if reason != Reason::MissingToken {
                parameters.push(r#"error="invalid_token""#.to_owned());
            }
            parameters.extend(metadata.and_then(|url| quoted("resource_metadata", url)));
        }
        StatusCode::FORBIDDEN => {
            parameters.push(r#"error="insufficient_scope""#.to_owned());
            parameters.extend(scope.and_then(|scope| quoted("scope", scope)));
        }
        _ => return None,
    }
    let text = format!("Bearer {}", parameters.join(", "));
    HeaderValue::from_str(text.trim_end()).ok()
}

/// A parameter of a challenge; `None` if its value would need escaping (characters of RFC 6749, section 3.3).
fn quoted(name: &str, value: &str) -> Option<String> {
    let plain = value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    plain.then(|| format!(r#"{name}="{value}""#))
}

#[derive(Serialize)]
struct ProblemDocument<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a [String]>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemDocument {
            r#type: match self.reason {
                Some(reason) => format!("urn:bailiwick:reason:{reason}"),
                None => "about:blank".to_owned(),
            },
            title: self.title(),
            status: self.status.as_u16(),
            detail: &self.detail,
            reason: self.reason.map(Reason::code),
            explain: self.explain.as_deref(),
        };
        // Writing these types cannot fail. If it did, the status alone would still refuse the call.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
