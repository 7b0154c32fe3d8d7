//! A service whose standard error is full, closed, or read by nobody.
//!
//! Promised: requests are answered, background work continues, a removed profile mints no more tokens,
//! `/readyz` reports that the service can mint, and lost lines are counted.
//!
//! Signs of failure: a connection that is closed or hangs, a head that is no longer signed, or a token of the
//! removed profile.

use std::{
    fs::{self, File},
    process::Stdio,
    sync::LazyLock,
    time::Duration,
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{Serving, World, http},
};
use reqwest::StatusCode;

use crate::BAILIWICK;

/// Maximum time to wait for an event.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_log_fails_nothing() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    serves_with(full.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_log_fails_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    serves_with(writer.into()).await;
}

/// The reader of the log stalls: lines that fit into the pipe are written, and the rest are lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_fails_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    serves_with(writer.into()).await;
    drop(reader);
}

async fn serves_with(stderr: Stdio) {
    let world = World::new(BAILIWICK);
    let mut command = world.command(&[]);
    // Each refusal writes a line.
    command.env("BAILIWICK_LOG", "info").stderr(stderr);
    let serving = world.serve_as(command);
    assert_eq!(
        minted(&serving, "buyer", &world.secret).await,
        StatusCode::OK
    );
    let wrong = minted(&serving, "buyer", "a guess").await;
    assert_eq!(wrong, StatusCode::UNAUTHORIZED);
    let lost = async || {
        let lost = serving.metric("bailiwick_issuer_log_lines_lost_total");
        lost.await.unwrap()
    };
    // More lines than the pipe and the queue before it hold.
    eventually_within("lines are lost", PATIENCE, async || {
        for _ in 0..100 {
            let refused = minted(&serving, "unknown", &world.secret).await;
            assert!(refused == StatusCode::BAD_REQUEST || refused == StatusCode::TOO_MANY_REQUESTS);
        }
        lost().await > 0.0
    })
    .await;

    // Background work continues: the head is signed again and again.
    for _ in 0..2 {
        let age = async || {
            serving
                .metric("bailiwick_issuer_feed_head_age_seconds")
                .await
                .unwrap()
        };
        eventually_within("the head ages", PATIENCE, async || age().await >= 2.0).await;
        eventually_within("the head is signed again", PATIENCE, async || {
            age().await < 2.0
        })
        .await;
    }

    // A broken profile writes a line to the log. A removed profile mints no more tokens.
    let profiles = world.home().join("profiles.toml");
    let good = fs::read_to_string(&profiles).unwrap();
    fs::write(&profiles, "not toml").unwrap();
    serving.reload();
    let failed = async || {
        serving
            .metric("bailiwick_issuer_profiles_failed")
            .await
            .unwrap()
    };
    eventually_within("the mistake is noticed", PATIENCE, async || {
        failed().await > 0.0
    })
    .await;
    assert_eq!(
        minted(&serving, "buyer", &world.secret).await,
        StatusCode::OK
    );
    fs::write(&profiles, good.replace("\"buyer\"", "\"another\"")).unwrap();
    serving.reload();
    eventually_within("the removed profile is gone", PATIENCE, async || {
        minted(&serving, "buyer", &world.secret)
            .await
            .is_client_error()
    })
    .await;

    assert_eq!(serving.ask("/readyz").await, (200, "ready\n".to_owned()));
    let (_, metrics) = serving.ask("/metrics").await;
    let mut tasks = metrics
        .lines()
        .filter(|line| line.starts_with("bailiwick_issuer_task_up{"));
    assert!(tasks.all(|line| line.ends_with("} 1")), "{metrics}");
    serving.stop();
}

/// Requests a token, and returns the status of the answer.
async fn minted(serving: &Serving, profile: &str, secret: &str) -> StatusCode {
    // The client is shared, because building one takes longer than the request.
    static HTTP: LazyLock<reqwest::Client> = LazyLock::new(http);
    let answer = HTTP
        .post(format!("{}/v1/token", serving.base))
        .basic_auth("orchestrator", Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("grant_type=client_credentials&scope={profile}"))
        .send()
        .await;
    answer.unwrap().status()
}
