//! What was signed for verifiers: keysets and revocation lists, byte for byte.

use bailiwick_token::timestamp::Timestamp;

use super::{
    StoreError, Tx,
    row::{Columns, int, seconds},
};

/// A signed keyset.
#[derive(Debug, Clone)]
pub(crate) struct StoredKeyset {
    pub(crate) version: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) envelope: String,
}

/// A signed revocation list.
#[derive(Debug, Clone)]
pub(crate) struct StoredList {
    pub(crate) seq: u64,
    /// The last change in it.
    pub(crate) change: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) entries: u64,
    pub(crate) envelope: String,
}

impl Tx {
    pub(crate) async fn insert_keyset(&mut self, keyset: &StoredKeyset) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO keyset (version, issued_at, expires, envelope) VALUES (?, ?, ?, ?)",
        )
        .bind(int(keyset.version))
        .bind(seconds(keyset.issued_at))
        .bind(seconds(keyset.expires))
        .bind(&keyset.envelope)
        .execute(&mut *self.0)
        .await?;
        // What has expired is of no use to anyone; the newest stays whatever the clock says.
        sqlx::query("DELETE FROM keyset WHERE version < ? AND expires < ?")
            .bind(int(keyset.version))
            .bind(seconds(keyset.issued_at))
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// The newest keyset.
    pub(crate) async fn keyset(&mut self) -> Result<Option<StoredKeyset>, StoreError> {
        let row = sqlx::query("SELECT * FROM keyset ORDER BY version DESC LIMIT 1")
            .fetch_optional(&mut *self.0)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let columns = Columns {
            row: &row,
            what: "keyset",
        };
        Ok(Some(StoredKeyset {
            version: columns.number("version")?,
            issued_at: columns.time("issued_at")?,
            expires: columns.time("expires")?,
            envelope: columns.text("envelope")?,
        }))
    }

    pub(crate) async fn replace_list(&mut self, list: &StoredList) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM revocation_list")
            .execute(&mut *self.0)
            .await?;
        sqlx::query(
            "INSERT INTO revocation_list (seq, change, issued_at, expires, entries, envelope)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(int(list.seq))
        .bind(int(list.change))
        .bind(seconds(list.issued_at))
        .bind(seconds(list.expires))
        .bind(int(list.entries))
        .bind(&list.envelope)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// The newest list, where one was ever signed.
    pub(crate) async fn list(&mut self) -> Result<Option<StoredList>, StoreError> {
        let row = sqlx::query("SELECT * FROM revocation_list ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *self.0)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let columns = Columns {
            row: &row,
            what: "revocation list",
        };
        Ok(Some(StoredList {
            seq: columns.number("seq")?,
            change: columns.number("change")?,
            issued_at: columns.time("issued_at")?,
            expires: columns.time("expires")?,
            entries: columns.number("entries")?,
            envelope: columns.text("envelope")?,
        }))
    }
}
