//! Callers that stay unknown: on record and in the log, as far as nobody can fill either with it.
//!
//! Anyone can cause such a row, so each kind has an allowance of its own: a flood of one kind hides
//! no other. What is left out is counted, and the next row of its kind says how much that was.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use bailiwick_issuer::RefusedRequest;

use crate::{
    metrics::KindLabels,
    rate::{Limiter, Rate},
    state::State,
};

/// How many of each kind are recorded, of all callers.
const RECORDED: Rate = Rate {
    per_minute: NonZeroU32::new(60).unwrap(),
    burst: NonZeroU32::new(60).unwrap(),
};

/// A way to stay unknown.
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

    /// How many of this kind were left out since the last one, where this one may be recorded. Otherwise it
    /// is left out.
    fn admit(&self, kind: Kind) -> Option<u64> {
        let allowance = self.of(kind);
        match allowance.limiter.check() {
            Ok(()) => Some(allowance.left_out.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.leave_out(kind);
                None
            }
        }
    }

    fn leave_out(&self, kind: Kind) {
        self.of(kind).left_out.fetch_add(1, Ordering::Relaxed);
    }
}

impl State {
    /// Records that a caller stays unknown. `agent` is whom it was taken for, where that is known.
    pub(crate) async fn turn_away(&self, kind: Kind, agent: &str, reason: &str, from: IpAddr) {
        self.count(kind);
        let Some(left_out) = self.strangers.admit(kind) else {
            return;
        };
        let kind = kind.as_str();
        tracing::warn!(kind, agent, reason, left_out, %from, "a caller is not known");
        let refused = RefusedRequest {
            agent,
            principal: "",
            profile: None,
            reason,
            left_out,
        };
        let issuer = self.issuer.acting_as("caller:unknown");
        if let Err(error) = issuer.record_refusal(refused, self.now()).await {
            tracing::error!(%error, "a refusal is not on record");
        }
    }

    /// The same, of a token that is no operator's.
    pub(crate) async fn turn_away_operator(&self, action: &str, reason: &str) {
        self.count(Kind::Operator);
        let Some(left_out) = self.strangers.admit(Kind::Operator) else {
            return;
        };
        tracing::warn!(action, reason, left_out, "an operator is not known");
        let issuer = self.issuer.acting_as("operator:unknown");
        let recorded = issuer.record_denied_operator(action, reason, left_out, self.now());
        if let Err(error) = recorded.await {
            tracing::error!(%error, "a refusal is not on record");
        }
    }

    /// Counts one that was turned away before its credentials were looked at.
    pub(crate) fn turn_away_unseen(&self, kind: Kind) {
        self.count(kind);
        self.strangers.leave_out(kind);
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
        strangers.leave_out(Kind::Unsigned);
        assert_eq!(strangers.unsigned.left_out.load(Ordering::Relaxed), 6);
        for kind in [Kind::Secret, Kind::Signed, Kind::Operator] {
            assert_eq!(strangers.admit(kind), Some(0));
        }
        strangers.leave_out(Kind::Secret);
        assert_eq!(strangers.admit(Kind::Secret), Some(1));
        assert_eq!(strangers.admit(Kind::Secret), Some(0));
    }
}
