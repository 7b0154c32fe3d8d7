//! Stored rows of the audit log.

use bailiwick_token::{claims::TokenId, revocation::Party, timestamp::Timestamp};

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};
use crate::{
    audit::{
        AuditCoverage, AuditEvent, AuditFilter, AuditHead, AuditReport, AuditRow, Entry, Walk,
    },
    mint::TokenInfo,
};

/// Number of rows that a verification keeps in memory at a time.
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
    /// Appends a row to the chain, in the transaction of the change that it records.
    pub(crate) async fn record(
        &mut self,
        entry: Entry,
        actor: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.record_all([(entry, actor, now)]).await
    }

    /// Appends rows in order, together with the tokens that they mint. Returns the number of the last row.
    pub(crate) async fn record_all<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (Entry, &'a str, Timestamp)>,
    ) -> Result<u64, StoreError> {
        // The chain cannot fork: this transaction is the only writer from here to its commit, so no other
        // row can be chained to the same head.
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
            // An issuer of an older version shares this database. Fill in its tokens before `token_seq` moves past
            // them: after that, nothing would look for them.
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
        // The head is stored apart from the rows: a chain alone cannot show that its last rows were
        // removed.
        self.insert_all("audit", &COLUMNS, rows).await?;
        self.insert_tokens(tokens).await?;
        self.execute(
            "UPDATE issuer SET audit_seq = $1, audit_hash = $2, token_seq = $3",
            values![head.seq, &head.hash, head.seq],
        )
        .await?;
        Ok(head.seq)
    }

    /// Returns the latest rows that match the filter, oldest first.
    pub(crate) async fn audit(
        &mut self,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut sql = "SELECT * FROM audit WHERE seq > 0".to_owned();
        let mut parameters: Vec<SqlValue> = Vec::new();
        if let Some(token) = &filter.token {
            // The index of token ids leaves out mints, to keep minting cheap. The table of tokens leads
            // to the row of the mint, and the index to all other rows about the token.
            let mint = token.parse::<TokenId>().ok();
            let id = mint.as_ref().map(|id| id.as_bytes().as_slice());
            parameters.extend(values![id, token]);
            sql.push_str(
                " AND ((seq = (SELECT audit_seq FROM token WHERE id = $1) AND token = $2)
                    OR (token = $2 AND event <> 'mint'))",
            );
        }
        // Only conditions written in this function become part of the text. Values from the caller are always
        // parameters.
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
        // The rows were read from the end, so that a limit keeps the latest ones.
        Ok(rows.iter().rev().map(read).collect::<Result<_, _>>()?)
    }

    /// Returns true if a token was ever minted for this agent or principal, or in this tenant since the given time.
    pub(crate) async fn has_minted_for(
        &mut self,
        party: Party,
        name: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        // This is only a hint for people who mistype a name, so it gets no index of its own. The audit log has one
        // index by agent and one by principal, but no column for tenants.
        let named = match party {
            Party::Agent => "agent = $2",
            Party::Principal => "principal = $2",
            Party::Tenant => return self.has_minted_in(name, since).await,
        };
        let sql = format!("SELECT seq FROM audit WHERE event = $1 AND {named} LIMIT 1");
        let parameters = values![AuditEvent::Mint.as_str(), name];
        Ok(!self.fetch("audit row", sql, parameters).await?.is_empty())
    }

    /// Returns the rows of an event after `from`, up to and including `to`, in order.
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

    /// Returns a page of the rows after `seq`, in order. The page is empty if there are no more.
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

    /// Recomputes the whole chain, and compares it with the signed checkpoints.
    pub(crate) async fn verify_audit(
        &mut self,
        checkpoints: Vec<AuditHead>,
        mut progress: impl FnMut(u64),
    ) -> Result<AuditReport, StoreError> {
        let mut walk = Walk::new(checkpoints);
        // Begins below 1, the first number in use, so that a row that somebody inserted before the first one is
        // found too.
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
                // A row that cannot be read is a finding and not an error: it may have been tampered with.
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
        // If no row was added since the last checkpoint, that one already vouches for this row.
        self.execute(
            "INSERT INTO checkpoint (seq, time, envelope) VALUES ($1, $2, $3)
             ON CONFLICT (seq) DO NOTHING",
            values![seq, time, envelope],
        )
        .await?;
        Ok(())
    }

    /// Returns the signed checkpoints after a row, as stored.
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

    /// Returns the number of the row that the last checkpoint covers; 0 if there is no checkpoint.
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

    /// Returns the part of the audit log that checkpoints cover.
    pub(crate) async fn audit_coverage(&mut self) -> Result<AuditCoverage, StoreError> {
        let rows = self.audit_head().await?.seq;
        let row = self
            .fetch_one(
                "checkpoint",
                "SELECT seq, time FROM checkpoint ORDER BY seq DESC LIMIT 1",
                vec![],
            )
            .await?;
        let (checkpoint, checkpoint_at) = match &row {
            None => (0, None),
            Some(row) => (row.number("seq")?, Some(row.time("time")?)),
        };
        let row = self
            .fetch_one(
                "audit row",
                "SELECT time FROM audit WHERE seq = $1",
                values![checkpoint.saturating_add(1)],
            )
            .await?;
        Ok(AuditCoverage {
            rows,
            checkpoint,
            checkpoint_at,
            uncovered_since: row.map(|row| row.time("time")).transpose()?,
        })
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

/// Returns the values of a row in the order of [`COLUMNS`].
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
