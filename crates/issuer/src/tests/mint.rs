use biscuit_auth::{Algorithm, Biscuit, PublicKey};

use super::*;
use crate::{AuditFilter, MintError, MintRefusal, SignError};

#[tokio::test]
async fn a_token_verifies_under_the_active_key_and_is_recorded() {
    let (_dir, issuer) = issuer().await;
    let minted = issuer.mint(&request(), at(100)).await.unwrap();
    let receipt = &minted.receipt;
    assert_eq!(minted.token.token_id(), Some(receipt.token_id));
    assert_eq!(
        (receipt.issued_at, receipt.not_before, receipt.expires),
        (at(100), at(40), at(700))
    );
    let active = keyset(&issuer).await.active().unwrap().clone();
    assert_eq!(
        (receipt.key, minted.token.root_key_id()),
        (active.id, Some(active.id.as_u32()))
    );
    let root = PublicKey::from_bytes(active.public.as_bytes(), Algorithm::Ed25519).unwrap();
    Biscuit::from(minted.token.as_bytes(), root).unwrap();

    let filter = AuditFilter {
        token: Some(receipt.token_id.to_string()),
        ..AuditFilter::default()
    };
    let rows = issuer.audit_list(&filter).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.seq, row.event.as_str()), (receipt.audit_seq, "mint"));
    assert_eq!(
        (row.agent.as_deref(), row.principal.as_deref()),
        (Some("agent:buyer"), Some("user:ada"))
    );
    let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap();
    assert!(detail.to_string().contains("purchase_order:create"));
    assert_eq!(detail.pointer("/claims/region").unwrap(), "eu");
    assert!(!row.detail.contains(minted.token.to_base64().as_str()));
    assert!(!format!("{minted:?}").contains(minted.token.to_base64().as_str()));
}

