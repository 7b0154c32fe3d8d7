//! The cache of verified tokens, keyed by their exact text.

use std::{fmt, sync::Arc};

use foldhash::quality::RandomState;
use quick_cache::{
    Weighter,
    sync::{Cache, DefaultLifecycle},
};

use crate::verified::Verified;

/// Size of a typical cached token, in bytes. It only determines the initial capacity.
const TYPICAL_BYTES: usize = 4 * 1024;

/// A cache of verified tokens, up to a total number of bytes.
///
/// Keys are whole texts, hashed with a secret that is random for each process. Presence in the cache means only that
/// the token was verified once: each decision checks the root key and revocations again, so nothing need be evicted
/// when they change.
pub(crate) struct TokenCache(Option<Cache<Arc<str>, Arc<Verified>, Bytes, RandomState>>);

#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<str>, Arc<Verified>> for Bytes {
    fn weight(&self, _: &Arc<str>, token: &Arc<Verified>) -> u64 {
        // The overhead of the cache for each entry, and the reference counts of shared data.
        const ENTRY: usize = 64;
        // The token's size includes the text, which is also the key.
        token.size().saturating_add(ENTRY) as u64
    }
}

impl TokenCache {
    /// Makes a cache of at most `bytes` bytes. With 0 it keeps nothing.
    pub(crate) fn new(bytes: usize) -> TokenCache {
        let cache = || {
            let expected = bytes.div_ceil(TYPICAL_BYTES);
            Cache::with(
                expected,
                bytes as u64,
                Bytes,
                RandomState::default(),
                DefaultLifecycle::default(),
            )
        };
        TokenCache((bytes > 0).then(cache))
    }

    pub(crate) fn get(&self, text: &str) -> Option<Arc<Verified>> {
        self.0.as_ref()?.get(text)
    }

    pub(crate) fn insert(&self, token: Arc<Verified>) {
        if let Some(cache) = &self.0 {
            cache.insert(Arc::clone(token.source.text()), token);
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.as_ref().map_or(0, |cache| cache.len());
        f.debug_struct("TokenCache")
            .field("count", &count)
            .finish_non_exhaustive()
    }
}
