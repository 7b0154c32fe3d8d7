//! Root keys and their transitions.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A root key: its public half, state and dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeyStatus {
    /// The id by which tokens name it.
    pub id: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// Its state.
    pub state: RootKeyState,
    /// The version of the first keyset that lists it.
    pub published_version: u64,
    /// Time at which it was made and published.
    pub staged_at: Timestamp,
    /// Time at which it began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// Time at which it ceased to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_at: Option<Timestamp>,
    /// Time at which it was retired, and its private half destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// Time at which it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The reason of its revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Time from which a guard allows its next transition: the activation of a staged key, or the retirement of a
    /// retiring one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// The state of a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootKeyState {
    /// Published, not yet signing.
    Staged,
    /// Signs new tokens.
    Active,
    /// Signs no more; its tokens stay valid.
    Retiring,
    /// Gone from the keyset, private half destroyed.
    Retired,
    /// A tombstone in the keyset, private half destroyed.
    Revoked,
}

impl RootKeyState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            RootKeyState::Staged => "staged",
            RootKeyState::Active => "active",
            RootKeyState::Retiring => "retiring",
            RootKeyState::Retired => "retired",
            RootKeyState::Revoked => "revoked",
        }
    }
}

/// One transition of one key: one row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTransition {
    /// The key.
    pub id: KeyId,
    /// The kind of transition.
    pub step: TransitionKind,
    /// True if a guard was overridden.
    pub forced: bool,
}

/// The kind of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransitionKind {
    /// The key was made and published.
    Stage,
    /// It began to sign.
    Activate,
    /// It ceased to sign.
    Supersede,
    /// It left the keyset, and its private half was destroyed.
    Retire,
    /// It became a tombstone, and its private half was destroyed.
    Revoke,
}

/// The result of an operation on one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTransitions {
    /// The transitions, in order; none if the key was in the requested state already.
    pub changes: Vec<KeyTransition>,
    /// The version of the keyset that shows them.
    pub keyset_version: u64,
}

/// The result of a rotation, and what the next one waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationResult {
    /// The transitions, in order; none if nothing was due.
    pub changes: Vec<KeyTransition>,
    /// The version of the keyset that shows them.
    pub keyset_version: u64,
    /// The next transitions, with their times.
    pub waiting: Vec<KeyGuard>,
}

/// A guard that refuses a transition because it is too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGuard {
    /// The key.
    pub id: KeyId,
    /// The reason of the guard.
    pub wait: GuardReason,
    /// Time from which the guard allows it.
    pub until: Timestamp,
}

/// The reason why a guard refuses a transition for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardReason {
    /// Verifiers may not have seen the key yet.
    Publication,
    /// A verifier said that it uses a keyset without the key.
    Verifiers,
    /// Tokens that the key signed may not have expired.
    LiveTokens,
    /// An earlier rotation is not complete.
    Rotation,
}

/// The request of an activation and of a retirement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceRequest {
    /// True to override the guard, and to accept denied tokens.
    #[serde(default)]
    pub force: bool,
}

/// The request of a key's revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeyRequest {
    /// The reason, on one line. It is published.
    pub reason: String,
}
