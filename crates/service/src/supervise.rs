//! Background loops that run until the service stops.
//!
//! Each round of a loop is a task of its own. If a round panics, the next begins after a pause, which grows
//! with every further panic. Until a round succeeds, `/readyz` and the metrics name the loop, because its
//! results are out of date.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// The pause after the first panic of a loop. It doubles with each further panic.
const SHORTEST: Duration = Duration::from_secs(1);

/// The maximum pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Labels of a loop's metrics.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LoopLabels {
    task: &'static str,
}

/// The health of all loops.
#[derive(Clone, Default)]
pub(crate) struct Health {
    /// 1 if the last round of the loop succeeded, 0 otherwise.
    pub(crate) up: Family<LoopLabels, Gauge>,
    /// Number of times that the loop was restarted.
    pub(crate) restarts: Family<LoopLabels, Counter>,
    down: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Health {
    /// Returns the name of a loop whose last round failed, if any.
    pub(crate) fn down(&self) -> Option<&'static str> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.first().copied()
    }

    fn set(&self, task: &'static str, up: bool) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match up {
            true => down.remove(task),
            false => down.insert(task),
        };
        let labels = LoopLabels { task };
        self.up.get_or_create(&labels).set(i64::from(up));
        let restarts = self.restarts.get_or_create(&labels);
        if !up {
            restarts.inc();
        }
    }
}

/// Starts loops, and restarts them if they fail.
pub(crate) struct Supervisor {
    health: Health,
    stop: watch::Receiver<bool>,
    loops: JoinSet<()>,
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}

impl Supervisor {
    /// Makes a supervisor whose loops end when `stop` changes.
    pub(crate) fn new(health: Health, stop: watch::Receiver<bool>) -> Supervisor {
        Supervisor {
            health,
            stop,
            loops: JoinSet::new(),
        }
    }

    /// The signal that ends the loops.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Runs `work` at once, and then after each `period`.
    pub(crate) fn every<F>(
        &mut self,
        task: &'static str,
        period: Duration,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (health, mut stop) = (self.health.clone(), self.stop.clone());
        let work = Arc::new(work);
        health.set(task, true);
        self.loops.spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut pause = SHORTEST;
            loop {
                tokio::select! {
                    biased;
                    _ = stop.changed() => return,
                    _ = ticks.tick() => {}
                }
                while !round(task, &health, &work).await {
                    tokio::select! {
                        biased;
                        _ = stop.changed() => return,
                        () = sleep(pause) => {}
                    }
                    pause = pause.saturating_mul(2).min(LONGEST);
                    // The period begins again with the late round. Otherwise the next round would follow too soon.
                    ticks.reset();
                }
                pause = SHORTEST;
            }
        });
    }

    /// Runs `work`, such as a listener, that should not end before `stop` changes. Restarts it if it does.
    pub(crate) fn keep<F, E>(
        &mut self,
        task: &'static str,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let (health, mut stop) = (self.health.clone(), self.stop.clone());
        let work = Arc::new(work);
        health.set(task, true);
        self.loops.spawn(async move {
            let mut pause = SHORTEST;
            loop {
                let this = Arc::clone(&work);
                let begun = Instant::now();
                let ended = tokio::spawn(async move { this().await.map_err(|e| e.to_string()) });
                let why = match ended.await {
                    _ if *stop.borrow() => return,
                    Ok(Ok(())) => "it ended".to_owned(),
                    Ok(Err(error)) => error,
                    Err(error) => error.to_string(),
                };
                health.set(task, false);
                quietly(|| {
                    tracing::error!(task, why, "a background task ended and is started again")
                });
                // A failure after a long run is unrelated to earlier ones, so the pause is short again.
                if begun.elapsed() > LONGEST {
                    pause = SHORTEST;
                }
                tokio::select! {
                    biased;
                    _ = stop.changed() => return,
                    () = sleep(pause) => {}
                }
                pause = pause.saturating_mul(2).min(LONGEST);
                health.set(task, true);
            }
        });
    }

    /// Waits until all loops have ended.
    pub(crate) async fn join(mut self) {
        while self.loops.join_next().await.is_some() {}
    }
}

/// Runs one round. Returns false if it panicked.
async fn round<F>(
    task: &'static str,
    health: &Health,
    work: &Arc<impl Fn() -> F + Send + Sync + 'static>,
) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let work = Arc::clone(work);
    let ended = tokio::spawn(async move { work().await }).await;
    health.set(task, ended.is_ok());
    if let Err(error) = &ended {
        quietly(|| tracing::error!(task, %error, "a background task failed and is started again"));
    }
    ended.is_ok()
}

