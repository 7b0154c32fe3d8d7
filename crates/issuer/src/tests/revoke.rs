use bailiwick_token::{
    claims::TokenId,
    revocation::{RevocationList, Target},
};

use super::*;
use crate::{RevokeError, RevokeOutcome};

async fn list(issuer: &Issuer, now: u64) -> RevocationList {
    let published = issuer.revocations(at(now)).await.unwrap();
    let list = RevocationList::open(published.envelope.as_bytes(), issuer.keyset_key()).unwrap();
    assert_eq!(
        (list.seq, list.entries.len() as u64),
        (published.seq, published.entries)
    );
    list
}

#[tokio::test]
async fn a_revocation_lasts_as_long_as_its_token() {
    let (_dir, issuer) = issuer().await;
    assert_eq!(
        (list(&issuer, 0).await.seq, list(&issuer, 1).await.seq),
        (1, 1)
    );
    let token = issuer
        .mint(&request(), at(10))
        .await
        .unwrap()
        .receipt
        .token_id;
    // Without the passphrase.
    let locked = Issuer::open(issuer.home()).await.unwrap();
    let report = locked
        .revoke(Target::Token(token), None, "leaked", at(20))
        .await
        .unwrap();
    assert_eq!(
        (report.outcome, report.minted_here),
        (RevokeOutcome::Revoked, true)
    );
    assert_eq!(report.expires, Some(at(10 + 600 + 60)));

    let again = locked
        .revoke(Target::Token(token), Some(at(9_000)), "again", at(30))
        .await
        .unwrap();
    assert_eq!(
        (again.outcome, again.revoked_at),
        (RevokeOutcome::AlreadyRevoked, at(20))
    );

    let signed = list(&issuer, 30).await;
    assert_eq!(signed.seq, 2);
    let entry = signed.entries.first().unwrap();
    assert_eq!(
        (&entry.target, entry.reason.as_str()),
        (&Target::Token(token), "leaked")
    );
    assert_eq!(
        issuer.revocations(at(31)).await.unwrap(),
        issuer.revocations(at(40)).await.unwrap()
    );
    // An hour later a new list is signed, and the entry has vanished.
    let later = list(&issuer, 30 + 3_600).await;
    assert_eq!((later.seq, later.entries.len()), (3, 0));
    let late = issuer
        .mint(&request(), at(0))
        .await
        .unwrap()
        .receipt
        .token_id;
    let late = issuer
        .revoke(Target::Token(late), None, "late", at(660))
        .await
        .unwrap();
    assert_eq!(late.outcome, RevokeOutcome::AlreadyExpired);
}

#[tokio::test]
async fn what_was_not_minted_here_stays_until_it_is_told_otherwise() {
    let (_dir, issuer) = issuer().await;
    let block = Target::Block(vec![7; 64]);
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
        .revoke(unknown.clone(), Some(at(2)), "x", at(2))
        .await
        .unwrap();
    assert_eq!(dead.outcome, RevokeOutcome::AlreadyExpired);
    issuer.revoke(unknown, None, "x", at(2)).await.unwrap();
    assert_eq!(list(&issuer, 1_000_000).await.entries.len(), 2);
    assert_eq!(issuer.revoked(at(3)).await.unwrap().len(), 2);

    let short = issuer
        .revoke(Target::Block(vec![7; 63]), None, "x", at(2))
        .await;
    assert!(matches!(short, Err(RevokeError::Block)));
    let silent = issuer.revoke(block, None, "", at(2)).await;
    assert!(matches!(silent, Err(RevokeError::Reason)));
}
