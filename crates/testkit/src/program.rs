//! A home with a profile, a client and an operator's token, and `bailiwick serve` on it.

pub mod acknowledged;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{ISSUER, PASSPHRASE, http::client, postgres::schema_for};

/// Maximum time of a request, so that a trial fails rather than hangs.
const REQUEST: Duration = Duration::from_secs(600);

/// Maximum time that a service may take to stop.
const STOP: Duration = Duration::from_secs(40);

const PROFILES: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
principal = { claim = "agent.principal", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "${principal}"
ttl = { min = "1m", default = "15m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:*"
"#;

const OPERATOR: &str = r#"
[[grant]]
service = "bailiwick"
action = "key:*"
[[grant]]
service = "bailiwick"
action = "revocation:*"
"#;

/// A client of a service that may be slow.
pub fn http() -> reqwest::Client {
    client(REQUEST)
}

/// Settings of a world that differ from the defaults.
#[derive(Default)]
pub struct Setup<'a> {
    /// Path of the home; a temporary folder by default.
    pub home: Option<PathBuf>,
    /// The URL of a PostgreSQL database.
    pub store: Option<&'a str>,
    /// Content of `service.toml`.
    pub config: &'a str,
    /// Profiles in addition to `buyer`.
    pub profiles: &'a str,
    /// A profile that the client may use in addition to `buyer`.
    pub profile: Option<&'a str>,
    /// Environment variables of each command.
    pub environment: &'a [(&'a str, String)],
}

pub struct World {
    program: String,
    scratch: tempfile::TempDir,
    home: PathBuf,
    environment: Vec<(String, String)>,
    /// Secret of the client `orchestrator`.
    pub secret: String,
    /// The token of an operator for keys and revocations.
    pub operator: String,
}

impl World {
    /// Creates a world with the defaults. `program` is the path of the `bailiwick` binary, which only the tests
    /// of its own crate know.
    pub fn new(program: &str) -> World {
        World::with(program, Setup::default())
    }

    /// Creates a world on a new schema of a PostgreSQL server; `None` if there is no server.
    pub async fn on_postgres(program: &'static str, trial: &str) -> Option<World> {
        let url = schema_for(trial).await?;
        let world = tokio::task::spawn_blocking(move || {
            let setup = Setup {
                store: Some(&url),
                ..Setup::default()
            };
            World::with(program, setup)
        });
        Some(world.await.unwrap())
    }

    pub fn with(program: &str, setup: Setup<'_>) -> World {
        let scratch = tempfile::tempdir().unwrap();
        let home = setup.home.unwrap_or_else(|| scratch.path().join("home"));
        let mut world = World {
            program: program.to_owned(),
            scratch,
            home,
            environment: setup
                .environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            secret: String::new(),
            operator: String::new(),
        };
        world.keep("passphrase", &format!("{PASSPHRASE}\n"));
        let mut init = vec!["init", "--issuer", ISSUER];
        let store = setup.store.map(|url| world.keep("store.url", url));
        if let Some(file) = &store {
            init.extend(["--store-file", file]);
        }
        world.run(&init);
        let profiles = format!("{PROFILES}{}", setup.profiles);
        fs::write(world.home.join("profiles.toml"), profiles).unwrap();
        fs::write(world.home.join("service.toml"), setup.config).unwrap();
        let mut add = vec!["client", "add", "orchestrator"];
        add.extend(["--principal", "team:procurement", "--profile", "buyer"]);
        if let Some(profile) = setup.profile {
            add.extend(["--profile", profile]);
        }
        world.secret = world.run(&add).trim().to_owned();
        let grants = world.keep("operator.toml", OPERATOR);
        let mut mint = vec!["token", "mint", "--agent", "operator:ada"];
        mint.extend([
            "--principal",
            "user:ada",
            "--ttl",
            "1h",
            "--grants",
            &grants,
        ]);
        world.operator = world.run(&mint).trim().to_owned();
        world
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Folder for files that do not belong to the issuer.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a file that only its owner can read, outside the home, and returns its path.
    pub fn keep(&self, name: &str, content: &str) -> String {
        let path = self.scratch().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("BAILIWICK_HOME", &self.home)
            .env(
                "BAILIWICK_PASSPHRASE_FILE",
                self.scratch().join("passphrase"),
            )
            .env_remove("BAILIWICK_SERVER")
            .env_remove("BAILIWICK_STORE")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.run(&arguments)).unwrap()
    }

    pub fn serve(&self) -> Serving {
        self.serve_at(&self.home)
    }

    /// Serves the home at this path, for example a copy of this world's home.
    pub fn serve_at(&self, home: &Path) -> Serving {
        let log = File::options().create(true).append(true).open(self.log());
        let mut command = self.command(&[]);
        command.env("BAILIWICK_HOME", home).stderr(log.unwrap());
        self.serve_as(command)
    }

    /// Serves with `command`, keeping its standard error and environment.
    pub fn serve_as(&self, mut command: Command) -> Serving {
        let arguments = [
            "serve",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--operations-listen",
            "127.0.0.1:0",
        ];
        let command = command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let serving = serde_json::from_str::<Value>(&line);
        let serving = serving.unwrap_or_else(|_| panic!("{}", self.said()));
        let url = |at: &str| format!("http://{}", serving.pointer(at).unwrap().as_str().unwrap());
        Serving {
            base: url("/listen"),
            operations: url("/operations_listen"),
            child,
        }
    }

    /// Returns the output on stderr of this world's services.
    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.scratch().join("serve.log")
    }
}

impl Drop for World {
    /// Prints the last lines of the service's output if the trial fails, to help find the cause.
    fn drop(&mut self) {
        if thread::panicking() {
            let said = fs::read_to_string(self.log()).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(12).collect();
            for line in last.iter().rev() {
                eprintln!("serve: {line}");
            }
        }
    }
}

/// A running service. Dropping it kills the process if it still runs.
pub struct Serving {
    child: Child,
    /// URL of the interface for callers.
    pub base: String,
    /// URL of the pages for operations, such as `/readyz`.
    pub operations: String,
}

impl Serving {
    /// Makes the service read its profiles again.
    pub fn reload(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the service as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops the service as systemd does. A service that takes too long is killed.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(ended) => return assert!(ended.success(), "{ended}"),
                None => assert!(begun.elapsed() < STOP, "it does not end"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fetches a page for operations. Returns its status and text.
    pub async fn ask(&self, path: &str) -> (u16, String) {
        let answer = http()
            .get(format!("{}{path}", self.operations))
            .send()
            .await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Returns the value of a metric.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.ask("/metrics").await;
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        line?.split(' ').nth(1)?.parse().ok()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
