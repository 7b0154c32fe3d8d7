//! A verifier with fresh trust, and the task that keeps it fresh.

use std::{fmt, sync::Arc};

use tokio::task::AbortHandle;

use super::status::{SharedStatus, Status};
#[cfg(feature = "axum")]
use crate::layer::Protect;
use crate::{call::Call, clock::Clock, decision::Decision, verifier::Verifier};

/// A verifier whose trust a background task keeps fresh.
///
/// Dropping the follower ends the task. The verifier then continues with its present trust until that is too
/// old. Keep the follower as long as the service runs.
#[must_use = "dropping it ends the task that keeps the verifier's trust fresh"]
pub struct Follower {
    monitor: Monitor,
    task: AbortHandle,
}

impl Follower {
    /// Starts the task.
    pub(super) fn new(
        verifier: Arc<Verifier>,
        status: SharedStatus,
        clock: Clock,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Follower {
        let monitor = Monitor {
            verifier,
            status,
            clock,
        };
        Follower {
            monitor,
            task: tokio::spawn(task).abort_handle(),
        }
    }

    /// Decides one call, by this follower's clock.
    pub fn check(&self, token: &str, call: &Call) -> Decision {
        let now = (self.monitor.clock)();
        self.monitor.verifier.check(token, call, now)
    }

    /// Protects the routes of an axum service, by this follower's clock.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn protect(&self) -> Protect {
        Protect::new(self.verifier(), Arc::clone(&self.monitor.clock))
    }

    /// The verifier. Only the follower should replace its trust.
    #[must_use]
    pub fn verifier(&self) -> Arc<Verifier> {
        Arc::clone(&self.monitor.verifier)
    }

    /// A view of the follower, for readiness and metrics.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("service", &self.monitor.verifier.service())
            .field("status", &self.monitor.status())
            .finish_non_exhaustive()
    }
}

/// A view of a [`Follower`]. It does not keep the follower's task alive.
#[derive(Clone)]
pub struct Monitor {
    verifier: Arc<Verifier>,
    status: SharedStatus,
    clock: Clock,
}

impl Monitor {
    /// Returns true if the verifier can decide calls now, rather than denying all calls as stale.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let now = (self.clock)();
        self.verifier
            .trust()
            .is_ready(&self.verifier.staleness, now)
    }

    /// Returns the current status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.get()
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("service", &self.verifier.service())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
