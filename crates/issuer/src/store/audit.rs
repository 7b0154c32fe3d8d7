//! The rows of the audit.

use std::collections::HashMap;

use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Watermark},
    timestamp::Timestamp,
};
use serde::Deserialize;

use super::{
    StoreError, Tx,
    row::{NotStored, Row, Value, values},
};
use crate::audit::{AuditEvent, AuditFilter, AuditHead, AuditReport, AuditRow, Entry, Walk};

/// How many mints are looked at for what a clock that was wrong put on record.
const MOST_MINTS: u64 = 10_000;

/// How many rows a check holds at a time.
const PAGE: u64 = 1_000;

const COLUMNS: [&str; 11] = [
    "seq",
    "time",
    "actor",
    "event",
    "agent",
    "principal",
    "token",
    "key",
    "detail",
    "prev",
    "hash",
];

impl Tx {
    /// Appends a row to the chain, in the transaction of what it records.
    pub(crate) async fn record(
        &mut self,
        entry: Entry,
        actor: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.record_all([(entry, actor, now)]).await
    }

    /// Appends rows in their order, and tells the number of the last one.
    pub(crate) async fn record_all<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (Entry, &'a str, Timestamp)>,
    ) -> Result<u64, StoreError> {
        let mut head = self.audit_head().await?;
        let mut rows = Vec::new();
        for (entry, actor, time) in entries {
            let mut row = AuditRow {
                seq: head.seq.saturating_add(1),
                time,
                actor: actor.to_owned(),
                event: entry.event.as_str().to_owned(),
                agent: entry.agent,
                principal: entry.principal,
                token: entry.token,
                key: entry.key,
                detail: entry.detail,
                prev: head.hash,
                hash: [0; 32],
            };
            row.hash = row.digest();
            head = AuditHead {
                seq: row.seq,
                hash: row.hash,
            };
            rows.push(written(row));
        }
        self.insert_all("audit", &COLUMNS, rows).await?;
        self.execute(
            "UPDATE issuer SET audit_seq = $1, audit_hash = $2",
            values![head.seq, &head.hash],
        )
        .await?;
        Ok(head.seq)
    }

    /// The latest rows that pass the filter, oldest first.
    pub(crate) async fn audit(
        &mut self,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut sql = "SELECT * FROM audit WHERE seq > 0".to_owned();
        let mut parameters: Vec<Value> = Vec::new();
        let mut narrow = |condition: &str, value: Value| {
            parameters.push(value);
            sql.push_str(&format!(" {condition} ${}", parameters.len()));
        };
        for (column, value) in [
            ("AND agent =", filter.agent.as_deref()),
            ("AND principal =", filter.principal.as_deref()),
            ("AND token =", filter.token.as_deref()),
            ("AND event =", filter.event.map(|event| event.as_str())),
        ] {
            if let Some(value) = value {
                narrow(column, value.into());
            }
        }
        if let Some(since) = filter.since {
            narrow("AND time >=", since.into());
        }
        if let Some(until) = filter.until {
            narrow("AND time <", until.into());
        }
        if let Some(before) = filter.before {
            narrow("AND seq <", before.into());
        }
        if let Some(limit) = filter.limit {
            narrow("ORDER BY seq DESC LIMIT", u64::from(limit).into());
        } else {
            sql.push_str(" ORDER BY seq DESC");
        }
        let rows = self.fetch("audit row", sql, parameters).await?;
        Ok(rows.iter().rev().map(read).collect::<Result<_, _>>()?)
    }

    /// Whether an agent or a principal was ever given a token; a tenant is in the detail alone, and not
    /// looked for.
    pub(crate) async fn has_minted_for(
        &mut self,
        party: Party,
        name: &str,
    ) -> Result<bool, StoreError> {
        let named = match party {
            Party::Agent => "agent = $2",
            Party::Principal => "principal = $2",
            Party::Tenant => return Ok(true),
        };
        let sql = format!("SELECT seq FROM audit WHERE event = $1 AND {named} LIMIT 1");
        let parameters = values![AuditEvent::Mint.as_str(), name];
        Ok(!self.fetch("audit row", sql, parameters).await?.is_empty())
    }

    /// The tokens of the parties of these watermarks that were issued too late for the watermark to name
    /// them, the earliest first, of each kind of party [`MOST_MINTS`] at the most. A tenant is in the detail
    /// alone, so that those count which are everybody's.
    pub(crate) async fn minted_since(
        &mut self,
        watermarks: &[&Watermark],
    ) -> Result<Vec<TokenId>, StoreError> {
        let mut tokens = Vec::new();
        for party in [Party::Agent, Party::Principal, Party::Tenant] {
            let of_party = watermarks.iter().filter(|it| it.party() == party);
            let before: HashMap<&str, Timestamp> =
                of_party.map(|it| (it.name(), it.issued_before())).collect();
            let Some(first) = before.values().min() else {
                continue;
            };
            let mut parameters = values![*first, AuditEvent::Mint.as_str()];
            let column = match party {
                Party::Agent => Some("agent"),
                Party::Principal => Some("principal"),
                Party::Tenant => None,
            };
            let named = column.map_or_else(String::new, |column| {
                let names = before.keys().map(|name| {
                    parameters.push((*name).into());
                    format!("${}", parameters.len())
                });
                format!(
                    " AND {column} || '' IN ({})",
                    names.collect::<Vec<_>>().join(", ")
                )
            });
            parameters.push(MOST_MINTS.into());
            let last = parameters.len();
            // By the index on the time, behind which few rows lie unless a clock was wrong, and not by those
            // on the parties, behind which all of theirs do: hence the empty text.
            let sql = format!(
                "SELECT time, token, agent, principal, detail FROM audit
                 WHERE time >= $1 AND event = $2{named} ORDER BY time LIMIT ${last}"
            );
            for row in self.fetch("audit row", sql, parameters).await? {
                let name = match column {
                    Some(column) => Some(row.text(column)?),
                    None => mint(&row)?.tenant,
                };
                let before = name.and_then(|name| before.get(name.as_str()).copied());
                let time = row.time("time")?;
                if before.is_some_and(|before| time >= before) {
                    let token = row.text("token")?.parse();
                    tokens.push(token.map_err(|_| StoreError::Damaged("audit row"))?);
                }
            }
        }
        Ok(tokens)
    }

