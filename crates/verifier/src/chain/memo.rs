//! Signatures that have verified.

use ed25519_dalek::{Signature, VerifyingKey};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

/// How many signatures are remembered: 32 bytes each, and what the cache keeps beside them.
const CAPACITY: usize = 64 * 1024;

/// Digests of triples of key, message and signature that verified. Failures are not stored, so
/// nobody can fill it without signing.
pub(crate) struct Memo(Cache<[u8; 32], ()>);

impl Default for Memo {
    fn default() -> Memo {
        Memo(Cache::new(CAPACITY))
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo")
            .field("signatures", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl Memo {
    pub(super) fn holds(&self, digest: &[u8; 32]) -> bool {
        self.0.get(digest).is_some()
    }

    pub(super) fn remember(&self, digest: [u8; 32]) {
        self.0.insert(digest, ());
    }
}

/// The digest of a triple. Key and signature have fixed lengths, so no two triples share a text.
pub(super) fn digest(key: &VerifyingKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    Sha256::new()
        .chain_update(key.as_bytes())
        .chain_update(signature.to_bytes())
        .chain_update(message)
        .finalize()
        .into()
}
