//! The issuer as a whole: opened and unlocked.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
};

use bailiwick_token::{key::PublicKey, timestamp::Timestamp};
use ed25519_dalek::SigningKey;

use crate::{
    audit::Entry,
    batch::Batcher,
    client::{secret::VerifiedSecrets, signed_in::ClientLookup},
    group_commit::{Commit, Record, RecordError},
    home::{Home, HomeError},
    keyring::KeyInfo,
    passphrase::Passphrase,
    settings::{LOCAL_ACTOR, Settings},
    signer::{KEYSET_KEY, SignError, SignerCache},
    standing::Standing,
    store::{Store, StoreError, Tx},
    vault::{Vault, VaultError},
};

/// An issuer: a home directory, opened. Clones are one issuer, each with its own actor. `Debug`
/// shows where it is and no secret.
#[derive(Clone)]
pub struct Issuer {
    pub(crate) store: Store,
    pub(crate) settings: Arc<Settings>,
    pub(crate) actor: Arc<str>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) signer: Arc<SignerCache>,
    records: Arc<Batcher<Commit>>,
    pub(crate) client_lookup: Arc<Batcher<ClientLookup>>,
    pub(crate) verified_secrets: Arc<VerifiedSecrets>,
    home: Home,
    vault: Arc<OnceLock<Vault>>,
}

impl Issuer {
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
            client_lookup: Arc::new(Batcher::new(ClientLookup(store.clone()))),
            verified_secrets: Arc::default(),
            store,
            settings: Arc::new(settings),
            actor: LOCAL_ACTOR.into(),
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

    /// Records, together with others: see [`Commit`].
    pub(crate) async fn record(&self, entry: Entry, time: Timestamp) -> Result<u64, RecordError> {
        let record = Record {
            entry,
            actor: Arc::clone(&self.actor),
            time,
            standing: Arc::clone(&self.standing),
        };
        self.records.submit(record).await
    }

    /// The files of the home that a backup takes along.
    pub(crate) fn home_files(&self) -> Result<BTreeMap<String, Vec<u8>>, HomeError> {
        self.home.files()
    }

    pub(crate) fn vault(&self) -> Result<&Vault, SignError> {
        self.vault.get().ok_or(SignError::Locked)
    }

    /// The key that signs keysets and revocation lists.
    pub(crate) async fn keyset_signer(&self, tx: &mut Tx) -> Result<SigningKey, SignError> {
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
