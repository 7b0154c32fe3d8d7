//! Tests of the layer on an axum router, with tokens signed by biscuit-auth itself.

#![cfg(test)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bailiwick_biscuit::{build, datalog::Block};
use bailiwick_testkit::{ISSUER, Root, SERVICE, now, scope, toml};
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    keyset::Keyset,
    revocation::{Digest, Epoch, Position, Revocation, SnapshotBase, Target},
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{
    Decision, Limits, Reason, Trust, Values, Verifier,
    layer::{Authorized, Protect, ShadowDenied, status},
};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceExt};

const GRANTS: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
args = { amount = { max = "4200" }, currency = "EUR", note = "*" }

[[grant]]
service = "erp"
action = "purchase_order:read"
resource = "eu/*"
args = { id = { prefix = "PO-" }, limit = "10", page = { max = 5 } }
"#;

fn root() -> Root {
    Root::fixed()
}

fn claims(id: u8) -> Claims {
    Claims {
        token_id: TokenId::from_bytes([id; 16]),
        agent: "agent:buyer".to_owned(),
        issued_at: now(),
        not_before: now(),
        max_depth: Some(1),
        ..bailiwick_testkit::claims()
    }
}

fn signed_by(root: &Root, claims: &Claims, grants: &str) -> Token {
    root.mint_with(claims, &toml(grants))
}

fn token() -> String {
    text(&signed_by(&root(), &claims(1), GRANTS))
}

fn text(token: &Token) -> String {
    token.to_base64().to_string()
}

fn narrowed(token: &Token, grants: &str) -> Token {
    let caveat = Caveat {
        delegate: Some("agent:clerk".to_owned()),
        ..scope(toml(grants))
    };
    token.attenuate(&caveat).unwrap()
}

/// Returns the token with one more block, appended as by a holder who ignores all limits.
fn appended(token: &Token) -> Token {
    let appended = build::append(token.container(), &Block::default()).unwrap();
    Token::try_from(appended).unwrap()
}

fn verifier() -> Verifier {
    let root = root();
    let keyset = Keyset {
        issued_at: now().minus(60),
        expires: now().plus(7200),
        ..root.keyset()
    };
    let lost = Revocation {
        target: Target::Token(TokenId::from_bytes([66; 16])),
        expires: None,
    };
    let revocations = SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position: Position {
            epoch: Epoch::from_bytes([1; 8]),
            seq: 1,
            digest: Digest::of(b"history"),
        },
        issued_at: now(),
        expires: now().plus(7200),
    };
    let revocations = revocations.write([lost], &root.keyset_key).unwrap();
    let trust = Trust::open(
        keyset.sign(&root.keyset_key).to_json().as_bytes(),
        &root.keyset_public(),
        Some(revocations.as_bytes()),
    );
    Verifier::new(SERVICE, trust.unwrap()).unwrap()
}

fn protect(verifier: Verifier, now: Timestamp) -> Protect {
    Protect::new(Arc::new(verifier), Arc::new(move || now))
}

/// Answers with the request as the handler sees it: authority, headers and body.
async fn mirror(authorized: Option<Authorized>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let seen = |name: &str| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let shadow = parts
        .extensions
        .get::<ShadowDenied>()
        .map(|denied| denied.0.reason().to_string());
    let headers = [
        (
            "seen-agent",
            authorized.map(|authorized| authorized.0.identity.agent.clone()),
        ),
        ("seen-shadow", shadow),
        ("seen-authorization", seen("authorization")),
        ("seen-token", seen("bailiwick-token")),
    ];
    let mut response = body.into_response();
    for (name, value) in headers {
        if let Some(value) = value {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

fn app(protect: &Protect) -> Router {
    let create = protect.action("purchase_order:create").json_body();
    let read = protect
        .action("purchase_order:read")
        .path("id")
        .query("limit")
        .query_number("page")
        .resource("eu/{tenant}/{id}");
    let clash = protect
        .action("purchase_order:create")
        .json_body()
        .path("note")
        .query("currency");
    let files = protect.action("purchase_order:read").resource("eu/{*rest}");
    Router::new()
        .merge(create.route("/orders", post(mirror)))
        .merge(read.route("/{tenant}/orders/{id}", get(mirror)))
        .merge(clash.route("/notes/{note}", post(mirror)))
        .merge(files.route("/files/{*rest}", get(mirror)))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem
    }

    #[track_caller]
    fn refused(&self, status: u16, reason: &str) -> Value {
        let problem = self.problem();
        assert_eq!(
            (self.status.as_u16(), &problem["reason"]),
            (status, &json!(reason)),
            "{problem}"
        );
        assert_eq!(problem["type"], format!("urn:bailiwick:reason:{reason}"));
        problem
    }
}

async fn send(app: &Router, request: Request) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, 1 << 20).await.unwrap(),
    }
}

