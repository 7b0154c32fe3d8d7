//! Tests of clients with keys. Verifying signatures is up to the caller, so these keys sign nothing.

use super::*;
use crate::{
    AuditFilter, ClientError, ClientKey, MintError, NewClient, NewClientKey, SignError, SignedIn,
    Standing, StoreError, Withdrawn,
};
use serde_json::{Map, json};

/// Makes a key with the given `kid`. Keys with different values of `x` are different keys.
pub(super) fn key(x: &str, kid: &str) -> NewClientKey {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid });
    NewClientKey::new(jwk.as_object().unwrap().clone()).unwrap()
}

fn robot() -> NewClient {
    NewClient {
        name: "robot".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: Map::new(),
    }
}

fn ids(keys: &[ClientKey]) -> Vec<&str> {
    keys.iter().map(|key| key.id.as_str()).collect()
}

async fn signed_in(issuer: &Issuer, id: &str) -> Option<SignedIn> {
    let client = issuer.signing_client("robot").await.unwrap();
    client.unwrap().signed_in_by(id)
}

/// The issuer, acting on the standing of a client that has authenticated with this key.
async fn waiting(issuer: &Issuer, id: &str) -> Issuer {
    let standing = Standing::of_client(signed_in(issuer, id).await.unwrap());
    issuer.acting_as("caller:robot").on_standing(standing)
}

