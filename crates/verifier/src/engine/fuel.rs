//! The most steps that biscuit-auth can take for a decision, counted from the structure alone.
//!
//! It joins by nested scans over all facts: each predicate of a body is tried against every fact,
//! once for every way in which the predicates before it matched. A predicate matches at most the
//! facts of its name and size that agree with its constants, so the product of these counts bounds
//! the ways, and their running sum the scans. A step is roughly ten nanoseconds.
//!
//! It copies what is bound so far with each try, compares constants of any size with each fact of
//! their name, and finds the number of a string by a search through all strings: so the weight of
//! terms and the count of strings are charged as well.
//!
//! Appended blocks hold no rules (`admit` sees to it), so rules run in the authority block only,
//! and derive at most the facts that the bounds here count.

use std::collections::HashMap;

use bailiwick_token::datalog::{Block, Query};
use biscuit_auth::builder::{Binary, Fact, MapKey, Op, Predicate, Term, Unary};

/// What one try of a predicate against the facts costs besides looking at each of them.
const STEPS_PER_SCAN: u64 = 20;

/// What one match of a predicate costs besides the size of what it binds.
const STEPS_PER_MATCH: u64 = 25;

/// What one operation costs besides the size of its operands.
const STEPS_PER_OPERATION: u64 = 5;

/// What a failed or matched alternative costs in bookkeeping.
const STEPS_PER_QUERY: u64 = 20;

/// This many bytes of a string cost a step where it is an operand: it may be copied and searched for.
const BYTES_PER_STEP: usize = 64;

/// This many bytes of two strings are compared in the time of one comparison.
const BYTES_PER_COMPARISON: usize = 128;

/// This many comparisons of two strings cost a step.
const COMPARISONS_PER_STEP: u64 = 10;

/// Whether deciding a call takes at most `limit` steps.
pub(super) fn suffices(limit: u64, blocks: &[Block], request: &[Fact]) -> bool {
    let facts = Facts::new(blocks, request);
    let rules = blocks.iter().flat_map(|block| &block.rules);
    // Rules run once more to see that they derive nothing new; grants feed no rule, since none may
    // match on `grant` and pay less than the fact count below says.
    let rules = rules.map(|rule| facts.query(&rule.query).steps.saturating_mul(2));
    let checks = blocks.iter().flat_map(|block| &block.checks);
    let queries = checks.flat_map(|check| &check.queries);
    let queries = queries.map(|query| facts.query(query).steps);
    // Counting stops where the limit is passed, so that it costs no more than that either.
    let mut total = facts.interning;
    total <= limit
        && rules.chain(queries).all(|steps| {
            total = total.saturating_add(steps);
            total <= limit
        })
}

struct Facts<'a> {
    by_name: HashMap<(&'a str, usize), Vec<Stated<'a>>>,
    /// All facts that a scan may look at, those that rules derive included.
    count: u64,
    /// The rules that may derive facts, each counted as often as it may match.
    derived: u64,
    /// What the terms of any fact can be at most: those that rules derive are copies.
    any: Terms,
    /// Steps to number all strings.
    interning: u64,
    /// Steps to find the number of one more string.
    search: u64,
}

/// A fact, and what each of its terms is.
struct Stated<'a> {
    fact: &'a Predicate,
    terms: Vec<Terms>,
}

/// A body's bounds.
struct Bounds {
    steps: u64,
    matches: u64,
}

/// What the terms that a variable can be bound to are at most.
#[derive(Clone, Copy, Default)]
struct Terms {
    /// The heaviest, in steps to copy it.
    weight: u64,
    /// The heaviest element of any.
    element: u64,
    /// The longest string in any, in bytes.
    longest: usize,
}

impl Terms {
    fn of(term: &Term) -> Terms {
        Terms {
            weight: weight(term),
            element: heaviest_element(term),
            longest: longest(term),
        }
    }

    fn most(self, other: Terms) -> Terms {
        Terms {
            weight: self.weight.max(other.weight),
            element: self.element.max(other.element),
            longest: self.longest.max(other.longest),
        }
    }
}

