//! The encoder's Datalog as a syntax tree, for signing and for people.

use std::convert::Infallible;

use bailiwick_biscuit::datalog::{self, Predicate, Query};

use super::sink::{Op, Sink, Term};

/// A receiver that builds the body.
#[derive(Default)]
pub(super) struct Tree(Query);

impl Tree {
    /// Returns the body that `write` writes.
    pub(super) fn of(write: impl FnOnce(&mut Tree) -> Result<(), Infallible>) -> Query {
        let mut tree = Tree::default();
        let Ok(()) = write(&mut tree);
        tree.0
    }
}

impl Sink for Tree {
    type Stop = Infallible;

    fn predicate(&mut self, name: &str, terms: &[Term<'_>]) -> Result<(), Infallible> {
        self.0.body.push(predicate(name, terms));
        Ok(())
    }

    fn expression(&mut self, ops: &[Op<'_>]) -> Result<(), Infallible> {
        self.0.expressions.push(ops.iter().map(op).collect());
        Ok(())
    }
}

pub(super) fn predicate(name: &str, terms: &[Term<'_>]) -> Predicate {
    Predicate::new(name, terms.iter().map(term).collect::<Vec<_>>())
}

fn term(written: &Term<'_>) -> datalog::Term {
    match written {
        Term::Variable(variable) => datalog::Term::Variable(variable.to_string()),
        Term::Str(text) => datalog::Term::Str((*text).to_owned()),
        Term::Integer(value) => datalog::Term::Integer(*value),
        Term::Date(seconds) => datalog::Term::Date(*seconds),
        Term::Bool(value) => datalog::Term::Bool(*value),
        Term::Null => datalog::Term::Null,
        Term::Set(terms) => datalog::Term::Set(terms.iter().map(term).collect()),
        Term::Array(terms) => datalog::Term::Array(terms.iter().map(term).collect()),
    }
}

fn op(written: &Op<'_>) -> datalog::Op {
    match written {
        Op::Value(value) => datalog::Op::Value(term(value)),
        Op::Unary(operator) => datalog::Op::Unary(operator.clone()),
        Op::Binary(operator) => datalog::Op::Binary(operator.clone()),
        Op::Closure(param, body) => {
            datalog::Op::Closure(vec![param.to_string()], body.iter().map(op).collect())
        }
    }
}
