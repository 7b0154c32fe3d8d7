//! An HTTP client for this machine, and waiting with an end.

use std::time::Duration;

/// The longest wait for what is certain to come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A client for this machine, whatever proxies the environment names. A request that takes longer than `time` fails.
#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
pub fn client(time: Duration) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(time);
    client.build().unwrap()
}

/// Waits until something in this process is so; panics after [`PATIENCE`].
pub async fn eventually(what: &str, holds: impl AsyncFnMut() -> bool) {
    wait(what, PATIENCE, Duration::from_millis(10), holds).await;
}

/// Waits until something is so, by questions that another process has to answer beside its work; panics after `patience`.
pub async fn eventually_within(what: &str, patience: Duration, holds: impl AsyncFnMut() -> bool) {
    wait(what, patience, Duration::from_millis(50), holds).await;
}

async fn wait(
    what: &str,
    patience: Duration,
    pause: Duration,
    mut holds: impl AsyncFnMut() -> bool,
) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(pause).await;
        }
    };
    let outcome = tokio::time::timeout(patience, waiting).await;
    assert!(outcome.is_ok(), "not in {patience:?}: {what}");
}
