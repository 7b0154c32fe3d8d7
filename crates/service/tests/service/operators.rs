//! Tests of operators' routes: admission, refusal, and the audit records of both.

use bailiwick_api::ProblemCode;
use bailiwick_issuer::{InitOptions, MintRequest, State};
use bailiwick_testkit::{
    ISSUER, grant, issuer,
    service::{Answer, Auth, START, Service, description},
    toml,
};
use bailiwick_token::timestamp::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

/// A request that an operator's token must allow.
struct Route {
    method: Method,
    path: String,
    action: &'static str,
    body: Value,
}

/// All routes, with a valid request for each. The objects that the requests name do not exist.
fn routes() -> Vec<Route> {
    let bearer = json!({ "bearer": [] });
    description::operations()
        .filter(|it| {
            let security = it.value.get("security").and_then(Value::as_array);
            security.is_some_and(|ways| ways.contains(&bearer))
        })
        .map(|it| {
            let action = it.value["x-bailiwick-action"].as_str().unwrap();
            Route {
                method: it.method,
                path: it
                    .path
                    .replace("{id}", "00000000")
                    .replace("{name}", "nobody"),
                action,
                body: body(action),
            }
        })
        .collect()
}

/// A client's public key (RFC 8410, section 10.1).
fn key() -> Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE",
        "kid": "2026-11",
    })
}

fn body(action: &str) -> Value {
    let grants = json!({ "grant": [{ "service": "erp", "action": "report:read" }] });
    match action {
        "token:mint" => {
            json!({ "agent": "agent:a", "principal": "team:b", "ttl": 60, "grants": grants })
        }
        "key:revoke" => json!({ "reason": "a test" }),
        "keyset:set" => json!({ "revocation_url": "https://issuer.example/revocations" }),
        "revocation:create" => json!({ "agents": ["agent:nobody"], "reason": "a test" }),
        "client:key_add" => json!({ "keys": [key()] }),
        "client:add" => {
            json!({ "name": "new", "principal": "team:b", "profiles": ["buyer"], "claims": {} })
        }
        _ => Value::Null,
    }
}

