//! A host's Datalog as text and as a tree.
//!
//! The reference implementation provides the parser. The text's nesting is bounded before parsing, so the tree
//! is shallow enough for recursion.

use biscuit_parser::{builder as parsed, parser};

use super::{
    error::{Error, Fault},
    origin::Place,
    text::bounded,
};
use crate::{
    datalog::{
        Binary, Block, BlockCheck, BlockRule, Kind, MapKey, Op, Predicate, Query, Scope, ScopeKey,
        Term, Unary,
    },
    key::Algorithm,
};

/// A host's Datalog as a tree.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Facts, rules and checks.
    pub statements: Block,
    /// The policies, in order.
    pub policies: Vec<Policy>,
}

/// A policy: `allow if` or `deny if`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// True for `allow if`, false for `deny if`.
    pub allow: bool,
    /// The alternatives of the policy.
    pub queries: Vec<Query>,
}

impl Source {
    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// As for [`Authorizer::parse`](super::Authorizer::parse).
    pub fn parse(text: &str) -> Result<Source, Error> {
        // The parser recurses, and would overflow the stack on hostile text.
        bounded(text)?;
        Source::read(text)
    }

    /// Reads text without limits on its length and nesting.
    pub(super) fn read(text: &str) -> Result<Source, Error> {
        source(text).map_err(|message| Error::Compile {
            place: Place::Authorizer,
            fault: Fault::Syntax(message),
        })
    }

    /// The names of the facts that the Datalog states and of those that its rules derive.
    pub fn heads(&self) -> impl Iterator<Item = &str> {
        let rules = self.statements.rules.iter().map(|rule| &rule.head);
        let heads = self.statements.facts.iter().chain(rules);
        heads.map(|head| head.name.as_str())
    }

    /// The scopes of all `trusting` clauses.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        // A clause may be at the start of the text, for all of it, or at the end of a body.
        let of_bodies = self.bodies().flat_map(|query| &query.scopes);
        self.statements.scopes.iter().chain(of_bodies)
    }

    /// The name of the first external function in each expression that calls one.
    pub fn externs(&self) -> impl Iterator<Item = &str> {
        let expressions = self.bodies().flat_map(|query| &query.expressions);
        expressions.filter_map(|ops| external(ops))
    }

    /// The bodies of all rules, checks and policies.
    pub fn bodies(&self) -> impl Iterator<Item = &Query> {
        let rules = self.statements.rules.iter().map(|rule| &rule.query);
        let checks = self.statements.checks.iter();
        // Policies have bodies too: leaving them out would let restrictions on bodies be evaded.
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
        // The recursion is as deep as the text nests, which is bounded.
        Op::Closure(_, ops) => external(ops),
        _ => None,
    })
}

/// A tree, or a description of the fault in the text.
type Parsed<T> = Result<T, String>;

fn source(text: &str) -> Parsed<Source> {
    let parsed = parser::parse_source(text.trim_ascii_start()).map_err(|errors| {
        let messages = errors.iter().map(|error| {
            let message = error.message.as_deref();
            message.unwrap_or(error.input)
        });
        messages.collect::<Vec<_>>().join("; ")
    })?;
    let mut source = Source::default();
    let block = &mut source.statements;
    block.scopes = list(parsed.scopes, scope)?;
    block.facts = list(parsed.facts, |(_, fact)| predicate(fact.predicate))?;
    block.rules = list(parsed.rules, |(_, mut rule)| {
        // `query` takes the rest of the rule, and does not look at its head.
        let head = std::mem::replace(&mut rule.head, parsed::Predicate::new(String::new(), []));
        Ok(BlockRule {
            head: predicate(head)?,
            query: query(rule)?,
        })
    })?;
    block.checks = list(parsed.checks, |(_, check)| {
        Ok(BlockCheck {
            kind: match check.kind {
                parsed::CheckKind::One => Kind::One,
                parsed::CheckKind::All => Kind::All,
                parsed::CheckKind::Reject => Kind::Reject,
            },
            queries: list(check.queries, query)?,
        })
    })?;
    source.policies = list(parsed.policies, |(_, policy)| {
        Ok(Policy {
            allow: matches!(policy.kind, parsed::PolicyKind::Allow),
            queries: list(policy.queries, query)?,
        })
    })?;
    Ok(source)
}

fn list<T, U, C: FromIterator<U>>(
    items: impl IntoIterator<Item = T>,
    convert: impl Fn(T) -> Parsed<U>,
) -> Parsed<C> {
    items.into_iter().map(convert).collect()
}

fn query(rule: parsed::Rule) -> Parsed<Query> {
    Ok(Query {
        body: list(rule.body, predicate)?,
        expressions: list(rule.expressions, |expression| list(expression.ops, op))?,
        scopes: list(rule.scopes, scope)?,
    })
}

fn predicate(predicate: parsed::Predicate) -> Parsed<Predicate> {
    Ok(Predicate {
        name: predicate.name,
        terms: list(predicate.terms, term)?,
    })
}

