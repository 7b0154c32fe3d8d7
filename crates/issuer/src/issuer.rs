//! The issuer as a whole: made, opened, unlocked.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
};

use bailiwick_token::{key::PublicKey, revocation::Epoch, timestamp::Timestamp};
use ed25519_dalek::SigningKey;
use rand::{RngCore, rngs::OsRng};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    batch::Batcher,
    client::{LookUp, SecretsSeen},
    home::{self, Draft, Home, HomeError},
    keyring::{KeyInfo, Ring},
    keys::{self, KeyError},
    keyset::PublishError,
    mint::SignerInUse,
    passphrase::Passphrase,
    record::Commit,
    settings::{InitOptions, Settings, SettingsError},
    standing::Standing,
    store::{Store, StoreError, Tx},
    vault::{Vault, VaultError},
};

/// Who did it, where nobody said.
pub(crate) const ACTOR: &str = "local";

/// The name of the keyset key among the private keys; root keys go by their ids.
pub(crate) const KEYSET_KEY: &str = "keyset";

/// An issuer: a home directory, opened. Clones are one issuer, each with its own actor. `Debug`
/// shows where it is and no secret.
#[derive(Clone)]
pub struct Issuer {
    pub(crate) store: Store,
    pub(crate) settings: Arc<Settings>,
    pub(crate) actor: Arc<str>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) signer: Arc<SignerInUse>,
    pub(crate) records: Arc<Batcher<Commit>>,
    pub(crate) clients_in_use: Arc<Batcher<LookUp>>,
    pub(crate) secrets_seen: Arc<SecretsSeen>,
    home: Home,
    vault: Arc<OnceLock<Vault>>,
}

impl Issuer {
    /// Checks that [`Issuer::init`] and [`Issuer::restore`] can make a home at `path`, before anyone
    /// is asked for a passphrase.
    ///
    /// # Errors
    /// [`HomeError`], where something stands there already or cannot be looked at.
    pub fn check_vacant(path: &Path) -> Result<(), HomeError> {
        home::vacant(path).map(drop)
    }

    /// Makes an issuer at `home`: a keyset key, an active root key, a staged spare, the first
    /// keyset. The result is unlocked. It is made beside its place and moved there as a whole, so
    /// a failure leaves nothing, and nothing that exists is overwritten.
    ///
    /// # Errors
    /// [`InitError`], and there is no issuer.
    pub async fn init(
        home: &Path,
        options: InitOptions,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<Issuer, InitError> {
        options.check()?;
        let draft = Draft::begin(home)?;
        let vault = Vault::generate();
        draft.write(&vault.to_file(passphrase)?, options.store.as_ref())?;
        let store = Store::open(&draft.home().location()?).await?;
        let made = fill(&store, &vault, &options, now).await;
        store.close().await;
        made?;
        Ok(Issuer::opened(draft.keep()?, vault, &options.actor).await?)
    }

    /// The issuer in a home that was just made, unlocked.
    pub(crate) async fn opened(home: Home, vault: Vault, actor: &str) -> Result<Issuer, OpenError> {
        let mut issuer = Issuer::open(home.path()).await?;
        issuer.vault = Arc::new(OnceLock::from(vault));
        issuer.actor = actor.into();
        Ok(issuer)
    }

    /// Opens the issuer at `home`, locked. An older database is brought up to date.
    ///
    /// # Errors
    /// [`OpenError`], where there is none, others can read it, or a newer version wrote it.
    pub async fn open(home: &Path) -> Result<Issuer, OpenError> {
        let home = Home::open(home)?;
        let store = Store::open(&home.location()?).await?;
        let settings = store.read().await?.settings().await?;
        Ok(Issuer {
            records: Arc::new(Batcher::new(Commit(store.clone()))),
            signer: Arc::default(),
            clients_in_use: Arc::new(Batcher::new(LookUp(store.clone()))),
            secrets_seen: Arc::default(),
            store,
            settings: Arc::new(settings),
            actor: ACTOR.into(),
            standing: Arc::default(),
            home,
            vault: Arc::default(),
        })
    }

    /// Opens the private keys for the life of this value. It computes for a tenth of a second,
    /// so a server calls it where blocking is allowed.
    ///
    /// # Errors
    /// [`UnlockError`], as a rule for the wrong passphrase.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<(), UnlockError> {
        let vault = Vault::from_file(&self.home.read_identity()?, passphrase)?;
        if vault.recipient() != self.settings.recipient {
            return Err(VaultError::Mixed.into());
        }
        // Unlocked twice: the same identity.
        let _ = self.vault.set(vault);
        Ok(())
    }

