//! Tests of the table of minted tokens, with databases and backups that are older than the table.

use std::{collections::BTreeSet, io::BufReader};

use bailiwick_token::{
    claims::TokenId,
    dsse::Envelope,
    revocation::{Digest, Party, Target, Watermark},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    AuditFilter, NewClient, Receipt, RestoreEvidence, RestoreOptions, RevokeOutcome, TokenInfo,
    store::TABLES,
};

/// SQL that takes a database back to the earlier schema.
const BEFORE: &str = "
    DROP TABLE token;
    ALTER TABLE client DROP COLUMN public_keys;
    ALTER TABLE issuer DROP COLUMN token_seq;
    DROP INDEX audit_token;
    CREATE INDEX audit_token ON audit (token) WHERE token IS NOT NULL;
    DELETE FROM _sqlx_migrations WHERE version IN (2, 3, 4)";

/// The columns of the first migration.
async fn first_schema() -> BTreeSet<String> {
    let mut scratch = sqlx::SqliteConnection::connect("sqlite::memory:")
        .await
        .unwrap();
    sqlx::raw_sql(include_str!("../../migrations/sqlite/0001_issuer.sql"))
        .execute(&mut scratch)
        .await
        .unwrap();
    let columns = sqlx::query_scalar(
        "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c
         WHERE t.type = 'table'",
    );
    let columns: Vec<String> = columns.fetch_all(&mut scratch).await.unwrap();
    columns.into_iter().collect()
}

async fn schema(issuer: &Issuer) -> BTreeSet<String> {
    let mut tx = issuer.store.read().await.unwrap();
    let columns = tx.schema(on_postgres()).await.unwrap();
    let ours = |name: &String| !name.starts_with("_sqlx_migrations.");
    columns.into_iter().filter(ours).collect()
}

/// Opens the same home again, and unlocks it.
async fn reopened(issuer: Issuer) -> Issuer {
    let home = issuer.home().to_owned();
    issuer.close().await;
    let issuer = Issuer::open(&home).await.unwrap();
    issuer.unlock(&passphrase()).unwrap();
    issuer
}

async fn mint(issuer: &Issuer, agent: &str, tenant: Option<&str>, now: u64) -> Receipt {
    let request = MintRequest {
        agent: agent.to_owned(),
        tenant: tenant.map(str::to_owned),
        ..request()
    };
    issuer.mint(&request, at(now)).await.unwrap().receipt
}

async fn info(issuer: &Issuer, receipt: &Receipt) -> TokenInfo {
    issuer.token(receipt.token_id).await.unwrap().unwrap()
}

/// Counts the tokens, and the mints in the audit log.
async fn counts(issuer: &Issuer) -> (usize, usize) {
    let token = TABLES.iter().find(|table| table.name == "token").unwrap();
    let mut tx = issuer.store.read().await.unwrap();
    let tokens = tx.rows_after(token, None).await.unwrap().len();
    let rows = tx.audit(&AuditFilter::default()).await.unwrap();
    let mints = rows.iter().filter(|row| row.event == "mint").count();
    (tokens, mints)
}

#[tokio::test]
async fn tokens_of_a_batch_have_their_own_rows() {
    let (_dir, issuer) = issuer().await;
    let issuer = issuer.acting_as("client:buyer");
    let mints = (0..100).map(|n| {
        let issuer = issuer.clone();
        tokio::spawn(async move { mint(&issuer, &format!("agent:{n}"), Some("acme"), n).await })
    });
    for (n, minted) in (0..).zip(mints.collect::<Vec<_>>()) {
        let receipt = minted.await.unwrap();
        let token = info(&issuer, &receipt).await;
        let filter = AuditFilter {
            token: Some(receipt.token_id.to_string()),
            ..AuditFilter::default()
        };
        let rows = issuer.audit_list(&filter).await.unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!(row.seq, receipt.audit_seq);
        assert_eq!(
            token,
            TokenInfo {
                token_id: receipt.token_id,
                key: row.key.as_ref().unwrap().parse().unwrap(),
                agent: format!("agent:{n}"),
                principal: row.principal.clone().unwrap(),
                tenant: Some("acme".to_owned()),
                actor: "client:buyer".to_owned(),
                issued_at: at(n),
                expires: at(n + 600),
                audit_seq: row.seq,
            }
        );
    }
    assert_eq!(counts(&issuer).await, (100, 100));
    let unknown = TokenId::from_bytes([7; 16]);
    assert_eq!(issuer.token(unknown).await.unwrap(), None);
}

