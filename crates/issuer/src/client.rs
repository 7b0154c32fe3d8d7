//! Clients: agents that authenticate with a name and a secret, or with an assertion that they sign themselves.
//!
//! A secret is `ID.RANDOM`. The part before the dot identifies the hash, so that each attempt costs one
//! Argon2id and not one per secret. A secret is shown once and stored as a hash. During a rotation the
//! old and the new secret are both valid, so that no request is refused in between.

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

/// Maximum length in bytes of a text that is tried as a secret.
const MAX_SECRET: usize = 256;

impl Issuer {
    /// Registers a client and creates its first secret.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
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

    /// Creates another secret for a client. Its existing secrets end `overlap` seconds from now.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
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
        // Read before the commit: after it nothing may fail, or the new secret would be lost.
        let rotated = enabled(&mut tx, name).await?;
        self.finish(tx, AuditEvent::ClientRotate, &info, detail, now)
            .await?;
        Ok((rotated, secret))
    }

    /// Disables a client for good and destroys its secrets. Its public keys stay on record, and sign no more. Its name cannot be registered again. The tokens
    /// that it has stay valid: revoke them by a watermark.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
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

    /// Returns all clients, by name.
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
        let client = self.store.glance().await?.client(name).await?;
        let client = client.ok_or_else(|| ClientError::NotFound(name.to_owned()))?;
        Ok(client.info)
    }

    /// Authenticates a client by its secret. Neither the result nor the time that it takes reveals whether
    /// the name or the secret was wrong. It computes an Argon2id, so callers have to limit the rate.
    ///
    /// # Errors
    /// [`StoreError`]; a wrong name or secret is `None`.
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

    /// Same as [`Issuer::authenticate_client`], but only for a secret that this process verified recently.
    /// It computes no Argon2id, so it needs no limit, and it reveals nothing to somebody who guesses.
    ///
    /// # Errors
    /// [`StoreError`]; everything else is `None`.
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

    /// Returns the client of this name and the stored secret with the id of `secret`, which is not verified
    /// yet.
    async fn claimed(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<(ClientInfo, StoredSecret)>, StoreError> {
        // An impossible name is not looked up: it may contain NUL, which PostgreSQL refuses.
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

    /// Records that a one-time assertion was used. Returns false if it was used before, here or at another
    /// issuer on the same database, or is so old that it may have been used before a restore. `id`
    /// identifies the assertion uniquely, for example as a hash of its issuer and `jti`. `issued_at` is the
    /// earliest time at which it can have been issued.
    ///
    /// # Errors
    /// [`StoreError`]. The assertion must then be refused.
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
