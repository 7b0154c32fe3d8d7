//! Decisions about calls, from a verified token, a call and the time.

use std::sync::Arc;

use bailiwick_biscuit::engine::{Outcome, Program};
use bailiwick_token::timestamp::Timestamp;

use crate::{
    call::{Call, CallLimits, Statement},
    compare::{Comparison, Spent, Steps},
    decision::{Allow, Decision, Deny, Granted},
    denial::Denial,
    evaluation::{Allowance, CallEvaluation},
    native::CallAnswers,
    trust::{Distrust, TrustedFacts},
    validity,
    verified::{CompiledConditions, Typed, Verified},
    verifier::Verifier,
};

impl Verifier {
    /// Verifies a token in text form, and decides one call with it. A cached token is not verified again, but
    /// its trust is checked for every call.
    pub fn check(&self, token: &str, call: &Call, now: Timestamp) -> Decision {
        match self.seen_or_verified(token, now) {
            Ok(verified) => self.decide(&verified, call, now),
            Err(denial) => self.recorded(Decision::Deny(denial.into()), Some(call)),
        }
    }

    /// Decides one call with a verified token.
    pub fn decide(&self, token: &Verified, call: &Call, now: Timestamp) -> Decision {
        let decision = match self.decided(token, call, now) {
            Ok(allow) => Decision::Allow(allow),
            Err(deny) => Decision::Deny(deny),
        };
        self.recorded(decision, Some(call))
    }

    /// Checks that a verified token is still trusted: that its root key is trusted, and that it is not revoked.
    pub(crate) fn check_trust(&self, token: &Verified, now: Timestamp) -> Result<(), Distrust> {
        let shown = TrustedFacts {
            root_key: token.root_key,
            root: &token.root,
            names: &token.names,
            issued_at: token.issued_at,
            expires: token.expires,
        };
        self.trust.load().check_trust(&shown, &self.staleness, now)
    }

    fn decided(&self, token: &Verified, call: &Call, now: Timestamp) -> Result<Allow, Deny> {
        let denied = |denial| Deny::of(&token.identity, denial);
        // Before anything about the call, so that the holder of a revoked token learns nothing about its conditions.
        self.check_trust(token, now)
            .map_err(|distrust| denied(Denial::Distrust(distrust)))?;
        let limits = CallLimits::of(self.limits.call_bytes);
        let call = call
            .state(limits)
            .map_err(|error| denied(Denial::Call(error)))?;
        if let Some(deny) = validity::out_of_limits(token, now) {
            return Err(deny);
        }
        // The token may have been verified by another verifier, with another policy.
        let conditions = self.conditions(token).map_err(denied)?;
        let answers = CallAnswers::new(&conditions.natives, call.values(), now);
        let case = Case {
            verifier: self,
            token,
            conditions: &conditions,
            call: &call,
            answers: &answers,
        };
        let rule = case.verdict()?;
        Ok(Allow {
            identity: Arc::clone(&token.identity),
            expires: token.expires,
            granted: rule.map(|rule| Granted {
                source: token.source.clone(),
                rule,
            }),
        })
    }
}

/// A call, with a token that is trusted and within its limits.
pub(crate) struct Case<'c> {
    pub(crate) verifier: &'c Verifier,
    pub(crate) token: &'c Verified,
    pub(crate) conditions: &'c CompiledConditions,
    pub(crate) call: &'c Statement<'c>,
    answers: &'c CallAnswers<'c>,
}

impl<'c> Case<'c> {
    /// Decides the call. If it is allowed, returns the token's rule that grants it; `None` if no rule does.
    fn verdict(&self) -> Result<Option<usize>, Deny> {
        let (rule, spent) = match &self.conditions.typed {
            Some(typed) => self.typed(typed).map(|(rule, spent)| (Some(rule), spent))?,
            None => (None, 0),
        };
        // The typed conditions are only a part of the token: the engine must also allow the rest, and the
        // service's policy must allow the call.
        match self.conditions.program() {
            Some(program) => Ok(self.datalog(program, spent)?.or(rule)),
            None => Ok(rule),
        }
    }

    /// Returns the position of the first grant that covers the call, and the number of steps spent. All scopes
    /// must cover the call too.
    fn typed(&self, typed: &Typed) -> Result<(usize, u64), Deny> {
        let comparison = self.comparison();
        let limits = &self.verifier.limits;
        let fuel = limits.allowance().for_bytes(self.call.bytes);
        let mut steps = Steps::new(fuel);
        let spent = |Spent| self.deny(Denial::OutOfFuel(limits.fuel));
        let granted = comparison
            .first_met(&typed.grants, &mut steps)
            .map_err(spent)?
            .ok_or_else(|| self.not_granted(typed))?;
        // All scopes are compared, so that the denial can name each that refuses the call.
        let mut refusing = Vec::new();
        for scope in &typed.scopes {
            let (_, alternatives) = scope;
            let met = comparison.first_met(alternatives, &mut steps);
            if met.map_err(spent)?.is_none() {
                refusing.push(scope);
            }
        }
        match refusing.is_empty() {
            true => Ok((granted, fuel.saturating_sub(steps.left()))),
            false => Err(self.out_of_scope(&refusing)),
        }
    }

    /// Evaluates the conditions that are not typed. If the engine also decides about grants, returns the rule
    /// that grants the call. The `spent` units are deducted from the fuel.
    fn datalog(&self, program: &Program, spent: u64) -> Result<Option<usize>, Deny> {
        let limits = &self.verifier.limits;
        let allowance = Allowance {
            spent,
            ..limits.allowance()
        };
        let evaluation = CallEvaluation {
            call: self.call,
            service: &self.verifier.service,
            depth: self.token.depth,
            now: self.answers.now(),
            answers: self.answers,
            // The grants of a typed token are not compiled: a fact stands in for the grant found above.
            is_granted: self.conditions.typed.is_some(),
        };
        let (outcome, rule) = evaluation.run(program, allowance);
        match outcome {
            Outcome::Allow { .. } => Ok(rule),
            Outcome::Deny { policy, failed } => Err(self.refused(policy, &failed)),
            Outcome::Error(error) => Err(self.failed(error)),
            Outcome::OutOfFuel => Err(self.deny(Denial::OutOfFuel(limits.fuel))),
            Outcome::OutOfMemory => Err(self.deny(Denial::OutOfMemory(limits.memory))),
        }
    }

    pub(crate) fn comparison(&self) -> Comparison<'c> {
        Comparison {
            service: &self.verifier.service,
            call: self.call,
            answers: self.answers,
        }
    }

    fn deny(&self, denial: Denial) -> Deny {
        Deny::of(&self.token.identity, denial)
    }
}
