//! The meaning of grants without Datalog: the first condition of each that a call does not meet.
//!
//! The decision is the engine's. This explains it; a property test holds both to the same answer.
//! Every step is charged to the [`Steps`] of the explanation, since a call of 64 KiB may meet a
//! token with as many alternatives as it can have.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_biscuit::datalog::{Code, code::Query};
use bailiwick_token::{
    datalog::{self, names},
    grant::{Constraint, Grant},
    value::{Scalar, Value},
};

use crate::{
    decision::Reason,
    excerpt::{MAX_NAME, MAX_VALUE, beginning},
    explain::{Condition, Excerpt},
    request::{Stated, Statement},
};

#[cfg(test)]
mod tests;
mod violation;

use violation::Violation;

/// The steps that an explanation may still take. One is worth about ten nanoseconds.
#[derive(Debug)]
pub(crate) struct Steps {
    left: u64,
}

/// The steps are spent: the explanation ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

impl Steps {
    pub(crate) fn new(steps: u64) -> Steps {
        Steps { left: steps }
    }

    pub(crate) fn take(&mut self, steps: usize) -> Result<(), Spent> {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(Spent)
    }
}

/// The steps of one alternative that is for another service or action.
const PER_ALTERNATIVE: usize = 8;
/// The steps of reading the conditions of an alternative, and for each of its weight.
const PER_READING: usize = 96;
const PER_WEIGHT: usize = 2;
/// The steps of one constraint, besides those of what it looks at.
const PER_CONSTRAINT: usize = 8;
/// The steps of an excerpt: text is written, and memory allocated.
const PER_EXCERPT: usize = 32;
/// The steps of each element that is read as a scalar, once for an argument.
const PER_SCALAR: usize = 2;
/// The bytes of a string that are searched in one step. The searcher of the standard library takes up to
/// five nanoseconds for a byte of a text that was chosen against it.
const BYTES_SEARCHED: usize = 2;

/// A grant or an alternative beside a call.
pub(crate) enum Alternative {
    /// The call meets all of its conditions that can be read.
    Met,
    /// It is for another service or action.
    Elsewhere,
    /// The call does not meet this condition, the first of those that it does not meet.
    Fails(Condition),
    /// It is Datalog that no grant writes.
    Datalog,
}

/// A call that grants are compared with. What takes a walk through an argument is found out once,
/// however many alternatives speak of it.
pub(crate) struct Comparison<'c> {
    service: &'c str,
    call: &'c Statement<'c>,
    pub(crate) budget: Steps,
    excerpts: BTreeMap<&'c str, Excerpt>,
    scalars: BTreeMap<&'c str, Option<Vec<Scalar>>>,
}

impl<'c> Comparison<'c> {
    pub(crate) fn new(service: &'c str, call: &'c Statement<'c>, budget: Steps) -> Self {
        Comparison {
            service,
            call,
            budget,
            excerpts: BTreeMap::new(),
            scalars: BTreeMap::new(),
        }
    }

    /// Compares the call with a body: the grant's, or the alternative's of a scope.
    pub(crate) fn with(&mut self, code: &Code, body: &Query) -> Result<Alternative, Spent> {
        self.budget.take(PER_ALTERNATIVE)?;
        if datalog::needs_other(code, body, names::SERVICE, self.service)
            || datalog::needs_other(code, body, names::ACTION, self.call.action)
        {
            return Ok(Alternative::Elsewhere);
        }
        Ok(match self.read(code, body)? {
            Some(grant) => self.with_grant(&grant)?,
            None => Alternative::Datalog,
        })
    }

    /// The conditions of a body.
    pub(crate) fn read(&mut self, code: &Code, body: &Query) -> Result<Option<Grant>, Spent> {
        let steps = code.weight(body).saturating_mul(PER_WEIGHT);
        self.budget.take(steps.saturating_add(PER_READING))?;
        Ok(datalog::conditions(code, body))
    }

