//! A decoded block: Datalog as a structure, with its names resolved.

use biscuit_auth::builder::{Op, Predicate};

/// The content of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The version of Datalog it is written in: 3 for 3.0 up to 6 for 3.3.
    pub version: u32,
    /// Free text that its writer attached.
    pub context: Option<String>,
    /// Whether a third party signed it.
    pub third_party: bool,
    /// The block's own `trusting` clause, in words; empty where there is none.
    pub scopes: Vec<String>,
    /// Public keys that its scopes may name.
    pub public_keys: usize,
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
    /// The `trusting` clause, in words; empty where there is none.
    pub scopes: Vec<String>,
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
    /// The block is written in a version of Datalog that is not known.
    #[error("block {block} is written in an unknown version of Datalog ({version})")]
    Version {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// The version it names.
        version: u32,
    },
}
