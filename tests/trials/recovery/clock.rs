//! Trial of wrong clocks: a clock jumps an hour back or a day ahead, at the issuer or at a verifier, and is
//! corrected.
//!
//! Promised: a verifier whose clock is wrong denies calls, and admits them again once the clock is right,
//! without a restart; the documents that it read last stay in use and on disk. At an issuer whose clock is
//! wrong, versions and numbers never fall, and operators can act; its tokens are not valid at verifiers with
//! the right time, and revocations made meanwhile stay in force. Signs of failure: a call that is admitted
//! under a wrong clock, one that is still denied under the right one, or a number that falls.
//!
//! `crates/issuer/src/tests/clock.rs` tests how the issuer treats each stored time.

use std::time::Duration;

use bailiwick_issuer::InitOptions;
use bailiwick_testkit::{
    ISSUER, SERVICE, grant,
    http::eventually,
    service::{HEAD, Service, Setup},
    time::Time,
    watch::{ACTION, Watch},
};
use bailiwick_token::revocation::Head;
use bailiwick_verifier::{Reason, Staleness, WhenStale};
use serde_json::json;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const POLL: Duration = Duration::from_millis(100);

/// A limit on staleness that exceeds the age at which a head is signed again.
const STALENESS: Staleness = Staleness {
    after: 8,
    then: WhenStale::Deny,
};

async fn minted(service: &Service, ttl: u64) -> String {
    let minted = service
        .mint_for("agent:buyer", &grant(SERVICE, ACTION), ttl)
        .await;
    minted.token.to_base64().to_string()
}

async fn admitted(watch: &Watch, token: &str) {
    eventually("a call is admitted", async || watch.check(token).is_allow()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_whose_clock_is_off_denies_until_it_is_right() {
    let mut service = Setup::followed(InitOptions::new(ISSUER), 600).start().await;
    let kept = service.folder("kept");
    let follow = |service: &Service| service.follow("erp-1", POLL).directory(&kept);
    let time = Time::running();
    let watch = Watch::with("erp-1", follow(&service), time.clone(), STALENESS).await;
    let token = minted(&service, 600).await;
    let ended = minted(&service, 1).await;
    admitted(&watch, &token).await;
    eventually("a token ends", async || !watch.check(&ended).is_allow()).await;
    for wrong in [-HOUR, DAY, HOUR, -DAY] {
        let before = watch.monitor.status();
        time.set(wrong);
        for token in [&token, &ended] {
            let decision = watch.check(token);
            assert_eq!(
                decision.reason(),
                Some(Reason::StaleKeyset),
                "{wrong}: {decision:?}"
            );
        }
        // The verifier keeps polling, but the answers do not help.
        let revoked =
            json!({ "tokens": ["00000000000000000000000000000000"], "reason": "a trial" });
        service
            .operate("revocation:create", "/v1/revocations", &revoked)
            .await;
        eventually("it asked again", async || {
            let status = watch.monitor.status();
            status.failures > before.failures || status.head_issued_at > before.head_issued_at
        })
        .await;
        for token in [&token, &ended] {
            assert!(!watch.check(token).is_allow(), "{wrong}");
        }
        time.set(0);
        admitted(&watch, &token).await;
        assert!(!watch.check(&ended).is_allow());
        let after = watch.monitor.status();
        assert!(after.keyset_version >= before.keyset_version);
        assert!(after.position.unwrap().seq >= before.position.unwrap().seq);
        assert_eq!(after.rollbacks, 0, "{after:?}");
    }
    // A verifier can start from the kept files while no issuer can be reached.
    drop(watch);
    service.stop().await;
    let again = Watch::with("erp-1", follow(&service), time, STALENESS).await;
    assert!(again.check(&token).is_allow(), "{:?}", again.check(&token));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_whose_clock_is_off_is_followed_again_when_it_is_right() {
    let service = Setup::followed(InitOptions::new(ISSUER), 600).start().await;
    let follow = service.follow("erp-1", POLL);
    let watch = Watch::with("erp-1", follow, Time::running(), STALENESS).await;
    let doomed = ["agent:a", "agent:b"];
    let mut last = (0, 0);
    for (wrong, agent) in [-HOUR, DAY].into_iter().zip(doomed) {
        let good = minted(&service, 600).await;
        let leaked = service.mint_for(agent, &grant(SERVICE, ACTION), 600).await;
        let id = leaked.receipt.token_id.to_string();
        let leaked = leaked.token.to_base64();
        for token in [&*good, &*leaked] {
            admitted(&watch, token).await;
        }
        service.time.set(wrong);
        // By the right clock, a token that is minted now is valid at another time or never.
        let strange = minted(&service, 600).await;
        let decision = watch.check(&strange);
        assert!(!decision.is_allow(), "{wrong}: {decision:?}");
        // An operator can revoke.
        let revoked = json!({ "tokens": [id], "reason": "a trial" });
        let reports = service
            .operate("revocation:create", "/v1/revocations", &revoked)
            .await;
        assert_eq!(reports[0]["outcome"], "revoked");
        let agents = json!({ "agents": [agent], "reason": "a trial" });
        service
            .operate("revocation:create", "/v1/revocations", &agents)
            .await;
        // The verifier uses its documents until its head is too old, and no longer.
        eventually("the head is too old", async || {
            watch.check(&good).reason() == Some(Reason::StaleKeyset)
        })
        .await;
        assert!(watch.monitor.status().failures > 0);

        service.time.set(0);
        let keys = json!(null);
        service.operate("key:stage", "/v1/keys", &keys).await;
        admitted(&watch, &good).await;
        eventually("the revocation is known", async || {
            watch.check(&leaked).reason() == Some(Reason::Revoked)
        })
        .await;
        let fresh = minted(&service, 600).await;
        admitted(&watch, &fresh).await;
        let head = service.fetch(HEAD).await;
        let head = Head::open(head.as_bytes(), service.issuer.keyset_key()).unwrap();
        assert!(head.seq > last.0 && head.keyset_version > last.1);
        last = (head.seq, head.keyset_version);
    }
    let audit = service.issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!(audit.finding, None);
}