fn request(method: Method, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// Sends an order as `application/json`.
async fn order(app: &Router, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    send(app, request(Method::POST, "/orders", &headers, body)).await
}

async fn order_with(app: &Router, token: &Token) -> Answer {
    let bearer = format!("Bearer {}", text(token));
    order(app, &[("authorization", &bearer)], ORDER).await
}

async fn fetch(app: &Router, uri: &str) -> Answer {
    let request = request(
        Method::GET,
        uri,
        &[("bailiwick-token", &token())],
        Body::empty(),
    );
    send(app, request).await
}

const ORDER: &str = r#"{ "amount":98.70,"currency" : "EUR"}"#;

#[tokio::test]
async fn an_allowed_call_reaches_the_handler_with_its_body_and_without_its_token() {
    let app = app(&protect(verifier(), now()));
    let token = token();
    for scheme in ["Bearer", "bearer", "BEARER  "] {
        let bearer = format!("{scheme} {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("bailiwick-token", &token),
        ];
        // The same token in both headers is one token; either one alone will do.
        for headers in [&headers[..1], &headers[..]] {
            let answer = order(&app, headers, ORDER).await;
            assert_eq!(answer.body, ORDER, "{scheme}");
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("seen-agent"), Some("agent:buyer"));
            assert_eq!(
                (
                    answer.header("seen-authorization"),
                    answer.header("seen-token")
                ),
                (None, None)
            );
        }
    }
    // Another scheme means that the credential is not ours.
    let headers = [("authorization", "Basic dTpw"), ("bailiwick-token", &token)];
    let answer = order(&app, &headers, ORDER).await;
    assert_eq!(
        (answer.status, answer.header("seen-token")),
        (StatusCode::OK, None)
    );
    assert_eq!(answer.header("seen-authorization"), Some("Basic dTpw"));
}

#[tokio::test]
async fn nobody_is_admitted_without_a_token() {
    let app = app(&protect(verifier(), now()));
    let answer = order(&app, &[], ORDER).await;
    answer.refused(401, "missing_token");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    order(&app, &[("authorization", "Basic dTpw")], ORDER)
        .await
        .refused(401, "missing_token");

    let token = token();
    let bearer = format!("Bearer {token}");
    let in_query = request(
        Method::POST,
        &format!("/orders?access_token={token}"),
        &[],
        ORDER,
    );
    send(&app, in_query).await.refused(401, "missing_token");

    let other = text(&signed_by(&root(), &claims(2), GRANTS));
    for headers in [
        &[
            ("authorization", bearer.as_str()),
            ("bailiwick-token", &other),
        ][..],
        &[
            ("authorization", bearer.as_str()),
            ("authorization", &bearer),
        ],
        &[
            ("authorization", bearer.as_str()),
            ("authorization", "Basic dTpw"),
        ],
        &[
            ("bailiwick-token", token.as_str()),
            ("bailiwick-token", &token),
        ],
        &[("authorization", "Bearer")],
        &[("bailiwick-token", "")],
        &[("authorization", "Bearer ünreadable")],
        &[("authorization", &format!("{bearer}, {bearer}"))],
    ] {
        let answer = order(&app, headers, ORDER).await;
        let problem = answer.refused(401, "malformed");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer error="invalid_token""#)
        );
        assert!(problem.get("explain").is_none());
        assert!(
            !problem.to_string().contains(&token),
            "a token in the answer"
        );
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_401() {
    let app_at = |time| app(&protect(verifier(), time));
    let good = signed_by(&root(), &claims(1), GRANTS);
    let stranger = signed_by(&Root::from_seeds(2, 2), &claims(1), GRANTS);
    let elsewhere = Claims {
        issuer: "https://other.example".to_owned(),
        ..claims(1)
    };
    let mut forged = good.as_bytes().to_vec();
    // The last bytes are the proof's: the container still decodes.
    *forged.last_mut().unwrap() ^= 1;
    let large = "A".repeat(20_000);
    for (time, token, reason) in [
        (now(), text(&stranger), "unknown_key"),
        (
            now(),
            text(&signed_by(&root(), &elsewhere, GRANTS)),
            "not_profile",
        ),
        (
            now(),
            text(&Token::from_bytes(forged).unwrap()),
            "bad_signature",
        ),
        (now().minus(1), text(&good), "not_yet_valid"),
        (now().plus(900), text(&good), "expired"),
        (
            now(),
            text(&signed_by(&root(), &claims(66), GRANTS)),
            "revoked",
        ),
        (now(), large, "too_large"),
    ] {
        let bearer = format!("Bearer {token}");
        let answer = order(&app_at(time), &[("authorization", &bearer)], ORDER).await;
        answer.refused(401, reason);
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer error="invalid_token""#)
        );
    }
    // Expired trust is the service's fault.
    let answer = order_with(&app_at(now().plus(7200)), &good).await;
    let problem = answer.refused(503, "stale_keyset");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert!(answer.header("www-authenticate").is_none() && problem.get("explain").is_none());
}

