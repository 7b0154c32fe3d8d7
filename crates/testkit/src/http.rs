//! An HTTP client for this machine, and waiting with an end.

use std::time::{Duration, Instant};

/// The longest wait for what is certain to come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A client for this machine, whatever proxies the environment names. A request that takes longer than `time` fails.
#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
pub fn client(time: Duration) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(time);
    client.build().unwrap()
}

/// Waits until something is so; panics after [`PATIENCE`].
pub async fn eventually(what: &str, holds: impl AsyncFnMut() -> bool) {
    eventually_within(what, PATIENCE, holds).await;
}

/// Asks until it is so; panics after `patience`.
pub async fn eventually_within(
    what: &str,
    patience: Duration,
    mut holds: impl AsyncFnMut() -> bool,
) {
    let begun = Instant::now();
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let outcome = tokio::time::timeout(patience, waiting).await;
    assert!(
        outcome.is_ok(),
        "it never came, in {:?}: {what}",
        begun.elapsed()
    );
}