    /// The reason where none of these grants allows the call.
    pub(crate) fn reason(&self, code: &Code, grants: &[Query]) -> Reason {
        // A grant in Datalog may be for any service.
        let elsewhere =
            |grant: &Query| datalog::needs_other(code, grant, names::SERVICE, self.service);
        match grants.iter().all(elsewhere) {
            true => Reason::WrongService,
            false => Reason::NoGrant,
        }
    }

    fn with_grant(&mut self, grant: &Grant) -> Result<Alternative, Spent> {
        if grant.service != self.service || !grant.action.matches(self.call.action) {
            return Ok(Alternative::Elsewhere);
        }
        let failed = match self.resource(grant)? {
            Some(condition) => Some(condition),
            None => self.arguments(grant)?,
        };
        Ok(failed.map_or(Alternative::Met, Alternative::Fails))
    }

    fn resource(&mut self, grant: &Grant) -> Result<Option<Condition>, Spent> {
        let (Some(pattern), found) = (&grant.resource, self.call.resource) else {
            return Ok(None);
        };
        if found.is_some_and(|resource| pattern.matches(resource)) {
            return Ok(None);
        }
        self.budget.take(PER_EXCERPT)?;
        Ok(Some(Condition::Resource {
            found: found.map(|resource| beginning(resource, MAX_VALUE)),
            needed: beginning(pattern, MAX_VALUE),
        }))
    }

    fn arguments(&mut self, grant: &Grant) -> Result<Option<Condition>, Spent> {
        let Some(args) = &grant.args else {
            return Ok(None);
        };
        for (name, constraint) in args {
            if let Some(condition) = self.argument(name, constraint)? {
                return Ok(Some(condition));
            }
        }
        // Of more names than are allowed one of the first is not: no more of them are looked at.
        self.budget.take(args.len())?;
        let allowed: BTreeSet<&str> = grant.allowed_names().into_iter().flatten().collect();
        let extra = self.call.names().find(|name| !allowed.contains(name));
        Ok(extra.map(|extra| Condition::Extra {
            argument: beginning(extra, MAX_NAME),
        }))
    }

    fn argument(
        &mut self,
        name: &str,
        constraint: &Constraint,
    ) -> Result<Option<Condition>, Spent> {
        if constraint.is_any() {
            return Ok(None);
        }
        self.budget.take(PER_CONSTRAINT)?;
        let argument = || beginning(name, MAX_NAME);
        let call = self.call;
        let Some(stated) = call.get(name) else {
            self.budget.take(PER_EXCERPT)?;
            return Ok(Some(Condition::Missing {
                argument: argument(),
                needed: beginning(constraint, MAX_VALUE),
            }));
        };
        let Some(violation) = self.violated(constraint, stated)? else {
            return Ok(None);
        };
        self.budget.take(PER_EXCERPT)?;
        Ok(Some(match violation {
            Violation::Type(needed) => Condition::Type {
                argument: argument(),
                found: stated.value.kind(),
                needed,
            },
            Violation::Unrepresentable => Condition::Unrepresentable {
                argument: argument(),
                found: self.excerpt(stated)?,
            },
            Violation::Value(needed) => Condition::Value {
                argument: argument(),
                found: self.excerpt(stated)?,
                needed,
            },
        }))
    }

    /// The excerpt of an argument, made once.
    fn excerpt(&mut self, stated: &'c Stated<'c>) -> Result<Excerpt, Spent> {
        if let Some(made) = self.excerpts.get(stated.path()) {
            return Ok(made.clone());
        }
        self.budget.take(PER_EXCERPT)?;
        let made = Excerpt::of(stated.value);
        self.excerpts.insert(stated.path(), made.clone());
        Ok(made)
    }

    /// The elements of an array of scalars, read once; `None` for any other value.
    fn scalars(&mut self, stated: &'c Stated<'c>) -> Result<Option<&[Scalar]>, Spent> {
        let Value::Array(items) = stated.value else {
            return Ok(None);
        };
        if !self.scalars.contains_key(stated.path()) {
            self.budget.take(items.len().saturating_mul(PER_SCALAR))?;
            let scalars = stated.value.as_scalars();
            self.scalars.insert(stated.path(), scalars);
        }
        Ok(self
            .scalars
            .get(stated.path())
            .and_then(|read| read.as_deref()))
    }
}
