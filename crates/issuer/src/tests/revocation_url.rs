//! Tests of setting the URL of the revocations after the issuer was created.

use super::*;
use crate::{AuditFilter, RevocationUrlError, SignError};

const URL: &str = "https://issuer.example/.well-known/bailiwick/revocations";

#[tokio::test]
async fn the_next_keyset_and_the_audit_name_the_url() {
    let (_dir, issuer) = issuer().await;
    assert_eq!(issuer.revocation_url().await.unwrap(), None);
    let report = issuer.set_revocation_url(URL, at(5)).await.unwrap();
    assert_eq!((report.changed, report.keyset_version), (true, 2));
    let second = keyset(&issuer).await;
    assert_eq!((second.version, second.issued_at), (2, at(5)));
    assert_eq!(second.revocation_url.as_deref(), Some(URL));
    assert_eq!(second.keys.len(), 2);
    let rows = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    let last = rows.last().unwrap();
    assert_eq!(last.event, "keyset.set");
    assert!(last.detail.contains(URL), "{last:?}");

    let same = issuer.set_revocation_url(URL, at(6)).await.unwrap();
    assert_eq!((same.changed, same.keyset_version), (false, 2));
    let other = format!("{URL}/new");
    let replaced = issuer.set_revocation_url(&other, at(7)).await.unwrap();
    assert_eq!((replaced.changed, replaced.keyset_version), (true, 3));
    let rows_now = issuer.audit_list(&AuditFilter::default()).await.unwrap();
    assert_eq!(rows_now.len(), rows.len() + 1);
}

/// A running service, which has already read its settings, uses the new URL.
#[tokio::test]
async fn another_process_keeps_the_url() {
    let (_dir, issuer) = issuer().await;
    let running = another(&issuer).await;
    issuer.set_revocation_url(URL, at(5)).await.unwrap();
    let signed = running.keyset(at(5 + 3_600)).await.unwrap();
    assert_eq!(signed.version, 3);
    assert_eq!(keyset(&running).await.revocation_url.as_deref(), Some(URL));
    running.rotate(at(9_000)).await.unwrap();
    assert_eq!(keyset(&issuer).await.revocation_url.as_deref(), Some(URL));
}

#[tokio::test]
async fn wrong_urls_and_locked_keys_change_nothing() {
    let (_dir, issuer) = issuer().await;
    for wrong in [
        "",
        "revocations",
        "ftp://issuer.example",
        "http://issuer.example/revocations",
        "http://10.0.0.1/revocations",
        "https://ada@issuer.example/revocations",
        "https://issuer.example/a b",
        "https://issuer.example/?a",
        "https://issuer.example/#a",
    ] {
        let error = issuer.set_revocation_url(wrong, at(5)).await.unwrap_err();
        assert!(
            matches!(error, RevocationUrlError::Url(_)),
            "{wrong}: {error}"
        );
    }
    // A URL on this machine needs no TLS. Verifiers accept it too.
    let local = "http://127.0.0.1:8420/revocations";
    let report = issuer.set_revocation_url(local, at(5)).await.unwrap();
    assert!(report.changed);
    let locked = Issuer::open(issuer.home()).await.unwrap();
    let error = locked.set_revocation_url(URL, at(5)).await.unwrap_err();
    assert!(matches!(error, RevocationUrlError::Sign(SignError::Locked)));
    let url = issuer.revocation_url().await.unwrap();
    assert_eq!(url.as_deref(), Some(local));
    assert_eq!(keyset(&issuer).await.version, 2);
}

#[tokio::test]
async fn no_issuer_begins_with_a_url_that_verifiers_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let options = InitOptions {
        revocation_url: Some("http://foo.example/revocations".to_owned()),
        ..InitOptions::new(ISSUER)
    };
    let home = dir.path().join("home");
    let refused = Issuer::init(&home, options, &passphrase(), at(0)).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("use `https`"), "{error}");
    assert!(!home.exists());
}
