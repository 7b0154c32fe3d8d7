//! Which conditions refuse a call, and the denial that they make.

use std::sync::Arc;

use bailiwick_token::{
    datalog::{CheckMeaning, Code, Limit, code::Check, describe_check},
    escape::name,
    grant::Grant,
    timestamp::Timestamp,
    token::Token,
};

use crate::{
    admit::Refused,
    decision::{Decision, Deny, Reason},
    engine::{GRANTED, Matched},
    evaluate::first_failure,
    explain::{Condition, Refusal},
    request::Statement,
    verifier::Verifier,
    verify::Verified,
};

/// What a token says in the terms of the profile, read again for an explanation.
pub(crate) struct Reading {
    token: Option<Token>,
    pub(crate) grants: Vec<Option<Grant>>,
}

impl Reading {
    pub(crate) fn of(verified: &Verified) -> Reading {
        let token = verified.source.token();
        let grants = token.as_ref().map_or_else(Vec::new, |token| {
            let code = token.code();
            let authority = code.blocks.first();
            let rules = authority.map_or(&[][..], |block| code.rules(block));
            rules.iter().map(|rule| code.grant(rule)).collect()
        });
        Reading { token, grants }
    }

    /// The checks of each block.
    fn checks(&self) -> impl Iterator<Item = (usize, usize, &Code, &Check)> {
        let code = self.token.iter().map(Token::code);
        code.flat_map(|code| {
            let blocks = code.blocks.iter().enumerate();
            blocks.flat_map(move |(block, content)| {
                let checks = code.checks(content).iter().enumerate();
                checks.map(move |(place, check)| (block, place, code, check))
            })
        })
    }
}

impl Verifier {
    /// Every condition that refuses the call. `failed` names the checks that did not hold, where it is known.
    pub(crate) fn refusals(
        &self,
        token: &Verified,
        reading: &Reading,
        call: &Statement<'_>,
        now: Timestamp,
        granted: bool,
        failed: Option<&[(usize, usize)]>,
    ) -> Vec<(Reason, Refusal)> {
        let mut refusals = Vec::new();
        if !granted {
            let grants: Vec<&Grant> = reading.grants.iter().flatten().collect();
            let reason = match grants.iter().any(|grant| grant.service == self.service)
                || grants.len() < reading.grants.len()
            {
                true => Reason::NoGrant,
                false => Reason::WrongService,
            };
            self.scope(token, 0, &grants, call, reason, &mut refusals);
        }
        for (block, place, code, check) in reading.checks() {
            if failed.is_some_and(|failed| !failed.contains(&(block, place))) {
                continue;
            }
            let (reason, condition) = match code.meaning(check) {
                CheckMeaning::NotBefore(needed) if now < needed => (
                    Reason::NotYetValid,
                    Condition::NotBefore { needed, found: now },
                ),
                CheckMeaning::Expires(needed) if now >= needed => {
                    (Reason::Expired, Condition::Expires { needed, found: now })
                }
                CheckMeaning::MaxDepth(needed) => {
                    let found = token.depth;
                    if u32::try_from(found).is_ok_and(|found| found <= needed) {
                        continue;
                    }
                    (Reason::Depth, Condition::Depth { found, needed })
                }
                CheckMeaning::Scope(grants) => {
                    let grants: Vec<&Grant> = grants.iter().collect();
                    self.scope(token, block, &grants, call, Reason::Caveat, &mut refusals);
                    continue;
                }
                CheckMeaning::Datalog if failed.is_some() => {
                    let text = describe_check(&code.resolve_check(check));
                    let text = text.chars().take(MAX_CHECK).collect();
                    (Reason::Caveat, Condition::Datalog { text })
                }
                _ => continue,
            };
            let refusal = Refusal {
                block,
                delegate: token.delegate(block),
                alternative: None,
                condition,
            };
            refusals.push((reason, refusal));
        }
        refusals
    }

