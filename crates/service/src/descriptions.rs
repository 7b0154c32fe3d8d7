//! Descriptions of the service: metadata for OAuth clients (RFC 8414), and all routes (OpenAPI).

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use bailiwick_api::{CLIENT_CREDENTIALS, OPENAPI, ServerMetadata, TOKEN_EXCHANGE, routes};

use crate::{
    algorithm::{OF_CLIENTS, names},
    state::ServiceState,
};

/// `Cache-Control` of both descriptions.
const KEPT: (&str, &str) = ("cache-control", "public, max-age=300");

/// Handles `GET /.well-known/oauth-authorization-server`.
pub(crate) async fn metadata(Shared(state): Shared<ServiceState>) -> Response {
    let issuer = &state.issuer.settings().issuer;
    let base = issuer.trim_end_matches('/');
    let mut grants = vec![CLIENT_CREDENTIALS];
    let methods = vec![
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ];
    let configured = state.config.providers.iter().flat_map(|it| &it.algorithms);
    let mut seen = BTreeSet::new();
    // Providers' assertions use the algorithms configured for the provider. Clients' own assertions may use any of
    // `OF_CLIENTS`.
    let algorithms: Vec<String> = OF_CLIENTS
        .iter()
        .chain(configured)
        .flat_map(|algorithm| names(*algorithm))
        .filter(|name| seen.insert(name.clone()))
        .collect();
    // Without a provider, no subject token is accepted.
    if !state.config.providers.is_empty() {
        grants.push(TOKEN_EXCHANGE);
    }
    let texts = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let body = ServerMetadata {
        issuer: issuer.clone(),
        token_endpoint: state.token_endpoint(),
        response_types_supported: Vec::new(),
        grant_types_supported: texts(grants),
        token_endpoint_auth_methods_supported: texts(methods),
        token_endpoint_auth_signing_alg_values_supported: Some(algorithms),
        service_documentation: Some(format!("{base}{}", routes::DESCRIPTION.path())),
    };
    ([KEPT], Json(body)).into_response()
}

/// Handles `GET /v1/openapi.json`.
pub(crate) async fn openapi() -> Response {
    let json = ("content-type", "application/json");
    ([json, KEPT], OPENAPI).into_response()
}
