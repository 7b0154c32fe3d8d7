//! Trust from files, which are read again while the service runs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bailiwick_token::{dsse::MAX_ENVELOPE, key::PublicKey, revocation::MAX_SNAPSHOT};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::{
    bounded,
    error::RefreshError,
    status::{SharedStatus, Status},
    task::{blocking, caught},
};
use crate::{clock::Clock, trust::Trust, verifier::Verifier};

/// Minimum interval between two reads of the files.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// The files that an issuer exports.
#[derive(Debug, Clone)]
pub(super) struct TrustFiles {
    pub(super) keyset: PathBuf,
    pub(super) revocations: Option<PathBuf>,
    pub(super) keyset_key: PublicKey,
}

/// A digest of the contents of the files.
type FilesDigest = [u8; 32];

impl TrustFiles {
    /// Reads and verifies the files. Returns `None` if their digest is still `known`.
    fn read(
        &self,
        known: Option<FilesDigest>,
    ) -> Result<Option<(Trust, FilesDigest)>, RefreshError> {
        let read = |path: &PathBuf, limit| {
            bounded::read(path, limit).map_err(|error| RefreshError::File {
                path: path.clone(),
                error,
            })
        };
        let keyset = read(&self.keyset, MAX_ENVELOPE)?;
        let revocations = self.revocations.as_ref();
        let revocations = revocations
            .map(|path| read(path, MAX_SNAPSHOT))
            .transpose()?;
        let mut digest = Sha256::new_with_prefix(Sha256::digest(&keyset));
        digest.update(revocations.as_deref().unwrap_or_default());
        let digest = digest.finalize().into();
        if known == Some(digest) {
            return Ok(None);
        }
        let trust = Trust::open(&keyset, &self.keyset_key, revocations.as_deref())?;
        Ok(Some((trust, digest)))
    }
}

/// Keeps the trust of one verifier as fresh as its files.
pub(super) struct FileRefresher {
    files: TrustFiles,
    every: Duration,
    clock: Clock,
    status: SharedStatus,
    digest: FilesDigest,
}

impl FileRefresher {
    /// Reads the files for the first time.
    pub(super) async fn start(
        files: TrustFiles,
        every: Duration,
        clock: Clock,
    ) -> Result<(FileRefresher, Trust), RefreshError> {
        let first = files.clone();
        let read = blocking(move || first.read(None)).await??;
        let Some((trust, digest)) = read else {
            return Err(RefreshError::Interrupted);
        };
        let refresher = FileRefresher {
            status: SharedStatus::new(Status::new(&trust)),
            every: every.max(SHORTEST_INTERVAL),
            files,
            clock,
            digest,
        };
        refresher.checked();
        Ok((refresher, trust))
    }

    pub(super) fn status(&self) -> SharedStatus {
        self.status.clone()
    }

    /// Keeps the verifier's trust fresh until this future is dropped.
    pub(super) async fn run(mut self, verifier: Arc<Verifier>) {
        loop {
            sleep(self.every).await;
            if caught(self.poll(&verifier)).await.is_err() {
                self.status.panicked(&self.clock);
            }
        }
    }

    async fn poll(&mut self, verifier: &Arc<Verifier>) {
        match self.replace(verifier).await {
            Ok(()) => self.checked(),
            Err(error) => {
                let now = (self.clock)();
                self.status.change(|status| status.failed(&error, now));
                let file = self.files.keyset.display();
                match error.is_rollback() {
                    true => tracing::error!(
                        %file, %error,
                        "the files would roll back those in use, so they are ignored"
                    ),
                    false => tracing::warn!(
                        %file, %error,
                        "the files could not be reloaded, so the previous ones stay in use"
                    ),
                }
            }
        }
    }

    /// Puts the trust from the files into use if they have changed.
    async fn replace(&mut self, verifier: &Arc<Verifier>) -> Result<(), RefreshError> {
        let (files, known) = (self.files.clone(), Some(self.digest));
        let target = Arc::clone(verifier);
        let replaced = blocking(move || {
            let Some((trust, digest)) = files.read(known)? else {
                return Ok(None);
            };
            target.replace_trust(trust)?;
            Ok::<_, RefreshError>(Some(digest))
        });
        if let Some(digest) = replaced.await?? {
            self.digest = digest;
            let trust = verifier.trust();
            self.status.change(|status| status.update(&trust));
            tracing::info!(
                version = trust.keyset().version,
                revocations = trust.revocation_count(),
                "newer files are in use"
            );
        }
        Ok(())
    }

    fn checked(&self) {
        let now = Some((self.clock)());
        self.status.change(|status| {
            status.keyset_checked_at = now;
            if self.files.revocations.is_some() {
                status.head_checked_at = now;
            }
        });
    }
}
