//! The routes of the service, and the middleware for all requests.

use std::{
    collections::BTreeMap,
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
};
use bailiwick_api::{AUDIT_VERIFY_SECONDS, MAX_BODY, ProblemCode, routes};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{sync::Semaphore, time::timeout_at};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    body::{Lost, arrived},
    descriptions,
    metrics::RequestLabels,
    oauth, operator_routes,
    problem::ApiError,
    published,
    state::ServiceState,
    table::{Served, serve},
    tokens,
};

/// Maximum total size of bodies that are arriving, in bytes.
const MAX_ARRIVING: usize = 64 << 20;

/// Maximum time for verifying the audit log. Other requests have far less, but the audit log only grows. Only
/// one verification runs at a time.
const AUDIT_VERIFY_TIME: Duration = Duration::from_secs(AUDIT_VERIFY_SECONDS);

const KEYSET: &str = routes::KEYSET.path();
const FEED: &str = routes::FEED_HEAD.path();
const METADATA: &str = routes::METADATA.path();
const VERIFY_AUDIT: &str = routes::VERIFY_AUDIT.path();

/// All routes with their handlers.
fn table() -> Vec<Served> {
    vec![
        serve(routes::OAUTH_TOKEN, oauth::token),
        serve(routes::MINT_TOKEN, tokens::mint),
        serve(routes::LIST_TOKENS, operator_routes::tokens),
        serve(routes::KEYSET, published::keyset),
        serve(routes::FEED_HEAD, published::head),
        serve(routes::FEED_SNAPSHOT, published::snapshot),
        serve(routes::FEED_DELTA, published::delta),
        serve(routes::METADATA, descriptions::metadata),
        serve(routes::DESCRIPTION, descriptions::openapi),
        serve(routes::LIST_KEYS, operator_routes::keys),
        serve(routes::STAGE_KEY, operator_routes::stage),
        serve(routes::ROTATE_KEYS, operator_routes::rotate),
        serve(routes::ACTIVATE_KEY, operator_routes::activate),
        serve(routes::RETIRE_KEY, operator_routes::retire),
        serve(routes::REVOKE_KEY, operator_routes::revoke_key),
        serve(routes::LIST_REVOCATIONS, operator_routes::revocations),
        serve(routes::REVOKE, operator_routes::revoke),
        serve(routes::LIST_CLIENTS, operator_routes::clients),
        serve(routes::REGISTER_CLIENT, operator_routes::client_add),
        serve(routes::ROTATE_CLIENT, operator_routes::client_rotate),
        serve(routes::ADD_CLIENT_KEYS, operator_routes::client_key_add),
        serve(
            routes::REMOVE_CLIENT_KEY,
            operator_routes::client_key_remove,
        ),
        serve(routes::DISABLE_CLIENT, operator_routes::client_disable),
        serve(routes::LIST_AUDIT, operator_routes::audit),
        serve(routes::VERIFY_AUDIT, operator_routes::audit_verify),
        serve(routes::SIGN_CHECKPOINT, operator_routes::checkpoint),
        serve(routes::LIST_VERIFIERS, operator_routes::verifiers),
        serve(routes::FORGET_VERIFIER, operator_routes::forget_verifier),
        serve(routes::LIST_PROFILES, operator_routes::profiles),
        serve(routes::SET_KEYSET, operator_routes::set_keyset),
        serve(routes::STATUS, operator_routes::status),
    ]
}

/// The router for everything but operations. Each route exists at the root, for proxies that strip the path of
/// the issuer's URL, and below that path, for proxies that do not.
pub(crate) fn router(state: ServiceState) -> Router {
    let limits = &state.config.limits;
    let below = issuer_path(&state.issuer.settings().issuer);
    let (router, paths) = placed(table(), &below);
    let room = Room {
        places: Semaphore::new(limits.requests),
        fresh: Semaphore::new(limits.requests),
        large: Semaphore::new(limits.requests),
        arriving: Semaphore::new(MAX_ARRIVING),
        time: Duration::from_secs(limits.request_seconds),
        paths,
    };
    let admission = (state.clone(), Arc::new(room));
    router
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(admission, admit))
        .with_state(state)
}

/// The path of an issuer's URL, without a trailing slash (RFC 8414, section 3.1).
fn issuer_path(issuer: &str) -> String {
    let url = reqwest::Url::parse(issuer).ok();
    let path = url.as_ref().map_or("", reqwest::Url::path);
    path.trim_end_matches('/').to_owned()
}

