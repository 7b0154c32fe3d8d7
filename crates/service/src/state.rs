//! What all requests share.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
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

/// What all requests share.
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
    /// Changes are read by few at a time, so that the database has room for what verifiers need to go on.
    pub(crate) changes: tokio::sync::Semaphore,
    /// For long grants, which are parsed one at a time, so that minting keeps the other processors.
    pub(crate) parsing: tokio::sync::Semaphore,
    /// Held by who verifies the audit.
    pub(crate) verifying: tokio::sync::Mutex<()>,
    pub(crate) metrics: Metrics,
    /// Why the feed's head could not be signed the last time: what is written every few seconds tells
    /// whether anything can be.
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
        let metrics = Metrics::new();
        let snapshots = Snapshots::new(issuer.clone(), Arc::clone(&clock));
        let unknown = metrics.unknown_callers.clone();
        Ok(ServiceState(Arc::new(Shared {
            providers: Providers::new(&config.providers)?,
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

    /// Takes up the profiles as they are now, all or none. Tells whether they are others.
    pub(crate) fn reload_profiles(&self) -> Result<bool, ProfilesError> {
        let limits = self.config.profile_limits(self.issuer.settings());
        let read = read_profiles(&self.home, &limits);
        self.metrics.profiles_failed.set(i64::from(read.is_err()));
        Ok(self.profiles.replace(read?))
    }

    /// From now on nobody shall send anything new.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
