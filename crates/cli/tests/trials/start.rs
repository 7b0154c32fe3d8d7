//! Signals while the service starts.
//!
//! Promised: a SIGHUP during the start ends nothing, and takes effect after the start; a SIGTERM during the start ends
//! the process successfully, although it waits for its passphrase.
//!
//! Signs of failure: a process that a signal kills, that does not end, or that never reloads.

use std::{
    fs::{File, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use bailiwick_testkit::{PASSPHRASE, program::World};
use rustix::process::{Pid, Signal, kill_process};

use crate::BAILIWICK;

/// Maximum time to wait for an event.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_hangup_during_the_start_reloads_after_it() {
    let world = World::new(BAILIWICK);
    let mut waiting = Waiting::start(&world);
    waiting.signal(Signal::HUP);
    waiting.give_passphrase();
    let said = waiting.said();
    let mut seen: Vec<String> = Vec::new();
    // The addresses are on stdout and the note on stderr, so either may be read first.
    for event in [
        "\"listen\"",
        "the profiles and the certificate were reloaded",
    ] {
        while !seen.iter().any(|line| line.contains(event)) {
            let line = said.recv_timeout(PATIENCE);
            seen.push(line.unwrap_or_else(|_| panic!("no {event}: {seen:?}")));
        }
    }
    waiting.signal(Signal::TERM);
    assert_eq!(waiting.code(), Some(0));
}

#[test]
fn a_start_ends_on_request() {
    let world = World::new(BAILIWICK);
    for signal in [Signal::TERM, Signal::INT] {
        let mut waiting = Waiting::start(&world);
        let said = waiting.said();
        waiting.signal(Signal::HUP);
        waiting.signal(signal);
        assert_eq!(waiting.code(), Some(0), "{signal:?}");
        let said: Vec<String> = said.iter().collect();
        let stopped = "stopped before the service was ready".to_owned();
        assert!(said.contains(&stopped), "{signal:?}: {said:?}");
    }
}

/// A service that has opened its home and waits for its passphrase, which it reads from a FIFO.
struct Waiting {
    child: Child,
    passphrase: Option<File>,
}

impl Waiting {
    fn start(world: &World) -> Waiting {
        let fifo = world.scratch().join("fifo");
        if !fifo.exists() {
            let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
            assert!(made.success());
            std::fs::set_permissions(&fifo, Permissions::from_mode(0o600)).unwrap();
        }
        let serve = ["serve", "--json", "--listen", "127.0.0.1:0"];
        let mut command = world.command(&serve);
        command
            .args(["--operations-listen", "127.0.0.1:0"])
            .env("BAILIWICK_PASSPHRASE_FILE", &fifo)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        Waiting {
            child,
            passphrase: Some(opened(&fifo)),
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn give_passphrase(&mut self) {
        let mut fifo = self.passphrase.take().unwrap();
        writeln!(fifo, "{PASSPHRASE}").unwrap();
    }

    /// The lines that the process prints, in the order in which they arrive.
    fn said(&mut self) -> Receiver<String> {
        let (sender, said) = channel();
        let stdout = self.child.stdout.take().unwrap();
        let stderr = self.child.stderr.take().unwrap();
        let other = sender.clone();
        thread::spawn(move || lines(stdout).for_each(|line| drop(sender.send(line))));
        thread::spawn(move || lines(stderr).for_each(|line| drop(other.send(line))));
        said
    }

    /// Waits for the end, and returns the exit code; `None` if a signal killed the process.
    fn code(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                return ended.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: impl std::io::Read) -> impl Iterator<Item = String> {
    BufReader::new(pipe).lines().map_while(Result::ok)
}

/// Opens the FIFO for writing, which succeeds once the process has opened it for reading.
fn opened(fifo: &Path) -> File {
    let (sender, opened) = channel();
    let fifo = fifo.to_owned();
    thread::spawn(move || sender.send(File::options().write(true).open(fifo)));
    opened.recv_timeout(PATIENCE).unwrap().unwrap()
}
