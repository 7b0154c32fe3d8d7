//! The denial of a call that a verified token does not allow: its reason, and the explanation.
//!
//! The reason is found first and cheaply: from the checks that failed, by their kind. Only its own
//! conditions are then explained, within [`Limits::explain`](crate::Limits::explain) steps and
//! [`MAX_EXPLANATION`](crate::explain::MAX_EXPLANATION) bytes. Where either is spent the explanation is
//! shorter, never another.

use bailiwick_biscuit::{
    datalog::{
        Code,
        code::{Check, Query},
    },
    engine::{self, FailedCheck, Matched, Place},
};
use bailiwick_token::{timestamp::Timestamp, token::Token};

use crate::{
    decision::{Deny, Reason},
    evaluate::{Comparison, Spent, Steps},
    policy::GRANTED,
    request::Statement,
    verifier::Verifier,
    verify::Verified,
};

mod explanation;

use explanation::Explanation;

impl Verifier {
    /// The denial of a call for which these checks did not hold, or whose policies refuse it.
    pub(crate) fn denied(
        &self,
        token: &Verified,
        call: &Statement<'_>,
        now: Timestamp,
        policy: Option<Matched>,
        failed: &[FailedCheck],
    ) -> Deny {
        let (of_service, of_token): (Vec<&FailedCheck>, Vec<&FailedCheck>) = failed
            .iter()
            .partition(|failed| failed.place == Place::Authorizer);
        let own: Vec<usize> = of_service.iter().map(|failed| failed.check).collect();
        let granted = !own.contains(&GRANTED);
        let mut explanation = Explanation::new(token, now);
        if granted && of_token.is_empty() {
            let (reason, detail) = refused_by_policy(policy, &own);
            return explanation.deny_with(reason, &detail);
        }
        let read = token.source.token();
        let unread = Code::default();
        let code = read.as_ref().map_or(&unread, Token::code);
        let mut checks = Vec::with_capacity(of_token.len());
        for failed in &of_token {
            if let Place::Block(block) = failed.place {
                let content = code.blocks.get(block);
                let check = content.and_then(|content| code.checks(content).get(failed.check));
                checks.extend(check.map(|check| (block, check)));
            }
        }
        if let Some(reason) = explanation.limits(code, &checks) {
            return explanation.deny(reason);
        }
        let mut comparison = self.comparison(call);
        if granted {
            let explained = explanation.caveats(&mut comparison, code, &checks);
            return explanation.ended(explained).deny(Reason::Caveat);
        }
        let grants = grants(code);
        let reason = comparison.reason(code, &grants);
        let explained = explanation.scope(&mut comparison, code, 0, &grants);
        let explained = explained.map(drop);
        explanation.ended(explained).deny(reason)
    }

    /// The denial of a call whose evaluation failed, and with it everything. Conditions that fail by
    /// themselves explain it best.
    pub(crate) fn failed(
        &self,
        token: &Verified,
        call: &Statement<'_>,
        now: Timestamp,
        error: &engine::Error,
    ) -> Deny {
        let read = token.source.token();
        let mut explanation = Explanation::new(token, now);
        let reason = match read.as_ref().map(Token::code) {
            None => Ok(None),
            Some(code) => explanation.fails_by_itself(&mut self.comparison(call), code),
        };
        let ended = reason.map(drop);
        let explanation = explanation.ended(ended);
        match reason {
            Ok(Some(reason)) => explanation.deny(reason),
            // Of a condition that is not looked at to its end nothing is known.
            Ok(None) | Err(Spent) => explanation.deny_with(
                Reason::EvaluationError,
                &format!("evaluating the call failed: {error}"),
            ),
        }
    }
}

impl Verifier {
    /// A long call takes longer to decide, so it may take longer to explain.
    fn comparison<'c>(&'c self, call: &'c Statement<'c>) -> Comparison<'c> {
        let steps = self.limits.explain.saturating_add(call.bytes as u64);
        Comparison::new(&self.service, call, Steps::new(steps))
    }
}

/// The denial of a token that has ended or does not hold yet, whatever the call. Both come before any
/// other reason, so a decision says the same.
pub(crate) fn out_of_time(token: &Verified, now: Timestamp) -> Option<Deny> {
    let reason = if now < token.begins {
        Reason::NotYetValid
    } else if now >= token.expires {
        Reason::Expired
    } else {
        return None;
    };
    let mut explanation = Explanation::new(token, now);
    if let Some(read) = token.source.token() {
        let code = read.code();
        explanation.limits(code, &checks(code));
    }
    Some(explanation.deny(reason))
}

/// The checks of all blocks, each with the place of its block.
fn checks(code: &Code) -> Vec<(usize, &Check)> {
    let blocks = code.blocks.iter().enumerate();
    let checks = blocks.flat_map(|(block, content)| {
        let checks = code.checks(content).iter();
        checks.map(move |check| (block, check))
    });
    checks.collect()
}

/// The bodies of the grants.
fn grants(code: &Code) -> Vec<Query> {
    let authority = code.blocks.first();
    let rules = authority.map_or(&[][..], |block| code.rules(block));
    rules.iter().map(|rule| rule.query).collect()
}

/// The part of the service's own policy that refuses a call, and not its text, which is the
/// service's affair.
fn refused_by_policy(policy: Option<Matched>, own: &[usize]) -> (Reason, String) {
    // The first of the verifier's checks is the profile's, so the service's own count from 1.
    let check = own.iter().find(|check| **check != GRANTED);
    let part = match (check, policy) {
        (Some(check), _) => format!("its check {check} does not hold"),
        (None, Some(Matched::Deny(policy))) => {
            format!("its policy {} denies it", policy.saturating_add(1))
        }
        (None, _) => "none of its policies allows it".to_owned(),
    };
    (
        Reason::Policy,
        format!("the service's own policy refuses the call: {part}"),
    )
}

fn summary(reason: Reason) -> &'static str {
    match reason {
        Reason::NotYetValid => "the token does not hold yet",
        Reason::Expired => "the token has ended",
        Reason::Depth => "more blocks are appended than the issuer allows",
        Reason::WrongService => "the token grants nothing at this service",
        Reason::NoGrant => "no grant allows the call",
        _ => "an appended block does not allow the call",
    }
}