/// Neither a refused request nor one whose standing was withdrawn leaves a token.
#[tokio::test]
async fn refusals_leave_no_token() {
    let (_dir, issuer) = issuer().await;
    let refused = MintRequest {
        ttl: 0,
        ..request()
    };
    assert!(issuer.mint(&refused, at(1)).await.is_err());
    assert_eq!(counts(&issuer).await, (0, 0));
}

#[tokio::test]
async fn older_databases_are_filled_from_their_audit() {
    let (_dir, issuer) = issuer().await;
    let now = 10_000;
    let by_id = mint(&issuer, "agent:one", None, now).await;
    let by_agent = mint(&issuer, "agent:two", None, now + 5_000).await;
    let by_tenant = mint(&issuer, "agent:three", Some("acme"), now + 5_000).await;
    let damaged = mint(&issuer, "agent:four", None, now + 5_000).await;
    let dead = mint(&issuer, "agent:five", None, 1).await;
    let receipts = [&by_id, &by_agent, &by_tenant, &dead];
    let mut before = Vec::new();
    for receipt in receipts {
        before.push(info(&issuer, receipt).await);
    }
    let client = NewClient {
        name: "buyer".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::new(),
    };
    let (client, _) = issuer.client_add(client, at(now)).await.unwrap();
    let rows = issuer.audit_list(&AuditFilter::default()).await.unwrap();

    issuer.store.tamper(BEFORE).await;
    assert_eq!(schema(&issuer).await, first_schema().await);
    let edit = format!(
        "UPDATE audit SET detail = 'x' WHERE token = '{}'",
        damaged.token_id
    );
    issuer.store.tamper(&edit).await;
    let issuer = reopened(issuer).await;

    assert_eq!(counts(&issuer).await, (5, 5));
    assert_eq!(issuer.clients().await.unwrap(), [client]);
    for (receipt, before) in receipts.into_iter().zip(before) {
        assert_eq!(info(&issuer, receipt).await, before);
    }
    // If the expiry cannot be read, the latest possible one is used.
    let max = issuer.settings().max_token_ttl;
    let damaged_info = info(&issuer, &damaged).await;
    assert_eq!(damaged_info.expires, at(now + 5_000 + max));

    let revoke = async |target: Target, now| {
        let targets = [target];
        let reports = issuer.revoke_all(&targets, None, None, "leaked", at(now));
        reports.await.unwrap()
    };
    let reports = revoke(Target::Token(by_id.token_id), now + 1).await;
    assert_eq!(
        (
            reports[0].outcome,
            reports[0].minted_here,
            reports[0].expires
        ),
        (RevokeOutcome::Revoked, true, Some(by_id.expires))
    );
    let long_dead = 3 * 86_400;
    let reports = revoke(Target::Token(dead.token_id), long_dead).await;
    assert_eq!(
        (reports[0].outcome, reports[0].minted_here),
        (RevokeOutcome::AlreadyExpired, true)
    );
    // A clock that was ahead dated these tokens. A watermark with the current time does not cover them, so each is
    // revoked by its id.
    for (party, name, ahead) in [
        (Party::Agent, "agent:two", &by_agent),
        (Party::Tenant, "acme", &by_tenant),
        (Party::Agent, "agent:four", &damaged),
    ] {
        let watermark = Watermark::new(party, name, at(now + 2)).unwrap();
        let reports = revoke(Target::Watermark(watermark), now + 2).await;
        assert_eq!(reports.len(), 2, "{name}");
        assert!(reports[0].minted_here, "{name}");
        assert_eq!(
            reports[1].target,
            Target::Token(ahead.token_id).to_string(),
            "{name}"
        );
    }

    // The audit is unchanged, and continues.
    let filter = AuditFilter {
        token: Some(by_id.token_id.to_string()),
        ..AuditFilter::default()
    };
    let listed = issuer.audit_list(&filter).await.unwrap();
    let events: Vec<&str> = listed.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(events, ["mint", "revoke"]);
    let restore = format!(
        "UPDATE audit SET detail = '{}' WHERE token = '{}' AND event = 'mint'",
        rows.iter()
            .find(|row| row.seq == damaged.audit_seq)
            .unwrap()
            .detail,
        damaged.token_id
    );
    issuer.store.tamper(&restore).await;
    let after = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    assert_eq!(after[..rows.len()], rows[..]);
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!(report.finding, None);
    mint(&issuer, "agent:six", None, now + 3).await;
    assert_eq!(counts(&issuer).await, (6, 6));
}

