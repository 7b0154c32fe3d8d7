//! The limit on the age of revocations.

use std::time::Duration;

/// Maximum age of the newest head of the feed, and the behaviour when it is older.
///
/// This applies to feeds only. Snapshots and heads also have a signed expiry. After that, every call is denied,
/// regardless of this setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    /// Maximum age of a head, in seconds.
    pub after: u64,
    /// Behaviour once the head is older.
    pub then: WhenStale,
}

impl Staleness {
    /// Denies every call once the newest head is older than `age`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bailiwick_verifier::Staleness;
    ///
    /// // All calls for two minutes, and after that only those with short-lived tokens.
    /// let staleness = Staleness::after(Duration::from_mins(2)).admit_short_lived(Duration::from_mins(5));
    /// assert_eq!(staleness.after, 120);
    /// ```
    #[must_use]
    pub const fn after(age: Duration) -> Staleness {
        Staleness {
            after: age.as_secs(),
            then: WhenStale::Deny,
        }
    }

    /// Admits short-lived tokens even if the newest head is too old: those whose lifetime, from issue to expiry, is
    /// at most `life`.
    #[must_use]
    pub const fn admit_short_lived(mut self, life: Duration) -> Staleness {
        self.then = WhenStale::AdmitShortLived {
            life: life.as_secs(),
        };
        self
    }
}

/// Behaviour of a verifier whose revocations are stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// Deny every call.
    Deny,
    /// Admit tokens whose lifetime, from issue to expiry, is at most `life`, and deny all others. A token that was
    /// revoked meanwhile is admitted for no longer than `life`.
    AdmitShortLived {
        /// Maximum lifetime, in seconds.
        life: u64,
    },
}

impl Default for Staleness {
    /// Denies every call once the newest head is older than a minute.
    fn default() -> Staleness {
        Staleness::after(Duration::from_secs(60))
    }
}
