//! The listing of tokens.

use bailiwick_token::{claims::TokenId, timestamp::Timestamp};

use super::{ListedToken, MAX_TOKENS, TokenFilter, TokenPage, TokenState, revoked::Revoked};
use crate::{
    issuer::Issuer,
    store::{StoreError, TokenPlace},
};

/// Maximum number of tokens that are read for one page. If many of them are revoked, only a few end up on the page.
const MOST_READ: usize = 10_000;

/// Minimum number of tokens that one statement reads.
const LEAST_READ: usize = 100;

impl Issuer {
    /// Returns a page of the tokens that match `filter`, the latest first.
    ///
    /// # Errors
    /// [`TokenListError`], for example if the last token of the previous page was not minted here.
    pub async fn tokens(
        &self,
        filter: &TokenFilter,
        now: Timestamp,
    ) -> Result<TokenPage, TokenListError> {
        let mut tx = self.store.read().await?;
        let mut after = match filter.after {
            None => None,
            Some(id) => {
                let token = tx.token(id).await?.ok_or(TokenListError::Unknown(id))?;
                Some(TokenPlace::of(&token))
            }
        };
        // No token lives longer than this, so every live token was minted since then.
        let since = match filter.all {
            true => None,
            false => Some(now.minus(self.settings.max_token_ttl)),
        };
        let limit = filter.limit.clamp(1, MAX_TOKENS) as usize;
        let mut page = TokenPage::default();
        let mut read: usize = 0;
        let size = limit.max(LEAST_READ);
        loop {
            let rows = tx.tokens(filter, since, now, after, size).await?;
            let is_last = rows.len() < size;
            read = read.saturating_add(rows.len());
            let revoked = Revoked::among(&mut tx, &rows).await?;
            for token in rows {
                if page.tokens.len() == limit {
                    return Ok(page);
                }
                (after, page.next) = (Some(TokenPlace::of(&token)), Some(token.token_id));
                let state = revoked.state(&token, now);
                if filter.all || state == TokenState::Live {
                    page.tokens.push(ListedToken { token, state });
                }
            }
            if is_last {
                page.next = None;
                return Ok(page);
            }
            if page.tokens.len() == limit || read >= MOST_READ {
                return Ok(page);
            }
        }
    }
}

/// An error of listing tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenListError {
    /// The token named as the last one of the previous page was not minted here.
    #[error("no token with the id `{0}` was minted here; begin at the first page")]
    Unknown(TokenId),
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