/// While issuers are replaced one by one, issuers of the older version continue to mint.
#[tokio::test]
async fn mints_of_an_older_issuer_are_taken_over() {
    let (_dir, issuer) = issuer().await;
    mint(&issuer, "agent:one", None, 10).await;
    let older = mint(&issuer, "agent:older", None, 11).await;
    let without = |receipt: &Receipt| {
        let seq = receipt.audit_seq;
        format!(
            "DELETE FROM token WHERE audit_seq = {seq}; UPDATE issuer SET token_seq = {}",
            seq - 1
        )
    };
    issuer.store.tamper(&without(&older)).await;
    assert_eq!(issuer.token(older.token_id).await.unwrap(), None);
    mint(&issuer, "agent:one", None, 12).await;
    assert_eq!(info(&issuer, &older).await.agent, "agent:older");
    assert_eq!(counts(&issuer).await, (3, 3));

    let older = mint(&issuer, "agent:older", None, 13).await;
    issuer.store.tamper(&without(&older)).await;
    let token = Target::Token(older.token_id);
    let report = issuer.revoke(token, None, "leaked", at(14)).await.unwrap();
    assert_eq!(report.expires, Some(older.expires));
}

/// Makes the last line of a backup, which signs the lines before it.
async fn signed(issuer: &Issuer, lines: &[String], made_at: u64) -> String {
    let mut file: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let rows = lines.iter().filter(|line| line.starts_with('[')).count();
    let end = json!({
        "issuer": ISSUER,
        "made_at": at(made_at),
        "rows": rows,
        "digest": Digest::from_bytes(Sha256::digest(&file).into()),
    });
    let mut tx = issuer.store.read().await.unwrap();
    let signer = issuer.keyset_signer(&mut tx).await.unwrap();
    let end = Envelope::sign(
        "application/vnd.bailiwick.backup.v1+json",
        end.to_string().into_bytes(),
        &signer,
    );
    file.push_str(&format!("{}\n", end.to_json()));
    file
}

/// The lines of a backup by an older version: without the table of tokens, its progress, and the keys of
/// clients.
fn older_lines(backup: &str) -> Vec<String> {
    let mut table = String::new();
    let mut place = None;
    let mut lines = Vec::new();
    for line in backup.lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if let Some(name) = value.get("table").and_then(Value::as_str) {
            table = name.to_owned();
            let columns = value["columns"].as_array_mut().unwrap();
            let later = |column: &Value| column == "token_seq" || column == "public_keys";
            place = columns.iter().position(later);
            if let Some(place) = place {
                columns.remove(place);
            }
        } else if let (Some(row), Some(place)) = (value.as_array_mut(), place) {
            row.remove(place);
        }
        if table != "token" {
            lines.push(value.to_string());
        }
    }
    lines.pop();
    lines
}

#[tokio::test]
async fn older_backups_are_restored_with_their_tokens() {
    let (_dir, issuer) = issuer().await;
    let minted = mint(&issuer, "agent:one", Some("acme"), 10).await;
    let before = info(&issuer, &minted).await;
    let client = NewClient {
        name: "buyer".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::new(),
    };
    issuer.client_add(client, at(11)).await.unwrap();
    let mut backup = Vec::new();
    issuer.backup(&mut backup, |_| (), at(20)).await.unwrap();
    let backup = String::from_utf8(backup).unwrap();
    let older = signed(&issuer, &older_lines(&backup), 20).await;
    for later in ["token_seq", "public_keys"] {
        assert!(backup.contains(later) && !older.contains(later));
    }
    let evidence = RestoreEvidence {
        keyset: Some(issuer.published_keyset().await.unwrap().envelope.into()),
        revocations: vec![issuer.snapshot(at(20)).await.unwrap().file.into()],
        ..RestoreEvidence::default()
    };
    for file in [backup, older] {
        let dir = tempfile::tempdir().unwrap();
        let options = RestoreOptions {
            store: store().await,
            evidence: evidence.clone(),
            actor: "operator".to_owned(),
            ..RestoreOptions::default()
        };
        let mut input = BufReader::new(file.as_bytes());
        let home = dir.path().join("home");
        let passphrase = passphrase();
        let restored = Issuer::restore(&home, &mut input, options, &passphrase, |_| {}, at(30));
        let (restored, _) = restored.await.unwrap();
        assert_eq!(info(&restored, &minted).await, before);
        let token = Target::Token(minted.token_id);
        let report = restored.revoke(token, None, "leaked", at(31)).await;
        assert_eq!(report.unwrap().expires, Some(minted.expires));
        mint(&restored, "agent:two", None, 32).await;
        assert_eq!(counts(&restored).await, (2, 2));
        assert_eq!(
            restored.clients().await.unwrap(),
            issuer.clients().await.unwrap()
        );
    }
}
