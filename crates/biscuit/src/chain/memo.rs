//! Signatures that have verified.

use quick_cache::sync::Cache;

use crate::key::PublicKey;

/// How many signatures are remembered: 32 bytes each, and what the cache keeps beside them.
const SIGNATURES: usize = 64 * 1024;

/// How many keys are remembered: 224 bytes each.
const KEYS: usize = 4 * 1024;

/// Digests of triples of key, message and signature that verified, and the keys with which open
/// tokens end: what is appended is signed with them. Nothing is stored of a token that fails, so
/// nobody can fill it without signing.
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

    /// The Ed25519 key of these bytes, where it has been read before.
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
