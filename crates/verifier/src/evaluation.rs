//! The evaluation of a call: the facts that the profile states about it, and the fuel.

use std::cell::Cell;

use bailiwick_biscuit::engine::{
    Budget, Externs, Known, KnownPlace, Outcome, Program, Scratch, Stop, Term, World,
};
use bailiwick_token::{datalog::names, timestamp::Timestamp, value::Value};

use crate::{
    call::{Stated, Statement, is_scalar},
    native::CallAnswers,
};

/// The facts that a verifier states about a call. A token's Datalog sees nothing else of the call.
///
/// The number of each fact is its position in [`FACTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum Fact {
    Time,
    Service,
    Action,
    Resource,
    Args,
    Depth,
    Arg,
    Num,
    Date,
    Json,
    Grant,
}

/// The predicates of the facts in [`Fact`], in the same order (token format, "What a verifier states").
pub(crate) const FACTS: [Known; 11] = [
    known(names::TIME, 1),
    known(names::SERVICE, 1),
    known(names::ACTION, 1),
    known(names::RESOURCE, 1),
    known(names::ARGS, 1),
    known(names::DEPTH, 1),
    known(names::ARG, 2),
    known(names::NUM, 2),
    known(names::DATE, 2),
    known(names::JSON, 2),
    known(names::GRANT, 1),
];

const fn known(name: &'static str, arity: u16) -> Known {
    Known { name, arity }
}

impl Fact {
    fn place(self) -> KnownPlace {
        self as KnownPlace
    }
}

/// Fuel for stating a call, in units, above which the call counts as long.
const LONG_STATEMENT: u64 = 250;

/// Size in bytes above which a call counts as long.
const LONG_CALL: usize = 1024;

/// Additional units for each byte beyond [`LONG_CALL`], for typed and native conditions.
const UNITS_PER_BYTE: u64 = 4;

/// Additional units of fuel for each unit beyond [`LONG_STATEMENT`]. Conditions on an array read each element,
/// and a long call is expensive to read anyway.
const FUEL_PER_STATED: u64 = 8;

thread_local! {
    /// The memory of the last evaluation on this thread.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// The budget of one decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) budget: Budget,
    /// Maximum additional fuel for a long call.
    pub(crate) long_call: u64,
    /// Units that comparisons have already spent.
    pub(crate) spent: u64,
}

impl Allowance {
    /// Units of fuel for comparing a call of this many bytes.
    pub(crate) fn for_bytes(&self, bytes: usize) -> u64 {
        let beyond = bytes.saturating_sub(LONG_CALL) as u64;
        let long = beyond.saturating_mul(UNITS_PER_BYTE).min(self.long_call);
        self.budget.fuel.saturating_add(long)
    }

    /// Units of fuel for evaluating a call that takes `stated` units to state.
    fn for_statement(&self, stated: u64) -> u64 {
        let beyond = stated.saturating_sub(LONG_STATEMENT);
        let long = beyond.saturating_mul(FUEL_PER_STATED).min(self.long_call);
        self.budget.fuel.saturating_add(long)
    }
}

/// A call at a service, to be evaluated with a token of `depth` appended blocks.
pub(crate) struct CallEvaluation<'c> {
    pub(crate) call: &'c Statement<'c>,
    pub(crate) service: &'c str,
    pub(crate) depth: usize,
    pub(crate) now: Timestamp,
    /// True if the typed grants allow the call. The fact `grant`, which their rules would derive, is then
    /// stated directly.
    pub(crate) is_granted: bool,
    pub(crate) answers: &'c CallAnswers<'c>,
}

