use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Target, Watermark},
};

use super::*;
use crate::{RevokeError, RevokeOutcome, revoke::MAX_ALIVE};

#[tokio::test]
async fn a_revocation_lasts_as_long_as_its_token() {
    let (_dir, issuer) = issuer().await;
    let minted = issuer.mint(&request(), at(10)).await.unwrap();
    let token = Target::Token(minted.receipt.token_id);
    // Revoking works without the passphrase.
    let locked = Issuer::open(issuer.home()).await.unwrap();
    let report = locked
        .revoke(token.clone(), None, "leaked", at(20))
        .await
        .unwrap();
    assert_eq!(
        (report.outcome, report.minted_here),
        (RevokeOutcome::Revoked, true)
    );
    assert_eq!(report.expires, Some(at(10 + 600)));
    let again = locked
        .revoke(token.clone(), Some(at(9_000)), "again", at(30))
        .await
        .unwrap();
    assert_eq!(
        (again.outcome, again.revoked_at),
        (RevokeOutcome::AlreadyRevoked, at(20))
    );
    let revoked = issuer.revoked(at(670)).await.unwrap();
    let entry = revoked.first().unwrap();
    assert_eq!(
        (&entry.revocation.target, entry.reason.as_str(), entry.seq),
        (&token, "leaked", 1)
    );
    // Clocks may differ by a minute.
    assert!(issuer.revoked(at(671)).await.unwrap().is_empty());
    let late = issuer.mint(&request(), at(0)).await.unwrap();
    let late = Target::Token(late.receipt.token_id);
    let dead = 600 + 60 + 2 * 86_400;
    let revoke = async |now| issuer.revoke(late.clone(), None, "late", at(now)).await;
    let too_late = revoke(dead + 1).await.unwrap();
    assert_eq!(too_late.outcome, RevokeOutcome::AlreadyExpired);
    // The clock may have been wrong about the expiry, so the revocation is recorded.
    assert_eq!(revoke(dead).await.unwrap().outcome, RevokeOutcome::Revoked);
}

#[tokio::test]
async fn a_damaged_audit_row_does_not_prevent_revocation() {
    let (_dir, issuer) = issuer().await;
    let minted = issuer.mint(&request(), at(10)).await.unwrap();
    let token = Target::Token(minted.receipt.token_id);
    let tamper = "UPDATE audit SET detail = 'gone' WHERE event = 'mint'";
    issuer.store.tamper(tamper).await;
    let report = issuer.revoke(token, None, "leaked", at(20)).await.unwrap();
    assert_eq!(
        (report.outcome, report.minted_here, report.expires),
        (RevokeOutcome::Revoked, true, Some(minted.receipt.expires))
    );
}

#[tokio::test]
async fn revocations_of_foreign_tokens_keep_the_stated_end() {
    let (_dir, issuer) = issuer().await;
    let block = Target::Block([7; 64]);
    let report = issuer
        .revoke(block.clone(), Some(at(100)), "leaked", at(0))
        .await
        .unwrap();
    assert_eq!(
        (report.outcome, report.minted_here),
        (RevokeOutcome::Revoked, false)
    );
    let longer = issuer
        .revoke(block.clone(), None, "leaked, too", at(1))
        .await
        .unwrap();
    assert_eq!(
        (longer.outcome, longer.revoked_at),
        (RevokeOutcome::Extended, at(0))
    );
    let shorter = issuer
        .revoke(block.clone(), Some(at(50)), "x", at(2))
        .await
        .unwrap();
    assert_eq!(
        (shorter.outcome, shorter.expires),
        (RevokeOutcome::AlreadyRevoked, None)
    );
    let unknown = Target::Token(TokenId::from_bytes([1; 16]));
    let dead = issuer
        .revoke(unknown.clone(), Some(at(2)), "x", at(63 + 2 * 86_400))
        .await
        .unwrap();
    assert_eq!(dead.outcome, RevokeOutcome::AlreadyExpired);
    issuer.revoke(unknown, None, "x", at(2)).await.unwrap();
    assert_eq!(issuer.revoked(at(1_000_000)).await.unwrap().len(), 2);
    let silent = issuer.revoke(block, None, "", at(2)).await;
    assert!(matches!(silent, Err(RevokeError::Reason)));
}

