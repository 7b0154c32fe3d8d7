//! Output of keys and their transitions, as text and JSON.

use std::fmt::Write;

use bailiwick_api::{GuardReason, KeyGuard, KeyTransition, KeyTransitions, TransitionKind};
use serde::Serialize;

use crate::{
    exit::{Exit, ExitResult, Failure},
    keyset, output,
    settings::Global,
};

/// The transitions that a command made, and the guards that a rotation waits for.
#[derive(Serialize)]
pub(super) struct Changed<'a> {
    pub(super) changes: &'a [KeyTransition],
    pub(super) keyset_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<&'a [KeyGuard]>,
}

/// Prints the transitions that a command made.
pub(super) fn print_outcome(global: &Global, report: &KeyTransitions) -> ExitResult {
    let changed = Changed {
        changes: &report.changes,
        keyset_version: report.keyset_version,
        waiting: None,
    };
    changed.print(global)?;
    Ok(Exit::Done)
}

impl Changed<'_> {
    /// Prints the transitions, with a note or hint about the next step.
    pub(super) fn print(&self, global: &Global) -> Result<(), Failure> {
        global.format().print(self, self.lines())?;
        match self.changes {
            [] => output::note("nothing was due, and nothing changed"),
            _ => output::hint(keyset::PUBLISH),
        }
        Ok(())
    }

    fn lines(&self) -> String {
        let mut text: String = self.changes.iter().map(change).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "keyset version {}", self.keyset_version);
        text
    }
}

/// Describes a key's transition on one line.
pub(crate) fn change(change: &KeyTransition) -> String {
    let word = match change.step {
        TransitionKind::Stage => "staged",
        TransitionKind::Activate => "active",
        TransitionKind::Supersede => "retiring",
        TransitionKind::Retire => "retired",
        TransitionKind::Revoke => "revoked",
    };
    let forced = if change.forced { " (forced)" } else { "" };
    format!("key {} is {word}{forced}\n", change.id)
}

/// The reason of a guard, worded to follow a key's name.
pub(super) fn waits(reason: GuardReason) -> &'static str {
    match reason {
        GuardReason::Publication => "may be unknown to verifiers",
        GuardReason::Verifiers => "may be unknown to a verifier (see `verifier lag`)",
        GuardReason::LiveTokens => "may have signed tokens that are still valid",
        GuardReason::Rotation => "has to wait for an earlier rotation",
    }
}
