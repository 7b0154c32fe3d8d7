//! Revocations: the tokens and blocks that are refused before they expire, and the files that tell
//! verifiers of them.
//!
//! An issuer keeps a history of statements, numbered 1, 2, 3…, and only ever appends to it. Each
//! statement is a [`Revocation`], one line of JSON exactly as its issuer wrote it. A [`Digest`] binds
//! together all lines up to a number: the [`chain`].
//!
//! - A [`Head`] is signed, small and short-lived. It states the number of the last line, and the digest
//!   up to there.
//! - A delta is a run of lines without a signature. Appended to the lines that a reader has, it either
//!   leads to the head's digest or is refused ([`Position::follow`]).
//! - A [`Snapshot`] is signed and holds every statement that still matters, for readers without earlier
//!   lines and for those that only read files.
//!
//! A statement is dropped once the tokens that it names have expired, by the clock of the issuer and
//! never by that of a reader: [`Revocation::is_dead`].

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

/// Time for which a statement is kept after its end, in seconds, because clocks differ.
pub use crate::timestamp::SKEW;

/// One statement that a token, a block or a party's tokens are revoked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revocation {
    /// The target that is revoked.
    pub target: Target,
    /// Time at which everything that it names has expired anyway. `None` if that never happens.
    pub expires: Option<Timestamp>,
}

/// The target of a revocation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A token and everything derived from it.
    Token(TokenId),
    /// The block with this signature, and everything derived from it.
    Block([u8; 64]),
    /// All tokens of one agent, principal or tenant that were issued before a time.
    Watermark(Watermark),
}

/// All tokens of one agent, principal or tenant that were issued before a time. A token issued in
/// that very second is not included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watermark {
    party: Party,
    name: String,
    issued_before: Timestamp,
}

/// The claim by which a watermark names tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The agent that acts.
    Agent,
    /// The principal on whose authority the agent acts.
    Principal,
    /// The tenant in which the agent acts. A token without a tenant never matches.
    Tenant,
}

impl Revocation {
    /// Returns true if the statement is dropped at `at`, the time at which an issuer signed: if `at` is
    /// more than [`SKEW`] after its end.
    #[must_use]
    pub fn is_dead(&self, at: Timestamp) -> bool {
        // `at` is always a time by the issuer's clock: a reader whose clock runs ahead for a minute must
        // not bring a revoked token back to life.
        self.expires.is_some_and(|end| end.plus(SKEW) < at)
    }
}

impl Watermark {
    /// Names all tokens of the `party` called `name` that were issued before that time.
    ///
    /// # Errors
    /// [`WatermarkError`] when no token can carry that name.
    pub fn new(
        party: Party,
        name: &str,
        issued_before: Timestamp,
    ) -> Result<Watermark, WatermarkError> {
        // The rule that minting applies. Under any other name the watermark would silently revoke nothing.
        if !is_name(name) {
            return Err(WatermarkError { party });
        }
        Ok(Watermark {
            party,
            name: name.to_owned(),
            issued_before,
        })
    }

    /// The claim that is compared with the name.
    #[must_use]
    pub fn party(&self) -> Party {
        self.party
    }

    /// The name of the party.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first second whose tokens are not revoked.
    #[must_use]
    pub fn issued_before(&self) -> Timestamp {
        self.issued_before
    }
}

/// No token can carry the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of the {party} is empty, longer than {MAX_NAME} bytes, or holds a control character"
)]
pub struct WatermarkError {
    /// The party that was to be named.
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
    /// Writes the kind and the name of the target, such as `token:` and the id, or `agent:` and the name.
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
        // The name may hold anything but control characters, and is printed to terminals and logs.
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