/// Each path under which a route is served, with its path in the table.
type Paths = BTreeMap<String, &'static str>;

/// Places each route at the root and `below` the issuer's path. RFC 8414 requires the metadata also at the
/// well-known path that is inserted between the host and the issuer's path.
fn placed(table: Vec<Served>, below: &str) -> (Router<ServiceState>, Paths) {
    // A segment of the issuer's path may begin with a character that axum 0.7 took for a parameter.
    let mut router = Router::new().without_v07_checks();
    let mut paths = Paths::new();
    for Served { path, handler, .. } in table {
        let mut places = vec![path.to_owned()];
        if !below.is_empty() {
            // Braces are escaped, because in a URL they are text and not a parameter of the route.
            let below = below.replace('{', "{{").replace('}', "}}");
            places.push(format!("{below}{path}"));
            if path == METADATA {
                places.push(format!("{path}{below}"));
            }
        }
        // The issuer's path may equal that of the metadata, and a path cannot be added twice.
        places.dedup();
        for place in places {
            router = router.route(&place, handler.clone());
            paths.insert(place, path);
        }
    }
    (router, paths)
}

/// The limits on requests, and the state that enforces them.
struct Room {
    /// Places for requests in progress.
    places: Semaphore,
    /// Places for requests of the keyset and the head, which verifiers depend on. They are separate, so that a
    /// flood of other requests does not make services deny calls.
    fresh: Semaphore,
    /// Places for requests of snapshots and changes, which take longer.
    large: Semaphore,
    /// Places for the bytes of arriving bodies.
    arriving: Semaphore,
    /// Maximum time for a request, including its body.
    time: Duration,
    /// The routes, by each path under which they are served.
    paths: Paths,
}

impl Room {
    /// Returns the route that a request matches.
    fn route(&self, request: &Request) -> Option<&'static str> {
        let matched = request.extensions().get::<MatchedPath>()?;
        self.paths.get(matched.as_str()).copied()
    }
}

