//! `kill -9` at each write of each verb.
//!
//! Promised: a command that is killed has done all that it was to do, or nothing; the audit's chain is intact, one key is
//! active, the keyset that is published shows the keys that there are, and its version never falls.
//!
//! It would be seen to fail by a home that cannot be opened, a break in the audit, or a keyset that is not of the keys.
//!
//! `strace` kills the process as it enters its n-th write, for each n, until the verb gets to its end. A command writes
//! the log of the database, and carries it over into the database when it closes.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

use bailiwick_issuer::{Issuer, State as KeyState};
use bailiwick_token::keyset::Keyset;

use crate::support::{skipped, world::World};

/// What writes, by system call, and which of them are tried: pages are written one after the other, and each fourth of
/// those has to do.
const WRITES: [(&str, usize); 2] = [
    ("fsync,fdatasync,ftruncate,unlink,rename", 1),
    ("pwrite64", 4),
];

/// More than any verb writes.
const MOST: usize = 200;

#[tokio::test]
async fn a_command_that_is_killed_at_any_write_has_done_all_or_nothing() {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .output();
    if !works.is_ok_and(|done| done.status.success()) {
        return skipped(
            "kill -9 at each write",
            "`strace` is not installed, or may not trace here",
        );
    }
    let trial = Trial {
        world: World::new(),
    };
    let mut state = trial.state().await;
    let mut tries = 0;
    for verb in VERBS {
        let mut kills = 0;
        for (calls, step) in WRITES {
            for count in (1..MOST).step_by(step) {
                tries += 1;
                let arguments = trial.arguments(verb, tries);
                let done = trial.killed_at(&arguments, calls, count);
                let after = trial.state().await;
                let seen = format!("{arguments:?} at {calls} {count}");
                assert!(
                    after.version >= state.version,
                    "{seen}: the keyset's version fell"
                );
                let new = after.rows - state.rows;
                if done.status.success() {
                    assert!(new > 0, "{seen}: was acknowledged, and is not on record");
                    state = after;
                    break;
                }
                let signal = done
                    .status
                    .signal()
                    .or(done.status.code().map(|code| code - 128));
                let said = String::from_utf8_lossy(&done.stderr);
                assert_eq!(signal, Some(9), "{seen}: {said}");
                assert!(count + step < MOST, "{seen}: it does not end");
                state = after;
                kills += 1;
            }
        }
        // A log that is begun, written, carried over and removed.
        assert!(kills >= 4, "{verb}: killed {kills} times");
        eprintln!("{verb}: killed {kills} times");
    }
}

/// Each changes something, however often.
const VERBS: &[&str] = &[
    "token mint --agent a --principal p --ttl 1m --grants GRANTS --out OUT",
    "token revoke TOKEN --reason trial --yes",
    "revocations add --agent agent-NUMBER --reason trial --yes",
    "key stage",
    "key activate STAGED --force",
    "key revoke STAGED --reason trial --yes",
    "client add client-NUMBER --principal p --profile buyer --out OUT",
    "client rotate orchestrator --out OUT",
    "client disable CLIENT --yes",
];

/// What a home says of itself.
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
        let words = verb.split(' ').map(|word| match word {
            "GRANTS" => self
                .world
                .scratch()
                .join("operator.toml")
                .display()
                .to_string(),
            "OUT" => self.world.scratch().join("out").display().to_string(),
            "TOKEN" => format!("{number:032x}"),
            "STAGED" => {
                let keys = self.world.json(&["key", "list", "--state", "staged"]);
                let id = keys.pointer("/keys/0/id").unwrap();
                id.as_str().unwrap().to_owned()
            }
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
        let command = self.world.command(&arguments);
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
        traced.output().unwrap()
    }

    /// Opens the home, and checks that it is whole.
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
        issuer.close().await;
        State {
            version: keyset.version,
            rows: audit.rows,
        }
    }
}
