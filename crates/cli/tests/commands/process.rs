//! Tests of the process: its memory is private, and it handles pipes that close.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

fn bailiwick(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command
        .args(args)
        .env_remove("BAILIWICK_TOKEN")
        .env_remove("BAILIWICK_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Writes `input`, whether or not the process reads all of it, and waits for the process.
fn feed(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Waits for `condition`, as long as a slow machine may need.
fn eventually(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

/// A process that waits for the rest of a token. Dropping it closes the pipe and waits.
struct Waiting(Child);

impl Waiting {
    fn start(mut command: Command) -> Waiting {
        // A copy of the binary is "busy" while another test forks with the copy still open.
        loop {
            match command.spawn() {
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                    thread::sleep(Duration::from_millis(10));
                }
                child => return Waiting(child.unwrap()),
            }
        }
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.0.id().to_string()).join(file)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_core_file_is_written() {
    let waiting = Waiting::start(bailiwick(&["token", "inspect", "-"]));
    let core_limits = || {
        let limits = fs::read_to_string(waiting.proc("limits")).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        line.unwrap()
            .split_whitespace()
            .skip(4)
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(
        eventually(|| core_limits() == ["0", "0"]),
        "{:?}",
        core_limits()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn other_processes_of_the_user_cannot_read_its_memory() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };

    // The kernel makes root the owner of the files of a process that is not dumpable. If these tests
    // run as root, the process runs as another user, so that the difference shows.
    const NOBODY: u32 = 65_534;
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("bailiwick");
    fs::copy(env!("CARGO_BIN_EXE_bailiwick"), &binary).unwrap();
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(binary);
    command
        .args(["token", "inspect", "-"])
        .stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if root {
        command.uid(NOBODY);
    }
    let waiting = Waiting::start(command);
    let owner = || fs::metadata(waiting.proc("status")).unwrap().uid();
    assert!(eventually(|| owner() == 0), "owned by {}", owner());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = bailiwick(&["completions", "bash"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = bailiwick(&["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("cannot write to standard output"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn input_is_bounded() {
    let endless = vec![b'A'; 4 << 20];
    let output = feed(
        bailiwick(&["token", "inspect", "-"]).spawn().unwrap(),
        &endless,
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("the token is longer than 65536 bytes"),
        "{}",
        stderr(&output)
    );

    let blank = vec![b' '; 4 << 20];
    let output = feed(
        bailiwick(&["token", "inspect", "-"]).spawn().unwrap(),
        &blank,
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("standard input is longer than"),
        "{}",
        stderr(&output)
    );

    for args in [["grants", "check", "-"], ["keyset", "show", "-"]] {
        let output = feed(bailiwick(&args).spawn().unwrap(), &[b'A'; 5 << 20]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("standard input is longer than"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn colour_is_for_terminals() {
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let output = bailiwick(&["token", "inspect", "/missing"])
            .env(name, value)
            .output()
            .unwrap();
        assert!(!stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
        assert!(stderr(&output).starts_with("error: cannot read `/missing`"));
    }
}
