//! Routes of verifiers: the keyset, and the head, changes and snapshot of the revocation feed. All of these are
//! signed, or chained to something signed, so anyone may relay and cache them.

use axum::{
    extract::{Path, State as Shared, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use bailiwick_api::ProblemCode;

use crate::{problem::ApiError, snapshots, state::ServiceState};

/// Handles `GET /.well-known/bailiwick/keyset`.
pub(crate) async fn keyset(
    Shared(state): Shared<ServiceState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = state.now();
    state.reports.note(&headers, now);
    let keyset = state.issuer.keyset(now).await?;
    let tag = format!("\"k{}\"", keyset.version);
    let hint = state.issuer.settings().refresh_hint;
    Ok(tagged(&headers, &tag, hint, keyset.envelope))
}

/// Handles `GET /.well-known/bailiwick/revocations`.
pub(crate) async fn head(
    Shared(state): Shared<ServiceState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = state.now();
    state.reports.note(&headers, now);
    let head = state.issuer.head(now).await?;
    let tag = format!(
        "\"h{}.{}.{}\"",
        head.seq,
        head.keyset_version,
        head.issued_at.unix()
    );
    // The head proves that revocations are fresh, so caches may keep it for a second only.
    Ok(tagged(&headers, &tag, 1, head.envelope))
}

/// Handles `GET /.well-known/bailiwick/revocations/snapshot`.
pub(crate) async fn snapshot(Shared(state): Shared<ServiceState>) -> Result<Response, ApiError> {
    let head = state.issuer.head(state.now()).await?;
    let snapshot = state.snapshots.of(head, true).await?;
    let mut response = (StatusCode::OK, snapshot).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    if let Ok(value) = format!("public, max-age={}", snapshots::SPARED).parse() {
        headers.insert(header::CACHE_CONTROL, value);
    }
    Ok(response)
}

/// Handles `GET /.well-known/bailiwick/revocations/{epoch}/{after}-{to}`.
pub(crate) async fn delta(
    Shared(state): Shared<ServiceState>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let gone = || {
        ApiError::new(
            ProblemCode::NotFound,
            "the issuer has no such changes; fetch the snapshot",
        )
    };
    let Path((epoch, range)) = path.map_err(|_| gone())?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (after, to) = range.split_once('-').ok_or_else(gone)?;
    let (after, to) = (
        number(after).ok_or_else(gone)?,
        number(to).ok_or_else(gone)?,
    );
    let lines = {
        // The semaphore is never closed, so this does not fail.
        let _place = state.changes.acquire().await.map_err(|_| gone())?;
        state.issuer.delta(&epoch, after, to).await?
    };
    let lines = lines.ok_or_else(gone)?;
    let mut response = (StatusCode::OK, lines).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    // The changes between two places of one history never change.
    let immutable = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, immutable);
    Ok(response)
}

/// Answers with a signed file, or with 304 if the caller already has it (RFC 9110, section 13.1.2).
fn tagged(asked: &HeaderMap, tag: &str, seconds: u64, content: String) -> Response {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',').any(|one| {
                let one = one.trim();
                one == "*" || one.trim_start_matches("W/") == tag
            })
        })
    });
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => (StatusCode::OK, content).into_response(),
    };
    let headers = response.headers_mut();
    let texts = [
        (header::ETAG, tag.to_owned()),
        (header::CACHE_CONTROL, format!("public, max-age={seconds}")),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    response
}