impl CallEvaluation<'_> {
    /// Evaluates a program for the call. Returns the outcome, and the token's rule that grants the call, if
    /// any.
    pub(crate) fn run(&self, program: &Program, allowance: Allowance) -> (Outcome, Option<usize>) {
        let externs = Externs::default();
        // Unlimited, because the limits of the call bound the cost of stating it.
        let stating = Budget {
            fuel: u64::MAX,
            ..allowance.budget
        };
        let world = World::within(program, &externs, stating, SCRATCH.take());
        let mut world = world.answered_by(self.answers);
        let outcome = match self.state_in(&mut world) {
            Err(stop) => stop.into(),
            Ok(()) => {
                let stated = u64::MAX.saturating_sub(world.fuel_left());
                let mut fuel = allowance.for_statement(stated);
                // Native conditions read the call directly, even if no body asks for its facts. They may already have
                // spent more than the fuel that follows from the stated facts.
                if self.answers.table().len() > 0 {
                    fuel = fuel.max(allowance.for_bytes(self.call.bytes));
                }
                world.refill(fuel.saturating_sub(allowance.spent));
                world.authorize()
            }
        };
        let rule = world.granting_rule();
        let scratch = world.into_scratch();
        if scratch.is_small() {
            SCRATCH.set(scratch);
        }
        (outcome, rule)
    }

    /// States the facts of the profile. Facts that no body uses are left out.
    fn state_in(&self, world: &mut World<'_>) -> Result<(), Stop> {
        let depth = i64::try_from(self.depth).unwrap_or(i64::MAX);
        let call = self.call;
        world.state(Fact::Time.place(), |_| Ok([Term::Date(self.now.unix())]))?;
        world.state(Fact::Service.place(), |world| {
            Ok([world.string(self.service)?])
        })?;
        world.state(Fact::Action.place(), |world| {
            Ok([world.string(call.action)?])
        })?;
        world.state(Fact::Depth.place(), |_| Ok([Term::Integer(depth)]))?;
        if let Some(resource) = call.resource {
            world.state(Fact::Resource.place(), |world| {
                Ok([world.string(resource)?])
            })?;
        }
        world.state(Fact::Args.place(), |world| {
            // The empty string is always included, so that the set is never empty.
            let mut listed = vec![world.string("")?];
            for name in call.names() {
                listed.push(world.string(name)?);
            }
            Ok([world.set(&listed)?])
        })?;
        for fact in [Fact::Arg, Fact::Num, Fact::Date, Fact::Json] {
            if world.wants(fact.place()) {
                for stated in call.args() {
                    state_argument(world, fact, stated)?;
                }
            }
        }
        if self.is_granted {
            // Every grant that allows the call derives this one fact.
            world.state(Fact::Grant.place(), |world| {
                Ok([world.string(call.action)?])
            })?;
        }
        Ok(())
    }
}

fn state_argument(world: &mut World<'_>, fact: Fact, stated: &Stated<'_>) -> Result<(), Stop> {
    let term = match fact {
        Fact::Arg => match stated.value {
            Value::Array(items) if items.iter().all(is_scalar) => {
                let mut elements = Vec::with_capacity(items.len());
                for item in items {
                    elements.extend(scalar_term(world, item)?);
                }
                Some(world.array(&elements)?)
            }
            value => scalar_term(world, value)?,
        },
        Fact::Num => stated.num().map(|micros| Term::Integer(micros.0)),
        Fact::Date => stated.date().map(|date| Term::Date(date.unix())),
        _ => match stated.json() {
            Some(text) => Some(world.string(&text)?),
            None => None,
        },
    };
    match term {
        Some(term) => world.state(fact.place(), |world| {
            Ok([world.string(stated.path())?, term])
        }),
        None => Ok(()),
    }
}

/// Converts a scalar to a term of the engine.
fn scalar_term(world: &mut World<'_>, value: &Value) -> Result<Option<Term>, Stop> {
    Ok(match value {
        Value::Null => Some(Term::Null),
        Value::Bool(value) => Some(Term::Bool(*value)),
        Value::Number(number) => number.integer().map(Term::Integer),
        Value::String(text) => Some(world.string(text)?),
        Value::Array(_) | Value::Object(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_numbered_by_their_place() {
        for (fact, name) in [
            (Fact::Time, names::TIME),
            (Fact::Service, names::SERVICE),
            (Fact::Action, names::ACTION),
            (Fact::Resource, names::RESOURCE),
            (Fact::Args, names::ARGS),
            (Fact::Depth, names::DEPTH),
            (Fact::Arg, names::ARG),
            (Fact::Num, names::NUM),
            (Fact::Date, names::DATE),
            (Fact::Json, names::JSON),
            (Fact::Grant, names::GRANT),
        ] {
            assert_eq!(FACTS[usize::from(fact.place())].name, name);
        }
    }
}
