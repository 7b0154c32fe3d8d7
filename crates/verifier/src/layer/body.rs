//! Reading of a JSON body, which is then restored for the handler.

use std::{
    any::Any,
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderMap,
        header::{CONTENT_ENCODING, EXPECT},
    },
};
use bytes::Buf;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use mime::Mime;

use super::media;

/// Maximum number of bytes that [`discard`] reads. Go's `net/http` has the same limit.
const MAX_DISCARDED: u64 = 256 * 1024;

/// The reason why a body cannot be read as JSON arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {0} bytes; send a shorter one")]
    TooLong(usize),
    #[error("the body ended before it was complete; send the request again")]
    Broken,
    #[error("the `Content-Type` of the body is not JSON in UTF-8; send `application/json`")]
    ContentType,
    #[error("the body has a `Content-Encoding`, which is not supported; send it without one")]
    Encoded,
    #[error("the body is not UTF-8 text")]
    Text,
}

/// Converts any body into axum's type, without reading it. A body that has this type already stays as it is.
pub(super) fn boxed<B>(body: B) -> Body
where
    B: HttpBody + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut body = Some(body);
    let own = (&mut body as &mut dyn Any).downcast_mut::<Option<Body>>();
    if let Some(own) = own.and_then(Option::take) {
        return own;
    }
    let Some(body) = body else {
        return Body::empty();
    };
    Body::new(
        body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
    )
}

/// Reads the bytes of a JSON body, at most `limit`; `None` if it is empty. Afterwards, `body` yields the same bytes again.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: &mut Body,
    limit: usize,
) -> Result<Option<Bytes>, BodyError> {
    let bytes = read(body, limit).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    // The handler may decode the body while the layer reads it undecoded: the two could then differ.
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(BodyError::Encoded);
    }
    match media::utf8(headers) {
        Some(media) if is_json(&media) => Ok(Some(bytes)),
        _ => Err(BodyError::ContentType),
    }
}

/// Returns true for `application/json`, and for types with the suffix `+json` (RFC 6839).
fn is_json(media: &Mime) -> bool {
    let json = media.subtype() == mime::JSON || media.suffix() == Some(mime::JSON);
    media.type_() == mime::APPLICATION && json
}

/// Reads and drops up to [`MAX_DISCARDED`] bytes of a body that is not needed. Closing a connection with unread
/// bytes resets it, so the sender might never see the answer.
pub(super) async fn discard(headers: &HeaderMap, mut body: Body) {
    // A sender that expects `100 Continue` has sent nothing yet, and reading would make it send.
    if headers.contains_key(EXPECT) {
        return;
    }
    let mut left = MAX_DISCARDED;
    while body.size_hint().lower() <= left
        && let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
    {
        let read = frame.data_ref().map_or(0, Bytes::len) as u64;
        match left.checked_sub(read) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn read(body: &mut Body, limit: usize) -> Result<Bytes, BodyError> {
    // The announced length exceeds the limit, so none of the body needs to be read.
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLong(limit));
    }
    let mut source = mem::take(body);
    let mut bytes = Vec::new();
    let mut trailers = None;
    let (outcome, rest) = loop {
        match poll_fn(|cx| Pin::new(&mut source).poll_frame(cx)).await {
            None => break (Ok(()), Rest::Nothing),
            Some(Err(error)) => break (Err(BodyError::Broken), Rest::Failure(Some(error))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    bytes.extend_from_slice(&data);
                    if bytes.len() > limit {
                        break (Err(BodyError::TooLong(limit)), Rest::Body(source));
                    }
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
        }
    };
    let bytes = Bytes::from(bytes);
    *body = Body::new(Replay {
        bytes: bytes.clone(),
        trailers,
        rest,
    });
    outcome.map(|()| bytes)
}

/// A body that starts again from its first byte: the bytes that were read, then the rest. In shadow mode, part of a
/// body may still be unread, and reading that part can fail.
struct Replay {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
    rest: Rest,
}

enum Rest {
    Nothing,
    Body(Body),
    Failure(Option<axum::Error>),
}

impl HttpBody for Replay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(mem::take(&mut self.bytes)))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match &mut self.rest {
            Rest::Nothing => Poll::Ready(None),
            Rest::Body(body) => Pin::new(body).poll_frame(cx),
            Rest::Failure(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        let read = self.bytes.is_empty() && self.trailers.is_none();
        read && match &self.rest {
            Rest::Nothing => true,
            Rest::Body(body) => body.is_end_stream(),
            Rest::Failure(error) => error.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.bytes.len() as u64;
        let rest = match &self.rest {
            Rest::Nothing => SizeHint::with_exact(0),
            Rest::Body(body) => body.size_hint(),
            Rest::Failure(_) => SizeHint::new(),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}
