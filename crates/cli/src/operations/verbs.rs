//! The operations of operators.

use async_trait::async_trait;
use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ClientRegistration,
    ClientWithSecret, IssuerStatus, KeyTransitions, KeysetSetting, MintReceipt, ProfileSummary,
    RegisterClientRequest, RegisteredClient, RevokeRequest, RevokeResult, RevokedEntry,
    RootKeyStatus, RotationResult, VerifiersInUse,
};
use bailiwick_issuer::MintRequest;
use bailiwick_token::{key::KeyId, timestamp::Timestamp, token::Token};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// The operations of operators on one issuer.
#[async_trait(?Send)]
pub(crate) trait Operations {
    /// Lists all root keys, in the order in which they were added.
    async fn keys(&self) -> Result<Vec<RootKeyStatus>, Failure>;

    /// Makes a key and publishes it.
    async fn stage_key(&self) -> Result<KeyTransitions, Failure>;

    /// Lets a staged key sign.
    async fn activate_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure>;

    /// Destroys the private half of a retiring key.
    async fn retire_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure>;

    /// Revokes a key, and with it all tokens that it signed.
    async fn revoke_key(&self, id: KeyId, reason: &str) -> Result<KeyTransitions, Failure>;

    /// Stages, activates and retires keys that are due.
    async fn rotate_keys(&self) -> Result<RotationResult, Failure>;

    /// Returns the signed keyset.
    async fn keyset(&self) -> Result<SignedKeyset, Failure>;

    /// Sets the URL of the revocations in the keyset.
    async fn set_revocation_url(&self, url: &str) -> Result<KeysetSetting, Failure>;

    /// Reports the state of the issuer.
    async fn status(&self) -> Result<IssuerStatus, Failure>;

    /// Mints a token.
    async fn mint(&self, request: &MintRequest) -> Result<(Token, MintReceipt), Failure>;

    /// Revokes targets, all or none.
    async fn revoke(&self, request: &RevokeRequest) -> Result<Vec<RevokeResult>, Failure>;

    /// Time at which everything derived from a block has expired; `None` if the issuer cannot tell.
    async fn block_end(&self, token: &Token, block: usize) -> Result<Option<Timestamp>, Failure>;

    /// Returns true if verifiers fetch the revocations from the issuer, so that no file has to be distributed.
    fn serves_revocations(&self) -> bool;

    /// Lists everything that is revoked and has not expired.
    async fn revocations(&self) -> Result<Vec<RevokedEntry>, Failure>;

    /// Returns the signed snapshot of the revocations.
    async fn snapshot(&self) -> Result<SignedSnapshot, Failure>;

    /// Lists all clients by name.
    async fn clients(&self) -> Result<Vec<RegisteredClient>, Failure>;

    /// Registers a client with its public keys, or without any and with a first secret.
    async fn register_client(
        &self,
        request: RegisterClientRequest,
    ) -> Result<ClientRegistration, Failure>;

    /// Makes another secret for a client. Its earlier secrets stay valid for `overlap` seconds.
    async fn rotate_client(&self, name: &str, overlap: u64) -> Result<ClientWithSecret, Failure>;

    /// Adds public keys to a client.
    async fn add_client_keys(
        &self,
        name: &str,
        request: AddClientKeysRequest,
    ) -> Result<RegisteredClient, Failure>;

    /// Removes a public key of a client.
    async fn remove_client_key(&self, name: &str, id: &str) -> Result<RegisteredClient, Failure>;

    /// Disables a client for good.
    async fn disable_client(&self, name: &str) -> Result<RegisteredClient, Failure>;

    /// Lists the last report of each verifier.
    async fn verifiers(&self) -> Result<VerifiersInUse, Failure>;

    /// Forgets a verifier that no longer exists.
    async fn forget_verifier(&self, name: &str) -> Result<(), Failure>;

    /// Lists the profiles by name.
    async fn profiles(&self) -> Result<Vec<ProfileSummary>, Failure>;

    /// Lists the latest rows of the audit that match, oldest first.
    async fn audit_rows(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, Failure>;

    /// Returns the page of rows that follows row `after`.
    async fn audit_page(&self, after: u64) -> Result<Vec<AuditRecord>, Failure>;

    /// Recomputes the whole audit, and compares it with checkpoints that were kept elsewhere.
    async fn verify_audit(
        &self,
        checkpoints: &[Zeroizing<Vec<u8>>],
    ) -> Result<AuditVerification, Failure>;

    /// Signs the current end of the audit.
    async fn sign_checkpoint(&self) -> Result<String, Failure>;
}

/// A signed keyset, with its own metadata.
pub(crate) struct SignedKeyset {
    pub(crate) version: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    /// The signed text, byte for byte.
    pub(crate) envelope: String,
}

/// A signed snapshot of the revocations, with its own metadata.
pub(crate) struct SignedSnapshot {
    pub(crate) seq: u64,
    pub(crate) entries: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    /// The signed text, byte for byte.
    pub(crate) file: String,
}
