//! Tests of assertions that clients sign with their own keys (RFC 7523, section 3).

use bailiwick_api::{CLIENT_ASSERTION_TYPE, ProblemCode};
use bailiwick_testkit::{
    ISSUER,
    provider::{Provider, Signer, under_secret, unsigned},
    service::{Answer, Auth, Service, Setup},
};
use bailiwick_verifier::Call;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

const ENDPOINT: &str = "https://issuer.example/v1/token";

/// Clients with keys, and their requests.
trait Keyed {
    /// Registers a client with these keys.
    async fn keyed(&self, name: &str, keys: &[&Signer]) -> Value;
    async fn assert(&self, assertion: &str) -> Answer;
    async fn assert_as(&self, id: &str, assertion: &str) -> Answer;
    async fn assert_in_json(&self, assertion: &str) -> Answer;
    /// Claims of a valid assertion, with these members added or replaced; null removes one.
    fn claims(&self, name: &str, members: &Value) -> Value;
}

impl Keyed for Service {
    async fn keyed(&self, name: &str, keys: &[&Signer]) -> Value {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
        let client = json!({
            "name": name,
            "principal": "team:procurement",
            "profiles": ["buyer"],
            "keys": keys,
        });
        let made = self.operate("client:add", "/v1/clients", &client).await;
        assert!(made.get("secret").is_none(), "{made}");
        made["client"].clone()
    }

    async fn assert(&self, assertion: &str) -> Answer {
        self.assert_as("", assertion).await
    }

    async fn assert_as(&self, id: &str, assertion: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "buyer"),
            ("client_id", id),
            ("client_assertion", assertion),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
        ];
        self.token(Auth::None, &form).await
    }

    async fn assert_in_json(&self, assertion: &str) -> Answer {
        let body = json!({ "profile": "buyer", "client_assertion": assertion });
        self.post("/v1/tokens", Auth::None, &body).await
    }

    fn claims(&self, name: &str, members: &Value) -> Value {
        let now = self.now().unix();
        let mut claims = json!({
            "iss": name,
            "sub": name,
            "aud": ENDPOINT,
            "iat": now,
            "exp": now + 60,
            "jti": fresh_jti(),
        });
        let object = claims.as_object_mut().unwrap();
        object.extend(members.as_object().unwrap().clone());
        object.retain(|_, value| !value.is_null());
        claims
    }
}

/// Makes a `jti` that is unique in this process.
fn fresh_jti() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

/// Starts a service that never limits wrong assertions, so that each is refused for its own reason.
async fn patient() -> Service {
    let mut setup = Setup::default();
    setup.config.limits.failures_per_minute = 100_000;
    setup.start().await
}

