//! The issuer's row, root keys, and private halves under encryption.

use bailiwick_token::key::KeyId;
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    StoreError, Tx,
    row::{Columns, NotStored, id, int, seconds},
};
use crate::{
    keyring::{ActiveKey, Dates, Key, KeyInfo, RetiredKey, RetiringKey, RevokedKey, StagedKey},
    settings::Settings,
};

impl Tx {
    pub(crate) async fn insert_settings(&mut self, settings: &Settings) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO issuer (one, name, refresh_hint, max_token_ttl, keyset_life,
                revocation_url, keyset_public, recipient, audit_seq, audit_hash)
             VALUES (1, ?, ?, ?, ?, ?, ?, ?, 0, zeroblob(32))",
        )
        .bind(&settings.issuer)
        .bind(int(settings.refresh_hint))
        .bind(int(settings.max_token_ttl))
        .bind(int(settings.keyset_life))
        .bind(&settings.revocation_url)
        .bind(settings.keyset_key.as_bytes().as_slice())
        .bind(&settings.recipient)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    pub(crate) async fn settings(&mut self) -> Result<Settings, StoreError> {
        let row = sqlx::query("SELECT * FROM issuer")
            .fetch_one(&mut *self.0)
            .await?;
        let columns = Columns {
            row: &row,
            what: "issuer",
        };
        Ok(Settings {
            issuer: columns.text("name")?,
            refresh_hint: columns.number("refresh_hint")?,
            max_token_ttl: columns.number("max_token_ttl")?,
            keyset_life: columns.number("keyset_life")?,
            revocation_url: columns.optional_text("revocation_url")?,
            keyset_key: columns.public_key("keyset_public")?,
            recipient: columns.text("recipient")?,
        })
    }

    /// Every key that ever was.
    pub(crate) async fn keys(&mut self) -> Result<Vec<Key>, StoreError> {
        let rows = sqlx::query("SELECT * FROM root_key")
            .fetch_all(&mut *self.0)
            .await?;
        Ok(rows.iter().map(read_key).collect::<Result<_, _>>()?)
    }

    /// The key that signs.
    pub(crate) async fn active_key(&mut self) -> Result<Option<Dates>, StoreError> {
        let row = sqlx::query("SELECT * FROM root_key WHERE state = 'active'")
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row
            .as_ref()
            .map(read_key)
            .transpose()?
            .map(|key| key.dates().clone()))
    }

    pub(crate) async fn save_key(&mut self, key: &KeyInfo) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO root_key (id, public, state, staged_at, activated_at, retiring_at,
                retired_at, revoked_at, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state,
                activated_at = excluded.activated_at, retiring_at = excluded.retiring_at,
                retired_at = excluded.retired_at, revoked_at = excluded.revoked_at,
                reason = excluded.reason",
        )
        .bind(id(key.id))
        .bind(key.public.as_bytes().as_slice())
        .bind(key.state.as_str())
        .bind(seconds(key.staged_at))
        .bind(key.activated_at.map(seconds))
        .bind(key.retiring_at.map(seconds))
        .bind(key.retired_at.map(seconds))
        .bind(key.revoked_at.map(seconds))
        .bind(&key.reason)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    pub(crate) async fn insert_sealed(&mut self, name: &str, key: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO sealed_key (name, sealed) VALUES (?, ?)")
            .bind(name)
            .bind(key)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(crate) async fn sealed(&mut self, name: &str) -> Result<Vec<u8>, StoreError> {
        let row = sqlx::query("SELECT sealed FROM sealed_key WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *self.0)
            .await?;
        let row = row.ok_or(StoreError::Damaged("private key"))?;
        Ok(row.try_get("sealed")?)
    }

    /// Destroys a private half.
    pub(crate) async fn destroy_sealed(&mut self, key: KeyId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sealed_key WHERE name = ?")
            .bind(key.to_string())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}

fn read_key(row: &SqliteRow) -> Result<Key, NotStored> {
    let columns = Columns {
        row,
        what: "root key",
    };
    let key = Dates {
        id: columns.key_id("id")?,
        public: columns.public_key("public")?,
        staged_at: columns.time("staged_at")?,
    };
    Ok(match columns.text("state")?.as_str() {
        "staged" => Key::Staged(StagedKey(key)),
        "active" => Key::Active(ActiveKey {
            key,
            activated_at: columns.time("activated_at")?,
        }),
        "retiring" => Key::Retiring(RetiringKey {
            key,
            activated_at: columns.time("activated_at")?,
            retiring_at: columns.time("retiring_at")?,
        }),
        "retired" => Key::Retired(RetiredKey {
            key,
            activated_at: columns.time("activated_at")?,
            retiring_at: columns.time("retiring_at")?,
            retired_at: columns.time("retired_at")?,
        }),
        "revoked" => Key::Revoked(RevokedKey {
            key,
            activated_at: columns.optional_time("activated_at")?,
            retiring_at: columns.optional_time("retiring_at")?,
            retired_at: columns.optional_time("retired_at")?,
            revoked_at: columns.time("revoked_at")?,
            reason: columns.text("reason")?,
        }),
        _ => return Err(NotStored("root key")),
    })
}
