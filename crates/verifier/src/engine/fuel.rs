//! The most steps that biscuit-auth can take for a decision, counted from the structure alone.
//!
//! It joins by nested scans over all facts: each predicate of a body is tried against every fact,
//! once for every way in which the predicates before it matched. A predicate matches at most the
//! facts of its name and size that agree with its constants, so the product of these counts bounds
//! the ways, and their running sum the scans. A step is roughly ten nanoseconds.
//!
//! Appended blocks hold no rules (`admit` sees to it), so rules run in the authority block only,
//! and derive at most the facts that the bounds here count.

use std::collections::HashMap;

use bailiwick_token::datalog::{Block, Query};
use biscuit_auth::builder::{Binary, Fact, Op, Predicate, Term};

/// What one try of a predicate against the facts costs besides looking at each of them.
const STEPS_PER_SCAN: u64 = 20;

/// What one operation costs besides the size of its operands.
const STEPS_PER_OPERATION: u64 = 5;

/// What a failed or matched alternative costs in bookkeeping.
const STEPS_PER_QUERY: u64 = 20;

/// This many bytes of a string cost a step.
const BYTES_PER_STEP: usize = 128;

pub(super) fn cost(blocks: &[Block], request: &[Fact]) -> u64 {
    let facts = Facts::new(blocks, request);
    let queries = |block: &Block| -> u64 {
        let of_checks = block.checks.iter().flat_map(|check| &check.queries);
        of_checks
            .map(|query| facts.query(query).steps)
            .fold(0, u64::saturating_add)
    };
    let rules = blocks.iter().flat_map(|block| &block.rules);
    let rules = rules
        .map(|rule| facts.query(&rule.query).steps)
        .fold(0, u64::saturating_add);
    let checks = blocks.iter().map(queries).fold(0, u64::saturating_add);
    // Rules run once more to see that they derive nothing new; grants feed no rule, since none may
    // match on `grant` and pay less than the fact count below says.
    rules.saturating_mul(2).saturating_add(checks)
}

struct Facts<'a> {
    by_name: HashMap<(&'a str, usize), Vec<&'a Predicate>>,
    /// All facts that a scan may look at, those that rules derive included.
    count: u64,
    /// The rules that may derive facts, each counted as often as it may match.
    derived: u64,
    /// The heaviest term of any fact, in steps to copy it.
    heaviest: u64,
    /// The longest string of any fact, in bytes.
    longest: usize,
}

/// A body's bounds.
struct Bounds {
    steps: u64,
    matches: u64,
}

