//! Access to the issuer in the home: opening it, unlocking it only if needed, and closing it.

use bailiwick_issuer::{
    BackupError, ClientError, InitError, Issuer, MintError, OpenError, RestoreError,
    RevocationUrlError, RevokeError, RootKeyError, SignError, SnapshotFailure, StoreError,
    TokenListError, TransitionError, UnlockError,
};
use bailiwick_service::client_keys::ClientKeyError;
use nix::unistd::{Uid, User};

use crate::{
    exit::{Exit, Failure},
    hint::Hint,
    input,
    passphrase::PassphraseArg,
    settings::Global,
};

/// The environment variable with the actor for the audit log.
const ACTOR: &str = "BAILIWICK_ACTOR";

/// Maximum length of a user's name in the audit, in bytes.
const MAX_USER: usize = 256;

/// The actor for the audit: the system user, preceded by the name that the environment states, if any. The name
/// alone would let anybody act as somebody else.
pub(crate) fn actor() -> Result<String, Failure> {
    let user = system_user();
    let stated = input::variable(ACTOR)?.filter(|actor| !actor.is_empty());
    Ok(match stated {
        Some(stated) => format!("{} (local:{user})", stated.as_str()),
        None => format!("local:{user}"),
    })
}

/// The name of the user who runs this process, or the user's number if the system knows no name.
fn system_user() -> String {
    let id = Uid::current();
    let user = User::from_uid(id).ok().flatten().map(|user| user.name);
    user.filter(|name| (1..=MAX_USER).contains(&name.len()))
        .unwrap_or_else(|| format!("#{id}"))
}

/// Opens the issuer in the home. The caller must close it.
pub(crate) async fn open(global: &Global) -> Result<Issuer, Failure> {
    let home = global.home()?;
    tracing::debug!(home = %home.display(), "opening the issuer");
    let issuer = Issuer::open(&home).await?;
    Ok(issuer.acting_as(&actor()?))
}

/// Runs work on the issuer in the home that no remote issuer can do, and closes the issuer. `what` is the command, such
/// as `key import`.
pub(crate) async fn with<T>(
    global: &Global,
    what: &str,
    work: impl AsyncFnOnce(&Issuer) -> Result<T, Failure>,
) -> Result<T, Failure> {
    global.only_here(what)?;
    let issuer = open(global).await?;
    let done = work(&issuer).await;
    issuer.close().await;
    done
}

/// Runs work that may need the private keys, and unlocks them only if it does. For example, a guard's refusal
/// or a file that is already signed needs no passphrase.
pub(crate) async fn unlocking<T, E: MayBeLocked>(
    issuer: &Issuer,
    passphrase: &PassphraseArg,
    global: &Global,
    verb: impl AsyncFn() -> Result<T, E>,
) -> Result<T, Failure> {
    match verb().await {
        Err(error) if error.is_locked() => {
            tracing::debug!("opening the private keys");
            issuer.unlock(&passphrase.passphrase(global)?)?;
            verb().await.map_err(Into::into)
        }
        done => done.map_err(Into::into),
    }
}

/// An error that may mean that the operation needs the passphrase.
pub(crate) trait MayBeLocked: Into<Failure> {
    fn is_locked(&self) -> bool;
}

macro_rules! may_be_locked {
    ($($error:ident),*) => {$(
        impl MayBeLocked for $error {
            fn is_locked(&self) -> bool {
                matches!(self, $error::Sign(SignError::Locked))
            }
        }
    )*};
}

may_be_locked!(RootKeyError, MintError, RevocationUrlError, SnapshotFailure);

impl MayBeLocked for SignError {
    fn is_locked(&self) -> bool {
        matches!(self, SignError::Locked)
    }
}

// The exit codes of the issuer's errors.

impl From<RootKeyError> for Failure {
    fn from(error: RootKeyError) -> Failure {
        let exit = match &error {
            RootKeyError::Transition(TransitionError::NotFound(_)) => Exit::NotFound,
            RootKeyError::Transition(_) | RootKeyError::Reason => Exit::Guarded,
            _ => Exit::Local,
        };
        error.failure(exit)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let exit = match &error {
            ClientError::NotFound(_) | ClientError::KeyNotFound(_) => Exit::NotFound,
            ClientError::Name | ClientError::Principal | ClientError::Profiles => Exit::Usage,
            ClientError::Exists(_)
            | ClientError::Disabled(_)
            | ClientError::TooManySecrets
            | ClientError::KeyExists(_)
            | ClientError::TooManyKeys => Exit::Guarded,
            _ => Exit::Local,
        };
        Failure::new(exit, error)
    }
}

impl From<ClientKeyError> for Failure {
    fn from(error: ClientKeyError) -> Failure {
        match error {
            ClientKeyError::Client(error) => error.into(),
            other => Failure::new(Exit::Local, other),
        }
    }
}

impl From<MintError> for Failure {
    fn from(error: MintError) -> Failure {
        match &error {
            // The issuer decided to refuse, and recorded it.
            MintError::Refused(_) => error
                .failure(Exit::Denied)
                .or_hint("correct the request; the audit has recorded the refusal"),
            _ => error.failure(Exit::Local),
        }
    }
}

impl From<TokenListError> for Failure {
    fn from(error: TokenListError) -> Failure {
        match &error {
            TokenListError::Unknown(_) => Failure::new(Exit::Usage, error),
            _ => Failure::new(Exit::Local, error),
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Failure {
        match &error {
            // Without enough evidence, a restore is not safe.
            RestoreError::Evidence(_) => error.failure(Exit::Guarded),
            _ => error.failure(Exit::Local),
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Failure {
        match &error {
            RevokeError::Reason | RevokeError::Full => error.failure(Exit::Guarded),
            _ => error.failure(Exit::Local),
        }
    }
}

impl From<RevocationUrlError> for Failure {
    fn from(error: RevocationUrlError) -> Failure {
        match &error {
            RevocationUrlError::Url(_) => error.failure(Exit::Usage),
            _ => error.failure(Exit::Local),
        }
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Failure {
        match &error {
            InitError::Settings(_) => error.failure(Exit::Usage),
            _ => error.failure(Exit::Local),
        }
    }
}

macro_rules! local {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                error.failure(Exit::Local)
            }
        }
    )*};
}

local!(
    BackupError,
    OpenError,
    SignError,
    SnapshotFailure,
    StoreError,
    UnlockError
);