/// Admits a request if there is room for it, and counts it.
async fn admit(
    Shared((state, room)): Shared<(ServiceState, Arc<Room>)>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    // The label is the path of the route. The path that was sent could make an unlimited number of labels.
    let mut labels = RequestLabels {
        method: method(request.method()),
        path: room.route(&request).unwrap_or("none"),
        status: 0,
    };
    let under_way = UnderWay::begin(&state.metrics.in_flight);
    let mut response = match answer(&room, request, next).await {
        Ok(response) => response,
        Err(Rejected::Overloaded) => {
            state.metrics.shed.inc();
            let busy = ApiError::new(
                ProblemCode::Unavailable,
                "the issuer is overloaded; try again in a moment",
            );
            return busy.into_response();
        }
        Err(Rejected::Answered(problem)) => problem.into_response(),
    };
    drop(under_way);
    labels.status = response.status().as_u16();
    state.metrics.requests.get_or_create(&labels).inc();
    state.metrics.seconds.observe(begun.elapsed().as_secs_f64());
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Public answers set this header themselves. All other answers are for the caller alone.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The reason why a request never reached its handler, or got no answer in time.
enum Rejected {
    /// There is no room for the request.
    Overloaded,
    Answered(ApiError),
}

/// Reads the body before the request takes a place, so that slow senders occupy none.
async fn answer(room: &Room, request: Request, next: Next) -> Result<Response, Rejected> {
    let now = tokio::time::Instant::now();
    // The configuration allows ten minutes at most, so this does not overflow.
    let mut deadline = now.checked_add(room.time).unwrap_or(now);
    let request = timeout_at(deadline, arrived(request, &room.arriving)).await;
    let request = request.map_err(|_| {
        let late = ApiError::new(
            ProblemCode::Unavailable,
            "the request took too long to arrive; try again",
        );
        Rejected::Answered(late.with_status(StatusCode::REQUEST_TIMEOUT))
    })?;
    let request = request.map_err(|lost| match lost {
        Lost::NoRoom => Rejected::Overloaded,
        Lost::Broken => Rejected::Answered(ApiError::bad_request(
            "the body ended early; send the request again",
        )),
    })?;
    let route = room.route(&request);
    let places = match route {
        Some(KEYSET | FEED) => &room.fresh,
        Some(route) if route.starts_with(FEED) => &room.large,
        _ => &room.places,
    };
    let _place = places.try_acquire().map_err(|_| Rejected::Overloaded)?;
    if route == Some(VERIFY_AUDIT) {
        deadline = now.checked_add(AUDIT_VERIFY_TIME).unwrap_or(deadline);
    }
    let answered = timeout_at(deadline, next.run(request)).await;
    answered.map_err(|_| {
        Rejected::Answered(ApiError::new(
            ProblemCode::Unavailable,
            "the issuer did not finish in time; try again in a moment",
        ))
    })
}

/// A request in progress. It is counted until this value is dropped, even if the caller hangs up.
struct UnderWay(Gauge);

impl UnderWay {
    fn begin(gauge: &Gauge) -> UnderWay {
        gauge.inc();
        UnderWay(gauge.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
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

async fn nothing() -> ApiError {
    ApiError::new(
        ProblemCode::NotFound,
        "there is nothing at this path; see /v1/openapi.json",
    )
}

async fn wrong_method() -> ApiError {
    let error =
        ApiError::bad_request("this path does not support the method; see /v1/openapi.json");
    error.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!("a request panicked");
    ApiError::new(
        ProblemCode::Internal,
        "the issuer had an internal error; see its log",
    )
    .into_response()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeSet;

    use axum::middleware::from_fn;
    use tokio::time::sleep;
    use tower::ServiceExt;

    use super::*;
    use crate::probes;

    #[tokio::test(start_paused = true)]
    async fn verifying_the_audit_has_a_longer_time_than_anything_else() {
        let limit = Duration::from_secs(5);
        let second = Duration::from_secs(1);
        for (path, taken, status) in [
            ("/v1/audit", limit - second, 200),
            ("/v1/audit", limit + second, 503),
            (VERIFY_AUDIT, AUDIT_VERIFY_TIME - second, 200),
            (VERIFY_AUDIT, AUDIT_VERIFY_TIME + second, 503),
        ] {
            let room = Arc::new(Room {
                places: Semaphore::new(1),
                fresh: Semaphore::new(0),
                large: Semaphore::new(0),
                arriving: Semaphore::new(1),
                time: limit,
                paths: Paths::from([(path.to_owned(), path)]),
            });
            let admitted = from_fn(move |request: Request, next: Next| {
                let room = Arc::clone(&room);
                async move {
                    match answer(&room, request, next).await {
                        Ok(response) => response,
                        Err(Rejected::Answered(problem)) => problem.into_response(),
                        Err(Rejected::Overloaded) => StatusCode::IM_A_TEAPOT.into_response(),
                    }
                }
            });
            let router = Router::new()
                .route(path, axum::routing::get(move || sleep(taken)))
                .layer(admitted);
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answered = router.oneshot(request).await.unwrap();
            assert_eq!(answered.status(), status, "{path} after {taken:?}");
        }
    }

    #[test]
    fn an_issuer_path_ends_without_a_slash() {
        for (issuer, path) in [
            ("https://issuer.example", ""),
            ("https://issuer.example/", ""),
            ("https://issuer.example/a", "/a"),
            ("https://issuer.example/a/b/", "/a/b"),
            ("https://issuer.example/a%20b", "/a%20b"),
        ] {
            assert_eq!(issuer_path(issuer), path, "{issuer}");
        }
    }

    /// The service starts whatever the path of the issuer's URL is.
    #[test]
    fn no_issuer_path_is_in_the_way_of_a_route() {
        let paths = table().into_iter().map(|route| route.path.to_owned());
        let more = [
            "/a",
            "/v1",
            "/{id}",
            "/*a",
            "/{*rest}",
            "/:a",
            "/a/b/c",
            "/.well-known",
        ];
        for path in paths.chain(more.map(str::to_owned)) {
            let below = issuer_path(&format!("https://issuer.example{path}"));
            let (_, placed) = placed(table(), &below);
            for route in table() {
                assert_eq!(placed[route.path], route.path, "{path}");
                assert_eq!(
                    placed[&format!("{below}{}", route.path)],
                    route.path,
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn each_route_is_served() {
        let served: BTreeSet<_> = table()
            .into_iter()
            .chain(probes::table())
            .map(|route| (route.method, route.path))
            .collect();
        assert_eq!(served, routes::ALL.iter().copied().collect());
    }
}
