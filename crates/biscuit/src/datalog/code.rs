//! A token's Datalog in the form that the engine evaluates: names are numbers, and each list is a range of one
//! of a few long lists. Decoding takes a few allocations per token rather than one per term.

use std::cmp::Ordering;

use super::{Kind, Scope, ScopeKey};

/// The blocks of a token, beginning with the authority block.
#[derive(Clone, Default)]
pub struct Code {
    /// The blocks, beginning with the authority block.
    pub blocks: Vec<Block>,
    /// The token's own symbols, concatenated; `ends` holds the end of each.
    pub(super) text: String,
    pub(super) ends: Vec<u32>,
    pub(super) bytes: Vec<u8>,
    pub(super) terms: Vec<Term>,
    pub(super) params: Vec<Symbol>,
    pub(super) ops: Vec<Op>,
    pub(super) expressions: Vec<Span>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) facts: Vec<Predicate>,
    pub(super) queries: Vec<Query>,
    pub(super) rules: Vec<Rule>,
    pub(super) checks: Vec<Check>,
    pub(super) scopes: Vec<Scope>,
    /// Number of bytes of all names and strings, counting each occurrence, plus one for each term and step.
    pub(super) resolved: usize,
}

/// A name or a string, which is either defined by the specification or one of the token's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub(super) u32);

/// The lengths of a token's lists.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is named after what it counts")]
pub struct Size {
    pub predicates: usize,
    pub terms: usize,
    pub ops: usize,
    pub expressions: usize,
    pub queries: usize,
}

/// A part of one of the token's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// A value or a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Term {
    /// A variable, bound by predicates.
    Variable(Symbol),
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Str(Symbol),
    /// A time, in seconds since 1970-01-01T00:00:00Z.
    Date(u64),
    /// A byte string.
    Bytes(Span),
    /// A boolean.
    Bool(bool),
    /// A set: its unique terms, in order.
    Set(Span),
    /// The null value.
    Null,
    /// An array, as its terms.
    Array(Span),
    /// A map: its keys and values alternate, sorted by key, and each key is unique.
    Map(Span),
}

/// A name with its terms.
#[derive(Debug, Clone, Copy)]
pub struct Predicate {
    /// Name of the predicate.
    pub name: Symbol,
    /// Terms of the predicate.
    pub terms: Span,
}

/// One step of an expression, in postfix order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Pushes a value onto the stack.
    Value(Term),
    /// Pops one value and pushes the result.
    Unary(Unary),
    /// Pops two values and pushes the result.
    Binary(Binary),
    /// Pushes a closure, whose body is the `length` steps that follow.
    Closure {
        /// The names of the closure's parameters.
        params: Span,
        /// Number of steps in the body, including those of closures inside it.
        length: u32,
    },
}

/// Operations on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum Unary {
    Negate,
    Parens,
    Length,
    TypeOf,
    Ffi(Symbol),
}

/// Operations on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum Binary {
    LessThan,
    GreaterThan,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
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
    Intersection,
    Union,
    BitwiseAnd,
    BitwiseOr,
    BitwiseXor,
    NotEqual,
    HeterogeneousEqual,
    HeterogeneousNotEqual,
    LazyAnd,
    LazyOr,
    All,
    Any,
    Get,
    TryOr,
    Ffi(Symbol),
}

/// The body of a rule, or one alternative of a check.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query {
    /// Predicates to be matched together.
    pub body: Span,
    /// Expressions that must hold.
    pub expressions: Span,
    /// The `trusting` clause; empty if there is none.
    pub scopes: Span,
}

/// A rule: its head holds for every match of its body.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The predicate that the rule derives.
    pub head: Predicate,
    /// The condition under which the rule derives its head.
    pub query: Query,
}

/// A check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The kind of check, which decides how its queries must match.
    pub kind: Kind,
    /// The alternatives of the check.
    pub queries: Span,
}

/// A block.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// The version of Datalog that the block declares: 3 for 3.0, up to 6 for 3.3.
    pub version: u32,
    /// Free text attached by the writer of the block.
    pub context: Option<String>,
    /// The key of the third party that signed the block; `None` for a first-party block.
    pub external_key: Option<ScopeKey>,
    /// Public keys that the block adds to the table of keys. Scopes refer to a key by its number in that table.
    pub public_keys: Vec<ScopeKey>,
    pub(super) scopes: Span,
    pub(super) facts: Span,
    pub(super) rules: Span,
    pub(super) checks: Span,
}

impl Span {
    /// Number of elements.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Returns true if there are no elements.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start.saturating_add(self.len as usize)
    }
}

fn part<T>(list: &[T], span: Span) -> &[T] {
    // In range by construction, because `since` makes the spans. A span of another token must not panic.
    list.get(span.range()).unwrap_or_default()
}