#[track_caller]
fn is_withdrawn<T: std::fmt::Debug>(minted: Result<T, MintError>) {
    let error = minted.unwrap_err();
    assert!(
        matches!(
            error,
            MintError::Sign(SignError::Store(StoreError::Withdrawn(Withdrawn::Client)))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn keys_are_rotated() {
    let (_dir, issuer) = issuer().await;
    let (one, two) = (key("AAAA", "one"), key("BBBB", "two"));
    let (first, second) = (one.id().to_owned(), two.id().to_owned());
    let client = issuer
        .client_add_with_keys(robot(), vec![one.clone()], at(0))
        .await
        .unwrap();
    assert_eq!(ids(&client.keys), [&first]);
    assert_eq!(client.keys[0].kid(), Some("one"));
    assert!(client.secrets.is_empty());
    let client = issuer.client_key_add("robot", vec![two], at(1)).await;
    assert_eq!(ids(&client.unwrap().keys), [&first, &second]);
    for id in [&first, &second] {
        assert!(signed_in(&issuer, id).await.is_some());
    }
    // The client has the first key already; the second one is new, but its `kid` is taken.
    for again in [key("AAAA", "three"), key("CCCC", "one")] {
        let refused = issuer.client_key_add("robot", vec![again], at(2)).await;
        assert!(matches!(refused, Err(ClientError::KeyExists(_))));
    }
    let client = issuer.client_key_remove("robot", &first, at(3)).await;
    let client = client.unwrap();
    assert_eq!(ids(&client.keys), [&second]);
    assert_eq!(issuer.client("robot").await.unwrap(), client);
    assert!(signed_in(&issuer, &first).await.is_none());
    let again = issuer.client_key_remove("robot", &first, at(4)).await;
    assert!(matches!(again, Err(ClientError::KeyNotFound(_))));

    let rows = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    let rows: Vec<(&str, serde_json::Value)> = rows
        .iter()
        .filter(|row| row.event.starts_with("client."))
        .map(|row| {
            (
                row.event.as_str(),
                serde_json::from_str(&row.detail).unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "client.add",
                json!({ "client": "robot", "profiles": ["buyer"], "claims": {}, "keys": [first] })
            ),
            (
                "client.key.add",
                json!({ "client": "robot", "keys": [second] })
            ),
            (
                "client.key.remove",
                json!({ "client": "robot", "key": first })
            ),
        ]
    );
}

#[tokio::test]
async fn secrets_and_keys_go_together() {
    let (_dir, issuer) = issuer().await;
    let one = key("AAAA", "one");
    let id = one.id().to_owned();
    let client = issuer.client_add_with_keys(robot(), vec![one], at(0));
    client.await.unwrap();
    let (client, secret) = issuer.client_rotate("robot", 0, at(1)).await.unwrap();
    assert_eq!((client.keys.len(), client.secrets.len()), (1, 1));
    let known = issuer.authenticate_client("robot", secret.expose(), at(2));
    assert!(known.await.unwrap().is_some());
    // A standing by key does not depend on the secret, nor a standing by secret on the key.
    let by_key = waiting(&issuer, &id).await;
    issuer.client_rotate("robot", 0, at(3)).await.unwrap();
    by_key.mint(&request(), at(4)).await.unwrap();
    let known = issuer.authenticate_client("robot", secret.expose(), at(4));
    assert!(known.await.unwrap().is_none());
}

#[tokio::test]
async fn impossible_keys_are_refused() {
    let (_dir, issuer) = issuer().await;
    let none = issuer.client_add_with_keys(robot(), vec![], at(0)).await;
    assert!(matches!(none, Err(ClientError::NoKey)));
    let names = [
        "AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF", "GGGG", "HHHH",
    ];
    let mut keys: Vec<NewClientKey> = names.iter().map(|x| key(x, x)).collect();
    keys.push(key("IIII", "IIII"));
    let many = issuer.client_add_with_keys(robot(), keys.clone(), at(0));
    assert!(matches!(many.await, Err(ClientError::TooManyKeys)));
    assert!(issuer.clients().await.unwrap().is_empty());
    let last = keys.pop().unwrap();
    issuer
        .client_add_with_keys(robot(), keys, at(0))
        .await
        .unwrap();
    let one_more = issuer.client_key_add("robot", vec![last], at(1)).await;
    assert!(matches!(one_more, Err(ClientError::TooManyKeys)));
    let again = issuer.client_add_with_keys(robot(), vec![key("AAAA", "a")], at(1));
    assert!(matches!(again.await, Err(ClientError::Exists(_))));
    let nobody = issuer.client_key_add("nobody", vec![key("AAAA", "a")], at(1));
    assert!(matches!(nobody.await, Err(ClientError::NotFound(_))));
    for name in ["nobody", "https://idp.example", "a\0b", ""] {
        assert!(issuer.signing_client(name).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn removed_key_mints_nothing() {
    let (_dir, issuer) = issuer().await;
    let (one, two) = (key("AAAA", "one"), key("BBBB", "two"));
    let id = one.id().to_owned();
    let client = issuer.client_add_with_keys(robot(), vec![one.clone(), two.clone()], at(0));
    client.await.unwrap();
    let waiting = waiting(&issuer, &id).await;
    issuer
        .client_key_remove("robot", two.id(), at(1))
        .await
        .unwrap();
    waiting.mint(&request(), at(2)).await.unwrap();
    issuer.client_key_remove("robot", &id, at(3)).await.unwrap();
    is_withdrawn(waiting.mint(&request(), at(4)).await);
    let rows = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    let last = rows.last().unwrap();
    assert_eq!(
        (last.event.as_str(), last.agent.as_deref()),
        ("mint.refused", Some("robot"))
    );
    // A key that was registered again is a ground only for later requests.
    let client = issuer.client_key_add("robot", vec![one], at(5)).await;
    client.unwrap();
    is_withdrawn(waiting.mint(&request(), at(6)).await);
}

#[tokio::test]
async fn disabled_client_has_no_keys() {
    let (_dir, issuer) = issuer().await;
    let one = key("AAAA", "one");
    let id = one.id().to_owned();
    let client = issuer.client_add_with_keys(robot(), vec![one], at(0));
    client.await.unwrap();
    let waiting = waiting(&issuer, &id).await;
    issuer.client_disable("robot", at(1)).await.unwrap();
    is_withdrawn(waiting.mint(&request(), at(2)).await);
    let client = issuer.signing_client("robot").await.unwrap().unwrap();
    assert!(client.keys().is_empty());
    assert!(client.signed_in_by(&id).is_none());
    let added = issuer.client_key_add("robot", vec![key("BBBB", "two")], at(3));
    assert!(matches!(added.await, Err(ClientError::Disabled(_))));
    let removed = issuer.client_key_remove("robot", &id, at(3)).await;
    assert!(matches!(removed, Err(ClientError::Disabled(_))));
}
