//! `kill -9` at each write of each command.
//!
//! Promised: a killed command has done all of its work or nothing; the audit log's chain is intact, one key is
//! active, the published keyset lists exactly the existing keys, and its version never falls. Revocations and
//! clients agree with the audit log.
//!
//! Signs of failure: a home that cannot be opened, a break in the audit log, a keyset that does not match the
//! keys, only some of a command's rows, or a change without its row.
//!
//! `strace` kills the process as it enters its n-th write, for each n, until the command completes. A command
//! writes the database's write-ahead log, and checkpoints it into the database when it closes. A service is
//! killed in the same way during concurrent mints, whose rows share a commit: every answered mint is on record.
//!
//! With `BAILIWICK_TRIALS=full` the process is killed at each write, otherwise at every third one, beginning at
//! a different write for each command.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use bailiwick_issuer::{AuditEvent, AuditFilter, Issuer, State as KeyState};
use bailiwick_testkit::{
    program::{World, acknowledged::Acknowledged, http},
    skip::skipped,
};
use bailiwick_token::keyset::Keyset;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::BAILIWICK;

/// System calls that write, each with the step between the calls that are tried. Pages are written one after
/// another, so every fourth page suffices.
const WRITES: [(&str, usize); 2] = [
    ("fsync,fdatasync,ftruncate,unlink,rename", 1),
    ("pwrite64", 4),
];

/// A number of writes that no command reaches.
const MOST: usize = 200;

/// The writes at which a service is killed: the system calls, the step between the calls that are tried, and
/// the end of the range.
const SERVED: [(&str, usize, usize); 2] = [("fsync,fdatasync", 1, 24), ("pwrite64", 7, 140)];

/// Number of clients that mint at the same time.
const CLIENTS: usize = 6;

/// The factor for the step between tried writes: 1 in the full trial.
fn stride() -> usize {
    match env::var_os("BAILIWICK_TRIALS").is_some_and(|size| size == "full") {
        true => 1,
        false => 3,
    }
}

/// Returns true if `strace` works on this machine. Otherwise reports that the trial is skipped.
fn can_trace() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .output();
    let works = works.is_ok_and(|done| done.status.success());
    if !works {
        skipped(
            "kill -9 at each write",
            "`strace` is not installed, or may not trace here",
        );
    }
    works
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_at_any_write_has_what_it_answered() {
    if !can_trace() {
        return;
    }
    let trial = Trial {
        world: World::new(BAILIWICK),
    };
    let seen = Arc::new(Acknowledged::default());
    let (mut version, mut served) = (0, 0);
    for (calls, step, most) in SERVED {
        for count in (1..most).step_by(step * stride()) {
            let arguments = ["serve", "--json", "--listen", "127.0.0.1:0"];
            let operations = ["--operations-listen", "127.0.0.1:0"];
            let arguments = [&arguments[..], &operations].concat();
            let mut service = trial
                .traced(&arguments, calls, count)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut line = String::new();
            let mut stdout = BufReader::new(service.stdout.take().unwrap());
            stdout.read_line(&mut line).unwrap();
            // The line is empty if the service was killed before it listened.
            if let Ok(serving) = serde_json::from_str::<Value>(&line) {
                let listen = serving.pointer("/listen").unwrap().as_str().unwrap();
                trial.mint_until_it_is_gone(listen, &seen).await;
                served += 1;
            }
            let ended = service.wait().unwrap();
            assert!(!ended.success(), "{calls} {count}: {ended}");
            let state = trial.state().await;
            assert!(state.version >= version, "the keyset's version fell");
            version = state.version;
            seen.check(&trial.world);
        }
    }
    let minted = seen.tokens.lock().unwrap().len();
    assert!(
        served * stride() >= 20 && minted > served,
        "{served} served, {minted} mints"
    );
    eprintln!("serve: killed {served} times as it served, {minted} mints were answered");
}

#[tokio::test]
async fn a_command_that_is_killed_at_any_write_has_done_all_or_nothing() {
    if !can_trace() {
        return;
    }
    let trial = Trial {
        world: World::new(BAILIWICK),
    };
    let mut tries = 0;
    let stride = stride();
    for (index, (verb, whole)) in VERBS.iter().enumerate() {
        let mut kills = 0;
        for (calls, step) in WRITES {
            for count in (1 + index % stride..MOST).step_by(step * stride) {
                tries += 1;
                let arguments = trial.arguments(verb, tries);
                let state = trial.state().await;
                let done = trial.killed_at(&arguments, calls, count);
                let after = trial.state().await;
                let seen = format!("{arguments:?} at {calls} {count}");
                assert!(
                    after.version >= state.version,
                    "{seen}: the keyset's version fell"
                );
                let new = after.rows - state.rows;
                if done.status.success() {
                    assert!(whole.contains(&new), "{seen}: done, with {new} rows");
                    break;
                }
                assert!(
                    new == 0 || whole.contains(&new),
                    "{seen}: done in part, with {new} rows"
                );
                let signal = done
                    .status
                    .signal()
                    .or(done.status.code().map(|code| code - 128));
                let said = String::from_utf8_lossy(&done.stderr);
                assert_eq!(signal, Some(9), "{seen}: {said}");
                assert!(count + step * stride < MOST, "{seen}: it does not end");
                kills += 1;
            }
        }
        // The log is created, written, checkpointed and removed: four writes at least.
        assert!(kills * stride >= 4, "{verb}: killed {kills} times");
        eprintln!("{verb}: killed {kills} times");
    }
}

