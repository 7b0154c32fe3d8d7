//! The bound on the age of revocations.

use std::time::Duration;

/// How old the newest head of the feed may be, and what happens then.
///
/// It is about a feed. A snapshot that was read from a file has an end of its own, and so has each
/// head: after that everything is denied, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    /// For how many seconds a head holds.
    pub after: u64,
    /// What happens then.
    pub then: WhenStale,
}

impl Staleness {
    /// Denies every call once the newest head is older than that.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bailiwick_verifier::Staleness;
    ///
    /// // For two minutes calls are decided as ever, and then those with tokens of a short life.
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

    /// Goes on, then, with tokens whose life from issue to end is at most `life`.
    #[must_use]
    pub const fn admit_short_lived(mut self, life: Duration) -> Staleness {
        self.then = WhenStale::AdmitShortLived {
            life: life.as_secs(),
        };
        self
    }
}

/// What a verifier does whose revocations are stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// It denies every call.
    Deny,
    /// It admits tokens whose life, from issue to end, is at most so many seconds, and denies all
    /// others. A revocation that it has not heard of does that much harm and no more.
    AdmitShortLived {
        /// The longest life, in seconds.
        life: u64,
    },
}

impl Default for Staleness {
    /// After a minute, deny.
    fn default() -> Staleness {
        Staleness::after(Duration::from_secs(60))
    }
}
