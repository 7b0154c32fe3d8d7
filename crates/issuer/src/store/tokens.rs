//! The tokens minted here, by their ids: a revocation asks when they expire.

use bailiwick_token::{claims::TokenId, key::KeyId, timestamp::Timestamp};

use super::{StoreError, Tx, database::values};

/// A token as it is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewToken {
    pub(crate) id: TokenId,
    pub(crate) key: KeyId,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
}

impl Tx {
    pub(crate) async fn insert_tokens(
        &mut self,
        tokens: impl IntoIterator<Item = NewToken>,
    ) -> Result<(), StoreError> {
        let rows = tokens.into_iter().map(|token| {
            values![
                token.id.as_bytes().as_slice(),
                token.key,
                token.issued_at,
                token.expires,
            ]
        });
        self.insert_all(
            "token",
            &["id", "key_id", "issued_at", "expires"],
            rows.collect(),
        )
        .await
    }

    /// When a token minted here expires.
    pub(crate) async fn token_expires(
        &mut self,
        token: TokenId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .fetch_one(
                "token",
                "SELECT expires FROM token WHERE id = $1",
                values![token.as_bytes().as_slice()],
            )
            .await?;
        Ok(row.map(|row| row.time("expires")).transpose()?)
    }
}
