//! Tests of `POST /v1/token` with `client_credentials`, and of `POST /v1/tokens` for clients.

use bailiwick_api::ProblemCode;
use bailiwick_testkit::{
    ISSUER, grant,
    service::{Answer, Auth, Service, Setup},
};
use bailiwick_verifier::Call;
use reqwest::Method;
use serde_json::json;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const BUYER: (&str, &str) = ("scope", "buyer");
const FORM: &str = "application/x-www-form-urlencoded";

/// Starts a service with a client that is registered for several profiles: some match it, one matches other
/// clients only, and one does not exist.
async fn with_client() -> (Service, String) {
    let service = Service::start().await;
    let profiles = ["buyer", "treasurer", "seldom", "imagined"];
    let secret = service.client("a&b+c", &profiles).await;
    (service, secret)
}

fn basic(secret: &str) -> Auth<'_> {
    Auth::Basic("a&b+c", secret)
}

#[tokio::test]
async fn a_client_gets_a_token_by_header_and_by_body() {
    let (service, secret) = with_client().await;
    let by_header = service.token(basic(&secret), &[GRANT, BUYER]).await;
    let named_again = [GRANT, BUYER, ("client_id", "a&b+c")];
    let named_again = service.token(basic(&secret), &named_again).await;
    let body = [
        GRANT,
        BUYER,
        ("client_id", "a&b+c"),
        ("client_secret", &secret),
    ];
    let by_body = service.token(Auth::None, &body).await;
    let verifier = service.verifier("erp").await;
    for answer in [by_header, named_again, by_body] {
        let token = answer.is_token();
        assert_eq!(answer.json()["scope"], "buyer");
        assert_eq!(answer.json()["expires_in"], 600);
        let allowed = verifier.check(&token, &Call::new("purchase_order:create"), service.now());
        assert!(allowed.is_allow(), "{allowed:?}");
        let identity = allowed.identity().unwrap();
        assert_eq!(identity.agent, "agent:a&b+c");
        assert_eq!(identity.principal, "team:procurement");
        for (call, seconds) in [("payment:create", 0), ("purchase_order:create", 600)] {
            let later = service.now().plus(seconds);
            assert!(!verifier.check(&token, &Call::new(call), later).is_allow());
        }
    }
}

