//! `/livez`, `/readyz` and `/metrics`, on a separate listener for the operators of the machine.

use std::time::Duration;

use axum::{
    Router,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bailiwick_api::routes;
use tokio::time::timeout;

use crate::{
    state::ServiceState,
    table::{Served, serve},
};

/// Maximum time for the store to answer. Probes and scrapers do not wait much longer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn table() -> Vec<Served> {
    vec![
        serve(routes::LIVE, || async { "alive\n" }),
        serve(routes::READY, ready),
        serve(routes::METRICS, metrics),
    ]
}

pub(crate) fn router(state: ServiceState) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, route.handler)
        })
        .with_state(state)
}

/// Reports the issuer's readiness to mint.
async fn ready(Shared(state): Shared<ServiceState>) -> Response {
    match not_ready(&state).await {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Returns the reason why the issuer cannot mint; `None` if it can. It can mint if the store answers and accepts
/// writes, the private keys are unlocked, the keyset has not expired, no background task is down, and the service is
/// not stopping.
pub(crate) async fn not_ready(state: &ServiceState) -> Option<String> {
    if state.is_draining() {
        return Some("stopping".to_owned());
    }
    if !state.issuer.is_unlocked() {
        return Some("the private keys are locked".to_owned());
    }
    if let Some(task) = state.metrics.tasks.down() {
        return Some(format!(
            "the background task `{task}` failed and is started again; see the log"
        ));
    }
    match timeout(PATIENCE, state.issuer.published_keyset()).await {
        Err(_) => Some("the store does not answer in time".to_owned()),
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(keyset)) if keyset.expires <= state.now() => {
            Some("the keyset has expired".to_owned())
        }
        Ok(Ok(_)) => state.unwritten.load().as_deref().cloned(),
    }
}

async fn metrics(Shared(state): Shared<ServiceState>) -> Response {
    let measured = timeout(PATIENCE, state.measure()).await;
    let up = matches!(measured, Ok(Ok(())));
    state.metrics.store_up.set(i64::from(up));
    if let Ok(Err(error)) = measured {
        tracing::warn!(%error, "some metrics could not be updated and keep their previous values");
    }
    let headers = [(
        "content-type",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    (headers, state.metrics.text()).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use axum::{body::Body, http::Request};
    use bailiwick_issuer::{InitOptions, Issuer, Passphrase, profile::Profiles};
    use bailiwick_token::timestamp::Timestamp;
    use http_body_util::BodyExt;
    use tokio::sync::watch;
    use tower::ServiceExt;

    use super::*;
    use crate::{config::Config, supervise::Supervisor};

    async fn state(home: &std::path::Path) -> ServiceState {
        let now = Timestamp::from_unix(1_795_000_000).unwrap();
        let options = InitOptions::new("https://issuer.example");
        let passphrase = Passphrase::new("correct horse battery").unwrap();
        let issuer = Issuer::init(home, options, &passphrase, now).await.unwrap();
        issuer.keyset(now).await.unwrap();
        let clock = Arc::new(move || now);
        let config = Config::default();
        let files: [(&str, &str); 0] = [];
        let limits = config.profile_limits(issuer.settings());
        let profiles = Profiles::parse(&files, &limits).unwrap();
        ServiceState::new(issuer, config, profiles, clock).unwrap()
    }

    async fn ask(state: &ServiceState, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router(state.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panicking_loop_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let state = state(&dir.path().join("home")).await;
        let (stop, stopped) = watch::channel(false);
        let mut supervisor = Supervisor::new(state.metrics.tasks.clone(), stopped);
        let broken = Arc::new(AtomicBool::new(true));
        let fault = Arc::clone(&broken);
        supervisor.every("profiles", Duration::from_secs(3_600), move || {
            let broken = fault.load(Ordering::SeqCst);
            async move { assert!(!broken) }
        });
        while state.metrics.tasks.down().is_none() {
            tokio::task::yield_now().await;
        }
        let (status, text) = ask(&state, "/readyz").await;
        assert_eq!(status, 503);
        assert!(
            text.contains("`profiles` failed and is started again"),
            "{text}"
        );
        let (_, text) = ask(&state, "/metrics").await;
        assert!(
            text.contains("bailiwick_issuer_task_up{task=\"profiles\"} 0\n"),
            "{text}"
        );
        let restarts = "bailiwick_issuer_task_restarts_total{task=\"profiles\"} 1\n";
        assert!(text.contains(restarts), "{text}");

        broken.store(false, Ordering::SeqCst);
        while state.metrics.tasks.down().is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask(&state, "/readyz").await, (200, "ready\n".to_owned()));
        let (_, text) = ask(&state, "/metrics").await;
        assert!(
            text.contains("bailiwick_issuer_task_up{task=\"profiles\"} 1\n"),
            "{text}"
        );
        stop.send(true).unwrap();
        supervisor.join().await;
    }

    #[tokio::test]
    async fn lost_lines_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let state = state(&dir.path().join("home")).await;
        let lost = async || {
            let (_, text) = ask(&state, "/metrics").await;
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("bailiwick_issuer_log_lines_lost_total "));
            line.unwrap().parse::<u64>().unwrap()
        };
        let before = lost().await;
        crate::LOST_LOG_LINES.fetch_add(3, Ordering::Relaxed);
        assert_eq!(lost().await, before + 3);
        assert_eq!(lost().await, before + 3);
    }
}
