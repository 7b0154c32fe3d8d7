//! The rows of the audit.

use bailiwick_token::timestamp::Timestamp;
use sqlx::{QueryBuilder, Sqlite, sqlite::SqliteRow};

use super::{
    StoreError, Tx,
    row::{Columns, NotStored, int, seconds},
};
use crate::audit::{AuditFilter, AuditHead, AuditReport, AuditRow, Entry, Walk};

/// How many rows a check holds at a time.
const PAGE: i64 = 1_000;

impl Tx {
    /// Appends a row to the chain, in the transaction of what it records.
    pub(crate) async fn record(
        &mut self,
        entry: Entry,
        actor: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let head = self.audit_head().await?;
        let mut row = AuditRow {
            seq: head.seq.saturating_add(1),
            time: now,
            actor: actor.to_owned(),
            event: entry.event.as_str().to_owned(),
            agent: entry.agent,
            principal: entry.principal,
            token: entry.token,
            key: entry.key,
            detail: entry.detail.to_string(),
            prev: head.hash,
            hash: [0; 32],
        };
        row.hash = row.digest();
        sqlx::query(
            "INSERT INTO audit (seq, time, actor, event, agent, principal, token, key, detail,
                prev, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(int(row.seq))
        .bind(seconds(row.time))
        .bind(&row.actor)
        .bind(&row.event)
        .bind(&row.agent)
        .bind(&row.principal)
        .bind(&row.token)
        .bind(&row.key)
        .bind(&row.detail)
        .bind(row.prev.as_slice())
        .bind(row.hash.as_slice())
        .execute(&mut *self.0)
        .await?;
        sqlx::query("UPDATE issuer SET audit_seq = ?, audit_hash = ?")
            .bind(int(row.seq))
            .bind(row.hash.as_slice())
            .execute(&mut *self.0)
            .await?;
        Ok(row.seq)
    }

    /// The latest rows that pass the filter, oldest first.
    pub(crate) async fn audit(
        &mut self,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM audit WHERE 1");
        for (column, value) in [
            (" AND agent = ", filter.agent.as_deref()),
            (" AND principal = ", filter.principal.as_deref()),
            (" AND token = ", filter.token.as_deref()),
            (" AND event = ", filter.event.map(|event| event.as_str())),
        ] {
            if let Some(value) = value {
                query.push(column).push_bind(value.to_owned());
            }
        }
        if let Some(since) = filter.since {
            query.push(" AND time >= ").push_bind(seconds(since));
        }
        query.push(" ORDER BY seq DESC");
        if let Some(limit) = filter.limit {
            query.push(" LIMIT ").push_bind(i64::from(limit));
        }
        let rows = query.build().fetch_all(&mut *self.0).await?;
        Ok(rows.iter().rev().map(read).collect::<Result<_, _>>()?)
    }

    /// Recomputes the whole chain.
    pub(crate) async fn verify_audit(&mut self) -> Result<AuditReport, StoreError> {
        let mut walk = Walk::new();
        // Numbers below 1 were never given out: the first page looks at them too.
        let mut from = i64::MIN;
        while walk.goes_on() {
            let page = sqlx::query("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?")
                .bind(from)
                .bind(PAGE)
                .fetch_all(&mut *self.0)
                .await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let seq = Columns {
                    row,
                    what: "audit row",
                }
                .number("seq")
                .unwrap_or(0);
                walk.step(seq, read(row).ok().as_ref());
                from = int(seq);
            }
        }
        Ok(walk.finish(self.audit_head().await?))
    }

    async fn audit_head(&mut self) -> Result<AuditHead, StoreError> {
        let row = sqlx::query("SELECT audit_seq, audit_hash FROM issuer")
            .fetch_one(&mut *self.0)
            .await?;
        let columns = Columns {
            row: &row,
            what: "audit head",
        };
        Ok(AuditHead {
            seq: columns.number("audit_seq")?,
            hash: columns.hash("audit_hash")?,
        })
    }
}

fn read(row: &SqliteRow) -> Result<AuditRow, NotStored> {
    let columns = Columns {
        row,
        what: "audit row",
    };
    Ok(AuditRow {
        seq: columns.number("seq")?,
        time: columns.time("time")?,
        actor: columns.text("actor")?,
        event: columns.text("event")?,
        agent: columns.optional_text("agent")?,
        principal: columns.optional_text("principal")?,
        token: columns.optional_text("token")?,
        key: columns.optional_text("key")?,
        detail: columns.text("detail")?,
        prev: columns.hash("prev")?,
        hash: columns.hash("hash")?,
    })
}
