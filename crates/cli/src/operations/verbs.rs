//! The trait of operators' operations, and its results.

use async_trait::async_trait;
use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ClientRegistration,
    ClientWithSecret, IssuerStatus, KeyTransitions, KeysetSetting, MintReceipt, ProfileSummary,
    RegisterClientRequest, RegisteredClient, RevokeRequest, RevokeResult, RevokedEntry,
    RootKeyStatus, RotationResult, TokenPage, TokensQuery, VerifiersInUse,
};
use bailiwick_issuer::MintRequest;
use bailiwick_token::{key::KeyId, timestamp::Timestamp, token::Token};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// An operator's operations on one issuer.
#[async_trait(?Send)]
pub(crate) trait Operations {
    /// Lists all root keys, in the order in which they were added.
    async fn keys(&self) -> Result<Vec<RootKeyStatus>, Failure>;

    /// Makes a key, and publishes it.
    async fn stage_key(&self) -> Result<KeyTransitions, Failure>;

    /// Activates a staged key, which then signs new tokens.
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

    /// Returns the longest lifetime of tokens, in seconds.
    async fn longest_life(&self) -> Result<u64, Failure>;

    /// Mints a token.
    async fn mint(&self, request: &MintRequest) -> Result<(Token, MintReceipt), Failure>;

    /// Returns a page of the tokens that match, the latest first.
    async fn tokens(&self, query: TokensQuery) -> Result<TokenPage, Failure>;

    /// Revokes several targets: either all of them or none.
    async fn revoke(&self, request: &RevokeRequest) -> Result<Vec<RevokeResult>, Failure>;

    /// Returns the time at which everything derived from a block has expired; `None` if the issuer cannot know.
    async fn block_end(&self, token: &Token, block: usize) -> Result<Option<Timestamp>, Failure>;

    /// Returns true if verifiers fetch the revocations from the issuer, so that no file must be distributed.
    fn serves_revocations(&self) -> bool;

    /// Lists the revocations that have not expired.
    async fn revocations(&self) -> Result<Vec<RevokedEntry>, Failure>;

    /// Returns the signed snapshot of the revocations.
    async fn snapshot(&self) -> Result<SignedSnapshot, Failure>;

    /// Lists all clients, sorted by name.
    async fn clients(&self) -> Result<Vec<RegisteredClient>, Failure>;

    /// Registers a client, with its public keys or with a first secret.
    async fn register_client(
        &self,
        request: RegisterClientRequest,
    ) -> Result<ClientRegistration, Failure>;

    /// Makes a new secret for a client. The client's earlier secrets stay valid for `overlap` seconds.
    async fn rotate_client(&self, name: &str, overlap: u64) -> Result<ClientWithSecret, Failure>;

    /// Adds public keys to a client.
    async fn add_client_keys(
        &self,
        name: &str,
        request: AddClientKeysRequest,
    ) -> Result<RegisteredClient, Failure>;

    /// Removes a public key of a client.
    async fn remove_client_key(&self, name: &str, id: &str) -> Result<RegisteredClient, Failure>;

    /// Disables a client permanently.
    async fn disable_client(&self, name: &str) -> Result<RegisteredClient, Failure>;

    /// Lists the last report of each verifier.
    async fn verifiers(&self) -> Result<VerifiersInUse, Failure>;

    /// Forgets a verifier that no longer exists.
    async fn forget_verifier(&self, name: &str) -> Result<(), Failure>;

    /// Lists the profiles, sorted by name.
    async fn profiles(&self) -> Result<Vec<ProfileSummary>, Failure>;

    /// Lists the latest rows of the audit log that match, oldest first.
    async fn audit_rows(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, Failure>;

    /// Returns the page of rows that follows row `after`.
    async fn audit_page(&self, after: u64) -> Result<Vec<AuditRecord>, Failure>;

    /// Verifies the whole audit log, and compares it with checkpoints that were kept elsewhere.
    async fn verify_audit(
        &self,
        checkpoints: &[Zeroizing<Vec<u8>>],
    ) -> Result<AuditVerification, Failure>;

    /// Signs the current end of the audit log.
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
