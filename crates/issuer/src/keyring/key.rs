//! A root key, with one type for each state.

use std::fmt;

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::{SKEW, Timestamp},
};
use serde::{Deserialize, Serialize};

use super::{
    guard::{Guard, Wait},
    policy::KeyPolicy,
};

/// The part of a key that every state has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) id: KeyId,
    pub(crate) public: PublicKey,
    /// Version of the first keyset that contains the key.
    pub(crate) published_version: u64,
    /// Time at which the key was created and published.
    pub(crate) staged_at: Timestamp,
}

/// A key that is published but does not sign yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedKey(pub(crate) Dates);

/// The key that signs new tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
}

/// A key that no longer signs. Its tokens stay valid until they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetiringKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
    pub(crate) retiring_at: Timestamp,
}

/// A key whose private half was destroyed after its last token had expired, or earlier by force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetiredKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
    pub(crate) retiring_at: Timestamp,
    pub(crate) retired_at: Timestamp,
}

/// A key whose tokens are all invalid, and whose private half is destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RevokedKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Option<Timestamp>,
    pub(crate) retiring_at: Option<Timestamp>,
    pub(crate) retired_at: Option<Timestamp>,
    pub(crate) revoked_at: Timestamp,
    pub(crate) reason: String,
}

impl StagedKey {
    /// Time from which verifiers can be expected to know the key.
    pub(crate) fn ready_at(&self, policy: &KeyPolicy) -> Timestamp {
        self.0.staged_at.plus(policy.publication())
    }

    /// Starts signing with the key. The caller checks the guard, because only the ring has the reports of
    /// verifiers.
    pub(crate) fn activate(self, now: Timestamp) -> ActiveKey {
        ActiveKey {
            key: self.0,
            activated_at: now,
        }
    }
}

impl ActiveKey {
    /// Stops signing with the key.
    pub(crate) fn supersede(self, now: Timestamp) -> RetiringKey {
        RetiringKey {
            key: self.key,
            activated_at: self.activated_at,
            retiring_at: now,
        }
    }
}

impl RetiringKey {
    /// Time from which every token that the key signed has expired on any clock within [`SKEW`].
    pub(crate) fn not_after(&self, policy: &KeyPolicy) -> Timestamp {
        // This time is published with the key, so verifiers stop accepting the key then, even if this issuer never
        // runs again.
        self.retiring_at.plus(policy.max_token_ttl).plus(SKEW)
    }

    /// Time from which no verifier needs the key.
    pub(crate) fn due_at(&self, policy: &KeyPolicy) -> Timestamp {
        self.retiring_at.plus(policy.outliving())
    }

    /// Retires the key, if no token that it signed can still be valid.
    pub(crate) fn retire(self, policy: &KeyPolicy, now: Timestamp) -> Result<RetiredKey, Guard> {
        let until = self.due_at(policy);
        // Until then, a token that the key signed may be alive. Without the key in the keyset, verifiers would deny
        // that token.
        if now < until {
            return Err(Guard {
                id: self.key.id,
                wait: Wait::LiveTokens,
                until,
            });
        }
        Ok(self.drop_at_once(now))
    }

    /// Retires the key even if tokens that it signed are still valid.
    pub(crate) fn drop_at_once(self, now: Timestamp) -> RetiredKey {
        let RetiringKey {
            key,
            activated_at,
            retiring_at,
        } = self;
        RetiredKey {
            key,
            activated_at,
            retiring_at,
            retired_at: now,
        }
    }
}

/// A key in any state, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoredKey {
    Staged(StagedKey),
    Active(ActiveKey),
    Retiring(RetiringKey),
    Retired(RetiredKey),
    Revoked(RevokedKey),
}

impl StoredKey {
    pub(crate) fn id(&self) -> KeyId {
        self.dates().id
    }

