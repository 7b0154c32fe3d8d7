//! The token in the headers: finding it, and removing it.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, HeaderName},
};
use bailiwick_token::{text::credential, token::Token};

/// The header for tokens when `Authorization` is used for something else.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("bailiwick-token");

/// The headers to search for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Headers {
    /// Both `Authorization: Bearer` and `Bailiwick-Token`.
    Both,
    /// Only `Bailiwick-Token`.
    OwnOnly,
}

/// The error of headers that do not contain exactly one token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CredentialError {
    #[error("the header `{0}` is given more than once; send it once")]
    Repeated(HeaderName),
    #[error("the header `{0}` carries no token in ASCII text")]
    Text(HeaderName),
    #[error(
        "the headers `Authorization` and `Bailiwick-Token` carry different tokens; send one of them"
    )]
    Different,
}

/// Finds the only token in the headers. A scheme other than `Bearer` carries no token.
pub(super) fn find(
    headers: &HeaderMap,
    looked_at: Headers,
) -> Result<Option<String>, CredentialError> {
    let own = single(headers, TOKEN_HEADER)?;
    let bearer = match looked_at {
        Headers::Both => single(headers, AUTHORIZATION)?.and_then(bearer),
        Headers::OwnOnly => None,
    };
    let text = |name: HeaderName, token: &[u8]| match std::str::from_utf8(token).map(credential) {
        Ok(text) if text.is_ascii() && !text.is_empty() => Ok(text.to_owned()),
        _ => Err(CredentialError::Text(name)),
    };
    let own = own
        .map(|value| text(TOKEN_HEADER, value.as_bytes()))
        .transpose()?;
    let bearer = bearer.map(|token| text(AUTHORIZATION, token)).transpose()?;
    match (own, bearer) {
        (Some(own), Some(bearer)) if own != bearer => Err(CredentialError::Different),
        (own, bearer) => Ok(own.or(bearer)),
    }
}

/// Removes all tokens from the headers, so that they reach neither the handler, nor its log, nor the services
/// that it calls.
///
/// Shadow mode lets a call through even if its bearer token comes from elsewhere, for example from an OAuth
/// server that the service still uses. If `foreign_stays` is true, such a token stays in its header.
pub(super) fn remove(headers: &mut HeaderMap, looked_at: Headers, foreign_stays: bool) {
    headers.remove(TOKEN_HEADER);
    if looked_at == Headers::OwnOnly {
        return;
    }
    let stays = |value: &&HeaderValue| match bearer(value).map(std::str::from_utf8) {
        None => true,
        Some(Ok(token)) => foreign_stays && Token::parse(token).is_err(),
        Some(Err(_)) => foreign_stays,
    };
    let kept: Vec<HeaderValue> = headers
        .get_all(AUTHORIZATION)
        .iter()
        .filter(stays)
        .cloned()
        .collect();
    headers.remove(AUTHORIZATION);
    for mut value in kept {
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
}

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, CredentialError> {
    let mut values = headers.get_all(&name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(CredentialError::Repeated(name)),
        (value, None) => Ok(value),
    }
}

/// The text after `Bearer`, which is matched case-insensitively (RFC 9110 section 11.1).
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let bytes = value.as_bytes();
    let end = bytes
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(bytes.len());
    let (scheme, token) = bytes.split_at_checked(end)?;
    scheme.eq_ignore_ascii_case(b"bearer").then_some(token)
}
