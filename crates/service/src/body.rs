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
        let Json(value) = Json::from_bytes(text).map_err(|rejection| {
            Problem::new(Code::BadRequest, without_text(&rejection.body_text()))
        })?;
        Ok(Strict(value))
    }
}

/// What is wrong with a body, and not what stood there: it may be a token in the wrong place.
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

pub(crate) fn refused(rejection: BytesRejection) -> Problem {
    match rejection.status().as_u16() {
        413 => Problem::new(
            Code::TooLarge,
            format!("a body has at most {MAX_BODY} bytes"),
        ),
        _ => Problem::new(Code::BadRequest, rejection.body_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_there_is_not_repeated() {
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