/// The facts that a predicate of a body can match.
struct Matching {
    count: u64,
    /// What its variables can be bound to.
    bound: Terms,
    /// Steps to copy all that one match binds.
    copied: u64,
}

impl<'a> Facts<'a> {
    fn new(blocks: &'a [Block], request: &'a [Fact]) -> Facts<'a> {
        let all: Vec<&Predicate> = blocks
            .iter()
            .flat_map(|block| &block.facts)
            .chain(request.iter().map(|fact| &fact.predicate))
            .collect();
        let strings = Strings::of(blocks, &all);
        let mut facts = Facts {
            count: all.len() as u64,
            derived: 0,
            any: Terms::default(),
            interning: strings.comparisons.div_ceil(COMPARISONS_PER_STEP),
            search: strings.known.len() as u64 / COMPARISONS_PER_STEP,
            by_name: HashMap::new(),
        };
        for fact in all {
            let terms: Vec<Terms> = fact.terms.iter().map(Terms::of).collect();
            facts.any = terms.iter().copied().fold(facts.any, Terms::most);
            facts
                .by_name
                .entry((&fact.name, fact.terms.len()))
                .or_default()
                .push(Stated { fact, terms });
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
        let mut bound = Terms::default();
        let mut copied: u64 = 0;
        for predicate in &query.body {
            let scan = self
                .count
                .saturating_add(STEPS_PER_SCAN)
                .saturating_add(self.constants(predicate));
            steps = steps.saturating_add(matches.saturating_mul(scan));
            let matching = self.matching(predicate);
            matches = matches.saturating_mul(matching.count);
            bound = bound.most(matching.bound);
            copied = copied.saturating_add(matching.copied);
            let each = copied.saturating_add(STEPS_PER_MATCH);
            steps = steps.saturating_add(matches.saturating_mul(each));
        }
        let expressions = query
            .expressions
            .iter()
            .map(|ops| self.expression(ops, bound, copied))
            .fold(0, u64::saturating_add);
        steps = steps.saturating_add(matches.saturating_mul(expressions));
        Bounds { steps, matches }
    }

    fn stated<'s>(&'s self, predicate: &'s Predicate) -> &'s [Stated<'a>] {
        self.by_name
            .get(&(predicate.name.as_str(), predicate.terms.len()))
            .map_or(&[], Vec::as_slice)
    }

    /// Steps to compare a predicate's constants with every fact of its name; scalars are free.
    fn constants(&self, predicate: &Predicate) -> u64 {
        let heavy = predicate
            .terms
            .iter()
            .map(|term| weight(term).saturating_sub(1));
        let facts = self.stated(predicate).len() as u64;
        heavy
            .fold(0, u64::saturating_add)
            .saturating_mul(facts.saturating_add(1))
    }

    /// How many facts can match a predicate at most, and what they bind.
    fn matching(&self, predicate: &Predicate) -> Matching {
        let agrees = |stated: &&Stated<'_>| {
            let mut pairs = predicate.terms.iter().zip(&stated.fact.terms);
            pairs.all(|(wanted, found)| matches!(wanted, Term::Variable(_)) || wanted == found)
        };
        let mut matching = Matching {
            count: 0,
            bound: Terms::default(),
            copied: 0,
        };
        for stated in self.stated(predicate).iter().filter(agrees) {
            matching.count = matching.count.saturating_add(1);
            let pairs = predicate.terms.iter().zip(&stated.terms);
            let bound = pairs.filter(|(wanted, _)| matches!(wanted, Term::Variable(_)));
            let mut copied: u64 = 0;
            for (_, terms) in bound {
                copied = copied.saturating_add(terms.weight);
                matching.bound = matching.bound.most(*terms);
            }
            matching.copied = matching.copied.max(copied);
        }
        // Every rule derives grants; a body that matches on them may see each.
        if predicate.name == bailiwick_token::datalog::names::GRANT {
            matching.count = matching.count.saturating_add(self.derived);
            matching.bound = matching.bound.most(self.any);
            matching.copied = matching.copied.max(self.any.weight);
        }
        matching
    }

    /// One evaluation, where variables are bound to `bound` at most, and all of them together take
    /// `copied` steps to copy.
    fn expression(&self, ops: &[Op], bound: Terms, copied: u64) -> u64 {
        let own = ops.iter().filter_map(|op| match op {
            Op::Value(term) => Some(longest(term)),
            _ => None,
        });
        let longest = own.max().unwrap_or(0).max(bound.longest);
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
        let operand = bound
            .weight
            .max(own)
            .saturating_mul(unions.saturating_add(1));
        let element = Terms {
            weight: bound.element,
            element: bound.element,
            ..bound
        };
        let mut steps: u64 = 0;
        for op in ops {
            let step = match op {
                Op::Value(Term::Variable(_)) => bound.weight,
                Op::Value(term) => weight(term),
                // The name of the type, or the sum, is a string that is looked for among all.
                Op::Unary(Unary::TypeOf) | Op::Binary(Binary::Add) => {
                    string.saturating_add(operand).saturating_add(self.search)
                }
                Op::Unary(_) => operand,
                Op::Binary(_) => string.saturating_add(operand),
                // `admit` lets no closure hold another, so this recurses once; it runs once an element.
                Op::Closure(_, body) => bound
                    .weight
                    .saturating_mul(self.expression(body, element, copied))
                    .saturating_add(copied),
            };
            steps = steps
                .saturating_add(step)
                .saturating_add(STEPS_PER_OPERATION);
        }
        steps
    }
}

