//! What trials of the issuer as a process share: a home, a service on it, what was acknowledged.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and no test program uses all of it"
)]

pub mod acknowledged;
pub mod world;

use std::{
    env,
    fs::File,
    io::Write,
    time::{Duration, Instant},
};

use sqlx::Connection;

/// Maximum time of a request, so that a trial fails rather than hangs.
const PATIENCE: Duration = Duration::from_secs(600);

/// Asks until it is so, and fails after `patience`.
pub async fn eventually(what: &str, patience: Duration, mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < patience, "not in {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A client for this machine, whatever proxies the environment names.
pub fn http() -> reqwest::Client {
    http_within(PATIENCE)
}

/// The same, with another maximum time of a request.
#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
pub fn http_within(time: Duration) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(time);
    client.build().unwrap()
}

/// Says loudly that a trial was not made, and how to have it made: also in the file that `BAILIWICK_SKIPPED` names, since
/// what a test that passes says is not shown.
pub fn skipped(trial: &str, why: &str) {
    eprintln!("!!! {trial} NOT TRIED: {why}");
    if let Some(path) = env::var_os("BAILIWICK_SKIPPED") {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "{trial} NOT TRIED: {why}").unwrap();
    }
}

/// The URL of a schema of its own at a PostgreSQL server.
pub async fn schema(server: &str) -> String {
    let name = tempfile::tempdir().unwrap();
    let name = name
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
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