    pub(crate) fn dates(&self) -> &Dates {
        match self {
            StoredKey::Staged(staged) => &staged.0,
            StoredKey::Active(active) => &active.key,
            StoredKey::Retiring(retiring) => &retiring.key,
            StoredKey::Retired(retired) => &retired.key,
            StoredKey::Revoked(revoked) => &revoked.key,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            StoredKey::Staged(_) => State::Staged,
            StoredKey::Active(_) => State::Active,
            StoredKey::Retiring(_) => State::Retiring,
            StoredKey::Retired(_) => State::Retired,
            StoredKey::Revoked(_) => State::Revoked,
        }
    }

    /// Revokes the key, whatever its state. A key that is already revoked keeps its date and reason.
    pub(crate) fn revoke(self, reason: &str, now: Timestamp) -> RevokedKey {
        let (key, activated_at, retiring_at, retired_at) = match self {
            // The first revocation is already published: a later one must not move its date, or replace
            // the reason that people act on.
            StoredKey::Revoked(revoked) => return revoked,
            StoredKey::Staged(staged) => (staged.0, None, None, None),
            StoredKey::Active(active) => (active.key, Some(active.activated_at), None, None),
            StoredKey::Retiring(k) => (k.key, Some(k.activated_at), Some(k.retiring_at), None),
            StoredKey::Retired(k) => (
                k.key,
                Some(k.activated_at),
                Some(k.retiring_at),
                Some(k.retired_at),
            ),
        };
        let reason = reason.to_owned();
        RevokedKey {
            key,
            activated_at,
            retiring_at,
            retired_at,
            revoked_at: now,
            reason,
        }
    }

    /// The description of the key for people and programs.
    pub(crate) fn info(&self, policy: &KeyPolicy) -> KeyInfo {
        let Dates {
            id,
            public,
            published_version,
            staged_at,
        } = self.dates().clone();
        let mut info = KeyInfo {
            id,
            public,
            published_version,
            state: self.state(),
            staged_at,
            activated_at: None,
            retiring_at: None,
            retired_at: None,
            revoked_at: None,
            reason: None,
            next_at: None,
        };
        // `next_at` follows from the policy and the dates alone: reports of verifiers may delay an
        // activation further, which only `Ring::allowed_from` knows.
        match self {
            StoredKey::Staged(staged) => info.next_at = Some(staged.ready_at(policy)),
            StoredKey::Active(active) => info.activated_at = Some(active.activated_at),
            StoredKey::Retiring(retiring) => {
                info.activated_at = Some(retiring.activated_at);
                info.retiring_at = Some(retiring.retiring_at);
                info.next_at = Some(retiring.due_at(policy));
            }
            StoredKey::Retired(retired) => {
                info.activated_at = Some(retired.activated_at);
                info.retiring_at = Some(retired.retiring_at);
                info.retired_at = Some(retired.retired_at);
            }
            StoredKey::Revoked(revoked) => {
                info.activated_at = revoked.activated_at;
                info.retiring_at = revoked.retiring_at;
                info.retired_at = revoked.retired_at;
                info.revoked_at = Some(revoked.revoked_at);
                info.reason = Some(revoked.reason.clone());
            }
        }
        info
    }
}

/// The state of a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Published, but does not sign yet.
    Staged,
    /// Signs new tokens.
    Active,
    /// No longer signs. Its tokens stay valid until they expire.
    Retiring,
    /// Removed from the keyset, with the private half destroyed.
    Retired,
    /// Kept in the keyset as a tombstone, with the private half destroyed.
    Revoked,
}

impl State {
    /// The state as a lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Staged => "staged",
            State::Active => "active",
            State::Retiring => "retiring",
            State::Retired => "retired",
            State::Revoked => "revoked",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The description of a root key for people and programs: its public half, state and dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// The id by which tokens refer to the key.
    pub id: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// State of the key.
    pub state: State,
    /// Version of the first keyset that contains the key.
    pub published_version: u64,
    /// Time at which the key was created and published.
    pub staged_at: Timestamp,
    /// Time at which the key began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// Time at which the key stopped signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Timestamp>,
    /// Time at which the key was retired and its private half destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// Time at which the key was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The reason for the revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Time from which a guard allows the next transition: activation of a staged key, or retirement of a
    /// retiring one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}
