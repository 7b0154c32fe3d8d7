//! Tests that a request gets nothing if its caller's right is withdrawn while it waits.
//!
//! The provider withholds its keys, so a request waits for them after its client has been authenticated.

use bailiwick_api::{CLIENT_ASSERTION_TYPE, ProblemCode};
use bailiwick_testkit::{
    ISSUER,
    http::eventually,
    provider::{Mood, Provider, Signer},
    service::{Answer, Auth, Service, Setup},
};
use bailiwick_token::revocation::{Party, Target, Watermark};
use bailiwick_verifier::{Call, Reason};
use serde_json::json;

const CLIENT: &str = "assistant-1";

/// The endpoint of a request.
#[derive(Clone, Copy)]
enum Endpoint {
    OAuth,
    Json,
}

/// The credentials of the client.
#[derive(Clone, Copy)]
enum Credential {
    Secret,
    Key,
}

/// An authenticated client whose request waits for the keys of the principal's provider.
struct Waiting {
    provider: Provider,
    service: std::sync::Arc<Service>,
    answer: tokio::task::JoinHandle<Answer>,
    /// The id of the client's key, if the client authenticated with one.
    key: Option<String>,
}

impl Waiting {
    async fn at(endpoint: Endpoint) -> Waiting {
        Waiting::with(Credential::Secret, endpoint).await
    }

    async fn with(credential: Credential, endpoint: Endpoint) -> Waiting {
        let (first, second) = (Signer::es256("first"), Signer::es256("second"));
        let provider = Provider::start(&[&first]).await;
        let service = Setup::with_providers(&provider.config()).start().await;
        let name = "bailiwick_issuer_providers_without_keys";
        service.wait_for(name, "0").await;
        let secret = service.client(CLIENT, &["assistant"]).await;
        let now = service.now().unix();
        let own = Signer::eddsa("own");
        let (key, assertion) = match credential {
            Credential::Secret => (None, None),
            Credential::Key => {
                let body = json!({ "keys": [own.jwk] });
                let path = format!("/v1/clients/{CLIENT}/keys");
                let client = service.operate("client:key_add", &path, &body).await;
                let id = client["keys"][0]["id"].as_str().unwrap().to_owned();
                let assertion = own.sign(&json!({
                    "iss": CLIENT,
                    "sub": CLIENT,
                    "aud": ISSUER,
                    "exp": now + 60,
                    "jti": "one",
                }));
                (Some(id), Some(assertion))
            }
        };
        // An unknown key makes the service ask the provider.
        let subject = second.sign(&json!({
            "iss": provider.issuer,
            "aud": "bailiwick",
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "groups": ["buyers"],
        }));
        provider.publish(&[&first, &second]);
        provider.becomes(Mood::Held);
        let asked = provider.asked();
        let service = std::sync::Arc::new(service);
        let asking = std::sync::Arc::clone(&service);
        let answer = tokio::spawn(async move {
            let auth = match assertion {
                None => Auth::Basic(CLIENT, &secret),
                Some(_) => Auth::None,
            };
            match endpoint {
                Endpoint::OAuth => {
                    let mut form = vec![
                        (
                            "grant_type",
                            "urn:ietf:params:oauth:grant-type:token-exchange",
                        ),
                        ("scope", "assistant"),
                        ("subject_token", subject.as_str()),
                        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ];
                    if let Some(assertion) = &assertion {
                        form.push(("client_assertion", assertion.as_str()));
                        form.push(("client_assertion_type", CLIENT_ASSERTION_TYPE));
                    }
                    asking.token(auth, &form).await
                }
                Endpoint::Json => {
                    let mut body = json!({ "profile": "assistant", "subject_token": subject });
                    if let Some(assertion) = &assertion {
                        body["client_assertion"] = json!(assertion);
                    }
                    asking.post("/v1/tokens", auth, &body).await
                }
            }
        });
        eventually("the provider is asked", async || provider.asked() > asked).await;
        Waiting {
            provider,
            service,
            answer,
            key,
        }
    }

    /// Releases the provider's keys, which ends the wait.
    async fn end(self) -> (std::sync::Arc<Service>, Answer) {
        self.provider.release();
        (self.service, self.answer.await.unwrap())
    }
}

