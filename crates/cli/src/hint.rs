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
const REASON: &str = "give one line of text with --reason";

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
                Some("wait until then, or use --force and accept that tokens are denied")
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
        matches!(self, ExportError::Unsigned)
            .then_some("use --checkpoint with a checkpoint that was kept elsewhere")
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
                Some("use --keyset-key with the key that verifiers are configured with")
            }
            RestoreError::Taken => Some(
                "restore into an empty database, or use --in-place if the database itself was put back",
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
            RestoreEvidenceError::Version => Some(
                "give the last keyset with --keyset, or use --above with a version that no keyset has reached",
            ),
            RestoreEvidenceError::Gap { .. } => {
                Some("give newer revocations, or end every token with --revoke-keys")
            }
            RestoreEvidenceError::OlderKeyset { .. } => Some(
                "give the last keyset that was published, or use --revoke-keys if the restored issuer has been serving",
            ),
            RestoreEvidenceError::NotTheLast { .. } => Some(
                "give the keyset that the revocations name, or end every token with --revoke-keys",
            ),
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
