//! The rows of the audit.

use bailiwick_token::{claims::TokenId, revocation::Party, timestamp::Timestamp};

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};
use crate::{
    audit::{AuditEvent, AuditFilter, AuditHead, AuditReport, AuditRow, Entry, Walk},
    mint::TokenInfo,
};

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

    /// Appends rows in their order, with the tokens that they mint, and returns the number of the last one.
    pub(crate) async fn record_all<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (Entry, &'a str, Timestamp)>,
    ) -> Result<u64, StoreError> {
        let row = self
            .fetch_one(
                "audit head",
                "SELECT audit_seq, audit_hash, token_seq FROM issuer",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        let mut head = read_head(&row)?;
        if row.number("token_seq")? < head.seq {
            // An issuer of an older version works beside this one.
            self.fill_tokens().await?;
        }
        let (mut rows, mut tokens) = (Vec::new(), Vec::new());
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
            tokens.extend(entry.minted.map(|token| TokenInfo {
                audit_seq: head.seq,
                ..*token
            }));
        }
        self.insert_all("audit", &COLUMNS, rows).await?;
        self.insert_tokens(tokens).await?;
        self.execute(
            "UPDATE issuer SET audit_seq = $1, audit_hash = $2, token_seq = $3",
            values![head.seq, &head.hash, head.seq],
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
        let mut parameters: Vec<SqlValue> = Vec::new();
        if let Some(token) = &filter.token {
            // Its mint is found by the table of tokens, and what is recorded of it later by the index.
            let mint = token.parse::<TokenId>().ok();
            let id = mint.as_ref().map(|id| id.as_bytes().as_slice());
            parameters.extend(values![id, token]);
            sql.push_str(
                " AND ((seq = (SELECT audit_seq FROM token WHERE id = $1) AND token = $2)
                    OR (token = $2 AND event <> 'mint'))",
            );
        }
        let mut narrow = |condition: &str, value: SqlValue| {
            parameters.push(value);
            sql.push_str(&format!(" {condition} ${}", parameters.len()));
        };
        for (column, value) in [
            ("AND agent =", filter.agent.as_deref()),
            ("AND principal =", filter.principal.as_deref()),
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

    /// Returns whether an agent or a principal was ever given a token; tenants are taken to be right. It is
    /// a hint for people, and asked of the audit, which is indexed by these names in any case.
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

    /// The rows of an event after `from`, up to and including `to`, in their order.
    pub(super) async fn audit_of(
        &mut self,
        event: AuditEvent,
        from: u64,
        to: u64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self
            .fetch(
                "audit row",
                "SELECT * FROM audit WHERE seq > $1 AND seq <= $2 AND event = $3 ORDER BY seq",
                values![from, to, event.as_str()],
            )
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
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
        Ok(read_head(&row)?)
    }
}

fn read_head(row: &Row) -> Result<AuditHead, NotStored> {
    Ok(AuditHead {
        seq: row.number("audit_seq")?,
        hash: row.hash("audit_hash")?,
    })
}

/// A row in the order of [`COLUMNS`].
fn written(row: AuditRow) -> Vec<SqlValue> {
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
