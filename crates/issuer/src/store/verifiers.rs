//! Stored reports of verifiers.

use super::{
    StoreError, Tx,
    row::{NotStored, Row, values},
};
use crate::{keyring::KeysetInUse, verifiers::VerifierInfo};

/// Maximum number of verifiers to remember. Anyone can send reports, so only the latest are kept.
const MOST: u64 = 4_096;

impl Tx {
    pub(crate) async fn save_reports(
        &mut self,
        reports: &[VerifierInfo],
    ) -> Result<(), StoreError> {
        // There are few statements, because everyone who records something waits for this writer.
        let rows = reports.iter().map(|report| {
            values![
                &report.name,
                &report.service,
                report.keyset_version,
                report.feed_epoch.clone(),
                report.feed_seq,
                report.seen_at,
            ]
        });
        self.put_all(
            "verifier",
            &[
                "name",
                "service",
                "keyset_version",
                "feed_epoch",
                "feed_seq",
                "seen_at",
            ],
            rows.collect(),
            "ON CONFLICT (name) DO UPDATE SET service = excluded.service,
                keyset_version = excluded.keyset_version, feed_epoch = excluded.feed_epoch,
                feed_seq = excluded.feed_seq, seen_at = excluded.seen_at",
        )
        .await?;
        // Anyone can report under any name, so the number of rows must be limited.
        self.execute(
            "DELETE FROM verifier WHERE name NOT IN
                (SELECT name FROM verifier ORDER BY seen_at DESC LIMIT $1)",
            values![MOST],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn verifiers(&mut self) -> Result<Vec<VerifierInfo>, StoreError> {
        let rows = self
            .fetch("verifier", "SELECT * FROM verifier ORDER BY name", vec![])
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    pub(crate) async fn forget_verifier(&mut self, name: &str) -> Result<bool, StoreError> {
        let deleted = self
            .execute("DELETE FROM verifier WHERE name = $1", values![name])
            .await?;
        Ok(deleted > 0)
    }

    /// Returns the keyset that each verifier last reported.
    pub(crate) async fn keysets_in_use(&mut self) -> Result<Vec<KeysetInUse>, StoreError> {
        let verifiers = self.verifiers().await?;
        let in_use = verifiers.iter().map(|verifier| KeysetInUse {
            version: verifier.keyset_version,
            seen_at: verifier.seen_at,
        });
        Ok(in_use.collect())
    }
}

fn read(row: &Row) -> Result<VerifierInfo, NotStored> {
    Ok(VerifierInfo {
        name: row.text("name")?,
        service: row.text("service")?,
        keyset_version: row.number("keyset_version")?,
        feed_epoch: row.optional_text("feed_epoch")?,
        feed_seq: row.optional_number("feed_seq")?,
        seen_at: row.time("seen_at")?,
    })
}
