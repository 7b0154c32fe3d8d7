//! Recognition of bodies that are equal, term for term, to those that this crate writes for grants.
//!
//! Such bodies may be decided by their grants instead of their Datalog. Bodies from another writer are decided
//! as Datalog even if they mean the same: their alternatives may raise errors where this crate's do not.
//!
//! The comparison builds nothing: each piece that the encoder writes for the grants is compared with the code,
//! up to the first difference.

use std::fmt::{self, Write};

use bailiwick_biscuit::datalog::{
    Code, Kind,
    code::{self, Block, Check, Predicate, Query},
};

use super::{
    conditions::conditions,
    encode::{Alternative, alternatives},
    sink::{Op, Sink, Term, Variable},
};
use crate::grant::{Grant, Grants};

/// The grants for which [`authority_block`](super::authority_block) writes exactly the rules of this block: all
/// of them, in this order, with these variables; `None` if there are no such grants.
#[must_use]
pub fn written_grants(code: &Code, block: &Block) -> Option<Grants> {
    let rules = code.rules(block);
    let grants = candidates(code, rules.iter().map(|rule| &rule.query))?;
    let same = rules
        .iter()
        .zip(alternatives(&grants))
        .all(|(rule, alternative)| {
            let (head, action) = alternative.head();
            is_predicate(code, &rule.head, head, &[action])
                && is_body(code, &rule.query, alternative)
        });
    same.then_some(grants)
}

/// The scope for which [`appended_block`](super::appended_block) writes exactly this check; `None` if there is
/// no such scope.
#[must_use]
pub fn written_scope(code: &Code, check: &Check) -> Option<Grants> {
    if check.kind != Kind::One {
        return None;
    }
    let queries = code.queries(check);
    let grants = candidates(code, queries.iter())?;
    let same = queries
        .iter()
        .zip(alternatives(&grants))
        .all(|(query, alternative)| is_body(code, query, alternative));
    same.then_some(grants)
}

/// Reads one candidate grant from each body.
fn candidates<'q>(code: &Code, bodies: impl Iterator<Item = &'q Query>) -> Option<Grants> {
    let grants: Option<Vec<Grant>> = bodies.map(|body| conditions(code, body)).collect();
    Grants::new(grants?).ok()
}

/// Returns true if a body is exactly the body that the encoder writes for a grant, including the names of
/// variables and the order of predicates and expressions.
fn is_body(code: &Code, query: &Query, alternative: Alternative<'_>) -> bool {
    let mut body = Compared {
        code,
        predicates: code.body(query).iter(),
        expressions: code.expressions(query),
    };
    alternative.write(&mut body).is_ok()
        && body.predicates.next().is_none()
        && body.expressions.next().is_none()
        && code.scopes(query).is_empty()
}

/// The rest of a body that has not yet been compared with the encoder's output.
struct Compared<'c, E> {
    code: &'c Code,
    predicates: std::slice::Iter<'c, Predicate>,
    expressions: E,
}

/// The error of code that differs from the encoder's output.
struct Different;

impl<'c, E: Iterator<Item = &'c [code::Op]>> Sink for Compared<'c, E> {
    type Stop = Different;

    fn predicate(&mut self, name: &str, terms: &[Term<'_>]) -> Result<(), Different> {
        let found = self.predicates.next().ok_or(Different)?;
        same(is_predicate(self.code, found, name, terms))
    }

    fn expression(&mut self, ops: &[Op<'_>]) -> Result<(), Different> {
        let found = self.expressions.next().ok_or(Different)?;
        same(are_ops(self.code, found, ops))
    }
}

fn same(same: bool) -> Result<(), Different> {
    same.then_some(()).ok_or(Different)
}

fn is_predicate(code: &Code, found: &Predicate, name: &str, terms: &[Term<'_>]) -> bool {
    code.text(found.name) == name && are_terms(code, code.terms(found.terms), terms)
}

fn are_terms(code: &Code, found: &[code::Term], written: &[Term<'_>]) -> bool {
    let mut pairs = found.iter().zip(written);
    found.len() == written.len() && pairs.all(|(found, written)| is_term(code, found, written))
}

// Recursion is safe: the encoder never writes a container inside a container.
fn is_term(code: &Code, found: &code::Term, written: &Term<'_>) -> bool {
    match (found, written) {
        (code::Term::Variable(name), Term::Variable(variable)) => {
            is_variable(code.text(*name), *variable)
        }
        (code::Term::Str(text), Term::Str(written)) => code.text(*text) == *written,
        (code::Term::Integer(value), Term::Integer(written)) => value == written,
        (code::Term::Date(seconds), Term::Date(written)) => seconds == written,
        (code::Term::Bool(value), Term::Bool(written)) => value == written,
        (code::Term::Null, Term::Null) => true,
        // Both sides keep the elements of a set in the order of their values.
        (code::Term::Set(terms), Term::Set(written))
        | (code::Term::Array(terms), Term::Array(written)) => {
            are_terms(code, code.terms(*terms), written)
        }
        _ => false,
    }
}

fn is_variable(found: &str, written: Variable) -> bool {
    let mut left = Left(found);
    write!(left, "{written}").is_ok() && left.0.is_empty()
}

/// The rest of a text that has not yet been compared with the encoder's output.
struct Left<'t>(&'t str);

impl Write for Left<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Compares the steps of an expression. In the encoder's output a closure contains its steps; in the code the
/// steps follow the closure.
fn are_ops(code: &Code, found: &[code::Op], written: &[Op<'_>]) -> bool {
    let mut left = found;
    let same = written.iter().all(|written| {
        let Some((found, rest)) = left.split_first() else {
            return false;
        };
        left = rest;
        match (found, written) {
            (code::Op::Value(found), Op::Value(written)) => is_term(code, found, written),
            (code::Op::Unary(found), Op::Unary(written)) => code.resolve_unary(*found) == *written,
            (code::Op::Binary(found), Op::Binary(written)) => {
                code.resolve_binary(*found) == *written
            }
            (code::Op::Closure { params, length }, Op::Closure(written, each)) => {
                let Some((body, rest)) = left.split_at_checked(*length as usize) else {
                    return false;
                };
                left = rest;
                let [param] = code.params(*params) else {
                    return false;
                };
                is_variable(code.text(*param), *written) && are_ops(code, body, each)
            }
            _ => false,
        }
    });
    same && left.is_empty()
}
