//! Biscuit Datalog 3.0 to 3.3, bounded by fuel that every loop spends.
//!
//! Blocks are compiled once ([`Program`]), with the verifier's own Datalog ([`Authorizer`]). An
//! evaluation takes the facts of one call and a [`Budget`] of fuel and memory, and answers an
//! [`Outcome`]: a function of its input, on every run. It looks at no clock, iterates over no hash map,
//! and recurses on nothing that input could make deep.

use std::cell::Cell;

use bailiwick_token::timestamp::Timestamp;

use crate::request::Statement;

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
mod program;
mod regex;
mod run;
mod search;
mod symbol;
mod term;
#[cfg(test)]
mod tests;
mod text;

pub use authorize::{FailedCheck, Matched, Outcome};
pub use authorizer::Authorizer;
pub use error::{Error, Fault, Place};
pub use facts::MAX_BLOCKS;
pub use fuel::{Budget, DEFAULT_FUEL, DEFAULT_MEMORY};
pub use operators::{Extern, Externs};
pub use program::Program;
pub use text::{MAX_NESTING, MAX_OPERATORS, MAX_POLICY_BYTES};

pub(crate) use authorizer::{Draft, GRANTED, Misuse};
pub(crate) use compile::{Base, Keep, heads};
pub(crate) use fuel::Stop;
use run::Scratch;
pub(crate) use run::World;
pub(crate) use symbol::Known;
pub(crate) use term::Term;

/// A call that takes more units than this to state is a long one.
const LONG_CALL: u64 = 250;

/// For each unit beyond that, so much fuel is granted on top: a condition on an array looks at each
/// element, and a long call is dear to read in the first place.
const FUEL_PER_STATED: u64 = 8;

thread_local! {
    /// The memory of the last evaluation on this thread.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// The budget of one decision of the profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) budget: Budget,
    /// The most fuel that a long call is granted on top.
    pub(crate) long_call: u64,
}

/// Decides one call of the profile. Answers also which of the token's rules grants it, where one does.
pub(crate) fn evaluate(
    program: &Program,
    call: &Statement<'_>,
    service: &str,
    depth: usize,
    now: Timestamp,
    allowance: Allowance,
) -> (Outcome, Option<usize>) {
    let externs = Externs::default();
    // The call's own limits bound what it takes to state it.
    let stating = Budget {
        fuel: u64::MAX,
        ..allowance.budget
    };
    let mut world = World::within(program, &externs, stating, SCRATCH.take());
    let outcome = match call.state_in(&mut world, service, depth, now) {
        Err(stop) => stop.into(),
        Ok(()) => {
            let stated = u64::MAX.saturating_sub(world.fuel.left());
            let beyond = stated.saturating_sub(LONG_CALL);
            let granted = beyond
                .saturating_mul(FUEL_PER_STATED)
                .min(allowance.long_call);
            world
                .fuel
                .refill(allowance.budget.fuel.saturating_add(granted));
            world.authorize()
        }
    };
    let rule = world.granted.map(|rule| rule as usize);
    let rule = rule.and_then(|rule| rule.checked_sub(program.own_rules));
    let scratch = world.into_scratch();
    if scratch.is_small() {
        SCRATCH.set(scratch);
    }
    (outcome, rule)
}

/// An evaluation's outcome and its cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burnt {
    /// The outcome.
    pub outcome: Outcome,
    /// Units of fuel that it burnt.
    pub fuel: u64,
    /// The most bytes that it held at one time.
    pub memory: usize,
}

/// The same, and what there is to see after the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// What it came to.
    pub outcome: Outcome,
    /// Units of fuel that it burnt.
    pub burnt: u64,
    /// Every fact as text, with the places it rests on, after the rules; where it got so far.
    pub facts: Vec<(Vec<Place>, String)>,
}

impl Program {
    /// Evaluates a program that needs no request.
    #[must_use]
    pub fn burn(&self, externs: &Externs, budget: impl Into<Budget>) -> Burnt {
        self.burnt(externs, budget.into(), &[]).0
    }

    /// Decides with the fact `revocation_id($block, $bytes)` for each of these ids.
    pub(crate) fn decide(
        &self,
        externs: &Externs,
        budget: Budget,
        ids: &[(usize, Vec<u8>)],
    ) -> Outcome {
        self.burnt(externs, budget, ids).0.outcome
    }

    /// Evaluates a program that needs no request, and says all that is known of it. To write its facts
    /// as text is no part of the evaluation, and bounded by nothing but them.
    #[must_use]
    pub fn evaluate(&self, externs: &Externs, budget: impl Into<Budget>) -> Evaluation {
        let (burnt, world) = self.burnt(externs, budget.into(), &[]);
        Evaluation {
            outcome: burnt.outcome,
            burnt: burnt.fuel,
            facts: world.print(),
        }
    }

    fn burnt<'p>(
        &'p self,
        externs: &'p Externs,
        budget: Budget,
        ids: &[(usize, Vec<u8>)],
    ) -> (Burnt, World<'p>) {
        let mut world = World::new(self, externs, budget);
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
        let block = i64::try_from(*block).unwrap_or(i64::MAX);
        world.state(Known::RevocationId, |world| {
            Ok([Term::Integer(block), world.bytes(id)?])
        })?;
    }
    Ok(())
}
