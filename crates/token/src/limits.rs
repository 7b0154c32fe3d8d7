//! How large a token of the profile may be.

use bailiwick_biscuit::datalog::code::{Block, Code, Query};

use crate::{datalog, token::Token};

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
    /// terms of one predicate
    pub terms: usize,
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
            terms: 16,
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
        let code = token.code();
        let sum = |count: fn(&Code, &Block) -> usize| {
            let counts = code.blocks.iter().map(|block| count(code, block));
            counts.fold(0, usize::saturating_add)
        };
        let most = |count: fn(&Code, &Query) -> usize| {
            let bodies = code.blocks.iter().flat_map(|block| code.bodies(block));
            bodies.map(|query| count(code, query)).max().unwrap_or(0)
        };
        for (what, found, limit) in [
            ("bytes", token.as_bytes().len(), self.token_bytes),
            ("blocks", code.blocks.len(), self.blocks),
            (
                "grants and alternatives",
                sum(alternatives),
                self.alternatives.saturating_add(sum(fixed_checks)),
            ),
            ("facts, rules and checks", sum(statements), self.statements),
            (
                "predicates in one body",
                most(|_, query| query.body.len()),
                self.predicates,
            ),
            (
                "terms of one predicate",
                code.longest_predicate(),
                self.terms,
            ),
            (
                "expressions in one body",
                most(|_, query| query.expressions.len()),
                self.operations,
            ),
            (
                "operations in one expression",
                most(operations),
                self.operations,
            ),
            (
                "bytes when its symbols are resolved",
                code.resolved_bytes(),
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

fn alternatives(code: &Code, block: &Block) -> usize {
    code.bodies(block).count()
}

/// Limits in time and depth are checks too; they are no alternatives that a holder spends.
fn fixed_checks(code: &Code, block: &Block) -> usize {
    let checks = code.checks(block).iter();
    checks
        .filter(|check| datalog::limit(code, check).is_some())
        .count()
}

fn statements(code: &Code, block: &Block) -> usize {
    [code.facts(block).len(), code.rules(block).len()]
        .into_iter()
        .fold(code.checks(block).len(), usize::saturating_add)
}

/// Of the longest expression, closures included.
fn operations(code: &Code, query: &Query) -> usize {
    code.expressions(query).map(<[_]>::len).max().unwrap_or(0)
}
