//! Stored records of minted tokens.

use std::collections::HashMap;

use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Watermark},
    timestamp::Timestamp,
};
use serde::Deserialize;

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};
use crate::{
    audit::{AuditEvent, AuditRow},
    mint::TokenInfo,
    token_list::TokenFilter,
};

/// Maximum number of tokens that watermarks revoke one by one because a wrong clock dated them too late. The limit
/// applies to each kind of party.
const MOST_MINTS: u64 = 10_000;

/// Maximum number of tokens that are searched for a tenant.
const MOST_SEARCHED: u64 = 100_000;

/// Number of audit rows to search in one step for tokens that an older version of this program minted.
const PAGE: u64 = 10_000;

const COLUMNS: [&str; 9] = [
    "audit_seq",
    "id",
    "key",
    "agent",
    "principal",
    "tenant",
    "actor",
    "issued_at",
    "expires",
];

/// The place of a token in a list that is sorted by time of issue. The number of the audit row makes it unique.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenPlace {
    issued_at: Timestamp,
    audit_seq: u64,
}

impl TokenPlace {
    /// Returns the place of a token.
    pub(crate) fn of(token: &TokenInfo) -> TokenPlace {
        TokenPlace {
            issued_at: token.issued_at,
            audit_seq: token.audit_seq,
        }
    }
}

impl Tx {
    /// Inserts tokens, in the transaction of their audit rows.
    pub(super) async fn insert_tokens(&mut self, tokens: Vec<TokenInfo>) -> Result<(), StoreError> {
        self.put_tokens(tokens, "").await
    }

    async fn put_tokens(
        &mut self,
        tokens: Vec<TokenInfo>,
        otherwise: &'static str,
    ) -> Result<(), StoreError> {
        let rows = tokens.into_iter().map(|token| {
            values![
                token.audit_seq,
                token.token_id.as_bytes().as_slice(),
                token.key,
                token.agent,
                token.principal,
                token.tenant,
                token.actor,
                token.issued_at,
                token.expires,
            ]
        });
        self.put_all("token", &COLUMNS, rows.collect(), otherwise)
            .await
    }

