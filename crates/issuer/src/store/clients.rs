//! Clients: the agents that authenticate with a secret, and the hashes of their secrets.

use bailiwick_token::timestamp::Timestamp;
use serde_json::json;

use super::{
    StoreError, Tx,
    database::{NotStored, Row, values},
};
use crate::{
    client::{ClientInfo, SecretInfo},
    keyring::CLOCK_FAULT,
};

/// A secret as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct StoredSecret {
    pub(crate) info: SecretInfo,
    /// Argon2id, in the PHC string format.
    pub(crate) hash: String,
}

impl Tx {
    pub(crate) async fn insert_client(&mut self, client: &ClientInfo) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO client (name, principal, profiles, claims, created_at, disabled_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                &client.name,
                &client.principal,
                json!(client.profiles).to_string(),
                json!(client.claims).to_string(),
                client.created_at,
                client.disabled_at,
            ],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn disable_client(
        &mut self,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE client SET disabled_at = $1 WHERE name = $2",
            values![now, name],
        )
        .await?;
        self.execute("DELETE FROM client_secret WHERE client = $1", values![name])
            .await?;
        Ok(())
    }

    pub(crate) async fn clients(&mut self) -> Result<Vec<ClientInfo>, StoreError> {
        let rows = self
            .fetch("client", "SELECT * FROM client ORDER BY name", vec![])
            .await?;
        let mut clients = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut client = read(row)?;
            client.secrets = self.infos(&client.name).await?;
            clients.push(client);
        }
        Ok(clients)
    }

    pub(crate) async fn client(&mut self, name: &str) -> Result<Option<ClientInfo>, StoreError> {
        let row = self
            .fetch_one(
                "client",
                "SELECT * FROM client WHERE name = $1",
                values![name],
            )
            .await?;
        let Some(mut client) = row.as_ref().map(read).transpose()? else {
            return Ok(None);
        };
        client.secrets = self.infos(name).await?;
        Ok(Some(client))
    }

    async fn infos(&mut self, client: &str) -> Result<Vec<SecretInfo>, StoreError> {
        let secrets = self.client_secrets(client).await?;
        Ok(secrets.into_iter().map(|secret| secret.info).collect())
    }

    /// The secrets of a client, oldest first.
    pub(crate) async fn client_secrets(
        &mut self,
        client: &str,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        let rows = self
            .fetch(
                "client secret",
                "SELECT * FROM client_secret WHERE client = $1 ORDER BY created_at, id",
                values![client],
            )
            .await?;
        let secrets = rows.iter().map(|row| {
            Ok::<_, NotStored>(StoredSecret {
                info: SecretInfo {
                    id: row.text("id")?,
                    created_at: row.time("created_at")?,
                    expires: row.optional_time("expires")?,
                },
                hash: row.text("hash")?,
            })
        });
        Ok(secrets.collect::<Result<_, _>>()?)
    }

    pub(crate) async fn insert_client_secret(
        &mut self,
        client: &str,
        secret: &StoredSecret,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO client_secret (id, client, hash, created_at, expires)
             VALUES ($1, $2, $3, $4, $5)",
            values![
                &secret.info.id,
                client,
                &secret.hash,
                secret.info.created_at,
                secret.info.expires,
            ],
        )
        .await?;
        Ok(())
    }

    /// Lets the secrets of a client end at `end`, where they do not end before; those that have
    /// ended by `now` go.
    pub(crate) async fn end_client_secrets(
        &mut self,
        client: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE client_secret SET expires = $1
             WHERE client = $2 AND (expires IS NULL OR expires > $1)",
            values![end, client],
        )
        .await?;
        self.execute(
            "DELETE FROM client_secret WHERE client = $1 AND expires <= $2",
            values![client, now],
        )
        .await?;
        Ok(())
    }

    /// Notes that a one-time assertion was used, until `expires`. `false`: it was used before.
    pub(crate) async fn use_assertion(
        &mut self,
        id: &[u8; 32],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A clock that ran ahead, or is set back, must not make a used one new.
        self.execute(
            "DELETE FROM assertion WHERE expires < $1",
            values![now.minus(CLOCK_FAULT)],
        )
        .await?;
        let inserted = self
            .execute(
                "INSERT INTO assertion (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                values![id, expires],
            )
            .await?;
        Ok(inserted == 1)
    }
}

fn read(row: &Row) -> Result<ClientInfo, NotStored> {
    let damaged = |_| NotStored("client");
    Ok(ClientInfo {
        name: row.text("name")?,
        principal: row.text("principal")?,
        profiles: serde_json::from_str(&row.text("profiles")?).map_err(damaged)?,
        claims: serde_json::from_str(&row.text("claims")?).map_err(damaged)?,
        created_at: row.time("created_at")?,
        disabled_at: row.optional_time("disabled_at")?,
        secrets: Vec::new(),
    })
}