#[tokio::test]
async fn each_type_of_key_signs_in() {
    let service = Service::start().await;
    let verifier = service.verifier("erp").await;
    let signers = [
        Signer::eddsa("a"),
        Signer::es256("b"),
        Signer::es384("c"),
        Signer::rs256("d"),
    ];
    for signer in signers {
        let name = format!("robot-{}", signer.kid);
        service.keyed(&name, &[&signer]).await;
        for audience in [
            json!(ENDPOINT),
            json!(ISSUER),
            json!([ENDPOINT]),
            json!([ISSUER, ENDPOINT]),
        ] {
            let claims = service.claims(&name, &json!({ "aud": audience }));
            let token = service.assert(&signer.sign(&claims)).await.is_token();
            let call = Call::new("purchase_order:create");
            let decision = verifier.check(&token, &call, service.now());
            let identity = decision.identity().unwrap();
            assert_eq!(identity.agent, format!("agent:{name}"));
            assert!(decision.is_allow(), "{decision:?}");
        }
        // A client may send its name as a parameter, leave out the key's name, and use JSON.
        let good = || service.claims(&name, &json!({}));
        let answer = service.assert_as(&name, &signer.sign(&good())).await;
        answer.is_token();
        let nameless = signer.sign_with(&json!({ "kid": null }), &good());
        service.assert(&nameless).await.is_token();
        let answer = service.assert_in_json(&signer.sign(&good())).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let rows = service.audit().await;
    let minted = rows.iter().filter(|row| row["event"] == "mint");
    assert!(minted.clone().any(|row| row["actor"] == "caller:robot-a"));
}

#[tokio::test]
async fn forged_assertions_are_refused() {
    let service = patient().await;
    let (own, rsa) = (Signer::es256("own"), Signer::rs256("rsa"));
    let (other, removed, thief) = (
        Signer::es256("other"),
        Signer::eddsa("removed"),
        Signer::es256("own"),
    );
    service.keyed("robot", &[&own, &rsa, &removed]).await;
    service.keyed("other", &[&other]).await;
    let client = service.issuer.client("robot").await.unwrap();
    let id = |kid: &str| {
        client
            .keys
            .iter()
            .find(|key| key.kid() == Some(kid))
            .unwrap()
            .id
            .clone()
    };
    let path = format!("/v1/clients/robot/keys/{}/remove", id("removed"));
    service
        .operate("client:key_remove", &path, &Value::Null)
        .await;

    let good = service.claims("robot", &json!({}));
    let mut forged = vec![
        ("none", unsigned(&json!({ "alg": "none" }), &good)),
        (
            "none with a kid",
            unsigned(&json!({ "alg": "none", "kid": "own" }), &good),
        ),
        (
            "cut off",
            unsigned(&json!({ "alg": "ES256", "kid": "own" }), &good),
        ),
        ("a removed key", removed.sign(&good)),
        (
            "a removed key without its name",
            removed.sign_with(&json!({ "kid": null }), &good),
        ),
        ("another key under this name", thief.sign(&good)),
        ("another client's key", other.sign(&good)),
        (
            "another client's key, named as ours",
            other.sign_with(&json!({ "kid": "own" }), &good),
        ),
        (
            "another client's key, without a name",
            other.sign_with(&json!({ "kid": null }), &good),
        ),
        (
            "a key that comes along",
            thief.sign_with(&json!({ "jwk": thief.jwk }), &good),
        ),
        (
            "another algorithm",
            own.sign_with(&json!({ "alg": "ES384" }), &good),
        ),
        (
            "the algorithm of another key",
            own.sign_with(&json!({ "alg": "RS256" }), &good),
        ),
        (
            "the name of another key",
            own.sign_with(&json!({ "kid": "rsa" }), &good),
        ),
        ("crit", own.sign_with(&json!({ "crit": ["exp"] }), &good)),
        ("nobody", own.sign(&service.claims("nobody", &json!({})))),
        (
            "the other's name under this key",
            own.sign(&service.claims("other", &json!({}))),
        ),
    ];
    for signer in [&own, &rsa] {
        for public in &signer.public {
            forged.push(("HS256", under_secret(public, &signer.kid, &good)));
        }
        let jwk = signer.jwk.to_string();
        forged.push((
            "HS256 with the JWK",
            under_secret(jwk.as_bytes(), &signer.kid, &good),
        ));
    }
    for (what, assertion) in &forged {
        let says = service.assert(assertion).await;
        let says = says.is_oauth(401, "invalid_client");
        // The answer does not reveal whether there is such a client.
        let same = [
            "is not signed with a registered key",
            "its header has",
            "is not among the algorithms configured for its provider",
        ];
        assert!(
            same.iter().any(|text| says.contains(text)),
            "{what}: {says}"
        );
        let answer = service.assert_in_json(assertion).await;
        answer.is_problem(401, ProblemCode::Unauthenticated);
    }
    // None of the refused assertions has used up its `jti`.
    service.assert(&own.sign(&good)).await.is_token();
    let by_another_algorithm = Signer::rs256("x").by(Algorithm::PS256);
    service.keyed("padded", &[&by_another_algorithm]).await;
    let claims = service.claims("padded", &json!({}));
    // The key was registered for RS256 alone.
    let answer = service.assert(&by_another_algorithm.sign(&claims)).await;
    answer.is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn claims_are_held_to_the_client() {
    let service = patient().await;
    let own = Signer::eddsa("own");
    service.keyed("robot", &[&own]).await;
    let now = service.now().unix();
    for (members, good) in [
        (json!({}), true),
        (json!({ "sub": "other" }), false),
        (json!({ "sub": null }), false),
        (json!({ "sub": ["robot"] }), false),
        (json!({ "aud": null }), false),
        (json!({ "aud": [] }), false),
        (json!({ "aud": "https://other.example" }), false),
        (json!({ "aud": format!("{ISSUER}/") }), false),
        (json!({ "aud": format!("{ENDPOINT}/") }), false),
        (json!({ "aud": "https://issuer.example/v1/tokens" }), false),
        (json!({ "aud": [ENDPOINT, "https://other.example"] }), false),
        (json!({ "aud": [[ENDPOINT]] }), false),
        (json!({ "aud": [ENDPOINT, 7] }), false),
        (json!({ "exp": null }), false),
        (json!({ "exp": "soon" }), false),
        (json!({ "exp": -1 }), false),
        // Clocks may differ by a minute at most.
        (json!({ "iat": now - 100, "exp": now - 59 }), true),
        (json!({ "iat": now - 100, "exp": now - 60 }), false),
        (json!({ "iat": now + 60, "exp": now + 120 }), true),
        (json!({ "iat": now + 61, "exp": now + 120 }), false),
        (json!({ "nbf": now + 61 }), false),
        (json!({ "iat": "now" }), false),
        // The maximum lifetime, five minutes, counts from the earliest time in the assertion.
        (json!({ "exp": now + 300 }), true),
        (json!({ "exp": now + 301 }), false),
        (json!({ "iat": null, "exp": now + 300 }), true),
        (json!({ "iat": null, "exp": now + 301 }), false),
        (json!({ "nbf": now - 10, "exp": now + 291 }), false),
        (json!({ "jti": null }), false),
        (json!({ "jti": "" }), false),
        (json!({ "jti": 7 }), false),
    ] {
        let assertion = own.sign(&service.claims("robot", &members));
        let answer = service.assert(&assertion).await;
        match good {
            true => drop(answer.is_token()),
            false => drop(answer.is_oauth(401, "invalid_client")),
        }
    }
    // If the request has a `client_id`, that client must have signed the assertion.
    let assertion = own.sign(&service.claims("robot", &json!({})));
    let says = service.assert_as("other", &assertion).await;
    let says = says.is_oauth(401, "invalid_client");
    assert!(says.contains("'client_id' is not the subject"), "{says}");
    // The operator can allow a longer lifetime, as some libraries use it.
    let mut setup = Setup::default();
    setup.config.limits.client_assertion_seconds = 3_600;
    let lenient = setup.start().await;
    lenient.keyed("robot", &[&own]).await;
    for (life, good) in [(3_600, true), (3_601, false)] {
        let members = json!({ "exp": now + life });
        let assertion = own.sign(&lenient.claims("robot", &members));
        let answer = lenient.assert(&assertion).await;
        assert_eq!(answer.status, if good { 200 } else { 401 }, "{answer:?}");
    }
}

#[tokio::test]
async fn own_assertions_are_used_once() {
    let service = Service::start().await;
    let another = service.another().await;
    let (own, other) = (Signer::es256("own"), Signer::es256("other"));
    service.keyed("robot", &[&own]).await;
    service.keyed("other", &[&other]).await;
    let one = own.sign(&service.claims("robot", &json!({ "jti": "one" })));
    service.assert(&one).await.is_token();
    // The same `jti`, signed again with another lifetime, is used up as well.
    let longer = json!({ "jti": "one", "exp": service.now().unix() + 120 });
    let longer = own.sign(&service.claims("robot", &longer));
    for assertion in [&one, &longer] {
        for service in [&service, &another] {
            let says = service.assert(assertion).await;
            let says = says.is_oauth(401, "invalid_client");
            assert!(says.contains("used before"), "{says}");
            let answer = service.assert_in_json(assertion).await;
            answer.is_problem(401, ProblemCode::Unauthenticated);
        }
    }
    // Another client may use the same `jti`.
    let theirs = other.sign(&service.claims("other", &json!({ "jti": "one" })));
    another.assert(&theirs).await.is_token();
    // An assertion counts as used until it has expired, plus the tolerance for clocks.
    service.time.pass(119);
    service.assert(&one).await.is_oauth(401, "invalid_client");
    let two = own.sign(&service.claims("robot", &json!({ "jti": "two" })));
    let (a, b, c, d) = tokio::join!(
        service.assert(&two),
        another.assert(&two),
        service.assert(&two),
        another.assert(&two),
    );
    let mut statuses = [a, b, c, d].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
}

#[tokio::test]
async fn keys_are_rotated_without_a_gap() {
    let service = Service::start().await;
    let (old, new) = (Signer::es256("old"), Signer::eddsa("new"));
    let client = service.keyed("robot", &[&old]).await;
    let path = "/v1/clients/robot/keys";
    let body = json!({ "keys": [new.jwk] });
    let client_now = service.operate("client:key_add", path, &body).await;
    assert_eq!(client_now["keys"].as_array().unwrap().len(), 2);
    let sign = |signer: &Signer| signer.sign(&service.claims("robot", &json!({})));
    for signer in [&old, &new] {
        service.assert(&sign(signer)).await.is_token();
    }
    let id = client["keys"][0]["id"].as_str().unwrap();
    let path = format!("{path}/{id}/remove");
    service
        .operate("client:key_remove", &path, &Value::Null)
        .await;
    let another = service.another().await;
    for service in [&service, &another] {
        let answer = service.assert(&sign(&old)).await;
        answer.is_oauth(401, "invalid_client");
        service.assert(&sign(&new)).await.is_token();
    }
    // A client with keys can be given a secret, and vice versa.
    let secret = service
        .operate("client:rotate", "/v1/clients/robot/rotate", &json!({}))
        .await;
    let secret = secret["secret"].as_str().unwrap().to_owned();
    let form = [("grant_type", "client_credentials"), ("scope", "buyer")];
    let basic = Auth::Basic("robot", &secret);
    service.token(basic, &form).await.is_token();
    service.assert(&sign(&new)).await.is_token();
    // A secret and an assertion in one request are ambiguous.
    let assertion = sign(&new);
    let mut both = form.to_vec();
    both.push(("client_assertion", &assertion));
    both.push(("client_assertion_type", CLIENT_ASSERTION_TYPE));
    let answer = service.token(basic, &both).await;
    answer.is_oauth(400, "invalid_request");

    let path = "/v1/clients/robot/disable";
    service.operate("client:disable", path, &Value::Null).await;
    let answer = service.assert(&sign(&new)).await;
    answer.is_oauth(401, "invalid_client");
}

/// With providers and clients on one service, only an assertion's issuer decides whose keys may sign it.
#[tokio::test]
async fn providers_and_clients_are_distinguished() {
    let of_provider = Signer::es256("first");
    let provider = Provider::start(&[&of_provider]).await;
    let mut setup = Setup::with_providers(&provider.config());
    setup.config.limits.failures_per_minute = 100_000;
    let service = setup.start().await;
    let metric = "bailiwick_issuer_providers_without_keys";
    service.wait_for(metric, "0").await;
    let own = Signer::es256("own");
    // A client with the provider's name, and one with the name of the provider's subject.
    for name in ["corp", "robot"] {
        service.keyed(name, &[&own]).await;
    }
    let now = service.now().unix();
    let of = |members: Value| {
        let mut claims = json!({
            "iss": provider.issuer, "sub": "robot", "aud": "bailiwick", "iat": now, "exp": now + 300,
            "jti": "one",
        });
        claims
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        claims
    };
    let workload = async |assertion: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "workload"),
            ("client_assertion", assertion),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
        ];
        service.token(Auth::None, &form).await
    };
    // The provider and two clients can use the same `jti`.
    workload(&of_provider.sign(&of(json!({})))).await.is_token();
    for name in ["corp", "robot"] {
        let claims = service.claims(name, &json!({ "jti": "one" }));
        service.assert(&own.sign(&claims)).await.is_token();
    }
    let again = workload(&of_provider.sign(&of(json!({})))).await;
    again.is_oauth(401, "invalid_client");

    let asked = provider.asked();
    for (what, assertion) in [
        (
            "the provider's key for a client",
            of_provider.sign(&service.claims("robot", &json!({}))),
        ),
        (
            "the same under the client's name of its key",
            of_provider.sign_with(
                &json!({ "kid": "own" }),
                &service.claims("robot", &json!({})),
            ),
        ),
        (
            "a client's subject by the provider",
            of_provider.sign(&of(json!({ "iss": "corp", "jti": "2" }))),
        ),
    ] {
        for answer in [service.assert(&assertion).await, workload(&assertion).await] {
            let says = answer.is_oauth(401, "invalid_client");
            assert!(
                says.contains("is not signed with a registered key"),
                "{what}: {says}"
            );
        }
    }
    // A provider is never asked for clients' keys.
    assert_eq!(provider.asked(), asked);
    for issuer in [
        provider.issuer.as_str(),
        "https://unknown.example",
        "",
        "a b",
    ] {
        let assertion = own.sign(&of(json!({ "iss": issuer, "jti": "3" })));
        let answer = service.assert(&assertion).await;
        answer.is_oauth(401, "invalid_client");
    }
    // A client's own assertion cannot be a subject token or an actor token.
    let secret = service.client("assistant-1", &["assistant"]).await;
    let assertion = own.sign(&service.claims("robot", &json!({})));
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let form = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("scope", "assistant"),
        ("subject_token", assertion.as_str()),
        ("subject_token_type", jwt),
    ];
    let answer = service
        .token(Auth::Basic("assistant-1", &secret), &form)
        .await;
    answer.is_oauth(400, "invalid_request");
    // The refusal does not use up the assertion.
    service.assert(&assertion).await.is_token();
}

