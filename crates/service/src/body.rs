//! Request bodies, limited in size while they arrive. Before a caller is authenticated, only the credential is read.

use std::time::Duration;

use axum::{
    Json,
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use bailiwick_api::{MAX_BODY, ProblemCode};
use bailiwick_token::json::Strict;
use bailiwick_verifier::layer::media;
use http_body_util::BodyExt;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use zeroize::Zeroizing;

use crate::problem::ApiError;

/// Maximum number of bytes of a body to read and drop while its answer is sent.
const MAX_DISCARDED: usize = 16 << 20;

/// Maximum time to wait for bytes of a body that are read only to be dropped.
const LINGER: Duration = Duration::from_secs(5);

/// An authenticated caller. Only the check of a credential creates a value of such a type, and [`Unread::json`]
/// requires one. Before that check, only the credential is read from a JSON body. The form of a token request is read
/// as a whole, because the credential is one of its parameters.
pub(crate) trait Identified {}

/// A body that has arrived but has not been parsed.
pub(crate) struct Unread {
    headers: HeaderMap,
    bytes: Bytes,
}

/// Marks a request whose body was longer than [`MAX_BODY`] and was dropped.
#[derive(Clone, Copy)]
struct TooLong;

impl<S: Send + Sync> FromRequest<S> for Unread {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Unread, ApiError> {
        let too_long = || {
            ApiError::new(
                ProblemCode::TooLarge,
                format!("the body is longer than {MAX_BODY} bytes; send a shorter one"),
            )
        };
        if request.extensions().get::<TooLong>().is_some() {
            return Err(too_long());
        }
        let headers = request.headers().clone();
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_long(),
            _ => ApiError::bad_request(rejection.body_text()),
        })?;
        Ok(Unread { headers, bytes })
    }
}

impl Unread {
    /// Parses JSON, and refuses unknown members. An empty body counts as an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self, _: &impl Identified) -> Result<T, ApiError> {
        self.parsed()
    }

    /// Reads the only member that can authenticate a caller, ignoring all others.
    pub(crate) fn client_assertion(&self) -> Result<Option<Zeroizing<String>>, ApiError> {
        #[derive(Deserialize)]
        struct Asserted {
            client_assertion: Option<Zeroizing<String>>,
        }
        self.parsed()
            .map(|Asserted { client_assertion }| client_assertion)
    }

    /// Returns the text of the body if the `Content-Type` says that it is a form.
    pub(crate) fn form(&self) -> Option<&[u8]> {
        let media = media::utf8(&self.headers)?;
        (media.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED).then_some(&self.bytes)
    }

    fn parsed<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let text: &[u8] = match self.bytes.is_empty() {
            true => b"{}",
            false if self.is_json() => &self.bytes,
            false => {
                let text =
                    "the `Content-Type` of the body is not JSON in UTF-8; send `application/json`";
                let error = ApiError::bad_request(text);
                return Err(error.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
        };
        let Json(Strict(value)) = Json::from_bytes(text)
            .map_err(|rejection| ApiError::bad_request(without_text(&rejection.body_text())))?;
        Ok(value)
    }

    fn is_json(&self) -> bool {
        media::utf8(&self.headers)
            .is_some_and(|media| media.essence_str() == mime::APPLICATION_JSON)
    }
}

/// Reads a body. If the body is longer than [`MAX_BODY`], the request is marked with [`TooLong`] instead. While a
/// body arrives, each of its bytes takes one of the places in `arriving`.
pub(crate) async fn arrived(request: Request, arriving: &Semaphore) -> Result<Request, Lost> {
    let (mut parts, body) = request.into_parts();
    let mut body = Arriving {
        // A sender that expects `100 Continue` has not sent the body yet, and reading would make it do so.
        drop_rest: !parts.headers.contains_key(header::EXPECT),
        body,
    };
    let bytes = body.read(arriving).await?;
    match bytes {
        Some(bytes) => Ok(Request::from_parts(parts, Body::from(bytes))),
        None => {
            parts.extensions.insert(TooLong);
            Ok(Request::from_parts(parts, Body::empty()))
        }
    }
}

/// The reason why a body did not arrive.
pub(crate) enum Lost {
    /// Too many bytes are arriving at the same time.
    NoRoom,
    /// The connection broke, or its framing was invalid.
    Broken,
}

/// A body that is arriving. Bytes that are not read are dropped while the answer is sent: closing a connection
/// with unread bytes resets it, so the sender might never see the answer.
struct Arriving {
    body: Body,
    drop_rest: bool,
}

impl Arriving {
    /// Reads the whole body; `None` if it is longer than [`MAX_BODY`].
    async fn read(&mut self, arriving: &Semaphore) -> Result<Option<Bytes>, Lost> {
        // The body is too long by its `Content-Length`, so none of it needs to be kept.
        if self.body.size_hint().lower() > MAX_BODY as u64 {
            return Ok(None);
        }
        self.drop_rest = true;
        let mut bytes = Vec::new();
        let mut held = room(arriving, 0)?;
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(|_| Lost::Broken)?.into_data() else {
                continue;
            };
            if bytes.len().saturating_add(data.len()) > MAX_BODY {
                return Ok(None);
            }
            held.merge(room(arriving, data.len())?);
            bytes.extend_from_slice(&data);
        }
        self.drop_rest = false;
        Ok(Some(Bytes::from(bytes)))
    }
}

fn room(arriving: &Semaphore, bytes: usize) -> Result<SemaphorePermit<'_>, Lost> {
    let places = u32::try_from(bytes).unwrap_or(u32::MAX);
    arriving.try_acquire_many(places).map_err(|_| Lost::NoRoom)
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.drop_rest {
            return;
        }
        let mut body = std::mem::take(&mut self.body);
        let rest = async move {
            let mut left = MAX_DISCARDED;
            while left > 0
                && let Some(Ok(frame)) = body.frame().await
            {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            }
        };
        // Outside of a runtime, there is no connection that dropping the body could reset.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(LINGER, rest));
        }
    }
}

/// Removes a quoted string from an error about a body, because the string may be a token sent in the wrong
/// place.
fn without_text(message: &str) -> String {
    const BEFORE: &str = "string \"";
    match (message.find(BEFORE), message.rfind("\", expected ")) {
        (Some(begin), Some(end)) if begin < end => {
            let (before, after) = (message.get(..begin), message.get(end.saturating_add(1)..));
            format!(
                "{}a string{}",
                before.unwrap_or_default(),
                after.unwrap_or_default()
            )
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_repeat_the_text_found() {
        for (message, says) in [
            (
                "ttl: invalid type: string \"a\\\", expected b\", expected u64 at line 1",
                "ttl: invalid type: a string, expected u64 at line 1",
            ),
            ("missing field `reason`", "missing field `reason`"),
            ("a string \"", "a string \""),
        ] {
            assert_eq!(without_text(message), says);
        }
    }
}
