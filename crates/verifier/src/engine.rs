//! Biscuit Datalog 3.0 to 3.3, bounded by fuel that every loop spends.
//!
//! Blocks are compiled once ([`Program`]), with the verifier's own Datalog ([`Authorizer`]). An
//! evaluation takes the facts of one call and the fuel it may burn, and answers an [`Outcome`]: a
//! function of its input, on every run. It looks at no clock, iterates over no hash map, and
//! recurses on nothing that input could make deep.

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
mod symbol;
mod term;
#[cfg(test)]
mod tests;
mod text;

pub use authorize::{FailedCheck, Matched, Outcome};
pub use authorizer::Authorizer;
pub use error::{Error, Fault, Place};
pub use facts::MAX_BLOCKS;
pub use operators::{Extern, Externs};
pub use program::Program;
pub use text::{MAX_NESTING, MAX_OPERATORS, MAX_POLICY_BYTES};

pub(crate) use authorizer::{Draft, GRANTED, Misuse};
pub(crate) use compile::{Base, Keep, heads};
pub(crate) use fuel::{Fuel, Stop};
use run::Scratch;
pub(crate) use run::World;
pub(crate) use symbol::Known;
pub(crate) use term::Term;

/// A call that takes more than this to state is a long one.
const LONG_CALL: u64 = 250;

/// For each unit beyond that, so much fuel is granted on top: a condition on an array looks at each
/// element, and a long call is dear to read in the first place.
const FUEL_PER_STATED: u64 = 8;

thread_local! {
    /// The memory of the last evaluation on this thread.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Decides one call of the profile. Answers also which of the token's rules grants it, where one does.
pub(crate) fn evaluate(
    program: &Program,
    call: &Statement<'_>,
    service: &str,
    depth: usize,
    now: Timestamp,
    fuel: u64,
) -> (Outcome, Option<usize>) {
    let externs = Externs::default();
    // The call's own limits bound what it takes to state it.
    let mut world = World::within(program, &externs, u64::MAX, SCRATCH.take());
    let outcome = match call.state_in(&mut world, service, depth, now) {
        Err(stop) => stop.into(),
        Ok(()) => {
            let stated = u64::MAX.saturating_sub(world.fuel.left());
            let beyond = stated.saturating_sub(LONG_CALL);
            world.fuel = Fuel::new(fuel.saturating_add(beyond.saturating_mul(FUEL_PER_STATED)));
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

/// What an evaluation came to, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// What it came to.
    pub outcome: Outcome,
    /// How much fuel it burnt.
    pub burnt: u64,
    /// Every fact as text, with the places it rests on, after the rules; where it got so far.
    pub facts: Vec<(Vec<Place>, String)>,
}

impl Program {
    /// Evaluates a program that needs no request, and answers the outcome alone.
    #[must_use]
    pub fn burn(&self, externs: &Externs, fuel: u64) -> Outcome {
        self.decide(externs, fuel, &[])
    }

    /// The same, with the fact `revocation_id($block, $bytes)` for each of these.
    pub(crate) fn decide(&self, externs: &Externs, fuel: u64, ids: &[(usize, Vec<u8>)]) -> Outcome {
        let mut world = World::new(self, externs, fuel);
        for (block, id) in ids {
            let block = i64::try_from(*block).unwrap_or(i64::MAX);
            let stated = world.state(Known::RevocationId, |world| {
                Ok([Term::Integer(block), world.bytes(id)?])
            });
            if let Err(stop) = stated {
                return stop.into();
            }
        }
        world.authorize()
    }

    /// Evaluates a program that needs no request, and says all that is known of it.
    #[must_use]
    pub fn evaluate(&self, externs: &Externs, fuel: u64) -> Evaluation {
        let mut world = World::new(self, externs, fuel);
        let outcome = world.authorize();
        Evaluation {
            outcome,
            burnt: fuel.saturating_sub(world.fuel.left()),
            facts: world.print(),
        }
    }
}
