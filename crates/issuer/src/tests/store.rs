//! Tests of databases that are refused, and of role settings that have no effect.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, ConnectOptions, postgres::PgConnectOptions};

use super::*;
use crate::{AuditFilter, ClientError, InitError, SignError, StoreError};

/// The PostgreSQL server for tests, if configured. Without one, these tests check nothing.
fn server() -> Option<PgConnectOptions> {
    let url = std::env::var("BAILIWICK_POSTGRES").ok()?;
    Some(PgConnectOptions::from_str(&url).unwrap())
}

async fn run(server: &PgConnectOptions, statements: &[String]) {
    let mut connection = server.connect().await.unwrap();
    for statement in statements {
        let statement = AssertSqlSafe(statement.clone());
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

fn url(server: &PgConnectOptions, more: &[String]) -> PostgresUrl {
    let url = format!("{}&{}", server.to_url_lossy(), more.join("&"));
    url.parse().unwrap()
}

#[tokio::test]
async fn nul_is_refused_in_words() {
    let (_dir, issuer) = issuer().await;
    let name = "a\0b";
    let nul = |error: &StoreError| matches!(error, StoreError::Nul);
    for filter in [
        AuditFilter {
            agent: Some(name.to_owned()),
            ..AuditFilter::default()
        },
        AuditFilter {
            principal: Some(name.to_owned()),
            ..AuditFilter::default()
        },
        AuditFilter {
            token: Some(name.to_owned()),
            ..AuditFilter::default()
        },
    ] {
        assert!(nul(&issuer.audit_list(&filter).await.unwrap_err()));
    }
    assert!(nul(&issuer.forget_verifier(name, at(1)).await.unwrap_err()));
    let clients = [
        issuer.client(name).await.unwrap_err(),
        issuer.client_disable(name, at(1)).await.unwrap_err(),
        issuer.client_rotate(name, 0, at(1)).await.unwrap_err(),
    ];
    for error in &clients {
        assert!(matches!(error, ClientError::Store(error) if nul(error)));
    }
    assert!(
        StoreError::Nul
            .to_string()
            .contains("leave that character out")
    );
    // The refusals leave the issuer usable.
    assert!(issuer.mint(&request(), at(2)).await.is_ok());
}

/// Isolation levels of the role, the database or the URL do not apply to the issuer's sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_default_isolation_refuses_a_mint() {
    let Some(server) = server() else { return };
    for level in ["repeatable read", "serializable"] {
        let name = format!("test_{}", crate::feed::new_epoch());
        run(
            &server,
            &[
                format!("CREATE ROLE {name} LOGIN"),
                format!("ALTER ROLE {name} SET default_transaction_isolation = '{level}'"),
                format!("ALTER ROLE {name} SET default_transaction_read_only = on"),
                format!("CREATE SCHEMA {name} AUTHORIZATION {name}"),
            ],
        )
        .await;
        let options = [
            format!("options[search_path]={name}"),
            format!(
                "options[default_transaction_isolation]={}",
                level.replace(' ', "%20")
            ),
        ];
        let store = url(&server.clone().username(&name), &options);
        let options = InitOptions {
            store: Some(store),
            ..InitOptions::new(ISSUER)
        };
        let (_dir, one) = made_with(options).await;
        let two = another(&one).await;
        let mut minting = tokio::task::JoinSet::new();
        for index in 0..120 {
            let issuer = if index % 2 == 0 { &one } else { &two }.clone();
            minting.spawn(async move {
                match index % 10 {
                    9 => issuer
                        .stage(at(1))
                        .await
                        .map(drop)
                        .map_err(|e| e.to_string()),
                    _ => {
                        let minted = issuer.mint(&request(), at(1)).await;
                        minted.map(drop).map_err(|error| error.to_string())
                    }
                }
            });
        }
        for done in minting.join_all().await {
            assert_eq!(done, Ok(()), "{level}");
        }
        let report = one.audit_verify(&[], |_| ()).await.unwrap();
        assert_eq!(report.finding, None);
    }
}

#[tokio::test]
async fn database_without_utf8_is_refused() {
    let Some(server) = server() else { return };
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let name = format!("test_{}", crate::feed::new_epoch());
        let create = format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        );
        run(&server, &[create]).await;
        let options = InitOptions {
            store: Some(url(&server.clone().database(&name), &[])),
            ..InitOptions::new(ISSUER)
        };
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let refused = Issuer::init(&home, options, &passphrase(), at(0)).await;
        let error = refused.unwrap_err();
        assert!(
            matches!(&error, InitError::Sign(SignError::Store(StoreError::Encoding(found))) if found == encoding),
            "{error:?}"
        );
        assert!(error.to_string().contains("ENCODING 'UTF8'"), "{error}");
        assert!(!home.exists());
        run(&server, &[format!("DROP DATABASE {name}")]).await;
    }
}
