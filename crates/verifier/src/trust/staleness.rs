//! How old revocations may be.

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
        Staleness {
            after: 60,
            then: WhenStale::Deny,
        }
    }
}
