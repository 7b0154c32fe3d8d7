//! Tests of token exchange and client assertions, with an OpenID provider whose behaviour the test controls.

use bailiwick_api::ProblemCode;
use bailiwick_testkit::{
    provider::{Mood, Provider, Signer, under_secret, unsigned},
    service::{Answer, Auth, Service, Setup, scene::Scene, wire::Wire},
};
use bailiwick_verifier::Call;
use serde_json::json;

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Requests to the token endpoint.
trait Exchanges {
    async fn exchange(&self, subject: &str) -> Answer;
    async fn assert(&self, assertion: &str) -> Answer;
}

impl Exchanges for Scene {
    async fn exchange(&self, subject: &str) -> Answer {
        exchange_at(&self.service, &self.secret, subject).await
    }

    async fn assert(&self, assertion: &str) -> Answer {
        assert_at(&self.service, assertion).await
    }
}

async fn exchange_at(service: &Service, secret: &str, subject: &str) -> Answer {
    let form = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("scope", "assistant"),
        ("subject_token", subject),
        ("subject_token_type", JWT),
    ];
    service
        .token(Auth::Basic("assistant-1", secret), &form)
        .await
}

async fn assert_at(service: &Service, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "workload"),
        ("client_assertion", assertion),
        ("client_assertion_type", ASSERTION),
    ];
    service.token(Auth::None, &form).await
}

#[tokio::test]
async fn a_persons_token_is_exchanged_for_an_agents() {
    for signer in [Signer::rs256("r"), Signer::es256("e"), Signer::eddsa("o")] {
        let scene = Scene::with(signer, "").await;
        for audience in [json!("bailiwick"), json!(["other", "bailiwick"])] {
            let answer = scene
                .exchange(&scene.jwt(&json!({ "aud": audience })))
                .await;
            let token = answer.is_token();
            let verifier = scene.service.verifier("erp").await;
            let call = Call::new("purchase_order:create");
            let decision = verifier.check(&token, &call, scene.service.now());
            assert!(decision.is_allow(), "{decision:?}");
            let identity = decision.identity().unwrap();
            assert_eq!(identity.agent, "agent:assistant");
            assert_eq!(identity.principal, "user:ada");
        }
        let rows = scene.service.audit().await;
        let minted = rows.iter().filter(|row| row["principal"] == "user:ada");
        assert_eq!(minted.count(), 2, "{rows:?}");
    }
}

#[tokio::test]
async fn an_actor_token_stands_for_a_client() {
    let scene = Scene::new().await;
    let exchange = (
        "grant_type",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    );
    let (subject, actor) = (scene.jwt(&json!({})), scene.jwt(&json!({ "sub": "robot" })));
    let deputy = [
        exchange,
        ("scope", "deputy"),
        ("subject_token", &subject),
        ("subject_token_type", JWT),
        ("actor_token", &actor),
        ("actor_token_type", JWT),
    ];
    let token = scene.service.token(Auth::None, &deputy).await.is_token();
    let verifier = scene.service.verifier("erp").await;
    let call = Call::new("purchase_order:create");
    let decision = verifier.check(&token, &call, scene.service.now());
    let identity = decision.identity().unwrap();
    assert_eq!(identity.agent, "agent:robot");
    assert_eq!(identity.principal, "user:ada");
    // These requests name two agents or none, or have incomplete tokens or an unknown type.
    let both = scene
        .service
        .token(Auth::Basic("assistant-1", &scene.secret), &deputy);
    both.await.is_oauth(400, "invalid_request");
    let nobody = scene.service.token(Auth::None, &deputy[..4]).await;
    nobody.is_oauth(401, "invalid_client");
    for left_out in 2..6 {
        let mut form = deputy.to_vec();
        form.remove(left_out);
        let answer = scene.service.token(Auth::None, &form).await;
        answer.is_oauth(400, "invalid_request");
    }
    let mut form = deputy;
    form[3].1 = "urn:ietf:params:oauth:token-type:saml2";
    let answer = scene.service.token(Auth::None, &form).await;
    answer.is_oauth(400, "invalid_request");
}

