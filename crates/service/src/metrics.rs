//! Metrics for Prometheus: counts, times and ages, but never names that callers chose.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::supervise::Health;

/// Number of lines that this process could not write to its log. The log's writer increments it.
pub static LOST_LOG_LINES: AtomicU64 = AtomicU64::new(0);

/// Labels of a request, with the path of its route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) status: u16,
}

/// Label of a mint, or of a refusal by its code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    pub(crate) outcome: &'static str,
}

/// Label of a caller that could not be authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabels {
    pub(crate) kind: &'static str,
}

/// Number of callers that could not be authenticated, by kind of credential.
pub(crate) type UnknownCallers = Family<KindLabels, Counter>;

pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) seconds: Histogram,
    pub(crate) mints: Family<OutcomeLabels, Counter>,
    pub(crate) unknown_callers: UnknownCallers,
    pub(crate) in_flight: Gauge,
    pub(crate) shed: Counter,
    pub(crate) store_up: Gauge,
    pub(crate) keyset_version: Gauge,
    pub(crate) keyset_age: Gauge,
    pub(crate) keyset_life: Gauge,
    pub(crate) feed_seq: Gauge,
    pub(crate) head_age: Gauge,
    pub(crate) unsigned_rows: Gauge,
    pub(crate) verifiers_behind: Gauge,
    pub(crate) staged_keys: Gauge,
    pub(crate) active_key_age: Gauge,
    pub(crate) profiles_failed: Gauge,
    pub(crate) certificate_failed: Gauge,
    pub(crate) providers_without_keys: Gauge,
    pub(crate) task_failures: Counter<u64, AtomicU64>,
    pub(crate) tasks: Health,
    lost_log_lines: Counter<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("bailiwick_issuer"),
            requests: Family::default(),
            seconds: Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ]),
            mints: Family::default(),
            unknown_callers: Family::default(),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            store_up: Gauge::default(),
            keyset_version: Gauge::default(),
            keyset_age: Gauge::default(),
            keyset_life: Gauge::default(),
            feed_seq: Gauge::default(),
            head_age: Gauge::default(),
            unsigned_rows: Gauge::default(),
            verifiers_behind: Gauge::default(),
            staged_keys: Gauge::default(),
            active_key_age: Gauge::default(),
            profiles_failed: Gauge::default(),
            certificate_failed: Gauge::default(),
            providers_without_keys: Gauge::default(),
            task_failures: Counter::default(),
            tasks: Health::default(),
            lost_log_lines: Counter::default(),
        };
        let Metrics {
            registry,
            requests,
            seconds,
            mints,
            unknown_callers,
            in_flight,
            shed,
            store_up,
            keyset_version,
            keyset_age,
            keyset_life,
            feed_seq,
            head_age,
            unsigned_rows,
            verifiers_behind,
            staged_keys,
            active_key_age,
            profiles_failed,
            certificate_failed,
            providers_without_keys,
            task_failures,
            tasks,
            lost_log_lines,
        } = &mut metrics;
        registry.register(
            "requests",
            "Requests, by route and status",
            requests.clone(),
        );
        registry.register("request_seconds", "Duration of requests", seconds.clone());
        registry.register(
            "mints",
            "Tokens minted, and refusals by code",
            mints.clone(),
        );
        registry.register(
            "unknown_callers",
            "Callers whose credentials were refused, by kind",
            unknown_callers.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests in progress",
            in_flight.clone(),
        );
        registry.register(
            "requests_shed",
            "Requests rejected because the service was overloaded",
            shed.clone(),
        );
        for (name, help, gauge) in [
            (
                "store_up",
                "1 while the store answers in time; otherwise the other gauges keep their last values",
                store_up,
            ),
            (
                "keyset_version",
                "The version of the keyset",
                keyset_version,
            ),
            (
                "keyset_age_seconds",
                "Time since the keyset was signed",
                keyset_age,
            ),
            (
                "keyset_remaining_seconds",
                "Time until the keyset expires",
                keyset_life,
            ),
            (
                "feed_seq",
                "The last change of the revocation feed",
                feed_seq,
            ),
            (
                "feed_head_age_seconds",
                "Time since the head of the feed was signed",
                head_age,
            ),
            (
                "audit_unsigned_rows",
                "Rows of the audit that no checkpoint covers",
                unsigned_rows,
            ),
            (
                "verifiers_behind",
                "Verifiers that recently reported an older keyset",
                verifiers_behind,
            ),
            ("staged_keys", "Staged root keys", staged_keys),
            (
                "active_key_age_seconds",
                "Time since the active root key was activated",
                active_key_age,
            ),
            (
                "profiles_failed",
                "1 while the profiles in the home cannot be loaded",
                profiles_failed,
            ),
            (
                "certificate_failed",
                "1 while the TLS certificate cannot be reloaded",
                certificate_failed,
            ),
            (
                "providers_without_keys",
                "Providers whose keys were never fetched",
                providers_without_keys,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "task_failures",
            "Failures of background tasks",
            task_failures.clone(),
        );
        registry.register(
            "task_up",
            "1 while the last run of a background task succeeded",
            tasks.up.clone(),
        );
        registry.register(
            "task_restarts",
            "Number of times that a background task failed and was started again",
            tasks.restarts.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Lines that could not be written to the log",
            lost_log_lines.clone(),
        );
        metrics
    }

    /// Counts a mint or a refusal.
    pub(crate) fn outcome(&self, outcome: &'static str) {
        self.mints.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// All metrics as OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let lost = LOST_LOG_LINES.load(Ordering::Relaxed);
        self.lost_log_lines.inner().store(lost, Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