#[tokio::test]
async fn refused_assertions_are_on_record() {
    let mut setup = Setup::default();
    setup.config.limits.failures_per_minute = 4;
    let service = setup.start().await;
    let own = Signer::eddsa("own");
    service.keyed("robot", &[&own]).await;
    let sign = |name: &str, members: Value| own.sign(&service.claims(name, &members));
    let stranger = Signer::eddsa("own");
    let good = service.claims("robot", &json!({}));
    let used = own.sign(&good);
    service.assert(&used).await.is_token();
    let cases = [
        (
            stranger.sign(&good),
            Some("robot"),
            "its signature is wrong",
        ),
        (sign("robot", json!({ "aud": "x" })), Some("robot"), "`aud`"),
        (used, Some("robot"), "used before"),
        (
            sign("robot", json!({ "jti": null })),
            Some("robot"),
            "no `jti`",
        ),
        // A text that is not a client's name may be a secret, so it is not recorded.
        (
            sign("s3cret.0123", json!({})),
            None,
            "no client has the name",
        ),
    ];
    for (assertion, agent, says) in &cases {
        let answer = service.assert(assertion).await;
        answer.is_oauth(401, "invalid_client");
        // Minting the operator's token that reads the audit log adds a row as well.
        let rows = service.audit().await.into_iter();
        let mut refused = rows.filter(|row| row["event"] == "mint.refused");
        let row = refused.next_back().unwrap();
        assert_eq!(row["actor"], "unknown caller");
        assert_eq!(row.get("agent").and_then(Value::as_str), *agent, "{row}");
        let error = row["detail"]["error"].as_str().unwrap();
        assert!(error.contains(says), "{row}");
        assert!(!row.to_string().contains("s3cret"), "{row}");
    }
    let count = async |kind: &str| {
        let name = format!("bailiwick_issuer_unknown_callers_total{{kind=\"{kind}\"}}");
        service.metric(&name).await
    };
    assert_eq!(count("unsigned_jwt").await.as_deref(), Some("2"));
    assert_eq!(count("signed_jwt").await.as_deref(), Some("3"));
    // After four wrong assertions, further ones are refused for a minute. The client itself is not locked out.
    let refused = |rows: Vec<Value>| {
        rows.iter()
            .filter(|row| row["event"] == "mint.refused")
            .count()
    };
    let before = refused(service.audit().await);
    let answer = service.assert(&stranger.sign(&good)).await;
    answer.is_oauth(429, "invalid_client");
    let answer = service.assert_in_json(&stranger.sign(&good)).await;
    answer.is_problem(429, ProblemCode::TooMany);
    assert_eq!(refused(service.audit().await), before);
    assert_eq!(count("unsigned_jwt").await.as_deref(), Some("4"));
    service.assert(&sign("robot", json!({}))).await.is_token();
    service.time.pass(60);
    let answer = service.assert(&stranger.sign(&good)).await;
    answer.is_oauth(401, "invalid_client");
}

/// Profiles match a client by its registration, however it authenticated, and not by claims in its assertion.
#[tokio::test]
async fn assertions_state_no_claims() {
    let service = Service::start().await;
    let own = Signer::eddsa("own");
    service.keyed("robot", &[&own]).await;
    let members = json!({ "department": "treasury", "client": "other", "profiles": ["treasurer"] });
    let assertion = own.sign(&service.claims("robot", &members));
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "treasurer"),
        ("client_assertion", assertion.as_str()),
        ("client_assertion_type", CLIENT_ASSERTION_TYPE),
    ];
    let answer = service.token(Auth::None, &form).await;
    answer.is_oauth(400, "invalid_scope");
}
