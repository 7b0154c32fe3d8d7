//! What is done in the background, so that no request has to wait for it.

use std::{sync::Arc, time::Duration};

use bailiwick_issuer::{PublishError, State as KeyState, StoreError};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::state::{Shared, State};

/// How often keyset and head are looked at, and what verifiers said is written down.
const PUBLISHED: Duration = Duration::from_secs(2);

/// How often the audit, the profiles and the certificate are looked at.
const UPKEEP: Duration = Duration::from_secs(60);

/// How often the providers are asked for their keys.
const PROVIDERS: Duration = Duration::from_secs(600);

/// As many rows of the audit may be without a checkpoint for a while, and then one is signed.
const UNSIGNED: u64 = 1_000;

/// After so long one is signed for fewer.
const CHECKPOINT: Duration = Duration::from_secs(3_600);

/// Starts all of it. It ends when `stop` changes.
pub(crate) fn start(state: &State, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (published, upkeep, providers) = (state.clone(), state.clone(), state.clone());
    tasks.spawn(every(PUBLISHED, state.clone(), stop.clone(), move || {
        let state = published.clone();
        async move {
            // Before the head, which names its version.
            state.note(
                state.issuer.keyset(state.now()).await.map(drop),
                "signing the keyset",
            );
            let signed = state.issuer.head(state.now()).await.map(drop);
            let failure = signed.as_ref().err().map(ToString::to_string);
            state.unwritten.store(failure.map(Arc::new));
            state.note(signed, "signing the feed's head");
            state.note(state.flush_reports().await, "noting verifiers");
        }
    }));
    let signed = std::sync::Arc::new(std::sync::Mutex::new(std::time::Instant::now()));
    tasks.spawn(every(UPKEEP, state.clone(), stop.clone(), move || {
        let (state, signed) = (upkeep.clone(), signed.clone());
        async move {
            match state.reload_profiles() {
                Ok(true) => tracing::info!("other profiles are in use now"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the profiles in use stay"),
            }
            let since = signed.lock().map_or(Duration::ZERO, |at| at.elapsed());
            let done = state.checkpoint_if_due(since).await;
            if matches!(done, Ok(true))
                && let Ok(mut at) = signed.lock()
            {
                *at = std::time::Instant::now();
            }
            state.note(done.map(drop), "signing a checkpoint of the audit");
        }
    }));
    let stopped = stop.clone();
    tasks.spawn(every(PROVIDERS, state.clone(), stop.clone(), move || {
        let (state, mut stopped) = (providers.clone(), stopped.clone());
        async move {
            // A provider that does not answer holds up nothing, least of all the end.
            tokio::select! {
                _ = stopped.changed() => {}
                () = state.providers.refresh() => {}
            }
        }
    }));
    tasks
}

/// Each time is a task of its own: one that panics is in the log, and the next one comes all the same.
async fn every<F: Future<Output = ()> + Send + 'static>(
    period: Duration,
    state: State,
    mut stop: watch::Receiver<bool>,
    mut work: impl FnMut() -> F,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            _ = ticks.tick() => {
                let done = tokio::spawn(work()).await;
                state.note(done, "a task in the background");
            }
        }
    }
}

impl Shared {
    /// Writes down what verifiers said.
    pub(crate) async fn flush_reports(&self) -> Result<(), StoreError> {
        let reports = self.reports.take();
        if reports.is_empty() {
            return Ok(());
        }
        self.issuer.note_verifiers(&reports).await
    }

    async fn checkpoint_if_due(&self, since: Duration) -> Result<bool, PublishError> {
        let unsigned = self.issuer.unsigned_rows().await?;
        let due = unsigned >= UNSIGNED || (unsigned > 0 && since >= CHECKPOINT);
        if due {
            self.issuer.checkpoint(self.now()).await?;
        }
        Ok(due)
    }

    /// Reads what the gauges show.
    pub(crate) async fn measure(&self) -> Result<(), StoreError> {
        let now = self.now();
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let metrics = &self.metrics;
        let keyset = self.issuer.published_keyset().await?;
        metrics.keyset_version.set(gauge(keyset.version));
        metrics.keyset_age.set(gauge(now.since(keyset.issued_at)));
        metrics.keyset_life.set(gauge(keyset.expires.since(now)));
        if let Some(head) = self.issuer.published_head().await? {
            metrics.feed_seq.set(gauge(head.seq));
            metrics.head_age.set(gauge(now.since(head.issued_at)));
        }
        metrics
            .unsigned_rows
            .set(gauge(self.issuer.unsigned_rows().await?));
        let keys = self.issuer.keys().await?;
        let of = |state| keys.iter().filter(move |key| key.state == state);
        metrics
            .staged_keys
            .set(gauge(of(KeyState::Staged).count() as u64));
        let since = of(KeyState::Active).find_map(|key| key.activated_at);
        metrics
            .active_key_age
            .set(gauge(since.map_or(0, |since| now.since(since))));
        let verifiers = self.issuer.verifiers().await?;
        let behind = verifiers.verifiers.iter().filter(|verifier| {
            verifier.keyset_version < verifiers.keyset_version
                && now.since(verifier.seen_at) < 3_600
        });
        metrics.verifiers_behind.set(gauge(behind.count() as u64));
        let without = self.providers.without_keys().count();
        metrics.providers_without_keys.set(gauge(without as u64));
        Ok(())
    }

    fn note<E: std::fmt::Display>(&self, done: Result<(), E>, what: &str) {
        if let Err(error) = done {
            self.metrics.task_failures.inc();
            tracing::error!(%error, "{what} failed; it is tried again");
        }
    }
}
