//! The encoder's output: terms that borrow from a grant, and the trait of their receivers.
//!
//! One encoder serves two receivers. [`Tree`](super::tree::Tree) builds the body to be signed; a comparison
//! walks along decoded code and stops at the first difference. So code is compared with exactly the body that
//! would be signed.

use std::fmt;

use bailiwick_biscuit::datalog::{Binary, Unary};

/// A receiver of the body of a rule, or of one alternative of a check, part by part.
pub(super) trait Sink {
    /// The reason to stop receiving.
    type Stop;

    /// Receives the next predicate.
    fn predicate(&mut self, name: &str, terms: &[Term<'_>]) -> Result<(), Self::Stop>;

    /// Receives the next expression, as its steps in postfix order.
    fn expression(&mut self, ops: &[Op<'_>]) -> Result<(), Self::Stop>;
}

/// A value or a variable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Term<'a> {
    Variable(Variable),
    Str(&'a str),
    Integer(i64),
    Date(u64),
    Bool(bool),
    Null,
    /// Unique terms, in order.
    Set(&'a [Term<'a>]),
    Array(&'a [Term<'a>]),
}

/// The name of a variable: a letter, and the number of the corresponding argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable(pub(super) &'static str, pub(super) Option<usize>);

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |number| number.fmt(f))
    }
}

/// One step of an expression.
#[derive(Debug)]
pub(super) enum Op<'a> {
    Value(Term<'a>),
    Unary(Unary),
    Binary(Binary),
    /// A closure with one parameter.
    Closure(Variable, &'a [Op<'a>]),
}
