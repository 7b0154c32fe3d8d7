//! The builder of an explanation, which adds conditions until one of its budgets is spent.

use std::sync::Arc;

use bailiwick_biscuit::datalog::{
    Code, Kind,
    code::{Check, Query},
};
use bailiwick_token::{datalog, escape::name, grant::Pattern};

use crate::{
    compare::{Alternative, ExplainedVerdict, Explainer, Spent, unknown},
    decision::Deny,
    denial::Denial,
    excerpt::{MAX_SHOWN_NAME, MAX_VALUE, beginning},
    explain::{MAX_EXPLANATION, Refusal, UnmetCondition},
    identity::Identity,
};

/// Maximum weight of a check in Datalog that is shown, as counted by [`Code::weight`].
const MAX_CHECK: usize = 512;

/// Number of steps for each unit of weight.
const PER_WEIGHT: usize = 4;

/// Maximum number of services and actions to list for a block that allows only others.
const MAX_OFFERED: usize = 8;

/// An explanation that is being built.
pub(crate) struct Explanation<'c> {
    identity: &'c Arc<Identity>,
    refusals: Vec<Refusal>,
    /// Number of bytes of sentences that may still be added.
    bytes: usize,
    cut_off: bool,
}

impl<'c> Explanation<'c> {
    pub(crate) fn new(identity: &'c Arc<Identity>) -> Explanation<'c> {
        Explanation {
            identity,
            refusals: Vec::new(),
            bytes: MAX_EXPLANATION,
            cut_off: false,
        }
    }

    /// Explains typed grants or a typed scope. For each alternative for this service and action, this adds the
    /// condition that the call does not meet. If there is no such alternative, it adds the services and actions
    /// that the block allows.
    pub(crate) fn scope(
        &mut self,
        explainer: &mut Explainer<'_>,
        block: usize,
        alternatives: &[Alternative],
    ) -> Result<(), Spent> {
        let begun = self.refusals.len();
        for (index, alternative) in alternatives.iter().enumerate() {
            if let ExplainedVerdict::Unmet(condition) = explainer.with(alternative)? {
                self.add(block, Some(index), condition)?;
            }
        }
        if self.refusals.len() == begun {
            let offered = alternatives
                .iter()
                .take(MAX_OFFERED)
                .map(|alternative| offer(&alternative.service, &alternative.action));
            self.elsewhere(block, offered.collect(), alternatives.len())?;
        }
        Ok(())
    }

    /// Explains grants or a scope in Datalog, as [`Explanation::scope`] does. Returns true if they certainly
    /// refuse the call. The result is false if an alternative cannot be read, or if the call meets all readable
    /// conditions of one.
    pub(crate) fn bodies(
        &mut self,
        explainer: &mut Explainer<'_>,
        code: &Code,
        block: usize,
        alternatives: &[Query],
    ) -> Result<bool, Spent> {
        let begun = self.refusals.len();
        let mut refuses = true;
        for (index, body) in alternatives.iter().enumerate() {
            match explainer.with_body(code, body)? {
                ExplainedVerdict::Elsewhere => {}
                ExplainedVerdict::Unmet(condition) => self.add(block, Some(index), condition)?,
                ExplainedVerdict::Met | ExplainedVerdict::Datalog => refuses = false,
            }
        }
        if refuses && self.refusals.len() == begun {
            let mut offered = Vec::new();
            for body in alternatives.iter().take(MAX_OFFERED) {
                offered.push(match explainer.read(code, body)? {
                    Some(grant) => offer(&grant.service, &grant.action),
                    None => "a grant in Datalog".to_owned(),
                });
            }
            self.elsewhere(block, offered, alternatives.len())?;
        }
        Ok(refuses)
    }

    /// Like [`Explanation::bodies`], but adds nothing for a scope that may allow the call or that could not be
    /// examined completely.
    pub(crate) fn whole_bodies(
        &mut self,
        explainer: &mut Explainer<'_>,
        code: &Code,
        block: usize,
        alternatives: &[Query],
    ) -> Result<bool, Spent> {
        let begun = (self.refusals.len(), self.bytes);
        let refuses = self.bodies(explainer, code, block, alternatives);
        if refuses != Ok(true) {
            self.take_back(begun);
        }
        refuses
    }

    /// Explains checks in Datalog that failed, each with the number of its block.
    pub(crate) fn checks(
        &mut self,
        explainer: &mut Explainer<'_>,
        code: &Code,
        checks: &[(usize, &Check)],
    ) -> Result<(), Spent> {
        for (block, check) in checks {
            let begun = (self.refusals.len(), self.bytes);
            let is_scope = check.kind == Kind::One && datalog::limit(code, check).is_none();
            if !is_scope || !self.bodies(explainer, code, *block, code.queries(check))? {
                self.take_back(begun);
                self.datalog(explainer, code, *block, check)?;
            }
        }
        Ok(())
    }

    /// Explains a check that does not correspond to a condition of the profile.
    fn datalog(
        &mut self,
        explainer: &mut Explainer<'_>,
        code: &Code,
        block: usize,
        check: &Check,
    ) -> Result<(), Spent> {
        let weights = code.queries(check).iter().map(|query| code.weight(query));
        let weight = weights.fold(1, usize::saturating_add);
        // A condition that is newer than this verifier explains more than the check around it.
        explainer.steps.take(weight)?;
        let mut queries = code.queries(check).iter();
        if let Some(condition) = queries.find_map(|query| unknown(code, query)) {
            return self.add(block, None, condition);
        }
        let text = match weight <= MAX_CHECK {
            true => {
                explainer.steps.take(weight.saturating_mul(PER_WEIGHT))?;
                let text = code.resolve_check(check).to_string();
                Some(beginning(text, MAX_VALUE))
            }
            false => None,
        };
        self.add(block, None, UnmetCondition::Datalog { text })
    }

    /// Explains a block that allows nothing for this service and action.
    fn elsewhere(
        &mut self,
        block: usize,
        offered: Vec<String>,
        alternatives: usize,
    ) -> Result<(), Spent> {
        let further = alternatives.saturating_sub(MAX_OFFERED);
        self.add(
            block,
            None,
            UnmetCondition::NoAlternative { offered, further },
        )
    }

    pub(crate) fn add(
        &mut self,
        block: usize,
        alternative: Option<usize>,
        condition: UnmetCondition,
    ) -> Result<(), Spent> {
        let refusal = Refusal {
            block,
            delegate: self.identity.delegate(block),
            alternative,
            condition,
        };
        self.bytes = self.bytes.checked_sub(refusal.size()).ok_or(Spent)?;
        self.refusals.push(refusal);
        Ok(())
    }

    /// Restores an earlier state of the explanation, given by its number of refusals and of free bytes.
    fn take_back(&mut self, (refusals, bytes): (usize, usize)) {
        self.refusals.truncate(refusals);
        self.bytes = bytes;
    }

    /// Marks the explanation as incomplete.
    pub(crate) fn cut_off(&mut self) {
        self.cut_off = true;
    }

    pub(crate) fn ended(mut self, explained: Result<(), Spent>) -> Explanation<'c> {
        self.cut_off |= explained.is_err();
        self
    }

    pub(crate) fn deny(self, denial: Denial) -> Deny {
        Deny {
            refusals: self.refusals,
            cut_off: self.cut_off,
            ..Deny::of(self.identity, denial)
        }
    }
}

/// Names a service and an action that a block allows.
fn offer(service: &str, action: &Pattern) -> String {
    let action = action.to_string();
    let offer = format!("{} {}", name(service), name(&action));
    beginning(offer, MAX_SHOWN_NAME)
}
