//! An explanation in the making: conditions are added until one of its budgets is spent.

use std::sync::Arc;

use bailiwick_biscuit::datalog::{
    Code, Kind,
    code::{Check, Query},
};
use bailiwick_token::{
    datalog::{self, Limit},
    escape::name,
    timestamp::Timestamp,
};

use crate::{
    decision::{Deny, Reason},
    evaluate::{Alternative, Comparison, Spent},
    excerpt::{MAX_NAME, MAX_VALUE, beginning},
    explain::{Condition, MAX_EXPLANATION, Refusal},
    verify::Verified,
};

/// The most that is read of a check in Datalog to show it, as [`Code::weight`] counts.
const MAX_CHECK: usize = 512;

/// The steps for each of it: text is put together from its parts.
const PER_WEIGHT: usize = 4;

/// The most services and actions that are listed of a block that is for others.
const MAX_OFFERED: usize = 8;

/// An explanation in the making.
pub(super) struct Explanation<'c> {
    token: &'c Verified,
    now: Timestamp,
    refusals: Vec<Refusal>,
    /// The bytes of sentences that may still be added.
    bytes: usize,
    cut_off: bool,
}

impl<'c> Explanation<'c> {
    pub(super) fn new(token: &'c Verified, now: Timestamp) -> Explanation<'c> {
        Explanation {
            token,
            now,
            refusals: Vec::new(),
            bytes: MAX_EXPLANATION,
            cut_off: false,
        }
    }

    /// Explains the limits in time and depth that do not hold, those of the first reason.
    pub(super) fn limits(&mut self, code: &Code, checks: &[(usize, &Check)]) -> Option<Reason> {
        let failed: Vec<(usize, Reason, Condition)> = checks
            .iter()
            .filter_map(|(block, check)| {
                let (reason, condition) = self.limit(datalog::limit(code, check)?)?;
                Some((*block, reason, condition))
            })
            .collect();
        let reasons = [Reason::NotYetValid, Reason::Expired, Reason::Depth];
        let reason = reasons
            .into_iter()
            .find(|reason| failed.iter().any(|(_, found, _)| found == reason))?;
        for (block, found, condition) in failed {
            if found == reason && self.add(block, None, condition).is_err() {
                self.cut_off = true;
                break;
            }
        }
        Some(reason)
    }

    fn limit(&self, limit: Limit) -> Option<(Reason, Condition)> {
        let (now, depth) = (self.now, self.token.depth);
        match limit {
            Limit::NotBefore(needed) if now < needed => Some((
                Reason::NotYetValid,
                Condition::NotBefore { needed, found: now },
            )),
            Limit::Expires(needed) if now >= needed => {
                Some((Reason::Expired, Condition::Expires { needed, found: now }))
            }
            Limit::MaxDepth(needed)
                if u32::try_from(depth).map_or(true, |depth| depth > needed) =>
            {
                let found = depth;
                Some((Reason::Depth, Condition::Depth { found, needed }))
            }
            _ => None,
        }
    }

    /// Explains the checks of blocks, none of them a limit.
    pub(super) fn caveats(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
        checks: &[(usize, &Check)],
    ) -> Result<(), Spent> {
        for (block, check) in checks {
            let begun = (self.refusals.len(), self.bytes);
            let is_scope = check.kind == Kind::One && datalog::limit(code, check).is_none();
            if !is_scope || !self.scope(comparison, code, *block, code.queries(check))? {
                self.take_back(begun);
                self.datalog(comparison, code, *block, check)?;
            }
        }
        Ok(())
    }

    /// Explains a check that the profile has no words for.
    fn datalog(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
        block: usize,
        check: &Check,
    ) -> Result<(), Spent> {
        let weights = code.queries(check).iter().map(|query| code.weight(query));
        let weight = weights.fold(1, usize::saturating_add);
        let text = match weight <= MAX_CHECK {
            true => {
                comparison.budget.take(weight.saturating_mul(PER_WEIGHT))?;
                let text = code.resolve_check(check).to_string();
                Some(beginning(text, MAX_VALUE))
            }
            false => None,
        };
        self.add(block, None, Condition::Datalog { text })
    }

    /// Explains one block's grants or scope: each alternative for this service and action with the
    /// first condition that fails, or the ones for others. Returns whether that is why the call is
    /// refused: not where one is Datalog, or the call meets all that can be read of one.
    pub(super) fn scope(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
        block: usize,
        alternatives: &[Query],
    ) -> Result<bool, Spent> {
        let begun = self.refusals.len();
        let mut refuses = true;
        for (index, body) in alternatives.iter().enumerate() {
            match comparison.with(code, body)? {
                Alternative::Elsewhere => {}
                Alternative::Fails(condition) => self.add(block, Some(index), condition)?,
                Alternative::Met | Alternative::Datalog => refuses = false,
            }
        }
        if refuses && self.refusals.len() == begun {
            self.elsewhere(comparison, code, block, alternatives)?;
        }
        Ok(refuses)
    }

    fn elsewhere(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
        block: usize,
        alternatives: &[Query],
    ) -> Result<(), Spent> {
        let mut offered = Vec::new();
        for body in alternatives.iter().take(MAX_OFFERED) {
            offered.push(match comparison.read(code, body)? {
                Some(grant) => {
                    let action = grant.action.to_string();
                    let offer = format!("{} {}", name(&grant.service), name(&action));
                    beginning(offer, MAX_NAME)
                }
                None => "a grant in Datalog".to_owned(),
            });
        }
        let further = alternatives.len().saturating_sub(MAX_OFFERED);
        self.add(block, None, Condition::NoAlternative { offered, further })
    }

    /// The reason of conditions that do not hold, whatever else the token says; `None` where there
    /// are none.
    pub(super) fn fails_by_itself(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
    ) -> Result<Option<Reason>, Spent> {
        let checks = super::checks(code);
        if let Some(reason) = self.limits(code, &checks) {
            return Ok(Some(reason));
        }
        let grants = super::grants(code);
        if self.whole_scope(comparison, code, 0, &grants)? {
            return Ok(Some(comparison.reason(code, &grants)));
        }
        let mut found = None;
        for (block, check) in checks {
            if check.kind != Kind::One || datalog::limit(code, check).is_some() {
                continue;
            }
            match self.whole_scope(comparison, code, block, code.queries(check)) {
                Ok(true) => found = Some(Reason::Caveat),
                Ok(false) => {}
                Err(Spent) if found.is_some() => {
                    self.cut_off = true;
                    break;
                }
                Err(Spent) => return Err(Spent),
            }
        }
        Ok(found)
    }

    /// As [`Explanation::scope`], and nothing is explained of a scope that may allow the call, or that
    /// is not looked at to its end.
    fn whole_scope(
        &mut self,
        comparison: &mut Comparison<'_>,
        code: &Code,
        block: usize,
        alternatives: &[Query],
    ) -> Result<bool, Spent> {
        let begun = (self.refusals.len(), self.bytes);
        let refuses = self.scope(comparison, code, block, alternatives);
        if refuses != Ok(true) {
            self.take_back(begun);
        }
        refuses
    }

    fn add(
        &mut self,
        block: usize,
        alternative: Option<usize>,
        condition: Condition,
    ) -> Result<(), Spent> {
        let refusal = Refusal {
            block,
            delegate: self.token.delegate(block),
            alternative,
            condition,
        };
        self.bytes = self.bytes.checked_sub(refusal.size()).ok_or(Spent)?;
        self.refusals.push(refusal);
        Ok(())
    }

    /// Goes back to these lengths: what was added since is not shown, and takes no room.
    fn take_back(&mut self, (refusals, bytes): (usize, usize)) {
        self.refusals.truncate(refusals);
        self.bytes = bytes;
    }

    pub(super) fn ended(mut self, explained: Result<(), Spent>) -> Explanation<'c> {
        self.cut_off |= explained.is_err();
        self
    }

    pub(super) fn deny(self, reason: Reason) -> Deny {
        self.deny_with(reason, super::summary(reason))
    }

    pub(super) fn deny_with(self, reason: Reason, detail: &str) -> Deny {
        Deny {
            identity: Some(Arc::clone(&self.token.identity)),
            refusals: self.refusals,
            cut_off: self.cut_off,
            ..Deny::new(reason, detail)
        }
    }
}
