//! A verifier whose trust is kept fresh, and the task that keeps it so.

use std::{fmt, sync::Arc};

use tokio::task::AbortHandle;

use super::status::{SharedStatus, Status};
#[cfg(feature = "axum")]
use crate::layer::Protect;
use crate::{call::Call, clock::Clock, decision::Decision, verifier::Verifier};

/// A verifier whose trust a background task keeps fresh.
///
/// Dropping it ends the task. The verifier then continues with the trust it has, until that is too old. Keep it
/// as long as the service runs.
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

    /// The verifier. Leave its trust to the follower.
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

/// A view of a [`Follower`]. It does not keep its task alive.
#[derive(Clone)]
pub struct Monitor {
    verifier: Arc<Verifier>,
    status: SharedStatus,
    clock: Clock,
}

impl Monitor {
    /// Returns true if the verifier decides calls at this time, rather than denying every one as stale.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let now = (self.clock)();
        self.verifier
            .trust()
            .is_ready(&self.verifier.staleness, now)
    }

    /// The present status.
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
