//! Whether a call is allowed: checks and policies over all facts.

use super::{
    fuel::Stop,
    origin::Place,
    outcome::{FailedCheck, Matched, Outcome},
    program::{Body, Check},
    run::World,
};
use crate::datalog::Kind;

impl World<'_> {
    /// Runs rules, checks and policies.
    pub fn authorize(&mut self) -> Outcome {
        self.run().unwrap_or_else(Outcome::from)
    }

    fn run(&mut self) -> Result<Outcome, Stop> {
        self.fuel.hold(self.program.held)?;
        self.rules()?;
        self.decide()
    }

    /// Whether a query has a match.
    fn matches(&mut self, body: &Body) -> Result<bool, Stop> {
        self.start(body)?;
        self.next_match(body)
    }

    /// Whether a query has matches of its predicates, and its tests hold for each.
    fn all_match(&mut self, body: &Body) -> Result<bool, Stop> {
        self.start(body)?;
        let mut found = false;
        while self.next_binding(body)? {
            found = true;
            if !self.tests(body)? {
                return Ok(false);
            }
        }
        Ok(found)
    }

    /// The host's checks and the authority block's, the policies, and the checks of the others.
    fn decide(&mut self) -> Result<Outcome, Stop> {
        let program = self.program;
        let mut failed = Vec::new();
        let (early, late) = program
            .checks
            .split_at_checked(program.early)
            .unwrap_or_default();
        self.checks(early, &mut failed)?;
        let policy = self.policy()?;
        self.checks(late, &mut failed)?;
        Ok(match policy {
            Some(Matched::Allow(policy)) if failed.is_empty() => Outcome::Allow { policy },
            policy => Outcome::Deny { policy, failed },
        })
    }

    fn checks(&mut self, checks: &[Check], failed: &mut Vec<FailedCheck>) -> Result<(), Stop> {
        for check in checks {
            if !self.holds(check)? {
                failed.push(FailedCheck {
                    place: check.owner.place(),
                    check: check.index as usize,
                });
            }
        }
        Ok(())
    }

    fn holds(&mut self, check: &Check) -> Result<bool, Stop> {
        for query in self.program.queries(check.queries) {
            let decided = match check.kind {
                Kind::One if self.matches(query)? => {
                    if self.granted.is_none() && check.owner.place() == Place::Authorizer {
                        self.granted = self.source(query);
                    }
                    Some(true)
                }
                Kind::One => None,
                Kind::All => self.all_match(query)?.then_some(true),
                Kind::Reject => self.matches(query)?.then_some(false),
            };
            if let Some(holds) = decided {
                return Ok(holds);
            }
        }
        Ok(check.kind == Kind::Reject)
    }

    /// The rule that derived the last fact that a body has just matched.
    fn source(&self, body: &Body) -> Option<u32> {
        let scan = self.program.scans(body).last()?;
        self.facts.rule(scan.relation, self.join.last_row()?)
    }

    fn policy(&mut self) -> Result<Option<Matched>, Stop> {
        for (index, policy) in self.program.policies.iter().enumerate() {
            for query in self.program.queries(policy.queries) {
                if self.matches(query)? {
                    return Ok(Some(match policy.allow {
                        true => Matched::Allow(index),
                        false => Matched::Deny(index),
                    }));
                }
            }
        }
        Ok(None)
    }
}
