//! Clients: agents that authenticate with a name and a secret.
//!
//! A secret is `ID.RANDOM`. The part before the dot identifies the hash, so that each attempt costs one
//! Argon2id and not one per secret. A secret is shown once and stored as a hash. During a rotation the
//! old and the new secret are both valid, so that no request is refused in between.

mod hashing;
mod info;
pub(crate) mod secret;
pub(crate) mod signed_in;

pub use info::{ClientInfo, NewClient, SecretInfo};
pub use secret::ClientSecret;
pub use signed_in::SignedIn;

use bailiwick_token::{claims, timestamp::Timestamp};
use serde_json::json;

use self::info::{MAX_CLIENT_NAME, is_client_name};
use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    store::{StoreError, Tx},
};

/// Maximum number of secrets of a client: the one in use, the one that replaces it, and one spare.
const MAX_SECRETS: usize = 3;

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
        let info = ClientInfo {
            name: client.name,
            principal: client.principal,
            profiles: client.profiles,
            claims: client.claims,
            created_at: now,
            disabled_at: None,
            secrets: vec![stored.info.clone()],
        };
        let mut tx = self.write(now).await?;
        if tx.client(&info.name).await?.is_some() {
            return Err(ClientError::Exists(info.name));
        }
        tx.insert_client(&info).await?;
        tx.insert_client_secret(&info.name, &stored).await?;
        let detail = json!({
            "client": info.name,
            "profiles": info.profiles,
            "claims": info.claims,
            "secret": stored.info.id,
        });
        self.finish(tx, AuditEvent::ClientAdd, &info, detail, now)
            .await?;
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

    /// Disables a client for good and destroys its secrets. Its name cannot be registered again. The tokens
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
        let hash = claimed.as_ref().map(|claimed| claimed.secret.hash.clone());
        let right = self.verified_secrets.verify(hash, secret).await?;
        Ok(claimed.filter(|claimed| right && claimed.info.disabled_at.is_none()))
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
        Ok(claimed.filter(|claimed| {
            self.verified_secrets.knows(&claimed.secret.hash, secret)
                && claimed.info.disabled_at.is_none()
        }))
    }

    /// Returns the client of this name and the stored secret with the id of `secret`, which is not verified
    /// yet.
    async fn claimed(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
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
        Ok(secret.map(|secret| SignedIn {
            info: client.info,
            secret,
        }))
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

    async fn finish(
        &self,
        mut tx: Tx,
        event: AuditEvent,
        client: &ClientInfo,
        detail: serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = Entry {
            agent: Some(client.name.clone()),
            principal: Some(client.principal.clone()),
            ..Entry::new(event, detail)
        };
        tx.record(entry, &self.actor, now).await?;
        tx.commit().await
    }
}

async fn enabled(tx: &mut Tx, name: &str) -> Result<ClientInfo, ClientError> {
    let client = tx
        .client(name)
        .await?
        .ok_or_else(|| ClientError::NotFound(name.to_owned()))?
        .info;
    match client.disabled_at {
        None => Ok(client),
        Some(at) => Err(ClientError::Disabled(at)),
    }
}

fn check(client: &NewClient) -> Result<(), ClientError> {
    if !is_client_name(&client.name) {
        return Err(ClientError::Name);
    }
    if client.principal.trim() != client.principal || !claims::is_name(&client.principal) {
        return Err(ClientError::Principal);
    }
    if client.profiles.is_empty() || client.profiles.len() > 64 {
        return Err(ClientError::Profiles);
    }
    let claims = json!(client.claims).to_string();
    let taken = ["client", "principal", "profiles"];
    if claims.len() > 16_384 || taken.iter().any(|name| client.claims.contains_key(*name)) {
        return Err(ClientError::Claims);
    }
    Ok(())
}

/// An error of an operation on clients. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The name is not a valid name of a client.
    #[error(
        "a client's name has 1 to {MAX_CLIENT_NAME} visible ASCII characters without `:`, `/`, `\\`, `%`, `?` and `#`, and is not `.` or `..`"
    )]
    Name,
    /// The principal is missing or not a valid name.
    #[error(
        "a client acts on somebody's authority: name a principal of at most {} bytes, without control characters and without white space at its ends",
        claims::MAX_NAME
    )]
    Principal,
    /// There are no profiles, or too many.
    #[error("a client uses 1 to 64 profiles: name them")]
    Profiles,
    /// The claims are too large, or use a name that is reserved for the issuer.
    #[error(
        "a client's claims have at most 16 KiB of JSON, and none is `client`, `principal` or `profiles`"
    )]
    Claims,
    /// The name is taken.
    #[error("the client `{0}` exists: choose another name, also after a client was disabled")]
    Exists(String),
    /// No client has this name.
    #[error("no client has the name `{0}`: `client list` shows all of them")]
    NotFound(String),
    /// The client is disabled.
    #[error("the client was disabled at {0}: register another one")]
    Disabled(Timestamp),
    /// Too many secrets of the client are still valid.
    #[error(
        "the client has {MAX_SECRETS} secrets: wait until one has ended, or use a shorter overlap"
    )]
    TooManySecrets,
    /// The secret cannot be hashed, usually for lack of memory.
    #[error("the secret cannot be hashed: free memory and try again")]
    Hash,
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
