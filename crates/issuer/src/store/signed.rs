//! Signed files for verifiers, stored byte for byte: keysets, and the head of the feed.

use bailiwick_token::timestamp::Timestamp;

use super::{StoreError, Tx, row::values};

/// A signed keyset.
#[derive(Debug, Clone)]
pub(crate) struct StoredKeyset {
    pub(crate) version: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) envelope: String,
}

/// The signed head of the feed.
#[derive(Debug, Clone)]
pub(crate) struct StoredHead {
    /// Number of the last change that the head covers.
    pub(crate) seq: u64,
    /// Version of the keyset that the head names.
    pub(crate) keyset_version: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) envelope: String,
}

impl Tx {
    pub(crate) async fn insert_keyset(&mut self, keyset: &StoredKeyset) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO keyset (version, issued_at, expires, envelope) VALUES ($1, $2, $3, $4)",
            values![
                keyset.version,
                keyset.issued_at,
                keyset.expires,
                &keyset.envelope,
            ],
        )
        .await?;
        // Nobody accepts an expired keyset, so expired ones are deleted. The newest one stays whatever the clock
        // says, because the next version is counted from it.
        self.execute(
            "DELETE FROM keyset WHERE version < $1 AND expires < $2",
            values![keyset.version, keyset.issued_at],
        )
        .await?;
        Ok(())
    }

    /// Returns the newest keyset.
    pub(crate) async fn keyset(&mut self) -> Result<Option<StoredKeyset>, StoreError> {
        let row = self
            .fetch_one(
                "keyset",
                "SELECT * FROM keyset ORDER BY version DESC LIMIT 1",
                vec![],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredKeyset {
            version: row.number("version")?,
            issued_at: row.time("issued_at")?,
            expires: row.time("expires")?,
            envelope: row.text("envelope")?,
        }))
    }

    pub(crate) async fn replace_head(&mut self, head: &StoredHead) -> Result<(), StoreError> {
        // One row, shared by all issuers on this database, so that all of them serve the same head.
        self.execute("DELETE FROM feed_head", vec![]).await?;
        self.execute(
            "INSERT INTO feed_head (one, seq, keyset_version, issued_at, expires, envelope)
             VALUES (1, $1, $2, $3, $4, $5)",
            values![
                head.seq,
                head.keyset_version,
                head.issued_at,
                head.expires,
                &head.envelope,
            ],
        )
        .await?;
        Ok(())
    }

    /// Returns the newest head, if one was signed.
    pub(crate) async fn head(&mut self) -> Result<Option<StoredHead>, StoreError> {
        let row = self
            .fetch_one("feed head", "SELECT * FROM feed_head", vec![])
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredHead {
            seq: row.number("seq")?,
            keyset_version: row.number("keyset_version")?,
            issued_at: row.time("issued_at")?,
            expires: row.time("expires")?,
            envelope: row.text("envelope")?,
        }))
    }
}
