//! Bodies: read within a bound, and refused in words.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
};
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The most bytes of a body.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// JSON whose members are all known. An empty body is an empty object.
pub(crate) struct Strict<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Strict<T>, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(refused)?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let Json(value) = Json::from_bytes(text)
            .map_err(|rejection| Problem::new(Code::BadRequest, rejection.body_text()))?;
        Ok(Strict(value))
    }
}

pub(crate) fn refused(rejection: BytesRejection) -> Problem {
    match rejection.status().as_u16() {
        413 => Problem::new(
            Code::TooLarge,
            format!("a body has at most {MAX_BODY} bytes"),
        ),
        _ => Problem::new(Code::BadRequest, rejection.body_text()),
    }
}