#[tokio::test]
async fn a_call_outside_the_authority_gets_403_and_the_reason() {
    let app = app(&protect(verifier(), now()));
    let good = signed_by(&root(), &claims(1), GRANTS);
    let bearer = format!("Bearer {}", text(&good));
    let answer = order(
        &app,
        &[("authorization", &bearer)],
        r#"{"amount":5000,"currency":"EUR"}"#,
    )
    .await;
    let problem = answer.refused(403, "no_grant");
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="insufficient_scope", scope="purchase_order:create""#)
    );
    let explain = problem["explain"][0].as_str().unwrap();
    assert!(
        explain.contains("`amount`") && explain.contains("at most 4200"),
        "{explain}"
    );
    assert!(
        !explain.contains("5000"),
        "a value is shown unasked: {explain}"
    );

    let clerk = narrowed(
        &good,
        "[[grant]]\nservice = \"erp\"\naction = \"purchase_order:read\"",
    );
    let problem = order_with(&app, &clerk).await.refused(403, "caveat");
    assert!(
        problem["explain"][0]
            .as_str()
            .unwrap()
            .contains("agent:clerk")
    );
    order_with(&app, &appended(&clerk))
        .await
        .refused(403, "depth");

    let crm = signed_by(
        &root(),
        &claims(1),
        "[[grant]]\nservice = \"crm\"\naction = \"*\"",
    );
    order_with(&app, &crm).await.refused(403, "wrong_service");
}

#[tokio::test]
async fn a_decision_that_costs_too_much_is_403() {
    let limits = Limits {
        fuel: 1,
        ..Limits::default()
    };
    let app = app(&protect(verifier().limits(limits), now()));
    order_with(&app, &signed_by(&root(), &claims(1), GRANTS))
        .await
        .refused(403, "out_of_fuel");
}

