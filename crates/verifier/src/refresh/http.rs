//! Fetching over HTTP.

use std::{error::Error, fmt::Write as _, time::Duration};

use bailiwick_token::report;
use reqwest::{
    Certificate, ClientBuilder, Method, Response, StatusCode,
    header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
};

use super::transport::{FetchError, Fetched, Get, Transport};
use crate::outbound::{Client, SafeUrl};

/// The default transport: HTTP/1.1 over TLS with rustls, or in plain text to this machine, by an [`outbound`] client.
/// It follows no redirects and keeps no cookies.
///
/// [`outbound`]: crate::outbound
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
}

/// Maximum length of an entity tag to keep, in bytes.
const MAX_ETAG: usize = 256;

/// Time-out of connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// Maximum silence within an answer.
const SILENCE: Duration = Duration::from_secs(10);

impl Http {
    /// Makes a transport that trusts the system's certificates.
    ///
    /// # Errors
    /// [`HttpError`] if the system has no readable certificates.
    pub fn new() -> Result<Http, HttpError> {
        Http::built(|builder| builder)
    }

    /// Makes a transport that trusts only these CA certificates, in PEM.
    ///
    /// # Errors
    /// [`HttpError`] if the certificates cannot be read, or there are none.
    pub fn trusting(pem: &[u8]) -> Result<Http, HttpError> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|error| HttpError(said(&error)))?;
        if roots.is_empty() {
            return Err(HttpError(
                "there are no certificates in the file".to_owned(),
            ));
        }
        Http::built(|builder| builder.tls_certs_only(roots.clone()))
    }

    fn built(trusting: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Http, HttpError> {
        let client = Client::new(|builder| {
            trusting(builder)
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .user_agent(concat!("bailiwick-verifier/", env!("CARGO_PKG_VERSION")))
        });
        let client = client.map_err(|error| HttpError(said(&error)))?;
        Ok(Http { client })
    }
}

impl Transport for Http {
    const PINS_LOCALHOST: bool = true;

    async fn get(&self, get: Get<'_>) -> Result<Fetched, FetchError> {
        let url = SafeUrl::parse(get.url)
            .map_err(|error| FetchError::Unreachable(format!("its address {error}")))?;
        let request = self.client.request(Method::GET, &url);
        let mut request = request.timeout(get.timeout);
        if let Some(etag) = get.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if get.revalidate {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(report) = get.report {
            request = request.header(report::HEADER, report);
        }
        let failed = |error: reqwest::Error| match error.is_timeout() {
            true => FetchError::TimedOut(get.timeout.as_secs()),
            false => FetchError::Unreachable(said(&error.without_url())),
        };
        let response = request.send().await.map_err(failed)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if get.etag.is_some() => return Ok(Fetched::NotModified),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Fetched::Gone),
            other => return Err(FetchError::Status(other.as_u16())),
        }
        let etag = etag(&response);
        let body = bounded(response, get.limit)
            .await
            .map_err(|error| match error {
                Some(error) => failed(error),
                None => FetchError::TooLarge(get.limit),
            })?;
        Ok(Fetched::Found { body, etag })
    }
}

fn etag(response: &Response) -> Option<String> {
    let etag = response.headers().get(ETAG)?.to_str().ok()?;
    (etag.len() <= MAX_ETAG).then(|| etag.to_owned())
}

/// Reads a body. The error is `None` if the body is larger than `limit`.
async fn bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, Option<reqwest::Error>> {
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(None);
    }
    let mut body = Vec::new();
    // Growing step by step could take three times the size of a large body.
    body.try_reserve_exact(announced).map_err(|_| None)?;
    while let Some(chunk) = response.chunk().await.map_err(Some)? {
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Err(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The text of an error with its chain of causes.
fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// The error of an HTTP client that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no HTTPS client can be made ({0}); check which certificates this system trusts")]
pub struct HttpError(String);
