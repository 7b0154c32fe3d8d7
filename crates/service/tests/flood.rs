//! A flood of strangers, each with a different name and a wrong secret. Verifiers are served throughout, and
//! known clients are admitted afterwards.
//!
//! This is a program of its own, because it occupies all connections and hashes that it can get.

#![cfg(test)]

use bailiwick_testkit::{
    http::{PATIENCE, client},
    service::{Auth, Service},
};
use tokio::task::JoinSet;

/// Number of strangers: more than may wait for a hash. Both ends of each connection use a file descriptor of
/// this process.
const STRANGERS: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_strangers_takes_nothing_from_verifiers() {
    let service = Service::start().await;
    let secret = service.client("orchestrator", &["buyer"]).await;
    let url = format!("http://{}/v1/token", service.address);
    let http = client(PATIENCE);
    let mut flood = JoinSet::new();
    for number in 0..STRANGERS {
        let request = http
            .post(&url)
            .basic_auth(format!("stranger-{number}"), Some("id.secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        flood.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let mut statuses = Vec::new();
    while let Some(status) = flood.join_next().await {
        statuses.push(status.unwrap());
        // After each stranger's answer, a verifier asks for the head.
        let head = "/.well-known/bailiwick/revocations";
        assert_eq!(service.get(head, Auth::None).await.status, 200);
    }
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    let (wrong, turned_away) = (count(401), count(503));
    assert_eq!(wrong + turned_away, STRANGERS, "{statuses:?}");
    assert!(wrong > 0 && turned_away > 0, "{wrong}, {turned_away}");
    let form = [("grant_type", "client_credentials")];
    let token = service.token(Auth::Basic("orchestrator", &secret), &form);
    token.await.is_token();
}
