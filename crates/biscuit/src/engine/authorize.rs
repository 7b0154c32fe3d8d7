//! The decision: checks and policies over all facts.

use super::{
    fuel::Stop,
    origin::Place,
    outcome::{FailedCheck, Matched, Outcome},
    program::{Body, Check},
    world::World,
};
use crate::datalog::Kind;

impl World<'_> {
    /// Runs the rules, then the checks and policies.
    pub fn authorize(&mut self) -> Outcome {
        self.run().unwrap_or_else(Outcome::from)
    }

    fn run(&mut self) -> Result<Outcome, Stop> {
        // The program counts as memory that is held, so that a large token has less memory to work in.
        self.fuel.hold(self.program.held)?;
        self.rules()?;
        self.decide()
    }

    /// Returns true if a query has a match.
    fn matches(&mut self, body: &Body) -> Result<bool, Stop> {
        self.start(body)?;
        self.next_match(body)
    }

    /// Returns true if the predicates of a query have at least one match, and its tests hold for every match.
    fn all_match(&mut self, body: &Body) -> Result<bool, Stop> {
        self.start(body)?;
        // Without a match `check all` fails (Biscuit specification): an absent fact must not satisfy it.
        let mut found = false;
        while self.next_binding(body)? {
            found = true;
            if !self.tests(body)? {
                return Ok(false);
            }
        }
        Ok(found)
    }

    /// Evaluates the checks of the host and of the authority block, then the policies, then the checks of the
    /// other blocks.
    fn decide(&mut self) -> Result<Outcome, Stop> {
        let program = self.program;
        let mut failed = Vec::new();
        // The index is in range, because the compiler counted. A wrong count would move a check, but lose none.
        let early = program.early.min(program.checks.len());
        let (early, late) = program.checks.split_at(early);
        // A failed check does not end the evaluation, because a denial names every check that fails. An error
        // does, so the order decides which of several errors is reported. It is the order of the reference
        // implementation.
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
                    // The match is still in the join; the next search would overwrite it.
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

    /// Returns the rule that derived the fact of a body's last match. The body must have just matched.
    fn source(&self, body: &Body) -> Option<u32> {
        let scan = self.program.scans(body).last()?;
        self.facts.rule(scan.relation, self.join.last_row()?)
    }

    fn policy(&mut self) -> Result<Option<Matched>, Stop> {
        // The first policy that matches decides, so later ones are not evaluated.
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
