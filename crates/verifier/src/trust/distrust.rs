//! Reasons for not trusting a token, independent of the call.

use bailiwick_token::{duration::show, key::KeyId, revocation::Party, timestamp::Timestamp};

use crate::reason::Reason;

/// The first reason found for not trusting a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// The keyset has expired.
    #[error("the keyset expired at {0}; fetch a newer one from the issuer")]
    KeysetEnded(Timestamp),
    /// According to this clock, the keyset was signed in the future.
    #[error(
        "the keyset was signed at {0}, in the future; set the clock of this machine or of the issuer"
    )]
    KeysetAhead(Timestamp),
    /// A newer keyset has been announced, but does not arrive.
    #[error(
        "the keyset has version {used}, but heads have announced version {newer} since {since}; check whether a cache serves the old keyset"
    )]
    KeysetWithheld {
        /// Version of the keyset in use.
        used: u64,
        /// The newest version that heads announce.
        newer: u64,
        /// Time since which heads have announced a newer version.
        since: Timestamp,
    },
    /// The revocations have not been read.
    #[error("the revocations have not been read yet; check that the issuer can be reached")]
    RevocationsUnread,
    /// The revocations have expired.
    #[error("the revocations expired at {0}; fetch newer ones from the issuer")]
    RevocationsEnded(Timestamp),
    /// According to this clock, the revocations were signed in the future.
    #[error(
        "the revocations were signed at {0}, in the future; set the clock of this machine or of the issuer"
    )]
    RevocationsAhead(Timestamp),
    /// The revocations are older than [`Staleness`](super::Staleness) allows.
    #[error(
        "the revocations are {} old, and at most {} is allowed; check that the issuer can be reached",
        show(*.age), show(*.allowed)
    )]
    RevocationsOld {
        /// Age of the revocations, in seconds.
        age: u64,
        /// Maximum age, in seconds.
        allowed: u64,
    },
    /// The token names no root key.
    #[error("the token names no root key")]
    NoRootKey,
    /// The root key is not in the keyset.
    #[error("the root key `{key}` is not in the keyset (version {version})")]
    UnknownKey {
        /// The key that the token names.
        key: KeyId,
        /// Version of the keyset in use.
        version: u64,
    },
    /// The root key is retired.
    #[error("the root key `{0}` is retired")]
    RetiredKey(KeyId),
    /// The keyset has another key with the id that the token names.
    #[error("the root key `{0}` of the keyset is not the key that signed the token")]
    OtherKey(KeyId),
    /// The root key has been revoked.
    #[error("the root key `{0}` has been revoked")]
    RevokedKey(KeyId),
    /// The token has been revoked.
    #[error("the token has been revoked")]
    RevokedToken,
    /// A block has been revoked.
    #[error("block {0} of the token has been revoked")]
    RevokedBlock(usize),
    /// A watermark revokes the tokens of an agent, principal or tenant.
    #[error(
        "all tokens of the {party} of this token that were issued before {before} have been revoked"
    )]
    RevokedParty {
        /// The kind of party.
        party: Party,
        /// The time before which the revoked tokens were issued.
        before: Timestamp,
    },
}

impl Distrust {
    /// The stable reason for the denial.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            // The state of the verifier is at fault here, not the token, so the layer answers 503 to these.
            Distrust::KeysetEnded(_)
            | Distrust::KeysetAhead(_)
            | Distrust::KeysetWithheld { .. }
            | Distrust::RevocationsUnread
            | Distrust::RevocationsEnded(_)
            | Distrust::RevocationsAhead(_)
            | Distrust::RevocationsOld { .. } => Reason::StaleKeyset,
            Distrust::NoRootKey
            | Distrust::UnknownKey { .. }
            | Distrust::RetiredKey(_)
            | Distrust::OtherKey(_) => Reason::UnknownKey,
            Distrust::RevokedKey(_) => Reason::RevokedKey,
            Distrust::RevokedToken | Distrust::RevokedBlock(_) | Distrust::RevokedParty { .. } => {
                Reason::Revoked
            }
        }
    }
}
