//! SIGTERM while clients mint.
//!
//! Promised: accepted requests are completed, no others begin, and the process exits successfully on its own.
//!
//! Signs of failure: a recorded mint without an answer, an answer other than success, or a process that must be
//! killed.

use std::sync::{Arc, atomic::Ordering};

use bailiwick_testkit::program::{World, acknowledged::Acknowledged, http};

use crate::BAILIWICK;

/// Number of clients that mint at the same time.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_progress_at_sigterm_are_answered_and_nothing_else_is_recorded() {
    let world = World::new(BAILIWICK);
    let acknowledged = Arc::new(Acknowledged::default());
    for round in 1..=3 {
        let serving = world.serve();
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (base, secret) = (serving.base.clone(), world.secret.clone());
            let acknowledged = Arc::clone(&acknowledged);
            clients.spawn(async move {
                let http = http();
                // An error means that the connection was closed between two requests, or not accepted.
                while let Ok(answer) = acknowledged.mint(&http, &base, &secret).await {
                    assert!(answer.is_success(), "{answer:?}");
                }
            });
        }
        while acknowledged.count.load(Ordering::SeqCst) < 100 * round {
            tokio::task::yield_now().await;
        }
        tokio::task::spawn_blocking(|| serving.stop())
            .await
            .unwrap();
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
        let recorded = acknowledged.check(&world);
        // One more token was minted for the operator.
        let answered = acknowledged.tokens.lock().unwrap().len() + 1;
        assert_eq!(
            recorded, answered,
            "round {round}: mints on record, and answered"
        );
    }
}
