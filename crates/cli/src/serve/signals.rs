//! The signals that end or reload the service, from the first moment of its start.
//!
//! Without a handler, SIGHUP ends a process. So the handlers are installed before the home is opened and the
//! passphrase is read, either of which may take long.

use std::{mem, pin::pin, process};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    exit::{Exit, Failure},
    logging, output,
    passphrase::Terminal,
};

/// The note about a start that a signal ended.
pub(super) const STOPPED: &str = "stopped before the service was ready";

/// A request by signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

/// The signals of a service that runs.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// True if SIGHUP came while the service was starting.
    reload_is_due: bool,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        let on = |kind| {
            signal(kind).map_err(|error| {
                Failure::plain(Exit::Local, format!("signals cannot be received ({error})"))
                    .hint("check the limits of this process")
            })
        };
        Ok(Signals {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
            reload_is_due: false,
        })
    }

    /// Waits for the next signal. A reload that was requested during the start comes first.
    pub(super) async fn next(&mut self) -> Signal {
        match mem::take(&mut self.reload_is_due) {
            true => Signal::Reload,
            false => self.receive().await,
        }
    }

    /// Does work that belongs to the start; `None` if a signal ended it.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                signal = self.receive() => match signal {
                    Signal::Reload => self.reload_is_due = true,
                    Signal::End => return None,
                },
            }
        }
    }

    async fn receive(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

/// The signals of a service whose home is being opened. A task of its own receives them, because its thread is blocked
/// while the passphrase is read and the private keys are opened.
pub(super) struct Starting {
    done: oneshot::Sender<()>,
    task: JoinHandle<Signals>,
}

impl Starting {
    /// Installs the handlers of all signals. Until [`Starting::done`], a signal that ends the service ends the process
    /// at once, with exit code 0, since nothing is under way that would have to be finished.
    pub(super) fn listen() -> Result<Starting, Failure> {
        let (signals, terminal) = (Signals::listen()?, Terminal::now());
        let (done, is_done) = oneshot::channel();
        let task = tokio::spawn(until(is_done, signals, terminal));
        Ok(Starting { done, task })
    }

    /// Returns the signals, once the home is open.
    pub(super) async fn done(self) -> Result<Signals, Failure> {
        // The task ends only after this message or with the process, so it is still there.
        let _ = self.done.send(());
        self.task.await.map_err(|error| {
            Failure::plain(Exit::Local, format!("signals cannot be received ({error})"))
                .hint("please report this")
        })
    }
}

/// Receives signals until the home is open.
async fn until(
    mut is_done: oneshot::Receiver<()>,
    mut signals: Signals,
    terminal: Option<Terminal>,
) -> Signals {
    if signals.during(&mut is_done).await.is_some() {
        return signals;
    }
    // The prompt for the passphrase hides what is typed.
    if let Some(terminal) = &terminal {
        terminal.restore();
    }
    output::note(STOPPED);
    logging::flush();
    process::exit(Exit::Done as i32);
}
