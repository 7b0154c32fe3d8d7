//! A host's Datalog, ready to compile.

use super::{
    error::Error,
    source::{Policy, Source},
};
use crate::datalog::{Block, BlockCheck, Code, Kind};

/// A host's Datalog, ready to compile. The default has no policy, so it allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Authorizer {
    /// Facts, rules and checks in the first block, and one check for each policy in the second.
    pub(super) code: Code,
    /// One entry for each policy: true for `allow if`, false for `deny if`.
    pub(super) allows: Vec<bool>,
}

impl Authorizer {
    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// [`Error::Compile`] if the text is not Datalog, or exceeds [`MAX_POLICY_BYTES`](super::MAX_POLICY_BYTES),
    /// [`MAX_NESTING`](super::MAX_NESTING) or [`MAX_OPERATORS`](super::MAX_OPERATORS).
    pub fn parse(text: &str) -> Result<Authorizer, Error> {
        Ok(Authorizer::from(Source::parse(text)?))
    }
}

impl From<Source> for Authorizer {
    fn from(source: Source) -> Authorizer {
        let (allows, checks) = source
            .policies
            .into_iter()
            .map(|Policy { allow, queries }| {
                let kind = Kind::One;
                (allow, BlockCheck { kind, queries })
            })
            .unzip();
        let policies = Block {
            checks,
            ..Block::default()
        };
        Authorizer {
            code: Code::from_blocks(&[source.statements, policies]),
            allows,
        }
    }
}
