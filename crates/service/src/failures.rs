//! Counters of wrong secrets and assertions by client and address, so that guessing is stopped without locking
//! out other callers.

use std::net::IpAddr;

use bailiwick_token::timestamp::Timestamp;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

/// A minute, and the number of failures in that minute.
type Count = (u64, u32);

/// The hash of a client's name, because a caller may send a name of any length, and the address of the caller.
type Tried = ([u8; 32], IpAddr);

fn tried(client: &str, from: IpAddr) -> Tried {
    (Sha256::digest(client).into(), from)
}

/// Recent counts of wrong secrets and assertions. An evicted count starts again at zero.
pub(crate) struct Failures {
    per_minute: u32,
    counts: Cache<Tried, Count>,
}

impl Failures {
    pub(crate) fn new(per_minute: u32) -> Failures {
        Failures {
            per_minute,
            counts: Cache::new(65_536),
        }
    }

    /// Returns true if this client may try again from this address.
    pub(crate) fn may_try(&self, client: &str, from: IpAddr, now: Timestamp) -> bool {
        let count = self.counts.get(&tried(client, from));
        count.is_none_or(|(minute, wrong)| minute != now.unix() / 60 || wrong < self.per_minute)
    }

    /// Counts a wrong secret or assertion.
    pub(crate) fn note(&self, client: &str, from: IpAddr, now: Timestamp) {
        let key = tried(client, from);
        let minute = now.unix() / 60;
        let wrong = match self.counts.get(&key) {
            Some((then, wrong)) if then == minute => wrong.saturating_add(1),
            _ => 1,
        };
        self.counts.insert(key, (minute, wrong));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn guessing_ends_for_the_rest_of_the_minute_and_for_nobody_else() {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let failures = Failures::new(3);
        for _ in 0..3 {
            assert!(failures.may_try("a", here, at(60)));
            failures.note("a", here, at(61));
        }
        assert!(!failures.may_try("a", here, at(119)));
        assert!(failures.may_try("a", there, at(119)));
        assert!(failures.may_try("b", here, at(119)));
        assert!(failures.may_try("a", here, at(120)));
        failures.note("a", here, at(121));
        assert!(failures.may_try("a", here, at(122)));
    }
}