/// Commands that change something each time they run, each with the numbers of audit rows that a run may add. A
/// run that also makes a spare key adds one more row.
const VERBS: &[(&str, &[u64])] = &[
    (
        "token mint --agent a --principal p --ttl 1m --grants GRANTS --out OUT",
        &[1],
    ),
    ("token revoke TOKEN --reason trial --yes", &[1]),
    (
        "revocations add --agent agent-NUMBER --reason trial --yes",
        &[1],
    ),
    ("key stage", &[1]),
    ("key import KEY", &[1]),
    ("key activate STAGED --force", &[2, 3]),
    ("key revoke STAGED --reason trial --yes", &[1, 2]),
    ("key retire RETIRING --force --yes", &[1]),
    (
        "client add client-NUMBER --principal p --profile buyer --out OUT",
        &[1],
    ),
    ("client rotate orchestrator --at-once --yes --out OUT", &[1]),
    ("client disable CLIENT --yes", &[1]),
];

/// The state of a home.
struct State {
    version: u64,
    rows: u64,
}

struct Trial {
    world: World,
}

impl Trial {
    fn arguments(&self, verb: &str, number: usize) -> Vec<String> {
        let run = |arguments: &[&str]| self.world.run(arguments);
        let first = |state: &str| {
            let keys = self.world.json(&["key", "list", "--state", state]);
            let id = keys.pointer("/keys/0/id")?;
            Some(id.as_str().unwrap().to_owned())
        };
        let words = verb.split(' ').map(|word| match word {
            "GRANTS" => self
                .world
                .scratch()
                .join("operator.toml")
                .display()
                .to_string(),
            "OUT" => self.world.scratch().join("out").display().to_string(),
            "TOKEN" => format!("{number:032x}"),
            "KEY" => self.world.keep("key.hex", &format!("{number:064x}\n")),
            "STAGED" => first("staged").unwrap(),
            "RETIRING" => first("retiring").unwrap_or_else(|| {
                run(&["key", "activate", &first("staged").unwrap(), "--force"]);
                first("retiring").unwrap()
            }),
            "CLIENT" => {
                let name = format!("gone-{number}");
                run(&[
                    "client",
                    "add",
                    &name,
                    "--principal",
                    "p",
                    "--profile",
                    "buyer",
                ]);
                name
            }
            word => word.replace("NUMBER", &number.to_string()),
        });
        words.collect()
    }

    fn killed_at(&self, arguments: &[String], calls: &str, count: usize) -> Output {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.traced(&arguments, calls, count).output().unwrap()
    }

    async fn mint_until_it_is_gone(&self, listen: &str, seen: &Arc<Acknowledged>) {
        let http = http();
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (http, secret) = (http.clone(), self.world.secret.clone());
            let (base, seen) = (format!("http://{listen}"), Arc::clone(seen));
            clients.spawn(async move {
                while let Ok(answer) = seen.mint(&http, &base, &secret).await {
                    assert!(answer.is_success(), "{answer:?}");
                }
            });
        }
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    }

    /// Makes a command that runs under `strace`, which kills it as it makes one of these calls for the
    /// `count`-th time.
    fn traced(&self, arguments: &[&str], calls: &str, count: usize) -> Command {
        let command = self.world.command(arguments);
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
        traced.arg(format!("trace={calls}"));
        traced.args(["-e", &format!("inject={calls}:signal=KILL:when={count}")]);
        traced.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        traced
    }

    /// Opens the home, and checks that it is consistent.
    async fn state(&self) -> State {
        let issuer = Issuer::open(self.world.home()).await.unwrap();
        let audit = issuer.audit_verify(&[], |_| ()).await.unwrap();
        assert_eq!(audit.finding, None);
        let published = issuer.published_keyset().await.unwrap();
        let keyset = Keyset::open(published.envelope.as_bytes(), issuer.keyset_key()).unwrap();
        let keys = issuer.keys().await.unwrap();
        let of = |states: &[KeyState]| -> BTreeSet<_> {
            let keys = keys.iter().filter(|key| states.contains(&key.state));
            keys.map(|key| key.id).collect()
        };
        assert_eq!(of(&[KeyState::Active]).len(), 1);
        let shown: BTreeSet<_> = keyset.keys.iter().map(|key| key.id).collect();
        let there = of(&[KeyState::Staged, KeyState::Active, KeyState::Retiring]);
        assert_eq!(shown, there);
        let rows = async |event| {
            let filter = AuditFilter {
                event: Some(event),
                ..AuditFilter::default()
            };
            issuer.audit_list(&filter).await.unwrap()
        };
        let clients = issuer.clients().await.unwrap();
        let disabled = clients.iter().filter(|client| client.disabled_at.is_some());
        assert_eq!(rows(AuditEvent::ClientAdd).await.len(), clients.len());
        assert_eq!(
            rows(AuditEvent::ClientDisable).await.len(),
            disabled.count()
        );
        let revoked = rows(AuditEvent::Revoke).await;
        let revoked = revoked
            .iter()
            .filter(|row| row.detail.contains("\"outcome\":\"revoked\""));
        let feed = issuer.verifiers().await.unwrap().feed_seq;
        assert_eq!(revoked.count() as u64, feed);
        issuer.close().await;
        State {
            version: keyset.version,
            rows: audit.rows,
        }
    }
}
