//! The row of the issuer itself, its root keys, and their encrypted private halves.

use bailiwick_token::key::KeyId;

use super::{
    StoreError, Tx,
    row::{NotStored, Row, values},
};
use crate::{
    audit::GENESIS,
    keyring::{
        ActiveKey, Dates, KeyInfo, RetiredKey, RetiringKey, RevokedKey, StagedKey, StoredKey,
    },
    settings::Settings,
};

impl Tx {
    /// Returns true if the database already belongs to an issuer.
    pub(crate) async fn is_taken(&mut self) -> Result<bool, StoreError> {
        let row = self
            .fetch_one("issuer", "SELECT one FROM issuer", vec![])
            .await?;
        Ok(row.is_some())
    }

    pub(crate) async fn insert_settings(
        &mut self,
        settings: &Settings,
        revocation_url: Option<String>,
        epoch: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO issuer (one, name, refresh_hint, max_token_ttl, keyset_life,
                revocation_url, keyset_public, recipient, audit_seq, audit_hash,
                feed_epoch, feed_seq, feed_digest)
             VALUES (1, $1, $2, $3, $4, $5, $6, $7, 0, $8, $9, 0, $10)",
            values![
                &settings.issuer,
                settings.refresh_hint,
                settings.max_token_ttl,
                settings.keyset_life,
                revocation_url,
                settings.keyset_key.as_bytes(),
                &settings.recipient,
                // An empty audit, and an empty history of revocations: both chains begin with 32
                // zero bytes.
                &GENESIS,
                epoch,
                &[0; 32],
            ],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn settings(&mut self) -> Result<Settings, StoreError> {
        let row = self
            .fetch_one("issuer", "SELECT * FROM issuer", vec![])
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        Ok(Settings {
            issuer: row.text("name")?,
            refresh_hint: row.number("refresh_hint")?,
            max_token_ttl: row.number("max_token_ttl")?,
            keyset_life: row.number("keyset_life")?,
            keyset_key: row.public_key("keyset_public")?,
            recipient: row.text("recipient")?,
        })
    }

    /// Returns the number of the last applied migration.
    pub(crate) async fn schema_version(&mut self) -> Result<u64, StoreError> {
        let row = self
            .fetch_one(
                "schema",
                "SELECT coalesce(max(version), 0) AS version FROM _sqlx_migrations",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("schema"))?;
        Ok(row.number("version")?)
    }

    /// Returns the URL at which verifiers find the revocations.
    pub(crate) async fn revocation_url(&mut self) -> Result<Option<String>, StoreError> {
        let row = self
            .fetch_one("issuer", "SELECT revocation_url FROM issuer", vec![])
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        Ok(row.optional_text("revocation_url")?)
    }

    pub(crate) async fn set_revocation_url(&mut self, url: &str) -> Result<(), StoreError> {
        let set = "UPDATE issuer SET revocation_url = $1";
        self.execute(set, values![url]).await?;
        Ok(())
    }

    /// Returns all keys that the issuer ever had.
    pub(crate) async fn keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = self
            .fetch("root key", "SELECT * FROM root_key", vec![])
            .await?;
        Ok(rows.iter().map(read_key).collect::<Result<_, _>>()?)
    }

    /// Returns the key that signs.
    pub(crate) async fn active_key(&mut self) -> Result<Option<Dates>, StoreError> {
        // A unique index allows one active key, so the first row is the only one.
        let row = self
            .fetch_one(
                "root key",
                "SELECT * FROM root_key WHERE state = 'active'",
                vec![],
            )
            .await?;
        let key = row.as_ref().map(read_key).transpose()?;
        Ok(key.map(|key| key.dates().clone()))
    }

    pub(crate) async fn save_key(&mut self, key: &KeyInfo) -> Result<(), StoreError> {
        // An update does not touch the public half and the time of publication, because verifiers have already seen
        // both.
        self.execute(
            "INSERT INTO root_key (id, public, state, published_version, staged_at, activated_at,
                retiring_at, retired_at, revoked_at, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state,
                activated_at = excluded.activated_at, retiring_at = excluded.retiring_at,
                retired_at = excluded.retired_at, revoked_at = excluded.revoked_at,
                reason = excluded.reason",
            values![
                key.id,
                key.public.as_bytes(),
                key.state.as_str(),
                key.published_version,
                key.staged_at,
                key.activated_at,
                key.retiring_at,
                key.retired_at,
                key.revoked_at,
                key.reason.clone(),
            ],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn insert_sealed(&mut self, name: &str, key: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO sealed_key (name, sealed) VALUES ($1, $2)",
            values![name, key],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn sealed(&mut self, name: &str) -> Result<Vec<u8>, StoreError> {
        let row = self
            .fetch_one(
                "private key",
                "SELECT sealed FROM sealed_key WHERE name = $1",
                values![name],
            )
            .await?
            .ok_or(StoreError::Damaged("private key"))?;
        Ok(row.bytes("sealed")?)
    }

    /// Returns the names of the keys whose private halves are stored.
    #[cfg(test)]
    pub(crate) async fn sealed_names(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = self
            .fetch(
                "private key",
                "SELECT name FROM sealed_key ORDER BY name",
                vec![],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.text("name"))
            .collect::<Result<_, _>>()?)
    }

    /// Destroys a private half.
    pub(crate) async fn destroy_sealed(&mut self, key: KeyId) -> Result<(), StoreError> {
        // Deleting the row is enough to destroy a key, because the private half is nowhere else in the database.
        // `scrub` then wipes what remains in the files.
        self.execute(
            "DELETE FROM sealed_key WHERE name = $1",
            values![key.to_string()],
        )
        .await?;
        Ok(())
    }
}

fn read_key(row: &Row) -> Result<StoredKey, NotStored> {
    let key = Dates {
        id: row.key_id("id")?,
        public: row.public_key("public")?,
        published_version: row.number("published_version")?,
        staged_at: row.time("staged_at")?,
    };
    // A row that lacks a date of its state is damaged. A guessed date would move the time at which the key is
    // activated or retired.
    Ok(match row.text("state")?.as_str() {
        "staged" => StoredKey::Staged(StagedKey(key)),
        "active" => StoredKey::Active(ActiveKey {
            key,
            activated_at: row.time("activated_at")?,
        }),
        "retiring" => StoredKey::Retiring(RetiringKey {
            key,
            activated_at: row.time("activated_at")?,
            retiring_at: row.time("retiring_at")?,
        }),
        "retired" => StoredKey::Retired(RetiredKey {
            key,
            activated_at: row.time("activated_at")?,
            retiring_at: row.time("retiring_at")?,
            retired_at: row.time("retired_at")?,
        }),
        "revoked" => StoredKey::Revoked(RevokedKey {
            key,
            activated_at: row.optional_time("activated_at")?,
            retiring_at: row.optional_time("retiring_at")?,
            retired_at: row.optional_time("retired_at")?,
            revoked_at: row.time("revoked_at")?,
            reason: row.text("reason")?,
        }),
        _ => return Err(NotStored("root key")),
    })
}
