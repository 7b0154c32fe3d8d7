//! The history of revocations, change by change.

use std::collections::BTreeMap;

use bailiwick_token::{
    revocation::{Digest, Epoch, Party, Position, Revocation, Target},
    timestamp::{SKEW, Timestamp},
};

use super::{
    StoreError, Tx,
    row::{NotStored, Row, SqlValue, values},
};
use crate::revoke::RevocationInfo;

/// Number of rows that a walk over all revocations keeps in memory at a time.
const PAGE: u64 = 10_000;

const COLUMNS: [&str; 8] = [
    "seq",
    "kind",
    "target",
    "issued_before",
    "revoked_at",
    "expires",
    "reason",
    "line",
];

impl Tx {
    /// Returns the current position of the history.
    pub(crate) async fn position(&mut self) -> Result<Position, StoreError> {
        let row = self
            .fetch_one(
                "feed",
                "SELECT feed_epoch, feed_seq, feed_digest FROM issuer",
                vec![],
            )
            .await?
            .ok_or(StoreError::Damaged("issuer"))?;
        let epoch: Epoch = row
            .text("feed_epoch")?
            .parse()
            .map_err(|_| StoreError::Damaged("feed"))?;
        Ok(Position {
            epoch,
            seq: row.number("feed_seq")?,
            digest: Digest::from_bytes(row.hash("feed_digest")?),
        })
    }

