//! One structured record for each decision, and counters by reason.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    decision::{Decision, Reason},
    explain::Values,
    request::Request,
};

/// How many calls were allowed, denied by each reason, and let pass by shadow mode.
#[derive(Debug, Default)]
pub struct Counters {
    allowed: AtomicU64,
    denied: [AtomicU64; Reason::ALL.len()],
    would_deny: AtomicU64,
}

impl Counters {
    /// Calls allowed.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.allowed.load(Ordering::Relaxed)
    }

    /// Calls denied for this reason, those that shadow mode let pass included.
    #[must_use]
    pub fn denied(&self, reason: Reason) -> u64 {
        self.slot(reason)
            .map_or(0, |slot| slot.load(Ordering::Relaxed))
    }

    /// Calls that would have been denied, and that shadow mode let pass.
    #[must_use]
    pub fn would_deny(&self) -> u64 {
        self.would_deny.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, decision: &Decision, shadow: bool) {
        let one = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match decision.reason() {
            None => drop(one(&self.allowed)),
            Some(reason) => {
                self.slot(reason).map(one);
                if shadow {
                    one(&self.would_deny);
                }
            }
        }
    }

    fn slot(&self, reason: Reason) -> Option<&AtomicU64> {
        let index = Reason::ALL
            .iter()
            .position(|candidate| *candidate == reason)?;
        self.denied.get(index)
    }
}

/// Emits the record: names of arguments, never their values, and never token bytes.
pub(crate) fn emit(service: &str, request: Option<&Request>, decision: &Decision, shadow: bool) {
    if !tracing::enabled!(tracing::Level::WARN) {
        return;
    }
    let identity = decision.identity();
    let chain: Vec<&str> = identity
        .iter()
        .flat_map(|identity| &identity.chain)
        .filter_map(|link| link.delegate.as_deref())
        .collect();
    let token_id = identity.map(|identity| identity.token_id.to_string());
    let action = request.map(Request::action);
    macro_rules! record {
        ($level:ident, $text:literal, $outcome:expr) => {
            tracing::$level!(
                decision = $outcome,
                reason = decision.reason().map(Reason::code),
                service,
                "gen_ai.tool.name" = action,
                arguments =
                    request.map(|request| request.argument_names().collect::<Vec<_>>().join(",")),
                token_id,
                agent = identity.map(|identity| identity.agent.as_str()),
                principal = identity.map(|identity| identity.principal.as_str()),
                // Each quoted: a delegate's name must not pass for two.
                chain = ?chain,
                explain = decision.explain(Values::Hidden).join("; "),
                $text
            )
        };
    }
    match (decision, shadow) {
        (Decision::Allow(_), _) => record!(info, "call allowed", "allow"),
        (Decision::Deny(_), false) => record!(info, "call denied", "deny"),
        (Decision::Deny(_), true) => record!(warn, "call let pass by shadow mode", "would_deny"),
    }
}
