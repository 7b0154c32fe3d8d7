//! `/livez`, `/readyz`, `/metrics`: on a listener of their own, for whoever runs the machine.

use axum::{
    Router,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    routes::{Route, get},
    state::State,
};

pub(crate) fn table() -> Vec<Route> {
    vec![
        get("/livez", || async { "alive\n" }),
        get("/readyz", ready),
        get("/metrics", metrics),
    ]
}

pub(crate) fn router(state: State) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, route.handler)
        })
        .with_state(state)
}

/// Ready is who can mint: the store answers, the keyset is alive, and no end was announced.
async fn ready(Shared(state): Shared<State>) -> Response {
    let now = state.now();
    let reason = if state.is_draining() {
        Some("stopping".to_owned())
    } else if !state.issuer.is_unlocked() {
        Some("the private keys are locked".to_owned())
    } else {
        match state.issuer.published_keyset().await {
            Err(error) => Some(error.to_string()),
            Ok(keyset) if keyset.expires <= now => Some("the keyset has ended".to_owned()),
            Ok(_) => None,
        }
    };
    match reason {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(Shared(state): Shared<State>) -> Response {
    if let Err(error) = state.measure().await {
        tracing::warn!(%error, "some metrics are as they were");
    }
    let headers = [(
        "content-type",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    (headers, state.metrics.text()).into_response()
}
