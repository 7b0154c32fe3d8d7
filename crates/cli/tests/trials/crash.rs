//! `kill -9` under load, again and again: everything acknowledged survives, and the audit log is intact.
//!
//! Promised: an acknowledged mint, revocation or key change survives a crash at any point; the audit log's
//! chain is intact, one key is active, and keyset versions never fall.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bailiwick_testkit::program::{
    World,
    acknowledged::{Acknowledged, post},
    http,
};

use crate::BAILIWICK;

/// Number of times that the service is killed.
const ROUNDS: usize = 6;

/// Number of clients that mint at the same time.
const CLIENTS: usize = 8;

/// The acknowledged requests, the newest keyset version, and the revoked keys.
#[derive(Default)]
struct Seen {
    acknowledged: Acknowledged,
    keyset_version: AtomicUsize,
    revoked_keys: Mutex<Vec<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_work_survives_a_crash_at_any_point() {
    survives(World::new(BAILIWICK)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_work_survives_a_crash_on_postgresql() {
    if let Some(world) = World::on_postgres(BAILIWICK, "kill -9 of an issuer on PostgreSQL").await {
        survives(world).await;
    }
}

async fn survives(world: World) {
    let seen = Arc::new(Seen::default());
    for round in 0..ROUNDS {
        let serving = world.serve();
        let base = &serving.base;
        let http = http();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            tasks.spawn(mints(
                http.clone(),
                base.to_owned(),
                world.secret.clone(),
                seen.clone(),
            ));
        }
        tasks.spawn(changes(
            http.clone(),
            base.to_owned(),
            world.operator.clone(),
            seen.clone(),
        ));
        // Each round ends after a different number of answers, so at a different point of a commit.
        let wanted = seen.acknowledged.count.load(Ordering::SeqCst) + 20 + 17 * round;
        while seen.acknowledged.count.load(Ordering::SeqCst) < wanted {
            tokio::task::yield_now().await;
        }
        serving.kill();
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        check(&world, &seen);
    }
    assert!(seen.acknowledged.tokens.lock().unwrap().len() > 50);
    assert!(!seen.acknowledged.revoked.lock().unwrap().is_empty());
    assert!(seen.keyset_version.load(Ordering::SeqCst) > 1);
}

/// Mints until the service is gone.
async fn mints(http: reqwest::Client, base: String, secret: String, seen: Arc<Seen>) {
    while let Ok(answer) = seen.acknowledged.mint(&http, &base, &secret).await {
        assert!(answer.is_success(), "{answer:?}");
    }
}

/// Revokes minted tokens, and stages and revokes keys, until the service is gone.
async fn changes(http: reqwest::Client, base: String, operator: String, seen: Arc<Seen>) {
    let change = async |path: String, body: &str| {
        let request = http.post(format!("{base}{path}")).bearer_auth(&operator);
        let answer = post(request, body.to_owned()).await.ok()?;
        assert!(answer.is_success(), "{path}: {answer:?}");
        Some(answer.json())
    };
    loop {
        let token = seen.acknowledged.tokens.lock().unwrap().last().cloned();
        if let Some(token) = token {
            let revoked = seen.acknowledged.revoke(&http, &base, &operator, &token);
            let Ok(answer) = revoked.await else {
                return;
            };
            assert!(answer.is_success(), "{answer:?}");
        }
        let Some(staged) = change("/v1/keys".to_owned(), "{}").await else {
            return;
        };
        let id = staged.pointer("/changes/0/id").unwrap().as_str().unwrap();
        let body = "{\"reason\":\"crash trial\"}";
        let Some(revoked) = change(format!("/v1/keys/{id}/revoke"), body).await else {
            return;
        };
        seen.revoked_keys.lock().unwrap().push(id.to_owned());
        let version = revoked
            .pointer("/keyset_version")
            .unwrap()
            .as_u64()
            .unwrap();
        let version = usize::try_from(version).unwrap();
        let before = seen.keyset_version.swap(version, Ordering::SeqCst);
        assert!(
            before < version,
            "the keyset went from {before} to {version}"
        );
        seen.acknowledged.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Checks that the home still contains everything acknowledged.
fn check(world: &World, seen: &Seen) {
    seen.acknowledged.check(world);
    let revoked = world.json(&["key", "list", "--state", "revoked"]);
    let revoked = revoked.pointer("/keys").unwrap().to_string();
    for key in seen.revoked_keys.lock().unwrap().iter() {
        assert!(
            revoked.contains(key.as_str()),
            "{key} was revoked, and is not"
        );
    }
    let feed = world.run(&["revocations", "list", "--json"]);
    for token in seen.acknowledged.revoked.lock().unwrap().iter() {
        assert!(
            feed.contains(token.as_str()),
            "{token} was revoked, and is not"
        );
    }
    let keys = world.json(&["key", "list", "--state", "active"]);
    assert_eq!(keys.pointer("/keys").unwrap().as_array().unwrap().len(), 1);
    let exported = world.scratch().join("keyset.json");
    let exported = exported.to_str().unwrap();
    let keyset = world.json(&["keyset", "export", "--out", exported]);
    let version = keyset.pointer("/keyset_version").unwrap().as_u64().unwrap();
    assert!(version as usize >= seen.keyset_version.load(Ordering::SeqCst));
    assert!(Path::new(exported).exists());
}
