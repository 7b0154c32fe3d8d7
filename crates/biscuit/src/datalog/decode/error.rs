//! Errors of decoding blocks.

/// The reason why a block cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The bytes are not a protobuf message of the schema.
    #[error("block {block} cannot be decoded")]
    Protobuf {
        /// Number of the block, counted from 0, the authority block.
        block: usize,
    },
    /// The block refers to something undefined, or leaves out something required.
    #[error("block {block} is malformed: {what}")]
    Malformed {
        /// Number of the block, counted from 0, the authority block.
        block: usize,
        /// A description of the fault.
        what: &'static str,
    },
    /// The block's strings are too long once its symbols are resolved.
    #[error("block {block} refers to long strings too often")]
    TooLarge {
        /// Number of the block, counted from 0, the authority block.
        block: usize,
    },
    /// The block uses a feature of Datalog that is newer than its declared version.
    #[error(
        "block {block} uses {feature} but declares a version before Datalog {since}; have its writer declare {since}"
    )]
    Newer {
        /// Number of the block, counted from 0, the authority block.
        block: usize,
        /// The feature that the block uses.
        feature: &'static str,
        /// The version that introduced the feature.
        since: &'static str,
    },
    /// The block is written in an unknown version of Datalog.
    #[error("block {block} is written in an unknown version of Datalog ({version})")]
    Version {
        /// Number of the block, counted from 0, the authority block.
        block: usize,
        /// The version that the block declares.
        version: u32,
    },
}