#[tokio::test]
async fn a_watermark_rises_and_ends_with_the_last_token_it_names() {
    let (_dir, issuer) = issuer().await;
    let before = |seconds| {
        Target::Watermark(Watermark::new(Party::Agent, "agent:buyer", at(seconds)).unwrap())
    };
    let revoke = async |target, now| issuer.revoke(target, None, "fooled", at(now)).await;
    let first = revoke(before(100), 100).await.unwrap();
    assert_eq!(
        (first.outcome, first.expires),
        (RevokeOutcome::Revoked, Some(at(100 + 3_600)))
    );
    let earlier = revoke(before(50), 101).await.unwrap();
    assert_eq!(earlier.outcome, RevokeOutcome::AlreadyRevoked);
    let later = revoke(before(200), 200).await.unwrap();
    assert_eq!(
        (later.outcome, later.revoked_at),
        (RevokeOutcome::Extended, at(100))
    );
    let revoked = issuer.revoked(at(201)).await.unwrap();
    let targets: Vec<_> = revoked.iter().map(|one| &one.revocation.target).collect();
    assert_eq!(targets, [&before(200)]);
    assert!(matches!(
        revoke(before(300), 200).await,
        Err(RevokeError::Future)
    ));
    let filter = crate::AuditFilter {
        agent: Some("agent:buyer".to_owned()),
        ..crate::AuditFilter::default()
    };
    assert_eq!(issuer.audit_list(&filter).await.unwrap().len(), 2);
}

#[tokio::test]
async fn several_are_revoked_together_or_not_at_all() {
    let (_dir, issuer) = issuer().await;
    let token = |n: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        Target::Token(TokenId::from_bytes(id))
    };
    let many: Vec<Target> = (0..1_000).map(token).collect();
    let reports = issuer
        .revoke_all(&many, None, None, "swept", at(1))
        .await
        .unwrap();
    assert_eq!(reports.len(), 1_000);
    // A target that is named twice is revoked once.
    let twice = [token(2_000), token(5), token(2_000)];
    let reports = issuer
        .revoke_all(&twice, None, None, "swept", at(2))
        .await
        .unwrap();
    let outcomes: Vec<_> = reports.iter().map(|report| report.outcome).collect();
    assert_eq!(
        outcomes,
        [RevokeOutcome::Revoked, RevokeOutcome::AlreadyRevoked]
    );
    assert_eq!(issuer.revoked(at(3)).await.unwrap().len(), 1_001);
    let too_many: Vec<Target> = (0..1_001).map(token).collect();
    assert!(matches!(
        issuer
            .revoke_all(&too_many, None, None, "swept", at(2))
            .await,
        Err(RevokeError::TooMany)
    ));
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
}

/// Expired and superseded entries do not count towards the limit.
#[tokio::test]
async fn the_number_of_revocations_is_limited() {
    let (_dir, issuer) = issuer().await;
    for (n, end) in [(1, 50), (2, 500), (3, 500), (3, 600)] {
        let target = Target::Token(TokenId::from_bytes([n; 16]));
        issuer
            .revoke(target, Some(at(end)), "x", at(1))
            .await
            .unwrap();
    }
    let has_room_for = async |more, now| {
        let mut tx = issuer.store.read().await.unwrap();
        tx.has_room_for(more, MAX_ALIVE, at(now)).await.unwrap()
    };
    assert!(has_room_for(MAX_ALIVE - 4, 1).await);
    assert!(has_room_for(MAX_ALIVE - 3, 1).await);
    assert!(!has_room_for(MAX_ALIVE - 2, 1).await);
    assert!(has_room_for(MAX_ALIVE - 2, 300).await);
    assert!(!has_room_for(MAX_ALIVE + 1, 1).await);
}

/// The audit finds the revocation of a block by the token that the block belongs to.
#[tokio::test]
async fn a_block_is_recorded_with_its_token() {
    let (_dir, issuer) = issuer().await;
    let token = TokenId::from_bytes([9; 16]);
    let targets = [
        Target::Block([7; 64]),
        Target::Token(TokenId::from_bytes([8; 16])),
    ];
    issuer
        .revoke_all(&targets, Some(token), None, "lost", at(1))
        .await
        .unwrap();
    let filter = crate::AuditFilter {
        token: Some(token.to_string()),
        ..crate::AuditFilter::default()
    };
    let rows = issuer.audit_list(&filter).await.unwrap();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert!(row.detail.contains("\"target\":\"block 0707"), "{row:?}");
    issuer
        .revoke(Target::Block([6; 64]), None, "lost", at(2))
        .await
        .unwrap();
    assert_eq!(issuer.audit_list(&filter).await.unwrap().len(), 1);
}

/// A watermark of a name that nobody has may be a typing error.
#[tokio::test]
async fn names_without_tokens_are_reported() {
    let (_dir, issuer) = issuer().await;
    // In the tenant `acme`.
    issuer.mint(&request(), at(10)).await.unwrap();
    let known = async |party, name: &str, now| {
        let target = Target::Watermark(Watermark::new(party, name, at(now)).unwrap());
        let report = issuer.revoke(target, None, "left", at(now)).await;
        report.unwrap().minted_here
    };
    assert!(known(Party::Agent, "agent:buyer", 20).await);
    assert!(!known(Party::Agent, "agent:byuer", 20).await);
    assert!(known(Party::Tenant, "acme", 20).await);
    assert!(!known(Party::Tenant, "amce", 20).await);
    // No token of the tenant can be valid any more.
    assert!(!known(Party::Tenant, "acme", 10 + 3_601).await);
}
