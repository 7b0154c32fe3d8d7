//! What is at which path, and what every request passes on its way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State as Shared},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use tokio::sync::Semaphore;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use crate::{
    body::MAX_BODY,
    metrics::RequestLabels,
    oauth, operators,
    problem::{Code, Problem},
    published,
    state::State,
    tokens,
};

/// The description of all of it.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

/// Everything but operations.
pub(crate) fn router(state: State) -> Router {
    let limits = &state.config.limits;
    let places = Arc::new(Semaphore::new(limits.requests));
    let timeout = TimeoutLayer::with_status_code(
        StatusCode::REQUEST_TIMEOUT,
        Duration::from_secs(limits.request_seconds),
    );
    let admission = (state.clone(), places);
    Router::new()
        .route("/v1/token", post(oauth::token))
        .route("/v1/tokens", post(tokens::create))
        .route("/.well-known/bailiwick/keyset", get(published::keyset))
        .route("/.well-known/bailiwick/revocations", get(published::head))
        .route(
            "/.well-known/bailiwick/revocations/snapshot",
            get(published::snapshot),
        )
        .route(
            "/.well-known/bailiwick/revocations/{epoch}/{range}",
            get(published::delta),
        )
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/keys", get(operators::keys).post(operators::stage))
        .route("/v1/keys/rotate", post(operators::rotate))
        .route("/v1/keys/{id}/activate", post(operators::activate))
        .route("/v1/keys/{id}/retire", post(operators::retire))
        .route("/v1/keys/{id}/revoke", post(operators::revoke_key))
        .route(
            "/v1/revocations",
            get(operators::revocations).post(operators::revoke),
        )
        .route(
            "/v1/clients",
            get(operators::clients).post(operators::client_add),
        )
        .route("/v1/clients/{name}/rotate", post(operators::client_rotate))
        .route(
            "/v1/clients/{name}/disable",
            post(operators::client_disable),
        )
        .route("/v1/audit", get(operators::audit))
        .route("/v1/audit/verify", post(operators::audit_verify))
        .route("/v1/audit/checkpoints", post(operators::checkpoint))
        .route("/v1/verifiers", get(operators::verifiers))
        .route("/v1/verifiers/{name}", delete(operators::forget_verifier))
        .route("/v1/profiles", get(operators::profiles))
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(timeout)
        .layer(from_fn_with_state(admission, admit))
        .with_state(state)
}

/// Lets a request in where there is a place for it, and counts it.
async fn admit(
    Shared((state, places)): Shared<(State, Arc<Semaphore>)>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    // What matched, and never what was sent: its values would be without bound.
    let path = request.extensions().get::<MatchedPath>();
    let mut labels = RequestLabels {
        method: method(request.method()),
        path: path.map_or("none", MatchedPath::as_str).to_owned(),
        status: 0,
    };
    let Ok(_place) = places.try_acquire() else {
        state.metrics.shed.inc();
        let busy = Problem::new(
            Code::Unavailable,
            "the issuer has more to do than it can: try again in a moment",
        );
        return busy.into_response();
    };
    state.metrics.in_flight.inc();
    let mut response = next.run(request).await;
    state.metrics.in_flight.dec();
    labels.status = response.status().as_u16();
    state.metrics.requests.get_or_create(&labels).inc();
    state.metrics.seconds.observe(begun.elapsed().as_secs_f64());
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// RFC 8414: what an OAuth client library looks for.
async fn metadata(Shared(state): Shared<State>) -> Response {
    let issuer = &state.issuer.settings().issuer;
    let base = issuer.trim_end_matches('/');
    let body = serde_json::json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}/v1/token"),
        "response_types_supported": [],
        "grant_types_supported": [
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "service_documentation": format!("{base}/v1/openapi.json"),
    });
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
    ];
    (headers, body.to_string()).into_response()
}

async fn openapi() -> Response {
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
    ];
    (headers, OPENAPI).into_response()
}

async fn nothing() -> Problem {
    Problem::new(
        Code::NotFound,
        "there is nothing at this path: see /v1/openapi.json",
    )
}

async fn wrong_method() -> Response {
    let problem = Problem::new(
        Code::BadRequest,
        "this path has other methods: see /v1/openapi.json",
    );
    let mut response = problem.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!("a request panicked");
    Problem::new(
        Code::Internal,
        "the issuer has a fault of its own, which is in its log",
    )
    .into_response()
}
