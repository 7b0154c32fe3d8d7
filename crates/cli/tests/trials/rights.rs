//! The rights of the roles in `docs/deploy/postgres.sql`, applied unchanged.
//!
//! Promised: the role of a running issuer serves, mints, revokes and rotates on a schema that is up to date,
//! and can neither create a table nor change the audit log. If a migration is due, the message says that this
//! role may not run it, and which role may.
//!
//! Signs of failure: an issuer that does not start, a request that fails, or a right that the role should not
//! have.

use std::{env, fs, path::Path, process::Command};

use bailiwick_testkit::{
    program::{Setup, World, acknowledged::Acknowledged, http},
    skip::skipped,
};
use serde_json::Value;
use sqlx::Connection;

use crate::BAILIWICK;

/// A client's public key (RFC 8410, section 10.1).
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_runs_with_the_rights_of_its_role() {
    let Ok(server) = env::var("BAILIWICK_POSTGRES") else {
        return skipped(
            "the database roles of the deployment guide",
            "let BAILIWICK_POSTGRES name a PostgreSQL server, with a role that may create roles and databases",
        );
    };
    let psql = Command::new("psql").arg("--version").output();
    if psql.is_err() {
        return skipped(
            "the database roles of the deployment guide",
            "install `psql`",
        );
    }
    let deployed = Deployed::new(&server);
    deployed.script(1);
    init_is_refused(&deployed);
    let world = World::with(
        BAILIWICK,
        Setup {
            store: Some(&deployed.url("_owner")),
            ..Setup::default()
        },
    );
    deployed.script(2);
    fs::write(world.home().join("store"), deployed.url("")).unwrap();

    let serving = world.serve();
    let seen = Acknowledged::default();
    let http = http();
    let minted = seen
        .mint(&http, &serving.base, &world.secret)
        .await
        .unwrap();
    assert!(minted.is_success(), "{minted:?}");
    let token = seen.tokens.lock().unwrap()[0].clone();
    let revoked = seen.revoke(&http, &serving.base, &world.operator, &token);
    let revoked = revoked.await.unwrap();
    assert!(revoked.is_success(), "{revoked:?}");
    world.run(&["key", "rotate"]);
    let public = world.keep("robot.pub.pem", PUBLIC);
    let add = ["client", "key", "add", "orchestrator", "--key", &public];
    let client = world.json(&add);
    let id = client["keys"][0]["id"].as_str().unwrap();
    world.run(&["client", "key", "remove", "orchestrator", id, "--yes"]);
    let url = "https://issuer.example/.well-known/bailiwick/revocations";
    world.run(&["keyset", "set", "--revocation-url", url]);
    assert_eq!(serving.ask("/readyz").await.0, 200);
    seen.check(&world);
    serving.stop();

    let mut role = sqlx::PgConnection::connect(&deployed.url(""))
        .await
        .unwrap();
    for forbidden in [
        "CREATE TABLE another (one BIGINT)",
        "DELETE FROM audit",
        "UPDATE audit SET seq = seq + 1",
        "DELETE FROM revocation",
        "TRUNCATE audit",
        "DELETE FROM _sqlx_migrations",
    ] {
        let done = sqlx::query(forbidden).execute(&mut role).await;
        let error = done.expect_err(forbidden);
        let code = error.as_database_error().unwrap().code();
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {error}");
    }

    let mut owner = sqlx::PgConnection::connect(&deployed.url("_owner"))
        .await
        .unwrap();
    let rights_missing = || {
        let done = world.command(&["status", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let findings = report["sections"].as_array().unwrap().iter();
        let mut findings = findings.flat_map(|section| section["findings"].as_array().unwrap());
        let found = findings.find(|finding| finding["code"] == "rights_missing");
        found.map(|finding| finding["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(rights_missing(), None);
    for right in ["INSERT ON audit", "UPDATE (audit_seq) ON issuer"] {
        let revoke = format!("REVOKE {right} FROM {}", deployed.name);
        let revoke = sqlx::AssertSqlSafe(revoke);
        sqlx::query(revoke).execute(&mut owner).await.unwrap();
    }
    let said = rights_missing().unwrap();
    assert!(said.contains("INSERT on audit and 1 more"), "{said}");

    let older = "DELETE FROM _sqlx_migrations";
    sqlx::query(older).execute(&mut owner).await.unwrap();
    let refused = world.command(&["key", "list"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("lacks migration 1"), "{said}");
    assert!(said.contains("the role that owns the tables"), "{said}");
}

/// The role of the issuers may not create the tables, and the hint names the role that may.
fn init_is_refused(deployed: &Deployed) {
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new(BAILIWICK)
        .args(["init", "--issuer", "https://issuer.example", "--home"])
        .arg(dir.path().join("home"))
        .env("BAILIWICK_STORE", deployed.url(""))
        .env("BAILIWICK_PASSPHRASE", "correct horse battery")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("hint: run it with the URL of the role that owns the database"),
        "{said}"
    );
}

/// Roles and a database with names of their own, made from the file of the deployment guide.
struct Deployed {
    server: reqwest::Url,
    name: String,
}

impl Deployed {
    fn new(server: &str) -> Deployed {
        let unique = std::process::id();
        Deployed {
            server: reqwest::Url::parse(server).unwrap(),
            name: format!("trial_rights_{unique}"),
        }
    }

    fn url(&self, role: &str) -> String {
        let mut url = self.server.clone();
        url.set_username(&format!("{}{role}", self.name)).unwrap();
        url.set_path(&self.name);
        url.to_string()
    }

    fn script(&self, step: u32) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/deploy/postgres.sql");
        let script = fs::read_to_string(file)
            .unwrap()
            .replace("bailiwick", &self.name);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("roles.sql");
        fs::write(&file, script).unwrap();
        let mut at = self.server.clone();
        if step == 2 {
            at.set_path(&self.name);
        }
        let done = Command::new("psql")
            .args([
                "--no-psqlrc",
                "--quiet",
                "-v",
                &format!("step={step}"),
                "-f",
            ])
            .arg(&file)
            .arg(at.as_str())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "step {step}: {said}");
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        for drop in ["DATABASE", "ROLE", "ROLE"].iter().zip(["", "", "_owner"]) {
            let statement = format!("DROP {} IF EXISTS {}{}", drop.0, self.name, drop.1);
            // If this fails, no harm is done: the trial's server is discarded.
            let _ = Command::new("psql")
                .args([
                    "--no-psqlrc",
                    "--quiet",
                    "-c",
                    &statement,
                    self.server.as_str(),
                ])
                .output();
        }
    }
}
