//! The tokens minted here, by their ids: a revocation asks when they expire.

use bailiwick_token::{claims::TokenId, key::KeyId, timestamp::Timestamp};

use super::{
    StoreError, Tx,
    row::{Columns, id, seconds},
};

impl Tx {
    pub(crate) async fn insert_token(
        &mut self,
        token: TokenId,
        key: KeyId,
        issued_at: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO token (id, key_id, issued_at, expires) VALUES (?, ?, ?, ?)")
            .bind(token.as_bytes().as_slice())
            .bind(id(key))
            .bind(seconds(issued_at))
            .bind(seconds(expires))
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// When a token minted here expires.
    pub(crate) async fn token_expires(
        &mut self,
        token: TokenId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT expires FROM token WHERE id = ?")
            .bind(token.as_bytes().as_slice())
            .fetch_optional(&mut *self.0)
            .await?;
        let row = row.as_ref().map(|row| Columns { row, what: "token" });
        Ok(row.map(|columns| columns.time("expires")).transpose()?)
    }
}
