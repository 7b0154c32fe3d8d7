//! The verifier: a service's name, the trust in use, and its limits.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_biscuit::{chain::Memo, engine::Budget};

use crate::{
    cache::TokenCache,
    call::{Call, DEFAULT_CALL_BYTES, MAX_CALL_BYTES},
    decision::Decision,
    evaluation::Allowance,
    policy::{CompiledPolicy, Policy, PolicyError},
    record::{self, Counters},
    trust::{RollbackError, Staleness, Trust},
};

/// Decides calls at one service. A verifier can be shared between threads.
///
/// ```
/// # use bailiwick_token::timestamp::Timestamp;
/// use std::time::Duration;
///
/// use bailiwick_verifier::{Call, Staleness, Trust, Verifier};
///
/// # fn example(trust: Trust, token: &str, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new("erp", trust)?.staleness(Staleness::after(Duration::from_secs(300)));
/// let call = Call::new("purchase_order:read").resource("eu/4711");
/// if verifier.check(token, &call, now).is_allow() {
///     // read the order
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Verifier {
    pub(crate) service: String,
    pub(crate) trust: ArcSwap<Trust>,
    pub(crate) limits: Limits,
    pub(crate) staleness: Staleness,
    pub(crate) shadow: bool,
    pub(crate) counters: Counters,
    pub(crate) memo: Memo,
    /// The policy that applies to every token.
    pub(crate) policy: Arc<CompiledPolicy>,
    pub(crate) cache: TokenCache,
    /// Notified when an unseen token names a root key that is not in the keyset.
    #[cfg(feature = "refresh")]
    pub(crate) unknown_key: tokio::sync::Notify,
}

/// Bounds on tokens, and on the cost of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum length of a call's text in bytes, at most [`MAX_CALL_BYTES`](crate::call::MAX_CALL_BYTES). Set it with
    /// [`Limits::for_calls`], which raises fuel and memory in proportion.
    pub call_bytes: usize,
    /// Bounds on the structure of a token.
    pub token: bailiwick_token::limits::TokenLimits,
    /// Maximum units of work per decision: one for each fact tried, each operation of the engine and each step
    /// of a comparison, and more for long strings, sets and arrays. A unit takes at most about a
    /// three-thousandth of the time of verifying a signature. Typed conditions and the engine share these
    /// units.
    pub fuel: u64,
    /// Maximum additional fuel for a long call. Typed conditions get four units for each byte beyond 1 KiB, and
    /// the engine gets eight for each unit beyond 250 that it takes to state the call. The default suffices for
    /// a call of 64 KiB.
    pub long_call_fuel: u64,
    /// Maximum number of bytes that a decision may hold at one time: the compiled token, the facts of the call,
    /// and the results of operations and rules. A call that needs more is denied as `out_of_fuel`. Actual
    /// memory use may reach three times as much.
    pub memory: usize,
    /// Maximum steps for explaining a denial, besides one for each byte of the call. A step takes about ten
    /// nanoseconds. A longer explanation is cut off and marked as such; the decision stays the same. With 0 the
    /// explanation has only the steps for the call's bytes.
    pub explain: u64,
    /// Maximum size of the cache of verified tokens, in bytes. A cached token is not verified again. 0 disables
    /// the cache.
    pub cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            call_bytes: DEFAULT_CALL_BYTES,
            token: bailiwick_token::limits::TokenLimits::default(),
            fuel: 5_000,
            long_call_fuel: 1 << 18,
            memory: 4 << 20,
            explain: 3_000,
            cache_bytes: 16 << 20,
        }
    }
}

impl Limits {
    /// The default limits for a service whose calls have up to this many bytes, but at most
    /// [`MAX_CALL_BYTES`](crate::call::MAX_CALL_BYTES). A call that is longer than the default gets fuel and memory in
    /// proportion: four units and 64 bytes for each byte, so that no call costs more than 17 million units and 256 MiB.
    ///
    /// ```
    /// use bailiwick_verifier::Limits;
    ///
    /// let limits = Limits::for_calls(1024 * 1024);
    /// assert_eq!((limits.call_bytes, limits.long_call_fuel), (1 << 20, 1 << 22));
    /// ```
    #[must_use]
    pub fn for_calls(bytes: usize) -> Limits {
        const UNITS_PER_BYTE: u64 = 4;
        const HELD_PER_BYTE: usize = 64;
        let (default, bytes) = (Limits::default(), bytes.min(MAX_CALL_BYTES));
        Limits {
            call_bytes: bytes,
            long_call_fuel: UNITS_PER_BYTE
                .saturating_mul(bytes as u64)
                .max(default.long_call_fuel),
            memory: HELD_PER_BYTE.saturating_mul(bytes).max(default.memory),
            ..default
        }
    }