#[tokio::test]
async fn unknown_callers_get_nothing() {
    let (service, secret) = with_client().await;
    let half = secret.split_once('.').unwrap().0;
    let challenge = Some("Basic realm=\"bailiwick\", charset=\"UTF-8\"");
    for (name, wrong) in [
        ("a&b+c", "wrong"),
        ("a&b+c", ""),
        ("a&b+c", half),
        ("a/b%2Bc", secret.as_str()),
        ("A/B+C", secret.as_str()),
        ("nobody", secret.as_str()),
        ("", secret.as_str()),
    ] {
        let answer = service
            .token(Auth::Basic(name, wrong), &[GRANT, BUYER])
            .await;
        answer.is_oauth(401, "invalid_client");
        assert_eq!(answer.header("www-authenticate"), challenge);
        let body = [GRANT, BUYER, ("client_id", name), ("client_secret", wrong)];
        let answer = service.token(Auth::None, &body).await;
        // An empty parameter counts as absent.
        if name.is_empty() && !wrong.is_empty() {
            answer.is_oauth(400, "invalid_request");
        } else {
            answer.is_oauth(401, "invalid_client");
        }
    }
    let nobody = service.token(Auth::None, &[GRANT, BUYER]).await;
    nobody.is_oauth(401, "invalid_client");
    assert_eq!(nobody.header("www-authenticate"), challenge);
    service
        .issuer
        .client_disable("a&b+c", service.now())
        .await
        .unwrap();
    let disabled = service.token(basic(&secret), &[GRANT, BUYER]).await;
    disabled.is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn a_request_that_means_several_things_means_nothing() {
    let (service, secret) = with_client().await;
    let id = ("client_id", "a&b+c");
    let by_body = ("client_secret", secret.as_str());
    let assertion = ("client_assertion", "a.b.c");
    let kind = (
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    );
    let two_ways: [(Auth<'_>, &[(&str, &str)]); 4] = [
        (basic(&secret), &[GRANT, BUYER, id, by_body]),
        (basic(&secret), &[GRANT, BUYER, assertion, kind]),
        (Auth::None, &[GRANT, BUYER, id, by_body, assertion, kind]),
        (basic(&secret), &[GRANT, BUYER, ("client_id", "another")]),
    ];
    for (auth, form) in two_ways {
        let answer = service.token(auth, form).await;
        answer.is_oauth(400, "invalid_request");
    }
    for name in [
        "grant_type",
        "scope",
        "client_id",
        "client_secret",
        "requested_token_type",
    ] {
        let form = [
            GRANT,
            BUYER,
            id,
            by_body,
            (name, "a&b+c"),
            (name, "another"),
        ];
        let answer = service.token(Auth::None, &form).await;
        let says = answer.is_oauth(400, "invalid_request");
        assert!(
            says.contains(name) && says.contains("more than once"),
            "{says}"
        );
    }
    let twice = [("authorization", "Basic YTpi")];
    let media = [("content-type", FORM), twice[0]];
    let form = "grant_type=client_credentials&scope=buyer";
    let answer = service
        .send(Method::POST, "/v1/token", basic(&secret), &media, form)
        .await;
    answer.is_oauth(400, "invalid_request");
}

#[tokio::test]
async fn unreadable_forms_are_refused_in_words() {
    let (service, secret) = with_client().await;
    let form = "grant_type=client_credentials&scope=buyer";
    for media in [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("multipart/form-data"),
        Some("application/x-www-form-urlencoded; charset=utf-16"),
        Some("application/x-www-form-urlencoded; charset =utf-16"),
        Some("application/x-www-form-urlencoded; charset=utf-8; charset=utf-16"),
    ] {
        let headers: Vec<_> = media
            .map(|media| ("content-type", media))
            .into_iter()
            .collect();
        let answer = service
            .send(Method::POST, "/v1/token", basic(&secret), &headers, form)
            .await;
        let says = answer.is_oauth(400, "invalid_request");
        assert!(says.contains(FORM), "{says}");
    }
    for (body, says) in [
        ("x".repeat(256 * 1024 + 1), "262144 bytes"),
        ("a=b&".repeat(65), "64 parameters"),
        (String::new(), "grant_type"),
        ("grant_type=".to_owned(), "grant_type"),
    ] {
        // Some libraries send parameters after the media type.
        let media = [(
            "content-type",
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        )];
        let answer = service
            .send(Method::POST, "/v1/token", basic(&secret), &media, body)
            .await;
        let text = answer.is_oauth(400, "invalid_request");
        assert!(text.contains(says), "{text}");
    }
    for (name, value, error) in [
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "authorization_code", "unsupported_grant_type"),
        ("grant_type", "CLIENT_CREDENTIALS", "unsupported_grant_type"),
        ("scope", "buyer seldom", "invalid_scope"),
        ("subject_token", "a.b.c", "invalid_request"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:jwt",
            "invalid_request",
        ),
    ] {
        let mut form = vec![(name, value)];
        form.extend(
            [GRANT, BUYER]
                .into_iter()
                .filter(|(other, _)| *other != name),
        );
        service
            .token(basic(&secret), &form)
            .await
            .is_oauth(400, error);
    }
}

#[tokio::test]
async fn a_profile_for_others_looks_like_none() {
    let (service, secret) = with_client().await;
    let mut texts = Vec::new();
    // The profiles are for others; registered but missing; existing but not registered; or neither.
    let other = service.client("other", &["seldom"]).await;
    for (auth, scope) in [
        (basic(&secret), "treasurer"),
        (basic(&secret), "imagined"),
        (Auth::Basic("other", &other), "buyer"),
        (Auth::Basic("other", &other), "nonsense"),
    ] {
        let answer = service.token(auth, &[GRANT, ("scope", scope)]).await;
        texts.push(answer.is_oauth(400, "invalid_scope"));
        assert!(!answer.text.contains(scope), "{answer:?}");
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    // Without a scope, the only profile is used; several profiles are ambiguous.
    let only = service.token(Auth::Basic("other", &other), &[GRANT]).await;
    only.is_token();
    assert_eq!(only.json()["scope"], "seldom");
    let several = service.token(basic(&secret), &[GRANT]).await;
    several.is_oauth(400, "invalid_scope");
    let none = service.client("none", &["imagined"]).await;
    let none = service.token(Auth::Basic("none", &none), &[GRANT]).await;
    none.is_oauth(400, "unauthorized_client");
}

#[tokio::test]
async fn a_resource_leaves_services_out() {
    let (service, secret) = with_client().await;
    for (form, erp, crm) in [
        (vec![], true, true),
        (vec![("resource", "erp")], true, false),
        (vec![("audience", "crm")], false, true),
        (vec![("resource", "erp"), ("resource", "crm")], true, true),
        (vec![("resource", "erp"), ("audience", "crm")], true, true),
    ] {
        let form = [vec![GRANT, BUYER], form].concat();
        let token = service.token(basic(&secret), &form).await.is_token();
        for (name, action, allowed) in [
            ("erp", "purchase_order:create", erp),
            ("crm", "contact:read", crm),
        ] {
            let verifier = service.verifier(name).await;
            let decision = verifier.check(&token, &Call::new(action), service.now());
            assert_eq!(decision.is_allow(), allowed, "{form:?}: {name}");
        }
    }
    for unknown in [
        vec![("resource", "bank")],
        vec![("resource", "https://erp.example")],
        vec![("resource", "erp"), ("audience", "bank")],
    ] {
        let form = [vec![GRANT, BUYER], unknown].concat();
        let answer = service.token(basic(&secret), &form).await;
        answer.is_oauth(400, "invalid_target");
    }
}

#[tokio::test]
async fn a_rate_holds_per_caller() {
    let (service, secret) = with_client().await;
    let other = service.client("other", &["seldom"]).await;
    let seldom = [GRANT, ("scope", "seldom")];
    for _ in 0..2 {
        service.token(basic(&secret), &seldom).await.is_token();
    }
    let answer = service.token(basic(&secret), &seldom).await;
    answer.is_oauth(429, "slow_down");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    let body = json!({ "profile": "seldom" });
    let answer = service.post("/v1/tokens", basic(&secret), &body).await;
    answer.is_problem(429, ProblemCode::TooMany);
    // The rate does not apply to other clients or to other profiles.
    service
        .token(Auth::Basic("other", &other), &seldom)
        .await
        .is_token();
    service
        .token(basic(&secret), &[GRANT, BUYER])
        .await
        .is_token();
}

#[tokio::test]
async fn guessing_ends() {
    let mut setup = Setup::default();
    setup.config.limits.failures_per_minute = 2;
    let service = setup.start().await;
    let secret = service.client("victim", &["buyer"]).await;
    let right = Auth::Basic("victim", &secret);
    for _ in 0..2 {
        let answer = service
            .token(Auth::Basic("victim", "guess"), &[GRANT])
            .await;
        answer.is_oauth(401, "invalid_client");
    }
    let answer = service.token(right, &[GRANT]).await;
    answer.is_oauth(429, "invalid_client");
    assert_eq!(answer.header("retry-after"), Some("60"));
    let answer = service.post("/v1/tokens", right, &json!({})).await;
    answer.is_problem(429, ProblemCode::TooMany);
    let other = service.client("other", &["buyer"]).await;
    service
        .token(Auth::Basic("other", &other), &[GRANT])
        .await
        .is_token();
    service.time.pass(60);
    service.token(right, &[GRANT]).await.is_token();
    // An attacker who guesses may share the address. A secret that verified before is still accepted; all others have
    // to wait.
    for guess in ["guess", "guess", "guess", &other] {
        let _ = service.token(Auth::Basic("victim", guess), &[GRANT]).await;
    }
    service.token(right, &[GRANT]).await.is_token();
    let guess = service.token(Auth::Basic("victim", &other), &[GRANT]).await;
    guess.is_oauth(429, "invalid_client");
    let now = service.time.now();
    let issuer = &service.issuer;
    issuer.client_disable("victim", now).await.unwrap();
    service
        .token(right, &[GRANT])
        .await
        .is_oauth(429, "invalid_client");
}

#[tokio::test]
async fn a_program_states_its_grants() {
    let (service, secret) = with_client().await;
    let ask = async |body: serde_json::Value| -> Answer {
        service.post("/v1/tokens", basic(&secret), &body).await
    };
    let narrow = json!({ "grant": [
        { "service": "erp", "action": "purchase_order:read", "resource": "eu/*" },
    ] });
    let answer = ask(json!({
        "profile": "buyer", "grants": narrow, "ttl": 60, "task": "read", "max_depth": 0,
    }))
    .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["profile"], "buyer");
    let token = body["token"].as_str().unwrap();
    let verifier = service.verifier("erp").await;
    for (action, resource, allowed) in [
        ("purchase_order:read", "eu/1", true),
        ("purchase_order:read", "us/1", false),
        ("purchase_order:create", "eu/1", false),
    ] {
        let call = Call::new(action).resource(resource);
        let decision = verifier.check(token, &call, service.now());
        assert_eq!(decision.is_allow(), allowed, "{action} {resource}");
    }
    let wider = json!({ "grant": [{ "service": "erp", "action": "*" }] });
    for (body, reason) in [
        (
            json!({ "profile": "buyer", "grants": wider }),
            Some("invalid_scope"),
        ),
        (
            json!({ "profile": "buyer", "services": ["bank"] }),
            Some("invalid_target"),
        ),
        (
            json!({ "profile": "buyer", "ttl": 3601 }),
            Some("invalid_request"),
        ),
        (json!({ "profile": "treasurer" }), Some("invalid_scope")),
        (json!({}), Some("invalid_scope")),
    ] {
        let problem = ask(body).await.is_problem(403, ProblemCode::Denied);
        assert_eq!(problem.reason.as_deref(), reason);
    }
    for body in [
        json!({ "profile": "buyer", "agent": "agent:root" }),
        json!({ "profile": "buyer", "principal": "user:root" }),
        json!({ "profile": "buyer", "tenant": "other" }),
        json!({ "profile": "buyer", "claims": { "a": "b" } }),
        json!({ "profile": "buyer", "grants": {} }),
        json!({ "profile": "buyer", "grants": [] }),
        // An empty list differs from an absent one, which means all services.
        json!({ "profile": "buyer", "services": [] }),
        json!({ "profile": "buyer", "scope": "buyer" }),
        json!({ "profile": 1 }),
        json!([]),
    ] {
        ask(body).await.is_problem(400, ProblemCode::BadRequest);
    }
    let wrong = service.post("/v1/tokens", basic("wrong"), &json!({})).await;
    wrong.is_problem(401, ProblemCode::Unauthenticated);
    let nobody = service.post("/v1/tokens", Auth::None, &json!({})).await;
    nobody.is_problem(401, ProblemCode::Unauthenticated);
    let large = json!({ "task": "x".repeat(256 * 1024) });
    ask(large).await.is_problem(413, ProblemCode::TooLarge);
}

#[tokio::test]
async fn callers_are_known_before_bodies_are_parsed() {
    let (service, secret) = with_client().await;
    let operator = service.operator(&["token:mint"]).await;
    let (revoked, id) = service
        .mint("operator:eve", &grant("bailiwick", "token:mint"))
        .await;
    let target = bailiwick_token::revocation::Target::Token(id.parse().unwrap());
    service
        .issuer
        .revoke_all(&[target], None, None, "left", service.now())
        .await
        .unwrap();
    let json = [("content-type", "application/json")];
    let send = async |auth: Auth<'_>, body: &str| {
        let body = body.to_owned();
        let path = "/v1/tokens";
        service.send(Method::POST, path, auth, &json, body).await
    };
    let bad_grants = r#"{"grants":{"grant":[{}]}}"#;
    for body in ["{", "[]", r#"{"profile":1}"#, bad_grants] {
        // Authenticated callers learn what is wrong.
        for auth in [basic(&secret), Auth::Bearer(&operator)] {
            send(auth, body)
                .await
                .is_problem(400, ProblemCode::BadRequest);
        }
        // A stranger gets the same answer, whatever the body is.
        for auth in [
            basic("wrong"),
            Auth::Bearer("x"),
            Auth::Bearer(&revoked),
            Auth::Bearer(&format!("{operator}AAAA")),
        ] {
            send(auth, body)
                .await
                .is_problem(401, ProblemCode::Unauthenticated);
        }
    }
    let forged = r#"{"client_assertion":"a.b.c","grants":{"grant":[{}]}}"#;
    send(Auth::None, forged)
        .await
        .is_problem(401, ProblemCode::Unauthenticated);
    // Two credentials at once are ambiguous.
    let both = r#"{"client_assertion":"a.b.c"}"#;
    send(basic(&secret), both)
        .await
        .is_problem(401, ProblemCode::Unauthenticated);
}

