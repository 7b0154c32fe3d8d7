//! Signatures that have verified.

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::link::{Link, Signed};

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

/// The digest of a triple. Key and signature have fixed lengths for each algorithm, which is told
/// first, so no two triples share a text.
pub(super) fn digest(link: &Link<'_>) -> [u8; 32] {
    let mut digest = match &link.signed {
        Signed::Ed25519(key, signature) => Sha256::new()
            .chain_update([0])
            .chain_update(key.as_bytes())
            .chain_update(signature.to_bytes()),
        Signed::Secp256r1(key, signature) => Sha256::new()
            .chain_update([1])
            .chain_update(key.to_encoded_point(true))
            .chain_update(signature.to_bytes()),
    };
    link.message.parts().for_each(|part| digest.update(part));
    digest.finalize().into()
}
