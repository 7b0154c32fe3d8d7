use std::fs;

use super::*;
use crate::{
    HomeError, InitError, KeyError, OpenError, PublishError, SettingsError, StoreError,
    UnlockError, VaultError,
};

#[tokio::test]
async fn init_makes_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let broken = InitOptions {
        max_token_ttl: 0,
        ..InitOptions::new(ISSUER)
    };
    let refused = Issuer::init(&home, broken, &passphrase(), at(0))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        InitError::Settings(SettingsError::Seconds {
            name: "max_token_ttl",
            ..
        })
    ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    let issuer = Issuer::init(&home, InitOptions::new(ISSUER), &passphrase(), at(0))
        .await
        .unwrap();
    let first = *issuer.keyset_key();
    issuer.close().await;
    let again = Issuer::init(&home, InitOptions::new(ISSUER), &passphrase(), at(0)).await;
    assert!(matches!(again, Err(InitError::Home(HomeError::Exists(_)))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let mut files: Vec<_> = fs::read_dir(&home)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["identity.age", "issuer.db"]);
    assert_eq!(Issuer::open(&home).await.unwrap().keyset_key(), &first);
}

#[tokio::test]
async fn locked_it_shows_and_revokes_and_does_not_sign() {
    let (_dir, issuer) = issuer().await;
    let locked = Issuer::open(issuer.home()).await.unwrap();
    assert!(!locked.is_unlocked());
    assert_eq!(locked.keys().await.unwrap().len(), 2);
    assert!(locked.keyset(at(10)).await.is_ok());
    assert!(matches!(
        locked.stage(at(10)).await,
        Err(KeyError::Locked(_))
    ));
    assert!(matches!(
        locked.mint(&request(), at(10)).await,
        Err(crate::MintError::Locked(_))
    ));
    assert!(matches!(
        locked.keyset(at(3_600)).await,
        Err(PublishError::Locked(_))
    ));
    assert_eq!(locked.audit_verify().await.unwrap().finding, None);

    let wrong = Passphrase::new("wrong horse battery").unwrap();
    assert!(matches!(
        locked.unlock(&wrong),
        Err(UnlockError::Vault(VaultError::WrongPassphrase))
    ));
    locked.unlock(&passphrase()).unwrap();
    locked.stage(at(10)).await.unwrap();
    assert!(!format!("{locked:?}").contains("SECRET"));
}

#[tokio::test]
async fn the_files_of_two_homes_do_not_mix() {
    let ((_one, one), (_two, two)) = (issuer().await, issuer().await);
    fs::copy(
        two.home().join("identity.age"),
        one.home().join("identity.age"),
    )
    .unwrap();
    let mixed = Issuer::open(one.home()).await.unwrap();
    assert!(matches!(
        mixed.unlock(&passphrase()),
        Err(UnlockError::Vault(VaultError::Mixed))
    ));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_dir, issuer) = issuer().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9, 'later', 1, x'00', 0)",
    )
    .execute(issuer.store.raw())
    .await
    .unwrap();
    let refused = Issuer::open(issuer.home()).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Store(StoreError::NewerSchema(9))),
        "{refused}"
    );
}
