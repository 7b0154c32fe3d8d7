//! Tests with a clock that is an hour behind, a day ahead, and then correct again. Versions, numbers and states
//! never go back, nothing lives longer than promised, and no revocation or other decision is lost.

use bailiwick_token::revocation::{Head, Party, Snapshot, Target, Watermark};

use super::*;
use crate::{RevokeOutcome, State};

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
/// Time at which the clock becomes wrong.
const THEN: u64 = 10 * DAY;

async fn head(issuer: &Issuer, now: u64) -> Head {
    let published = issuer.head(at(now)).await.unwrap();
    Head::open(published.envelope.as_bytes(), issuer.keyset_key()).unwrap()
}

fn all_of_the_agent(now: u64) -> Target {
    let watermark = Watermark::new(Party::Agent, "agent:buyer", at(now + 1));
    Target::Watermark(watermark.unwrap())
}

async fn whole(issuer: &Issuer) {
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
    let keys = issuer.keys().await.unwrap();
    let active = keys.iter().filter(|key| key.state == State::Active);
    assert_eq!(active.count(), 1);
}

#[tokio::test]
async fn a_clock_set_back_takes_nothing_back() {
    let (_dir, issuer) = issuer().await;
    let mut last = (0, 0, 0);
    for (step, now) in [THEN, THEN - HOUR, THEN + DAY, THEN + 1]
        .into_iter()
        .enumerate()
    {
        let token = issuer.mint(&request(), at(now)).await.unwrap().receipt;
        assert_eq!(token.expires, at(now + 600));
        let target = Target::Token(token.token_id);
        issuer.revoke(target, None, "x", at(now)).await.unwrap();
        issuer.stage(at(now)).await.unwrap();
        let version = issuer.keyset(at(now)).await.unwrap().version;
        let head = head(&issuer, now).await;
        assert_eq!(head.keyset_version, version);
        assert!(head.issued_at <= at(now + 60));
        let found = (version, head.seq, token.audit_seq);
        assert!(
            found.0 > last.0 && found.1 > last.1 && found.2 > last.2,
            "{step}"
        );
        last = found;
        whole(&issuer).await;
    }
}

/// With the clock an hour behind, the guards allow nothing too early, and an emergency revocation does not wait.
#[tokio::test]
async fn an_early_clock_hurries_no_key() {
    let (_dir, issuer) = issuer().await;
    let staged = issuer.stage(at(THEN)).await.unwrap().changes[0].id;
    assert!(
        issuer
            .activate(staged, false, at(THEN - HOUR))
            .await
            .is_err()
    );
    issuer
        .activate(staged, false, at(THEN + 120))
        .await
        .unwrap();
    let keys = issuer.keys().await.unwrap();
    let retiring = keys.iter().find(|key| key.state == State::Retiring);
    let retiring = retiring.unwrap().id;
    for wrong in [THEN - HOUR, THEN + DAY] {
        assert!(issuer.retire(retiring, false, at(wrong)).await.is_err());
    }
    issuer
        .revoke_key(staged, "stolen", at(THEN - HOUR))
        .await
        .unwrap();
    whole(&issuer).await;
}

/// Readers refuse a head that is older than the last one. So no such head is signed, even with two issuers on one
/// store or after a slight correction of the clock. Nor is a keyset signed again only because of such a difference.
#[tokio::test]
async fn slightly_different_clocks_do_not_roll_the_head_back() {
    let (_dir, early) = issuer().await;
    let late = another(&early).await;
    let mut last = head(&early, THEN).await;
    let version = early.keyset(at(THEN)).await.unwrap().version;
    for second in 1..30 {
        let target = Target::Block([second as u8; 64]);
        if second % 3 == 0 {
            late.revoke(target, None, "x", at(THEN + second - 20))
                .await
                .unwrap();
        }
        for (issuer, now) in [(&late, THEN + second - 20), (&early, THEN + second)] {
            let next = head(issuer, now).await;
            assert!(next.issued_at >= last.issued_at && next.seq >= last.seq);
            assert!(next.issued_at <= at(THEN + second));
            assert_eq!(next.seq, second / 3);
            assert_eq!(issuer.keyset(at(now)).await.unwrap().version, version);
            last = next;
        }
    }
    // If the clocks differ by more than the skew, the issuer signs with the time of its own clock.
    assert_eq!(head(&late, THEN - HOUR).await.issued_at, at(THEN - HOUR));
}

