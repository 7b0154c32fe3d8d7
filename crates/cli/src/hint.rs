//! Hints that name command-line options, which libraries do not know.

use std::borrow::Cow;

use bailiwick_issuer::{
    BackupError, ExportError, HomeError, InitError, MintError, OpenError, RestoreError,
    RestoreEvidenceError, RevocationUrlError, RevokeError, RootKeyError, SignError,
    SnapshotFailure, StoreError, TransitionError, UnlockError,
};
use bailiwick_token::escape::{code, shell};
use nix::unistd::{Uid, User};

use crate::exit::{Exit, Failure};

/// A library's error that an option may resolve.
pub(crate) trait Hint: ToString {
    /// Returns a hint that names the option.
    fn hint(&self) -> Option<Cow<'static, str>> {
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
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            HomeError::Missing(_) => {
                Some("run `bailiwick init`, or name another home with --home".into())
            }
            HomeError::Exists(_) => Some("name another home with --home".into()),
            HomeError::Foreign { owner, user, .. } => Some(as_owner(*owner, *user).into()),
            _ => None,
        }
    }
}

/// The hint for a home that belongs to another user. It does not suggest changing the owner, because the service that
/// runs as that user would lose access to the home.
fn as_owner(owner: u32, user: u32) -> String {
    let name = User::from_uid(Uid::from_raw(owner)).ok().flatten();
    match (name, user) {
        (Some(owner), 0) => format!(
            "run it as that user, with `runuser -u {} -- bailiwick` and the arguments of the command",
            shell(&owner.name)
        ),
        (Some(owner), _) => format!("run it as the user {}", code(&owner.name)),
        (None, _) => format!("run it as user {owner}"),
    }
}

impl Hint for OpenError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            OpenError::Home(error) => error.hint(),
            _ => None,
        }
    }
}

impl Hint for InitError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            InitError::Home(error) => error.hint(),
            InitError::Open(error) => error.hint(),
            InitError::Sign(error) | InitError::Key(RootKeyError::Sign(error)) => {
                as_table_owner(error)
            }
            _ => None,
        }
    }
}

/// The hint for a database role that may not create the tables of a new home.
fn as_table_owner(error: &SignError) -> Option<Cow<'static, str>> {
    let SignError::Store(StoreError::Rights | StoreError::OlderSchema(_)) = error else {
        return None;
    };
    Some("run it with the URL of the role that owns the database (`bailiwick_owner` in docs/deploy/postgres.sql), and put the URL of the issuers' role into the file `store` of the home afterwards".into())
}

impl Hint for RootKeyError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            RootKeyError::Transition(TransitionError::Guard(_)) => {
                Some("wait until then, or use --force and accept that tokens are denied".into())
            }
            RootKeyError::Reason => Some(REASON.into()),
            _ => None,
        }
    }
}

impl Hint for RevokeError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        matches!(self, RevokeError::Reason).then_some(REASON.into())
    }
}

impl Hint for ExportError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        matches!(self, ExportError::Unsigned)
            .then_some("use --checkpoint with a checkpoint that was kept elsewhere".into())
    }
}

impl Hint for RestoreError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            RestoreError::Evidence(error) => error.hint(),
            RestoreError::Home(error) => error.hint(),
            RestoreError::Open(error) => error.hint(),
            RestoreError::Key(RootKeyError::Sign(error)) | RestoreError::Sign(error) => {
                as_table_owner(error)
            }
            RestoreError::Key(error) => error.hint(),
            RestoreError::KeyNeeded => {
                Some("use --keyset-key with the key that verifiers are configured with".into())
            }
            RestoreError::Taken => Some("restore into an empty database, or use --in-place if the database itself was put back".into()),
            _ => None,
        }
    }
}

impl Hint for RestoreEvidenceError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            RestoreEvidenceError::Incomplete { .. } => Some("give the last keyset and the last revocations (`--verifier DIR` has both), or end every token with --revoke-keys".into()),
            RestoreEvidenceError::Version => Some("give the last keyset with --keyset, or use --above with a version that no keyset has reached".into()),
            RestoreEvidenceError::Gap { .. } => {
                Some("give newer revocations, or end every token with --revoke-keys".into())
            }
            RestoreEvidenceError::OlderKeyset { .. } => Some("give the last keyset that was published, or use --revoke-keys if the restored issuer has been serving".into()),
            RestoreEvidenceError::NotTheLast { .. } => Some("give the keyset that the revocations name, or end every token with --revoke-keys".into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_home_needs_the_owner_of_the_tables() {
        let hint = |error: StoreError| InitError::Sign(error.into()).hint();
        for error in [StoreError::Rights, StoreError::OlderSchema(1)] {
            let hint = hint(error).unwrap();
            assert!(hint.contains("`bailiwick_owner`"), "{hint}");
        }
        assert!(hint(StoreError::Login).is_none());
        let restored = RestoreError::Sign(StoreError::Rights.into());
        assert!(restored.hint().unwrap().contains("`bailiwick_owner`"));
    }

    /// No hint suggests `chown`, which would take the home from the user that the service runs as.
    #[test]
    fn homes_stay_with_their_owner() {
        for (owner, user, says) in [
            (0, 1_000, "run it as the user `root`"),
            (0, 0, "runuser -u root -- bailiwick"),
            (4_000_000, 0, "run it as user 4000000"),
            (4_000_000, 1_000, "run it as user 4000000"),
        ] {
            let hint = as_owner(owner, user);
            assert!(hint.contains(says) && !hint.contains("chown"), "{hint}");
        }
    }
}