#[tokio::test]
async fn a_request_outside_the_limits_is_refused_and_recorded_and_never_trimmed() {
    let (_dir, issuer) = issuer().await;
    for ttl in [0, 3_601, u64::MAX] {
        let refused = issuer
            .mint(&MintRequest { ttl, ..request() }, at(1))
            .await
            .unwrap_err();
        assert!(matches!(
            refused,
            MintError::Refused(MintRefusal::Ttl { max: 3_600, .. })
        ));
    }
    let nobody = MintRequest {
        agent: " ".to_owned(),
        ..request()
    };
    let refused = issuer.mint(&nobody, at(1)).await.unwrap_err();
    assert!(matches!(
        refused,
        MintError::Refused(MintRefusal::Empty("agent"))
    ));
    let large = MintRequest {
        task: Some("x".repeat(9_000)),
        ..request()
    };
    assert!(matches!(
        issuer.mint(&large, at(1)).await,
        Err(MintError::Refused(_))
    ));
    issuer
        .mint(
            &MintRequest {
                ttl: 3_600,
                ..request()
            },
            at(1),
        )
        .await
        .unwrap();

    let event = Some(crate::AuditEvent::MintRefused);
    let rows = issuer
        .audit_list(&AuditFilter {
            event,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(rows.len(), 5);
    assert!(rows.first().unwrap().detail.contains("1s to 1h;"));
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
}

#[tokio::test]
async fn another_process_sees_a_key_change_before_its_next_signature() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let old = two.mint(&request(), at(1)).await.unwrap().receipt.key;
    one.revoke_key(old, "stolen", at(2)).await.unwrap();
    let new = two.mint(&request(), at(2)).await.unwrap().receipt.key;
    assert_ne!(old, new);
    assert_eq!(keyset(&one).await.active().unwrap().id, new);
}

#[tokio::test]
async fn exchanged_private_halves_sign_nothing() {
    let (_dir, issuer) = issuer().await;
    let active = keyset(&issuer).await.active().unwrap().id;
    let exchange = format!(
        "UPDATE sealed_key SET sealed = (SELECT sealed FROM sealed_key WHERE name = 'keyset')
         WHERE name = '{active}'"
    );
    issuer.store.tamper(&exchange).await;
    assert!(matches!(
        issuer.mint(&request(), at(1)).await,
        Err(MintError::Sign(SignError::Vault(_)))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_mints_of_two_processes_are_one_chain() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let mints = |issuer: Issuer| {
        // A server runs this future on any thread, so it must be `Send`.
        tokio::spawn(async move {
            for seconds in 0..25 {
                issuer.mint(&request(), at(seconds)).await.unwrap();
            }
            issuer
        })
    };
    let (one, two) = (mints(one), mints(two));
    let (one, _two) = (one.await.unwrap(), two.await.unwrap());
    let report = one.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!((report.rows, report.finding), (4 + 50, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mints_at_the_same_time_are_all_recorded_each_with_its_own_row() {
    let (_dir, issuer) = issuer().await;
    let mints = (0..300).map(|seconds| {
        let issuer = issuer.acting_as(&format!("client-{}", seconds % 7));
        tokio::spawn(async move { issuer.mint(&request(), at(seconds)).await.unwrap().receipt })
    });
    let mints: Vec<_> = mints.collect();
    let mut rows = std::collections::BTreeSet::new();
    for (number, mint) in mints.into_iter().enumerate() {
        let receipt = mint.await.unwrap();
        assert!(rows.insert(receipt.audit_seq));
        let filter = AuditFilter {
            token: Some(receipt.token_id.to_string()),
            ..AuditFilter::default()
        };
        let row = issuer.audit_list(&filter).await.unwrap().remove(0);
        assert_eq!(row.seq, receipt.audit_seq);
        assert_eq!(row.actor, format!("client-{}", number % 7));
    }
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!((report.rows, report.finding), (4 + 300, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_minted_under_a_key_that_was_revoked_meanwhile() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let minting = {
        let one = one.clone();
        tokio::spawn(async move {
            let mut receipts = Vec::new();
            for seconds in 0..60 {
                receipts.push(one.mint(&request(), at(seconds)).await.unwrap().receipt);
            }
            receipts
        })
    };
    let mut revoked = Vec::new();
    for _ in 0..5 {
        let active = keyset(&two).await.active().unwrap().id;
        two.revoke_key(active, "drill", at(1)).await.unwrap();
        revoked.push(active);
    }
    let receipts = minting.await.unwrap();
    let rows = one.audit_after(0).await.unwrap();
    for dead in revoked {
        let died = rows
            .iter()
            .find(|row| row.event == "key.revoke" && row.key == Some(dead.to_string()))
            .unwrap();
        for receipt in receipts.iter().filter(|receipt| receipt.key == dead) {
            assert!(receipt.audit_seq < died.seq);
        }
    }
}

#[tokio::test]
async fn a_refusal_with_any_text_is_recorded() {
    let (_dir, issuer) = issuer().await;
    let refusal = crate::RefusedRequest {
        agent: "a\0b\u{1b}[2J",
        principal: "",
        profile: Some("buyer"),
        reason: &"x".repeat(10_000),
        left_out: 7,
    };
    issuer.record_refusal(refusal, at(1)).await.unwrap();
    let row = issuer
        .audit_list(&AuditFilter::default())
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(row.agent.as_deref(), Some("a\u{fffd}b\u{fffd}[2J"));
    assert_eq!((row.principal, row.event.as_str()), (None, "mint.refused"));
    assert!(
        row.detail.len() < 400
            && row.detail.contains("buyer")
            && row.detail.contains("\"left_out\":7")
    );
}

/// Names have the same length limit everywhere, so that a watermark can cover every minted token.
#[tokio::test]
async fn names_are_minted_as_they_are_revoked() {
    use bailiwick_token::revocation::{Party, Watermark};

    let (_dir, issuer) = issuer().await;
    for name in ["n".repeat(512), "n".repeat(513), "\u{e4}".repeat(257)] {
        let text = || name.clone();
        for (party, request) in [
            (
                Party::Agent,
                MintRequest {
                    agent: text(),
                    ..request()
                },
            ),
            (
                Party::Principal,
                MintRequest {
                    principal: text(),
                    ..request()
                },
            ),
            (
                Party::Tenant,
                MintRequest {
                    tenant: Some(text()),
                    ..request()
                },
            ),
        ] {
            let can_be_named = Watermark::new(party, &name, at(1)).is_ok();
            let minted = issuer.mint(&request, at(1)).await;
            assert_eq!(
                minted.is_ok(),
                can_be_named,
                "{party} of {} bytes",
                name.len()
            );
            if let Err(error) = minted {
                assert!(matches!(error, MintError::Refused(MintRefusal::Datalog(_))));
                assert!(error.to_string().contains("512"), "{error}");
            }
        }
    }
}