    /// The budget of one evaluation.
    pub(crate) fn allowance(&self) -> Allowance {
        Allowance {
            budget: Budget {
                fuel: self.fuel,
                memory: self.memory,
            },
            long_call: self.long_call_fuel,
            spent: 0,
        }
    }
}

/// The reason for refusing to make a verifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The service's name is invalid.
    #[error(
        "the service name is empty, or holds a star or a control character; give the one name that grants use, such as `erp`"
    )]
    Service,
    /// The profile's own policy cannot be compiled, which never happens.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Verifier {
    /// Makes a verifier for the service with this name. Grants refer to the service by the same name.
    ///
    /// # Errors
    /// [`VerifierError::Service`] if the name is empty, or contains a star or a control character.
    pub fn new(service: &str, trust: Trust) -> Result<Verifier, VerifierError> {
        if service.is_empty() || service.contains('*') || service.chars().any(char::is_control) {
            return Err(VerifierError::Service);
        }
        Ok(Verifier {
            service: service.to_owned(),
            trust: ArcSwap::from_pointee(trust),
            limits: Limits::default(),
            staleness: Staleness::default(),
            shadow: false,
            counters: Counters::default(),
            memo: Memo::default(),
            policy: Arc::new(Policy::none().compile()?),
            cache: TokenCache::new(Limits::default().cache_bytes),
            #[cfg(feature = "refresh")]
            unknown_key: tokio::sync::Notify::new(),
        })
    }

    /// Replaces the default limits, which are those of the profile.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Verifier {
        self.cache = TokenCache::new(limits.cache_bytes);
        self.limits = limits;
        self
    }

    /// Sets the service's own Datalog, which every call must satisfy in addition to the token.
    ///
    /// # Errors
    /// [`PolicyError`] if the policy cannot be used, which [`Policy::parse`] would have reported.
    pub fn policy(mut self, policy: &Policy) -> Result<Verifier, PolicyError> {
        self.policy = Arc::new(CompiledPolicy {
            engine_only: self.policy.engine_only,
            ..policy.compile()?
        });
        // Cached tokens were compiled together with the old policy.
        self.cache = TokenCache::new(self.limits.cache_bytes);
        Ok(self)
    }

    /// Decides every token with the Datalog engine alone. By default, grants and scopes that Bailiwick wrote are
    /// decided by their typed conditions, which gives the same answers faster. Decision 16 explains why, and tests
    /// compare both. Decisions on tokens with many alternatives may run out of fuel earlier or later than by default.
    #[must_use]
    pub fn engine_only(mut self) -> Verifier {
        self.policy = Arc::new(CompiledPolicy {
            base: self.policy.base.clone(),
            is_own: self.policy.is_own,
            natives: self.policy.natives.clone(),
            engine_only: true,
        });
        self.cache = TokenCache::new(self.limits.cache_bytes);
        self
    }

    /// Sets the limit on the age of revocations from a feed. By default, calls are denied once the newest head
    /// is older than a minute.
    #[must_use]
    pub fn staleness(mut self, staleness: Staleness) -> Verifier {
        self.staleness = staleness;
        self
    }

    /// Turns shadow mode on or off. In shadow mode the layer lets denied calls through and logs a warning for
    /// each. Decisions do not change. No request can turn shadow mode on.
    #[must_use]
    pub fn shadow(mut self, shadow: bool) -> Verifier {
        self.shadow = shadow;
        if shadow {
            tracing::warn!(
                service = self.service,
                "shadow mode is on, so denied calls pass"
            );
        }
        self
    }

    /// Returns true if this verifier is in shadow mode.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Returns the name of the service that this verifier protects.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The counters of decided calls, by outcome.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The trust in use.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        self.trust.load_full()
    }

    /// Replaces the trust in use with newer trust. Calls in progress finish under the old trust. Revocations
    /// stay in force even if the issuer was restored from a backup and no longer lists them
    /// ([`Trust::carried_revocations`]).
    ///
    /// # Errors
    /// [`RollbackError`] if the given trust is older than the one in use, or a fork of it. The trust in use then does
    /// not change.
    pub fn replace_trust(&self, trust: Trust) -> Result<(), RollbackError> {
        loop {
            // Checked and swapped in a loop: another thread may replace the trust in between, and a trust that was
            // checked only against the old one could undo the newer one.
            let used = self.trust.load();
            trust.may_replace(&used)?;
            let offered = Arc::new(trust.merge_previous(&used)?);
            let previous = self.trust.compare_and_swap(&*used, offered);
            if Arc::ptr_eq(&previous, &used) {
                return Ok(());
            }
        }
    }

    /// Counts and records a decision. [`Verifier::decide`] and [`Verifier::check`] already do this. Call it for
    /// decisions made in another way, for example about a missing token.
    pub fn recorded(&self, decision: Decision, call: Option<&Call>) -> Decision {
        self.counters.count(&decision, self.shadow);
        record::emit(&self.service, call, &decision, self.shadow);
        decision
    }
}
