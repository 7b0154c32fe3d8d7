//! Revocations of tokens and blocks before they expire, and the files that distribute them to verifiers.
//!
//! An issuer keeps an append-only history of statements, numbered 1, 2, 3…. Each statement is a [`Revocation`],
//! one line of JSON exactly as its issuer wrote it. A [`Digest`] binds together all lines up to a number: the
//! [`chain`].
//!
//! - A [`Head`] is signed, small and short-lived. It states the number of the last line, and the digest of all
//!   lines up to that one.
//! - A delta is a run of lines without a signature. Appended to the lines that a reader has, it either
//!   leads to the head's digest or is refused ([`Position::follow`]).
//! - A [`Snapshot`] is signed and holds every statement that still matters, for readers without earlier
//!   lines and for those that only read files.
//!
//! A statement is dropped once the tokens that it names have expired by the issuer's clock, never by a
//! reader's: [`Revocation::is_dead`].

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

/// Time for which a statement is kept after its expiry, in seconds, because clocks differ.
pub use crate::timestamp::SKEW;

/// A statement that revokes a token, a block, or tokens of an agent, principal or tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revocation {
    /// The target that is revoked.
    pub target: Target,
    /// Time at which the revoked tokens have all expired anyway; `None` if they never do.
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

/// All tokens of one agent, principal or tenant that were issued before a time. Tokens issued in that same
/// second are not included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watermark {
    party: Party,
    name: String,
    issued_before: Timestamp,
}

/// The claim by which a watermark selects tokens.
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
    /// Returns true if the statement can be dropped at `at`, the time of signing: if `at` is more than [`SKEW`]
    /// after the statement's expiry.
    #[must_use]
    pub fn is_dead(&self, at: Timestamp) -> bool {
        // `at` is always a time by the issuer's clock: a reader whose clock runs ahead for a minute must
        // not bring a revoked token back to life.
        self.expires.is_some_and(|end| end.plus(SKEW) < at)
    }
}

impl Watermark {
    /// Makes a watermark for all tokens of the `party` called `name` that were issued before a time.
    ///
    /// # Errors
    /// [`WatermarkError`] if no token can carry that name.
    pub fn new(
        party: Party,
        name: &str,
        issued_before: Timestamp,
    ) -> Result<Watermark, WatermarkError> {
        // Minting applies the same rule, so a watermark with any other name would silently revoke nothing.
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

    /// The time of the watermark. Tokens issued in this second or later are not revoked.
    #[must_use]
    pub fn issued_before(&self) -> Timestamp {
        self.issued_before
    }
}

/// The error of a name that no token can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of the {party} is empty, longer than {MAX_NAME} bytes, or has a control character; give the name that tokens carry"
)]
pub struct WatermarkError {
    /// The kind of party that the name was for.
    pub party: Party,
}

impl Party {
    /// The kind's name in files: `agent`, `principal` or `tenant`.
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
    /// Writes the kind and the name of the target, such as `token 6f0c…`, or `agent:buyer` for an agent of this name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Token(id) => write!(f, "token {id}"),
            Target::Block(signature) => write!(f, "block {}", hex::encode(signature)),
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
        let shown = escape::name(name);
        // A name that states its kind gets no second one.
        match name.split_once(':') {
            Some((kind, _)) if kind == party.as_str() => {
                write!(f, "{shown} before {issued_before}")
            }
            _ => write!(f, "{party} {shown} before {issued_before}"),
        }
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
