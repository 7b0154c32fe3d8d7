//! Two processes with copies of one home, on one PostgreSQL server.
//!
//! Promised: of two concurrent activations of a key, exactly one succeeds; each mint at either issuer is signed
//! by the key that is active at that moment; a revocation at one issuer appears in the next head of the other,
//! and both serve the same head; the audit log is one chain with everything acknowledged; if one issuer is
//! killed in the middle of its work, the other continues.
//!
//! Signs of failure: two successful activations or none, a recorded mint under a key that was not active, two
//! heads, a finding in the audit log, or an issuer that waits for a dead one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{
        World,
        acknowledged::{Acknowledged, Answer, post},
        http,
    },
};
use bailiwick_token::{key::PublicKey, revocation::Head};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::BAILIWICK;

/// Number of clients that mint at each issuer.
const CLIENTS: usize = 4;

/// Number of keys that are activated at both issuers.
const TRANSITIONS: usize = 8;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_issuers_on_one_store() {
    let Some(world) = World::on_postgres(BAILIWICK, "two issuers on one PostgreSQL").await else {
        return;
    };
    let copy = world.scratch().join("copy");
    copy_home(world.home(), &copy);
    let (one, two) = (world.serve(), world.serve_at(&copy));
    let http = http();
    let (seen, done) = (
        Arc::new(Acknowledged::default()),
        Arc::new(AtomicBool::new(false)),
    );
    let mut clients = JoinSet::new();
    for base in [&one.base, &two.base] {
        for _ in 0..CLIENTS {
            let (http, base, secret) = (http.clone(), base.clone(), world.secret.clone());
            let (seen, done) = (Arc::clone(&seen), Arc::clone(&done));
            clients.spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    match seen.mint(&http, &base, &secret).await {
                        Ok(answer) => assert!(answer.is_success(), "{answer:?}"),
                        // This issuer was killed.
                        Err(_) => return,
                    }
                }
            });
        }
    }

    let change = async |base: &str, path: &str, body: &str| -> Answer {
        let request = http.post(format!("{base}{path}"));
        let request = request.bearer_auth(&world.operator);
        post(request, body.to_owned()).await.unwrap()
    };
    for _ in 0..TRANSITIONS {
        let staged = change(&one.base, "/v1/keys", "{}").await.json();
        let id = staged.pointer("/changes/0/id").unwrap().as_str().unwrap();
        let path = format!("/v1/keys/{id}/activate");
        let activate = |base| change(base, &path, "{\"force\":true}");
        let (here, there) = tokio::join!(activate(&one.base), activate(&two.base));
        let won = [&here, &there].map(Answer::is_success);
        assert!(won[0] != won[1], "{here:?}, {there:?}");
        let lost = if won[0] { &there } else { &here };
        assert_eq!(lost.status, 409, "{lost:?}");
    }

    let keyset_key: PublicKey = world.run(&["keyset", "key"]).trim().parse().unwrap();
    let head = async |base: &str| {
        let url = format!("{base}/.well-known/bailiwick/revocations");
        let text = http.get(url).send().await.unwrap().text().await.unwrap();
        Head::open(text.as_bytes(), &keyset_key).unwrap()
    };
    let start = head(&two.base).await.seq;
    for round in 0..TRANSITIONS {
        let token = seen.tokens.lock().unwrap().last().cloned().unwrap();
        let base = if round % 2 == 0 { &one.base } else { &two.base };
        let revoked = seen.revoke(&http, base, &world.operator, &token).await;
        assert!(revoked.unwrap().is_success());
        let (here, there) = (head(&one.base).await, head(&two.base).await);
        assert_eq!(here.position(), there.position());
        assert_eq!(here.seq, start + round as u64 + 1);
        // Between the two requests, the head may have become due for a new signature.
        assert!(here == there || here.issued_at < there.issued_at);
    }

    one.kill();
    let minted = || seen.tokens.lock().unwrap().len();
    let at_the_end_of_one = minted();
    eventually_within("the other one goes on", PATIENCE, async || {
        minted() > at_the_end_of_one + 50
    })
    .await;
    done.store(true, Ordering::SeqCst);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    two.stop();

    seen.check(&world);
    assert!(each_by_the_active_key(&world) >= minted());
}

fn copy_home(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, PermissionsExt::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Checks, in the order of the audit log, that the active key signed each mint. Returns the number of mints.
fn each_by_the_active_key(world: &World) -> usize {
    let rows = world.json(&["audit", "list", "--limit", "1000000"]);
    let (mut active, mut mints) = (Value::Null, 0);
    for row in rows.pointer("/rows").unwrap().as_array().unwrap() {
        let key = row.pointer("/key");
        match row.pointer("/event").unwrap().as_str().unwrap() {
            "key.activate" => active = key.unwrap().clone(),
            "mint" => {
                mints += 1;
                assert_eq!(key, Some(&active), "{row}");
            }
            _ => {}
        }
    }
    mints
}
