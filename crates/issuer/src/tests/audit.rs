use super::*;
use crate::{AuditEvent, AuditFilter, AuditFinding, Tampering};

/// An issuer with rows 1 to 7: init, stage, activate, stage, and three mints.
async fn filled() -> (TempDir, Issuer) {
    let (dir, issuer) = issuer().await;
    for seconds in 1..=3 {
        issuer.mint(&request(), at(seconds)).await.unwrap();
    }
    let report = issuer.audit_verify().await.unwrap();
    assert_eq!((report.rows, report.head.seq, report.finding), (7, 7, None));
    (dir, issuer)
}

async fn found_after(tampering: &'static str) -> Option<AuditFinding> {
    let (_dir, issuer) = filled().await;
    sqlx::raw_sql(tampering)
        .execute(issuer.store.raw())
        .await
        .unwrap();
    issuer.audit_verify().await.unwrap().finding
}

#[tokio::test]
async fn tampering_is_found_where_it_begins() {
    use Tampering::{Added, Edited, Removed, Rewritten};
    for (sql, seq, tampering) in [
        ("UPDATE audit SET actor = 'mallory' WHERE seq = 4", 4, Edited),
        ("UPDATE audit SET detail = '{}' WHERE seq = 7", 7, Edited),
        ("UPDATE audit SET agent = NULL WHERE seq = 6", 6, Edited),
        ("UPDATE audit SET token = '' WHERE seq = 1", 1, Edited),
        ("UPDATE audit SET time = -1 WHERE seq = 2", 2, Edited),
        ("UPDATE audit SET prev = x'00' WHERE seq = 3", 3, Edited),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5, Edited),
        ("DELETE FROM audit WHERE seq = 1", 1, Removed),
        ("DELETE FROM audit WHERE seq = 5", 5, Removed),
        ("DELETE FROM audit WHERE seq >= 6", 6, Removed),
        ("DELETE FROM audit", 1, Removed),
        // Two rows change places.
        (
            "UPDATE audit SET seq = 99 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = 99",
            5,
            Edited,
        ),
        // A row goes, and the others close the gap.
        (
            "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = 7",
            5,
            Edited,
        ),
        // The end is cut off, and where it should be is moved to a row that is not the last.
        ("UPDATE issuer SET audit_seq = 6", 7, Added),
        ("UPDATE issuer SET audit_hash = zeroblob(32)", 7, Rewritten),
        (
            "INSERT INTO audit SELECT -5, time, actor, event, agent, principal, token, key, detail, prev, hash
             FROM audit WHERE seq = 1",
            0,
            Edited,
        ),
    ] {
        assert_eq!(found_after(sql).await, Some(AuditFinding { seq, tampering }), "{sql}");
    }
}

#[tokio::test]
async fn a_replaced_row_with_a_hash_of_its_own_is_found() {
    let (_dir, issuer) = filled().await;
    let mut row = issuer
        .audit_list(&AuditFilter::default())
        .await
        .unwrap()
        .remove(4);
    row.principal = Some("user:mallory".to_owned());
    sqlx::query("UPDATE audit SET principal = ?, hash = ? WHERE seq = 5")
        .bind(&row.principal)
        .bind(row.digest().as_slice())
        .execute(issuer.store.raw())
        .await
        .unwrap();
    let finding = issuer.audit_verify().await.unwrap().finding;
    assert_eq!(
        finding,
        Some(AuditFinding {
            seq: 5,
            tampering: Tampering::Rewritten
        })
    );
}

#[tokio::test]
async fn rows_are_listed_by_what_they_are_about() {
    let (_dir, issuer) = filled().await;
    let issuer = issuer.acting_as("ada@laptop");
    let other = MintRequest {
        agent: "agent:clerk".to_owned(),
        ..request()
    };
    issuer.mint(&other, at(50)).await.unwrap();
    let seqs = async |filter: AuditFilter| {
        let rows = issuer.audit_list(&filter).await.unwrap();
        rows.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    let all = AuditFilter::default();
    assert_eq!(seqs(all.clone()).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(
        seqs(AuditFilter {
            limit: Some(2),
            ..all.clone()
        })
        .await,
        [7, 8]
    );
    assert_eq!(
        seqs(AuditFilter {
            since: Some(at(3)),
            ..all.clone()
        })
        .await,
        [7, 8]
    );
    let event = Some(AuditEvent::KeyStage);
    assert_eq!(
        seqs(AuditFilter {
            event,
            ..all.clone()
        })
        .await,
        [2, 4]
    );
    let agent = Some("agent:clerk".to_owned());
    assert_eq!(
        seqs(AuditFilter {
            agent,
            ..all.clone()
        })
        .await,
        [8]
    );
    let principal = Some("user:ada".to_owned());
    assert_eq!(
        seqs(AuditFilter {
            principal,
            limit: Some(3),
            ..all.clone()
        })
        .await,
        [6, 7, 8]
    );
    let last = issuer
        .audit_list(&AuditFilter {
            limit: Some(1),
            ..all
        })
        .await
        .unwrap()
        .remove(0);
    assert_eq!(last.actor, "ada@laptop");
    let json = serde_json::to_value(&last).unwrap();
    assert_eq!(json.pointer("/detail/ttl").unwrap(), 600);
}
