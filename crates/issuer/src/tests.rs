//! Tests of the whole issuer, each on a home of its own.
//!
//! The store is SQLite. If `BAILIWICK_POSTGRES` contains the URL of a PostgreSQL server, all tests run
//! there instead, each in a schema of its own.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod audit;
mod backup;
mod client;
mod client_keys;
mod clock;
mod facts;
mod feed;
mod home;
mod keys;
mod mint;
mod revocation_url;
mod revoke;
mod schedule;
mod standing;
mod store;
mod token_list;
mod tokens;

use bailiwick_token::{grant::Grants, keyset::Keyset, timestamp::Timestamp};
use sqlx::Connection;
use tempfile::TempDir;

use crate::{InitOptions, Issuer, MintRequest, Passphrase, PostgresUrl};

const ISSUER: &str = "https://issuer.example";

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + seconds).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery").unwrap()
}

/// Options of an issuer on the store under test.
async fn options() -> InitOptions {
    InitOptions {
        store: store().await,
        ..InitOptions::new(ISSUER)
    }
}

/// Makes a new PostgreSQL schema, if there is a server.
async fn store() -> Option<PostgresUrl> {
    let server = std::env::var("BAILIWICK_POSTGRES").ok()?;
    let schema = format!("test_{}", crate::feed::new_epoch());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(create)
        .execute(&mut connection)
        .await
        .unwrap();
    let sign = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{sign}options[search_path]={schema}");
    Some(url.parse().unwrap())
}

fn on_postgres() -> bool {
    std::env::var_os("BAILIWICK_POSTGRES").is_some()
}

/// Makes an unlocked issuer, created at time 0.
async fn issuer() -> (TempDir, Issuer) {
    made_with(options().await).await
}

async fn made_with(options: InitOptions) -> (TempDir, Issuer) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let issuer = Issuer::init(&home, options, &passphrase(), at(0))
        .await
        .unwrap();
    (dir, issuer)
}

/// Opens the same home as a second process would, and unlocks it.
async fn another(issuer: &Issuer) -> Issuer {
    let another = Issuer::open(issuer.home()).await.unwrap();
    another.unlock(&passphrase()).unwrap();
    another
}

async fn keyset(issuer: &Issuer) -> Keyset {
    let published = issuer.published_keyset().await.unwrap();
    let keyset = Keyset::open(published.envelope.as_bytes(), issuer.keyset_key()).unwrap();
    assert_eq!(keyset.version, published.version);
    keyset
}

fn request() -> MintRequest {
    let grants = "[[grant]]\nservice = \"erp\"\naction = \"purchase_order:create\"\n";
    MintRequest {
        agent: "agent:buyer".to_owned(),
        principal: "user:ada".to_owned(),
        tenant: Some("acme".to_owned()),
        task: None,
        claims: [("region".to_owned(), "eu".to_owned())].into(),
        grants: Grants::from_toml(grants).unwrap(),
        ttl: 600,
        max_depth: Some(3),
        profile: None,
    }
}
