//! A decoded block: Datalog as a structure, with its names resolved.

use std::fmt;

use biscuit_auth::builder::{Op, Predicate};

/// The content of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The version of Datalog it is written in: 3 for 3.0 up to 6 for 3.3.
    pub version: u32,
    /// Free text that its writer attached.
    pub context: Option<String>,
    /// The key of the third party that signed it, where one did.
    pub external_key: Option<ScopeKey>,
    /// The block's own `trusting` clause; empty where there is none.
    pub scopes: Vec<Scope>,
    /// Public keys that it adds to those that scopes may name.
    pub public_keys: Vec<ScopeKey>,
    /// Facts.
    pub facts: Vec<Predicate>,
    /// Rules.
    pub rules: Vec<BlockRule>,
    /// Checks.
    pub checks: Vec<BlockCheck>,
}

/// A rule: its head holds for every match of its body.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockRule {
    /// What it states.
    pub head: Predicate,
    /// When it does.
    pub query: Query,
}

/// A check.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockCheck {
    /// What its queries must do.
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
    /// The `trusting` clause; empty where there is none.
    pub scopes: Vec<Scope>,
}

/// Whose facts a body sees besides those of its own block and the verifier's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of the authority block.
    Authority,
    /// Those of all blocks before it.
    Previous,
    /// Those of blocks that a third party signed with this key.
    PublicKey(ScopeKey),
}

/// A public key that a scope names or a third party signed with, in the one form that is compared.
///
/// Nothing has decoded its point: it verifies nothing, and is equal to others or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

/// What a public key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA over secp256r1, with SHA-256.
    Secp256r1,
}

impl ScopeKey {
    /// A key of these bytes. An uncompressed point of secp256r1 is brought into the compressed form.
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

    /// What it is for.
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

/// A block cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The bytes are no protobuf message of the schema.
    #[error("block {block} cannot be decoded")]
    Protobuf {
        /// The block, counted from 0, the authority block.
        block: usize,
    },
    /// The block refers to something that is not there, or leaves out what must be.
    #[error("block {block} is malformed: {what}")]
    Malformed {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The block's strings are too long once its symbols are resolved.
    #[error("block {block} names long strings too often")]
    TooLarge {
        /// The block, counted from 0, the authority block.
        block: usize,
    },
    /// The block uses a part of Datalog that is newer than the version it declares.
    #[error(
        "block {block} uses {feature}, which came with Datalog {since}, and declares an older version: its writer must declare {since}"
    )]
    Newer {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// The part of Datalog that it uses.
        feature: &'static str,
        /// The version that it came with.
        since: &'static str,
    },
    /// The block is written in a version of Datalog that is not known.
    #[error("block {block} is written in an unknown version of Datalog ({version})")]
    Version {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// The version it names.
        version: u32,
    },
}
