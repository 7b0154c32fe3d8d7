use std::io::Cursor;

use super::*;
use crate::{
    AuditEvent, AuditFilter, AuditFinding, AuditRow, Checkpoint, CheckpointError, ExportError,
    Tampering, verify_export,
};

/// Makes an issuer with audit rows 1 to 7: init, stage, activate, stage, and three mints.
async fn filled() -> (TempDir, Issuer) {
    let (dir, issuer) = issuer().await;
    for seconds in 1..=3 {
        issuer.mint(&request(), at(seconds)).await.unwrap();
    }
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!((report.rows, report.head.seq, report.finding), (7, 7, None));
    (dir, issuer)
}

async fn found_after(tampering: &str) -> Option<AuditFinding> {
    let (_dir, issuer) = filled().await;
    issuer.store.tamper(tampering).await;
    issuer.audit_verify(&[], |_| ()).await.unwrap().finding
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
        ("UPDATE audit SET prev = public FROM root_key WHERE seq = 3 AND state = 'active'", 3, Edited),
        ("UPDATE audit SET hash = (SELECT feed_digest FROM issuer) WHERE seq = 5", 5, Edited),
        ("DELETE FROM audit WHERE seq = 1", 1, Removed),
        ("DELETE FROM audit WHERE seq = 5", 5, Removed),
        ("DELETE FROM audit WHERE seq >= 6", 6, Removed),
        ("DELETE FROM audit", 1, Removed),
        // Two rows are swapped.
        (
            "UPDATE audit SET seq = 99 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = 99",
            5,
            Edited,
        ),
        // A row is removed, and the others close the gap.
        (
            "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
             UPDATE audit SET seq = 6 WHERE seq = 7",
            5,
            Edited,
        ),
        // The end is cut off, and the stored end is moved to a row that is not the last.
        ("UPDATE issuer SET audit_seq = 6", 7, Added),
        ("UPDATE issuer SET audit_hash = feed_digest", 7, Rewritten),
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
    let hash = hex::encode(row.digest());
    let hash = match on_postgres() {
        true => format!("'\\x{hash}'::bytea"),
        false => format!("x'{hash}'"),
    };
    let sql = format!("UPDATE audit SET principal = 'user:mallory', hash = {hash} WHERE seq = 5");
    issuer.store.tamper(&sql).await;
    let finding = issuer.audit_verify(&[], |_| ()).await.unwrap().finding;
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

#[tokio::test]
async fn a_checkpoint_shows_what_a_chain_cannot() {
    let (_dir, issuer) = filled().await;
    let envelope = issuer.checkpoint(at(10)).await.unwrap();
    let kept = Checkpoint::open(envelope.as_bytes(), issuer.keyset_key(), ISSUER).unwrap();
    assert_eq!(kept.head.seq, 7);
    let report = issuer.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!((report.checkpoint, report.finding), (7, None));
    assert_eq!(issuer.unsigned_rows().await.unwrap(), 0);
    issuer.mint(&request(), at(11)).await.unwrap();
    assert_eq!(issuer.unsigned_rows().await.unwrap(), 1);
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );

    // The end is cut off, and the stored end is moved along. Only the signed checkpoint reveals it.
    let cut = "DELETE FROM audit WHERE seq > 6;
        UPDATE issuer SET audit_seq = 6, audit_hash = (SELECT hash FROM audit WHERE seq = 6)";
    issuer.store.tamper(cut).await;
    let removed = Some(AuditFinding {
        seq: 7,
        tampering: Tampering::Removed,
    });
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        removed
    );
    // If the checkpoint is deleted too, the one that was kept elsewhere reveals it.
    issuer.store.tamper("DELETE FROM checkpoint").await;
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
    let report = issuer
        .audit_verify(std::slice::from_ref(&kept), |_| ())
        .await;
    assert_eq!(report.unwrap().finding, removed);
    // The kept checkpoint also reveals that another row has taken the place of the signed one.
    issuer.mint(&request(), at(12)).await.unwrap();
    let rewritten = Some(AuditFinding {
        seq: 7,
        tampering: Tampering::Rewritten,
    });
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
    let verified = async || {
        let kept = std::slice::from_ref(&kept);
        issuer.audit_verify(kept, |_| ()).await.unwrap().finding
    };
    assert_eq!(verified().await, rewritten);
    // A later checkpoint that covers the other row does not hide it, here or in an export.
    let text = export(&issuer, 0, 13).await;
    assert_eq!(verified().await, rewritten);
    let report = verify_export(&mut Cursor::new(text), issuer.keyset_key(), &[kept]).unwrap();
    assert_eq!(report.finding, rewritten);
}