#[tokio::test]
async fn long_grants_are_counted_against_their_caller() {
    let (service, secret) = with_client().await;
    let other = service.client("other", &["buyer"]).await;
    let note = |length: usize| json!({ "grants": { "grant": [{ "note": "x".repeat(length) }] } });
    let ask = async |auth: Auth<'_>, length| service.post("/v1/tokens", auth, &note(length)).await;
    let too_long = ask(basic(&secret), 64 * 1024).await;
    let too_long = too_long.is_problem(400, ProblemCode::BadRequest);
    assert!(too_long.detail.contains("65536 bytes"), "{too_long:?}");
    let mut turned_away = None;
    for _ in 0..200 {
        let answer = ask(basic(&secret), 9 * 1024).await;
        if answer.status != 400 {
            turned_away = Some(answer);
            break;
        }
    }
    let turned_away = turned_away.unwrap();
    turned_away.is_problem(429, ProblemCode::TooMany);
    assert!(turned_away.header("retry-after").is_some());
    // Short grants, and grants of other callers, are parsed as before.
    ask(basic(&secret), 100)
        .await
        .is_problem(400, ProblemCode::BadRequest);
    ask(Auth::Basic("other", &other), 9 * 1024)
        .await
        .is_problem(400, ProblemCode::BadRequest);
}