#[tokio::test]
async fn claims_are_held_to_what_is_configured() {
    let scene = Scene::new().await;
    scene.exchange(&scene.jwt(&json!({}))).await.is_token();
    let now = scene.service.now().unix();
    for (members, good) in [
        (json!({ "aud": null }), false),
        (json!({ "aud": "other" }), false),
        (json!({ "aud": "Bailiwick" }), false),
        (json!({ "aud": ["other"] }), false),
        (json!({ "aud": [] }), false),
        (json!({ "aud": [["bailiwick"]] }), false),
        (json!({ "aud": { "bailiwick": true } }), false),
        (json!({ "iss": null }), false),
        (json!({ "iss": "https://issuer.example" }), false),
        (
            json!({ "iss": format!("{}/", scene.provider.issuer) }),
            false,
        ),
        (json!({ "iss": [scene.provider.issuer] }), false),
        (json!({ "sub": null }), false),
        (json!({ "sub": "" }), false),
        (json!({ "sub": 7 }), false),
        (json!({ "sub": "x".repeat(513) }), false),
        (json!({ "sub": "a\0b" }), false),
        (json!({ "sub": "a\nb" }), false),
        (json!({ "exp": null }), false),
        (json!({ "exp": (now + 300).to_string() }), false),
        (json!({ "exp": -1 }), false),
        (json!({ "exp": 1e300 }), false),
        // Clocks may differ by a minute at most.
        (json!({ "iat": now - 300, "exp": now - 59 }), true),
        (json!({ "iat": now - 300, "exp": now - 60 }), false),
        (json!({ "nbf": now + 60 }), true),
        (json!({ "nbf": now + 61 }), false),
        (json!({ "iat": now + 61 }), false),
        (json!({ "iat": "now" }), false),
        (json!({ "exp": now as f64 + 300.5 }), true),
        // The maximum lifetime, one hour, counts from the earliest time in the token.
        (json!({ "exp": now + 3_600 }), true),
        (json!({ "exp": now + 3_601 }), false),
        (json!({ "nbf": now - 10, "exp": now + 3_595 }), false),
        (json!({ "iat": null, "exp": now + 3_601 }), false),
        (json!({ "iat": null, "nbf": null }), true),
    ] {
        let answer = scene.exchange(&scene.jwt(&members)).await;
        match good {
            true => drop(answer.is_token()),
            false => drop(answer.is_oauth(400, "invalid_request")),
        }
    }
    // The provider's claims are valid, but not enough for the profile.
    let stranger = scene.jwt(&json!({ "groups": ["staff"] }));
    scene
        .exchange(&stranger)
        .await
        .is_oauth(400, "invalid_scope");
    // If the JWT is a client assertion, the answer is that the client is unknown.
    let wrong = scene
        .assert(&scene.jwt(&json!({ "aud": "other", "jti": "1" })))
        .await;
    wrong.is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn nothing_but_a_published_key_signs() {
    let signer = Signer::rs256("first");
    let provider = Provider::start(&[&signer]).await;
    provider.publish_also(json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0" }));
    provider.publish_also(json!({ "kty": "new", "kid": "later" }));
    let scene = Scene::of(provider, signer, "").await;
    let claims = scene.claims(&json!({}));
    scene.exchange(&scene.signer.sign(&claims)).await.is_token();

    let mut forged = vec![
        ("none", unsigned(&json!({ "alg": "none" }), &claims)),
        (
            "None",
            unsigned(&json!({ "alg": "None", "kid": "first" }), &claims),
        ),
        ("no alg", unsigned(&json!({ "kid": "first" }), &claims)),
        (
            "cut off",
            unsigned(&json!({ "alg": "RS256", "kid": "first" }), &claims),
        ),
        (
            "published secret",
            under_secret(b"secret", "shared", &claims),
        ),
    ];
    // Key confusion: the public half of the key, used as a shared secret.
    for public in &scene.signer.public {
        forged.push(("HS256", under_secret(public, "first", &claims)));
    }
    // Another key, under the right key's name and under its own.
    forged.push(("thief", Signer::rs256("first").sign(&claims)));
    forged.push(("stranger", Signer::rs256("second").sign(&claims)));
    // A key inside the token, or at an address that the token names.
    let thief = Signer::rs256("first");
    let elsewhere = format!("{}/elsewhere", scene.provider.issuer);
    for members in [
        json!({ "jwk": thief.jwk }),
        json!({ "jku": elsewhere }),
        json!({ "x5u": elsewhere }),
        json!({ "jwk": thief.jwk, "jku": elsewhere, "kid": null }),
    ] {
        forged.push(("own key", thief.sign_with(&members, &claims)));
    }
    // Another algorithm, with the right key.
    forged.push((
        "PS256",
        scene.signer.sign_with(&json!({ "alg": "PS256" }), &claims),
    ));
    forged.push((
        "ES256",
        scene.signer.sign_with(&json!({ "alg": "ES256" }), &claims),
    ));
    // Extensions that a recipient must understand.
    for members in [
        json!({ "crit": ["exp"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": [] }),
        json!({ "crit": "exp" }),
        json!({ "enc": "A128GCM" }),
        json!({ "zip": "DEF" }),
    ] {
        forged.push(("header", scene.signer.sign_with(&members, &claims)));
    }
    // Another token's claims, under a signature that was valid.
    let good = scene.signer.sign(&claims);
    let better = scene.signer.sign(&scene.claims(&json!({ "sub": "root" })));
    let parts: Vec<&str> = good.split('.').collect();
    let others: Vec<&str> = better.split('.').collect();
    forged.push(("grafted", [parts[0], others[1], parts[2]].join(".")));
    forged.push(("longer", format!("{good}.x")));
    forged.push((
        "large",
        scene.jwt(&json!({ "more": "x".repeat(16 * 1024) })),
    ));
    forged.push(("nothing", "..".to_owned()));
    for (what, token) in forged {
        let answer = scene.exchange(&token).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        answer.is_oauth(400, "invalid_request");
    }
    // Other members of a header are ignored.
    for members in [
        json!({ "jwk": thief.jwk, "jku": elsewhere, "x5u": elsewhere }),
        json!({ "typ": "at+jwt", "cty": "x" }),
    ] {
        let token = scene.signer.sign_with(&members, &claims);
        scene.exchange(&token).await.is_token();
    }
    assert_eq!(scene.provider.led_away(), 0);
}

#[tokio::test]
async fn an_assertion_is_used_once() {
    let scene = Scene::new().await;
    let another = scene.service.another().await;
    let assertion = scene.jwt(&json!({ "sub": "robot", "jti": "one" }));
    scene.assert(&assertion).await.is_token();
    for service in [&scene.service, &another] {
        let again = assert_at(service, &assertion).await;
        let says = again.is_oauth(401, "invalid_client");
        assert!(says.contains("used before"), "{says}");
    }
    let elsewhere = scene.jwt(&json!({ "sub": "robot", "jti": "two" }));
    assert_at(&another, &elsewhere).await.is_token();
    scene
        .assert(&elsewhere)
        .await
        .is_oauth(401, "invalid_client");
    // A token counts as used until it has expired, plus the tolerance for clocks.
    scene.service.time.pass(359);
    scene
        .assert(&assertion)
        .await
        .is_oauth(401, "invalid_client");
    for members in [json!({}), json!({ "jti": "" }), json!({ "jti": 7 })] {
        let answer = scene.assert(&scene.jwt(&members)).await;
        let says = answer.is_oauth(401, "invalid_client");
        assert!(says.contains("jti"), "{says}");
    }
    let json_form = scene.jwt(&json!({ "sub": "robot", "jti": "three" }));
    let body = json!({ "profile": "workload", "client_assertion": json_form });
    let first = scene.service.post("/v1/tokens", Auth::None, &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = scene.service.post("/v1/tokens", Auth::None, &body).await;
    again.is_problem(401, ProblemCode::Unauthenticated);
}

#[tokio::test]
async fn one_of_many_at_the_same_time_wins() {
    let scene = Scene::new().await;
    let another = scene.service.another().await;
    let assertion = scene.jwt(&json!({ "sub": "robot", "jti": "one" }));
    let (a, b, c, d) = tokio::join!(
        scene.assert(&assertion),
        assert_at(&another, &assertion),
        scene.assert(&assertion),
        assert_at(&another, &assertion),
    );
    let mut statuses = [a, b, c, d].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
}

#[tokio::test]
async fn an_assertion_speaks_of_the_client_that_is_named() {
    let scene = Scene::new().await;
    let named = async |id: &str, jti: &str| {
        let assertion = scene.jwt(&json!({ "sub": "robot", "jti": jti }));
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "workload"),
            ("client_id", id),
            ("client_assertion", &assertion),
            ("client_assertion_type", ASSERTION),
        ];
        scene.service.token(Auth::None, &form).await
    };
    named("robot", "one").await.is_token();
    named("another", "two")
        .await
        .is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn a_provider_may_let_each_token_be_used_once() {
    let scene = Scene::with(Signer::es256("first"), "one_time = true\n").await;
    let token = scene.jwt(&json!({ "jti": "one" }));
    scene.exchange(&token).await.is_token();
    scene
        .exchange(&token)
        .await
        .is_oauth(400, "invalid_request");
    scene
        .exchange(&scene.jwt(&json!({})))
        .await
        .is_oauth(400, "invalid_request");
}

/// Kubernetes makes such service account tokens: no `jti`, a list of audiences, the same file for an hour.
#[tokio::test]
async fn a_workload_may_use_its_token_again() {
    let scene = Scene::with(Signer::rs256("first"), "assertions = \"reusable\"\n").await;
    let now = scene.service.now().unix();
    let members = json!({
        "aud": ["bailiwick"],
        "sub": "system:serviceaccount:agents:buyer",
        "iat": now,
        "nbf": now,
        "exp": now + 3_600,
        "groups": null,
        "kubernetes.io": {
            "namespace": "agents",
            "pod": { "name": "buyer-0", "uid": "b6a3f0e4-0000-4000-8000-000000000001" },
            "serviceaccount": { "name": "buyer", "uid": "b6a3f0e4-0000-4000-8000-000000000002" },
        },
    });
    let account = scene.jwt(&members);
    let another = scene.service.another().await;
    for _ in 0..3 {
        scene.assert(&account).await.is_token();
        assert_at(&another, &account).await.is_token();
    }
    let verifier = scene.service.verifier("erp").await;
    let token = scene.assert(&account).await.is_token();
    let call = Call::new("purchase_order:read");
    let decision = verifier.check(&token, &call, scene.service.now());
    assert!(decision.is_allow(), "{decision:?}");
    let identity = decision.identity().unwrap();
    assert_eq!(identity.agent, "agent:system:serviceaccount:agents:buyer");
    // The audit log states how the caller was authenticated.
    let rows = scene.service.audit().await;
    let actor = "caller with a reusable assertion:corp/system:serviceaccount:agents:buyer";
    let minted = rows.iter().filter(|row| row["actor"] == actor);
    assert_eq!(minted.count(), 7, "{rows:?}");
    // Later versions of Kubernetes add a `jti`, which makes no difference here.
    let named = |id: &str| {
        let mut members = members.clone();
        members["jti"] = json!(id);
        scene.jwt(&members)
    };
    for _ in 0..2 {
        scene.assert(&named("one")).await.is_token();
    }
    // The token can be used until it has expired, plus the tolerance for clocks.
    scene.service.time.pass(3_659);
    scene.assert(&account).await.is_token();
    scene.service.time.pass(1);
    scene.assert(&account).await.is_oauth(401, "invalid_client");
}

#[tokio::test]
async fn a_reusable_token_is_bounded() {
    let scene = Scene::with(Signer::es256("first"), "assertions = \"reusable\"\n").await;
    let now = scene.service.now().unix();
    for (members, says) in [
        // Another recipient of the token could use it here.
        (json!({ "aud": ["bailiwick", "other"] }), "`aud`"),
        (json!({ "aud": ["bailiwick", "bailiwick"] }), "`aud`"),
        (json!({ "aud": ["other"] }), "`aud`"),
        (json!({ "aud": [] }), "`aud`"),
        (json!({ "aud": null }), "`aud`"),
        // Without `iat`, the token's total lifetime is unknown.
        (json!({ "iat": null }), "`iat`"),
        (json!({ "iat": null, "nbf": now }), "`iat`"),
        (json!({ "exp": now + 3_601 }), "is above"),
        (json!({ "iat": now - 86_400, "exp": now + 60 }), "is above"),
        (json!({ "exp": null }), "`exp`"),
        (json!({ "sub": null }), "`sub`"),
    ] {
        let answer = scene.assert(&scene.jwt(&members)).await;
        let said = answer.is_oauth(401, "invalid_client");
        assert!(said.contains(&says.replace('`', "'")), "{members}: {said}");
    }
    scene.assert(&scene.jwt(&json!({}))).await.is_token();
    // None of these rules apply to a token that is not a client assertion.
    let shared = scene.jwt(&json!({ "aud": ["bailiwick", "other"], "iat": null }));
    scene.exchange(&shared).await.is_token();
    // The setting of one provider does not affect another.
    let once = Scene::new().await;
    let token = once.jwt(&json!({}));
    let said = once.assert(&token).await.is_oauth(401, "invalid_client");
    assert!(said.contains("jti"), "{said}");
}

#[tokio::test]
async fn a_rotation_is_noticed_and_a_flood_is_not_passed_on() {
    let scene = Scene::new().await;
    scene.exchange(&scene.jwt(&json!({}))).await.is_token();
    // The provider was asked once, at the start or for the first token, and not for each token.
    assert_eq!(scene.provider.asked(), 1);
    let claims = scene.claims(&json!({}));
    let second = Signer::es256("second");
    scene.provider.publish(&[&scene.signer, &second]);
    for _ in 0..3 {
        scene.exchange(&second.sign(&claims)).await.is_token();
    }
    assert_eq!(scene.provider.asked(), 2);
    // Within the cool-down, no token triggers a request, not even one with a key that is published by now.
    let third = Signer::es256("third");
    scene.provider.publish(&[&second, &third]);
    let stranger = Signer::es256("stranger").sign(&claims);
    let newest = third.sign(&claims);
    let (a, b, c, d) = tokio::join!(
        scene.exchange(&stranger),
        scene.exchange(&stranger),
        scene.exchange(&newest),
        scene.exchange(&stranger),
    );
    for answer in [a, b, c, d] {
        answer.is_oauth(400, "invalid_request");
    }
    assert_eq!(scene.provider.asked(), 2);
    scene.service.time.pass(29);
    scene
        .exchange(&newest)
        .await
        .is_oauth(400, "invalid_request");
    scene.service.time.pass(1);
    let (a, b, c) = tokio::join!(
        scene.exchange(&stranger),
        scene.exchange(&newest),
        scene.exchange(&stranger),
    );
    a.is_oauth(400, "invalid_request");
    b.is_token();
    c.is_oauth(400, "invalid_request");
    assert_eq!(scene.provider.asked(), 3);
    // A key that the provider has withdrawn is no longer accepted.
    scene
        .exchange(&scene.signer.sign(&claims))
        .await
        .is_oauth(400, "invalid_request");
}

#[tokio::test]
async fn an_outage_leaves_known_keys_valid() {
    let scene = Scene::new().await;
    scene.exchange(&scene.jwt(&json!({}))).await.is_token();
    scene.provider.becomes(Mood::Down);
    let second = Signer::es256("second");
    scene.provider.publish(&[&scene.signer, &second]);
    let claims = scene.claims(&json!({}));
    for _ in 0..2 {
        // The key may belong to the provider, and only the provider could confirm that.
        let answer = scene.exchange(&second.sign(&claims)).await;
        answer.is_oauth(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
        scene.exchange(&scene.jwt(&json!({}))).await.is_token();
    }
    assert_eq!(scene.provider.asked(), 1);
    scene.provider.becomes(Mood::Well);
    scene.service.time.pass(30);
    scene
        .exchange(&second.sign(&scene.claims(&json!({}))))
        .await
        .is_token();
}

#[tokio::test]
async fn keys_come_from_where_they_are_configured_to_be() {
    for mood in [Mood::Down, Mood::Verbose, Mood::Elsewhere, Mood::Disguised] {
        let signer = Signer::es256("first");
        let provider = Provider::start(&[&signer]).await;
        provider.becomes(mood);
        let scene = Scene::of(provider, signer, "").await;
        let answer = scene.exchange(&scene.jwt(&json!({}))).await;
        answer.is_oauth(503, "temporarily_unavailable");
        let assertion = scene.jwt(&json!({ "jti": "one" }));
        let answer = scene.assert(&assertion).await;
        answer.is_oauth(503, "temporarily_unavailable");
        assert_eq!(scene.provider.led_away(), 0);
        let name = "bailiwick_issuer_providers_without_keys";
        assert_eq!(scene.service.metric(name).await.as_deref(), Some("1"));
        // A JWT that could not be verified was not used up.
        scene.provider.becomes(Mood::Well);
        scene.service.time.pass(30);
        scene.assert(&assertion).await.is_token();
        assert_eq!(scene.service.metric(name).await.as_deref(), Some("0"));
    }
}

/// A provider whose issuer has a path publishes its configuration below that path (OpenID Connect Discovery
/// 1.0, section 4).
#[tokio::test]
async fn a_provider_may_have_a_path() {
    for path in ["/realms/corp", "/id/EXAMPLE/"] {
        let signer = Signer::es256("first");
        let provider = Provider::start_below(path, &[&signer]).await;
        let scene = Scene::of(provider, signer, "").await;
        scene.exchange(&scene.jwt(&json!({}))).await.is_token();
        // The issuer's name must match exactly; similar names are refused.
        for other in [
            format!("{}/", scene.provider.issuer),
            scene.provider.issuer.trim_end_matches('/').to_owned(),
            scene.provider.issuer.replace(path, ""),
            scene.provider.issuer.replace("http:", "HTTP:"),
        ] {
            if other != scene.provider.issuer {
                let jwt = scene.jwt(&json!({ "iss": other }));
                scene.exchange(&jwt).await.is_oauth(400, "invalid_request");
            }
        }
    }
    // A configuration for the issuer without the slash belongs to another issuer.
    let signer = Signer::es256("first");
    let provider = Provider::start_below("/realms/corp", &[&signer]).await;
    let config = provider.config().replace("/realms/corp", "/realms/corp/");
    let service = Setup::with_providers(&config).start().await;
    let secret = service.client("assistant-1", &["assistant"]).await;
    let claims = json!({
        "iss": format!("{}/", provider.issuer), "aud": "bailiwick", "sub": "ada",
        "exp": service.now().unix() + 60, "groups": ["buyers"],
    });
    let answer = exchange_at(&service, &secret, &signer.sign(&claims)).await;
    answer.is_oauth(503, "temporarily_unavailable");
}

#[tokio::test]
async fn a_provider_that_is_silent_does_not_hold_up_the_end() {
    let signer = Signer::es256("first");
    let provider = Provider::start(&[&signer]).await;
    provider.becomes(Mood::Silent);
    let mut service = Setup::with_providers(&provider.config()).start().await;
    // The provider has five seconds to answer, but a stop does not wait for them.
    let running = service.running.take().unwrap();
    let begun = std::time::Instant::now();
    running.stop(std::time::Duration::ZERO).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_no_longer_counted() {
    let signer = Signer::es256("first");
    let provider = Provider::start(&[&signer]).await;
    provider.becomes(Mood::Silent);
    let scene = Scene::of(provider, signer, "").await;
    let assertion = scene.jwt(&json!({ "jti": "one" }));
    let body = json!({ "client_assertion": assertion }).to_string();
    let length = body.len();
    let mut wire = Wire::connect(scene.service.address).await;
    wire.send(&format!(
        "POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
    .await;
    let in_flight = "bailiwick_issuer_requests_in_flight";
    scene.service.wait_for(in_flight, "1").await;
    drop(wire);
    scene.service.wait_for(in_flight, "0").await;
}

/// A file ends with a newline, and callers may send its content unchanged.
#[tokio::test]
async fn white_space_around_jwts_is_ignored() {
    let scene = Scene::new().await;
    let subject = format!("{}\n", scene.jwt(&json!({})));
    scene.exchange(&subject).await.is_token();
    let actor = format!(" {}\r\n", scene.jwt(&json!({ "sub": "robot" })));
    let deputy = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("scope", "deputy"),
        ("subject_token", &subject),
        ("subject_token_type", JWT),
        ("actor_token", &actor),
        ("actor_token_type", JWT),
    ];
    scene.service.token(Auth::None, &deputy).await.is_token();
    let assertion = |jti: &str| {
        let jwt = scene.jwt(&json!({ "sub": "robot", "jti": jti }));
        format!("{jwt}\n")
    };
    scene.assert(&assertion("one")).await.is_token();
    let body = json!({ "profile": "deputy", "client_assertion": assertion("two"), "subject_token": subject });
    let answer = scene.service.post("/v1/tokens", Auth::None, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let split = scene.jwt(&json!({})).replacen('.', ".\n", 1);
    let answer = scene.exchange(&split).await;
    answer.is_oauth(400, "invalid_request");
}
