use super::*;
use crate::{AuditFilter, ClientError, NewClient};

fn orchestrator() -> NewClient {
    NewClient {
        name: "orchestrator".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::from_str(r#"{"department":"procurement"}"#).unwrap(),
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_as_a_hash() {
    let (_dir, issuer) = issuer().await;
    let (client, secret) = issuer.client_add(orchestrator(), at(0)).await.unwrap();
    assert_eq!(issuer.client("orchestrator").await.unwrap(), client);
    assert_eq!(format!("{secret:?}"), "ClientSecret { .. }");
    let mut tx = issuer.store.read().await.unwrap();
    let stored = tx
        .client("orchestrator")
        .await
        .unwrap()
        .unwrap()
        .secrets
        .remove(0);
    drop(tx);
    assert!(stored.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let random = secret.expose().split_once('.').unwrap().1.to_owned();
    let rows = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains(&random));
    assert!(!serde_json::to_string(&client).unwrap().contains(&random));

    let known = async |name: &str, secret: &str| {
        let client = issuer
            .authenticate_client(name, secret, at(1))
            .await
            .unwrap();
        client.map(|signed_in| signed_in.client().principal.clone())
    };
    let right = Some("team:procurement".to_owned());
    // The second time, the secret is remembered.
    assert_eq!(known("orchestrator", secret.expose()).await, right);
    assert_eq!(known("orchestrator", secret.expose()).await, right);
    let id = &client.secrets[0].id;
    for (name, secret) in [
        ("orchestrator", format!("{id}.{}", "0".repeat(64))),
        ("orchestrator", format!("000000000000.{random}")),
        ("orchestrator", random.clone()),
        ("orchestrator", String::new()),
        ("orchestrator", "x".repeat(100_000)),
        ("Orchestrator", secret.expose().to_owned()),
        ("", secret.expose().to_owned()),
    ] {
        assert_eq!(known(name, &secret).await, None, "{name}");
    }
}

#[tokio::test]
async fn simultaneous_sign_ins_are_distinguished() {
    let (_dir, issuer) = issuer().await;
    let mut secrets = Vec::new();
    for name in ["a", "b", "c"] {
        let client = NewClient {
            name: name.to_owned(),
            principal: format!("team:{name}"),
            ..orchestrator()
        };
        secrets.push(issuer.client_add(client, at(0)).await.unwrap().1);
    }
    let mut attempts = tokio::task::JoinSet::new();
    for name in ["a", "b", "c", "nobody", "\0", "a\u{e4}", "a:", ""] {
        for (index, secret) in secrets.iter().enumerate() {
            let (issuer, secret) = (issuer.clone(), secret.expose().to_owned());
            attempts.spawn(async move {
                let client = issuer.authenticate_client(name, &secret, at(1)).await;
                let client = client.unwrap();
                let own = ["a", "b", "c"][index] == name;
                assert_eq!(client.is_some(), own, "{name}");
                client.is_none_or(|it| it.client().principal == format!("team:{name}"))
            });
        }
    }
    assert!(attempts.join_all().await.into_iter().all(|right| right));
}

#[tokio::test]
async fn a_secret_is_exchanged_without_a_gap() {
    let (_dir, issuer) = issuer().await;
    let (_, first) = issuer.client_add(orchestrator(), at(0)).await.unwrap();
    let (client, second) = issuer
        .client_rotate("orchestrator", 60, at(100))
        .await
        .unwrap();
    assert_eq!(client.secrets.len(), 2);
    let good = async |secret: &crate::ClientSecret, now| {
        let name = "orchestrator";
        let client = issuer
            .authenticate_client(name, secret.expose(), at(now))
            .await;
        client.unwrap().is_some()
    };
    for (now, first_good) in [(100, true), (159, true), (160, false)] {
        assert_eq!(good(&first, now).await, first_good);
        assert!(good(&second, now).await);
    }
    let (_, third) = issuer
        .client_rotate("orchestrator", 1_000, at(200))
        .await
        .unwrap();
    issuer
        .client_rotate("orchestrator", 1_000, at(201))
        .await
        .unwrap();
    let crowded = issuer.client_rotate("orchestrator", 1_000, at(202)).await;
    assert!(matches!(crowded, Err(ClientError::TooManySecrets)));
    // The old secret ends at once, as it must after a leak.
    issuer
        .client_rotate("orchestrator", 0, at(203))
        .await
        .unwrap();
    assert!(!good(&second, 203).await && !good(&third, 203).await);
}

#[tokio::test]
async fn a_disabled_client_is_refused_for_good() {
    let (_dir, issuer) = issuer().await;
    let (_, secret) = issuer.client_add(orchestrator(), at(0)).await.unwrap();
    let name = "orchestrator";
    let known = async || {
        let client = issuer
            .authenticate_client(name, secret.expose(), at(2))
            .await;
        client.unwrap().is_some()
    };
    assert!(known().await);
    let client = issuer.client_disable(name, at(1)).await.unwrap();
    assert_eq!((client.disabled_at, client.secrets.len()), (Some(at(1)), 0));
    assert!(!known().await);
    assert!(matches!(
        issuer.client_rotate(name, 0, at(2)).await,
        Err(ClientError::Disabled(_))
    ));
    assert!(matches!(
        issuer.client_add(orchestrator(), at(2)).await,
        Err(ClientError::Exists(_))
    ));
    assert!(matches!(
        issuer.client_disable("nobody", at(2)).await,
        Err(ClientError::NotFound(_))
    ));
    assert_eq!(issuer.clients().await.unwrap(), [client]);
}

#[tokio::test]
async fn impossible_client_names_are_refused() {
    let (_dir, issuer) = issuer().await;
    let claims = |text| serde_json::from_str(text).unwrap();
    let named = |name: &str| NewClient {
        name: name.to_owned(),
        ..orchestrator()
    };
    let wrong = [
        NewClient {
            name: "a:b".to_owned(),
            ..orchestrator()
        },
        NewClient {
            name: "a b".to_owned(),
            ..orchestrator()
        },
        NewClient {
            name: String::new(),
            ..orchestrator()
        },
        named("."),
        named(".."),
        named("..;"),
        named("%2e%2e"),
        named("a/b"),
        named("a\\b"),
        named("a?b"),
        named("a#b"),
        NewClient {
            principal: " ".to_owned(),
            ..orchestrator()
        },
        NewClient {
            principal: "team:procurement ".to_owned(),
            ..orchestrator()
        },
        NewClient {
            principal: "n".repeat(513),
            ..orchestrator()
        },
        NewClient {
            profiles: Vec::new(),
            ..orchestrator()
        },
        NewClient {
            claims: claims(r#"{"client":"root"}"#),
            ..orchestrator()
        },
    ];
    for client in wrong {
        assert!(issuer.client_add(client, at(0)).await.is_err());
    }
    assert!(issuer.clients().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_assertion_is_used_once_by_whichever_issuer() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let used = async |issuer: &Issuer, id: u8, now| {
        issuer
            .use_assertion(&[id; 32], at(0), at(100), at(now))
            .await
            .unwrap()
    };
    assert!(used(&one, 1, 10).await);
    assert!(!used(&two, 1, 11).await);
    assert!(used(&two, 2, 11).await);
    // A used assertion is remembered for as long as it would be accepted.
    assert!(!used(&one, 1, 100).await);
}

/// A client whose name violates a rule that was added later can be disabled at the home.
#[tokio::test]
async fn unreachable_names_can_be_removed() {
    let (_dir, issuer) = issuer().await;
    let (_, secret) = issuer.client_add(orchestrator(), at(0)).await.unwrap();
    issuer
        .store
        .tamper("INSERT INTO client (name, principal, profiles, claims, created_at, disabled_at) SELECT '..', principal, profiles, claims, created_at, disabled_at FROM client")
        .await;
    issuer
        .store
        .tamper(
            "INSERT INTO verifier (name, service, keyset_version, seen_at) VALUES ('..', 'erp', 1, 1)",
        )
        .await;
    let known = issuer.authenticate_client("..", secret.expose(), at(1));
    assert!(known.await.unwrap().is_none());
    let disabled = issuer.client_disable("..", at(1)).await.unwrap();
    assert_eq!(disabled.disabled_at, Some(at(1)));
    assert!(issuer.forget_verifier("..", at(1)).await.unwrap());
}