    /// Continues the history under a new name, after a restore at this time.
    pub(crate) async fn begin_history(
        &mut self,
        epoch: &str,
        restored_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE issuer SET feed_epoch = $1, restored_at = $2",
            values![epoch, restored_at],
        )
        .await?;
        // The old head names the old history. Without a row, the next request signs a new one.
        self.execute("DELETE FROM feed_head", vec![]).await?;
        Ok(())
    }

    /// Returns the latest revocation of a target.
    pub(crate) async fn revocation(
        &mut self,
        target: &Target,
    ) -> Result<Option<RevocationInfo>, StoreError> {
        let (kind, bytes) = target_name(target);
        let row = self
            .fetch_one(
                "revocation",
                "SELECT * FROM revocation WHERE kind = $1 AND target = $2 AND superseded = 0",
                values![kind, bytes],
            )
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// Returns the latest revocation of each of these targets, if it has one.
    pub(crate) async fn revocations_of(
        &mut self,
        targets: &[Target],
    ) -> Result<Vec<Revocation>, StoreError> {
        // A list for each kind, since SQLite bounds the depth of an expression and not the length of a list.
        let mut kinds: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
        for (kind, bytes) in targets.iter().map(target_name) {
            kinds.entry(kind).or_default().push(bytes);
        }
        let (mut parameters, mut conditions) = (Vec::new(), Vec::new());
        let mut place = |value: SqlValue| {
            parameters.push(value);
            format!("${}", parameters.len())
        };
        for (kind, names) in kinds {
            let kind = place(kind.into());
            let names: Vec<String> = names.into_iter().map(|name| place(name.into())).collect();
            let names = names.join(", ");
            conditions.push(format!("(kind = {kind} AND target IN ({names}))"));
        }
        // Without conditions the SQL would contain `()`, which is not a condition.
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT * FROM revocation WHERE superseded = 0 AND ({})",
            conditions.join(" OR ")
        );
        let rows = self.fetch("revocation", sql, parameters).await?;
        let revocations = rows.iter().map(|row| Ok(read(row)?.revocation));
        revocations.collect()
    }

    /// Appends changes to the history. Each supersedes the previous one about the same target.
    pub(crate) async fn append_revocations(
        &mut self,
        entries: &[RevocationInfo],
    ) -> Result<Position, StoreError> {
        let mut position = self.position().await?;
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            // The digest and the row use the same text: verifiers get it byte for byte, and check it
            // against the digest in the signed head.
            let line = entry.revocation.to_line();
            position = position
                .then(line.as_bytes())
                .ok_or(StoreError::Damaged("feed"))?;
            let (kind, bytes) = target_name(&entry.revocation.target);
            // The old line stays, marked as superseded: the digest covers it, and readers may still ask for it.
            self.execute(
                "UPDATE revocation SET superseded = 1
                 WHERE kind = $1 AND target = $2 AND superseded = 0",
                values![kind, bytes],
            )
            .await?;
            rows.push(values![
                position.seq,
                kind,
                bytes,
                issued_before(&entry.revocation.target),
                entry.revoked_at,
                entry.revocation.expires,
                &entry.reason,
                line,
            ]);
        }
        self.insert_all("revocation", &COLUMNS, rows).await?;
        self.execute(
            "UPDATE issuer SET feed_seq = $1, feed_digest = $2",
            values![position.seq, position.digest.as_bytes()],
        )
        .await?;
        Ok(position)
    }

    /// Returns true if, after adding `more` revocations, at most `most` would be alive.
    pub(crate) async fn has_room_for(
        &mut self,
        more: usize,
        most: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let room = (most as u64).saturating_sub(more as u64);
        // The number of live entries never exceeds the number of changes, so most issuers need not count them.
        if self.position().await?.seq <= room {
            return Ok(true);
        }
        let mut alive = 0;
        // Two counts, each of which reads one range of the index on `expires`.
        let ends = [
            ("expires IS NULL", vec![]),
            ("expires >= $1", values![now.minus(SKEW)]),
        ];
        for (end, parameters) in ends {
            let sql =
                format!("SELECT COUNT(*) AS alive FROM revocation WHERE superseded = 0 AND {end}");
            let row = self.fetch_one("revocation", sql, parameters).await?;
            let count = row.map(|row| row.number("alive")).transpose()?;
            alive = count.unwrap_or(0).saturating_add(alive);
        }
        Ok(alive <= room)
    }

    /// Returns a page of the live revocations after the change `after`, oldest first.
    pub(crate) async fn revocations(
        &mut self,
        after: u64,
        now: Timestamp,
    ) -> Result<Vec<RevocationInfo>, StoreError> {
        // Dead entries are only left out and never deleted: a clock that ran ahead must not lose one.
        let rows = self
            .fetch(
                "revocation",
                "SELECT * FROM revocation
                 WHERE seq > $1 AND superseded = 0 AND (expires IS NULL OR expires >= $2)
                 ORDER BY seq LIMIT $3",
                values![after, now.minus(SKEW), PAGE],
            )
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Returns the lines of the changes after `after`, up to and including `to`.
    pub(crate) async fn lines(&mut self, after: u64, to: u64) -> Result<Vec<String>, StoreError> {
        let rows = self
            .fetch(
                "revocation",
                "SELECT line FROM revocation WHERE seq > $1 AND seq <= $2 ORDER BY seq",
                values![after, to],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.text("line"))
            .collect::<Result<_, _>>()?)
    }
}

/// Returns the kind and the bytes by which a target is looked up. A watermark is looked up by its party,
/// whatever its time.
pub(crate) fn target_name(target: &Target) -> (&'static str, &[u8]) {
    match target {
        Target::Token(token) => ("token", token.as_bytes()),
        Target::Block(signature) => ("block", signature),
        Target::Watermark(watermark) => {
            let kind = match watermark.party() {
                Party::Agent => "agent",
                Party::Principal => "principal",
                Party::Tenant => "tenant",
            };
            (kind, watermark.name().as_bytes())
        }
    }
}

fn issued_before(target: &Target) -> Option<Timestamp> {
    match target {
        Target::Watermark(watermark) => Some(watermark.issued_before()),
        Target::Token(_) | Target::Block(_) => None,
    }
}

fn read(row: &Row) -> Result<RevocationInfo, NotStored> {
    let damaged = |_| NotStored("revocation");
    // The line counts, because verifiers receive it. The other columns only help to find it.
    let line = row.text("line")?;
    Ok(RevocationInfo {
        seq: row.number("seq")?,
        revocation: Revocation::from_line(line.as_bytes()).map_err(damaged)?,
        revoked_at: row.time("revoked_at")?,
        reason: row.text("reason")?,
    })
}
