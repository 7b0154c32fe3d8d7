//! Runs of the commands of pages, each in a folder that takes the place of the clone.

use std::{
    env,
    ffi::OsStr,
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use bailiwick_testkit::skip::skipped;
use tempfile::TempDir;

use super::script::script;

/// The ports that pages print.
const PORTS: [&str; 3] = ["8420", "8421", "8430"];

/// Commands that install programs which the test already has.
const INSTALLING: [&str; 2] = ["./install.sh", "npm ci"];

/// Ends the processes that the commands left running, even after a failure: they would keep the output open.
const BEFORE: &str = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n";

/// Maximum time for the commands, in seconds.
const MAX_SECONDS: &str = "300";

/// The directory of an installed program, if the pages must run exactly as printed.
pub(super) fn installed() -> Option<PathBuf> {
    env::var_os("BAILIWICK_INSTALLED").map(PathBuf::from)
}

/// Commands, and the folder that they run in.
pub(super) struct Replay {
    pages: String,
    script: String,
    folder: TempDir,
}

impl Replay {
    /// The commands of pages, one page after the other.
    pub(super) fn new(pages: &[&str]) -> Replay {
        let mut lines = Vec::new();
        for line in script(pages).lines() {
            let mut installing = INSTALLING.into_iter();
            match installing.find(|command| line.starts_with(*command)) {
                // The program is already installed or built, so this command is left out.
                Some("./install.sh") => {}
                Some(_) if installed().is_none() => {}
                _ => lines.push(line.to_owned()),
            }
        }
        let mut script = lines.join("\n");
        if installed().is_none() {
            script = with_free_ports(script);
        }
        Replay {
            pages: pages.join(", "),
            script,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Same as [`Replay::new`], or `None` on a machine without curl.
    pub(super) fn with_curl(pages: &[&str]) -> Option<Replay> {
        if Command::new("curl").arg("--version").output().is_err() {
            skipped(&pages.join(", "), "install curl");
            return None;
        }
        Some(Replay::new(pages))
    }

    /// Puts the OpenID provider at its path in the clone, with the npm packages that are installed in a directory.
    pub(super) fn put_provider(&self, packages: Option<&OsStr>) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc");
        let to = self.folder.path().join("tests/oidc");
        fs::create_dir_all(&to).expect("a folder");
        for file in ["package.json", "package-lock.json", "provider.js"] {
            fs::copy(from.join(file), to.join(file)).expect("a file of the provider");
        }
        if let (Some(packages), None) = (packages, installed()) {
            let packages = Path::new(packages).join("node_modules");
            symlink(packages, to.join("node_modules")).expect("a link");
        }
    }

    /// Runs the commands, and returns what they printed.
    pub(super) fn run(self) -> String {
        let built = || {
            let program = Path::new(env!("CARGO_BIN_EXE_bailiwick"));
            program.parent().expect("its folder").to_owned()
        };
        let program = installed().unwrap_or_else(built);
        let path = env::var("PATH").expect("PATH");
        let script = format!("{BEFORE}{}", self.script);
        let output = Command::new("timeout")
            .args(["--kill-after=10", MAX_SECONDS, "bash"])
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", program.display()))
            // `mktemp` makes its folders below this one, so they are deleted with it.
            .env("TMPDIR", self.folder.path())
            .output()
            .expect("timeout and bash");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{text}", self.pages);
        text
    }
}

/// Replaces the ports that pages print, since other tests may use them at the same time.
fn with_free_ports(script: String) -> String {
    // All ports are held until all are known, so they differ.
    let held = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let free = held.map(|listener| listener.local_addr().expect("its address").port());
    // Each port is first replaced by a placeholder, because a free port may be one of those that pages print.
    let names = ["\u{1}a", "\u{1}b", "\u{1}c"];
    let named = PORTS
        .iter()
        .zip(names)
        .fold(script, |script, (printed, name)| {
            script.replace(printed, name)
        });
    names.iter().zip(free).fold(named, |script, (name, free)| {
        script.replace(name, &free.to_string())
    })
}
