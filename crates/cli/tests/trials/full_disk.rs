//! The home's disk fills up under load.
//!
//! Promised: nothing happens that cannot be recorded. Mints and revocations get 503 with a text that names the
//! disk, and `/readyz` reports it. Everything acknowledged earlier is on record, and the audit log is intact.
//! When there is space again, the service continues without a restart.
//!
//! Signs of failure: a 200 whose row is missing, another error, a `/readyz` that still reports readiness, or a
//! service that does not recover.
//!
//! The trial runs itself a second time in its own mount namespace, where it may mount a small file system.

use std::{
    env,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{
        Setup, World,
        acknowledged::{Acknowledged, Answer},
        http,
    },
    skip::skipped,
};

use crate::BAILIWICK;

/// Environment variable that is set inside the trial's own namespace.
const INSIDE: &str = "BAILIWICK_TRIAL_DISK";

/// Full name of the trial's test in this program.
const NAME: &str = "trials::full_disk::a_full_disk_stops_what_is_recorded_there_and_loses_nothing";

/// Number of clients that mint at the same time.
const CLIENTS: usize = 8;

/// Space left free at the start of each round, in KiB, for minting to use up. The first round has enough for a
/// checkpoint of the write-ahead log on a nearly full disk; in the others the space runs out at varying points
/// of a commit.
const ROUNDS: [u64; 3] = [4_400, 64, 0];

/// Maximum time for minting to fill the disk while other trials run.
const FILLED: Duration = Duration::from_secs(300);

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_full_disk_stops_what_is_recorded_there_and_loses_nothing() {
    if let Some(disk) = env::var_os(INSIDE) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        return runtime.unwrap().block_on(fills_up(Path::new(&disk)));
    }
    let disk = tempfile::tempdir().unwrap();
    for namespace in ["--map-root-user", "--mount"] {
        let mount = "mount -t tmpfs -o size=16m,mode=0700 tmpfs \"$0\" && exec \"$@\"";
        let inside = |program: &str| {
            let mut command = Command::new("unshare");
            command.args([namespace, "--mount", "sh", "-c", mount]);
            command
                .arg(disk.path())
                .arg(program)
                .env(INSIDE, disk.path());
            command
        };
        let possible = inside("true").stderr(Stdio::null()).status();
        if possible.is_ok_and(|status| status.success()) {
            let mut again = inside(env::current_exe().unwrap().to_str().unwrap());
            again.args(["--exact", NAME, "--nocapture"]);
            let ended = again.stderr(Stdio::inherit()).output().unwrap();
            let said = String::from_utf8_lossy(&ended.stdout);
            // A test program that finds no test of this name succeeds too.
            assert!(
                ended.status.success() && said.contains("1 passed"),
                "{said}"
            );
            return;
        }
    }
    skipped(
        "a full disk",
        "it needs `unshare` of util-linux, and root or the right to make user namespaces",
    );
}

async fn fills_up(disk: &Path) {
    let world = World::with(
        BAILIWICK,
        Setup {
            home: Some(disk.join("home")),
            ..Setup::default()
        },
    );
    let serving = world.serve();
    let seen = Arc::new(Acknowledged::default());
    let http = http();
    let mint = async || {
        let minted = seen.mint(&http, &serving.base, &world.secret).await;
        minted.unwrap()
    };
    let revoke = async |token: &str| {
        let revoked = seen.revoke(&http, &serving.base, &world.operator, token);
        revoked.await.unwrap()
    };
    for left in ROUNDS {
        assert!(mint().await.is_success());
        let before = seen.tokens.lock().unwrap().clone();
        let last = before.last().unwrap();

        let ballast = Ballast::fill(disk, left << 10);
        let full = Arc::new(AtomicBool::new(false));
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (seen, http, full) = (seen.clone(), http.clone(), full.clone());
            let (base, secret) = (serving.base.clone(), world.secret.clone());
            clients.spawn(async move {
                let mut refused = 0_u32;
                // Continue until this client has been refused, and the disk is known to be full.
                while refused < 5 || !full.load(Ordering::SeqCst) {
                    let answer = seen.mint(&http, &base, &secret).await.unwrap();
                    if !answer.is_success() {
                        is_told(&answer);
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            });
        }
        eventually_within("it is not ready", FILLED, async || {
            let (status, text) = serving.ask("/readyz").await;
            status == 503 && text.contains("disk is full")
        })
        .await;
        let rest = Ballast::fill_to_the_end(disk);
        full.store(true, Ordering::SeqCst);
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
        let minted = seen.tokens.lock().unwrap().len();
        eprintln!(
            "with {left} KiB left: {} mints until the disk was full",
            minted - before.len()
        );

        is_told(&mint().await);
        is_told(&revoke(last).await);
        assert_eq!(serving.ask("/livez").await.0, 200);
        assert_eq!(serving.ask("/readyz").await.0, 503);
        let keyset = http
            .get(format!("{}/.well-known/bailiwick/keyset", serving.base))
            .send()
            .await;
        assert_eq!(keyset.unwrap().status(), 200, "what is signed is read");
        assert_eq!(seen.tokens.lock().unwrap().len(), minted);

        drop((ballast, rest));
        let begun = Instant::now();
        eventually_within("it mints", PATIENCE, async || mint().await.is_success()).await;
        let mints = begun.elapsed();
        eventually_within("it is ready", PATIENCE, async || {
            serving.ask("/readyz").await.0 == 200
        })
        .await;
        eprintln!(
            "with space again: mints after {mints:?}, ready after {:?}",
            begun.elapsed()
        );
        assert!(revoke(last).await.is_success());
        seen.check(&world);
    }
    // Everything must be on the disk, because killing the process discards its memory.
    serving.kill();
    seen.check(&world);
}

/// Checks that an answer refuses temporarily, and names the disk as the reason.
fn is_told(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "unavailable", "{answer:?}");
    assert!(answer.text.contains("disk is full"), "{answer:?}");
    assert!(answer.retry_after.is_some(), "{answer:?}");
}

/// A file that fills a disk until it is dropped.
struct Ballast(PathBuf);

impl Ballast {
    /// Fills the disk, leaving this many bytes free.
    fn fill(disk: &Path, left: u64) -> Ballast {
        let ballast = Ballast::fill_to_the_end(disk);
        let file = File::options().write(true).open(&ballast.0).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - left).unwrap();
        ballast
    }

    fn fill_to_the_end(disk: &Path) -> Ballast {
        let number = fs::read_dir(disk).unwrap().count();
        let path = disk.join(format!("ballast-{number}"));
        let mut file = File::create(&path).unwrap();
        loop {
            match file.write(&[7; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ballast(path),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
