//! One root key, a type per state.

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

/// What stays the same in every state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) id: KeyId,
    pub(crate) public: PublicKey,
    /// The first keyset that shows it.
    pub(crate) published_version: u64,
    /// When the key was made and published.
    pub(crate) staged_at: Timestamp,
}

/// Published, and not yet signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedKey(pub(crate) Dates);

/// Signs new tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
}

/// Signs no more; its tokens live on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetiringKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
    pub(crate) retiring_at: Timestamp,
}

/// The private half is destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetiredKey {
    pub(crate) key: Dates,
    pub(crate) activated_at: Timestamp,
    pub(crate) retiring_at: Timestamp,
    pub(crate) retired_at: Timestamp,
}

/// No token that it signed is valid; the private half is destroyed.
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
    /// When verifiers can be expected to know the key.
    pub(crate) fn ready_at(&self, policy: &KeyPolicy) -> Timestamp {
        self.0.staged_at.plus(policy.publication())
    }

    /// Lets the key sign. Whether it may already is for the ring, which knows who knows it.
    pub(crate) fn activate(self, now: Timestamp) -> ActiveKey {
        ActiveKey {
            key: self.0,
            activated_at: now,
        }
    }
}

impl ActiveKey {
    /// Ends its signing.
    pub(crate) fn supersede(self, now: Timestamp) -> RetiringKey {
        RetiringKey {
            key: self.key,
            activated_at: self.activated_at,
            retiring_at: now,
        }
    }
}

impl RetiringKey {
    /// When the last token that it signed is dead, on any clock.
    pub(crate) fn not_after(&self, policy: &KeyPolicy) -> Timestamp {
        self.retiring_at.plus(policy.max_token_ttl).plus(SKEW)
    }

    /// When no verifier needs it any more.
    pub(crate) fn due_at(&self, policy: &KeyPolicy) -> Timestamp {
        self.retiring_at.plus(policy.outliving())
    }

    /// Ends its life, once nothing that it signed can be alive.
    pub(crate) fn retire(self, policy: &KeyPolicy, now: Timestamp) -> Result<RetiredKey, Guard> {
        let until = self.due_at(policy);
        if now < until {
            return Err(Guard {
                id: self.key.id,
                wait: Wait::LiveTokens,
                until,
            });
        }
        Ok(self.drop_at_once(now))
    }

    /// Ends its life whatever may still be alive.
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

/// A key in any state, as it is stored.
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

    /// From any state; the first revocation keeps its date and reason.
    pub(crate) fn revoke(self, reason: &str, now: Timestamp) -> RevokedKey {
        let (key, activated_at, retiring_at, retired_at) = match self {
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

    /// The key as people and programs see it.
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

/// Where a root key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Published, not yet signing.
    Staged,
    /// Signs new tokens.
    Active,
    /// Signs no more; its tokens live on.
    Retiring,
    /// Gone from the keyset, private half destroyed.
    Retired,
    /// A tombstone in the keyset, private half destroyed.
    Revoked,
}

impl State {
    /// The lower-case word for it.
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

/// A root key as people and programs see it: its public half, state and dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// What tokens name it by.
    pub id: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// Where it stands.
    pub state: State,
    /// The version of the first keyset that shows it.
    pub published_version: u64,
    /// When it was made and published.
    pub staged_at: Timestamp,
    /// When it began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Timestamp>,
    /// When its private half was destroyed in good order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the next transition passes its guard: a staged key's activation, a retiring one's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}
