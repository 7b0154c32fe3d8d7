//! The issuer of Bailiwick tokens: it mints and revokes tokens, keeps the root keys, and records every
//! operation.
//!
//! An [`Issuer`] is a home directory with a database and an identity that is encrypted with a
//! passphrase. A change of keys, tokens, clients or revocations and its audit row are one transaction: a returned
//! result survives a crash. An operation that failed changed nothing, but its refusal may be on record; and if the
//! connection to the database was lost, the outcome is unknown. Callers pass in the time.
//! Operations that need no private key work without the passphrase.

mod audit;
mod backup;
mod batch;
mod client;
mod clock;
mod feed;
mod group_commit;
mod home;
mod init;
mod issuer;
mod key_schedule;
mod keyring;
mod keys;
mod keyset;
mod line;
mod mint;
mod passphrase;
pub mod profile;
mod revocation_url;
mod revoke;
mod settings;
mod signer;
mod standing;
mod store;
mod store_info;
mod token_list;
mod vault;
mod verifiers;

pub use audit::{
    AuditCoverage, AuditEvent, AuditEventError, AuditFilter, AuditFinding, AuditHead, AuditReport,
    AuditRow, Checkpoint, CheckpointError, ExportError, MAX_CHECKPOINT, Tampering, verify_export,
};
pub use backup::{
    BackupError, BackupFileError, BackupReport, RestoreError, RestoreEvidence,
    RestoreEvidenceError, RestoreOptions, RestoreReport,
};
pub use client::{
    ClientError, ClientInfo, ClientKey, ClientSecret, NewClient, NewClientKey, SecretInfo,
    SignedIn, SigningClient, is_client_name,
};
pub use feed::{FEED_LIFE, HEAD_RESIGN, PublishedHead, PublishedRevocations, SnapshotFailure};
pub use home::HomeError;
pub use init::InitError;
pub use issuer::{Issuer, OpenError, UnlockError};
pub use key_schedule::KeySchedule;
pub use keyring::{Change, DueStep, Guard, KeyInfo, State, Step, TransitionError, Wait};
pub use keys::{KeyReport, RootKeyError, Rotation};
pub use keyset::{KEYSET_RESIGN, PublishedKeyset};
pub use mint::{MintError, MintRefusal, MintRequest, Minted, Receipt, RefusedRequest, TokenInfo};
pub use passphrase::{MIN_PASSPHRASE, Passphrase, PassphraseError};
pub use revocation_url::{RevocationUrlError, RevocationUrlReport};
pub use revoke::{MAX_TARGETS, RevocationInfo, RevokeError, RevokeOutcome, RevokeReport};
pub use settings::{InitOptions, Settings, SettingsError};
pub use signer::SignError;
pub use standing::{Standing, Withdrawn};
pub use store::{PostgresUrl, PostgresUrlError, StoreError};
pub use store_info::{StoreInfo, StorePlace};
pub use token_list::{ListedToken, MAX_TOKENS, TokenFilter, TokenListError, TokenPage, TokenState};
pub use vault::{ImportError, ImportedKey, VaultError};
pub use verifiers::{VerifierInfo, VerifierReport};

#[cfg(test)]
mod tests;
