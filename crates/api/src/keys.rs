//! Root keys and their transitions.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A root key: its public half, state and dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeyStatus {
    /// The id by which tokens refer to the key.
    pub id: KeyId,
    /// The public half.
    pub public: PublicKey,
    /// State of the key.
    pub state: RootKeyState,
    /// Version of the first keyset that lists the key.
    pub published_version: u64,
    /// Time at which the key was made and published.
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

/// The state of a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootKeyState {
    /// Published, not yet signing.
    Staged,
    /// Signs new tokens.
    Active,
    /// No longer signs; its tokens stay valid.
    Retiring,
    /// Removed from the keyset, with the private half destroyed.
    Retired,
    /// Kept in the keyset as a tombstone, with the private half destroyed.
    Revoked,
}

impl RootKeyState {
    /// Returns the name on the wire.
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

/// One transition of one key, which the audit log records as one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTransition {
    /// The id of the key.
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
    /// The key began to sign.
    Activate,
    /// The key stopped signing.
    Supersede,
    /// The key left the keyset, and its private half was destroyed.
    Retire,
    /// The key became a tombstone, and its private half was destroyed.
    Revoke,
}

/// The result of an operation on one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTransitions {
    /// The transitions, in order; none if the key was in the requested state already.
    pub changes: Vec<KeyTransition>,
    /// Version of the keyset after the transitions.
    pub keyset_version: u64,
}

/// The result of a rotation, with the guards that later transitions wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationResult {
    /// The transitions, in order; none if nothing was due.
    pub changes: Vec<KeyTransition>,
    /// Version of the keyset after the transitions.
    pub keyset_version: u64,
    /// Guards that hold back the next transitions, with their end times.
    pub waiting: Vec<KeyGuard>,
}

/// A guard that refuses a transition because it is too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGuard {
    /// The id of the key.
    pub id: KeyId,
    /// The reason for the wait.
    pub wait: GuardReason,
    /// Time from which the guard allows the transition.
    pub until: Timestamp,
}

/// The reason why a guard refuses a transition at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardReason {
    /// Some verifiers may not have seen the key yet.
    Publication,
    /// A verifier reported a keyset that lacks the key.
    Verifiers,
    /// Tokens that the key signed may still be valid.
    LiveTokens,
    /// An earlier rotation is not complete.
    Rotation,
}

/// A request to activate or retire a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceRequest {
    /// True to override the guard, at the risk that verifiers deny valid tokens.
    #[serde(default)]
    pub force: bool,
}

/// A request to revoke a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeyRequest {
    /// The reason, on one line. The issuer publishes it.
    pub reason: String,
}
