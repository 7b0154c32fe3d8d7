//! The list of minted tokens, with the names in a query that nobody on record has.

use bailiwick_api::{TokenPage, TokensQuery};
use bailiwick_issuer::{ClientError, Issuer, StoreError, TokenFilter, TokenListError};
use bailiwick_token::timestamp::Timestamp;

use crate::{
    caller::actor,
    wire::{IntoWire, token_filter},
};

/// The member of a query that names a client.
const CLIENT: &str = "client";

/// Returns a page of the tokens that match a query, the latest first. If nothing matches, the page says which names
/// are unknown: they may be typing errors.
///
/// # Errors
/// [`TokenListError`].
pub async fn list_tokens(
    issuer: &Issuer,
    query: TokensQuery,
    now: Timestamp,
) -> Result<TokenPage, TokenListError> {
    let names = Names::of(&query);
    let is_first = query.after.is_none();
    let mut page = issuer.tokens(&token_filter(query), now).await?.into_wire();
    if is_first && page.tokens.is_empty() && page.next.is_none() {
        page.unknown = names.unknown(issuer, now).await?;
    }
    Ok(page)
}

/// The names in a query, each with a filter for all tokens of that party.
struct Names {
    client: Option<String>,
    filters: Vec<(&'static str, TokenFilter)>,
}

impl Names {
    fn of(query: &TokensQuery) -> Names {
        let TokensQuery {
            agent,
            principal,
            tenant,
            client,
            ..
        } = query.clone();
        let one = || TokenFilter {
            all: true,
            limit: 1,
            ..TokenFilter::default()
        };
        let actors = client.as_deref().map(actor::all_of).unwrap_or_default();
        let filters = [
            ("agent", agent.is_some(), TokenFilter { agent, ..one() }),
            (
                "principal",
                principal.is_some(),
                TokenFilter { principal, ..one() },
            ),
            ("tenant", tenant.is_some(), TokenFilter { tenant, ..one() }),
            (CLIENT, client.is_some(), TokenFilter { actors, ..one() }),
        ];
        let named = filters.into_iter().filter(|(_, is_named, _)| *is_named);
        Names {
            client,
            filters: named.map(|(member, _, filter)| (member, filter)).collect(),
        }
    }

    /// Returns the members of the query whose names are unknown: no token on record has them, and no registered client
    /// has the client's name.
    async fn unknown(
        &self,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Vec<String>, TokenListError> {
        let mut unknown = Vec::new();
        for (member, filter) in &self.filters {
            if *member == CLIENT && self.is_registered(issuer).await? {
                continue;
            }
            match issuer.tokens(filter, now).await {
                Ok(page) if page.tokens.is_empty() => unknown.push((*member).to_owned()),
                // A hint is not worth a failure: with very many tokens, the search may take too long.
                Ok(_) | Err(TokenListError::Store(StoreError::Slow)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unknown)
    }

    async fn is_registered(&self, issuer: &Issuer) -> Result<bool, StoreError> {
        let Some(name) = &self.client else {
            return Ok(false);
        };
        match issuer.client(name).await {
            Ok(_) => Ok(true),
            Err(ClientError::Store(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}
