//! The entries of the revocation list.

use bailiwick_token::{
    claims::TokenId,
    revocation::{Revocation, Target},
    timestamp::Timestamp,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    StoreError, Tx,
    row::{Columns, NotStored, seconds},
};

/// What saving an entry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    New,
    Changed,
}

impl Tx {
    pub(crate) async fn revocation(
        &mut self,
        target: &Target,
    ) -> Result<Option<Revocation>, StoreError> {
        let (kind, bytes) = columns(target);
        let row = sqlx::query("SELECT * FROM revocation WHERE kind = ? AND target = ?")
            .bind(kind)
            .bind(bytes)
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// Writes an entry, or replaces the one with its target. Either gets a new change number, by
    /// which the next list knows that it has to be signed again.
    pub(crate) async fn save_revocation(
        &mut self,
        entry: &Revocation,
    ) -> Result<Saved, StoreError> {
        let (kind, bytes) = columns(&entry.target);
        let deleted = sqlx::query("DELETE FROM revocation WHERE kind = ? AND target = ?")
            .bind(kind)
            .bind(bytes)
            .execute(&mut *self.0)
            .await?;
        sqlx::query(
            "INSERT INTO revocation (kind, target, revoked_at, expires, reason)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(kind)
        .bind(bytes)
        .bind(seconds(entry.revoked_at))
        .bind(entry.expires.map(seconds))
        .bind(&entry.reason)
        .execute(&mut *self.0)
        .await?;
        Ok(if deleted.rows_affected() == 0 {
            Saved::New
        } else {
            Saved::Changed
        })
    }

    /// The entries that name something alive, in the order in which they came.
    pub(crate) async fn revocations(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        // Dead entries are left out and kept: a clock that ran ahead must not lose one.
        let rows = sqlx::query(
            "SELECT * FROM revocation WHERE expires IS NULL OR expires > ? ORDER BY change",
        )
        .bind(seconds(now))
        .fetch_all(&mut *self.0)
        .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The number of the last change; 0 where nothing was ever revoked.
    pub(crate) async fn last_change(&mut self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(change), 0) AS change FROM revocation")
            .fetch_one(&mut *self.0)
            .await?;
        Ok(Columns {
            row: &row,
            what: "revocation",
        }
        .number("change")?)
    }
}

fn columns(target: &Target) -> (&'static str, &[u8]) {
    match target {
        Target::Token(token) => ("token", token.as_bytes()),
        Target::Block(signature) => ("block", signature),
    }
}

fn read(row: &SqliteRow) -> Result<Revocation, NotStored> {
    let columns = Columns {
        row,
        what: "revocation",
    };
    let bytes = columns.bytes("target")?;
    let target = match columns.row.try_get("kind").unwrap_or("") {
        "token" => {
            let bytes = bytes.try_into().map_err(|_| NotStored("revocation"))?;
            Target::Token(TokenId::from_bytes(bytes))
        }
        "block" => Target::Block(bytes),
        _ => return Err(NotStored("revocation")),
    };
    Ok(Revocation {
        target,
        revoked_at: columns.time("revoked_at")?,
        expires: columns.optional_time("expires")?,
        reason: columns.text("reason")?,
    })
}
