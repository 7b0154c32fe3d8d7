//! A PostgreSQL server that tests share.

use std::env;

use sqlx::Connection;

use crate::skip::skipped;

/// Makes a new schema on the server in `BAILIWICK_POSTGRES`, and returns its URL. Without a server, reports
/// that `trial` is skipped.
pub async fn schema_for(trial: &str) -> Option<String> {
    let Ok(server) = env::var("BAILIWICK_POSTGRES") else {
        skipped(
            trial,
            "let BAILIWICK_POSTGRES name a PostgreSQL server, as postgres://USER@HOST:PORT/DATABASE",
        );
        return None;
    };
    Some(schema(&server).await)
}

/// Makes a new schema on a PostgreSQL server, and returns its URL.
pub async fn schema(server: &str) -> String {
    // The name of a new temporary folder is unique, so the schema's name is too.
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("trial_{}", name.to_lowercase());
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::raw_sql(create)
        .execute(&mut connection)
        .await
        .unwrap();
    let sign = if server.contains('?') { '&' } else { '?' };
    format!("{server}{sign}options[search_path]={name}")
}