/// Operators' calls, and checks of their effects.
trait Operators {
    async fn call(&self, route: &Route, auth: Auth<'_>) -> Answer;
    /// Number of audit rows, not counting refusals.
    async fn rows(&self) -> usize;
    /// Checks that every route refuses these credentials, and that nothing changes.
    async fn refuses(&self, auth: Auth<'_>, status: u16, code: ProblemCode, reason: Option<&str>);
    async fn active_key(&self) -> String;
}

impl Operators for Service {
    async fn call(&self, route: &Route, auth: Auth<'_>) -> Answer {
        match route.method {
            Method::POST => self.post(&route.path, auth, &route.body).await,
            _ => {
                self.send(route.method.clone(), &route.path, auth, &[], "")
                    .await
            }
        }
    }

    async fn rows(&self) -> usize {
        let filter = bailiwick_issuer::AuditFilter::default();
        let rows = self.issuer.audit_list(&filter).await.unwrap();
        let done = rows.iter().filter(|row| row.event != "operator.refused");
        done.count()
    }

    async fn refuses(&self, auth: Auth<'_>, status: u16, code: ProblemCode, reason: Option<&str>) {
        let rows = self.rows().await;
        for mut route in routes() {
            // Without an operator's token, the caller is a client, whose request names no agent.
            if route.action == "token:mint" && matches!(auth, Auth::None | Auth::Bearer("")) {
                route.body = json!({});
            }
            let answer = self.call(&route, auth).await;
            let problem = answer.is_problem(status, code);
            let place = format!("{} {}", route.method, route.path);
            assert_eq!(problem.reason.as_deref(), reason, "{place}");
            let challenge = match (status, reason) {
                (403, _) => "Bearer error=\"insufficient_scope\"",
                (_, None) => "Bearer",
                (_, Some(_)) => "Bearer error=\"invalid_token\"",
            };
            assert_eq!(
                answer.header("www-authenticate"),
                Some(challenge),
                "{place}"
            );
        }
        assert_eq!(self.rows().await, rows);
    }

    async fn active_key(&self) -> String {
        let keys = self.issuer.keys().await.unwrap();
        let active = keys.iter().find(|key| key.state == State::Active);
        active.unwrap().id.to_string()
    }
}

fn everything() -> String {
    grant("bailiwick", "*")
}

#[tokio::test]
async fn without_the_right_token_nothing_is_done() {
    let service = Service::start().await;
    assert_eq!(routes().len(), 24);
    let (expired, _) = service.mint("ada", &everything()).await;
    service.time.pass(600);
    let unauthenticated = ProblemCode::Unauthenticated;
    service
        .refuses(Auth::None, 401, unauthenticated, None)
        .await;
    for (token, reason) in [("nonsense", "malformed"), (expired.as_str(), "expired")] {
        let auth = Auth::Bearer(token);
        service
            .refuses(auth, 401, unauthenticated, Some(reason))
            .await;
    }
    let (other, _) = service.mint("ada", &grant("erp", "*")).await;
    let other = Auth::Bearer(&other);
    service
        .refuses(other, 403, ProblemCode::Denied, Some("wrong_service"))
        .await;
    let (elsewhere, _) = service.mint("ada", &grant("bailiwick", "other:*")).await;
    let elsewhere = Auth::Bearer(&elsewhere);
    service
        .refuses(elsewhere, 403, ProblemCode::Denied, Some("no_grant"))
        .await;
    let stranger = by_another_issuer().await;
    let stranger = Auth::Bearer(&stranger);
    service
        .refuses(stranger, 401, unauthenticated, Some("unknown_key"))
        .await;
}

/// A token of another issuer that has only its name in common with this one.
async fn by_another_issuer() -> String {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_unix(START + 600).unwrap();
    let home = dir.path().join("home");
    let issuer = issuer::init(&home, InitOptions::new(ISSUER), now).await;
    let request = issuer::order("ada", toml(&everything()), 600);
    let minted = issuer.mint(&request, now).await.unwrap();
    minted.token.to_base64().to_string()
}

#[tokio::test]
async fn each_action_opens_its_own_routes_and_no_others() {
    let service = Service::start().await;
    for route in routes() {
        let (token, _) = service.mint("ada", &grant("bailiwick", route.action)).await;
        for other in routes() {
            let answer = service.call(&other, Auth::Bearer(&token)).await;
            let place = format!("{}: {} {}", route.action, other.method, other.path);
            if other.action == route.action {
                assert!(
                    ![400, 401, 403].contains(&answer.status),
                    "{place}: {answer:?}"
                );
            } else {
                assert_eq!(answer.status, 403, "{place}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_operator_is_out_at_once_and_everywhere() {
    let service = Service::start().await;
    let another = service.another().await;
    let (admin, _) = service.mint("admin", &everything()).await;
    let keys =
        async |place: &Service, token: &str| place.get("/v1/keys", Auth::Bearer(token)).await;
    for (kind, name) in [
        ("tokens", None),
        ("agents", Some("ada")),
        ("principals", Some("user:ada")),
        ("tenants", Some("initech")),
    ] {
        let request = MintRequest {
            principal: "user:ada".to_owned(),
            tenant: Some("initech".to_owned()),
            ..issuer::order("ada", toml(&everything()), 600)
        };
        let minted = service.issuer.mint(&request, service.now()).await.unwrap();
        let token = minted.token.to_base64();
        let id = minted.receipt.token_id.to_string();
        for place in [&service, &another] {
            assert_eq!(keys(place, &token).await.status, 200, "{kind}");
        }
        let body = json!({ (kind): [name.unwrap_or(&id)], "reason": "left" });
        let done = another
            .post("/v1/revocations", Auth::Bearer(&admin), &body)
            .await;
        assert_eq!(done.json()[0]["outcome"], "revoked", "{done:?}");
        for place in [&service, &another] {
            let problem = keys(place, &token)
                .await
                .is_problem(401, ProblemCode::Unauthenticated);
            assert_eq!(problem.reason.as_deref(), Some("revoked"), "{kind}");
            assert_eq!(keys(place, &admin).await.status, 200);
        }
        // A watermark covers only tokens issued before it.
        service.time.pass(1);
    }
    let listed = service
        .get("/v1/revocations", Auth::Bearer(&admin))
        .await
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let rest = service
        .get("/v1/revocations?after=3", Auth::Bearer(&admin))
        .await
        .json();
    assert_eq!(rest.as_array().unwrap().len(), 1);
    // An operator may revoke the key that signed its own token.
    let path = format!("/v1/keys/{}/revoke", service.active_key().await);
    let done = another
        .post(&path, Auth::Bearer(&admin), &json!({ "reason": "leaked" }))
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    for place in [&service, &another] {
        let problem = keys(place, &admin)
            .await
            .is_problem(401, ProblemCode::Unauthenticated);
        assert_eq!(problem.reason.as_deref(), Some("revoked_key"));
    }
    let (successor, _) = service.mint("admin", &everything()).await;
    assert_eq!(keys(&service, &successor).await.status, 200);
}

#[tokio::test]
async fn an_operator_is_still_admitted_after_days() {
    let service = Service::start().await;
    // Some of these intervals exceed the lifetime of a snapshot, a head and a keyset.
    for seconds in [59, 61, 3_599, 3_601, 86_399, 86_401, 864_000] {
        service.time.pass(seconds);
        let token = service.operator(&["key:list"]).await;
        let answer = service.get("/v1/keys", Auth::Bearer(&token)).await;
        assert_eq!(answer.status, 200, "{seconds}: {answer:?}");
    }
}

#[tokio::test]
async fn the_audit_names_the_operator() {
    let service = Service::start().await;
    let (token, id) = service.mint("ada", &everything()).await;
    let auth = Auth::Bearer(&token);
    let actor = format!("operator:ada ({id})");
    let new_client = body("client:add");
    for (path, body, events) in [
        ("/v1/keys", Value::Null, vec!["key.stage"]),
        ("/v1/revocations", body("revocation:create"), vec!["revoke"]),
        ("/v1/clients", new_client, vec!["client.add"]),
        (
            "/v1/clients/new/rotate",
            json!({ "overlap": 60 }),
            vec!["client.rotate"],
        ),
        (
            "/v1/clients/new/keys",
            body("client:key_add"),
            vec!["client.key.add"],
        ),
        (
            "/v1/clients/new/keys/dd8671049d768ced/remove",
            Value::Null,
            vec!["client.key.remove"],
        ),
        (
            "/v1/clients/new/disable",
            Value::Null,
            vec!["client.disable"],
        ),
        ("/v1/tokens", body("token:mint"), vec!["mint"]),
    ] {
        let before = service.rows().await;
        let answer = service.post(path, auth, &body).await;
        assert!([200, 201].contains(&answer.status), "{path}: {answer:?}");
        let path = format!("/v1/audit?after={before}");
        let rows = service.get(&path, auth).await.json();
        let rows = rows.as_array().unwrap();
        let found: Vec<_> = rows
            .iter()
            .map(|row| row["event"].as_str().unwrap())
            .collect();
        assert_eq!(found, events, "{path}");
        assert!(rows.iter().all(|row| row["actor"] == actor), "{rows:?}");
    }
    // The service does not keep the secret that this answer shows once.
    let rotated = service
        .post("/v1/clients/new/rotate", auth, &Value::Null)
        .await;
    rotated.is_problem(409, ProblemCode::Guarded);
    let again = service.post("/v1/clients", auth, &body("client:add")).await;
    again.is_problem(409, ProblemCode::Guarded);
    let mut other = body("client:add");
    other["name"] = json!("other");
    let added = service.post("/v1/clients", auth, &other).await;
    assert_eq!(added.header("cache-control"), Some("no-store"));
    let secret = added.json()["secret"].as_str().unwrap().to_owned();
    let token = service.token(
        Auth::Basic("other", &secret),
        &[("grant_type", "client_credentials")],
    );
    token.await.is_token();
    // The audit log is intact, and a checkpoint covers it.
    let checkpoint = service
        .post("/v1/audit/checkpoints", auth, &Value::Null)
        .await;
    assert_eq!(checkpoint.status, 201);
    let kept = json!({ "checkpoints": [checkpoint.json()] });
    let report = service.post("/v1/audit/verify", auth, &kept).await.json();
    assert_eq!(report["finding"], Value::Null);
    assert_eq!(report["rows"], report["checkpoint"]);
    let forged =
        json!({ "checkpoints": [{ "payloadType": "x", "payload": "", "signatures": [] }] });
    let answer = service.post("/v1/audit/verify", auth, &forged).await;
    answer.is_problem(400, ProblemCode::BadRequest);
}

/// The issuer derives its view of its own revocations from the feed, and keeps that view fresh.
#[tokio::test]
async fn an_operator_is_admitted_long_after_a_revocation() {
    let service = Service::start().await;
    let (token, _) = service.mint("ada", &everything()).await;
    let auth = Auth::Bearer(&token);
    assert_eq!(service.get("/v1/keys", auth).await.status, 200);
    for seconds in [61, 200, 299] {
        let revoked = service
            .post("/v1/revocations", auth, &body("revocation:create"))
            .await;
        assert_eq!(revoked.status, 200);
        assert_eq!(service.get("/v1/keys", auth).await.status, 200);
        service.time.pass(seconds);
        let answer = service.get("/v1/keys", auth).await;
        assert_eq!(answer.status, 200, "after {seconds} s: {answer:?}");
    }
}

#[tokio::test]
async fn refusals_of_operators_are_recorded() {
    let service = Service::start().await;
    let grants = grant("bailiwick", "key:list");
    let (token, id) = service.mint("ada", &grants).await;
    let auth = Auth::Bearer(&token);
    service.get("/v1/keys", auth).await.json();
    for _ in 0..40 {
        let answer = service.post("/v1/keys/rotate", auth, &Value::Null).await;
        answer.is_problem(403, ProblemCode::Denied);
    }
    let rows = service.audit().await;
    let refused = rows.iter().filter(|row| row["event"] == "operator.refused");
    let refused: Vec<_> = refused.collect();
    // Only one minute's allowance is recorded, so that refusals cannot fill the audit log. Part of the minute may
    // have passed.
    assert!((30..40).contains(&refused.len()), "{}", refused.len());
    assert_eq!(refused[0]["actor"], json!(format!("operator:ada ({id})")));
    assert_eq!(
        refused[0]["detail"],
        json!({ "action": "key:rotate", "error": "no_grant" })
    );
    // A caller that cannot be verified is unknown, and leaves a row as well.
    let forged = format!("{token}x");
    service
        .post("/v1/keys/rotate", Auth::Bearer(&forged), &Value::Null)
        .await;
    assert_eq!(service.audit().await.len(), rows.len() + 2);
}

#[tokio::test]
async fn the_audit_is_listed_by_what_is_asked() {
    let service = Service::start().await;
    let (token, _) = service.mint("ada", &everything()).await;
    let auth = Auth::Bearer(&token);
    service.post("/v1/keys", auth, &Value::Null).await;
    let list = async |query: &str| {
        let answer = service.get(&format!("/v1/audit{query}"), auth).await;
        answer.json().as_array().unwrap().len()
    };
    let all = list("").await;
    assert_eq!(list("?event=key.stage").await, 3);
    assert_eq!(list("?agent=ada").await, 1);
    assert_eq!(list("?principal=user:operator&event=mint").await, 1);
    assert_eq!(list("?agent=nobody").await, 0);
    assert_eq!(list("?limit=2").await, 2);
    assert_eq!(list("?before=3").await, 2);
    assert_eq!(list("?after=1").await, all - 1);
    for wrong in [
        "?event=nothing",
        "?limit=-1",
        "?limit=many",
        "?since=yesterday",
        "?before=",
        "?order=up",
        "?agent=a&agent=b",
    ] {
        let answer = service.get(&format!("/v1/audit{wrong}"), auth).await;
        answer.is_problem(400, ProblemCode::BadRequest);
    }
}

#[tokio::test]
async fn guards_say_what_they_wait_for() {
    let service = Service::start().await;
    let (token, _) = service.mint("ada", &everything()).await;
    let auth = Auth::Bearer(&token);
    let staged = service.post("/v1/keys", auth, &Value::Null).await;
    assert_eq!(staged.status, 201);
    let id = staged.json()["changes"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let activate = format!("/v1/keys/{id}/activate");
    let problem = service
        .post(&activate, auth, &Value::Null)
        .await
        .is_problem(409, ProblemCode::Guarded);
    let guard = problem.guard.unwrap();
    // The publication time is four times the refresh hint.
    assert_eq!(
        (guard.id.to_string(), guard.until),
        (id.clone(), service.now().plus(120))
    );
    let active = service.active_key().await;
    let wrong = service
        .post(&format!("/v1/keys/{active}/activate"), auth, &Value::Null)
        .await;
    assert_eq!(wrong.is_problem(409, ProblemCode::Guarded).guard, None);
    for (path, body, status, code) in [
        (
            "/v1/keys/ffffffff/activate",
            Value::Null,
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/keys/not-a-key/activate",
            Value::Null,
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/keys/%FF/activate",
            Value::Null,
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/keys/ffffffff/activate",
            json!({ "forced": true }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/keys/ffffffff/activate",
            json!({ "force": 1 }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/keys/ffffffff/revoke",
            json!({}),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/keys/ffffffff/revoke",
            json!({ "reason": "two\nlines" }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/clients/nobody/rotate",
            Value::Null,
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/clients/nobody/disable",
            Value::Null,
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/clients/nobody/keys",
            body("client:key_add"),
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/clients/nobody/keys",
            json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/clients/nobody/keys",
            json!({ "keys": [] }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/clients/nobody/keys/0011223344556677/remove",
            Value::Null,
            404,
            ProblemCode::NotFound,
        ),
        (
            "/v1/clients/%FF/disable",
            Value::Null,
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "reason": "nobody" }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "agents": ["a"] }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "agents": [""], "reason": "x" }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "tokens": ["short"], "reason": "x" }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "blocks": ["00"], "reason": "x" }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "agents": ["a"], "reason": "x", "issued_before": service.now().plus(60) }),
            400,
            ProblemCode::BadRequest,
        ),
        (
            "/v1/revocations",
            json!({ "agents": vec!["a"; 1_001], "reason": "x" }),
            400,
            ProblemCode::BadRequest,
        ),
    ] {
        let answer = service.post(path, auth, &body).await;
        answer.is_problem(status, code);
    }
    // `force` is an argument, so a grant can forbid it.
    let careful = format!(
        "{}[grant.args]\nforce = false\n",
        grant("bailiwick", "key:activate")
    );
    let (careful, _) = service.mint("careful", &careful).await;
    let force = json!({ "force": true });
    let denied = service
        .post(&activate, Auth::Bearer(&careful), &force)
        .await;
    denied.is_problem(403, ProblemCode::Denied);
    let waits = service
        .post(&activate, Auth::Bearer(&careful), &Value::Null)
        .await;
    waits.is_problem(409, ProblemCode::Guarded);
    let forced = service.post(&activate, auth, &force).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    assert_eq!(service.active_key().await, id);
    let retire = service
        .post(&format!("/v1/keys/{active}/retire"), auth, &Value::Null)
        .await;
    let guard = retire.is_problem(409, ProblemCode::Guarded).guard.unwrap();
    let until = service.now().plus(3_600 + 60 + 86_400);
    assert_eq!((guard.id.to_string(), guard.until), (active, until));
    let rotation = service.post("/v1/keys/rotate", auth, &Value::Null).await;
    assert_eq!(rotation.status, 200);
    assert!(!rotation.json()["waiting"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_operator_mints_within_its_grant_and_never_an_operator() {
    let service = Service::start().await;
    let bounded = format!(
        "{}[grant.args]\nagent = {{ prefix = \"agent:\" }}\nprincipal = \"team:b\"\nttl = {{ max = \"300\" }}\n\
         services = {{ all_of_in = [\"erp\", \"crm\"] }}\n",
        grant("bailiwick", "token:mint")
    );
    let (bounded, id) = service.mint("ada", &bounded).await;
    let (free, _) = service.mint("root", &everything()).await;
    let with = |members: Value| {
        let mut wanted = body("token:mint");
        wanted
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        wanted
    };
    for (members, bounded_status, free_status) in [
        (json!({}), 201, 201),
        (json!({ "ttl": 300 }), 201, 201),
        (json!({ "task": "read", "max_depth": 2 }), 201, 201),
        // A grant that does not mention claims, or other services, does not include them.
        (json!({ "claims": { "region": "eu" } }), 403, 201),
        (
            json!({ "grants": { "grant": [{ "service": "payroll", "action": "*" }] } }),
            403,
            201,
        ),
        (
            json!({ "grants": { "grant": [
                { "service": "crm", "action": "*" },
                { "service": "erp", "action": "*" },
            ] } }),
            201,
            201,
        ),
        (json!({ "ttl": 301 }), 403, 201),
        (json!({ "ttl": 3_601 }), 403, 403),
        (json!({ "ttl": 0 }), 403, 403),
        (json!({ "agent": "root" }), 403, 201),
        (json!({ "principal": "team:c" }), 403, 201),
        (json!({ "tenant": "acme" }), 403, 201),
        // Missing members get no default, and members that are not for operators are not ignored.
        (json!({ "agent": null }), 400, 400),
        (json!({ "ttl": null }), 400, 400),
        (json!({ "grants": null }), 400, 400),
        (json!({ "profile": "buyer" }), 400, 400),
        (json!({ "services": ["erp"] }), 400, 400),
        (json!({ "subject_token": "a.b.c" }), 400, 400),
        (json!({ "ttl": u64::MAX }), 400, 400),
    ] {
        for (token, status) in [(&bounded, bounded_status), (&free, free_status)] {
            let answer = service
                .post("/v1/tokens", Auth::Bearer(token), &with(members.clone()))
                .await;
            assert_eq!(answer.status, status, "{members}: {answer:?}");
        }
    }
    let operators = [
        json!([{ "service": "bailiwick", "action": "key:list" }]),
        json!([{ "service": "erp", "action": "*" }, { "service": "bailiwick", "action": "*" }]),
    ];
    for grants in operators {
        let wanted = with(json!({ "grants": { "grant": grants } }));
        for token in [&bounded, &free] {
            let answer = service
                .post("/v1/tokens", Auth::Bearer(token), &wanted)
                .await;
            answer.is_problem(403, ProblemCode::Denied);
        }
    }
    // A service must be named, not given as a pattern that would match this one.
    for service_name in ["*", "bailiwick*", "bail*"] {
        let grants = json!([{ "service": service_name, "action": "*" }]);
        let wanted = with(json!({ "grants": { "grant": grants } }));
        let answer = service
            .post("/v1/tokens", Auth::Bearer(&free), &wanted)
            .await;
        answer.is_problem(400, ProblemCode::BadRequest);
    }
    let rows = service.audit().await;
    let actor = json!(format!("operator:ada ({id})"));
    let minted = rows
        .iter()
        .filter(|row| row["actor"] == actor && row["event"] == "mint");
    assert_eq!(minted.count(), 4);
}

#[tokio::test]
async fn operators_that_register_clients_can_be_limited_to_profiles() {
    let service = Service::start().await;
    let bounded = format!(
        "{}[grant.args]\nname = \"*\"\nprincipal = \"team:b\"\nprofiles = {{ all_of_in = [\"buyer\"] }}\n",
        grant("bailiwick", "client:add")
    );
    let (token, _) = service.mint("ada", &bounded).await;
    for (name, profiles, status) in [
        ("a", json!(["buyer"]), 201),
        ("b", json!(["buyer", "operators"]), 403),
        ("c", json!(["operators"]), 403),
        ("d", json!([]), 400),
    ] {
        let mut client = body("client:add");
        client["name"] = json!(name);
        client["profiles"] = profiles;
        let answer = service
            .post("/v1/clients", Auth::Bearer(&token), &client)
            .await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
}

/// Serde would also take the values of an object's members as an array.
#[tokio::test]
async fn a_body_is_an_object() {
    let service = Service::start().await;
    let token = service
        .operator(&["key:revoke", "keyset:set", "revocation:create"])
        .await;
    let url = json!("https://issuer.example/revocations");
    for (path, body) in [
        ("/v1/keyset", json!([url])),
        ("/v1/keys/00000000/revoke", json!(["stolen"])),
        (
            "/v1/revocations",
            json!([[], [], null, ["agent:a"], [], [], null, null, "x"]),
        ),
    ] {
        let answer = service.post(path, Auth::Bearer(&token), &body).await;
        let detail = answer.is_problem(400, ProblemCode::BadRequest).detail;
        assert!(
            detail.contains("invalid type: sequence"),
            "{path}: {detail}"
        );
    }
}

/// PostgreSQL cannot store NUL in texts, so such texts are never sent to a database.
#[tokio::test]
async fn nul_is_a_bad_request() {
    let service = Service::start().await;
    let token = service
        .operator(&[
            "audit:list",
            "client:*",
            "verifier:forget",
            "revocation:create",
        ])
        .await;
    let auth = Auth::Bearer(&token);
    for column in ["agent", "principal", "token"] {
        let path = format!("/v1/audit?{column}=a%00b");
        let problem = service.get(&path, auth).await;
        let detail = problem.is_problem(400, ProblemCode::BadRequest).detail;
        assert!(detail.contains("NUL"), "{detail}");
    }
    for verb in ["rotate", "disable"] {
        let path = format!("/v1/clients/a%00b/{verb}");
        let problem = service.post(&path, auth, &Value::Null).await;
        problem.is_problem(400, ProblemCode::BadRequest);
    }
    let method = Method::DELETE;
    let problem = service.send(method, "/v1/verifiers/a%00b", auth, &[], "");
    problem.await.is_problem(400, ProblemCode::BadRequest);
    let body = json!({ "agents": ["a\u{0}b"], "reason": "a test" });
    let problem = service.post("/v1/revocations", auth, &body).await;
    problem.is_problem(400, ProblemCode::BadRequest);
    let body = json!({ "tenants": ["a"], "reason": "a\u{0}b" });
    let problem = service.post("/v1/revocations", auth, &body).await;
    problem.is_problem(400, ProblemCode::BadRequest);
    let client = json!({ "name": "a", "principal": "a\u{0}b", "profiles": ["buyer"] });
    let problem = service.post("/v1/clients", auth, &client).await;
    problem.is_problem(400, ProblemCode::BadRequest);
    // In JSON, NUL is written as an escape of six characters.
    let client = json!({ "name": "a", "principal": "b", "profiles": ["a\u{0}b"] });
    let added = service.post("/v1/clients", auth, &client).await;
    assert_eq!(added.status, 201, "{added:?}");
}

#[tokio::test]
async fn unreachable_client_names_are_refused() {
    let service = Service::start().await;
    let token = service.operator(&["client:add"]).await;
    for name in [
        "", ".", "..", "..;", "%2e", "%2E%2e", "a/b", "a\\b", "a?b", "a#b",
    ] {
        let client = json!({ "name": name, "principal": "b", "profiles": ["buyer"] });
        let problem = service.post("/v1/clients", Auth::Bearer(&token), &client);
        problem.await.is_problem(400, ProblemCode::BadRequest);
    }
    assert!(service.issuer.clients().await.unwrap().is_empty());
}
