//! Creation, hashing and verification of clients' secrets, and a memory of verified ones.

use std::fmt;

use bailiwick_token::timestamp::Timestamp;
use quick_cache::sync::Cache;
use rand::{RngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{
    hashing::{Buffer, CALLERS, OPERATORS},
    info::SecretInfo,
};
use crate::store::{StoreError, StoredSecret};

/// A new secret. Only its hash is stored, so the text is not available later. `Debug` does not show it.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    fn generate() -> (String, ClientSecret) {
        let mut id = [0; 6];
        let mut random = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut id);
        OsRng.fill_bytes(&mut *random);
        let id = hex::encode(id);
        let mut digits = hex::encode(random.as_slice());
        let secret = Zeroizing::new(format!("{id}.{digits}"));
        digits.zeroize();
        (id, ClientSecret(secret))
    }

    /// Returns the text, to be given to the client.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").finish_non_exhaustive()
    }
}

/// Creates a secret, and the part of it that is stored; `None` if the secret cannot be hashed.
pub(super) async fn generate(
    now: Timestamp,
) -> Result<Option<(StoredSecret, ClientSecret)>, StoreError> {
    let (id, secret) = ClientSecret::generate();
    let made = OPERATORS.run(|| {
        move |buffer: &mut Buffer| {
            let hash = buffer.hash(secret.expose().as_bytes());
            hash.map(|hash| (hash, secret))
        }
    });
    let info = SecretInfo {
        id,
        created_at: now,
        expires: None,
    };
    let made = made.await?.flatten();
    Ok(made.map(|(hash, secret)| (StoredSecret { info, hash }, secret)))
}

/// Secrets that were verified recently, so that a client that calls every minute does not cost an Argon2id
/// computation each time. Only hashes of high-entropy secrets are kept, under a key of this process.
pub(crate) struct VerifiedSecrets {
    key: [u8; 32],
    good: Cache<[u8; 32], ()>,
}

impl Default for VerifiedSecrets {
    fn default() -> VerifiedSecrets {
        let mut key = [0; 32];
        OsRng.fill_bytes(&mut key);
        VerifiedSecrets {
            key,
            good: Cache::new(4_096),
        }
    }
}

impl VerifiedSecrets {
    /// Returns true if `hash` is the hash of `secret`. Without a hash, the call takes just as long and returns
    /// false.
    pub(super) async fn verify(
        &self,
        hash: Option<String>,
        secret: &str,
    ) -> Result<bool, StoreError> {
        let hash = hash.unwrap_or_else(|| nobody().to_owned());
        let digest = self.digest(&hash, secret);
        if self.good.get(&digest).is_some() {
            return Ok(true);
        }
        let secret = Zeroizing::new(secret.to_owned());
        let right = CALLERS.run(|| {
            // While this call waited, another one may have verified the same secret: after a start,
            // many calls arrive at once.
            let seen = self.good.get(&digest).is_some();
            move |buffer: &mut Buffer| seen || buffer.verifies(secret.as_bytes(), &hash)
        });
        let right = right.await?.unwrap_or(false);
        if right {
            self.good.insert(digest, ());
        }
        Ok(right)
    }

    /// Returns true if `secret` was recently verified against this hash.
    pub(super) fn knows(&self, hash: &str, secret: &str) -> bool {
        self.good.get(&self.digest(hash, secret)).is_some()
    }

    fn digest(&self, hash: &str, secret: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update((hash.len() as u64).to_be_bytes())
            .chain_update(hash)
            .chain_update(secret)
            .finalize()
            .into()
    }
}

/// Returns the hash of a secret that nobody has.
fn nobody() -> &'static str {
    static NOBODY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NOBODY.get_or_init(|| {
        let (_, secret) = ClientSecret::generate();
        let hash = Buffer::default().hash(secret.expose().as_bytes());
        hash.unwrap_or_default()
    })
}
