//! The error of a block that cannot be decoded.

/// A block cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The bytes are not a protobuf message of the schema.
    #[error("block {block} cannot be decoded")]
    Protobuf {
        /// The block, counted from 0, the authority block.
        block: usize,
    },
    /// The block refers to something undefined, or leaves out something required.
    #[error("block {block} is malformed: {what}")]
    Malformed {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// The fault.
        what: &'static str,
    },
    /// The block's strings are too long once its symbols are resolved.
    #[error("block {block} names long strings too often")]
    TooLarge {
        /// The block, counted from 0, the authority block.
        block: usize,
    },
    /// The block uses a part of Datalog that is newer than its declared version.
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
    /// The block is written in an unknown version of Datalog.
    #[error("block {block} is written in an unknown version of Datalog ({version})")]
    Version {
        /// The block, counted from 0, the authority block.
        block: usize,
        /// The version that it declares.
        version: u32,
    },
}
