//! The parts that all operations on clients share: validation, registration, and recording.

use bailiwick_token::{claims, timestamp::Timestamp};
use serde_json::{Map, Value, json};

use super::{
    error::ClientError,
    info::{ClientInfo, NewClient, is_client_name},
    key::ClientKey,
};
use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    store::{StoreError, StoredSecret, Tx},
};

impl Issuer {
    /// Registers a client with its first credentials. The members of `client` must have been checked.
    pub(super) async fn register(
        &self,
        client: NewClient,
        keys: Vec<ClientKey>,
        secret: Option<StoredSecret>,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        let info = ClientInfo {
            name: client.name,
            principal: client.principal,
            profiles: client.profiles,
            claims: client.claims,
            created_at: now,
            disabled_at: None,
            secrets: secret.iter().map(|secret| secret.info.clone()).collect(),
            keys,
        };
        let mut tx = self.write(now).await?;
        if tx.client(&info.name).await?.is_some() {
            return Err(ClientError::Exists(info.name));
        }
        tx.insert_client(&info).await?;
        let mut detail = Map::new();
        detail.insert("client".to_owned(), json!(info.name));
        detail.insert("profiles".to_owned(), json!(info.profiles));
        detail.insert("claims".to_owned(), json!(info.claims));
        if let Some(secret) = secret {
            tx.insert_client_secret(&info.name, &secret).await?;
            detail.insert("secret".to_owned(), json!(secret.info.id));
        }
        if !info.keys.is_empty() {
            let ids: Vec<&str> = info.keys.iter().map(|key| key.id.as_str()).collect();
            detail.insert("keys".to_owned(), json!(ids));
        }
        let detail = Value::Object(detail);
        self.finish(tx, AuditEvent::ClientAdd, &info, detail, now)
            .await?;
        Ok(info)
    }

    /// Records an operation on a client, and commits it.
    pub(super) async fn finish(
        &self,
        mut tx: Tx,
        event: AuditEvent,
        client: &ClientInfo,
        detail: Value,
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

/// Returns the client with this name, unless it is disabled.
pub(super) async fn enabled(tx: &mut Tx, name: &str) -> Result<ClientInfo, ClientError> {
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

/// Checks the members of a new client.
pub(super) fn check(client: &NewClient) -> Result<(), ClientError> {
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
