//! Places of statements, and origins of facts.

/// The place of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A block of the token; 0 is the authority block.
    Block(usize),
    /// The host's own Datalog.
    Authorizer,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Block(index) => write!(f, "block {index}"),
            Place::Authorizer => f.write_str("authorizer"),
        }
    }
}

/// Maximum number of blocks of a token. An origin has one bit for each, and one for the host.
pub const MAX_BLOCKS: usize = 127;

/// The blocks that a fact depends on, or those that a body trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin(u128);

impl Origin {
    pub(crate) const AUTHORIZER: Origin = Origin(1 << MAX_BLOCKS);
    /// Statements that only the service itself sees. This is the bit of the last block that [`MAX_BLOCKS`]
    /// allows, so with a service's own Datalog, a token may have one block fewer.
    pub(crate) const SERVICE: Origin = Origin(1 << (MAX_BLOCKS - 1));
    /// The trust of a body without a `trusting` clause: the authority block and the host.
    pub(crate) const DEFAULT: Origin = Origin(1 | 1 << MAX_BLOCKS);

    /// The origin of a block, whose index must be below [`MAX_BLOCKS`].
    pub(crate) fn block(index: usize) -> Origin {
        // A larger index must not reach the host's bit, which all bodies trust.
        let index = index.min(MAX_BLOCKS.saturating_sub(1));
        Origin(1u128.unbounded_shl(index as u32))
    }

    /// The origins of a block and all blocks before it.
    pub(crate) fn up_to(index: usize) -> Origin {
        (0..=index).fold(Origin::default(), |all, index| {
            all.union(Origin::block(index))
        })
    }

    pub(crate) fn of(place: Place) -> Origin {
        match place {
            Place::Block(index) => Origin::block(index),
            Place::Authorizer => Origin::AUTHORIZER,
        }
    }

    #[inline]
    pub(crate) fn union(self, other: Origin) -> Origin {
        Origin(self.0 | other.0)
    }

    /// Returns true if every part of this origin is trusted.
    #[inline]
    pub(crate) fn within(self, trusted: Origin) -> bool {
        self.0 & !trusted.0 == 0
    }

    /// The places that make up this origin, blocks first.
    pub(crate) fn places(self) -> Vec<Place> {
        let blocks = (0..MAX_BLOCKS).filter(|index| Origin::block(*index).within(self));
        let authorizer = Origin::AUTHORIZER.within(self).then_some(Place::Authorizer);
        blocks.map(Place::Block).chain(authorizer).collect()
    }
}
