//! Background tasks, for work that no request should have to wait for.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bailiwick_issuer::{SignError, State as KeyState, StoreError};

use crate::{
    state::{ServiceState, Shared},
    status::behind,
    supervise::Supervisor,
};

/// Interval at which the keyset and the head are checked, and reports of verifiers are stored.
const PUBLISHED: Duration = Duration::from_secs(2);

/// Interval at which the audit log and the profiles are checked.
const UPKEEP: Duration = Duration::from_secs(60);

/// Interval at which the keys of providers are fetched.
const PROVIDERS: Duration = Duration::from_secs(600);

/// Number of audit rows without a checkpoint at which one is signed.
const UNSIGNED: u64 = 1_000;

/// Time since the last checkpoint after which one is signed even for fewer rows.
const CHECKPOINT: Duration = Duration::from_secs(3_600);

/// Starts all background tasks.
pub(crate) fn start(state: &ServiceState, supervisor: &mut Supervisor) {
    let this = state.clone();
    supervisor.every("publish", PUBLISHED, move || {
        let state = this.clone();
        async move { state.publish().await }
    });
    let this = state.clone();
    supervisor.every("reports", PUBLISHED, move || {
        let state = this.clone();
        async move { state.note(state.flush_reports().await, "noting verifiers") }
    });
    let this = state.clone();
    supervisor.every("profiles", UPKEEP, move || {
        let state = this.clone();
        async move { state.follow_profiles() }
    });
    let this = state.clone();
    let signed = Arc::new(Mutex::new(Instant::now()));
    supervisor.every("checkpoint", UPKEEP, move || {
        let (state, signed) = (this.clone(), Arc::clone(&signed));
        async move {
            let since = signed.lock().map_or(Duration::ZERO, |at| at.elapsed());
            let done = state.checkpoint_if_due(since).await;
            if matches!(done, Ok(true))
                && let Ok(mut at) = signed.lock()
            {
                *at = Instant::now();
            }
            state.note(done.map(drop), "signing a checkpoint of the audit");
        }
    });
    let (this, stop) = (state.clone(), supervisor.stop());
    supervisor.every("providers", PROVIDERS, move || {
        let (state, mut stop) = (this.clone(), stop.clone());
        async move {
            // A provider that does not answer must not delay the stop of the service.
            tokio::select! {
                _ = stop.changed() => {}
                () = state.providers.refresh() => {}
            }
        }
    });
}

impl Shared {
    /// Signs the keyset and the head again if they are due.
    async fn publish(&self) {
        // The keyset comes first, because the head names its version.
        let keyset = self.issuer.keyset(self.now()).await.map(drop);
        self.note(keyset, "signing the keyset");
        let head = self.issuer.head(self.now()).await.map(drop);
        let failure = head.as_ref().err().map(ToString::to_string);
        self.unwritten.store(failure.map(Arc::new));
        self.note(head, "signing the feed's head");
    }

    fn follow_profiles(&self) {
        match self.reload_profiles() {
            Ok(true) => tracing::info!("the profiles were reloaded"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the profiles cannot be reloaded, so the previous ones stay in use")
            }
        }
    }

    /// Stores the reports of verifiers.
    pub(crate) async fn flush_reports(&self) -> Result<(), StoreError> {
        let reports = self.reports.take();
        if reports.is_empty() {
            return Ok(());
        }
        self.issuer.note_verifiers(&reports).await
    }

    async fn checkpoint_if_due(&self, since: Duration) -> Result<bool, SignError> {
        let unsigned = self.issuer.unsigned_rows().await?;
        let due = unsigned >= UNSIGNED || (unsigned > 0 && since >= CHECKPOINT);
        if due {
            self.issuer.checkpoint(self.now()).await?;
        }
        Ok(due)
    }

    /// Sets the gauges from the store and the providers.
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
        let behind = behind(&verifiers, now).count();
        metrics.verifiers_behind.set(gauge(behind as u64));
        let without = self.providers.without_keys().count();
        metrics.providers_without_keys.set(gauge(without as u64));
        Ok(())
    }

    fn note<E: std::fmt::Display>(&self, done: Result<(), E>, what: &str) {
        if let Err(error) = done {
            self.metrics.task_failures.inc();
            tracing::error!(%error, "{what} failed and is tried again");
        }
    }
}
