//! The keys that sign, and the cache of the active root key.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bailiwick_biscuit::build::KeyPair;
use bailiwick_token::key::KeyId;

use crate::{
    store::{StoreError, Tx},
    vault::{Vault, VaultError},
};

/// The name of the keyset key among the stored private keys. Root keys are stored under their ids.
pub(crate) const KEYSET_KEY: &str = "keyset";

/// A root key that can sign. Its public half is computed only once, not for each token.
pub(crate) struct TokenSigner {
    pub(crate) id: KeyId,
    pub(crate) key: KeyPair,
}

/// The active key as last loaded, with its private half. The private half is wiped when the key is replaced.
#[derive(Default)]
pub(crate) struct SignerCache(ArcSwapOption<TokenSigner>);

impl SignerCache {
    /// Returns the last key that was loaded. Another key may be active by now.
    pub(crate) fn get(&self) -> Option<Arc<TokenSigner>> {
        self.0.load_full()
    }

    /// Loads the active key and caches it.
    pub(crate) async fn load(
        &self,
        tx: &mut Tx,
        vault: &Vault,
    ) -> Result<Arc<TokenSigner>, SignError> {
        let key = tx
            .active_key()
            .await?
            .ok_or(StoreError::Damaged("root key"))?;
        let sealed = tx.sealed(&key.id.to_string()).await?;
        let secret = vault.unseal(&sealed, &key.public)?;
        let signer = Arc::new(TokenSigner {
            id: key.id,
            key: KeyPair::new(&secret).map_err(|_| VaultError::Damaged)?,
        });
        self.0.store(Some(Arc::clone(&signer)));
        Ok(signer)
    }

    /// Drops the key, because another one is active.
    pub(crate) fn clear(&self) {
        self.0.store(None);
    }
}

/// The error of a failed signature. Nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The passphrase is needed.
    #[error("the private keys are locked; give the passphrase of the home")]
    Locked,
    /// The private keys cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Implements `From` so that `?` turns errors of the store and the vault into an error that contains a
/// [`SignError`].
macro_rules! from_sources {
    ($error:ty) => {
        impl From<$crate::store::StoreError> for $error {
            fn from(error: $crate::store::StoreError) -> $error {
                $crate::signer::SignError::from(error).into()
            }
        }

        impl From<$crate::vault::VaultError> for $error {
            fn from(error: $crate::vault::VaultError) -> $error {
                $crate::signer::SignError::from(error).into()
            }
        }
    };
}

pub(crate) use from_sources;
