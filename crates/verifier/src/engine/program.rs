//! A token's blocks and the verifier's Datalog, compiled: what an evaluation reads and never writes.

use super::{
    error::Place,
    facts::{Origin, Rows},
    regex::Patterns,
    symbol::Relation,
    term::{Pool, Span, Term},
};

/// Everything that does not depend on the request.
#[derive(Debug)]
pub struct Program {
    pub(super) pool: Pool,
    /// The facts that blocks state, by predicate.
    pub(super) facts: Vec<Rows>,
    /// For each predicate whether a body looks for it.
    pub(super) wanted: Vec<bool>,
    /// The names of the predicates, for those who print facts.
    pub(super) names: Vec<(String, usize)>,
    pub(super) rules: Vec<Rule>,
    /// The predicates that rules derive, and for each predicate its place among them.
    pub(super) heads: Vec<Relation>,
    pub(super) derived_at: Vec<u32>,
    /// Whether a rule looks for what a rule derives.
    pub(super) recursive: bool,
    /// In the order in which they are looked at; those before `early` come before the policies.
    pub(super) checks: Vec<Check>,
    pub(super) early: usize,
    pub(super) policies: Vec<Policy>,
    pub(super) args: Vec<Arg>,
    pub(super) code: Vec<Instruction>,
    pub(super) externs: Vec<String>,
    pub(super) patterns: Patterns,
    /// The names of the types, as strings.
    pub(super) type_names: [Span; 9],
}

/// Its head holds for each match of its body.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) head: Relation,
    /// Where the terms of the head begin among the arguments.
    pub(super) args: u32,
    pub(super) body: Body,
    /// The block that states it.
    pub(super) origin: Origin,
}

#[derive(Debug)]
pub(super) struct Check {
    pub(super) place: Place,
    /// Its place among the checks of its block.
    pub(super) index: usize,
    pub(super) kind: bailiwick_token::datalog::Kind,
    pub(super) queries: Vec<Body>,
}

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) allow: bool,
    pub(super) queries: Vec<Body>,
}

/// Predicates to be matched together, and tests of what they bind.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) scans: Box<[Scan]>,
    pub(super) tests: Box<[Code]>,
    /// Whose facts it sees.
    pub(super) trusted: Origin,
    /// How many variables it binds, those of closures included.
    pub(super) slots: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) relation: Relation,
    /// Where its terms begin among the arguments.
    pub(super) args: u32,
}

/// One term of a predicate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg {
    /// This value.
    Value(Term),
    /// Whatever stands there, bound from here on.
    Bind(u32),
    /// What is bound already.
    Bound(u32),
}

/// A part of the program's instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One step of an expression, in postfix order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instruction {
    Value(Term),
    Slot(u32),
    /// Lays a closure on the stack, whose body is the next so many instructions, and skips them.
    Closure {
        length: u32,
        parameter: Parameter,
    },
    Unary(Unary),
    Binary(Binary),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    None,
    One(u32),
    /// No operation calls such a closure.
    Many,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    /// Does nothing, to a value.
    Parens,
    Length,
    TypeOf,
    Extern(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    LessThan,
    GreaterThan,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    SameValue,
    NotSameValue,
    Contains,
    Prefix,
    Suffix,
    Regex,
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    LazyAnd,
    LazyOr,
    Intersection,
    Union,
    BitwiseAnd,
    BitwiseOr,
    BitwiseXor,
    All,
    Any,
    Get,
    TryOr,
    Extern(u32),
}

impl Program {
    pub(super) fn arity(&self, relation: Relation) -> usize {
        self.facts
            .get(relation as usize)
            .map_or(0, |rows| rows.arity)
    }

    /// The arguments of a predicate.
    #[inline]
    pub(super) fn args(&self, start: u32, arity: usize) -> &[Arg] {
        let start = start as usize;
        self.args
            .get(start..start.saturating_add(arity))
            .unwrap_or_default()
    }
}
