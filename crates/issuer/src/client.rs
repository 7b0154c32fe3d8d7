//! Clients: agents that authenticate with a name and a secret, or with assertions that they sign themselves.
//!
//! A secret is `ID.RANDOM`. The part before the dot identifies the stored hash, so that each attempt costs one
//! Argon2id computation rather than one per secret. A secret is shown once and stored as a hash. During a
//! rotation, the old and the new secret are both valid, so that no request is refused.

mod error;
mod hashing;
mod info;
mod key;
mod keys;
mod registration;
pub(crate) mod secret;
pub(crate) mod signed_in;

pub use error::ClientError;
pub use info::{ClientInfo, NewClient, SecretInfo, is_client_name};
pub use key::{ClientKey, NewClientKey};
pub use keys::SigningClient;
pub use secret::ClientSecret;
pub use signed_in::SignedIn;

use bailiwick_token::timestamp::Timestamp;
use serde_json::json;

use self::{
    error::MAX_SECRETS,
    registration::{check, enabled},
};
use crate::{
    audit::AuditEvent,
    issuer::Issuer,
    store::{StoreError, StoredSecret},
};

/// Maximum length of a text that is tried as a secret, in bytes.
const MAX_SECRET: usize = 256;

impl Issuer {
    /// Registers a client and creates its first secret.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_add(
        &self,
        client: NewClient,
        now: Timestamp,
    ) -> Result<(ClientInfo, ClientSecret), ClientError> {
        check(&client)?;
        let (stored, secret) = secret::generate(now).await?.ok_or(ClientError::Hash)?;
        let info = self.register(client, Vec::new(), Some(stored), now).await?;
        Ok((info, secret))
    }

    /// Creates a new secret for a client. The client's existing secrets expire `overlap` seconds from now.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_rotate(
        &self,
        name: &str,
        overlap: u64,
        now: Timestamp,
    ) -> Result<(ClientInfo, ClientSecret), ClientError> {
        let (stored, secret) = secret::generate(now).await?.ok_or(ClientError::Hash)?;
        let mut tx = self.write(now).await?;
        let info = enabled(&mut tx, name).await?;
        let end = now.plus(overlap);
        tx.end_client_secrets(name, end, now).await?;
        let left = tx
            .client(name)
            .await?
            .map_or(0, |client| client.secrets.len());
        if left >= MAX_SECRETS {
            return Err(ClientError::TooManySecrets);
        }
        tx.insert_client_secret(name, &stored).await?;
        let detail = json!({ "client": name, "secret": stored.info.id, "others_end": end });
        // Read before the commit: if anything failed after it, the new secret would be lost.
        let rotated = enabled(&mut tx, name).await?;
        self.finish(tx, AuditEvent::ClientRotate, &info, detail, now)
            .await?;
        Ok((rotated, secret))
    }

    /// Disables a client permanently and destroys its secrets. Its public keys stay on record, but can no
    /// longer authenticate. Its name cannot be registered again. Tokens that the client already has stay valid:
    /// revoke them by a watermark.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_disable(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        let mut tx = self.write(now).await?;
        let info = enabled(&mut tx, name).await?;
        tx.disable_client(name, now).await?;
        let detail = json!({ "client": name });
        let disabled = tx.client(name).await?;
        self.finish(tx, AuditEvent::ClientDisable, &info, detail, now)
            .await?;
        Ok(disabled.map_or(info, |client| client.info))
    }

    /// Returns all clients, sorted by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients(&self) -> Result<Vec<ClientInfo>, StoreError> {
        let clients = self.store.read().await?.clients().await?;
        Ok(clients.into_iter().map(|client| client.info).collect())
    }

    /// Returns one client.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], or an error of the database.
    pub async fn client(&self, name: &str) -> Result<ClientInfo, ClientError> {
        let client = self.store.read_one().await?.client(name).await?;
        let client = client.ok_or_else(|| ClientError::NotFound(name.to_owned()))?;
        Ok(client.info)
    }

    /// Authenticates a client by its secret. Neither the result nor the time taken reveals whether the name or
    /// the secret was wrong. Each call computes Argon2id, so callers must limit the rate.
    ///
    /// # Errors
    /// [`StoreError`]. A wrong name or secret is not an error: the result is `None`.
    pub async fn authenticate_client(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let claimed = self.claimed(name, secret, now).await?;
        let hash = claimed.as_ref().map(|(_, stored)| stored.hash.clone());
        let right = self.verified_secrets.verify(hash, secret).await?;
        let claimed = claimed.filter(|(info, _)| right && info.disabled_at.is_none());
        Ok(claimed.map(|(info, stored)| SignedIn::by_secret(info, stored)))
    }

    /// Like [`Issuer::authenticate_client`], but succeeds only for a secret that this process verified
    /// recently. This method never computes Argon2id, so callers need not limit the rate, and the method
    /// reveals nothing to an attacker who guesses.
    ///
    /// # Errors
    /// [`StoreError`]. For any other secret, the result is `None`.
    pub async fn recognize_client(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let claimed = self.claimed(name, secret, now).await?;
        let claimed = claimed.filter(|(info, stored)| {
            self.verified_secrets.knows(&stored.hash, secret) && info.disabled_at.is_none()
        });
        Ok(claimed.map(|(info, stored)| SignedIn::by_secret(info, stored)))
    }

    /// Returns the client with this name, and its stored secret with the id of `secret`. Nothing is verified
    /// yet.
    async fn claimed(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<(ClientInfo, StoredSecret)>, StoreError> {
        // An invalid name is not looked up: it may contain NUL, which PostgreSQL refuses.
        if secret.len() > MAX_SECRET || !is_client_name(name) {
            return Ok(None);
        }
        let Some(client) = self.client_lookup.submit(name.to_owned()).await? else {
            return Ok(None);
        };
        let id = secret.split_once('.').map_or("", |(id, _)| id);
        let mut secrets = client.secrets.into_iter();
        let secret = secrets.find(|stored| stored.info.id == id && stored.is_good(now));
        Ok(secret.map(|secret| (client.info, secret)))
    }

    /// Records that a one-time assertion was used. Returns false if the assertion was used before, here or at
    /// another issuer on the same database, or is so old that it may have been used before a restore. `id`
    /// identifies the assertion uniquely, for example as a hash of its issuer and `jti`. `issued_at` is the
    /// earliest time at which the assertion can have been issued.
    ///
    /// # Errors
    /// [`StoreError`]; in that case, the assertion must be refused.
    pub async fn use_assertion(
        &self,
        id: &[u8; 32],
        issued_at: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write(now).await?;
        let first = tx.use_assertion(id, issued_at, expires, now).await?;
        tx.commit().await?;
        Ok(first)
    }
}