    /// What is on record of a token minted here.
    pub(crate) async fn minted(&mut self, token: TokenId) -> Result<Option<Mint>, StoreError> {
        let row = self
            .fetch_one(
                "audit row",
                "SELECT detail FROM audit WHERE token = $1 AND event = $2
                 ORDER BY seq DESC LIMIT 1",
                values![token.to_string(), AuditEvent::Mint.as_str()],
            )
            .await?;
        Ok(row.as_ref().map(mint).transpose()?)
    }

    /// The rows after `seq`, in their order: as many as fit a page; none, where there are no more.
    pub(crate) async fn audit_after(&mut self, seq: u64) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self
            .fetch(
                "audit row",
                "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
                values![seq, PAGE],
            )
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Recomputes the whole chain, and holds it against what was signed.
    pub(crate) async fn verify_audit(
        &mut self,
        checkpoints: Vec<AuditHead>,
        mut progress: impl FnMut(u64),
    ) -> Result<AuditReport, StoreError> {
        let mut walk = Walk::new(checkpoints);
        // Numbers below 1 were never given out: the first page looks at them too.
        let mut from = i64::MIN;
        while walk.goes_on() {
            let page = self
                .fetch(
                    "audit row",
                    "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
                    values![from, PAGE],
                )
                .await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let seq = row.optional_int("seq")?.unwrap_or(0);
                walk.step(u64::try_from(seq).unwrap_or(0), read(row).ok().as_ref());
                from = seq;
            }
            progress(walk.rows());
        }
        Ok(walk.finish(self.audit_head().await?))
    }

    pub(crate) async fn insert_checkpoint(
        &mut self,
        seq: u64,
        time: Timestamp,
        envelope: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO checkpoint (seq, time, envelope) VALUES ($1, $2, $3)
             ON CONFLICT (seq) DO NOTHING",
            values![seq, time, envelope],
        )
        .await?;
        Ok(())
    }

    /// The signed checkpoints after a row, as they are stored.
    pub(crate) async fn checkpoints(&mut self, after: u64) -> Result<Vec<String>, StoreError> {
        let rows = self
            .fetch(
                "checkpoint",
                "SELECT envelope FROM checkpoint WHERE seq > $1 ORDER BY seq",
                values![after],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.text("envelope"))
            .collect::<Result<_, _>>()?)
    }

    /// The row that the last checkpoint vouches for; 0 where there is none.
    pub(crate) async fn last_checkpoint(&mut self) -> Result<u64, StoreError> {
        let row = self
            .fetch_one(
                "checkpoint",
                "SELECT coalesce(max(seq), 0) AS seq FROM checkpoint",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("checkpoint"))?;
        Ok(row.number("seq")?)
    }

    pub(crate) async fn audit_head(&mut self) -> Result<AuditHead, StoreError> {
        let row = self
            .fetch_one(
                "audit head",
                "SELECT audit_seq, audit_hash FROM issuer",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        Ok(AuditHead {
            seq: row.number("audit_seq")?,
            hash: row.hash("audit_hash")?,
        })
    }
}

/// What the detail of a mint says. One that cannot be read says nothing: what it is about can be
/// revoked all the same.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Mint {
    pub(crate) expires: Option<Timestamp>,
    tenant: Option<String>,
}

fn mint(row: &Row) -> Result<Mint, NotStored> {
    Ok(serde_json::from_str(&row.text("detail")?).unwrap_or_default())
}

/// A row in the order of [`COLUMNS`].
fn written(row: AuditRow) -> Vec<Value> {
    values![
        row.seq,
        row.time,
        row.actor,
        row.event,
        row.agent,
        row.principal,
        row.token,
        row.key,
        row.detail,
        &row.prev,
        &row.hash,
    ]
}

fn read(row: &Row) -> Result<AuditRow, NotStored> {
    Ok(AuditRow {
        seq: row.number("seq")?,
        time: row.time("time")?,
        actor: row.text("actor")?,
        event: row.text("event")?,
        agent: row.optional_text("agent")?,
        principal: row.optional_text("principal")?,
        token: row.optional_text("token")?,
        key: row.optional_text("key")?,
        detail: row.text("detail")?,
        prev: row.hash("prev")?,
        hash: row.hash("hash")?,
    })
}
