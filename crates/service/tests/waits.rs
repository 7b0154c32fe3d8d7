//! A right that is withdrawn while a request waits gives nothing.
//!
//! The provider holds its keys back, so a request waits there after its client has signed in.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod support;

use bailiwick_api::ProblemCode;
use bailiwick_token::revocation::{Party, Target, Watermark};
use bailiwick_verifier::{Call, Reason};
use serde_json::json;
use support::{
    Answer, Auth, Service, Setup, eventually,
    provider::{Mood, Provider, Signer},
};

const CLIENT: &str = "assistant-1";

/// The endpoint of a request.
#[derive(Clone, Copy)]
enum Endpoint {
    OAuth,
    Json,
}

/// A client that has signed in, and waits for the keys of the principal's provider.
struct Waiting {
    provider: Provider,
    service: std::sync::Arc<Service>,
    answer: tokio::task::JoinHandle<Answer>,
}

impl Waiting {
    async fn at(endpoint: Endpoint) -> Waiting {
        let (first, second) = (Signer::es256("first"), Signer::es256("second"));
        let provider = Provider::start(&[&first]).await;
        let service = Setup::with_providers(&provider.config()).start().await;
        let name = "bailiwick_issuer_providers_without_keys";
        service.wait_for(name, "0").await;
        let secret = service.client(CLIENT, &["assistant"]).await;
        let now = service.now().unix();
        // A key that is not known yet is asked for.
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
            let auth = Auth::Basic(CLIENT, &secret);
            match endpoint {
                Endpoint::OAuth => {
                    let form = [
                        (
                            "grant_type",
                            "urn:ietf:params:oauth:grant-type:token-exchange",
                        ),
                        ("scope", "assistant"),
                        ("subject_token", subject.as_str()),
                        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ];
                    asking.token(auth, &form).await
                }
                Endpoint::Json => {
                    let body = json!({ "profile": "assistant", "subject_token": subject });
                    asking.post("/v1/tokens", auth, &body).await
                }
            }
        });
        eventually("the provider is asked", async || provider.asked() > asked).await;
        Waiting {
            provider,
            service,
            answer,
        }
    }

    /// Ends the wait.
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

async fn is_refused(endpoint: Endpoint, waiting: Waiting) {
    let (service, answer) = waiting.end().await;
    let says = match endpoint {
        Endpoint::OAuth => answer.is_oauth(401, "invalid_client"),
        Endpoint::Json => answer.is_problem(401, ProblemCode::Unauthenticated).detail,
    };
    // The same as to anyone with a wrong secret.
    assert!(says.contains("name or secret is wrong"), "{says}");
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

/// A token that was asked for before a watermark is named by it, however long the request waited.
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
