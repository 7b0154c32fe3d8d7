//! A structured record for each decision, and counters by reason.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{
    call::Call,
    decision::Decision,
    excerpt::{MAX_SHOWN_NAME, excerpt, names},
    explain::Values,
    reason::Reason,
};

/// Maximum length, in bytes, of the names of arguments in a record, and of an explanation.
const MAX_ARGUMENTS: usize = 512;
const MAX_EXPLAINED: usize = 2048;
/// Maximum length of an agent and of a principal in a record, in bytes. Valid names are never longer.
const MAX_IDENTITY: usize = bailiwick_token::claims::MAX_NAME;

/// Counters of calls that were allowed, denied for each reason, and let through by shadow mode.
#[derive(Debug, Default)]
pub struct Counters([Share; SHARES]);

const SHARES: usize = 8;

/// The counters of some of the threads. Each share has its own cache lines, because threads that write to the
/// same line contend for it with every decision.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Share {
    allowed: AtomicU64,
    denied: [AtomicU64; Reason::ALL.len()],
    would_deny: AtomicU64,
}

impl Counters {
    /// Number of calls that were allowed.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.sum(|share| Some(&share.allowed))
    }

    /// Number of calls that were denied for this reason, including those that shadow mode let through.
    #[must_use]
    pub fn denied(&self, reason: Reason) -> u64 {
        self.sum(|share| share.denied(reason))
    }

    /// Number of denied calls that shadow mode let through.
    #[must_use]
    pub fn would_deny(&self) -> u64 {
        self.sum(|share| Some(&share.would_deny))
    }

    fn sum(&self, counter: impl Fn(&Share) -> Option<&AtomicU64>) -> u64 {
        let counters = self.0.iter().filter_map(counter);
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    pub(crate) fn count(&self, decision: &Decision, shadow: bool) {
        let Some(share) = self.0.get(place()) else {
            return;
        };
        let one = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match decision.reason() {
            None => drop(one(&share.allowed)),
            Some(reason) => {
                share.denied(reason).map(one);
                if shadow {
                    one(&share.would_deny);
                }
            }
        }
    }
}

impl Share {
    fn denied(&self, reason: Reason) -> Option<&AtomicU64> {
        let index = Reason::ALL
            .iter()
            .position(|candidate| *candidate == reason)?;
        self.denied.get(index)
    }
}

/// Index of the share for this thread.
fn place() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARES;
    }
    PLACE.with(|place| *place)
}

/// Emits the record of a decision. The record contains names of arguments, never their values, and never bytes
/// of the token. Under the default limits, a record has at most about twenty kilobytes.
pub(crate) fn emit(service: &str, call: Option<&Call>, decision: &Decision, shadow: bool) {
    let enabled = match shadow && !decision.is_allow() {
        true => tracing::enabled!(tracing::Level::WARN),
        false => tracing::enabled!(tracing::Level::INFO),
    };
    if !enabled {
        return;
    }
    let identity = decision.identity();
    let chain: Vec<String> = identity
        .iter()
        .flat_map(|identity| &identity.chain)
        .filter_map(|link| link.delegate.as_deref())
        .map(|delegate| excerpt(delegate, MAX_SHOWN_NAME))
        .collect();
    let token_id = identity.map(|identity| identity.token_id.to_string());
    let action = call.map(|call| excerpt(call.action(), MAX_SHOWN_NAME));
    let arguments = call.map(|call| names(call.argument_names(), MAX_ARGUMENTS));
    let explained = decision.explain(Values::Hidden).join("; ");
    let explained = excerpt(explained, MAX_EXPLAINED);
    macro_rules! record {
        ($level:ident, $text:literal, $outcome:expr) => {
            tracing::$level!(
                decision = $outcome,
                reason = decision.reason().map(Reason::code),
                service,
                "gen_ai.tool.name" = action,
                arguments,
                token_id,
                agent = identity.map(|identity| excerpt(&identity.agent, MAX_IDENTITY)),
                principal = identity.map(|identity| excerpt(&identity.principal, MAX_IDENTITY)),
                // Each name is quoted, so that one delegate's name cannot look like two.
                chain = ?chain,
                explain = explained,
                $text
            )
        };
    }
    match (decision, shadow) {
        (Decision::Allow(_), _) => record!(info, "call allowed", "allow"),
        (Decision::Deny(_), false) => record!(info, "call denied", "deny"),
        (Decision::Deny(_), true) => {
            record!(warn, "call would be denied: shadow mode", "would_deny")
        }
    }
}
