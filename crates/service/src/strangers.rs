//! Records callers that stay unknown, in the audit and the log, within bounds that no flood exceeds.
//!
//! Anyone can cause such a row, so each kind has an allowance of its own: a flood of one kind hides
//! no other. What is left out is counted, and the next row of its kind says how much that was.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use bailiwick_issuer::{MintError, RefusedRequest};

use crate::{
    metrics::KindLabels,
    rate::{Limiter, Rate},
    state::State,
};

/// Maximum rate of records of each kind, for all callers together.
const RECORDED: Rate = Rate {
    per_minute: NonZeroU32::new(60).unwrap(),
    burst: NonZeroU32::new(60).unwrap(),
};

/// The actor of these refusals in the audit. A client can have the name `unknown`, whose actor is
/// `caller:unknown`: this one is another.
const UNKNOWN_CALLER: &str = "unknown caller";

/// The actor of refusals of unknown operators.
const UNKNOWN_OPERATOR: &str = "unknown operator";

/// The credential by which a caller stays unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A wrong name or secret of a client.
    Secret,
    /// A JWT that no provider has signed.
    Unsigned,
    /// A JWT that a provider has signed, and that is refused: of another audience, expired, used before.
    Signed,
    /// An operator's token that does not verify.
    Operator,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::Unsigned => "unsigned_jwt",
            Kind::Signed => "signed_jwt",
            Kind::Operator => "operator",
        }
    }
}

/// The allowances.
#[derive(Default)]
pub(crate) struct Strangers {
    secret: Allowance,
    unsigned: Allowance,
    signed: Allowance,
    operator: Allowance,
}

struct Allowance {
    limiter: Limiter,
    left_out: AtomicU64,
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance {
            limiter: RECORDED.limiter(),
            left_out: AtomicU64::new(0),
        }
    }
}

impl Strangers {
    fn of(&self, kind: Kind) -> &Allowance {
        match kind {
            Kind::Secret => &self.secret,
            Kind::Unsigned => &self.unsigned,
            Kind::Signed => &self.signed,
            Kind::Operator => &self.operator,
        }
    }

    /// Returns the number of this kind that were left out since the last one, if this one may be recorded.
    /// Otherwise it is left out, too.
    fn admit(&self, kind: Kind) -> Option<u64> {
        let allowance = self.of(kind);
        match allowance.limiter.check() {
            Ok(()) => Some(allowance.left_out.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.leave_out(kind, 1);
                None
            }
        }
    }

    fn leave_out(&self, kind: Kind, count: u64) {
        self.of(kind).left_out.fetch_add(count, Ordering::Relaxed);
    }
}

impl State {
    /// Records that a caller stays unknown. `agent` is its name as far as that is known; empty otherwise.
    pub(crate) async fn turn_away(&self, kind: Kind, agent: &str, reason: &str, from: IpAddr) {
        self.count(kind);
        let Some(left_out) = self.strangers.admit(kind) else {
            return;
        };
        let name = kind.as_str();
        tracing::warn!(kind = name, agent, reason, left_out, %from, "a caller is not known");
        let refused = RefusedRequest {
            agent,
            principal: "",
            profile: None,
            reason,
            left_out,
        };
        let issuer = self.issuer.acting_as(UNKNOWN_CALLER);
        let recorded = issuer.record_refusal(refused, self.now()).await;
        self.keep_count(kind, left_out, recorded);
    }

    /// Records that the token of an operator does not verify.
    pub(crate) async fn turn_away_operator(&self, action: &str, reason: &str) {
        self.count(Kind::Operator);
        let Some(left_out) = self.strangers.admit(Kind::Operator) else {
            return;
        };
        tracing::warn!(action, reason, left_out, "an operator is not known");
        let issuer = self.issuer.acting_as(UNKNOWN_OPERATOR);
        let recorded = issuer.record_denied_operator(action, reason, left_out, self.now());
        self.keep_count(Kind::Operator, left_out, recorded.await);
    }

    /// Leaves a refusal that could not be recorded to the next row, with those that it was to count.
    fn keep_count(&self, kind: Kind, left_out: u64, recorded: Result<u64, MintError>) {
        if let Err(error) = recorded {
            tracing::error!(%error, "a refusal is not on record");
            self.strangers.leave_out(kind, left_out.saturating_add(1));
        }
    }

    /// Counts one that was turned away before its credentials were looked at.
    pub(crate) fn turn_away_unseen(&self, kind: Kind) {
        self.count(kind);
        self.strangers.leave_out(kind, 1);
    }

    fn count(&self, kind: Kind) {
        let labels = KindLabels {
            kind: kind.as_str(),
        };
        self.metrics.unknown_callers.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_allowance() {
        let strangers = Strangers::default();
        for _ in 0..60 {
            assert_eq!(strangers.admit(Kind::Unsigned), Some(0));
        }
        for _ in 0..5 {
            assert_eq!(strangers.admit(Kind::Unsigned), None);
        }
        strangers.leave_out(Kind::Unsigned, 1);
        assert_eq!(strangers.unsigned.left_out.load(Ordering::Relaxed), 6);
        for kind in [Kind::Secret, Kind::Signed, Kind::Operator] {
            assert_eq!(strangers.admit(kind), Some(0));
        }
        strangers.leave_out(Kind::Secret, 1);
        assert_eq!(strangers.admit(Kind::Secret), Some(1));
        assert_eq!(strangers.admit(Kind::Secret), Some(0));
    }
}
