//! What is at which path, and what every request passes on its way.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State as Shared},
    handler::Handler,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{self, MethodRouter},
};
use jsonwebtoken::Algorithm;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{sync::Semaphore, time::timeout_at};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    body::{Lost, MAX_BODY, arrived},
    metrics::RequestLabels,
    oauth, operators,
    problem::{Code, Problem},
    published,
    state::State,
    tokens,
};

/// The description of all of it.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

/// The most bytes of bodies that are arriving, all together.
const MAX_ARRIVING: usize = 64 << 20;

/// Where the keyset is.
const KEYSET: &str = "/.well-known/bailiwick/keyset";

/// Where the head of the revocation feed is; all else of the feed is below it.
const HEAD: &str = "/.well-known/bailiwick/revocations";

/// The metadata for OAuth clients (RFC 8414).
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Where the audit is verified.
pub const AUDIT_VERIFY: &str = "/v1/audit/verify";

/// How long verifying the audit may take, for which other requests have far less: the audit only
/// grows. One is verified at a time.
pub const AUDIT_VERIFY_TIME: Duration = Duration::from_secs(600);

/// A method of a path, and what answers it.
pub(crate) struct Route {
    /// Only the description is held against it: the handler knows its method.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the description is held against it")
    )]
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<State>,
}

pub(crate) fn get<T: 'static>(path: &'static str, handler: impl Handler<T, State>) -> Route {
    Route {
        method: Method::GET,
        path,
        handler: routing::get(handler),
    }
}

fn post<T: 'static>(path: &'static str, handler: impl Handler<T, State>) -> Route {
    Route {
        method: Method::POST,
        path,
        handler: routing::post(handler),
    }
}

fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, State>) -> Route {
    Route {
        method: Method::DELETE,
        path,
        handler: routing::delete(handler),
    }
}

/// All of it. `openapi.json` describes each, which a test sees to.
fn table() -> Vec<Route> {
    vec![
        post("/v1/token", oauth::token),
        post("/v1/tokens", tokens::create),
        get(KEYSET, published::keyset),
        get(HEAD, published::head),
        get(
            "/.well-known/bailiwick/revocations/snapshot",
            published::snapshot,
        ),
        get(
            "/.well-known/bailiwick/revocations/{epoch}/{range}",
            published::delta,
        ),
        get(METADATA, metadata),
        get("/v1/openapi.json", openapi),
        get("/v1/keys", operators::keys),
        post("/v1/keys", operators::stage),
        post("/v1/keys/rotate", operators::rotate),
        post("/v1/keys/{id}/activate", operators::activate),
        post("/v1/keys/{id}/retire", operators::retire),
        post("/v1/keys/{id}/revoke", operators::revoke_key),
        get("/v1/revocations", operators::revocations),
        post("/v1/revocations", operators::revoke),
        get("/v1/clients", operators::clients),
        post("/v1/clients", operators::client_add),
        post("/v1/clients/{name}/rotate", operators::client_rotate),
        post("/v1/clients/{name}/disable", operators::client_disable),
        get("/v1/audit", operators::audit),
        post(AUDIT_VERIFY, operators::audit_verify),
        post("/v1/audit/checkpoints", operators::checkpoint),
        get("/v1/verifiers", operators::verifiers),
        delete("/v1/verifiers/{name}", operators::forget_verifier),
        get("/v1/profiles", operators::profiles),
    ]
}

/// Everything but operations: at the root, where a proxy has cut off the path of the issuer's URL, and below
/// that path, where none has.
pub(crate) fn router(state: State) -> Router {
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

/// The path of an issuer's URL, without a slash at its end (RFC 8414, section 3.1).
fn issuer_path(issuer: &str) -> String {
    let url = reqwest::Url::parse(issuer).ok();
    let path = url.as_ref().map_or("", reqwest::Url::path);
    path.trim_end_matches('/').to_owned()
}

/// A path as it was matched, and the one in the table.
type Paths = BTreeMap<String, &'static str>;

/// Places each route at the root and `below` the issuer's path, and the metadata where RFC 8414 has it: its
/// well-known path stands between the host and the issuer's path.
fn placed(table: Vec<Route>, below: &str) -> (Router<State>, Paths) {
    // A segment of the issuer's path may begin with what axum 0.7 took for a parameter.
    let mut router = Router::new().without_v07_checks();
    let mut paths = Paths::new();
    for Route { path, handler, .. } in table {
        let mut places = vec![path.to_owned()];
        if !below.is_empty() {
            // As text: what would be a parameter in a route is none in a URL.
            let below = below.replace('{', "{{").replace('}', "}}");
            places.push(format!("{below}{path}"));
            if path == METADATA {
                places.push(format!("{path}{below}"));
            }
        }
        // An issuer's path may be that of the metadata.
        places.dedup();
        for place in places {
            router = router.route(&place, handler.clone());
            paths.insert(place, path);
        }
    }
    (router, paths)
}

/// What bounds the requests.
struct Room {
    /// For those that are worked at.
    places: Semaphore,
    /// For what verifiers need to go on, of its own: whoever fills the others denies nothing at any service.
    fresh: Semaphore,
    /// For snapshots and changes, which take longer.
    large: Semaphore,
    /// For bodies that have not arrived yet: their bytes.
    arriving: Semaphore,
    /// How long a request may take, its body included.
    time: Duration,
    /// The routes, wherever they are placed.
    paths: Paths,
}

impl Room {
    /// The route that a request is for.
    fn route(&self, request: &Request) -> Option<&'static str> {
        let matched = request.extensions().get::<MatchedPath>()?;
        self.paths.get(matched.as_str()).copied()
    }
}

