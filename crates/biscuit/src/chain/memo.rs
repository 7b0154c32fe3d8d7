//! A memory of signatures that have verified.

use quick_cache::sync::Cache;

use crate::key::PublicKey;

/// Maximum number of signatures to remember. Each takes 32 bytes plus the overhead of the cache.
const SIGNATURES: usize = 64 * 1024;

/// Maximum number of keys to remember. Each takes 224 bytes.
const KEYS: usize = 4 * 1024;

/// The digests of verified triples of key, message and signature, and the last keys of open tokens, which sign
/// the next appended block. Nothing is stored for a token that fails, so nobody can fill the memo without a
/// valid signature under the root key.
pub struct Memo {
    signatures: Cache<[u8; 32], ()>,
    keys: Cache<[u8; 32], PublicKey>,
}

impl Default for Memo {
    fn default() -> Memo {
        Memo {
            signatures: Cache::new(SIGNATURES),
            keys: Cache::new(KEYS),
        }
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo")
            .field("signatures", &self.signatures.len())
            .finish_non_exhaustive()
    }
}

impl Memo {
    pub(super) fn holds(&self, digest: &[u8; 32]) -> bool {
        self.signatures.get(digest).is_some()
    }

    /// Returns the Ed25519 key with these bytes, if it was read before.
    pub(super) fn key(&self, bytes: &[u8]) -> Option<PublicKey> {
        self.keys.get(bytes)
    }

    pub(super) fn remember_key(&self, key: PublicKey) {
        self.keys.insert(*key.as_bytes(), key);
    }

    pub(super) fn remember(&self, digest: [u8; 32]) {
        self.signatures.insert(digest, ());
    }
}
