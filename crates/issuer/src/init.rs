//! Creating an issuer: a home, its database and the first keys.

use std::path::Path;

use bailiwick_token::timestamp::Timestamp;
use ed25519_dalek::SigningKey;
use rand::rngs::OsRng;
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    feed::new_epoch,
    home::{self, Draft, HomeError},
    issuer::{Issuer, OpenError},
    keyring::Ring,
    keys::{self, RootKeyError},
    passphrase::Passphrase,
    settings::{InitOptions, Settings, SettingsError},
    signer::{KEYSET_KEY, SignError, from_sources},
    store::Store,
    vault::{Vault, VaultError},
};

impl Issuer {
    /// Checks that [`Issuer::init`] and [`Issuer::restore`] can create a home at `path`. Call this before asking
    /// anybody for a passphrase.
    ///
    /// # Errors
    /// [`HomeError`] if something exists there already or the path cannot be read.
    pub fn check_vacant(path: &Path) -> Result<(), HomeError> {
        home::vacant(path).map(drop)
    }

    /// Creates an issuer at `home`, with a keyset key, an active root key, a staged spare and the first keyset.
    /// The result is unlocked. The home is created beside its final path and moved there as a whole, so a
    /// failure leaves nothing behind, and existing files are never overwritten.
    ///
    /// # Errors
    /// [`InitError`]; in that case, no issuer was created.
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
}

/// Fills an empty database in one transaction.
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
        keyset_key,
        recipient: vault.recipient(),
    };
    let mut fresh = keys::Fresh::new(&settings.issuer);
    let ring = Ring::new(settings.policy(), [], 1);
    let ring = fresh.complete(ring, now).map_err(RootKeyError::from)?;

    let mut tx = store.write().await?;
    if tx.is_taken().await? {
        return Err(InitError::Taken);
    }
    let revocation_url = options.revocation_url.clone();
    tx.insert_settings(&settings, revocation_url.clone(), &new_epoch().to_string())
        .await?;
    tx.insert_sealed(KEYSET_KEY, &vault.seal(&signer)?).await?;
    let detail = json!({
        "issuer": settings.issuer,
        "keyset_key": settings.keyset_key,
        "refresh_hint": settings.refresh_hint,
        "max_token_ttl": settings.max_token_ttl,
        "keyset_life": settings.keyset_life,
        "revocation_url": revocation_url,
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

/// An error of creating an issuer. Nothing was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// An option is out of range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database on the server already belongs to an issuer.
    #[error(
        "the database already contains an issuer; use an empty database, or copy the home of that issuer here to run it twice"
    )]
    Taken,
    /// The first root keys cannot be created.
    #[error(transparent)]
    Key(#[from] RootKeyError),
    /// The private keys or the database cannot be used.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The finished home could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

from_sources!(InitError);