impl<'a> Facts<'a> {
    fn new(blocks: &'a [Block], request: &'a [Fact]) -> Facts<'a> {
        let all: Vec<&Predicate> = blocks
            .iter()
            .flat_map(|block| &block.facts)
            .chain(request.iter().map(|fact| &fact.predicate))
            .collect();
        let terms = || all.iter().flat_map(|fact| &fact.terms);
        let mut facts = Facts {
            count: all.len() as u64,
            derived: 0,
            heaviest: terms().map(weight).max().unwrap_or(0),
            longest: terms().map(longest).max().unwrap_or(0),
            by_name: HashMap::new(),
        };
        for fact in all {
            facts
                .by_name
                .entry((&fact.name, fact.terms.len()))
                .or_default()
                .push(fact);
        }
        let rules = blocks.iter().flat_map(|block| &block.rules);
        facts.derived = rules
            .map(|rule| facts.query(&rule.query).matches)
            .fold(0, u64::saturating_add);
        facts.count = facts.count.saturating_add(facts.derived);
        facts
    }

    fn query(&self, query: &Query) -> Bounds {
        let mut steps = STEPS_PER_QUERY;
        let mut matches: u64 = 1;
        for predicate in &query.body {
            let scan = self.count.saturating_add(STEPS_PER_SCAN);
            steps = steps.saturating_add(matches.saturating_mul(scan));
            matches = matches.saturating_mul(self.matching(predicate));
        }
        let expressions = query
            .expressions
            .iter()
            .map(|ops| self.expression(ops))
            .fold(0, u64::saturating_add);
        steps = steps.saturating_add(matches.saturating_mul(expressions));
        Bounds { steps, matches }
    }

    /// How many facts can match a predicate at most.
    fn matching(&self, predicate: &Predicate) -> u64 {
        let stated = self
            .by_name
            .get(&(predicate.name.as_str(), predicate.terms.len()));
        let agrees = |fact: &&&Predicate| {
            let mut pairs = predicate.terms.iter().zip(&fact.terms);
            pairs.all(|(wanted, found)| matches!(wanted, Term::Variable(_)) || wanted == found)
        };
        let stated = stated.map_or(0, |facts| facts.iter().filter(agrees).count() as u64);
        // Every rule derives grants; a body that matches on them may see each.
        let derives = predicate.name == bailiwick_token::datalog::names::GRANT;
        if derives {
            stated.saturating_add(self.derived)
        } else {
            stated
        }
    }

    fn expression(&self, ops: &[Op]) -> u64 {
        let own = ops.iter().filter_map(|op| match op {
            Op::Value(term) => Some(longest(term)),
            _ => None,
        });
        let longest = own.max().unwrap_or(0).max(self.longest);
        // Every addition may join two strings, so operands can grow to the sum of all.
        let additions = ops
            .iter()
            .filter(|op| matches!(op, Op::Binary(Binary::Add)))
            .count();
        let string = longest
            .saturating_mul(additions.saturating_add(1))
            .div_ceil(BYTES_PER_STEP) as u64;
        // Sets can be united, so the same holds for them.
        let unions = ops
            .iter()
            .filter(|op| matches!(op, Op::Binary(Binary::Union)))
            .count() as u64;
        let own = ops
            .iter()
            .map(|op| {
                if let Op::Value(term) = op {
                    weight(term)
                } else {
                    0
                }
            })
            .max()
            .unwrap_or(0);
        let operand = self
            .heaviest
            .max(own)
            .saturating_mul(unions.saturating_add(1));
        let mut steps: u64 = 0;
        for op in ops {
            let step = match op {
                Op::Value(Term::Variable(_)) => self.heaviest,
                Op::Value(term) => weight(term),
                Op::Unary(_) => operand,
                Op::Binary(_) => string.saturating_add(operand),
                // `admit` lets no closure hold another, so this recurses once; it runs once an element.
                Op::Closure(_, body) => self.heaviest.saturating_mul(self.expression(body)),
            };
            steps = steps
                .saturating_add(step)
                .saturating_add(STEPS_PER_OPERATION);
        }
        steps
    }
}

/// Steps to copy a term: one for each scalar in it. Strings are copied as numbers.
fn weight(term: &Term) -> u64 {
    let sum =
        |terms: &mut dyn Iterator<Item = &Term>| terms.map(weight).fold(1, u64::saturating_add);
    match term {
        Term::Set(set) => sum(&mut set.iter()),
        Term::Array(terms) => sum(&mut terms.iter()),
        Term::Map(map) => sum(&mut map.values()),
        Term::Bytes(bytes) => bytes.len().div_ceil(BYTES_PER_STEP).saturating_add(1) as u64,
        _ => 1,
    }
}

/// The longest string or byte string in a term, in bytes.
fn longest(term: &Term) -> usize {
    let most = |terms: &mut dyn Iterator<Item = &Term>| terms.map(longest).max().unwrap_or(0);
    match term {
        Term::Str(text) => text.len(),
        Term::Bytes(bytes) => bytes.len(),
        Term::Set(set) => most(&mut set.iter()),
        Term::Array(terms) => most(&mut terms.iter()),
        Term::Map(map) => most(&mut map.values()),
        _ => 0,
    }
}
