//! Revocations: the tokens and blocks that are refused before their end, and how verifiers learn of
//! them.
//!
//! What an issuer revokes is a history of statements, numbered 1, 2, 3…, to which it only ever
//! appends. Each statement is a [`Revocation`], one line of JSON exactly as its issuer wrote it, and
//! all lines up to a number are bound together by a [`Digest`]: the [`chain`].
//!
//! - A [`Head`] is signed, small and short-lived. It says how far the history goes, and its digest.
//! - A delta is a run of lines. It carries no signature: with the lines that a reader has it either
//!   leads to the head's digest, or it is refused ([`Position::follow`]).
//! - A [`Snapshot`] is signed and holds every statement that still matters, for readers that begin
//!   here and for those that only read files.
//!
//! A statement vanishes when what it names is dead on its own, by the clock of the issuer and never
//! by that of a reader: [`Revocation::is_dead`].

mod chain;
mod delta;
mod head;
mod line;
mod snapshot;

use std::fmt;

use crate::{
    claims::{MAX_NAME, TokenId, is_name},
    escape,
    timestamp::Timestamp,
};

pub use chain::{Digest, DigestError, Epoch, EpochError, Position, chain};
pub use delta::{DeltaError, MAX_PAGE, page_bytes};
pub use head::{HEAD_TYPE, Head, HeadError, MAX_HEAD};
pub use line::{LineError, MAX_LINE};
pub use snapshot::{
    MAX_ENTRIES, MAX_SNAPSHOT, SNAPSHOT_TYPE, Snapshot, SnapshotBase, SnapshotError, SnapshotHeader,
};

/// For how long after its end a statement is kept, in seconds: clocks differ.
pub use crate::timestamp::SKEW;

/// One statement of what is revoked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revocation {
    /// What is revoked.
    pub target: Target,
    /// When what it names is dead on its own; never, where it is absent.
    pub expires: Option<Timestamp>,
}

/// What a revocation names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A token and everything that was derived from it.
    Token(TokenId),
    /// The block with this signature, and everything that was derived from it.
    Block([u8; 64]),
    /// All tokens of one agent, principal or tenant that were issued before a time.
    Watermark(Watermark),
}

/// All tokens of one agent, principal or tenant that were issued before a time. A token that was
/// issued in that very second is not among them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watermark {
    party: Party,
    name: String,
    issued_before: Timestamp,
}

/// By which of its claims a watermark names a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Who acts.
    Agent,
    /// On whose authority.
    Principal,
    /// In which tenant. A token without one is never meant.
    Tenant,
}

impl Revocation {
    /// Whether the statement has vanished at `at`, the time at which an issuer signed. It has when
    /// its end and [`SKEW`] more lie before that.
    #[must_use]
    pub fn is_dead(&self, at: Timestamp) -> bool {
        self.expires.is_some_and(|end| end.plus(SKEW) < at)
    }
}

impl Watermark {
    /// All tokens of the `party` called `name` that were issued before that time.
    ///
    /// # Errors
    /// When no token can carry that name.
    pub fn new(
        party: Party,
        name: &str,
        issued_before: Timestamp,
    ) -> Result<Watermark, WatermarkError> {
        if !is_name(name) {
            return Err(WatermarkError { party });
        }
        Ok(Watermark {
            party,
            name: name.to_owned(),
            issued_before,
        })
    }

    /// Whose tokens they are.
    #[must_use]
    pub fn party(&self) -> Party {
        self.party
    }

    /// What that party is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first second of which tokens are not meant.
    #[must_use]
    pub fn issued_before(&self) -> Timestamp {
        self.issued_before
    }
}

/// The name cannot be that of a party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of the {party} is empty, longer than {MAX_NAME} bytes, or holds a control character"
)]
pub struct WatermarkError {
    /// Whose name it is.
    pub party: Party,
}

impl Party {
    /// Its name in files: `agent`, `principal` or `tenant`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Party::Agent => "agent",
            Party::Principal => "principal",
            Party::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Target {
    /// Its kind and what it names, such as `token:` and the id, or `agent:` and the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Token(id) => write!(f, "token:{id}"),
            Target::Block(signature) => write!(f, "block:{}", hex::encode(signature)),
            Target::Watermark(watermark) => watermark.fmt(f),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Watermark {
            party,
            name,
            issued_before,
        } = self;
        write!(f, "{party}:{} before {issued_before}", escape::name(name))
    }
}

impl fmt::Debug for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[path = "revocation/tests.rs"]
mod tests;
