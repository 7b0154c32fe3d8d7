use std::fs;

use super::*;
use crate::{
    HomeError, InitError, OpenError, RootKeyError, SettingsError, SignError, StoreError,
    UnlockError, VaultError,
};

#[tokio::test]
async fn init_makes_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let broken = InitOptions {
        max_token_ttl: 0,
        ..options().await
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
    for name in ["https://issuer.example?a=b", "https://issuer.example/a#b"] {
        let options = InitOptions {
            issuer: name.to_owned(),
            ..options().await
        };
        let refused = Issuer::init(&home, options, &passphrase(), at(0)).await;
        assert!(matches!(
            refused,
            Err(InitError::Settings(SettingsError::Query))
        ));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    let issuer = Issuer::init(&home, options().await, &passphrase(), at(0))
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
    let store = if on_postgres() { "store" } else { "issuer.db" };
    let mut expected = ["identity.age", store];
    expected.sort_unstable();
    assert_eq!(files, expected);
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
        Err(RootKeyError::Sign(SignError::Locked))
    ));
    assert!(matches!(
        locked.mint(&request(), at(10)).await,
        Err(crate::MintError::Sign(SignError::Locked))
    ));
    assert!(matches!(
        locked.keyset(at(3_600)).await,
        Err(SignError::Locked)
    ));
    assert_eq!(
        locked.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );

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
    let (success, checksum) = match on_postgres() {
        true => ("true", "'\\x00'"),
        false => ("1", "x'00'"),
    };
    let insert = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9, 'later', {success}, {checksum}, 0)"
    );
    issuer.store.tamper(&insert).await;
    let refused = Issuer::open(issuer.home()).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Store(StoreError::NewerSchema(9))),
        "{refused}"
    );
}

#[tokio::test]
async fn a_database_has_one_issuer() {
    let (dir, issuer) = issuer().await;
    let url = match issuer.home().join("store").exists() {
        true => fs::read_to_string(issuer.home().join("store")).unwrap(),
        // With SQLite, each home has a database of its own.
        false => return,
    };
    let again = InitOptions {
        store: Some(url.parse().unwrap()),
        ..InitOptions::new("https://other.example")
    };
    let home = dir.path().join("other");
    let refused = Issuer::init(&home, again, &passphrase(), at(0)).await;
    assert!(matches!(refused, Err(InitError::Taken)));
    assert!(!home.exists());
    assert_eq!(issuer.settings().issuer, ISSUER);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_its_password() {
    let url = "postgres://u:hunter2secret@127.0.0.1:1/none"
        .parse()
        .unwrap();
    let options = InitOptions {
        store: Some(url),
        ..InitOptions::new(ISSUER)
    };
    assert!(!format!("{options:?}").contains("hunter2"));
    let dir = tempfile::tempdir().unwrap();
    let refused = Issuer::init(&dir.path().join("home"), options, &passphrase(), at(0)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            refused,
            InitError::Sign(SignError::Store(StoreError::Unreachable))
        ),
        "{refused:?}"
    );
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    for text in [
        "postgres:/x",
        "mysql://u:hunter2@h/d",
        "postgres://u:hunter2@h:notaport/d",
    ] {
        let error = text.parse::<PostgresUrl>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
