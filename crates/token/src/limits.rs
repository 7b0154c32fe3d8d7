//! Limits on the size and structure of a token of the profile.

use std::collections::BTreeSet;

use bailiwick_biscuit::datalog::code::{Block, Code, Query};

use crate::{
    condition::{Condition, MAX_PATTERNS, Test},
    datalog::{self, Native},
    token::Token,
};

/// Limits on the structure of a token, checked before anything is evaluated.
///
/// The defaults are the limits of the profile. Issuers and holders make no token that exceeds these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLimits {
    /// Maximum size of the decoded container, in bytes.
    pub token_bytes: usize,
    /// Maximum number of blocks, including the authority block.
    pub blocks: usize,
    /// Maximum number of grants and alternatives of checks in all blocks together.
    pub alternatives: usize,
    /// Maximum number of facts, rules and checks in all blocks together.
    pub statements: usize,
    /// Maximum number of predicates in one body.
    pub predicates: usize,
    /// Maximum number of terms of one predicate.
    pub terms: usize,
    /// Maximum number of operations in one expression, including its closures, and of expressions in one body.
    pub operations: usize,
    /// Maximum total size of strings and terms once symbols are resolved, in bytes.
    pub resolved_bytes: usize,
    /// Maximum number of different patterns in conditions `matches`.
    pub patterns: usize,
}

impl Default for TokenLimits {
    fn default() -> TokenLimits {
        TokenLimits {
            token_bytes: 8 * 1024,
            blocks: 16,
            alternatives: 64,
            statements: 512,
            predicates: 32,
            terms: 16,
            operations: 256,
            resolved_bytes: 64 * 1024,
            patterns: MAX_PATTERNS,
        }
    }
}

/// The error of a token that exceeds a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has {found} {what}, above the limit of {limit}")]
pub struct LimitError {
    /// Name of the quantity that is too large.
    pub what: &'static str,
    /// The quantity in the token.
    pub found: usize,
    /// The maximum quantity.
    pub limit: usize,
}

impl TokenLimits {
    /// Checks that `token` is within all limits.
    ///
    /// # Errors
    /// [`LimitError`] for the first limit that the token exceeds.
    pub fn check(&self, token: &Token) -> Result<(), LimitError> {
        let code = token.code();
        let sum = |count: fn(&Code, &Block) -> usize| {
            // Saturates: a sum that wrapped around would be within the limit.
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
                // Checks that limit time or depth are counted too. They raise the limit by as much, so
                // that an expiry costs a holder no scope.
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
                // A short token can name one long symbol many times, so its size does not bound this.
                "bytes when its symbols are resolved",
                code.resolved_bytes(),
                self.resolved_bytes,
            ),
        ] {
            within(what, found, limit)?;
        }
        // Last: the limits above bound the texts that it parses.
        within("patterns", patterns(code), self.patterns)
    }
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), LimitError> {
    if found > limit {
        return Err(LimitError { what, found, limit });
    }
    Ok(())
}

fn alternatives(code: &Code, block: &Block) -> usize {
    code.bodies(block).count()
}

/// Number of checks that limit time or depth. They do not count as a holder's alternatives.
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

/// Number of operations in the longest expression, including its closures.
fn operations(code: &Code, query: &Query) -> usize {
    code.expressions(query).map(<[_]>::len).max().unwrap_or(0)
}

/// Number of different patterns. A verifier compiles each when a call first needs it, and keeps it.
fn patterns(code: &Code) -> usize {
    let bodies = code.blocks.iter().flat_map(|block| code.bodies(block));
    let natives = bodies.flat_map(|body| datalog::natives(code, body));
    let texts: BTreeSet<(&str, &str)> = natives
        .filter_map(|native| match native {
            Native::Meets { path, text } => Some((text, path)),
            _ => None,
        })
        .collect();
    let tests = texts
        .iter()
        .filter_map(|(text, path)| Test::parse(path, text).ok());
    // A pattern counts once, at however many paths.
    let patterns = tests.filter_map(|test| match test.condition {
        Condition::Matches(pattern) => Some(pattern.as_str().to_owned()),
        _ => None,
    });
    patterns.collect::<BTreeSet<_>>().len()
}
