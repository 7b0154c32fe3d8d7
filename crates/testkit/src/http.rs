//! An HTTP client for this machine, and waits with a deadline.

use std::time::Duration;

/// Maximum wait for an event that is certain to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a client for this machine that ignores proxies in the environment. A request that takes longer than
/// `time` fails.
#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
pub fn client(time: Duration) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(time);
    client.build().unwrap()
}

/// Waits until a condition in this process holds. Panics after [`PATIENCE`].
pub async fn eventually(what: &str, holds: impl AsyncFnMut() -> bool) {
    wait(what, PATIENCE, Duration::from_millis(10), holds).await;
}

/// Waits until a condition in another process, which may be busy, holds. Panics after `patience`.
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