#[tokio::test]
async fn json_bodies_are_utf8() {
    let (service, secret) = with_client().await;
    let operator = service.operator(&["client:add"]).await;
    for media in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset =utf-16"),
        Some("application/json; charset=\"UTF-16\""),
        Some("application/json; charset=utf-8; charset=utf-16"),
    ] {
        let headers: Vec<_> = media
            .map(|media| ("content-type", media))
            .into_iter()
            .collect();
        for (path, auth) in [
            ("/v1/tokens", basic(&secret)),
            ("/v1/tokens", Auth::None),
            ("/v1/clients", Auth::Bearer(&operator)),
        ] {
            let answer = service
                .send(Method::POST, path, auth, &headers, "{\"a\":1}")
                .await;
            answer.is_problem(415, ProblemCode::BadRequest);
        }
    }
    let media = [("content-type", "Application/JSON; Charset=\"utf-8\"")];
    let body = r#"{"profile":"buyer"}"#;
    let answer = service
        .send(Method::POST, "/v1/tokens", basic(&secret), &media, body)
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn mints_and_refusals_are_on_record() {
    let (service, secret) = with_client().await;
    let minted = service.token(basic(&secret), &[GRANT, BUYER]).await;
    minted.is_token();
    let refused = service
        .token(basic(&secret), &[GRANT, ("scope", "treasurer")])
        .await;
    refused.is_oauth(400, "invalid_scope");
    let rows = service.audit().await;
    let of = |event: &str| {
        let mut rows = rows.iter().filter(|row| row["event"] == event);
        let row = rows.find(|row| row["actor"] == "caller:a&b+c");
        row.unwrap_or_else(|| panic!("{event}: {rows:?}")).clone()
    };
    let (minted, refused) = (of("mint"), of("mint.refused"));
    assert_eq!(minted["agent"], "agent:a&b+c");
    assert_eq!(refused["agent"], "a&b+c");
    assert_eq!(refused["detail"]["profile"], "treasurer");
    // The log contains the reason that the caller does not learn.
    let why = refused["detail"]["error"].as_str().unwrap();
    assert!(why.contains("agent.department"), "{why}");
}

