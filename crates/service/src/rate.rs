//! Limits on the rate at which one caller may act for one purpose, such as to mint under one profile.

use std::{num::NonZeroU32, sync::Mutex, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::{InMemoryState, NotKeyed},
};
use quick_cache::sync::Cache;
use std::sync::Arc;

pub(crate) type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock>;

/// A limit on a rate, in the form that profiles state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RateLimit {
    pub(crate) per_minute: NonZeroU32,
    pub(crate) burst: NonZeroU32,
}

impl RateLimit {
    /// A new limiter for this rate.
    pub(crate) fn limiter(self) -> Limiter {
        Limiter::direct(Quota::per_minute(self.per_minute).allow_burst(self.burst))
    }
}

/// Maximum rate of recorded refusals of one caller or operator.
pub(crate) const REFUSALS: RateLimit = RateLimit {
    per_minute: NonZeroU32::new(30).unwrap(),
    burst: NonZeroU32::new(30).unwrap(),
};

/// The purpose of an allowance. A caller has one allowance per purpose, so that none uses up another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// Mints under the profile with this name.
    Profile(Arc<str>),
    /// Recorded refusals of callers.
    RefusedCaller,
    /// Recorded denials of operators.
    DeniedOperator,
    /// Grants that take long to parse.
    LargeGrants,
}

/// The limiters of recent callers.
pub(crate) struct Rates {
    limiters: Cache<(Purpose, Arc<str>, RateLimit), Arc<Limiter>>,
    /// Held while a limiter is made, so that each caller gets only one.
    making: Mutex<()>,
}

impl Rates {
    pub(crate) fn new() -> Rates {
        Rates {
            limiters: Cache::new(65_536),
            making: Mutex::new(()),
        }
    }

    /// Takes one unit from the caller's allowance, or returns the time until one is available.
    pub(crate) fn take(
        &self,
        purpose: Purpose,
        caller: &str,
        rate: RateLimit,
    ) -> Result<(), Duration> {
        let key = (purpose, Arc::from(caller), rate);
        let limiter = self.limiters.get(&key).unwrap_or_else(|| {
            let _making = self.making.lock();
            self.limiters.get(&key).unwrap_or_else(|| {
                let limiter = Arc::new(rate.limiter());
                self.limiters.insert(key.clone(), Arc::clone(&limiter));
                limiter
            })
        });
        limiter
            .check()
            .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_each_caller_waits_for_its_own_rate() {
        let rates = Rates::new();
        let number = |n| NonZeroU32::new(n).unwrap();
        let rate = RateLimit {
            per_minute: number(1),
            burst: number(3),
        };
        let buyer = || Purpose::Profile("buyer".into());
        for _ in 0..3 {
            assert_eq!(rates.take(buyer(), "a", rate), Ok(()));
        }
        let wait = rates.take(buyer(), "a", rate).unwrap_err();
        assert!(wait > Duration::from_secs(30) && wait <= Duration::from_secs(60));
        assert_eq!(rates.take(buyer(), "b", rate), Ok(()));
        assert_eq!(
            rates.take(Purpose::Profile("clerk".into()), "a", rate),
            Ok(())
        );
        assert_eq!(rates.take(Purpose::LargeGrants, "a", rate), Ok(()));
    }
}