#[tokio::test]
async fn explanations_and_metadata_are_as_configured() {
    let url = "https://erp.example/.well-known/oauth-protected-resource";
    let protect = protect(verifier(), now())
        .explain(Values::Shown)
        .resource_metadata(url.parse().unwrap());
    let app = app(&protect);
    let answer = order(
        &app,
        &[("bailiwick-token", &token())],
        r#"{"amount":5000,"currency":"EUR"}"#,
    )
    .await;
    assert!(
        answer.refused(403, "no_grant")["explain"]
            .to_string()
            .contains("5000")
    );
    let answer = order(&app, &[], ORDER).await;
    assert!(
        answer
            .refused(401, "missing_token")
            .get("explain")
            .is_some()
    );
    assert_eq!(
        answer.header("www-authenticate"),
        Some(format!(r#"Bearer resource_metadata="{url}""#).as_str())
    );
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_400() {
    let app = app(&protect(verifier(), now()));
    let token = token();
    let credential = ("bailiwick-token", token.as_str());
    let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(64 * 1024));
    for body in [
        r#"{"amount":1,"amount":9000,"currency":"EUR"}"#,
        "[1]",
        "null",
        "\"text\"",
        "{",
        " ",
        r#"{"a.b":1}"#,
        long.as_str(),
    ] {
        let answer = order(&app, &[credential], body.to_owned()).await;
        let problem = answer.refused(400, "bad_request");
        assert!(answer.header("www-authenticate").is_none());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    order(&app, &[credential], vec![b'"', 0xff, b'"'])
        .await
        .refused(400, "bad_request");

    for types in [
        &["text/plain"][..],
        &["application/x-www-form-urlencoded"],
        &["application/json; charset=utf-16"],
        &["application/json; charset =utf-16"],
        &["application/json; charset=utf-8; charset=utf-16"],
        &["application/json", "application/json"],
        &[],
    ] {
        let mut headers: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
        headers.push(credential);
        let answer = send(&app, request(Method::POST, "/orders", &headers, ORDER)).await;
        answer.refused(400, "bad_request");
    }
    order(&app, &[credential, ("content-encoding", "gzip")], ORDER)
        .await
        .refused(400, "bad_request");
    for content_type in [
        "application/merge-patch+json",
        "Application/JSON; charset=\"UTF-8\"",
    ] {
        let headers = [("content-type", content_type), credential];
        let answer = send(&app, request(Method::POST, "/orders", &headers, ORDER)).await;
        assert_eq!(answer.status, StatusCode::OK, "{content_type}");
    }
    // Without a body there are no arguments, so the constrained ones are missing.
    let answer = send(
        &app,
        request(Method::POST, "/orders", &[credential], Body::empty()),
    )
    .await;
    let problem = answer.refused(403, "no_grant");
    assert!(
        problem["explain"][0].as_str().unwrap().contains("`amount`"),
        "{problem}"
    );
}

/// A service may allow longer bodies than the default.
#[tokio::test]
async fn a_long_body_is_read_where_the_limits_allow_it() {
    let token = token();
    let credential = ("bailiwick-token", token.as_str());
    let body = |bytes: usize| {
        let note = "x".repeat(bytes);
        format!(r#"{{"amount":1,"currency":"EUR","note":"{note}"}}"#)
    };
    let wide = app(&protect(
        verifier().limits(Limits::for_calls(200_000)),
        now(),
    ));
    let narrow = app(&protect(verifier(), now()));
    let answer = order(&wide, &[credential], body(199_900)).await;
    assert_eq!(answer.status, StatusCode::OK);
    for (app, bytes, limit) in [(&wide, 200_000, "200000"), (&narrow, 199_900, "65536")] {
        let answer = order(app, &[credential], body(bytes)).await;
        let problem = answer.refused(400, "bad_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(limit),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_and_a_broken_one_refused() {
    let app = app(&protect(verifier(), now()));
    let token = token();
    for (failing, detail) in [(false, "longer than"), (true, "before it was complete")] {
        let body = Body::new(Endless {
            left: if failing { 3 } else { usize::MAX },
            failing,
        });
        let answer = order(&app, &[("bailiwick-token", &token)], body).await;
        let problem = answer.refused(400, "bad_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(detail),
            "{problem}"
        );
    }
}

/// A body that never ends, or fails after a few frames.
struct Endless {
    left: usize,
    failing: bool,
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        self.left = self.left.saturating_sub(1);
        let frame = match self.left {
            0 if self.failing => Err(std::io::Error::other("the peer went away")),
            0 => return Poll::Ready(None),
            _ => Ok(http_body::Frame::data(Bytes::from_static(&[b' '; 1024]))),
        };
        Poll::Ready(Some(frame))
    }
}

#[tokio::test]
async fn trailers_are_handed_on() {
    struct Trailing(Vec<http_body::Frame<Bytes>>);
    impl HttpBody for Trailing {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
            Poll::Ready(self.0.pop().map(Ok))
        }
    }
    async fn trailers(request: Request) -> HeaderMap {
        let mut body = request.into_body();
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            match frame.unwrap().unwrap().into_trailers() {
                Ok(trailers) => return trailers,
                Err(data) => assert_eq!(data.into_data().unwrap(), ORDER),
            }
        }
    }
    let mut sent = HeaderMap::new();
    sent.insert("digest", "abc".parse().unwrap());
    let frames = vec![
        http_body::Frame::trailers(sent),
        http_body::Frame::data(Bytes::from_static(ORDER.as_bytes())),
    ];
    let create = protect(verifier(), now())
        .action("purchase_order:create")
        .json_body();
    let app = Router::new().route("/orders", post(trailers).route_layer(create));
    let answer = order(
        &app,
        &[("bailiwick-token", &token())],
        Body::new(Trailing(frames)),
    )
    .await;
    assert_eq!(
        (answer.status, answer.header("digest")),
        (StatusCode::OK, Some("abc"))
    );
}

#[tokio::test]
async fn arguments_come_from_where_they_are_declared() {
    let app = app(&protect(verifier(), now()));
    for (uri, status) in [
        ("/de/orders/PO-7?limit=10&page=5", 200),
        ("/de/orders/PO-7?limit=10&page=5.0&undeclared=1", 200),
        ("/de/orders/PO-7?l%69mit=10&page=1", 200),
        ("/de/orders/PO-7?limit=10&page=6", 403),
        ("/de/orders/XX-7?limit=10&page=5", 403),
        ("/de/orders/PO-7?limit=10", 403),
        ("/de/orders/PO-7?limit=10&page=five", 400),
        ("/de/orders/PO-7?limit=10&limit=10&page=5", 400),
        ("/de/orders/PO-7?limit=10&page=1&p%61ge=9", 400),
        ("/%2e%2e/orders/PO-7?limit=10&page=5", 400),
        ("/a%2Fb/orders/PO-7?limit=10&page=5", 400),
        ("/a%252Fb/orders/PO-7?limit=10&page=5", 400),
        ("/%FF/orders/PO-7?limit=10&page=5", 400),
        ("/files/a/b/c", 403),
        ("/files/a/../c", 400),
        ("/files/a//c", 400),
        // Segments that the handler's router or file system could treat as `..` or as another name.
        ("/..;/orders/PO-7?limit=10&page=5", 400),
        ("/%EF%BC%8E%EF%BC%8E/orders/PO-7?limit=10&page=5", 400),
        ("/..%20/orders/PO-7?limit=10&page=5", 400),
        ("/files/a/..;v=1/c", 400),
        ("/files/a/%E2%80%A5/c", 400),
        ("/files/a/..%20;x/c", 400),
        ("/files/a;v=1/b/c", 403),
    ] {
        assert_eq!(fetch(&app, uri).await.status.as_u16(), status, "{uri}");
    }
    // A parameter is a string, even if it looks like a number.
    let problem = fetch(&app, "/de/orders/PO-7?limit=10.0&page=5")
        .await
        .refused(403, "no_grant");
    assert!(
        problem["explain"][0].as_str().unwrap().contains("`limit`"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_path_parameter_named_twice_is_refused() {
    let reads = protect(verifier(), now())
        .action("purchase_order:read")
        .path("id");
    let inner = Router::new().route("/{id}", get(mirror).route_layer(reads));
    let app = Router::new().nest_service("/{id}", inner);
    let problem = fetch(&app, "/PO-1/PO-2").await.refused(400, "bad_request");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("two path parameters"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_argument_has_one_source() {
    let app = app(&protect(verifier(), now()));
    let token = token();
    let headers = [
        ("bailiwick-token", token.as_str()),
        ("content-type", "application/json"),
    ];
    for (uri, body, status) in [
        ("/notes/hi?currency=EUR", r#"{"amount":1}"#, 200),
        ("/notes/hi?currency=EUR", r#"{"amount":1,"note":"hi"}"#, 400),
        (
            "/notes/hi?currency=EUR",
            r#"{"amount":1,"currency":"EUR"}"#,
            400,
        ),
        // Absent from the query, where the handler looks for it.
        ("/notes/hi", r#"{"amount":1,"currency":"EUR"}"#, 400),
    ] {
        let answer = send(&app, request(Method::POST, uri, &headers, body)).await;
        assert_eq!(answer.status.as_u16(), status, "{uri} {body}");
    }
}

#[test]
fn mistakes_end_the_program_while_its_router_is_built() {
    type Mistake = fn(&Protect);
    let mistakes: [(Mistake, &str); 10] = [
        (
            |protect| drop(protect.action("order:*")),
            "cannot protect a route of the action `order:*`: the action is empty, or holds a star",
        ),
        (
            |protect| drop(protect.action("order:read").path("id").query("id")),
            "the route of `order:read` declares two sources for the argument `id`",
        ),
        (
            |protect| {
                drop(
                    protect
                        .action("order:read")
                        .path_as("a", "id")
                        .path_as("b", "id"),
                )
            },
            "the route of `order:read` declares two sources for the argument `id`",
        ),
        (
            |protect| drop(protect.action("order:read").query("a.b")),
            "the argument name `a.b` is empty or holds a dot",
        ),
        (
            |protect| drop(protect.action("order:read").resource("eu/{id}-{id}")),
            "the resource template `eu/{id}-{id}`, where a brace does not enclose a whole segment",
        ),
        (
            |protect| drop(protect.action("order:read").resource("a").resource("b")),
            "the route of `order:read` declares two resources",
        ),
        (
            |protect| {
                let reads = protect.action("order:read").path("order");
                drop(reads.route::<()>("/orders/{id}", get(mirror)));
            },
            "the route `/orders/{id}` of `order:read` has no path parameter `order`; write `{order}`",
        ),
        (
            |protect| {
                let reads = protect.action("order:read").resource("eu/{tenant}/{id}");
                drop(reads.route::<()>("/orders/{id}", get(mirror)));
            },
            "has no path parameter `tenant`",
        ),
        (
            |protect| {
                let reads = protect.action("order:read").path("id");
                drop(reads.route::<()>("/orders/{{id}}", get(mirror)));
            },
            "has no path parameter `id`",
        ),
        (
            |protect| {
                drop(
                    protect
                        .action("order:read")
                        .route::<()>("orders", get(mirror)),
                )
            },
            "Paths must start with a `/`",
        ),
    ];
    let protect = protect(verifier(), now());
    for (mistake, message) in mistakes {
        let panic = catch_unwind(AssertUnwindSafe(|| mistake(&protect))).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains(message), "{said}");
    }
    // Every form of a path's parameters.
    let protect = protect
        .action("order:read")
        .path("a")
        .path("b")
        .path("rest");
    drop(protect.route::<()>("/{a}/{{x}}/v-{b}/{*rest}", get(mirror)));
}

#[tokio::test]
async fn a_layer_whose_path_lacks_a_parameter_refuses() {
    let reads = protect(verifier(), now())
        .action("purchase_order:read")
        .path("order");
    let app = Router::new().route("/orders/{id}", get(mirror).route_layer(reads.clone()));
    let problem = fetch(&app, "/orders/PO-1")
        .await
        .refused(400, "bad_request");
    let detail = "the route has no path parameter `order`";
    assert_eq!(problem["detail"], detail);
    // There are no path parameters without a router either.
    let request = request(Method::GET, "/", &[("bailiwick-token", &token())], "");
    let bare = reads.layer(tower::service_fn(async |_: Request| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    }));
    let (parts, body) = bare.oneshot(request).await.unwrap().into_parts();
    let answer = Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, 1 << 20).await.unwrap(),
    };
    assert_eq!(answer.refused(400, "bad_request")["detail"], detail);
}

/// The layer accepts requests with any buffer type in their frames, and answers of any body type, not only
/// axum's.
#[tokio::test]
async fn any_body_passes() {
    struct Slices(Vec<&'static [u8]>);
    impl HttpBody for Slices {
        type Data = &'static [u8];
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<&'static [u8]>, std::io::Error>>> {
            Poll::Ready(self.0.pop().map(|data| Ok(http_body::Frame::data(data))))
        }
    }
    let echo = tower::service_fn(async |request: Request| {
        let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(Full::new(body)))
    });
    let creates = protect(verifier(), now())
        .action("purchase_order:create")
        .json_body();
    let order = |frames: Vec<&'static [u8]>| {
        let request = axum::http::Request::builder()
            .header("bailiwick-token", token())
            .header("content-type", "application/json");
        creates
            .layer(echo)
            .oneshot(request.body(Slices(frames)).unwrap())
    };
    let response = order(vec![br#""currency":"EUR"}"#, br#"{"amount":1,"#])
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert_eq!(body, r#"{"amount":1,"currency":"EUR"}"#);
    // The limit is the same as for axum's body type.
    let response = order(vec![&[b' '; 1024]; 65]).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn shadow_mode_lets_pass_and_grants_nothing() {
    let verifier = Arc::new(verifier().shadow(true));
    let protect = Protect::new(Arc::clone(&verifier), Arc::new(now));
    let app = app(&protect);
    let long = "x".repeat(200_000);
    let (bearer, foreign) = (
        format!("Bearer {}", token()),
        "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
    );
    for (credential, body, reason, seen) in [
        (
            Some(bearer.as_str()),
            r#"{"amount":9000,"currency":"EUR"}"#,
            "no_grant",
            None,
        ),
        (Some(&bearer), "{\"a\":1,\"a\":2}", "bad_request", None),
        (Some(&bearer), &long, "bad_request", None),
        (None, ORDER, "missing_token", None),
        // Somebody else's credential stays: the service may still rely on it.
        (Some(foreign), ORDER, "malformed", Some(foreign)),
    ] {
        let headers: Vec<_> = credential
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = order(&app, &headers, body.to_owned()).await;
        assert_eq!(
            (answer.status, answer.header("seen-shadow")),
            (StatusCode::OK, Some(reason))
        );
        assert_eq!(answer.body, body);
        assert_eq!(
            (
                answer.header("seen-agent"),
                answer.header("seen-authorization")
            ),
            (None, seen)
        );
    }
    // Longer than the limit, and its length is only known at the end.
    let endless = Body::new(Endless {
        left: 101,
        failing: false,
    });
    let answer = order(&app, &[("authorization", &bearer)], endless).await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::OK, 100 * 1024)
    );

    let allowed = order(&app, &[("authorization", &bearer)], ORDER).await;
    assert_eq!(
        (allowed.header("seen-agent"), allowed.header("seen-shadow")),
        (Some("agent:buyer"), None)
    );
    let counters = verifier.counters();
    assert_eq!((counters.allowed(), counters.would_deny()), (1, 6));
    assert_eq!(counters.denied(Reason::BadRequest), 3);

    // A handler that demands authority gets none, and does not run.
    let strict = Router::new().route(
        "/",
        any(strict).layer(protect.action("purchase_order:create")),
    );
    send(&strict, request(Method::GET, "/", &[], Body::empty()))
        .await
        .refused(401, "missing_token");
}

async fn strict(Authorized(allow): Authorized) -> String {
    allow.identity.principal.clone()
}

#[tokio::test]
async fn a_route_without_the_layer_has_no_authority() {
    let app = Router::new()
        .route("/", any(strict))
        .route("/optional", any(mirror));
    for uri in ["/", "/optional"] {
        let answer = send(
            &app,
            request(Method::GET, uri, &[("bailiwick-token", &token())], ""),
        )
        .await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.problem()["type"], "about:blank");
    }
}

#[tokio::test]
async fn each_method_has_its_own_action() {
    let protect = protect(verifier(), now());
    let (reads, creates) = (
        protect.action("purchase_order:read").query("id"),
        protect.action("purchase_order:create").json_body(),
    );
    let merged = get(strict)
        .layer(reads.clone())
        .merge(post(strict).route_layer(creates));
    let open = get(strict).route_layer(reads).post(strict);
    let app = Router::new().route("/orders", merged).route("/open", open);
    let answer = order(&app, &[("bailiwick-token", &token())], ORDER).await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (StatusCode::OK, b"team:procurement".as_slice())
    );
    fetch(&app, "/orders?id=PO-1")
        .await
        .refused(403, "no_grant");
    // The layer does not cover a method added after it, but the extractor refuses the call.
    let answer = send(&app, request(Method::POST, "/open", &[], "")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn unrouted_methods_get_405() {
    let verifier = Arc::new(verifier());
    let protect = Protect::new(Arc::clone(&verifier), Arc::new(now));
    let (reads, creates) = (
        protect.action("purchase_order:read").query("id"),
        protect.action("purchase_order:create").json_body(),
    );
    async fn preflight() -> (StatusCode, [(&'static str, &'static str); 1]) {
        let allowed = ("access-control-allow-methods", "POST");
        (StatusCode::NO_CONTENT, [allowed])
    }
    let merged = get(mirror)
        .route_layer(reads.clone())
        .merge(post(mirror).route_layer(creates.clone()));
    let app = Router::new()
        .route("/merged", merged)
        .route("/apart", get(mirror).route_layer(reads.clone()))
        .route("/apart", post(mirror).route_layer(creates.clone()))
        .merge(reads.route("/routes", get(mirror)))
        .merge(creates.clone().route("/routes", post(mirror)))
        .route(
            "/cors",
            post(mirror).route_layer(creates).options(preflight),
        );
    let token = token();
    for credential in [&[][..], &[("bailiwick-token", token.as_str())]] {
        for path in ["/merged", "/apart", "/routes"] {
            for method in [
                Method::PUT,
                Method::DELETE,
                Method::OPTIONS,
                Method::PATCH,
                Method::TRACE,
                Method::from_bytes(b"PURGE").unwrap(),
            ] {
                let answer = send(&app, request(method.clone(), path, credential, ORDER)).await;
                assert_eq!(
                    answer.status,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{method} {path}"
                );
                assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
                assert!(answer.header("www-authenticate").is_none());
            }
        }
        // A browser's preflight carries no credentials, and the service itself answers it.
        let answer = send(&app, request(Method::OPTIONS, "/cors", credential, "")).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-methods")),
            (StatusCode::NO_CONTENT, Some("POST"))
        );
    }
    let counters = verifier.counters();
    let denied: u64 = Reason::ALL
        .iter()
        .map(|reason| counters.denied(*reason))
        .sum();
    assert_eq!((counters.allowed(), denied), (0, 0), "none was a call");
}

#[tokio::test]
async fn head_is_decided_as_get() {
    let verifier = Arc::new(verifier());
    let protect = Protect::new(Arc::clone(&verifier), Arc::new(now));
    let app = app(&protect);
    let token = token();
    let read = "/de/orders/PO-7?limit=10&page=5";
    for (uri, credential, status) in [
        (read, &[][..], 401),
        (read, &[("bailiwick-token", token.as_str())], 200),
        (
            "/de/orders/XX-7?limit=10&page=5",
            &[("bailiwick-token", token.as_str())],
            403,
        ),
    ] {
        let answer = send(&app, request(Method::HEAD, uri, credential, "")).await;
        assert_eq!(answer.status.as_u16(), status, "{uri}");
        assert!(answer.body.is_empty());
    }
    let counters = verifier.counters();
    assert_eq!(counters.allowed(), 1);
    assert_eq!(counters.denied(Reason::MissingToken), 1);
    assert_eq!(counters.denied(Reason::NoGrant), 1);
}

/// A body that counts the bytes read from it. Its length is not announced.
struct Counted {
    left: usize,
    read: Arc<AtomicUsize>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let frame = self.left.min(1024);
        self.left = self.left.saturating_sub(frame);
        self.read.fetch_add(frame, Ordering::Relaxed);
        let data = (frame > 0).then(|| Ok(http_body::Frame::data(Bytes::from(vec![b'{'; frame]))));
        Poll::Ready(data)
    }
}

/// Headers of a request.
type Sent = Vec<(&'static str, String)>;

/// Credentials that are refused, each with its reason for the denial.
fn bad_credentials() -> Vec<(Sent, &'static str)> {
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let good = signed_by(&root(), &claims(1), GRANTS);
    let stranger = signed_by(&Root::from_seeds(2, 2), &claims(1), GRANTS);
    let mut forged = good.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let over = Claims {
        issued_at: now().minus(900),
        not_before: now().minus(900),
        expires: now(),
        ..claims(1)
    };
    let early = Claims {
        not_before: now().plus(1),
        ..claims(1)
    };
    let shortened = Caveat {
        expires: Some(now()),
        ..Caveat::default()
    };
    let lost = signed_by(&root(), &claims(66), GRANTS);
    let mut twice = bearer(&text(&good));
    twice.extend(bearer(&text(&lost)));
    vec![
        (Vec::new(), "missing_token"),
        (bearer("x"), "malformed"),
        (twice, "malformed"),
        (bearer(&"A".repeat(20_000)), "too_large"),
        (bearer(&text(&stranger)), "unknown_key"),
        (
            bearer(&text(&Token::from_bytes(forged).unwrap())),
            "bad_signature",
        ),
        (bearer(&text(&lost)), "revoked"),
        (bearer(&text(&signed_by(&root(), &over, GRANTS))), "expired"),
        (
            bearer(&text(&good.attenuate(&shortened).unwrap())),
            "expired",
        ),
        (
            bearer(&text(&signed_by(&root(), &early, GRANTS))),
            "not_yet_valid",
        ),
    ]
}

#[tokio::test]
async fn the_token_comes_before_the_body() {
    let app = app(&protect(verifier(), now()));
    for (credential, reason) in bad_credentials() {
        let mut headers: Vec<_> = credential
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        // The body is not JSON, has no media type, and is far too long, but none of it is read.
        let read = Arc::new(AtomicUsize::new(0));
        let body = || {
            let read = Arc::clone(&read);
            Body::new(Counted {
                left: 4 << 20,
                read,
            })
        };
        let answer = send(&app, request(Method::POST, "/orders", &headers, body())).await;
        answer.refused(401, reason);
        let dropped = read.swap(0, Ordering::Relaxed);
        assert!(dropped <= 256 * 1024 + 1024, "{reason}: {dropped}");
        // A sender that waits for `100 Continue` does not get it either.
        headers.push(("expect", "100-continue"));
        let answer = send(&app, request(Method::POST, "/orders", &headers, body())).await;
        answer.refused(401, reason);
        assert_eq!(read.load(Ordering::Relaxed), 0, "{reason}");
    }
}

#[tokio::test]
async fn denials_of_tokens_are_the_same_early_and_late() {
    let verifier = verifier();
    for (credential, reason) in bad_credentials() {
        let [(_, value)] = credential.as_slice() else {
            continue;
        };
        let token = value.trim_start_matches("Bearer ");
        let early = verifier.authenticate(token, now()).unwrap_err();
        let call = bailiwick_verifier::Call::new("purchase_order:create");
        let Decision::Deny(late) = verifier.check(token, &call, now()) else {
            panic!("{reason} was allowed");
        };
        assert_eq!(*early, late, "{reason}");
        assert_eq!(early.reason().code(), reason);
    }
}

/// An answer arrives over a socket even if the sender writes its whole body before reading.
#[tokio::test]
async fn a_refused_sender_reads_its_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&protect(verifier(), now()));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let order = |token: &str, length: usize| {
        let head = format!(
            "POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        [head.into_bytes(), vec![b' '; length]].concat()
    };
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    // The connection stays good for the next request.
    for (token, length, status) in [
        ("x", 60_000, "401"),
        ("x", 250_000, "401"),
        (token().as_str(), 200_000, "400"),
        (token().as_str(), 0, "403"),
    ] {
        socket.write_all(&order(token, length)).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert_ne!(socket.read_buf(&mut answer).await.unwrap(), 0);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    server.abort();
}

#[tokio::test]
async fn beside_oauth_only_our_header_counts() {
    let app = app(&protect(verifier(), now()).beside_oauth());
    let token = token();
    let bearer = format!("Bearer {token}");
    order(&app, &[("authorization", &bearer)], ORDER)
        .await
        .refused(401, "missing_token");
    let foreign = "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    let headers = [("authorization", foreign), ("bailiwick-token", &token)];
    let answer = order(&app, &headers, ORDER).await;
    assert_eq!(
        (answer.status, answer.header("seen-authorization")),
        (StatusCode::OK, Some(foreign))
    );
}

#[tokio::test]
async fn a_body_that_is_not_declared_is_not_touched() {
    let protect = protect(verifier(), now());
    let echo = tower::service_fn(|request: Request| async move {
        assert!(request.headers().get(header::AUTHORIZATION).is_none());
        Ok::<_, std::convert::Infallible>(request.into_body().into_response())
    });
    let grant = "[[grant]]\nservice = \"erp\"\naction = \"purchase_order:upload\"";
    let token = text(&signed_by(&root(), &claims(1), grant));
    let large = "x".repeat(300_000);
    let request = request(
        Method::PUT,
        "/",
        &[("bailiwick-token", &token)],
        large.clone(),
    );
    let response = protect
        .action("purchase_order:upload")
        .layer(echo)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(
        to_bytes(response.into_body(), 1 << 20).await.unwrap(),
        large
    );
}

#[test]
fn every_reason_has_its_status() {
    for reason in Reason::ALL {
        let expected = match reason.code() {
            "wrong_service" | "no_grant" | "caveat" | "policy" | "depth" | "evaluation_error"
            | "out_of_fuel" => 403,
            "bad_request" => 400,
            "stale_keyset" => 503,
            _ => 401,
        };
        assert_eq!(status(reason).as_u16(), expected, "{reason}");
    }
}

/// With a body of 64 KiB, and a token with 40 alternatives that refuse it, the answer is short even though
/// values are shown.
#[tokio::test]
async fn a_problem_is_short_whatever_the_call() {
    let app = app(&protect(verifier(), now()).explain(Values::Shown));
    let grant = |args: &str| {
        format!("[[grant]]\nservice = \"erp\"\naction = \"purchase_order:create\"\n{args}\n")
    };
    let scope: String = (0..40)
        .map(|index| grant(&format!("args = {{ a = {{ exact = [{index}] }} }}")))
        .collect();
    let token = narrowed(&signed_by(&root(), &claims(1), &grant("")), &scope);
    let token = text(&token);
    let repeated = |text: &str, count: usize| format!("{}{text}", format!("{text},").repeat(count));
    for body in [
        format!(r#"{{"a":[{}]}}"#, repeated("1", 32_000)),
        format!(r#"{{"a":[{}]}}"#, repeated(r#""\u0001\"""#, 5_000)),
        format!(r#"{{"a":"{}"}}"#, "\\\"".repeat(30_000)),
        format!(r#"{{"a":[7],"{}":1}}"#, "\\u202e".repeat(10_000)),
        format!(r#"{{"a":{}}}"#, "1".repeat(60_000)),
    ] {
        let answer = order(&app, &[("bailiwick-token", &token)], body).await;
        let problem = answer.refused(403, "caveat");
        let explain = problem["explain"].as_array().unwrap();
        assert!(explain.len() > 10, "{problem}");
        assert!(answer.body.len() < 36 * 1024, "{} bytes", answer.body.len());
    }
    // A problem about an unreadable body is short, too.
    for body in [
        format!(r#"{{"{}":1}}"#, ".".repeat(60_000)),
        format!(r#"{{"{0}":1,"{0}":1}}"#, "\\u202e".repeat(5_000)),
    ] {
        let answer = order(&app, &[("bailiwick-token", &token)], body).await;
        answer.refused(400, "bad_request");
        assert!(answer.body.len() < 6 * 1024, "{} bytes", answer.body.len());
    }
}