#[tokio::test]
async fn the_metadata_says_what_there_is() {
    let path = "/.well-known/oauth-authorization-server";
    let alone = Service::start().await.get(path, Auth::None).await.json();
    assert_eq!(alone["issuer"], ISSUER);
    assert_eq!(alone["token_endpoint"], format!("{}/v1/token", ISSUER));
    assert_eq!(
        alone["grant_types_supported"],
        json!(["client_credentials"])
    );
    let methods = [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ];
    assert_eq!(
        alone["token_endpoint_auth_methods_supported"],
        json!(methods)
    );
    let provider = "[[provider]]\nname = \"corp\"\nissuer = \"https://idp.example\"\naudience = \"b\"\nalgorithms = [\"ES256\"]\njwks_uri = \"http://127.0.0.1:1/\"\n";
    let service = Setup::with_providers(provider).start().await;
    let trusting = service.get(path, Auth::None).await.json();
    // RFC 8414, section 2, requires this member with `private_key_jwt`.
    let algorithms = &trusting["token_endpoint_auth_signing_alg_values_supported"];
    // The algorithms of clients' own keys, which include the provider's.
    let all = [
        "Ed25519", "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    ];
    assert_eq!(*algorithms, json!(all));
    assert_eq!(
        alone["token_endpoint_auth_signing_alg_values_supported"],
        json!(all)
    );
    let methods = &trusting["token_endpoint_auth_methods_supported"];
    assert!(
        methods
            .as_array()
            .unwrap()
            .contains(&json!("private_key_jwt"))
    );
    let exchange = json!("urn:ietf:params:oauth:grant-type:token-exchange");
    assert!(
        trusting["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&exchange)
    );
}

/// A file ends with a newline, and clients may send its content unchanged.
#[tokio::test]
async fn white_space_around_secrets_is_ignored() {
    let (service, secret) = with_client().await;
    for (before, after) in [("", "\n"), ("", "\r\n"), (" \t", " \n\n"), ("\n", "")] {
        let sent = format!("{before}{secret}{after}");
        let body = [
            GRANT,
            BUYER,
            ("client_id", "a&b+c"),
            ("client_secret", &sent),
        ];
        service.token(Auth::None, &body).await.is_token();
        service
            .token(basic(&sent), &[GRANT, BUYER])
            .await
            .is_token();
        let json = json!({ "profile": "buyer" });
        let answer = service.post("/v1/tokens", basic(&sent), &json).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    // White space inside a secret, or of another kind, makes it a different secret.
    let (id, random) = secret.split_once('.').unwrap();
    for wrong in [
        format!("{id}.\n{random}"),
        format!("{id} .{random}"),
        format!("{secret}\u{a0}"),
        format!("{secret}\0"),
        format!("{secret}\u{2028}"),
    ] {
        let answer = service.token(basic(&wrong), &[GRANT, BUYER]).await;
        answer.is_oauth(401, "invalid_client");
    }
}