/// The strings of token and request, numbered in the order in which biscuit-auth meets them.
#[derive(Default)]
struct Strings<'a> {
    known: HashMap<&'a str, u64>,
    /// How many comparisons with known strings that takes.
    comparisons: u64,
}

impl<'a> Strings<'a> {
    fn of(blocks: &'a [Block], facts: &[&'a Predicate]) -> Strings<'a> {
        let mut strings = Strings::default();
        facts.iter().for_each(|fact| strings.predicate(fact));
        for block in blocks {
            let of_checks = block.checks.iter().flat_map(|check| &check.queries);
            let rules = block.rules.iter();
            for rule in rules.clone() {
                strings.predicate(&rule.head);
            }
            for query in rules.map(|rule| &rule.query).chain(of_checks) {
                query
                    .body
                    .iter()
                    .for_each(|predicate| strings.predicate(predicate));
                query.expressions.iter().for_each(|ops| strings.ops(ops));
            }
        }
        strings
    }

    fn add(&mut self, text: &'a str) {
        let count = self.known.len() as u64;
        let place = *self.known.entry(text).or_insert(count);
        // Strings of one length are compared byte by byte as far as they agree.
        let bytes = text.len().div_ceil(BYTES_PER_COMPARISON) as u64;
        self.comparisons = self.comparisons.saturating_add(place.saturating_mul(bytes));
    }

    fn predicate(&mut self, predicate: &'a Predicate) {
        self.add(&predicate.name);
        predicate.terms.iter().for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &'a Term) {
        match term {
            Term::Str(text) | Term::Variable(text) => self.add(text),
            Term::Set(set) => set.iter().for_each(|term| self.term(term)),
            Term::Array(terms) => terms.iter().for_each(|term| self.term(term)),
            Term::Map(map) => {
                for (key, value) in map {
                    if let MapKey::Str(text) = key {
                        self.add(text);
                    }
                    self.term(value);
                }
            }
            _ => {}
        }
    }

    fn ops(&mut self, ops: &'a [Op]) {
        for op in ops {
            match op {
                Op::Value(term) => self.term(term),
                Op::Closure(params, ops) => {
                    params.iter().for_each(|param| self.add(param));
                    self.ops(ops);
                }
                _ => {}
            }
        }
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

/// The heaviest of a collection's elements, in steps; an entry of a map is a pair.
fn heaviest_element(term: &Term) -> u64 {
    let most = |terms: &mut dyn Iterator<Item = &Term>| terms.map(weight).max().unwrap_or(0);
    match term {
        Term::Set(set) => most(&mut set.iter()),
        Term::Array(terms) => most(&mut terms.iter()),
        Term::Map(map) => most(&mut map.values()).saturating_add(2),
        _ => 0,
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
