//! Stored clients: agents that authenticate with a secret or a key, with the hashes of their secrets and their
//! public keys.

use bailiwick_token::timestamp::{SKEW, Timestamp};
use serde_json::json;

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};
use crate::{
    client::{ClientInfo, ClientKey, SecretInfo},
    clock::CLOCK_FAULT,
};

/// A client's secret, as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredSecret {
    pub(crate) info: SecretInfo,
    /// The Argon2id hash, in the PHC string format.
    pub(crate) hash: String,
}

impl StoredSecret {
    /// Returns true if the secret has not expired.
    pub(crate) fn is_good(&self, at: Timestamp) -> bool {
        self.info.expires.is_none_or(|end| at < end)
    }
}

/// A client, as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredClient {
    pub(crate) info: ClientInfo,
    pub(crate) secrets: Vec<StoredSecret>,
}

impl Tx {
    pub(crate) async fn insert_client(&mut self, client: &ClientInfo) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO client (name, principal, profiles, claims, created_at, disabled_at, public_keys)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                &client.name,
                &client.principal,
                json!(client.profiles).to_string(),
                json!(client.claims).to_string(),
                client.created_at,
                client.disabled_at,
                json!(client.keys).to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Replaces the public keys of a client.
    pub(crate) async fn set_client_keys(
        &mut self,
        name: &str,
        keys: &[ClientKey],
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE client SET public_keys = $1 WHERE name = $2",
            values![json!(keys).to_string(), name],
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
        // The client's row stays, so that nobody can register its name again: the client's tokens stay valid, and the
        // audit log refers to the name. The hashes are deleted, because nothing needs them any more.
        self.execute("DELETE FROM client_secret WHERE client = $1", values![name])
            .await?;
        Ok(())
    }

    /// Returns all clients, sorted by name.
    pub(crate) async fn clients(&mut self) -> Result<Vec<StoredClient>, StoreError> {
        self.clients_where("", vec![]).await
    }

    pub(crate) async fn client(&mut self, name: &str) -> Result<Option<StoredClient>, StoreError> {
        Ok(self.clients_named(&[name]).await?.into_iter().next())
    }

    /// Returns the clients with these names that exist, sorted by name.
    pub(crate) async fn clients_named(
        &mut self,
        names: &[&str],
    ) -> Result<Vec<StoredClient>, StoreError> {
        // The list is padded to a power of two by repeating the last name, so that only a few distinct statements
        // must be prepared.
        let length = names.len().next_power_of_two();
        let padding = names.last().copied().unwrap_or_default();
        let names = names.iter().copied().chain(std::iter::repeat(padding));
        let values: Vec<SqlValue> = names.take(length).map(SqlValue::from).collect();
        let places: Vec<String> = (1..=length).map(|place| format!("${place}")).collect();
        let condition = format!("WHERE c.name IN ({})", places.join(", "));
        self.clients_where(&condition, values).await
    }

    /// Returns clients with their secrets, oldest first.
    async fn clients_where(
        &mut self,
        condition: &str,
        values: Vec<SqlValue>,
    ) -> Result<Vec<StoredClient>, StoreError> {
        // Clients and secrets are read with one statement, because every sign-in runs it.
        let sql = format!(
            "SELECT c.*, s.id AS secret_id, s.hash AS secret_hash,
                s.created_at AS secret_created_at, s.expires AS secret_expires
             FROM client c LEFT JOIN client_secret s ON s.client = c.name
             {condition} ORDER BY c.name, s.created_at, s.id"
        );
        let mut clients: Vec<StoredClient> = Vec::new();
        for row in &self.fetch("client", sql, values).await? {
            let name = row.text("name")?;
            // The order puts all rows of a client next to each other, so the last client is the one to
            // compare with.
            if clients.last().is_none_or(|last| last.info.name != name) {
                clients.push(read(row)?);
            }
            if let (Some(last), Some(secret)) = (clients.last_mut(), read_secret(row)?) {
                last.info.secrets.push(secret.info.clone());
                last.secrets.push(secret);
            }
        }
        Ok(clients)
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

    /// Makes the secrets of a client expire at `end`, unless they expire earlier, and deletes those that have
    /// expired by `now`.
    pub(crate) async fn end_client_secrets(
        &mut self,
        client: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A secret that ends earlier keeps its end: a rotation must not prolong one that is being
        // replaced.
        self.execute(
            "UPDATE client_secret SET expires = $1
             WHERE client = $2 AND (expires IS NULL OR expires > $1)",
            values![end, client],
        )
        .await?;
        // This follows the update, so that without an overlap the old secrets are gone at once.
        self.execute(
            "DELETE FROM client_secret WHERE client = $1 AND expires <= $2",
            values![client, now],
        )
        .await?;
        Ok(())
    }

    /// Returns the number of clients.
    pub(crate) async fn client_count(&mut self) -> Result<u64, StoreError> {
        let row = self
            .fetch_one("client", "SELECT count(*) AS count FROM client", vec![])
            .await?
            .ok_or(StoreError::Damaged("client"))?;
        Ok(row.number("count")?)
    }

    /// Records that a one-time assertion was used, until `expires`. Returns false if the assertion was used
    /// before, or may have been used before the issuer was restored.
    pub(crate) async fn use_assertion(
        &mut self,
        id: &[u8; 32],
        issued_at: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = self
            .fetch_one("issuer", "SELECT restored_at FROM issuer", vec![])
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        // A backup lacks the assertions that were used after it was made. Any assertion that was issued before the
        // restore may be one of those. The margin allows for a signer's clock that runs ahead by up to `SKEW`.
        let restored_at = row.optional_time("restored_at")?;
        if restored_at.is_some_and(|restored| issued_at <= restored.plus(SKEW)) {
            return Ok(false);
        }
        // Rows are kept beyond their expiry. If a clock that ran ahead deleted one while the assertion is still
        // valid, the assertion could be used again.
        self.execute(
            "DELETE FROM assertion WHERE expires < $1",
            values![now.minus(CLOCK_FAULT)],
        )
        .await?;
        // The primary key of the table decides: of several uses, at any issuer on this database, only one inserts a
        // row.
        let inserted = self
            .execute(
                "INSERT INTO assertion (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                values![id, expires],
            )
            .await?;
        Ok(inserted == 1)
    }
}

/// Reads a client without its secrets, which are in this row and the following ones.
fn read(row: &Row) -> Result<StoredClient, NotStored> {
    let damaged = |_| NotStored("client");
    let info = ClientInfo {
        name: row.text("name")?,
        principal: row.text("principal")?,
        profiles: serde_json::from_str(&row.text("profiles")?).map_err(damaged)?,
        claims: serde_json::from_str(&row.text("claims")?).map_err(damaged)?,
        created_at: row.time("created_at")?,
        disabled_at: row.optional_time("disabled_at")?,
        secrets: Vec::new(),
        keys: serde_json::from_str(&row.text("public_keys")?).map_err(damaged)?,
    };
    Ok(StoredClient {
        info,
        secrets: Vec::new(),
    })
}

fn read_secret(row: &Row) -> Result<Option<StoredSecret>, NotStored> {
    let Some(id) = row.optional_text("secret_id")? else {
        return Ok(None);
    };
    Ok(Some(StoredSecret {
        info: SecretInfo {
            id,
            created_at: row.time("secret_created_at")?,
            expires: row.optional_time("secret_expires")?,
        },
        hash: row.text("secret_hash")?,
    }))
}
