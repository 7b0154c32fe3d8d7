//! What a host adds to a token: facts, rules, checks, and the policies that decide.

use super::{
    error::{Error, Fault, Place},
    parse,
    text::bounded,
};
use crate::datalog::{Binary, Block, BlockCheck, Code, Kind, Op, Query, Scope, Unary};

/// A host's Datalog, ready to be compiled. The default has no policy, so it allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Authorizer {
    /// Facts, rules and checks as a first block, and in a second a check for each policy.
    pub(super) code: Code,
    /// For each policy, whether it allows.
    pub(super) allows: Vec<bool>,
}

/// A host's Datalog as it was read.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Facts, rules and checks.
    pub statements: Block,
    /// The policies, in order.
    pub policies: Vec<Policy>,
}

/// `allow if` or `deny if`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// `allow if`, and not `deny if`.
    pub allow: bool,
    /// Its alternatives.
    pub queries: Vec<Query>,
}

impl Authorizer {
    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// [`Error::Compile`] where it is not Datalog, or beyond [`MAX_POLICY_BYTES`](super::MAX_POLICY_BYTES),
    /// [`MAX_NESTING`](super::MAX_NESTING) or [`MAX_OPERATORS`](super::MAX_OPERATORS).
    pub fn parse(text: &str) -> Result<Authorizer, Error> {
        Ok(Source::parse(text)?.authorizer())
    }
}

impl Source {
    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// As for [`Authorizer::parse`].
    pub fn parse(text: &str) -> Result<Source, Error> {
        bounded(text)?;
        Source::read(text)
    }

    /// Reads text whatever its length.
    pub(super) fn read(text: &str) -> Result<Source, Error> {
        parse::source(text).map_err(|message| Error::Compile {
            place: Place::Authorizer,
            fault: Fault::Syntax(message),
        })
    }

    /// The same, ready to be compiled.
    #[must_use]
    pub fn authorizer(self) -> Authorizer {
        let (allows, checks) = self
            .policies
            .into_iter()
            .map(|Policy { allow, queries }| {
                let kind = Kind::One;
                (allow, BlockCheck { kind, queries })
            })
            .unzip();
        let policies = Block {
            checks,
            ..Block::default()
        };
        Authorizer {
            code: Code::from_blocks(&[self.statements, policies]),
            allows,
        }
    }

    /// The names of the facts that it states and of those that its rules derive.
    pub fn heads(&self) -> impl Iterator<Item = &str> {
        let rules = self.statements.rules.iter().map(|rule| &rule.head);
        let heads = self.statements.facts.iter().chain(rules);
        heads.map(|head| head.name.as_str())
    }

    /// All `trusting` clauses, scope by scope.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        let of_bodies = self.bodies().flat_map(|query| &query.scopes);
        self.statements.scopes.iter().chain(of_bodies)
    }

    /// The first external function that each of its expressions calls, by name.
    pub fn externs(&self) -> impl Iterator<Item = &str> {
        let expressions = self.bodies().flat_map(|query| &query.expressions);
        expressions.filter_map(|ops| external(ops))
    }

    fn bodies(&self) -> impl Iterator<Item = &Query> {
        let rules = self.statements.rules.iter().map(|rule| &rule.query);
        let checks = self.statements.checks.iter();
        let policies = self.policies.iter().flat_map(|policy| &policy.queries);
        rules
            .chain(checks.flat_map(|check| &check.queries))
            .chain(policies)
    }
}

/// The name of the first external function that an expression calls.
fn external(ops: &[Op]) -> Option<&str> {
    ops.iter().find_map(|op| match op {
        Op::Unary(Unary::Ffi(name)) | Op::Binary(Binary::Ffi(name)) => Some(name.as_str()),
        Op::Closure(_, ops) => external(ops),
        _ => None,
    })
}