#[tokio::test]
async fn waiting_client_gets_its_token() {
    let (service, answer) = Waiting::at(Endpoint::OAuth).await.end().await;
    answer.is_token();
    let metric = service.metric("bailiwick_issuer_mints_total{outcome=\"minted\"}");
    assert_eq!(metric.await.as_deref(), Some("1"));
}

#[tokio::test]
async fn disabled_client_gets_no_token() {
    for endpoint in [Endpoint::OAuth, Endpoint::Json] {
        let waiting = Waiting::at(endpoint).await;
        let (issuer, now) = (&waiting.service.issuer, waiting.service.now());
        issuer.client_disable(CLIENT, now).await.unwrap();
        is_refused(endpoint, waiting).await;
    }
}

#[tokio::test]
async fn ended_secret_gets_no_token() {
    for endpoint in [Endpoint::OAuth, Endpoint::Json] {
        let waiting = Waiting::at(endpoint).await;
        let (issuer, now) = (&waiting.service.issuer, waiting.service.now());
        issuer.client_rotate(CLIENT, 0, now).await.unwrap();
        is_refused(endpoint, waiting).await;
    }
}

#[tokio::test]
async fn removed_key_gets_no_token() {
    let (_service, answer) = Waiting::with(Credential::Key, Endpoint::OAuth)
        .await
        .end()
        .await;
    answer.is_token();
    for endpoint in [Endpoint::OAuth, Endpoint::Json] {
        let waiting = Waiting::with(Credential::Key, endpoint).await;
        let (issuer, now) = (&waiting.service.issuer, waiting.service.now());
        let key = waiting.key.clone().unwrap();
        issuer.client_key_remove(CLIENT, &key, now).await.unwrap();
        is_refused(endpoint, waiting).await;
        let waiting = Waiting::with(Credential::Key, endpoint).await;
        let (issuer, now) = (&waiting.service.issuer, waiting.service.now());
        issuer.client_disable(CLIENT, now).await.unwrap();
        is_refused(endpoint, waiting).await;
        // An expired secret does not affect the key.
        let waiting = Waiting::with(Credential::Key, endpoint).await;
        let (issuer, now) = (&waiting.service.issuer, waiting.service.now());
        issuer.client_rotate(CLIENT, 0, now).await.unwrap();
        let (_, answer) = waiting.end().await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
    }
}

async fn is_refused(endpoint: Endpoint, waiting: Waiting) {
    let (service, answer) = waiting.end().await;
    let says = match endpoint {
        Endpoint::OAuth => answer.is_oauth(401, "invalid_client"),
        Endpoint::Json => answer.is_problem(401, ProblemCode::Unauthenticated).detail,
    };
    // The answer is the same as for any wrong secret.
    assert!(
        says.contains("the name or the secret of the client is wrong"),
        "{says}"
    );
    let rows = service.audit().await;
    assert!(rows.iter().all(|row| row["principal"] != "user:ada"));
    let refused = rows.iter().find(|row| row["event"] == "mint.refused");
    let refused = refused.unwrap();
    assert_eq!(refused["agent"], CLIENT);
    assert_eq!(refused["actor"], format!("caller:{CLIENT}"));
    assert_eq!(refused["detail"]["profile"], "assistant");
    let metric = service.metric("bailiwick_issuer_mints_total{outcome=\"withdrawn\"}");
    assert_eq!(metric.await.as_deref(), Some("1"));
}

/// A watermark covers every token that was requested before it, however long the request waited.
#[tokio::test]
async fn watermark_names_what_was_asked_for_before() {
    let waiting = Waiting::at(Endpoint::OAuth).await;
    let service = &waiting.service;
    service.time.pass(5);
    let before = service.now();
    let target = Watermark::new(Party::Principal, "user:ada", before).unwrap();
    let revoked = service
        .issuer
        .revoke(Target::Watermark(target), None, "a test", before);
    revoked.await.unwrap();
    service.time.pass(5);
    let (service, answer) = waiting.end().await;
    let token = answer.is_token();
    assert_eq!(answer.json()["expires_in"], 590);
    let verifier = service.verifier("erp").await;
    let call = Call::new("purchase_order:create");
    let decision = verifier.check(&token, &call, service.now());
    assert_eq!(decision.reason(), Some(Reason::Revoked), "{decision:?}");
}