    /// Returns the record of a token that was minted here.
    pub(crate) async fn token(&mut self, token: TokenId) -> Result<Option<TokenInfo>, StoreError> {
        let row = self
            .fetch_one(
                "token",
                "SELECT * FROM token WHERE id = $1",
                values![token.as_bytes().as_slice()],
            )
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// Returns tokens that match a filter, the latest first, without those before `since`. Expired tokens are left
    /// out unless [`TokenFilter::all`] is set.
    pub(crate) async fn tokens(
        &mut self,
        filter: &TokenFilter,
        since: Option<Timestamp>,
        now: Timestamp,
        after: Option<TokenPlace>,
        limit: usize,
    ) -> Result<Vec<TokenInfo>, StoreError> {
        let mut sql = "SELECT * FROM token WHERE audit_seq > 0".to_owned();
        let mut parameters: Vec<SqlValue> = Vec::new();
        // Only conditions written in this function become part of the text. Values from the caller are always
        // parameters.
        let mut narrow = |condition: &str, value: SqlValue| {
            parameters.push(value);
            sql.push_str(&condition.replace('?', &format!("${}", parameters.len())));
        };
        for (condition, value) in [
            (" AND agent = ?", &filter.agent),
            (" AND principal = ?", &filter.principal),
            (" AND tenant = ?", &filter.tenant),
        ] {
            if let Some(value) = value {
                narrow(condition, value.into());
            }
        }
        let last = filter.actors.len().saturating_sub(1);
        for (at, actor) in filter.actors.iter().enumerate() {
            let before = if at == 0 { " AND actor IN (?" } else { ", ?" };
            let behind = if at == last { ")" } else { "" };
            narrow(&format!("{before}{behind}"), actor.into());
        }
        if let Some(since) = since {
            narrow(" AND issued_at >= ?", since.into());
        }
        if !filter.all {
            narrow(" AND expires > ?", now.into());
        }
        if let Some(place) = after {
            narrow(" AND issued_at <= ?", place.issued_at.into());
            narrow(" AND (issued_at < ?", place.issued_at.into());
            narrow(" OR audit_seq < ?)", place.audit_seq.into());
        }
        narrow(
            " ORDER BY issued_at DESC, audit_seq DESC LIMIT ?",
            (limit as u64).into(),
        );
        let rows = self.fetch("token", sql, parameters).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Returns the tokens of the watermarks' parties whose recorded time is too late for the watermarks to
    /// cover them. The earliest come first, at most [`MOST_MINTS`] for each kind of party.
    pub(crate) async fn minted_since(
        &mut self,
        watermarks: &[&Watermark],
    ) -> Result<Vec<TokenId>, StoreError> {
        let mut tokens = Vec::new();
        for (party, column) in [
            (Party::Agent, "agent"),
            (Party::Principal, "principal"),
            (Party::Tenant, "tenant"),
        ] {
            // One statement for each kind of party, since each has a column of its own.
            let of_party = watermarks.iter().filter(|it| it.party() == party);
            let before: HashMap<&str, Timestamp> =
                of_party.map(|it| (it.name(), it.issued_before())).collect();
            let Some(first) = before.values().min() else {
                continue;
            };
            let mut parameters = values![*first];
            let names = before.keys().map(|name| {
                parameters.push((*name).into());
                format!("${}", parameters.len())
            });
            let names = names.collect::<Vec<_>>().join(", ");
            parameters.push(MOST_MINTS.into());
            let last = parameters.len();
            // This uses the index on the time: few rows are later than a watermark, unless a clock was wrong.
            let sql = format!(
                "SELECT * FROM token WHERE issued_at >= $1 AND {column} IN ({names})
                 ORDER BY issued_at LIMIT ${last}"
            );
            for row in self.fetch("token", sql, parameters).await? {
                // The statement used the earliest watermark, but each party has its own.
                let before = before.get(row.text(column)?.as_str());
                let token = read(&row)?;
                if before.is_some_and(|before| token.issued_at >= *before) {
                    tokens.push(token.token_id);
                }
            }
        }
        Ok(tokens)
    }

    /// Returns true if a token was minted in this tenant since the given time. If there are very many tokens, only the
    /// latest [`MOST_SEARCHED`] are searched, and the tenant is assumed to have an earlier one.
    pub(super) async fn has_minted_in(
        &mut self,
        tenant: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        // Uses the index on the time, and is bounded: a revocation must not fail because of a hint.
        let sql = "SELECT COUNT(*) AS searched, COUNT(CASE WHEN tenant = $1 THEN 1 END) AS found
             FROM (SELECT tenant FROM token WHERE issued_at >= $2 ORDER BY issued_at DESC LIMIT $3) AS latest";
        let row = self
            .fetch_one("token", sql, values![tenant, since, MOST_SEARCHED])
            .await?
            .ok_or(StoreError::Damaged("token"))?;
        Ok(row.number("found")? > 0 || row.number("searched")? >= MOST_SEARCHED)
    }

    /// Returns true if an older version of this program minted tokens that the table still lacks.
    pub(crate) async fn lacks_tokens(&mut self) -> Result<bool, StoreError> {
        let lacking = "SELECT one FROM issuer WHERE token_seq < audit_seq";
        Ok(self.fetch_one("issuer", lacking, vec![]).await?.is_some())
    }

    /// Fills in all tokens that an older version of this program minted.
    pub(crate) async fn fill_tokens(&mut self) -> Result<(), StoreError> {
        while self.lacks_tokens().await? {
            self.fill_token_page().await?;
        }
        Ok(())
    }

    /// Fills in the tokens that an older version of this program minted, from one page of the audit log.
    pub(crate) async fn fill_token_page(&mut self) -> Result<(), StoreError> {
        let row = self
            .fetch_one(
                "issuer",
                "SELECT token_seq, audit_seq, max_token_ttl FROM issuer",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        let from = row.number("token_seq")?;
        let to = row.number("audit_seq")?.min(from.saturating_add(PAGE));
        let max_token_ttl = row.number("max_token_ttl")?;
        // This is done by the program and not by the migration: the same code reads rows of both databases, and other
        // writers can get a turn between pages.
        let mints = self.audit_of(AuditEvent::Mint, from, to).await?;
        let tokens = mints
            .into_iter()
            .filter_map(|row| recorded(row, max_token_ttl));
        // An issuer of this version may have inserted later tokens of this page already.
        self.put_tokens(tokens.collect(), "ON CONFLICT DO NOTHING")
            .await?;
        self.execute("UPDATE issuer SET token_seq = $1", values![to])
            .await?;
        Ok(())
    }
}

/// Returns the token of a mint that an older version of this program recorded; `None` if the row names no
/// token.
fn recorded(row: AuditRow, max_token_ttl: u64) -> Option<TokenInfo> {
    /// The members of the detail that are needed. If the detail cannot be read, the token can still be revoked.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Detail {
        expires: Option<Timestamp>,
        tenant: Option<String>,
    }
    let detail: Detail = serde_json::from_str(&row.detail).unwrap_or_default();
    Some(TokenInfo {
        token_id: row.token?.parse().ok()?,
        key: row.key?.parse().ok()?,
        agent: row.agent?,
        principal: row.principal?,
        tenant: detail.tenant,
        actor: row.actor,
        issued_at: row.time,
        // No token lives longer, so a revocation that lasts until then cannot end too early.
        expires: detail
            .expires
            .unwrap_or_else(|| row.time.plus(max_token_ttl)),
        audit_seq: row.seq,
    })
}

fn read(row: &Row) -> Result<TokenInfo, NotStored> {
    let id = row.bytes("id")?.try_into();
    Ok(TokenInfo {
        token_id: TokenId::from_bytes(id.map_err(|_| NotStored("token"))?),
        key: row.key_id("key")?,
        agent: row.text("agent")?,
        principal: row.text("principal")?,
        tenant: row.optional_text("tenant")?,
        actor: row.text("actor")?,
        issued_at: row.time("issued_at")?,
        expires: row.time("expires")?,
        audit_seq: row.number("audit_seq")?,
    })
}
