//! The head of a request, with the address that the request came from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts, rejection::ExtensionRejection},
    http::{HeaderMap, request::Parts},
};

/// The headers of a request, and the address of its sender for the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    pub(crate) headers: HeaderMap,
    /// The address of the peer. If a proxy is in front, this is the address of the proxy.
    pub(crate) from: IpAddr,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestHead {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let from = ConnectInfo::<SocketAddr>::from_request_parts(parts, state).await?;
        Ok(RequestHead {
            headers: parts.headers.clone(),
            from: from.0.ip(),
        })
    }
}
