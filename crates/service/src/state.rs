//! The state that all requests share.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use bailiwick_api::routes;
use bailiwick_issuer::{
    Issuer,
    profile::{InUse, Profiles},
};
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::layer::Clock;

use crate::{
    config::Config,
    failures::Failures,
    metrics::Metrics,
    own_verifier::OwnVerifier,
    profiles::{ProfilesError, read_profiles},
    provider::Providers,
    rate::Rates,
    reports::Reports,
    snapshots::Snapshots,
    strangers::Strangers,
};

/// The state that all requests share.
#[derive(Clone)]
pub(crate) struct ServiceState(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) issuer: Issuer,
    pub(crate) config: Config,
    pub(crate) profiles: InUse,
    pub(crate) providers: Providers,
    pub(crate) failures: Failures,
    pub(crate) rates: Rates,
    pub(crate) strangers: Strangers,
    pub(crate) reports: Reports,
    pub(crate) own_verifier: OwnVerifier,
    pub(crate) snapshots: Snapshots,
    /// Limits the number of requests that read changes at the same time, so that the database can still serve
    /// the keyset and the head, which verifiers depend on.
    pub(crate) changes: tokio::sync::Semaphore,
    /// Limits the parsing of long grants to one request at a time, so that the other processors stay free for
    /// minting.
    pub(crate) parsing: tokio::sync::Semaphore,
    /// Held while the audit log is verified.
    pub(crate) verifying: tokio::sync::Mutex<()>,
    pub(crate) metrics: Metrics,
    /// The error of the last attempt to sign the feed's head, if it failed. The head is signed again at short
    /// intervals, so this reveals whether the store accepts writes.
    pub(crate) unwritten: ArcSwapOption<String>,
    clock: Clock,
    home: PathBuf,
    draining: AtomicBool,
}

impl std::ops::Deref for ServiceState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ServiceState {
    pub(crate) fn new(
        issuer: Issuer,
        config: Config,
        profiles: Profiles,
        clock: Clock,
    ) -> Result<ServiceState, reqwest::Error> {
        let home = issuer.home().to_owned();
        let providers = Providers::new(&config.providers)?;
        providers.warn_of_reusable();
        let metrics = Metrics::new();
        let snapshots = Snapshots::new(issuer.clone(), Arc::clone(&clock));
        let unknown = metrics.unknown_callers.clone();
        Ok(ServiceState(Arc::new(Shared {
            providers,
            failures: Failures::new(config.limits.failures_per_minute),
            rates: Rates::new(),
            strangers: Strangers::new(issuer.clone(), Arc::clone(&clock), unknown),
            reports: Reports::default(),
            own_verifier: OwnVerifier::new(issuer.clone(), Arc::clone(&clock), snapshots.clone()),
            snapshots,
            changes: tokio::sync::Semaphore::new(2),
            parsing: tokio::sync::Semaphore::new(1),
            verifying: tokio::sync::Mutex::default(),
            metrics,
            unwritten: ArcSwapOption::empty(),
            profiles: InUse::new(profiles),
            draining: AtomicBool::new(false),
            issuer,
            config,
            clock,
            home,
        })))
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The URL of the token endpoint, which the metadata states.
    pub(crate) fn token_endpoint(&self) -> String {
        let issuer = self.issuer.settings().issuer.trim_end_matches('/');
        format!("{issuer}{}", routes::OAUTH_TOKEN.path())
    }

    /// Reads the profiles again. Either all are replaced or none. Returns true if they changed.
    pub(crate) fn reload_profiles(&self) -> Result<bool, ProfilesError> {
        let limits = self.config.profile_limits(self.issuer.settings());
        let read = read_profiles(&self.home, &limits);
        self.metrics.profiles_failed.set(i64::from(read.is_err()));
        Ok(self.profiles.replace(read?))
    }

    /// Makes `/readyz` fail, so that load balancers send no new requests.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