    /// Whether the private keys are open.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.vault.get().is_some()
    }

    /// Names who acts, for the audit; `local` where nobody does.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Issuer {
        Issuer {
            actor: actor.into(),
            ..self.clone()
        }
    }

    /// Acts on these grounds: each transaction that writes compares them first.
    #[must_use]
    pub fn on_standing(&self, standing: Standing) -> Issuer {
        Issuer {
            standing: Arc::new(standing),
            ..self.clone()
        }
    }

    /// What it was set up with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The directory that it was opened at.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What verifiers are configured with.
    #[must_use]
    pub fn keyset_key(&self) -> &PublicKey {
        &self.settings.keyset_key
    }

    /// All root keys, as they came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, StoreError> {
        let policy = self.settings.policy();
        let keys = self.store.read().await?.keys().await?;
        let mut infos: Vec<KeyInfo> = keys.iter().map(|key| key.info(&policy)).collect();
        infos.sort_by_key(|info| (info.staged_at, info.id));
        Ok(infos)
    }

    /// Ends all connections to the database, of all clones; of SQLite's files one is left.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Begins to write, if the grounds of the caller still hold. That they do not is on record then.
    ///
    /// # Errors
    /// [`StoreError::Withdrawn`], or the database.
    pub(crate) async fn write(&self, now: Timestamp) -> Result<Tx, StoreError> {
        let mut tx = self.store.write().await?;
        let Some(withdrawn) = self.standing.withdrawn(&mut tx, now).await? else {
            return Ok(tx);
        };
        if let Some(entry) = self.standing.refusal(withdrawn) {
            tx.record(entry, &self.actor, now).await?;
            tx.commit().await?;
        }
        Err(withdrawn.into())
    }

    /// The files of the home that a backup takes along.
    pub(crate) fn home_files(&self) -> Result<BTreeMap<String, Vec<u8>>, HomeError> {
        self.home.files()
    }

    pub(crate) fn vault(&self) -> Result<&Vault, Locked> {
        self.vault.get().ok_or(Locked)
    }

    /// The key that signs keysets and revocation lists.
    pub(crate) async fn keyset_signer(&self, tx: &mut Tx) -> Result<SigningKey, PublishError> {
        let sealed = tx.sealed(KEYSET_KEY).await?;
        Ok(self.vault()?.unseal(&sealed, &self.settings.keyset_key)?)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.settings.issuer)
            .field("home", &self.home.path())
            .field("unlocked", &self.is_unlocked())
            .finish_non_exhaustive()
    }
}

/// Fills an empty database: one transaction.
async fn fill(
    store: &Store,
    vault: &Vault,
    options: &InitOptions,
    now: Timestamp,
) -> Result<(), InitError> {
    let signer = SigningKey::generate(&mut OsRng);
    let keyset_key = signer
        .verifying_key()
        .try_into()
        .map_err(|_| VaultError::Damaged)?;
    let settings = Settings {
        issuer: options.issuer.clone(),
        refresh_hint: options.refresh_hint,
        max_token_ttl: options.max_token_ttl,
        keyset_life: options.keyset_life,
        revocation_url: options.revocation_url.clone(),
        keyset_key,
        recipient: vault.recipient(),
    };
    let mut fresh = keys::Fresh::new(&settings.issuer);
    let ring = Ring::new(settings.policy(), [], 1);
    let ring = fresh.complete(ring, now).map_err(KeyError::from)?;

    let mut tx = store.write().await?;
    if tx.is_taken().await? {
        return Err(InitError::Taken);
    }
    tx.insert_settings(&settings, &epoch().to_string()).await?;
    tx.insert_sealed(KEYSET_KEY, &vault.seal(&signer)?).await?;
    let detail = json!({
        "issuer": settings.issuer,
        "keyset_key": settings.keyset_key,
        "refresh_hint": settings.refresh_hint,
        "max_token_ttl": settings.max_token_ttl,
        "keyset_life": settings.keyset_life,
        "revocation_url": settings.revocation_url,
    });
    tx.record(Entry::new(AuditEvent::Init, detail), &options.actor, now)
        .await?;
    keys::save(
        &mut tx,
        &settings,
        vault,
        &signer,
        &ring,
        fresh,
        &options.actor,
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// A name for a history of revocations.
pub(crate) fn epoch() -> Epoch {
    Epoch::from_bytes(OsRng.next_u64().to_be_bytes())
}

/// The private keys are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private keys are locked: give the passphrase of the home")]
pub struct Locked;

/// Why no issuer was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// An option is out of range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database on the server has an issuer already.
    #[error(
        "the database is in use by an issuer: to run another one on it, copy that one's home here"
    )]
    Taken,
    /// The private keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first root keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The finished home could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why an issuer was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the private keys stay locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The identity cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The passphrase does not open it.
    #[error(transparent)]
    Vault(#[from] VaultError),
}
