//! Datalog as a tree with names as strings, for people to read and write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::key::Algorithm;

/// The content of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The version of Datalog it is written in: 3 for 3.0 up to 6 for 3.3.
    pub version: u32,
    /// Free text that its writer attached.
    pub context: Option<String>,
    /// The key of the third party that signed it; `None` for a first-party block.
    pub external_key: Option<ScopeKey>,
    /// The block's own `trusting` clause; empty if there is none.
    pub scopes: Vec<Scope>,
    /// Public keys that it adds to the table from which scopes name theirs.
    pub public_keys: Vec<ScopeKey>,
    /// Facts.
    pub facts: Vec<Predicate>,
    /// Rules.
    pub rules: Vec<BlockRule>,
    /// Checks.
    pub checks: Vec<BlockCheck>,
}

/// An empty block in the newest version.
impl Default for Block {
    fn default() -> Block {
        Block {
            version: 6,
            context: None,
            external_key: None,
            scopes: Vec::new(),
            public_keys: Vec::new(),
            facts: Vec::new(),
            rules: Vec::new(),
            checks: Vec::new(),
        }
    }
}

/// A rule: its head holds for every match of its body.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockRule {
    /// The predicate that it derives.
    pub head: Predicate,
    /// The condition under which it derives it.
    pub query: Query,
}

/// A check.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockCheck {
    /// The kind, which says how its queries must match.
    pub kind: Kind,
    /// Its alternatives.
    pub queries: Vec<Query>,
}

/// The kind of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `check if`: one query must match.
    One,
    /// `check all`: all matches of the predicates must satisfy the expressions.
    All,
    /// `reject if`: no query may match.
    Reject,
}

/// The body of a rule, or one alternative of a check.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Predicates to be matched together.
    pub body: Vec<Predicate>,
    /// Expressions that must hold, each in postfix order.
    pub expressions: Vec<Vec<Op>>,
    /// The `trusting` clause; empty if there is none.
    pub scopes: Vec<Scope>,
}

/// The blocks whose facts a body sees, besides its own block's and the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The authority block.
    Authority,
    /// All blocks before its own.
    Previous,
    /// The blocks that a third party signed with this key.
    PublicKey(ScopeKey),
}

/// A public key that a scope names or a third party signed with, in the one form used for comparison.
///
/// Its point has not been decoded: the key can be compared with others, but cannot verify anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl ScopeKey {
    /// Makes a key of these bytes. An uncompressed point of secp256r1 is converted to the compressed form.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> ScopeKey {
        let bytes = match (algorithm, bytes) {
            (Algorithm::Secp256r1, [4, point @ ..]) if point.len() == 64 => {
                let odd = point.last().is_some_and(|last| last % 2 == 1);
                let sign = if odd { 3 } else { 2 };
                std::iter::once(sign)
                    .chain(point.iter().copied().take(32))
                    .collect()
            }
            _ => bytes.to_vec(),
        };
        ScopeKey { algorithm, bytes }
    }

    /// The signature algorithm that the key is for.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = match self.algorithm {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::Secp256r1 => "secp256r1",
        };
        write!(f, "{algorithm}/{}", hex::encode(&self.bytes))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Authority => f.write_str("authority"),
            Scope::Previous => f.write_str("previous"),
            Scope::PublicKey(key) => key.fmt(f),
        }
    }
}

/// A predicate: a fact, the head of a rule, or a pattern that a body matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// Its name.
    pub name: String,
    /// Its terms, in order.
    pub terms: Vec<Term>,
}

impl Predicate {
    /// The predicate `name(terms…)`.
    pub fn new(name: impl Into<String>, terms: impl Into<Vec<Term>>) -> Predicate {
        Predicate {
            name: name.into(),
            terms: terms.into(),
        }
    }
}

/// A value or a variable.
///
/// The order of the variants is that of biscuit-auth 6.0, in which the terms of a set are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// `$name`
    Variable(String),
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Str(String),
    /// Seconds since 1970-01-01T00:00:00Z.
    Date(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A boolean.
    Bool(bool),
    /// A set, which holds no other container.
    Set(BTreeSet<Term>),
    /// Null.
    Null,
    /// An array.
    Array(Vec<Term>),
    /// A map.
    Map(BTreeMap<MapKey, Term>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MapKey {
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Str(String),
}

/// An operation of an expression, in postfix order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Pushes a term.
    Value(Term),
    /// Takes one operand.
    Unary(Unary),
    /// Takes two operands.
    Binary(Binary),
    /// Parameters, and a body that runs only when an operator calls it.
    Closure(Vec<String>, Vec<Op>),
}

/// An operator of one operand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the specification names them so")]
pub enum Unary {
    Negate,
    Parens,
    Length,
    TypeOf,
    /// A function of the host.
    Ffi(String),
}

/// An operator of two operands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the specification names them so")]
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
    /// A function of the host.
    Ffi(String),
}
