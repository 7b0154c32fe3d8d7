//! Hardening of the process, so that secrets in memory reach neither a disk nor another process.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exit::{Exit, Failure};

/// Forbids core files and, on Linux, prevents other processes of the same user from reading this one's memory.
pub(crate) fn process() -> Result<(), Failure> {
    no_core().map_err(|error| {
        Failure::plain(
            Exit::Local,
            format!(
                "core dumps cannot be disabled ({error}), so a crash could write a secret to disk"
            ),
        )
        .hint("run it where a process may lower its own limit on core files, which `ulimit -c 0` shows")
    })
}

/// Raises the limit on open files to its maximum, so that a server can hold many connections.
pub(crate) fn many_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
}

fn no_core() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
