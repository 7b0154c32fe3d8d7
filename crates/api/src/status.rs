//! The state of an issuer: what it has, what is due, and what an operator should do.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::keys::{KeyGuard, RootKeyStatus, TransitionKind};

/// The state of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerStatus {
    /// The issuer's name.
    pub issuer: String,
    /// Time of this report.
    pub time: Timestamp,
    /// The worst state of a section.
    pub state: Health,
    /// The sections, each with its state and findings.
    pub sections: Vec<SectionStatus>,
    /// The root keys, without retired and revoked ones.
    pub keys: Vec<RootKeyStatus>,
    /// The transitions that the next rotation makes.
    pub due: Vec<DueTransition>,
    /// The guards that later transitions wait for.
    pub waiting: Vec<KeyGuard>,
    /// The keyset that was signed last.
    pub keyset: KeysetStatus,
    /// The head of the revocations that was signed last; absent if no service ever signed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadStatus>,
    /// The URL at which verifiers find the revocations, if the keyset names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
    /// The private keys.
    pub private_keys: PrivateKeys,
    /// The audit.
    pub audit: AuditStatus,
    /// The clients.
    pub clients: ClientsStatus,
    /// The verifiers that reported.
    pub verifiers: VerifierCounts,
    /// The identity providers, in the order of the configuration.
    pub providers: Vec<ProviderStatus>,
    /// The database.
    pub store: StoreStatus,
    /// The settings.
    pub settings: SettingsStatus,
}

/// The state of a part of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// All is well.
    Ok,
    /// It works, and an operator should act before it fails.
    Warning,
    /// It does not work.
    Error,
}

impl Health {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Warning => "warning",
            Health::Error => "error",
        }
    }
}

/// A part of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusSection {
    /// The running service. Only a service reports it.
    Service,
    /// The root keys and their rotation.
    Keys,
    /// The signed keyset.
    Keyset,
    /// The revocations that verifiers follow.
    Revocations,
    /// The private keys and their passphrase.
    PrivateKeys,
    /// The audit and its checkpoints.
    Audit,
    /// The clients and their secrets.
    Clients,
    /// The verifiers.
    Verifiers,
    /// The identity providers.
    Providers,
    /// The database.
    Store,
    /// The settings and the profiles.
    Settings,
}

impl StatusSection {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            StatusSection::Service => "service",
            StatusSection::Keys => "keys",
            StatusSection::Keyset => "keyset",
            StatusSection::Revocations => "revocations",
            StatusSection::PrivateKeys => "private_keys",
            StatusSection::Audit => "audit",
            StatusSection::Clients => "clients",
            StatusSection::Verifiers => "verifiers",
            StatusSection::Providers => "providers",
            StatusSection::Store => "store",
            StatusSection::Settings => "settings",
        }
    }
}

/// A section of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionStatus {
    /// The part of the issuer.
    pub section: StatusSection,
    /// The worst state of a finding.
    pub state: Health,
    /// The findings; none if all is well.
    pub findings: Vec<StatusFinding>,
}

/// A fact that an operator should act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusFinding {
    /// A warning or an error.
    pub state: Health,
    /// The stable name of the finding, such as `rotation_overdue`.
    pub code: String,
    /// The fact, for people.
    pub message: String,
    /// The next step, for people.
    pub next: String,
}

/// A transition that the next rotation makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTransition {
    /// The key; absent if the rotation makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<KeyId>,
    /// The kind of transition.
    pub step: TransitionKind,
    /// Time from which a rotation could have made it.
    pub since: Timestamp,
}

/// A signed keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetStatus {
    /// Its version.
    pub version: u64,
    /// Time at which it was signed.
    pub issued_at: Timestamp,
    /// Time from which verifiers refuse it.
    pub expires: Timestamp,
}

/// A signed head of the revocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStatus {
    /// The last change.
    pub seq: u64,
    /// Time at which it was signed.
    pub issued_at: Timestamp,
    /// Time from which verifiers refuse it.
    pub expires: Timestamp,
}

/// The private keys of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateKeys {
    /// The passphrase opens them.
    Unlocked,
    /// The passphrase that is configured does not open them.
    Refused,
    /// No passphrase is configured, so none was tried.
    NotTried,
}

/// The audit and its signed checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditStatus {
    /// Number of rows.
    pub rows: u64,
    /// The last row that a checkpoint covers; 0 if there is no checkpoint.
    pub checkpoint: u64,
    /// Time at which that checkpoint was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_at: Option<Timestamp>,
}

/// The clients of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientsStatus {
    /// Number of clients, with those that are disabled.
    pub registered: u64,
    /// Number of clients that are disabled.
    pub disabled: u64,
    /// Number of secrets that end within a week.
    pub ending_secrets: u64,
    /// The first of them to end, at most 20.
    pub ending: Vec<EndingSecret>,
}

/// A secret that is about to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingSecret {
    /// The client.
    pub client: String,
    /// The part of the secret before the dot.
    pub secret: String,
    /// Time at which it ends.
    pub expires: Timestamp,
}

/// The verifiers that reported to an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierCounts {
    /// Number of verifiers that reported.
    pub reported: u64,
    /// Number of verifiers that have been silent for an hour or longer.
    pub silent: u64,
    /// Number of the other verifiers that use an older keyset although the newest has been out for a while.
    pub behind: u64,
    /// The names of the first of them, at most 20.
    pub behind_names: Vec<String>,
}

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its `iss`.
    pub issuer: String,
    /// True if the last request for its keys succeeded.
    pub reachable: bool,
    /// Number of its keys in use.
    pub keys: u64,
    /// The reason why the last request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The database of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Its kind.
    pub kind: StoreKind,
    /// The path of the file, or the host. It holds no user and no password.
    pub location: String,
    /// The name of the database on a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The size of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The number of the last migration of the schema.
    pub schema: u64,
}

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A file in the home.
    Sqlite,
    /// A server.
    Postgres,
}

/// The settings of an issuer. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsStatus {
    /// The key that signs keysets and revocations.
    pub keyset_key: PublicKey,
    /// The interval at which verifiers look for a newer keyset.
    pub refresh_hint: u64,
    /// Maximum life of a token.
    pub max_token_ttl: u64,
    /// The life of a signed keyset.
    pub keyset_life: u64,
    /// Number of profiles.
    pub profiles: u64,
}
