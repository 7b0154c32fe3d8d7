//! Datalog as a syntax tree with names as strings, for people to read and write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::key::Algorithm;

/// The content of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The version of Datalog that the block declares: 3 for 3.0, up to 6 for 3.3.
    pub version: u32,
    /// Free text attached by the writer of the block.
    pub context: Option<String>,
    /// The key of the third party that signed the block; `None` for a first-party block.
    pub external_key: Option<ScopeKey>,
    /// The block's own `trusting` clause; empty if there is none.
    pub scopes: Vec<Scope>,
    /// Public keys that the block adds to the table of keys. Scopes refer to a key by its number in that table.
    pub public_keys: Vec<ScopeKey>,
    /// The facts that the block states.
    pub facts: Vec<Predicate>,
    /// The rules of the block.
    pub rules: Vec<BlockRule>,
    /// The checks of the block.
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
    /// The predicate that the rule derives.
    pub head: Predicate,
    /// The condition under which the rule derives its head.
    pub query: Query,
}

/// A check.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockCheck {
    /// The kind of check, which decides how its queries must match.
    pub kind: Kind,
    /// The alternatives of the check.
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

/// The blocks whose facts a body sees, in addition to the facts of its own block and of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The authority block.
    Authority,
    /// All blocks before the body's own.
    Previous,
    /// The blocks that a third party signed with this key.
    PublicKey(ScopeKey),
}

/// A public key that a scope names or a third party signed with, in the canonical form used for comparison.
///
/// Its point has not been decoded: the key can be compared with others, but cannot verify anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl ScopeKey {
    /// Makes a key from its bytes. An uncompressed point of secp256r1 is converted to the compressed form.
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

    /// The bytes of the key.
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
    /// Name of the predicate.
    pub name: String,
    /// Terms of the predicate, in order.
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
/// The order of the variants is that of biscuit-auth 6.0, which decides the order of a set's terms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// A variable, written `$name`.
    Variable(String),
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Str(String),
    /// A time, in seconds since 1970-01-01T00:00:00Z.
    Date(u64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A boolean.
    Bool(bool),
    /// A set, which holds no other container.
    Set(BTreeSet<Term>),
    /// The null value.
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
