//! `kill -9` under load, again and again: what was acknowledged is there afterwards, and the record
//! is whole.
//!
//! Promised: a mint, a revocation or a key change that was acknowledged survives a crash at any
//! point; the audit's chain is intact, one key is active, and keyset versions rise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;

/// How often the service is killed.
const ROUNDS: usize = 6;

/// How many mint at the same time.
const CLIENTS: usize = 8;

/// A home with a profile, a client and an operator's token.
struct World {
    dir: tempfile::TempDir,
    secret: String,
    operator: String,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = dir.path().join("passphrase");
        fs::write(&passphrase, "correct horse battery\n").unwrap();
        fs::set_permissions(&passphrase, PermissionsExt::from_mode(0o600)).unwrap();
        let mut world = World {
            dir,
            secret: String::new(),
            operator: String::new(),
        };
        world.run(&["init", "--issuer", "https://issuer.example"]);
        let profile = "[[profile]]\nname = \"buyer\"\n\
            [profile.match.agent]\nsource = \"client\"\n\
            [profile.params]\nclient = { claim = \"agent.client\", type = \"string\" }\n\
            principal = { claim = \"agent.principal\", type = \"string\" }\n\
            [profile.token]\nagent = \"agent:${client}\"\nprincipal = \"${principal}\"\n\
            ttl = { min = \"1m\", default = \"15m\", max = \"1h\" }\n\
            [[profile.grant]]\nservice = \"erp\"\naction = \"purchase_order:*\"\n";
        fs::write(world.home().join("profiles.toml"), profile).unwrap();
        let add = [
            "client",
            "add",
            "orchestrator",
            "--principal",
            "team:procurement",
            "--profile",
            "buyer",
        ];
        world.secret = world.run(&add).trim().to_owned();
        let grants = world.dir.path().join("operator.toml");
        fs::write(
            &grants,
            "[[grant]]\nservice = \"bailiwick\"\naction = \"key:*\"\n\
             [[grant]]\nservice = \"bailiwick\"\naction = \"revocation:*\"\n",
        )
        .unwrap();
        let grants = grants.to_str().unwrap().to_owned();
        let mint = [
            "token",
            "mint",
            "--agent",
            "operator:ada",
            "--principal",
            "user:ada",
            "--ttl",
            "1h",
            "--grants",
            &grants,
        ];
        world.operator = world.run(&mint).trim().to_owned();
        world
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command
            .args(arguments)
            .env("BAILIWICK_HOME", self.home())
            .env(
                "BAILIWICK_PASSPHRASE_FILE",
                self.dir.path().join("passphrase"),
            )
            .env_remove("BAILIWICK_SERVER")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.run(&arguments)).unwrap()
    }

    fn serve(&self) -> (Child, String) {
        let mut child = self
            .command(&[
                "serve",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--operations-listen",
                "127.0.0.1:0",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let serving: Value = serde_json::from_str(&line).unwrap();
        let address = serving.pointer("/listen").unwrap().as_str().unwrap();
        (child, format!("http://{address}"))
    }
}

/// What the service acknowledged.
#[derive(Default)]
struct Acknowledged {
    tokens: Mutex<Vec<String>>,
    revoked: Mutex<Vec<String>>,
    keyset_version: AtomicUsize,
    count: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash_at_any_point() {
    let world = World::new();
    let seen = Arc::new(Acknowledged::default());
    for round in 0..ROUNDS {
        let (mut child, base) = world.serve();
        let http = reqwest::Client::new();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            tasks.spawn(mints(
                http.clone(),
                base.clone(),
                world.secret.clone(),
                seen.clone(),
            ));
        }
        tasks.spawn(changes(
            http.clone(),
            base.clone(),
            world.operator.clone(),
            seen.clone(),
        ));
        // Each round ends after another number of answers, so at another point of a commit.
        let wanted = seen.count.load(Ordering::SeqCst) + 20 + 17 * round;
        while seen.count.load(Ordering::SeqCst) < wanted {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        check(&world, &seen);
    }
    assert!(seen.tokens.lock().unwrap().len() > 50);
    assert!(!seen.revoked.lock().unwrap().is_empty());
    assert!(seen.keyset_version.load(Ordering::SeqCst) > 1);
}

/// Mints until the service is gone.
async fn mints(http: reqwest::Client, base: String, secret: String, seen: Arc<Acknowledged>) {
    loop {
        let request = http
            .post(format!("{base}/v1/tokens"))
            .basic_auth("orchestrator", Some(&secret))
            .header("content-type", "application/json")
            .body("{}");
        let Ok(response) = request.send().await else {
            return;
        };
        let status = response.status();
        let Ok(body) = response.text().await else {
            return;
        };
        assert!(status.is_success(), "{status} {body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let id = answer.pointer("/token_id").unwrap().as_str().unwrap();
        seen.tokens.lock().unwrap().push(id.to_owned());
        seen.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Revokes what was minted, and stages and revokes keys, until the service is gone.
async fn changes(http: reqwest::Client, base: String, operator: String, seen: Arc<Acknowledged>) {
    let post = async |path: String, body: String| -> Option<Value> {
        let request = http
            .post(format!("{base}{path}"))
            .bearer_auth(&operator)
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.ok()?;
        let status = response.status();
        let body = response.text().await.ok()?;
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).ok()
    };
    loop {
        let token = seen.tokens.lock().unwrap().last().cloned();
        if let Some(token) = token {
            let body = format!("{{\"tokens\":[\"{token}\"],\"reason\":\"crash trial\"}}");
            let Some(_) = post("/v1/revocations".to_owned(), body).await else {
                return;
            };
            seen.revoked.lock().unwrap().push(token);
        }
        let Some(staged) = post("/v1/keys".to_owned(), "{}".to_owned()).await else {
            return;
        };
        let id = staged.pointer("/changes/0/id").unwrap().as_str().unwrap();
        let body = "{\"reason\":\"crash trial\"}".to_owned();
        let Some(revoked) = post(format!("/v1/keys/{id}/revoke"), body).await else {
            return;
        };
        let version = revoked
            .pointer("/keyset_version")
            .unwrap()
            .as_u64()
            .unwrap();
        let version = usize::try_from(version).unwrap();
        let before = seen.keyset_version.swap(version, Ordering::SeqCst);
        assert!(
            before < version,
            "the keyset went from {before} to {version}"
        );
        seen.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the home says afterwards.
fn check(world: &World, seen: &Acknowledged) {
    let report = world.json(&["audit", "verify"]);
    assert_eq!(report.pointer("/finding"), Some(&Value::Null));

    let rows = world.json(&["audit", "list"]);
    let rows = rows.pointer("/rows").unwrap().as_array().unwrap();
    let of = |event: &str| -> Vec<&str> {
        rows.iter()
            .filter(|row| row.pointer("/event").unwrap() == event)
            .filter_map(|row| row.pointer("/token")?.as_str())
            .collect()
    };
    let (minted, revoked) = (of("mint"), of("revoke"));
    for token in seen.tokens.lock().unwrap().iter() {
        assert!(
            minted.contains(&token.as_str()),
            "{token} was acknowledged and is lost"
        );
    }
    for token in seen.revoked.lock().unwrap().iter() {
        assert!(
            revoked.contains(&token.as_str()),
            "the revocation of {token} is lost"
        );
    }

    let keys = world.json(&["key", "list", "--state", "active"]);
    assert_eq!(keys.pointer("/keys").unwrap().as_array().unwrap().len(), 1);
    let exported = world.dir.path().join("keyset.json");
    let exported = exported.to_str().unwrap();
    let keyset = world.json(&["keyset", "export", "--out", exported]);
    let version = keyset.pointer("/keyset_version").unwrap().as_u64().unwrap();
    assert!(version as usize >= seen.keyset_version.load(Ordering::SeqCst));
    assert!(Path::new(exported).exists());
}
