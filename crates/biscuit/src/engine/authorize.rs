//! Whether a call is allowed: checks and policies over all facts.

use super::{
    error::{Error, Place},
    fuel::Stop,
    program::{Body, Check},
    run::World,
};
use crate::datalog::Kind;

/// What an evaluation came to: the same on every run with the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This allow policy matched, and every check held.
    Allow {
        /// Its place among the policies.
        policy: usize,
    },
    /// Nothing allowed it, or a check failed.
    Deny {
        /// The policy that matched, where one did.
        policy: Option<Matched>,
        /// The checks that failed, in the order in which they were looked at.
        failed: Vec<FailedCheck>,
    },
    /// An operation failed, and with it everything.
    Error(Error),
    /// It takes more fuel than given.
    OutOfFuel,
    /// It holds more memory than given.
    OutOfMemory,
}

/// The policy that matched first, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// `allow if`
    Allow(usize),
    /// `deny if`
    Deny(usize),
}

/// A check that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedCheck {
    /// Whose check it is.
    pub place: Place,
    /// Its place among the checks of its block.
    pub check: usize,
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::OutOfFuel => Outcome::OutOfFuel,
            Stop::OutOfMemory => Outcome::OutOfMemory,
            Stop::Error(error) => Outcome::Error(*error),
        }
    }
}

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
