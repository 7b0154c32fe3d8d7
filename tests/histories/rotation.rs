//! Tests of root keys that rotate in a loop, while verifiers reload their keyset slightly late: no valid token
//! is refused, and no retired key is accepted.

use std::{
    collections::BTreeSet,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, State};
use bailiwick_testkit::{ISSUER, SERVICE, grant, issuer, now, toml};
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Call, Reason, Trust, Verifier};

/// Seconds between two reads of the keyset by a verifier.
const REFRESH: u64 = 5;
const STEPS: u64 = 240;

struct Live {
    token: String,
    expires: Timestamp,
}

fn options() -> InitOptions {
    InitOptions {
        refresh_hint: REFRESH,
        max_token_ttl: 60,
        keyset_life: 60,
        ..InitOptions::new(ISSUER)
    }
}

fn order() -> MintRequest {
    let grants = toml(&grant(SERVICE, "purchase_order:read"));
    issuer::order("agent:buyer", grants, 60)
}

async fn trust(issuer: &Issuer, now: Timestamp) -> Trust {
    let keyset = issuer.keyset(now).await.expect("a keyset");
    Trust::open(keyset.envelope.as_bytes(), issuer.keyset_key(), None).expect("a signed keyset")
}

#[test]
fn rotation_under_load_refuses_no_valid_token_and_accepts_no_retired_key() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let start = now();
    let issuer = runtime.block_on(issuer::init(&folder.path().join("home"), options(), start));
    let verifier =
        Verifier::new(SERVICE, runtime.block_on(trust(&issuer, start))).expect("a verifier");
    let request = Call::new("purchase_order:read");

    let clock = RwLock::new(start);
    let live: RwLock<Vec<Live>> = RwLock::default();
    let (done, calls, wrong) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut signed_with = BTreeSet::new();
    let mut late = None;

    // Two callers run throughout. The time cannot change while one of them holds the lock.
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let now = clock.read().expect("the clock");
                    for token in live
                        .read()
                        .expect("tokens")
                        .iter()
                        .filter(|token| *now < token.expires)
                    {
                        calls.fetch_add(1, Ordering::Relaxed);
                        if !verifier.check(&token.token, &request, *now).is_allow() {
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let work = async {
            for step in 1..=STEPS {
                let now = start.plus(step * REFRESH);
                issuer.rotate(now).await.expect("a rotation");
                let minted = issuer.mint(&order(), now).await.expect("a token");
                signed_with.insert(minted.receipt.key);
                let newest = trust(&issuer, now).await;
                // The verifier gets the keyset of the previous read, which is the maximum delay.
                if let Some(previous) = late.replace(newest) {
                    verifier.replace_trust(previous).expect("a newer keyset");
                }
                *clock.write().expect("the clock") = now;
                let mut tokens = live.write().expect("tokens");
                tokens.retain(|token| now < token.expires);
                let token = minted.token.to_base64().to_string();
                tokens.push(Live {
                    token,
                    expires: minted.receipt.expires,
                });
                drop(tokens);
                // Every live token is checked at every step, however far the other threads get.
                let tokens = live.read().expect("tokens");
                for token in tokens.iter() {
                    let decision = verifier.check(&token.token, &request, now);
                    assert!(decision.is_allow(), "step {step}: {decision:?}");
                }
            }
        };
        // A panic must stop the threads, or they would run forever.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(work);
        }));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    assert_eq!(
        wrong.load(Ordering::Relaxed),
        0,
        "of {} calls",
        calls.load(Ordering::Relaxed)
    );
    assert!(
        signed_with.len() >= 5,
        "only {} keys signed",
        signed_with.len()
    );
    runtime.block_on(a_retired_key_is_refused(
        &issuer,
        &verifier,
        start.plus((STEPS + 100) * REFRESH),
    ));
    println!(
        "{} calls during {} rotations, 0 refused",
        calls.load(Ordering::Relaxed),
        signed_with.len() - 1
    );
}

async fn a_retired_key_is_refused(issuer: &Issuer, verifier: &Verifier, now: Timestamp) {
    let keys = issuer.keys().await.expect("keys");
    assert!(
        keys.iter()
            .filter(|key| key.state == State::Retired)
            .count()
            >= 3
    );

    // Retiring a key before its tokens have expired invalidates them.
    let request = Call::new("purchase_order:read");
    let minted = issuer.mint(&order(), now).await.expect("a token");
    verifier
        .replace_trust(trust(issuer, now).await)
        .expect("a newer keyset");
    let token = minted.token.to_base64();
    assert!(verifier.check(&token, &request, now).is_allow());
    let spare = staged(issuer).await;
    issuer
        .activate(spare, true, now)
        .await
        .expect("a change of keys");
    verifier
        .replace_trust(trust(issuer, now).await)
        .expect("a newer keyset");
    assert!(
        verifier.check(&token, &request, now).is_allow(),
        "a retiring key still verifies"
    );
    issuer
        .retire(minted.receipt.key, true, now)
        .await
        .expect("a forced retirement");
    verifier
        .replace_trust(trust(issuer, now).await)
        .expect("a newer keyset");
    assert_eq!(
        verifier.check(&token, &request, now).reason(),
        Some(Reason::UnknownKey)
    );
}

async fn staged(issuer: &Issuer) -> bailiwick_token::key::KeyId {
    let keys = issuer.keys().await.expect("keys");
    keys.iter()
        .find(|key| key.state == State::Staged)
        .expect("a spare")
        .id
}