#[tokio::test]
async fn a_checkpoint_of_another_key_is_refused() {
    let ((_one, one), (_two, two)) = (filled().await, filled().await);
    let envelope = one.checkpoint(at(10)).await.unwrap();
    let open = |key, issuer| Checkpoint::open(envelope.as_bytes(), key, issuer);
    assert!(open(one.keyset_key(), ISSUER).is_ok());
    assert!(matches!(
        open(two.keyset_key(), ISSUER),
        Err(CheckpointError::Envelope(_))
    ));
    assert!(matches!(
        open(one.keyset_key(), "https://other.example"),
        Err(CheckpointError::Issuer(_))
    ));
    // A checkpoint that somebody else put into the database proves nothing.
    let forged = two.checkpoint(at(10)).await.unwrap().replace('\'', "''");
    let insert = format!("INSERT INTO checkpoint (seq, time, envelope) VALUES (99, 0, '{forged}')");
    one.store.tamper(&insert).await;
    let report = one.audit_verify(&[], |_| ()).await.unwrap();
    assert_eq!((report.checkpoint, report.finding), (7, None));
}

#[tokio::test]
async fn a_row_is_read_back_from_json_as_it_was_written() {
    let (_dir, issuer) = filled().await;
    for row in issuer.audit_after(0).await.unwrap() {
        let json = serde_json::to_string(&row).unwrap();
        let read: AuditRow = serde_json::from_str(&json).unwrap();
        assert_eq!((&read, read.digest()), (&row, row.hash));
    }
    assert!(issuer.audit_after(7).await.unwrap().is_empty());
}

/// Writes the output of `audit export`: rows, then a checkpoint.
async fn export(issuer: &Issuer, after: u64, now: u64) -> String {
    let signed = issuer.checkpoint(at(now)).await.unwrap();
    let rows = issuer.audit_after(after).await.unwrap();
    let rows = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap() + "\n");
    rows.collect::<String>() + &format!("{{\"checkpoint\":{signed}}}\n")
}

#[tokio::test]
async fn an_export_is_verified_without_an_issuer() {
    let (_dir, issuer) = filled().await;
    let key = issuer.keyset_key();
    let check = |text: &str, kept: &[Checkpoint]| {
        verify_export(&mut Cursor::new(text.to_owned()), key, kept)
    };
    let first = export(&issuer, 0, 10).await;
    let report = check(&first, &[]).unwrap();
    assert_eq!(
        (report.rows, report.checkpoint, report.finding),
        (7, 7, None)
    );
    issuer.mint(&request(), at(11)).await.unwrap();
    let both = first.clone() + &export(&issuer, 7, 12).await;
    let report = check(&both, &[]).unwrap();
    assert_eq!(
        (report.rows, report.checkpoint, report.finding),
        (8, 8, None)
    );

    let lines: Vec<&str> = first.lines().collect();
    let join = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let without = |index: usize| {
        let mut lines = lines.clone();
        lines.remove(index);
        join(&lines)
    };
    let finding = |text: &str| check(text, &[]).unwrap().finding.unwrap();
    for (text, seq) in [
        (without(3), 4),
        // The last row is missing, though a checkpoint shows that there was one.
        (without(6), 7),
        (first.replacen("agent:buyer", "agent:thief", 1), 5),
    ] {
        assert_eq!(finding(&text).seq, seq);
    }
    assert!(matches!(
        check(&without(0), &[]),
        Err(ExportError::Start(2))
    ));
    // The checkpoint is cut off with the end. The kept checkpoint reveals it.
    let signed = issuer.checkpoint(at(13)).await.unwrap();
    let kept = [Checkpoint::read(signed.as_bytes(), key).unwrap()];
    assert_eq!(check(&first, &kept).unwrap().finding.unwrap().seq, 8);

    let (_other_dir, other) = super::issuer().await;
    let foreign = join(&lines[..7]) + export(&other, 7, 10).await.lines().last().unwrap() + "\n";
    assert!(matches!(
        check(&foreign, &[]),
        Err(ExportError::Checkpoint { number: 8, .. })
    ));
    assert!(matches!(
        check(&join(&lines[..7]), &[]),
        Err(ExportError::Unsigned)
    ));
    assert!(matches!(
        check(&first[..first.len() - 1], &[]),
        Err(ExportError::Torn)
    ));
    assert!(matches!(
        check(&format!("{first}{{}}\n"), &[]),
        Err(ExportError::Line(9))
    ));
}
