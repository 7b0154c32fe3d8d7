//! Clients that authenticate with a key: registration, rotation and authentication.
//!
//! This crate stores and compares keys. Signatures are verified at the edge, which knows the formats of
//! assertions.

use bailiwick_token::timestamp::Timestamp;
use serde_json::json;

use super::{
    error::{ClientError, MAX_KEYS},
    info::{ClientInfo, NewClient, is_client_name},
    key::{ClientKey, NewClientKey},
    registration::{check, enabled},
    signed_in::SignedIn,
};
use crate::{
    audit::AuditEvent,
    issuer::Issuer,
    store::{StoreError, StoredClient},
};

impl Issuer {
    /// Registers a client with public keys and without a secret. [`Issuer::client_rotate`] can add a secret
    /// later.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_add_with_keys(
        &self,
        client: NewClient,
        keys: Vec<NewClientKey>,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        check(&client)?;
        if keys.is_empty() {
            return Err(ClientError::NoKey);
        }
        let keys = joined(Vec::new(), keys, now)?;
        self.register(client, keys, None, now).await
    }

    /// Adds public keys to a client. The client's other keys and its secrets stay valid.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_key_add(
        &self,
        name: &str,
        keys: Vec<NewClientKey>,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        if keys.is_empty() {
            return Err(ClientError::NoKey);
        }
        let ids: Vec<String> = keys.iter().map(|key| key.id().to_owned()).collect();
        let mut tx = self.write(now).await?;
        let mut info = enabled(&mut tx, name).await?;
        info.keys = joined(info.keys, keys, now)?;
        tx.set_client_keys(name, &info.keys).await?;
        let detail = json!({ "client": name, "keys": ids });
        self.finish(tx, AuditEvent::ClientKeyAdd, &info, detail, now)
            .await?;
        Ok(info)
    }

    /// Removes a public key of a client. From then on, requests that were signed with the key are refused, even those
    /// already waiting. Tokens that the client already has stay valid.
    ///
    /// # Errors
    /// [`ClientError`]; in that case, nothing changed.
    pub async fn client_key_remove(
        &self,
        name: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        let mut tx = self.write(now).await?;
        let mut info = enabled(&mut tx, name).await?;
        let before = info.keys.len();
        info.keys.retain(|key| key.id != id);
        if info.keys.len() == before {
            return Err(ClientError::KeyNotFound(id.to_owned()));
        }
        tx.set_client_keys(name, &info.keys).await?;
        let detail = json!({ "client": name, "key": id });
        self.finish(tx, AuditEvent::ClientKeyRemove, &info, detail, now)
            .await?;
        Ok(info)
    }

    /// Returns the client that an assertion names. The caller must verify the assertion with the client's keys.
    ///
    /// # Errors
    /// [`StoreError`]. An unknown name is not an error: the result is `None`.
    pub async fn signing_client(&self, name: &str) -> Result<Option<SigningClient>, StoreError> {
        // An invalid name is not looked up: it may contain NUL, which PostgreSQL refuses.
        if !is_client_name(name) {
            return Ok(None);
        }
        let client = self.client_lookup.submit(name.to_owned()).await?;
        Ok(client.map(|StoredClient { info, .. }| SigningClient(info)))
    }
}

/// A client that an assertion names. The assertion's signature is not verified yet.
#[derive(Debug, Clone)]
pub struct SigningClient(ClientInfo);

impl SigningClient {
    /// The name of the client.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The keys that may sign for the client. A disabled client has none.
    #[must_use]
    pub fn keys(&self) -> &[ClientKey] {
        match self.0.disabled_at {
            None => &self.0.keys,
            Some(_) => &[],
        }
    }

    /// Authenticates the client by the key with this id, after the caller has verified an assertion with that
    /// key. Returns `None` if the key is not among [`SigningClient::keys`].
    #[must_use]
    pub fn signed_in_by(self, id: &str) -> Option<SignedIn> {
        let key = self.keys().iter().find(|key| key.id == id)?.clone();
        Some(SignedIn::by_key(self.0, key))
    }
}

/// Adds new keys to a client's existing keys.
fn joined(
    mut keys: Vec<ClientKey>,
    new: Vec<NewClientKey>,
    now: Timestamp,
) -> Result<Vec<ClientKey>, ClientError> {
    for key in new {
        let key = key.registered(now);
        // If two keys had the same `kid`, it would be unclear which of them to remove.
        let same_name = |other: &ClientKey| key.kid().is_some() && other.kid() == key.kid();
        if keys
            .iter()
            .any(|other| other.id == key.id || same_name(other))
        {
            return Err(ClientError::KeyExists(key.id));
        }
        keys.push(key);
    }
    match keys.len() {
        0..=MAX_KEYS => Ok(keys),
        _ => Err(ClientError::TooManyKeys),
    }
}
