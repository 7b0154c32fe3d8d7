//! Denials of calls that a verified token does not allow: the reason, and the explanation.
//!
//! The reason is determined first, and then only the conditions behind it are explained, within
//! [`Limits::explain`](crate::Limits::explain) steps and [`MAX_EXPLANATION`](crate::explain::MAX_EXPLANATION) bytes. If
//! either is spent, the explanation is cut short; it never becomes a different one. After an error of the engine,
//! conditions that fail regardless of the error are looked for first, within the same limits.

use bailiwick_biscuit::{
    datalog::{
        Code, Kind,
        code::{Check, Query},
    },
    engine::{self, FailedCheck, Matched, Place},
};
use bailiwick_token::datalog;

use crate::{
    compare::{Alternative, Explainer, Spent, Steps},
    decide::Case,
    decision::Deny,
    denial::{Denial, PolicyRefusal},
    explanation::Explanation,
    policy::GRANTED,
    verified::Typed,
};

impl<'c> Case<'c> {
    /// Denies a call that no typed grant covers.
    pub(crate) fn not_granted(&self, typed: &Typed) -> Deny {
        let mut explainer = self.explainer();
        let is_for_this_service = |grant: &Alternative| explainer.is_for_this_service(grant);
        let denial = match typed.grants.iter().any(is_for_this_service) {
            true => Denial::NoGrant,
            false => Denial::WrongService,
        };
        let mut explanation = self.explanation();
        let explained = explanation.scope(&mut explainer, 0, typed.grants.as_ref());
        explanation.ended(explained).deny(denial)
    }

    /// Denies a call that none of these typed scopes covers.
    pub(crate) fn out_of_scope(&self, refusing: &[&(usize, Box<[Alternative]>)]) -> Deny {
        let mut explainer = self.explainer();
        let mut explanation = self.explanation();
        let mut explained = Ok(());
        for (block, alternatives) in refusing {
            explained = explanation.scope(&mut explainer, *block, alternatives.as_ref());
            if explained.is_err() {
                break;
            }
        }
        explanation.ended(explained).deny(Denial::Caveat)
    }

    /// Denies a call because checks in Datalog failed, or because the service's policies refuse it.
    pub(crate) fn refused(&self, policy: Option<Matched>, failed: &[FailedCheck]) -> Deny {
        let own = failed
            .iter()
            .filter(|failed| failed.place == Place::Authorizer)
            .map(|failed| failed.check);
        // The verifier's own first check is the one that looks for a grant.
        let is_granted = !own.clone().any(|check| check == GRANTED);
        let unread = Code::default();
        let code = self.conditions.explained.as_deref().unwrap_or(&unread);
        let of_token: Vec<(usize, &Check)> = failed
            .iter()
            .filter_map(|failed| match failed.place {
                Place::Block(block) => {
                    let content = code.blocks.get(block)?;
                    Some((block, code.checks(content).get(failed.check)?))
                }
                Place::Authorizer => None,
            })
            .collect();
        let (mut explainer, mut explanation) = (self.explainer(), self.explanation());
        if !is_granted {
            let grants = grants(code);
            let denial = no_grant(&explainer, code, &grants);
            let explained = explanation.bodies(&mut explainer, code, 0, &grants);
            return explanation.ended(explained.map(drop)).deny(denial);
        }
        // The token's conditions come before the service's policy, whose texts may be confidential.
        if of_token.is_empty() {
            return explanation.deny(Denial::Policy(PolicyRefusal::new(own, policy)));
        }
        let explained = explanation.checks(&mut explainer, code, &of_token);
        explanation.ended(explained).deny(Denial::Caveat)
    }

    /// Denies a call whose evaluation ended in an error. Conditions that fail regardless of the error explain
    /// the denial best, so they take precedence.
    pub(crate) fn failed(&self, error: engine::Error) -> Deny {
        let (mut explainer, mut explanation) = (self.explainer(), self.explanation());
        let found = match self.conditions.explained.as_deref() {
            None => Ok(None),
            Some(code) => self.fails_by_itself(&mut explainer, &mut explanation, code),
        };
        let explanation = explanation.ended(found.as_ref().map(drop).map_err(|spent| *spent));
        match found {
            Ok(Some(denial)) => explanation.deny(denial),
            // Nothing is known about a condition that was not examined completely.
            Ok(None) | Err(Spent) => explanation.deny(Denial::Evaluation(error)),
        }
    }

    /// Denies a call by conditions in Datalog that fail regardless of the rest of the token; `None` if there
    /// are no such conditions.
    fn fails_by_itself(
        &self,
        explainer: &mut Explainer<'_>,
        explanation: &mut Explanation<'_>,
        code: &Code,
    ) -> Result<Option<Denial>, Spent> {
        let typed = self.conditions.typed.as_ref();
        if typed.is_none() {
            let grants = grants(code);
            if explanation.whole_bodies(explainer, code, 0, &grants)? {
                return Ok(Some(no_grant(explainer, code, &grants)));
            }
        }
        let mut found = None;
        for (block, place, check) in checks(code) {
            let is_left = typed.is_none_or(|typed| typed.is_other(block, place));
            // Typed checks and limits have passed by now, and a `check all` depends on every match.
            if !is_left || check.kind != Kind::One || datalog::limit(code, check).is_some() {
                continue;
            }
            match explanation.whole_bodies(explainer, code, block, code.queries(check)) {
                Ok(true) => found = Some(Denial::Caveat),
                Ok(false) => {}
                Err(Spent) if found.is_some() => {
                    explanation.cut_off();
                    break;
                }
                Err(Spent) => return Err(Spent),
            }
        }
        Ok(found)
    }

    /// Makes an explainer with steps for this call. A long call takes longer to decide, so it may also take
    /// longer to explain.
    fn explainer(&self) -> Explainer<'c> {
        let steps = self.verifier.limits.explain;
        let steps = steps.saturating_add(self.call.bytes as u64);
        Explainer::new(self.comparison(), Steps::new(steps))
    }

    fn explanation(&self) -> Explanation<'c> {
        Explanation::new(&self.token.identity)
    }
}

/// The denial of a call that none of these grants in Datalog allows.
fn no_grant(explainer: &Explainer<'_>, code: &Code, grants: &[Query]) -> Denial {
    let is_for_this_service = |grant| explainer.may_be_for_this_service(code, grant);
    match grants.iter().any(is_for_this_service) {
        true => Denial::NoGrant,
        false => Denial::WrongService,
    }
}

/// The checks of all blocks, each with the number of its block and its position in that block.
fn checks(code: &Code) -> impl Iterator<Item = (usize, usize, &Check)> {
    let blocks = code.blocks.iter().enumerate();
    blocks.flat_map(|(block, content)| {
        let checks = code.checks(content).iter().enumerate();
        checks.map(move |(place, check)| (block, place, check))
    })
}

/// The bodies of the grants.
fn grants(code: &Code) -> Vec<Query> {
    let authority = code.blocks.first();
    let rules = authority.map_or(&[][..], |block| code.rules(block));
    rules.iter().map(|rule| rule.query).collect()
}
