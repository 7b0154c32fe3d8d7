//! Argon2id hashing of secrets: a few at a time, in reused memory.
//!
//! Each computation needs 19 MiB. An allocator may keep freed memory, once per thread, so a flood of wrong
//! secrets could make the process many times larger than the memory in use. So there are only as many buffers
//! as can be in use at a time. They are wiped after each use and never freed.

use std::sync::{Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use rand::{RngCore, rngs::OsRng};
use tokio::sync::Semaphore;
use zeroize::Zeroize;

use crate::store::StoreError;

/// Length of a salt and of a hash, in bytes (RFC 9106, section 3.1).
const SALT: usize = 16;
const HASH: usize = Params::DEFAULT_OUTPUT_LEN;

/// The places for callers that compute Argon2id or wait for their turn. Their number is small, so that each
/// caller gets its turn within seconds.
pub(super) struct Places {
    waiting: Semaphore,
    working: Semaphore,
    buffers: Mutex<Vec<Buffer>>,
}

/// The places for callers that authenticate, known or not.
pub(super) static CALLERS: Places = Places::new(256, 2);

/// The places for operators that create secrets, so that they do not wait behind callers.
pub(super) static OPERATORS: Places = Places::new(16, 1);

/// The memory of one Argon2id computation.
#[derive(Default)]
pub(super) struct Buffer(Vec<Block>);

impl Places {
    const fn new(waiting: usize, working: usize) -> Places {
        Places {
            waiting: Semaphore::const_new(waiting),
            working: Semaphore::const_new(working),
            buffers: Mutex::new(Vec::new()),
        }
    }

    /// Waits for a free place, then calls `work` and runs the computation that it returns.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`]. The result is `None` if the computation panicked.
    pub(super) async fn run<T, W>(
        &'static self,
        work: impl FnOnce() -> W,
    ) -> Result<Option<T>, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Buffer) -> T + Send + 'static,
    {
        let waits = self.waiting.try_acquire();
        let _waits = waits.map_err(|_| StoreError::Overloaded)?;
        let Ok(place) = self.working.acquire().await else {
            return Ok(None);
        };
        let work = work();
        // The place moves into the blocking task. So if a caller hangs up, its place is not free until its work has
        // ended.
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut buffer = self.buffers().pop().unwrap_or_default();
            let done = work(&mut buffer);
            self.buffers().push(buffer);
            done
        });
        Ok(done.await.ok())
    }

    fn buffers(&self) -> std::sync::MutexGuard<'_, Vec<Buffer>> {
        // A panic cannot leave the list half-changed, so a poisoned lock is no danger.
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Returns the hash of a new secret in the PHC string format; `None` if Argon2 refuses the secret.
    pub(super) fn hash(&mut self, secret: &[u8]) -> Option<String> {
        let mut salt = [0; SALT];
        OsRng.fill_bytes(&mut salt);
        let params = Params::default();
        let hash = self.argon2id(secret, &salt, HASH, &params)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(hash),
        };
        Some(hash.to_string())
    }

    /// Returns true if `hash` is the hash of `secret`.
    pub(super) fn verifies(&mut self, secret: &[u8], hash: &str) -> bool {
        self.verified(secret, hash).unwrap_or(false)
    }

    /// Like [`Buffer::verifies`], but returns `None` if `hash` is not a hash of Argon2id.
    fn verified(&mut self, secret: &[u8], hash: &str) -> Option<bool> {
        let hash = PasswordHash::new(hash).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let version = Version::try_from(hash.version?).ok()?;
        if hash.algorithm != Algorithm::Argon2id.ident() || version != Version::V0x13 {
            return None;
        }
        let params = Params::try_from(&hash.params).ok()?;
        let found = self.argon2id(secret, &salt, expected.len(), &params)?;
        // `Output` compares in constant time.
        Some(found == expected)
    }

    fn argon2id(
        &mut self,
        secret: &[u8],
        salt: &[u8],
        length: usize,
        params: &Params,
    ) -> Option<Output> {
        // All stored hashes were made here with the default parameters, so a row that asks for more
        // memory was tampered with.
        if params.block_count() > Params::default().block_count() {
            return None;
        }
        self.0.resize(Params::default().block_count(), Block::new());
        let mut hash = [0; Output::MAX_LENGTH];
        let hash = hash.get_mut(..length)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let done = argon2.hash_password_into_with_memory(secret, salt, hash, &mut self.0);
        self.0.iter_mut().for_each(Zeroize::zeroize);
        done.ok()?;
        Output::new(hash).ok()
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    /// This module and the library verify each other's hashes, and use the same parameters.
    #[test]
    fn agrees_with_the_library() {
        let mut buffer = Buffer::default();
        let hash = buffer.hash(b"a secret").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let parsed = PasswordHash::new(&hash).unwrap();
        assert!(
            Argon2::default()
                .verify_password(b"a secret", &parsed)
                .is_ok()
        );
        assert!(
            Argon2::default()
                .verify_password(b"another", &parsed)
                .is_err()
        );

        let theirs: PasswordHash = Argon2::default().hash_password(b"a secret").unwrap();
        let theirs = theirs.to_string();
        assert!(buffer.verifies(b"a secret", &theirs) && !buffer.verifies(b"another", &theirs));
        assert!(buffer.verifies(b"a secret", &hash) && !buffer.verifies(b"a secre", &hash));
        assert_ne!(
            buffer.hash(b"a secret").unwrap(),
            hash,
            "each has a salt of its own"
        );
    }

    #[test]
    fn other_hashes_verify_nothing() {
        let mut buffer = Buffer::default();
        let hash = buffer.hash(b"a secret").unwrap();
        for other in [
            String::new(),
            hash.replace("argon2id", "argon2i"),
            hash.replace("v=19", "v=16"),
            hash.replace("$v=19", ""),
            hash.replace("m=19456", "m=19457"),
            hash.replace("t=2", "t=3"),
            hash.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(!buffer.verifies(b"a secret", &other), "{other}");
        }
    }

    /// No part of a secret stays in memory, and the buffer is reused.
    #[test]
    fn buffers_are_wiped_and_kept() {
        let mut buffer = Buffer::default();
        let _hash = buffer.hash(b"a secret").unwrap();
        let (place, length) = (buffer.0.as_ptr(), buffer.0.len());
        assert_eq!(length, Params::default().block_count());
        let wiped = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        assert!(buffer.0.iter().all(wiped));
        let _wrong = buffer.verifies(b"another", &buffer_hash());
        assert_eq!((buffer.0.as_ptr(), buffer.0.len()), (place, length));
        assert!(buffer.0.iter().all(wiped));
    }

    fn buffer_hash() -> String {
        Buffer::default().hash(b"a secret").unwrap()
    }

    /// A flood of callers uses no more buffers than there are places for computing.
    #[tokio::test]
    async fn a_flood_uses_few_buffers() {
        static PLACES: Places = Places::new(64, 2);
        let flood = (0..16).map(|_| {
            tokio::spawn(PLACES.run(|| |buffer: &mut Buffer| buffer.hash(b"a secret").is_some()))
        });
        for hashed in flood.collect::<Vec<_>>() {
            assert_eq!(hashed.await.unwrap().unwrap(), Some(true));
        }
        assert!((1..=2).contains(&PLACES.buffers().len()));
    }
}