/// A watermark with the current time revokes everything that was minted before, whatever the clock showed then
/// or shows now.
#[tokio::test]
async fn a_watermark_reaches_what_a_wrong_clock_put_on_record() {
    for (minted, revoked) in [(THEN, THEN - HOUR), (THEN + DAY, THEN)] {
        for target in [
            all_of_the_agent(revoked),
            Target::Watermark(Watermark::new(Party::Tenant, "acme", at(revoked + 1)).unwrap()),
        ] {
            let (_dir, issuer) = issuer().await;
            issuer.mint(&request(), at(revoked)).await.unwrap();
            let ahead = issuer.mint(&request(), at(minted)).await.unwrap().receipt;
            let other = MintRequest {
                agent: "agent:other".to_owned(),
                tenant: None,
                ..request()
            };
            issuer.mint(&other, at(minted)).await.unwrap();
            let reports = issuer
                .revoke_all(
                    std::slice::from_ref(&target),
                    None,
                    None,
                    "fooled",
                    at(revoked),
                )
                .await
                .unwrap();
            assert_eq!(
                reports.iter().map(|one| one.outcome).collect::<Vec<_>>(),
                [RevokeOutcome::Revoked; 2]
            );
            let token = Target::Token(ahead.token_id).to_string();
            assert_eq!(
                (&reports[1].target, reports[1].expires),
                (&token, Some(ahead.expires))
            );
            assert_eq!(issuer.revoked(at(revoked)).await.unwrap().len(), 2);
            // A watermark of an earlier time covers tokens issued before it, and nothing else.
            let earlier = Watermark::new(Party::Agent, "agent:other", at(revoked - 5)).unwrap();
            let reports = issuer
                .revoke_all(
                    &[Target::Watermark(earlier)],
                    None,
                    None,
                    "fooled",
                    at(revoked),
                )
                .await
                .unwrap();
            assert_eq!(reports.len(), 1);
        }
    }
}

/// Entries that seemed expired while the clock was ahead are in force again once it is correct.
#[tokio::test]
async fn a_clock_a_day_ahead_loses_nothing() {
    let (_dir, issuer) = issuer().await;
    let token = issuer.mint(&request(), at(THEN)).await.unwrap().receipt;
    let target = Target::Token(token.token_id);
    let used = async |now| {
        issuer
            .use_assertion(&[1; 32], at(THEN), at(THEN + 300), at(now))
            .await
            .unwrap()
    };
    assert!(used(THEN).await);
    // With the clock ahead, another assertion is used, and a live token is revoked.
    issuer
        .use_assertion(&[2; 32], at(THEN), at(THEN + DAY + 300), at(THEN + DAY))
        .await
        .unwrap();
    let report = issuer
        .revoke(target, None, "leaked", at(THEN + DAY))
        .await
        .unwrap();
    assert_eq!(report.outcome, RevokeOutcome::Revoked);
    let ahead = issuer.snapshot(at(THEN + DAY)).await.unwrap();
    assert_eq!(ahead.entries, 0);
    // The clock is correct again.
    assert!(!used(THEN + 1).await);
    let snapshot = issuer.snapshot(at(THEN + 1)).await.unwrap();
    let snapshot = Snapshot::open(snapshot.file.as_bytes(), issuer.keyset_key()).unwrap();
    assert_eq!(snapshot.header().entries, 1);
    // The same holds with the clock an hour behind, for entries that had expired before it was set back.
    let late = async |now| {
        issuer
            .use_assertion(&[3; 32], at(THEN), at(THEN + 500), at(now))
            .await
            .unwrap()
    };
    assert!(late(THEN + 400).await);
    issuer
        .use_assertion(&[4; 32], at(THEN), at(THEN + HOUR), at(THEN + HOUR))
        .await
        .unwrap();
    assert!(!late(THEN).await);
    whole(&issuer).await;
}