    /// For one block's grants or scope: each alternative for this service and action with the
    /// first condition that fails, or what the block allows instead. Nothing, where one allows the call.
    fn scope(
        &self,
        token: &Verified,
        block: usize,
        grants: &[&Grant],
        call: &Statement<'_>,
        reason: Reason,
        refusals: &mut Vec<(Reason, Refusal)>,
    ) {
        let failures: Vec<Option<Condition>> = grants
            .iter()
            .map(|grant| first_failure(grant, &self.service, call))
            .collect();
        if failures.iter().any(Option::is_none) && block > 0 {
            return;
        }
        let elsewhere = |condition: &Condition| {
            matches!(
                condition,
                Condition::Service { .. } | Condition::Action { .. }
            )
        };
        let here = failures.into_iter().enumerate();
        let mut here: Vec<(Option<usize>, Condition)> = here
            .filter_map(|(index, condition)| condition.map(|condition| (Some(index), condition)))
            .filter(|(_, condition)| !elsewhere(condition))
            .collect();
        if here.is_empty() {
            let offered = grants
                .iter()
                .map(|grant| {
                    format!(
                        "{} {}",
                        name(&grant.service),
                        name(&grant.action.to_string())
                    )
                })
                .collect();
            here.push((None, Condition::NoAlternative { offered }));
        }
        let delegate = token.delegate(block);
        refusals.extend(here.into_iter().map(|(alternative, condition)| {
            (
                reason,
                Refusal {
                    block,
                    delegate: delegate.clone(),
                    alternative,
                    condition,
                },
            )
        }));
    }
}

/// The most characters that are kept of a check in Datalog; an explanation shows fewer.
const MAX_CHECK: usize = 512;

/// The denial by the service's own policy: which part of it, and not what it says, which is the
/// service's affair.
pub(crate) fn policy(policy: Option<Matched>, own: &[usize]) -> Refused {
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

/// The denial of a token that has ended or does not hold yet, whatever the call. [`PRECEDENCE`] puts
/// both first, so a decision says the same.
pub(crate) fn out_of_time(token: &Verified, now: Timestamp) -> Option<Deny> {
    let reason = if now < token.begins {
        Reason::NotYetValid
    } else if now >= token.expires {
        Reason::Expired
    } else {
        return None;
    };
    let reading = Reading::of(token);
    let refusals = reading.checks().filter_map(|(block, _, code, check)| {
        let (reason, condition) = match code.limit(check)? {
            Limit::NotBefore(needed) if now < needed => (
                Reason::NotYetValid,
                Condition::NotBefore { needed, found: now },
            ),
            Limit::Expires(needed) if now >= needed => {
                (Reason::Expired, Condition::Expires { needed, found: now })
            }
            _ => return None,
        };
        let refusal = Refusal {
            block,
            delegate: token.delegate(block),
            alternative: None,
            condition,
        };
        Some((reason, refusal))
    });
    let otherwise = (reason, summary(reason).to_owned());
    Some(denial(token, refusals.collect(), otherwise))
}

/// The decision that these refusals make.
pub(crate) fn deny(
    token: &Verified,
    refusals: Vec<(Reason, Refusal)>,
    otherwise: Refused,
) -> Decision {
    Decision::Deny(denial(token, refusals, otherwise))
}

/// The denial that these refusals make: the first of them in the order of [`PRECEDENCE`] names it.
fn denial(token: &Verified, refusals: Vec<(Reason, Refusal)>, otherwise: Refused) -> Deny {
    let reason = PRECEDENCE
        .iter()
        .find(|reason| refusals.iter().any(|(found, _)| found == *reason));
    let (reason, detail) = match reason {
        None => otherwise,
        Some(reason) => (*reason, summary(*reason).to_owned()),
    };
    let refusals = refusals
        .into_iter()
        .filter(|(found, _)| *found == reason)
        .map(|(_, refusal)| refusal);
    Deny {
        reason,
        detail,
        identity: Some(Arc::clone(&token.identity)),
        refusals: refusals.collect(),
    }
}

/// Which reason is told where several hold: what no other request could mend comes first.
const PRECEDENCE: [Reason; 6] = [
    Reason::NotYetValid,
    Reason::Expired,
    Reason::Depth,
    Reason::WrongService,
    Reason::NoGrant,
    Reason::Caveat,
];

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