/// Lets a request in where there is a place for it, and counts it.
async fn admit(
    Shared((state, room)): Shared<(State, Arc<Room>)>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    // What matched, and never what was sent: its values would be without bound.
    let mut labels = RequestLabels {
        method: method(request.method()),
        path: room.route(&request).unwrap_or("none"),
        status: 0,
    };
    let under_way = UnderWay::begin(&state.metrics.in_flight);
    let mut response = match answer(&room, request, next).await {
        Ok(response) => response,
        Err(Turned::Shed) => {
            state.metrics.shed.inc();
            let busy = Problem::new(
                Code::Unavailable,
                "the issuer has more to do than it can: try again in a moment",
            );
            return busy.into_response();
        }
        Err(Turned::Away(problem)) => problem.into_response(),
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
    // What is for everybody says so; all else is for whoever asked.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a request has no answer of its own.
enum Turned {
    /// There is no room for it.
    Shed,
    Away(Problem),
}

/// The body first, and then the place: who sends slowly takes none from those who do not.
async fn answer(room: &Room, request: Request, next: Next) -> Result<Response, Turned> {
    let now = tokio::time::Instant::now();
    // Ten minutes at the most, by the configuration.
    let mut deadline = now.checked_add(room.time).unwrap_or(now);
    let request = timeout_at(deadline, arrived(request, &room.arriving)).await;
    let request = request.map_err(|_| {
        let late = Problem::new(
            Code::Unavailable,
            "the request took longer to arrive than the issuer waits: try again",
        );
        Turned::Away(late.with_status(StatusCode::REQUEST_TIMEOUT))
    })?;
    let request = request.map_err(|lost| match lost {
        Lost::NoRoom => Turned::Shed,
        Lost::Broken => Turned::Away(Problem::new(Code::BadRequest, "the body broke off")),
    })?;
    let route = room.route(&request);
    let places = match route {
        Some(KEYSET | HEAD) => &room.fresh,
        Some(route) if route.starts_with(HEAD) => &room.large,
        _ => &room.places,
    };
    let _place = places.try_acquire().map_err(|_| Turned::Shed)?;
    if route == Some(AUDIT_VERIFY) {
        deadline = now.checked_add(AUDIT_VERIFY_TIME).unwrap_or(deadline);
    }
    let answered = timeout_at(deadline, next.run(request)).await;
    answered.map_err(|_| {
        Turned::Away(Problem::new(
            Code::Unavailable,
            "the issuer did not get to an end in time: try again in a moment",
        ))
    })
}

/// A request under way. A caller that hangs up ends it, too.
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

/// RFC 8414: what an OAuth client library looks for.
async fn metadata(Shared(state): Shared<State>) -> Response {
    let issuer = &state.issuer.settings().issuer;
    let base = issuer.trim_end_matches('/');
    let mut grants = vec!["client_credentials"];
    let mut methods = vec!["client_secret_basic", "client_secret_post"];
    let mut algorithms = Vec::new();
    for algorithm in state.config.providers.iter().flat_map(|it| &it.algorithms) {
        let name = serde_json::json!(algorithm);
        if !algorithms.contains(&name) {
            // RFC 9864 has a second name for it.
            if *algorithm == Algorithm::EdDSA {
                algorithms.push("Ed25519".into());
            }
            algorithms.push(name);
        }
    }
    // Without a provider there is nobody whose JWTs are believed.
    if !algorithms.is_empty() {
        grants.push(oauth::TOKEN_EXCHANGE);
        methods.push("private_key_jwt");
    }
    let mut body = serde_json::json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}/v1/token"),
        "response_types_supported": [],
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": methods,
        "service_documentation": format!("{base}/v1/openapi.json"),
    });
    if let Some(body) = body.as_object_mut().filter(|_| !algorithms.is_empty()) {
        body.insert(
            "token_endpoint_auth_signing_alg_values_supported".to_owned(),
            serde_json::json!(algorithms),
        );
    }
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

async fn wrong_method() -> Problem {
    let problem = Problem::new(
        Code::BadRequest,
        "this path has other methods: see /v1/openapi.json",
    );
    problem.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!("a request panicked");
    Problem::new(
        Code::Internal,
        "the issuer has a fault of its own, which is in its log",
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
    use crate::operations;

    #[tokio::test(start_paused = true)]
    async fn verifying_the_audit_has_a_longer_time_than_anything_else() {
        let limit = Duration::from_secs(5);
        let second = Duration::from_secs(1);
        for (path, taken, status) in [
            ("/v1/audit", limit - second, 200),
            ("/v1/audit", limit + second, 503),
            (AUDIT_VERIFY, AUDIT_VERIFY_TIME - second, 200),
            (AUDIT_VERIFY, AUDIT_VERIFY_TIME + second, 503),
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
                        Err(Turned::Away(problem)) => problem.into_response(),
                        Err(Turned::Shed) => StatusCode::IM_A_TEAPOT.into_response(),
                    }
                }
            });
            let router = Router::new()
                .route(path, routing::get(move || sleep(taken)))
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

    /// Whatever an issuer is called, its service starts.
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
    fn what_is_served_is_what_is_described() {
        let served: BTreeSet<(String, String)> = table()
            .into_iter()
            .chain(operations::table())
            .map(|route| (route.path.to_owned(), route.method.as_str().to_lowercase()))
            .collect();
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let methods = ["get", "put", "post", "delete", "options", "head", "patch"];
        let described = description["paths"].as_object().unwrap().iter();
        let described: BTreeSet<(String, String)> = described
            .flat_map(|(path, item)| {
                let operations = item.as_object().unwrap().keys();
                operations.map(|method| (path.clone(), method.clone()))
            })
            .filter(|(_, method)| methods.contains(&method.as_str()))
            .collect();
        assert_eq!(served, described);
    }
}
