//! Tests of the facts about an issuer that operators see.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{HomeError, PostgresUrl, StorePlace};

#[tokio::test]
async fn the_store_is_described() {
    let (_dir, issuer) = issuer().await;
    let info = issuer.store_info().await.unwrap();
    assert_eq!(info.schema, 4);
    match info.place {
        StorePlace::Sqlite { path, bytes } => {
            assert!(!on_postgres());
            assert_eq!(path, issuer.home().join("issuer.db"));
            assert!(bytes > 0);
        }
        StorePlace::Postgres { .. } => assert!(on_postgres()),
    }
}

#[test]
fn a_printed_server_url_holds_no_password() {
    for (url, host, database) in [
        (
            "postgres://ada:secret@db.example/issuer",
            "db.example:5432",
            Some("issuer"),
        ),
        (
            "postgres://ada:secret@db.example:6000?sslmode=require",
            "db.example:6000",
            None,
        ),
        (
            "postgres://ada:secret@%2Frun%2Fpostgresql/issuer",
            "/run/postgresql",
            Some("issuer"),
        ),
    ] {
        let url: PostgresUrl = url.parse().unwrap();
        assert_eq!(url.host(), host);
        assert_eq!(url.database().as_deref(), database, "{host}");
    }
}

#[tokio::test]
async fn checkpoints_cover_the_rows_before_them() {
    let (_dir, issuer) = issuer().await;
    let before = issuer.audit_coverage().await.unwrap();
    assert_eq!((before.checkpoint, before.checkpoint_at), (0, None));
    assert_eq!(before.uncovered_since, Some(at(0)));
    issuer.checkpoint(at(7)).await.unwrap();
    let covered = issuer.audit_coverage().await.unwrap();
    assert_eq!(
        (covered.rows, covered.checkpoint),
        (before.rows, before.rows)
    );
    assert_eq!(covered.checkpoint_at, Some(at(7)));
    assert_eq!(covered.uncovered_since, None);
    issuer.mint(&request(), at(9)).await.unwrap();
    let after = issuer.audit_coverage().await.unwrap();
    assert_eq!(after.rows, covered.rows + 1);
    assert_eq!(after.uncovered_since, Some(at(9)));
}

#[tokio::test]
async fn every_fault_of_a_home_is_told() {
    let (_dir, issuer) = issuer().await;
    let home = issuer.home().to_owned();
    issuer.close().await;
    let faults = Issuer::check_home(&home);
    assert!(faults.is_empty(), "{faults:?}");
    let permit = |name: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.join(name), permissions).unwrap();
    };
    permit("", 0o750);
    permit("identity.age", 0o644);
    let faults = Issuer::check_home(&home);
    assert!(
        matches!(
            faults.as_slice(),
            [
                HomeError::Open { mode: 0o750, .. },
                HomeError::Open { mode: 0o644, .. }
            ]
        ),
        "{faults:?}"
    );
    let faults = Issuer::check_home(&home.join("missing"));
    assert!(
        matches!(faults.as_slice(), [HomeError::Missing(_)]),
        "{faults:?}"
    );
}
