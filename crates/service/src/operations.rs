//! `/livez`, `/readyz`, `/metrics`: on a listener of their own, for whoever runs the machine.

use std::time::Duration;

use axum::{
    Router,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{
    routes::{Route, get},
    state::State,
};

/// How long the store has: whoever asks here waits for little longer.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// Ready is who can mint: the store answers and takes what is written, the keyset is alive, and no end
/// was announced.
async fn ready(Shared(state): Shared<State>) -> Response {
    let now = state.now();
    let reason = if state.is_draining() {
        Some("stopping".to_owned())
    } else if !state.issuer.is_unlocked() {
        Some("the private keys are locked".to_owned())
    } else {
        match timeout(PATIENCE, state.issuer.published_keyset()).await {
            Err(_) => Some("the store does not answer in time".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Ok(Ok(keyset)) if keyset.expires <= now => Some("the keyset has ended".to_owned()),
            Ok(Ok(_)) => state.unwritten.load().as_deref().cloned(),
        }
    };
    match reason {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(Shared(state): Shared<State>) -> Response {
    let measured = timeout(PATIENCE, state.measure()).await;
    let up = matches!(measured, Ok(Ok(())));
    state.metrics.store_up.set(i64::from(up));
    if let Ok(Err(error)) = measured {
        tracing::warn!(%error, "some metrics are as they were");
    }
    let headers = [(
        "content-type",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    (headers, state.metrics.text()).into_response()
}