/// Writes to the log. If the log's writer panics, the loop continues.
fn quietly(log: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(log));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn supervisor() -> (Supervisor, Health, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let health = Health::default();
        (Supervisor::new(health.clone(), stopped), health, stop)
    }

    fn counts(health: &Health, task: &'static str) -> (i64, u64) {
        let labels = LoopLabels { task };
        let up = health.up.get_or_create(&labels).get();
        (up, health.restarts.get_or_create(&labels).get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_survives_its_panics() {
        let (mut supervisor, health, stop) = supervisor();
        let rounds = Arc::new(AtomicU64::new(0));
        let done = Arc::clone(&rounds);
        // The second to the sixth round panic.
        supervisor.every("profiles", Duration::from_secs(10), move || {
            let round = done.fetch_add(1, Ordering::SeqCst);
            async move { assert!(!(1..6).contains(&round)) }
        });
        let seconds = async |seconds| sleep(Duration::from_secs(seconds)).await;
        sleep(Duration::from_millis(500)).await;
        assert_eq!((rounds.load(Ordering::SeqCst), health.down()), (1, None));
        // The rounds begin at 10 s, and then after 1, 2, 4 and 8 s.
        for (wait, begun) in [(10, 2), (1, 3), (2, 4), (4, 5), (8, 6)] {
            seconds(wait).await;
            assert_eq!(rounds.load(Ordering::SeqCst), begun);
            assert_eq!(health.down(), Some("profiles"));
            assert_eq!(counts(&health, "profiles"), (0, begun - 1));
        }
        seconds(16).await;
        assert_eq!(rounds.load(Ordering::SeqCst), 7);
        assert_eq!(health.down(), None);
        assert_eq!(counts(&health, "profiles"), (1, 5));
        stop.send(true).unwrap();
        supervisor.join().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_closure_that_panics_is_a_round() {
        let (mut supervisor, health, stop) = supervisor();
        supervisor.every("profiles", Duration::from_secs(10), || {
            assert!(std::hint::black_box(false));
            async {}
        });
        sleep(Duration::from_secs(100)).await;
        assert_eq!(health.down(), Some("profiles"));
        // The rounds began after 0, 1, 3, 7, 15, 31 and 63 s.
        assert_eq!(counts(&health, "profiles"), (0, 7));
        stop.send(true).unwrap();
        supervisor.join().await;
    }

    /// The listener ends with an error, with a panic, and for no reason, and then runs until the stop.
    #[tokio::test(start_paused = true)]
    async fn a_listener_is_started_again() {
        let (mut supervisor, health, stop) = supervisor();
        let begun = Arc::new(AtomicU64::new(0));
        let (starts, ends) = (Arc::clone(&begun), supervisor.stop());
        supervisor.keep("listener", move || {
            let start = starts.fetch_add(1, Ordering::SeqCst);
            let mut ends = ends.clone();
            async move {
                match start {
                    0 => Err("no socket"),
                    1 => std::panic::panic_any("a fault"),
                    2 => Ok(()),
                    _ => {
                        let _ = ends.changed().await;
                        Ok(())
                    }
                }
            }
        });
        sleep(Duration::from_millis(500)).await;
        assert_eq!(health.down(), Some("listener"));
        sleep(Duration::from_secs(100)).await;
        assert_eq!(begun.load(Ordering::SeqCst), 4);
        assert_eq!(health.down(), None);
        assert_eq!(counts(&health, "listener"), (1, 3));
        stop.send(true).unwrap();
        supervisor.join().await;
        assert_eq!(begun.load(Ordering::SeqCst), 4);
    }

    /// Some logs panic, such as the default one of `tracing_subscriber` when standard error is full.
    #[tokio::test(start_paused = true)]
    async fn a_log_that_panics_ends_no_loop() {
        struct Broken;
        impl std::io::Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                std::panic::panic_any("the log is full")
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let subscriber = tracing_subscriber::fmt().with_writer(|| Broken).finish();
        let _log = tracing::subscriber::set_default(subscriber);
        let (mut supervisor, health, stop) = supervisor();
        supervisor.every("profiles", Duration::from_secs(10), || async {
            tracing::error!("a round");
        });
        sleep(Duration::from_secs(100)).await;
        assert_eq!(counts(&health, "profiles"), (0, 7));
        stop.send(true).unwrap();
        supervisor.join().await;
    }
}