/// Converts a scope. Keys are copied as bytes, and no curve point is decoded.
fn scope(scope: parsed::Scope) -> Parsed<Scope> {
    match scope {
        parsed::Scope::Authority => Ok(Scope::Authority),
        parsed::Scope::Previous => Ok(Scope::Previous),
        parsed::Scope::PublicKey(key) => {
            let algorithm = match key.algorithm {
                parsed::Algorithm::Ed25519 => Algorithm::Ed25519,
                parsed::Algorithm::Secp256r1 => Algorithm::Secp256r1,
            };
            Ok(Scope::PublicKey(ScopeKey::new(algorithm, &key.key)))
        }
        // The parser accepts parameters, but a policy is read without values for them.
        parsed::Scope::Parameter(name) => Err(no_value(&name)),
    }
}

fn term(parsed: parsed::Term) -> Parsed<Term> {
    Ok(match parsed {
        parsed::Term::Variable(name) => Term::Variable(name),
        parsed::Term::Integer(value) => Term::Integer(value),
        parsed::Term::Str(text) => Term::Str(text),
        parsed::Term::Date(seconds) => Term::Date(seconds),
        parsed::Term::Bytes(bytes) => Term::Bytes(bytes),
        parsed::Term::Bool(value) => Term::Bool(value),
        parsed::Term::Null => Term::Null,
        parsed::Term::Set(terms) => Term::Set(list(terms, term)?),
        parsed::Term::Array(terms) => Term::Array(list(terms, term)?),
        parsed::Term::Map(entries) => Term::Map(list(entries, |(key, value)| {
            let key = match key {
                parsed::MapKey::Integer(key) => MapKey::Integer(key),
                parsed::MapKey::Str(key) => MapKey::Str(key),
                parsed::MapKey::Parameter(name) => return Err(no_value(&name)),
            };
            Ok((key, term(value)?))
        })?),
        parsed::Term::Parameter(name) => return Err(no_value(&name)),
    })
}

fn no_value(parameter: &str) -> String {
    format!("the parameter `{parameter}` has no value")
}

fn op(parsed: parsed::Op) -> Parsed<Op> {
    Ok(match parsed {
        parsed::Op::Value(value) => Op::Value(term(value)?),
        parsed::Op::Unary(operator) => Op::Unary(unary(operator)),
        parsed::Op::Binary(operator) => Op::Binary(binary(operator)),
        parsed::Op::Closure(params, ops) => Op::Closure(params, list(ops, op)?),
    })
}

fn unary(parsed: parsed::Unary) -> Unary {
    match parsed {
        parsed::Unary::Negate => Unary::Negate,
        parsed::Unary::Parens => Unary::Parens,
        parsed::Unary::Length => Unary::Length,
        parsed::Unary::TypeOf => Unary::TypeOf,
        parsed::Unary::Ffi(name) => Unary::Ffi(name),
    }
}

fn binary(parsed: parsed::Binary) -> Binary {
    match parsed {
        parsed::Binary::LessThan => Binary::LessThan,
        parsed::Binary::GreaterThan => Binary::GreaterThan,
        parsed::Binary::LessOrEqual => Binary::LessOrEqual,
        parsed::Binary::GreaterOrEqual => Binary::GreaterOrEqual,
        parsed::Binary::Equal => Binary::Equal,
        parsed::Binary::Contains => Binary::Contains,
        parsed::Binary::Prefix => Binary::Prefix,
        parsed::Binary::Suffix => Binary::Suffix,
        parsed::Binary::Regex => Binary::Regex,
        parsed::Binary::Add => Binary::Add,
        parsed::Binary::Sub => Binary::Sub,
        parsed::Binary::Mul => Binary::Mul,
        parsed::Binary::Div => Binary::Div,
        parsed::Binary::And => Binary::And,
        parsed::Binary::Or => Binary::Or,
        parsed::Binary::Intersection => Binary::Intersection,
        parsed::Binary::Union => Binary::Union,
        parsed::Binary::BitwiseAnd => Binary::BitwiseAnd,
        parsed::Binary::BitwiseOr => Binary::BitwiseOr,
        parsed::Binary::BitwiseXor => Binary::BitwiseXor,
        parsed::Binary::NotEqual => Binary::NotEqual,
        parsed::Binary::HeterogeneousEqual => Binary::HeterogeneousEqual,
        parsed::Binary::HeterogeneousNotEqual => Binary::HeterogeneousNotEqual,
        parsed::Binary::LazyAnd => Binary::LazyAnd,
        parsed::Binary::LazyOr => Binary::LazyOr,
        parsed::Binary::All => Binary::All,
        parsed::Binary::Any => Binary::Any,
        parsed::Binary::Get => Binary::Get,
        parsed::Binary::TryOr => Binary::TryOr,
        parsed::Binary::Ffi(name) => Binary::Ffi(name),
    }
}
