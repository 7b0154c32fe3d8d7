//! Records of callers that could not be authenticated, in the audit log and the program's log, limited so that
//! no flood fills them.
//!
//! Anyone can cause such a row, so each kind has an allowance of its own: a flood of one kind hides no other.
//! Rows that are left out are counted, and the next row of the kind states the number.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use bailiwick_issuer::{Issuer, MintError, RefusedRequest};
use bailiwick_verifier::layer::Clock;

use crate::{
    metrics::{KindLabels, UnknownCallers},
    rate::{Limiter, RateLimit},
};

/// Maximum rate of recorded callers of each kind, for all of them together.
const RECORDED: RateLimit = RateLimit {
    per_minute: NonZeroU32::new(60).unwrap(),
    burst: NonZeroU32::new(60).unwrap(),
};

/// The actor of these refusals in the audit log. It differs from `caller:unknown`, the actor of a client named
/// `unknown`.
const UNKNOWN_CALLER: &str = "unknown caller";

/// The actor of refused operators that could not be authenticated.
const UNKNOWN_OPERATOR: &str = "unknown operator";

/// The kind of credential that failed to authenticate a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    /// A client's name or secret is wrong.
    Secret,
    /// A JWT has no valid signature of a provider or a client.
    Unsigned,
    /// A JWT with a valid signature is refused: it has another audience, is expired, or was used before.
    Signed,
    /// An operator's token does not verify.
    Operator,
}

impl CredentialKind {
    fn as_str(self) -> &'static str {
        match self {
            CredentialKind::Secret => "secret",
            CredentialKind::Unsigned => "unsigned_jwt",
            CredentialKind::Signed => "signed_jwt",
            CredentialKind::Operator => "operator",
        }
    }
}

/// A caller that could not be authenticated.
pub(crate) struct Stranger<'a> {
    pub(crate) kind: CredentialKind,
    /// Name of the agent; empty if unknown.
    pub(crate) agent: &'a str,
    pub(crate) from: IpAddr,
}

/// The recorder of strangers, with its allowances.
pub(crate) struct Strangers {
    issuer: Issuer,
    clock: Clock,
    counted: UnknownCallers,
    allowances: Allowances,
}

/// The allowance of each kind.
#[derive(Default)]
struct Allowances {
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
    /// Makes a recorder that writes to the audit log of `issuer` and counts in `counted`.
    pub(crate) fn new(issuer: Issuer, clock: Clock, counted: UnknownCallers) -> Strangers {
        Strangers {
            issuer,
            clock,
            counted,
            allowances: Allowances::default(),
        }
    }

    /// Records that a caller could not be authenticated.
    pub(crate) async fn record(&self, stranger: Stranger<'_>, reason: &str) {
        let Stranger { kind, agent, from } = stranger;
        self.count(kind);
        let Some(left_out) = self.allowances.admit(kind) else {
            return;
        };
        let name = kind.as_str();
        tracing::warn!(kind = name, agent, reason, left_out, %from, "a caller could not be authenticated");
        let refused = RefusedRequest {
            agent,
            principal: "",
            profile: None,
            reason,
            left_out,
        };
        let issuer = self.issuer.acting_as(UNKNOWN_CALLER);
        let recorded = issuer.record_refusal(refused, (self.clock)()).await;
        self.keep_count(kind, left_out, recorded);
    }

    /// Records that an operator's token does not verify.
    pub(crate) async fn record_operator(&self, action: &str, reason: &str, from: IpAddr) {
        let kind = CredentialKind::Operator;
        self.count(kind);
        let Some(left_out) = self.allowances.admit(kind) else {
            return;
        };
        tracing::warn!(
            action,
            reason,
            left_out,
            %from,
            "an operator could not be authenticated"
        );
        let issuer = self.issuer.acting_as(UNKNOWN_OPERATOR);
        let recorded = issuer.record_denied_operator(action, reason, left_out, (self.clock)());
        self.keep_count(kind, left_out, recorded.await);
    }

    /// Counts a refusal that is not recorded. The next one that is recorded states how many were left out.
    pub(crate) fn count_unrecorded(&self, kind: CredentialKind) {
        self.count(kind);
        self.allowances.leave_out(kind, 1);
    }

    /// If a refusal could not be recorded, adds it and the refusals that it stood for to the count for the next
    /// row.
    fn keep_count(&self, kind: CredentialKind, left_out: u64, recorded: Result<u64, MintError>) {
        if let Err(error) = recorded {
            tracing::error!(%error, "a refusal could not be recorded in the audit");
            self.allowances.leave_out(kind, left_out.saturating_add(1));
        }
    }

    fn count(&self, kind: CredentialKind) {
        let labels = KindLabels {
            kind: kind.as_str(),
        };
        self.counted.get_or_create(&labels).inc();
    }
}

impl Allowances {
    fn of(&self, kind: CredentialKind) -> &Allowance {
        match kind {
            CredentialKind::Secret => &self.secret,
            CredentialKind::Unsigned => &self.unsigned,
            CredentialKind::Signed => &self.signed,
            CredentialKind::Operator => &self.operator,
        }
    }

    /// If this refusal may be recorded, returns the number of refusals of its kind that were left out since the
    /// last record. Otherwise, leaves this one out as well and returns `None`.
    fn admit(&self, kind: CredentialKind) -> Option<u64> {
        let allowance = self.of(kind);
        match allowance.limiter.check() {
            Ok(()) => Some(allowance.left_out.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.leave_out(kind, 1);
                None
            }
        }
    }

    fn leave_out(&self, kind: CredentialKind, count: u64) {
        self.of(kind).left_out.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_allowance() {
        let allowances = Allowances::default();
        for _ in 0..60 {
            assert_eq!(allowances.admit(CredentialKind::Unsigned), Some(0));
        }
        for _ in 0..5 {
            assert_eq!(allowances.admit(CredentialKind::Unsigned), None);
        }
        allowances.leave_out(CredentialKind::Unsigned, 1);
        assert_eq!(allowances.unsigned.left_out.load(Ordering::Relaxed), 6);
        for kind in [
            CredentialKind::Secret,
            CredentialKind::Signed,
            CredentialKind::Operator,
        ] {
            assert_eq!(allowances.admit(kind), Some(0));
        }
        allowances.leave_out(CredentialKind::Secret, 1);
        assert_eq!(allowances.admit(CredentialKind::Secret), Some(1));
        assert_eq!(allowances.admit(CredentialKind::Secret), Some(0));
    }
}
