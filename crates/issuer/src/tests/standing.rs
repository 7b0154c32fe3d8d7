//! Tests that a request gets nothing if its standing is withdrawn while it waits.
//!
//! A sign-in is a value, so each test keeps one for as long as an attacker would prolong the wait.

use std::sync::Arc;

use bailiwick_token::revocation::{Party, Target, Watermark};

use super::*;
use crate::{
    AuditFilter, AuditRow, ClientSecret, MintError, NewClient, SignError, Standing, StoreError,
    Withdrawn,
    profile::{InUse, ProfileLimits, Profiles},
};

const PROFILE: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.token]
agent = "agent:buyer"
principal = "team:procurement"
ttl = { default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;

fn profiles(text: &str) -> Profiles {
    Profiles::parse(&[("profiles.toml", text)], &ProfileLimits::default()).unwrap()
}

async fn client(issuer: &Issuer) -> ClientSecret {
    let client = NewClient {
        name: "buyer".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::new(),
    };
    issuer.client_add(client, at(0)).await.unwrap().1
}

/// The issuer, acting on the standing of an authenticated client.
async fn signed_in(issuer: &Issuer, secret: &ClientSecret) -> Issuer {
    let signed_in = issuer.authenticate_client("buyer", secret.expose(), at(1));
    let standing = Standing::of_client(signed_in.await.unwrap().unwrap());
    issuer.acting_as("caller:buyer").on_standing(standing)
}

async fn rows(issuer: &Issuer) -> Vec<AuditRow> {
    issuer.audit_list(&AuditFilter::default()).await.unwrap()
}

#[track_caller]
fn is_withdrawn<T: std::fmt::Debug>(minted: Result<T, MintError>, expected: Withdrawn) {
    let error = minted.unwrap_err();
    assert!(
        matches!(error, MintError::Sign(SignError::Store(StoreError::Withdrawn(found))) if found == expected),
        "{error:?}"
    );
}

#[tokio::test]
async fn disabled_client_mints_nothing() {
    let (_dir, issuer) = issuer().await;
    let secret = client(&issuer).await;
    let waiting = signed_in(&issuer, &secret).await;
    assert!(waiting.mint(&request(), at(2)).await.is_ok());
    issuer.client_disable("buyer", at(3)).await.unwrap();
    is_withdrawn(waiting.mint(&request(), at(4)).await, Withdrawn::Client);
    let rows = rows(&issuer).await;
    let last = rows.last().unwrap();
    assert_eq!(
        (
            last.event.as_str(),
            last.actor.as_str(),
            last.agent.as_deref()
        ),
        ("mint.refused", "caller:buyer", Some("buyer"))
    );
    assert!(last.detail.contains("disabled"), "{}", last.detail);
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!(report.finding, None);
}

#[tokio::test]
async fn ended_secret_mints_nothing() {
    let (_dir, issuer) = issuer().await;
    let secret = client(&issuer).await;
    let waiting = signed_in(&issuer, &secret).await;
    // During the overlap, both secrets are valid.
    issuer.client_rotate("buyer", 60, at(2)).await.unwrap();
    assert!(waiting.mint(&request(), at(3)).await.is_ok());
    // The old secret ends at once, as it must after a leak.
    issuer.client_rotate("buyer", 0, at(4)).await.unwrap();
    is_withdrawn(waiting.mint(&request(), at(5)).await, Withdrawn::Client);
}

#[tokio::test]
async fn changed_registration_mints_nothing() {
    for change in [
        "principal = 'team:other'",
        "profiles = '[\"treasurer\"]'",
        "claims = '{\"department\":\"treasury\"}'",
        "created_at = 7",
    ] {
        let (_dir, issuer) = issuer().await;
        let secret = client(&issuer).await;
        let waiting = signed_in(&issuer, &secret).await;
        let other = another(&issuer).await;
        other
            .store
            .tamper(&format!("UPDATE client SET {change}"))
            .await;
        is_withdrawn(waiting.mint(&request(), at(2)).await, Withdrawn::Client);
    }
}

#[tokio::test]
async fn removed_client_mints_nothing() {
    let (_dir, issuer) = issuer().await;
    let secret = client(&issuer).await;
    let waiting = signed_in(&issuer, &secret).await;
    issuer
        .store
        .tamper("DELETE FROM client_secret; DELETE FROM client")
        .await;
    is_withdrawn(waiting.mint(&request(), at(2)).await, Withdrawn::Client);
}

/// One request of a batch is refused, and its refusal is recorded between the mints of the others.
#[tokio::test]
async fn batch_refuses_only_the_withdrawn() {
    let (_dir, issuer) = issuer().await;
    let secret = client(&issuer).await;
    let waiting = signed_in(&issuer, &secret).await;
    issuer.client_disable("buyer", at(3)).await.unwrap();
    let before = rows(&issuer).await.len();
    // The transaction that records the requests waits for the writer.
    let place = issuer.store.write().await.unwrap();
    let mut minting = tokio::task::JoinSet::new();
    for index in 0..9 {
        let by = if index % 3 == 1 { &waiting } else { &issuer }.clone();
        minting.spawn(async move { (index, by.mint(&request(), at(4)).await) });
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(place);
    for (index, minted) in minting.join_all().await {
        match index % 3 {
            1 => is_withdrawn(minted, Withdrawn::Client),
            _ => {
                let receipt = minted.unwrap().receipt;
                let filter = AuditFilter {
                    token: Some(receipt.token_id.to_string()),
                    ..AuditFilter::default()
                };
                let row = issuer.audit_list(&filter).await.unwrap().remove(0);
                assert_eq!(row.seq, receipt.audit_seq);
            }
        }
    }
    let events: Vec<String> = rows(&issuer)
        .await
        .split_off(before)
        .into_iter()
        .map(|row| row.event)
        .collect();
    let count = |event: &str| events.iter().filter(|it| *it == event).count();
    assert_eq!((count("mint"), count("mint.refused")), (6, 3));
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!(report.finding, None);
}

#[tokio::test]
async fn changed_profile_mints_nothing() {
    let (_dir, issuer) = issuer().await;
    let in_use = InUse::new(profiles(PROFILE));
    let read = in_use.load();
    let standing = Standing::default().under(in_use.snapshot(&read, "buyer"));
    let waiting = issuer.on_standing(standing);
    // Another profile is added, and this one stays.
    let other = PROFILE.replace("\"buyer\"", "\"other\"");
    in_use.replace(profiles(&format!("{PROFILE}{other}")));
    assert!(waiting.mint(&request(), at(1)).await.is_ok());
    let before = rows(&issuer).await.len();
    for text in [PROFILE.replace("1h", "30m"), other] {
        in_use.replace(profiles(&text));
        is_withdrawn(waiting.mint(&request(), at(2)).await, Withdrawn::Profile);
    }
    // The caller is asked to try again. Nothing was refused, so there is no new row.
    assert_eq!(rows(&issuer).await.len(), before);
}

/// Makes an operator's token, and the issuer acting for that operator.
async fn operator(issuer: &Issuer) -> (bailiwick_token::token::Token, Issuer) {
    let token = issuer.mint(&request(), at(1)).await.unwrap().token;
    let standing = Standing::of_operator(&token, "client:add").unwrap();
    let operator = issuer.acting_as("operator:buyer").on_standing(standing);
    (token, operator)
}

#[tokio::test]
async fn revoked_operator_changes_nothing() {
    type Name = fn(&bailiwick_token::token::Token) -> Target;
    let before =
        |party, name, seconds| Target::Watermark(Watermark::new(party, name, at(seconds)).unwrap());
    let named: [(&str, Name); 2] = [
        ("token", |token| Target::Token(token.token_id().unwrap())),
        ("block", |token| {
            let signature = token.block_signatures().remove(0);
            Target::Block(signature.try_into().unwrap())
        }),
    ];
    let watermarks = [
        before(Party::Agent, "agent:buyer", 2),
        before(Party::Principal, "user:ada", 2),
        before(Party::Tenant, "acme", 2),
    ];
    for index in 0..5 {
        let (_dir, issuer) = issuer().await;
        let (token, operator) = operator(&issuer).await;
        operator.stage(at(1)).await.unwrap();
        // Revocations of other tokens do not affect this one.
        for target in [
            before(Party::Agent, "agent:buyer", 1),
            before(Party::Agent, "agent:other", 2),
            before(Party::Principal, "agent:buyer", 2),
        ] {
            issuer.revoke(target, None, "a test", at(3)).await.unwrap();
        }
        operator.stage(at(3)).await.unwrap();
        let target = match named.get(index) {
            Some((_, name)) => name(&token),
            None => watermarks[index - named.len()].clone(),
        };
        issuer.revoke(target, None, "a test", at(3)).await.unwrap();
        refuses_all(&issuer, &operator).await;
    }
}

#[tokio::test]
async fn operator_under_revoked_key_changes_nothing() {
    let (_dir, issuer) = issuer().await;
    let (token, operator) = operator(&issuer).await;
    let key = bailiwick_token::key::KeyId::from_u32(token.root_key_id().unwrap());
    issuer.revoke_key(key, "a test", at(2)).await.unwrap();
    refuses_all(&issuer, &operator).await;
}

/// Checks that no writing operation by `operator` has an effect, and that each refusal is recorded.
async fn refuses_all(issuer: &Issuer, operator: &Issuer) {
    let before = rows(issuer).await.len();
    let state = async || {
        let clients = issuer.clients().await.unwrap();
        let keys = issuer.keys().await.unwrap();
        let revoked = issuer.revoked(at(3)).await.unwrap();
        (clients, keys, revoked)
    };
    let unchanged = state().await;
    let new = NewClient {
        name: "thief".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::new(),
    };
    let key = issuer.keys().await.unwrap()[0].id;
    let target = Target::Watermark(Watermark::new(Party::Agent, "a", at(1)).unwrap());
    let errors = [
        operator
            .client_add(new, at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .client_rotate("buyer", 0, at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .client_disable("buyer", at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .client_key_add("buyer", vec![super::client_keys::key("AAAA", "a")], at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .client_key_remove("buyer", "0011223344556677", at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .stage(at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .revoke_key(key, "x", at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .rotate(at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .revoke(target, None, "x", at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .forget_verifier("erp-1", at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .checkpoint(at(3))
            .await
            .err()
            .map(|error| error.to_string()),
        operator
            .mint(&request(), at(3))
            .await
            .err()
            .map(|error| error.to_string()),
    ];
    let expected = Withdrawn::Operator.to_string();
    let count = errors.len();
    for (index, error) in errors.into_iter().enumerate() {
        assert_eq!(error.as_deref(), Some(expected.as_str()), "verb {index}");
    }
    assert_eq!(state().await, unchanged);
    let added = rows(issuer).await.split_off(before);
    assert_eq!(added.len(), count);
    for row in added {
        assert_eq!(
            (row.event.as_str(), row.actor.as_str()),
            ("operator.refused", "operator:buyer")
        );
        assert!(row.detail.contains("client:add"), "{}", row.detail);
    }
}

#[tokio::test]
async fn sign_in_shows_no_hash() {
    let (_dir, issuer) = issuer().await;
    let secret = client(&issuer).await;
    let signed_in = issuer.authenticate_client("buyer", secret.expose(), at(1));
    let standing = Standing::of_client(signed_in.await.unwrap().unwrap());
    let shown = format!("{:?}", Arc::new(standing));
    assert!(
        shown.contains("buyer") && !shown.contains("argon2"),
        "{shown}"
    );
}
