//! Routes: methods and paths, with the types of requests and answers.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Reads. The members of the request become the query.
    Get,
    /// Changes something, or takes a request that does not fit a query. The request is JSON in the body.
    Post,
    /// Deletes. The path is the whole request.
    Delete,
}

impl Method {
    /// Returns the name of the method in HTTP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request or an answer without members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// An answer whose exact bytes matter and that is not JSON of a type in this crate: a signed file, lines or
/// plain text.
#[derive(Debug, Clone, Copy)]
pub enum Verbatim {}

/// A method and a path of the issuer's service, with the types of request and answer.
pub struct Route<Request, Answer> {
    method: Method,
    path: &'static str,
    types: PhantomData<fn(Request) -> Answer>,
}

impl<Request, Answer> Route<Request, Answer> {
    pub(crate) const fn new(method: Method, path: &'static str) -> Route<Request, Answer> {
        Route {
            method,
            path,
            types: PhantomData,
        }
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Returns the path, with a name in braces for each segment that a request fills in.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Returns the path with its names replaced by the given values, in order.
    ///
    /// ```
    /// use bailiwick_api::routes;
    ///
    /// let path = routes::FORGET_VERIFIER.filled(&["erp 1"]);
    /// assert_eq!(path.unwrap(), "/v1/verifiers/erp%201");
    /// ```
    ///
    /// # Errors
    /// [`OutgoingError::Segment`] for a value that no URL can hold, [`OutgoingError::Places`] if there are
    /// more or fewer values than names.
    pub fn filled(&self, values: &[&str]) -> Result<String, OutgoingError> {
        let mut values = values.iter();
        let mut path = String::new();
        for segment in self.path.split('/').skip(1) {
            path.push('/');
            match segment.starts_with('{') {
                true => {
                    let value = values.next().ok_or(OutgoingError::Places(self.path))?;
                    path.push_str(&encoded(value)?);
                }
                false => path.push_str(segment),
            }
        }
        match values.next() {
            None => Ok(path),
            Some(_) => Err(OutgoingError::Places(self.path)),
        }
    }
}

impl<Request: Serialize, Answer> Route<Request, Answer> {
    /// Builds the HTTP request that a client sends.
    ///
    /// # Errors
    /// [`OutgoingError`] if the path or the request cannot be written.
    pub fn outgoing(&self, values: &[&str], request: &Request) -> Result<Outgoing, OutgoingError> {
        let mut target = self.filled(values)?;
        let mut body = None;
        match self.method {
            Method::Get => {
                let query = serde_urlencoded::to_string(request)
                    .map_err(|error| OutgoingError::Request(error.to_string()))?;
                if !query.is_empty() {
                    target = format!("{target}?{query}");
                }
            }
            Method::Post => {
                let text = serde_json::to_vec(request)
                    .map_err(|error| OutgoingError::Request(error.to_string()))?;
                body = Some(Zeroizing::new(text));
            }
            Method::Delete => {}
        }
        Ok(Outgoing {
            method: self.method,
            target,
            body,
        })
    }
}

/// An HTTP request for a client to send.
pub struct Outgoing {
    /// The HTTP method.
    pub method: Method,
    /// Path and query of the URL.
    pub target: String,
    /// The body as JSON, if there is one. It may hold a secret.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// The error of a request that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// A name is empty or consists of dots. Clients and proxies resolve such segments even if they are encoded.
    #[error("the name `{0}` cannot be used in a URL; write the name exactly as it is listed")]
    Segment(String),
    /// The number of values differs from the number of names in the path.
    #[error("`{0}` needs exactly one value for each name in braces")]
    Places(&'static str),
    /// The request cannot be written.
    #[error("the request cannot be written ({0})")]
    Request(String),
}

/// Percent-encodes a value as one segment of a path.
fn encoded(value: &str) -> Result<String, OutgoingError> {
    if value.bytes().all(|byte| byte == b'.') {
        return Err(OutgoingError::Segment(value.to_owned()));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    let bytes = value.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        // Dots are encoded, too, since `..` in a URL is the folder above.
        false => format!("%{byte:02X}"),
    });
    Ok(bytes.collect())
}
