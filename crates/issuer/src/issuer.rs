//! The issuer: opening its home, and unlocking its private keys.

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
    keyring::{KeyInfo, StoredKey},
    keyset,
    passphrase::Passphrase,
    settings::{LOCAL_ACTOR, Settings},
    signer::{KEYSET_KEY, SignError, SignerCache},
    standing::Standing,
    store::{Location, Store, StoreError, Tx},
    vault::{Vault, VaultError},
};

/// An issuer, opened from its home directory. Clones share one issuer, but each has its own actor. `Debug` shows the
/// location and no secret.
///
/// ```
/// use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Passphrase};
/// use bailiwick_token::{grant::Grants, timestamp::Timestamp};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let home = directory.path().join("home");
/// # let now = Timestamp::try_from(std::time::SystemTime::now())?;
/// let options = InitOptions::new("https://issuer.example");
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// let issuer = Issuer::init(&home, options, &passphrase, now).await?;
///
/// let grants = Grants::from_toml("[[grant]]\nservice = \"erp\"\naction = \"order:read\"")?;
/// let request = MintRequest {
///     agent: "agent:buyer".to_owned(),
///     principal: "team:procurement".to_owned(),
///     tenant: None,
///     task: None,
///     claims: Default::default(),
///     grants,
///     ttl: 900,
///     max_depth: None,
///     profile: None,
/// };
/// let minted = issuer.mint(&request, now).await?;
/// assert_eq!(minted.token.appended_blocks(), 0);
/// # Ok(())
/// # })
/// # }
/// ```
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
    /// Opens an issuer whose home was just created, unlocked.
    pub(crate) async fn opened(home: Home, vault: Vault, actor: &str) -> Result<Issuer, OpenError> {
        let mut issuer = Issuer::open(home.path()).await?;
        issuer.vault = Arc::new(OnceLock::from(vault));
        issuer.actor = actor.into();
        Ok(issuer)
    }

    /// Opens the issuer at `home`, locked. An older database is migrated.
    ///
    /// # Errors
    /// [`OpenError`], for example if there is no issuer, others can read the home, or a newer version wrote
    /// the database.
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

    /// Returns every reason why the home at this path cannot be used: a missing file, another owner, or access
    /// by others. The store is not opened.
    #[must_use]
    pub fn check_home(path: &Path) -> Vec<HomeError> {
        Home::check(path)
    }

    /// Unlocks the private keys for the lifetime of this value. The computation takes about a tenth of a second, so
    /// call this method where blocking is allowed.
    ///
    /// # Errors
    /// [`UnlockError`], usually for a wrong passphrase.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<(), UnlockError> {
        let vault = Vault::from_file(&self.home.read_identity()?, passphrase)?;
        if vault.recipient() != self.settings.recipient {
            return Err(VaultError::Mixed.into());
        }
        // If the issuer is unlocked already, its vault has the same identity: the recipient was compared then too.
        let _ = self.vault.set(vault);
        Ok(())
    }

    /// Returns true if the private keys are unlocked.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.vault.get().is_some()
    }

    /// Returns a clone that acts under this name in the audit log. The default actor is `local`.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Issuer {
        Issuer {
            actor: actor.into(),
            ..self.clone()
        }
    }

    /// Returns a clone that acts on this standing. Each transaction that changes something checks the standing first.
    #[must_use]
    pub fn on_standing(&self, standing: Standing) -> Issuer {
        Issuer {
            standing: Arc::new(standing),
            ..self.clone()
        }
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the directory of the issuer.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the public keyset key, which verifiers are configured with.
    #[must_use]
    pub fn keyset_key(&self) -> &PublicKey {
        &self.settings.keyset_key
    }

    /// Returns all root keys in the order in which they were created. The time of a key's next step allows for
    /// verifiers that reported an older keyset.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, StoreError> {
        let policy = self.settings.policy();
        let mut tx = self.store.read().await?;
        let reports = tx.keysets_in_use().await?;
        let ring = keyset::ring(&mut tx, &self.settings)
            .await?
            .with_reports(reports);
        let info = |key: &StoredKey| {
            let mut info = key.info(&policy);
            if let StoredKey::Staged(staged) = key {
                info.next_at = Some(ring.allowed_from(staged));
            }
            info
        };
        let mut infos: Vec<KeyInfo> = ring.keys().map(info).collect();
        infos.sort_by_key(|info| (info.staged_at, info.id));
        Ok(infos)
    }

    /// Closes the database connections of all clones. SQLite then leaves a single file.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Begins a write transaction if the caller's standing still holds. If the standing of a client or an operator
    /// was withdrawn, the refusal is recorded.
    ///
    /// # Errors
    /// [`StoreError::Withdrawn`], or an error of the database.
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

    /// Records an entry, in one transaction with entries of other callers: see [`Commit`].
    pub(crate) async fn record(&self, entry: Entry, time: Timestamp) -> Result<u64, RecordError> {
        let record = Record {
            entry,
            actor: Arc::clone(&self.actor),
            time,
            standing: Arc::clone(&self.standing),
        };
        self.records.submit(record).await
    }

    /// Returns the files of the home that a backup includes.
    pub(crate) fn home_files(&self) -> Result<BTreeMap<String, Vec<u8>>, HomeError> {
        self.home.files()
    }

    /// Returns the location of the database.
    pub(crate) fn location(&self) -> Result<Location, HomeError> {
        self.home.location()
    }

    pub(crate) fn vault(&self) -> Result<&Vault, SignError> {
        self.vault.get().ok_or(SignError::Locked)
    }

    /// Returns the keyset key, which signs keysets, heads and snapshots of revocations, checkpoints and backups.
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

/// An error of opening an issuer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of unlocking an issuer. The private keys stay locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The identity cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The passphrase does not open the identity.
    #[error(transparent)]
    Vault(#[from] VaultError),
}