/// The part of `list` from `start` to its end.
pub(super) fn since<T>(list: &[T], start: usize) -> Span {
    // Tokens are limited to sizes that 32 bits can count.
    Span {
        start: start as u32,
        len: list.len().saturating_sub(start) as u32,
    }
}

impl Symbol {
    /// Index of the symbol in a table of [`Code::symbol_count`] entries, one for each symbol.
    #[must_use]
    pub fn index(self) -> usize {
        match (self.0 as usize).checked_sub(FIRST_OWN) {
            Some(own) => own.saturating_add(DEFAULT.len()),
            None => self.0 as usize,
        }
    }
}

impl Code {
    /// The string of a symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        match (symbol.0 as usize).checked_sub(FIRST_OWN) {
            None => DEFAULT.get(symbol.0 as usize).copied().unwrap_or_default(),
            Some(own) => {
                let start = own
                    .checked_sub(1)
                    .and_then(|before| self.ends.get(before))
                    .map_or(0, |end| *end as usize);
                let end = self.ends.get(own).map_or(start, |end| *end as usize);
                self.text.get(start..end).unwrap_or_default()
            }
        }
    }

    /// Number of symbols, including those that the specification defines.
    #[must_use]
    pub fn symbol_count(&self) -> usize {
        self.ends.len().saturating_add(DEFAULT.len())
    }

    /// Adds one of the token's own symbols.
    pub(super) fn add_symbol(&mut self, text: &str) -> Symbol {
        let symbol = Symbol(self.ends.len().saturating_add(FIRST_OWN) as u32);
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        symbol
    }

    pub(super) fn add_scopes(&mut self, scopes: Vec<Scope>) -> Span {
        let start = self.scopes.len();
        self.scopes.extend(scopes);
        since(&self.scopes, start)
    }

    /// The bytes of a term.
    #[must_use]
    pub fn bytes(&self, span: Span) -> &[u8] {
        part(&self.bytes, span)
    }

    /// The terms of a predicate or a container.
    #[must_use]
    pub fn terms(&self, span: Span) -> &[Term] {
        part(&self.terms, span)
    }

    /// The names of a closure's parameters.
    #[must_use]
    pub fn params(&self, span: Span) -> &[Symbol] {
        part(&self.params, span)
    }

    /// The predicates of a body.
    #[must_use]
    pub fn body(&self, query: &Query) -> &[Predicate] {
        part(&self.predicates, query.body)
    }

    /// The expressions of a body, each as its steps.
    pub fn expressions(&self, query: &Query) -> impl Iterator<Item = &[Op]> {
        part(&self.expressions, query.expressions)
            .iter()
            .map(|span| part(&self.ops, *span))
    }

    /// The `trusting` clause of a body; empty if it has none.
    #[must_use]
    pub fn scopes(&self, query: &Query) -> &[Scope] {
        part(&self.scopes, query.scopes)
    }

    /// The alternatives of a check.
    #[must_use]
    pub fn queries(&self, check: &Check) -> &[Query] {
        part(&self.queries, check.queries)
    }

    /// The `trusting` clause of a block; empty if it has none.
    #[must_use]
    pub fn block_scopes(&self, block: &Block) -> &[Scope] {
        part(&self.scopes, block.scopes)
    }

    /// The facts of a block.
    #[must_use]
    pub fn facts(&self, block: &Block) -> &[Predicate] {
        part(&self.facts, block.facts)
    }

    /// The rules of a block.
    #[must_use]
    pub fn rules(&self, block: &Block) -> &[Rule] {
        part(&self.rules, block.rules)
    }

    /// The checks of a block.
    #[must_use]
    pub fn checks(&self, block: &Block) -> &[Check] {
        part(&self.checks, block.checks)
    }

    /// The bodies of a block's rules, and the alternatives of its checks.
    pub fn bodies(&self, block: &Block) -> impl Iterator<Item = &Query> {
        let of_checks = self
            .checks(block)
            .iter()
            .flat_map(|check| self.queries(check));
        self.rules(block)
            .iter()
            .map(|rule| &rule.query)
            .chain(of_checks)
    }

    /// The lengths of the lists.
    #[must_use]
    pub fn size(&self) -> Size {
        Size {
            predicates: self.predicates.len(),
            terms: self.terms.len(),
            ops: self.ops.len(),
            expressions: self.expressions.len(),
            queries: self.queries.len(),
        }
    }

    /// The largest number of terms in any predicate.
    #[must_use]
    pub fn longest_predicate(&self) -> usize {
        // Heads count too: a rule makes facts with as many terms.
        let heads = self.rules.iter().map(|rule| &rule.head);
        let all = self.predicates.iter().chain(&self.facts).chain(heads);
        all.map(|predicate| predicate.terms.len())
            .max()
            .unwrap_or(0)
    }

    /// Number of bytes of all names and strings, counting each occurrence, plus one for each term and each step
    /// of an expression.
    #[must_use]
    pub fn resolved_bytes(&self) -> usize {
        self.resolved
    }

    /// Approximate memory use, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        fn bytes<T>(list: &Vec<T>) -> usize {
            // The capacity, because reserved memory is in use too.
            list.capacity().saturating_mul(size_of::<T>())
        }
        [
            size_of::<Code>(),
            bytes(&self.blocks),
            self.text.capacity(),
            bytes(&self.ends),
            bytes(&self.bytes),
            bytes(&self.terms),
            bytes(&self.params),
            bytes(&self.ops),
            bytes(&self.expressions),
            bytes(&self.predicates),
            bytes(&self.facts),
            bytes(&self.queries),
            bytes(&self.rules),
            bytes(&self.checks),
            bytes(&self.scopes),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// The string of a block's only fact with this name; `None` if there is no such fact or more than one.
    #[must_use]
    pub fn described(&self, block: &Block, name: &str) -> Option<&str> {
        // A second fact would make the answer depend on order, so neither is used.
        let mut facts = self
            .facts(block)
            .iter()
            .filter(|fact| self.text(fact.name) == name);
        match (
            facts.next().map(|fact| self.terms(fact.terms)),
            facts.next(),
        ) {
            (Some([Term::Str(text)]), None) => Some(self.text(*text)),
            _ => None,
        }
    }

    /// Compares two terms in the order of sets: by type, then by value.
    ///
    /// The comparison recurses into containers. Their depth was bounded when they were read.
    pub(super) fn compare(&self, a: &Term, b: &Term) -> Ordering {
        let all = |a: &Span, b: &Span| {
            let (a, b) = (self.terms(*a), self.terms(*b));
            let unequal = a
                .iter()
                .zip(b)
                .map(|(a, b)| self.compare(a, b))
                .find(|order| order.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        };
        // Strings are compared by text, because a symbol's number depends on the token's table.
        match (a, b) {
            (Term::Integer(a), Term::Integer(b)) => a.cmp(b),
            (Term::Date(a), Term::Date(b)) => a.cmp(b),
            (Term::Bool(a), Term::Bool(b)) => a.cmp(b),
            (Term::Variable(a), Term::Variable(b)) | (Term::Str(a), Term::Str(b)) => {
                self.text(*a).cmp(self.text(*b))
            }
            (Term::Bytes(a), Term::Bytes(b)) => self.bytes(*a).cmp(self.bytes(*b)),
            (Term::Set(a), Term::Set(b))
            | (Term::Array(a), Term::Array(b))
            | (Term::Map(a), Term::Map(b)) => all(a, b),
            _ => a.rank().cmp(&b.rank()),
        }
    }
}

/// Shows only the number of blocks: names and strings are as secret as the token.
impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

impl Term {
    /// Position of the term's type in the order of types.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Term::Variable(_) => 0,
            Term::Integer(_) => 1,
            Term::Str(_) => 2,
            Term::Date(_) => 3,
            Term::Bytes(_) => 4,
            Term::Bool(_) => 5,
            Term::Set(_) => 6,
            Term::Null => 7,
            Term::Array(_) => 8,
            Term::Map(_) => 9,
        }
    }
}

