//! The evaluator of Biscuit Datalog 3.0 to 3.3, bounded by fuel that every loop spends.
//!
//! Blocks are compiled once ([`Program`]), together with a host's own Datalog ([`Authorizer`]). An evaluation takes
//! facts that the host states and a [`Budget`] of fuel and memory, and returns an [`Outcome`], which is a function of
//! this input alone. An evaluation reads no clock, iterates over no hash map, and does not recurse on anything that
//! input could nest deeply.
//!
//! A host that decides many calls with one token compiles its own Datalog once ([`Base`]), names the predicates whose
//! facts it will state ([`Known`]), and states them in a [`World`]. For other predicates it need not state facts: it
//! answers when a body asks for one ([`Answers`]).

mod answers;
mod authorize;
mod authorizer;
mod compile;
mod edge;
mod error;
mod expression;
mod facts;
mod fuel;
mod join;
mod operators;
mod origin;
mod outcome;
mod program;
mod regex;
mod rows;
mod search;
mod source;
mod symbol;
mod term;
#[cfg(test)]
mod tests;
mod text;
mod world;

pub use answers::{Answers, Question};
pub use authorizer::Authorizer;
pub use compile::{Base, Keep};
pub use error::{Error, Fault};
pub use fuel::{Budget, DEFAULT_FUEL, DEFAULT_MEMORY, Stop};
pub use operators::{Extern, Externs};
pub use origin::{MAX_BLOCKS, Place};
pub use outcome::{FailedCheck, Matched, Outcome};
pub use program::Program;
pub use search::contains_within;
pub use source::{Policy, Source};
pub use symbol::{Known, KnownPlace, MAX_KNOWN};
pub use term::{Span, Term};
pub use text::{MAX_NESTING, MAX_OPERATORS, MAX_POLICY_BYTES};
pub use world::{Scratch, World};

use compile::REVOCATION_ID;
pub(crate) use compile::heads;

use crate::datalog::Predicate;

/// An evaluation's outcome and its cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burnt {
    /// The outcome of the evaluation.
    pub outcome: Outcome,
    /// Units of fuel spent.
    pub fuel: u64,
    /// Maximum number of bytes held at one time.
    pub memory: usize,
}

/// An evaluation's outcome, its cost, and its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The outcome of the evaluation.
    pub outcome: Outcome,
    /// Units of fuel spent.
    pub burnt: u64,
    /// Every fact present at the end, including derived ones, each with the places that it depends on. The list is
    /// incomplete if the evaluation ended early.
    pub facts: Vec<(Vec<Place>, Predicate)>,
}

impl Program {
    /// Evaluates a program without facts from the host.
    #[must_use]
    pub fn burn(&self, externs: &Externs, budget: impl Into<Budget>) -> Burnt {
        self.burnt(externs, budget.into(), &[]).0
    }

    /// Evaluates a program, with a fact `revocation_id($block, $bytes)` for each of the given ids.
    pub(crate) fn decide(
        &self,
        externs: &Externs,
        budget: Budget,
        ids: &[(usize, Vec<u8>)],
    ) -> Outcome {
        self.burnt(externs, budget, ids).0.outcome
    }

    /// Evaluates a program without facts from the host, and returns all facts as well. Copying the facts is not
    /// charged; only their number and size bound its cost.
    #[must_use]
    pub fn evaluate(&self, externs: &Externs, budget: impl Into<Budget>) -> Evaluation {
        let (burnt, world) = self.burnt(externs, budget.into(), &[]);
        Evaluation {
            outcome: burnt.outcome,
            burnt: burnt.fuel,
            facts: world.facts(),
        }
    }

    fn burnt<'p>(
        &'p self,
        externs: &'p Externs,
        budget: Budget,
        ids: &[(usize, Vec<u8>)],
    ) -> (Burnt, World<'p>) {
        let mut world = World::new(self, externs, budget);
        // Facts come first: rules that had already run would miss them.
        let outcome = match state_revocation_ids(&mut world, ids) {
            Ok(()) => world.authorize(),
            Err(stop) => stop.into(),
        };
        let burnt = Burnt {
            outcome,
            fuel: budget.fuel.saturating_sub(world.fuel.left()),
            memory: budget.memory.saturating_sub(world.fuel.least_room()),
        };
        (burnt, world)
    }
}

fn state_revocation_ids(world: &mut World<'_>, ids: &[(usize, Vec<u8>)]) -> Result<(), Stop> {
    for (block, id) in ids {
        // Never saturates: a container has far fewer blocks.
        let block = i64::try_from(*block).unwrap_or(i64::MAX);
        world.state(REVOCATION_ID, |world| {
            Ok([Term::Integer(block), world.bytes(id)?])
        })?;
    }
    Ok(())
}
