//! Hints that name command-line options, which libraries do not know.

use bailiwick_issuer::{
    BackupError, ExportError, HomeError, InitError, MintError, OpenError, RestoreError,
    RestoreEvidenceError, RevocationUrlError, RevokeError, RootKeyError, SignError,
    SnapshotFailure, StoreError, TransitionError, UnlockError,
};

use crate::exit::{Exit, Failure};

/// A library's error that an option may resolve.
pub(crate) trait Hint: ToString {
    /// Returns a hint that names the option.
    fn hint(&self) -> Option<&'static str> {
        None
    }

    /// Makes a failure with this error as its message.
    fn failure(&self, exit: Exit) -> Failure {
        let failure = Failure::new(exit, self.to_string());
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The hint for a missing reason.
const REASON: &str = "use --reason";

impl Hint for HomeError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            HomeError::Missing(_) => Some("run `bailiwick init`, or name another home with --home"),
            HomeError::Exists(_) => Some("name another home with --home"),
            _ => None,
        }
    }
}

impl Hint for OpenError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            OpenError::Home(error) => error.hint(),
            _ => None,
        }
    }
}

impl Hint for InitError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            InitError::Home(error) => error.hint(),
            InitError::Open(error) => error.hint(),
            _ => None,
        }
    }
}

impl Hint for RootKeyError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            RootKeyError::Transition(TransitionError::Guard(_)) => {
                Some("wait, or use --force and accept denied tokens")
            }
            RootKeyError::Reason => Some(REASON),
            _ => None,
        }
    }
}

impl Hint for RevokeError {
    fn hint(&self) -> Option<&'static str> {
        matches!(self, RevokeError::Reason).then_some(REASON)
    }
}

impl Hint for ExportError {
    fn hint(&self) -> Option<&'static str> {
        matches!(self, ExportError::Unsigned).then_some("give one with --checkpoint")
    }
}

impl Hint for RestoreError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            RestoreError::Evidence(error) => error.hint(),
            RestoreError::Home(error) => error.hint(),
            RestoreError::Open(error) => error.hint(),
            RestoreError::Key(error) => error.hint(),
            RestoreError::KeyNeeded => {
                Some("give --keyset-key, as verifiers are configured with it")
            }
            RestoreError::Taken => Some(
                "restore into an empty one, or, if it was put back by other means, use --in-place",
            ),
            _ => None,
        }
    }
}

impl Hint for RestoreEvidenceError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            RestoreEvidenceError::Incomplete { .. } => Some(
                "give the last keyset and the last revocations (`--verifier DIR` has both), or end every token with --revoke-keys",
            ),
            RestoreEvidenceError::Version => {
                Some("give --keyset, or --above with a number that no keyset has reached")
            }
            RestoreEvidenceError::Gap { .. } => {
                Some("give revocations that are as new, or end every token with --revoke-keys")
            }
            RestoreEvidenceError::OlderKeyset { .. } => Some(
                "give the last one that was published; if an issuer served what was put back meanwhile, use --revoke-keys",
            ),
            RestoreEvidenceError::NotTheLast { .. } => {
                Some("give that one, or end every token with --revoke-keys")
            }
            _ => None,
        }
    }
}

impl Hint for BackupError {}
impl Hint for MintError {}
impl Hint for RevocationUrlError {}
impl Hint for SignError {}
impl Hint for SnapshotFailure {}
impl Hint for StoreError {}
impl Hint for UnlockError {}
