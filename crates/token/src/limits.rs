//! How large a token of the profile may be.

use biscuit_auth::builder::{Op, Predicate, Term};

use crate::{
    datalog::{Block, Query},
    token::Token,
};

/// Bounds on the structure of a token, checked before anything is evaluated.
///
/// The defaults are those of the profile. A holder and an issuer make no token beyond them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// bytes of the decoded container
    pub token_bytes: usize,
    /// blocks, the authority block included
    pub blocks: usize,
    /// grants and alternatives of checks, in all blocks together
    pub alternatives: usize,
    /// facts, rules and checks, in all blocks together
    pub statements: usize,
    /// predicates in one body
    pub predicates: usize,
    /// operations in one expression, closures included
    pub operations: usize,
    /// bytes of all strings and terms once symbols are resolved
    pub resolved_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            token_bytes: 8 * 1024,
            blocks: 16,
            alternatives: 64,
            statements: 512,
            predicates: 16,
            operations: 256,
            resolved_bytes: 64 * 1024,
        }
    }
}

/// A token is larger than its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has {found} {what}, at most {limit} are allowed")]
pub struct LimitError {
    /// What there is too much of.
    pub what: &'static str,
    /// How much there is.
    pub found: usize,
    /// How much there may be.
    pub limit: usize,
}

impl Limits {
    /// Whether `token` is within all limits.
    ///
    /// # Errors
    /// Names the first limit that it is beyond.
    pub fn check(&self, token: &Token) -> Result<(), LimitError> {
        let blocks = token.blocks();
        let sum =
            |count: fn(&Block) -> usize| blocks.iter().map(count).fold(0, usize::saturating_add);
        let most = |count: fn(&Query) -> usize| {
            blocks
                .iter()
                .flat_map(queries)
                .map(count)
                .max()
                .unwrap_or(0)
        };
        let alternatives = |block: &Block| {
            let in_checks = block.checks.iter().map(|check| check.queries.len());
            in_checks.fold(block.rules.len(), usize::saturating_add)
        };
        let statements = |block: &Block| {
            [block.rules.len(), block.checks.len()]
                .into_iter()
                .fold(block.facts.len(), usize::saturating_add)
        };
        let operations = |query: &Query| {
            query
                .expressions
                .iter()
                .map(|ops| operations(ops))
                .max()
                .unwrap_or(0)
        };
        for (what, found, limit) in [
            ("bytes", token.as_bytes().len(), self.token_bytes),
            ("blocks", blocks.len(), self.blocks),
            (
                "grants and alternatives",
                sum(alternatives),
                self.alternatives.saturating_add(fixed_checks(token)),
            ),
            ("facts, rules and checks", sum(statements), self.statements),
            (
                "predicates in one body",
                most(|query| query.body.len()),
                self.predicates,
            ),
            (
                "expressions in one body",
                most(|query| query.expressions.len()),
                self.operations,
            ),
            (
                "operations in one expression",
                most(operations),
                self.operations,
            ),
            (
                "bytes when its symbols are resolved",
                sum(resolved_bytes),
                self.resolved_bytes,
            ),
        ] {
            if found > limit {
                return Err(LimitError { what, found, limit });
            }
        }
        Ok(())
    }
}

/// Limits in time and depth are checks too; they are no alternatives that a holder spends.
fn fixed_checks(token: &Token) -> usize {
    let checks = token.blocks().iter().flat_map(|block| &block.checks);
    checks
        .filter(|check| crate::datalog::is_limit(check))
        .count()
}

fn queries(block: &Block) -> impl Iterator<Item = &Query> {
    let of_checks = block.checks.iter().flat_map(|check| &check.queries);
    block.rules.iter().map(|rule| &rule.query).chain(of_checks)
}

fn operations(ops: &[Op]) -> usize {
    ops.iter().fold(0, |count, op| {
        let inner = match op {
            Op::Closure(_, ops) => operations(ops),
            _ => 0,
        };
        count.saturating_add(inner).saturating_add(1)
    })
}

/// A small token can name one long string many times.
fn resolved_bytes(block: &Block) -> usize {
    let heads = block.rules.iter().map(|rule| &rule.head);
    let bodies = queries(block).flat_map(|query| &query.body);
    let predicates = block
        .facts
        .iter()
        .chain(heads)
        .chain(bodies)
        .map(predicate_bytes);
    let ops = queries(block)
        .flat_map(|query| &query.expressions)
        .map(|ops| ops_bytes(ops));
    predicates.chain(ops).fold(0, usize::saturating_add)
}

fn predicate_bytes(predicate: &Predicate) -> usize {
    predicate
        .terms
        .iter()
        .map(term_bytes)
        .fold(predicate.name.len(), usize::saturating_add)
}

fn ops_bytes(ops: &[Op]) -> usize {
    let bytes = ops.iter().map(|op| match op {
        Op::Value(term) => term_bytes(term),
        Op::Closure(_, ops) => ops_bytes(ops),
        _ => 1,
    });
    bytes.fold(0, usize::saturating_add)
}

fn term_bytes(term: &Term) -> usize {
    let sum = |terms: &mut dyn Iterator<Item = &Term>| {
        terms.map(term_bytes).fold(1, usize::saturating_add)
    };
    match term {
        Term::Str(text) | Term::Variable(text) | Term::Parameter(text) => text.len(),
        Term::Bytes(bytes) => bytes.len(),
        Term::Set(set) => sum(&mut set.iter()),
        Term::Array(terms) => sum(&mut terms.iter()),
        Term::Map(map) => sum(&mut map.values()),
        Term::Integer(_) | Term::Date(_) | Term::Bool(_) | Term::Null => 8,
    }
}