/// Number of the first symbol that the specification does not define.
pub(super) const FIRST_OWN: usize = 1024;

macro_rules! default_symbols {
    ($($symbol:literal),* $(,)?) => {
        /// The symbols that every token can use (Biscuit specification, "Symbol table").
        pub(super) const DEFAULT: [&str; 28] = [$($symbol),*];

        /// Returns true if the text is one of the default symbols.
        pub(super) fn is_default(text: &str) -> bool {
            matches!(text, $($symbol)|*)
        }
    };
}

default_symbols!(
    "read",
    "write",
    "resource",
    "operation",
    "right",
    "time",
    "role",
    "owner",
    "tenant",
    "namespace",
    "user",
    "team",
    "service",
    "admin",
    "email",
    "group",
    "member",
    "ip_address",
    "client",
    "client_ip",
    "domain",
    "path",
    "version",
    "cluster",
    "node",
    "hostname",
    "nonce",
    "query",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_symbols_are_those_of_the_reference() {
        let table = biscuit_auth::datalog::SymbolTable::new();
        let theirs: Vec<Option<&str>> = (0..DEFAULT.len() as u64 + 1)
            .map(|index| table.get_symbol(index))
            .collect();
        let ours = DEFAULT.iter().map(|name| Some(*name)).chain([None]);
        assert_eq!(theirs, ours.collect::<Vec<_>>());
    }
}
