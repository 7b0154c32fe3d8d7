//! The state of an issuer: its parts, due transitions, and findings that an operator should act on.

use bailiwick_token::{
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::keys::{KeyGuard, RootKeyStatus, TransitionKind};

/// A report on the state of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerStatus {
    /// The issuer's name, usually a URL.
    pub issuer: String,
    /// Time of this report.
    pub time: Timestamp,
    /// The worst state of all sections.
    pub state: Health,
    /// The sections, each with its state and findings.
    pub sections: Vec<SectionStatus>,
    /// The root keys, without retired and revoked ones.
    pub keys: Vec<RootKeyStatus>,
    /// The transitions that the next rotation will make.
    pub due: Vec<DueTransition>,
    /// The guards that later transitions wait for.
    pub waiting: Vec<KeyGuard>,
    /// The last signed keyset.
    pub keyset: KeysetStatus,
    /// The last signed head of the revocation feed; absent if no service ever signed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadStatus>,
    /// The URL at which verifiers find the revocations, if the keyset names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
    /// The result of trying the passphrase on the private keys.
    pub private_keys: PrivateKeys,
    /// The audit log and its checkpoints.
    pub audit: AuditStatus,
    /// The numbers of clients, and the secrets that are about to expire.
    pub clients: ClientsStatus,
    /// The verifiers that reported.
    pub verifiers: VerifierCounts,
    /// The identity providers, in the order of the configuration.
    pub providers: Vec<ProviderStatus>,
    /// The database: its kind, place and size.
    pub store: StoreStatus,
    /// The issuer's settings.
    pub settings: SettingsStatus,
}

/// The state of a part of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Everything works.
    Ok,
    /// Works, but an operator should act before it fails.
    Warning,
    /// Does not work.
    Error,
}

impl Health {
    /// Returns the name on the wire.
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
    /// The running service. Only a service reports this section.
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
    /// The verifiers that reported.
    Verifiers,
    /// The identity providers.
    Providers,
    /// The issuer's database.
    Store,
    /// The settings and the profiles.
    Settings,
}

impl StatusSection {
    /// Returns the name on the wire.
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
    /// The worst state of all findings.
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

/// A transition that the next rotation will make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTransition {
    /// The key; absent if the rotation will make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<KeyId>,
    /// The kind of transition.
    pub step: TransitionKind,
    /// Time from which a rotation could have made the transition.
    pub since: Timestamp,
}

/// A signed keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetStatus {
    /// Version of the keyset.
    pub version: u64,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which verifiers refuse the keyset.
    pub expires: Timestamp,
}

/// A signed head of the revocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStatus {
    /// Number of the last change.
    pub seq: u64,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which verifiers refuse the head.
    pub expires: Timestamp,
}

/// The private keys of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateKeys {
    /// The configured passphrase opens the keys.
    Unlocked,
    /// The configured passphrase does not open the keys.
    Refused,
    /// No passphrase is configured, so the keys were not tried.
    NotTried,
}

/// The audit and its signed checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditStatus {
    /// Number of rows.
    pub rows: u64,
    /// The last row that a checkpoint covers; 0 if there is no checkpoint.
    pub checkpoint: u64,
    /// Time at which the last checkpoint was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_at: Option<Timestamp>,
}

/// The clients of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientsStatus {
    /// Number of clients, including disabled ones.
    pub registered: u64,
    /// Number of disabled clients.
    pub disabled: u64,
    /// Number of secrets that expire within a week.
    pub ending_secrets: u64,
    /// The secrets that expire first, at most 20.
    pub ending: Vec<EndingSecret>,
}

/// A secret that is about to expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingSecret {
    /// Name of the client.
    pub client: String,
    /// The part of the secret before the dot.
    pub secret: String,
    /// Expiry time.
    pub expires: Timestamp,
}

/// The verifiers that reported to an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierCounts {
    /// Number of verifiers that reported.
    pub reported: u64,
    /// Number of verifiers that last reported an hour ago or earlier.
    pub silent: u64,
    /// Number of verifiers, not counting silent ones, that still use an older keyset some time after the newest
    /// was published.
    pub behind: u64,
    /// The names of up to 20 verifiers that are behind.
    pub behind_names: Vec<String>,
}

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderStatus {
    /// Name of the provider in the configuration.
    pub name: String,
    /// The provider's issuer identifier (`iss`).
    pub issuer: String,
    /// True if the last request for the provider's keys succeeded.
    pub reachable: bool,
    /// Number of the provider's keys in use.
    pub keys: u64,
    /// The reason for the failure of the last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The database of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// The kind of database.
    pub kind: StoreKind,
    /// The path of the file, or the name of the host. It never contains a user or a password.
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

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A file in the issuer's home.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// The settings of an issuer. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsStatus {
    /// The key that signs keysets and revocations.
    pub keyset_key: PublicKey,
    /// The interval at which verifiers should look for a newer keyset.
    pub refresh_hint: u64,
    /// Maximum lifetime of a token.
    pub max_token_ttl: u64,
    /// The lifetime of a signed keyset.
    pub keyset_life: u64,
    /// Number of profiles.
    pub profiles: u64,
}
