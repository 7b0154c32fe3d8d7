//! Restore of an issuer from a backup, or after its database was restored by other means.

use std::{io::BufRead, path::Path};

use bailiwick_token::{key::PublicKey, timestamp::Timestamp};

use super::{
    catch_up::{RestoreReport, catch_up},
    error::RestoreError,
    evidence::RestoreEvidence,
    file::{BackupFileError, BackupReader, Begin},
};
use crate::{
    home::Draft,
    issuer::Issuer,
    passphrase::Passphrase,
    settings::Settings,
    signer::KEYSET_KEY,
    store::{PAGE, PostgresUrl, Store, StoreError, Tx},
    vault::{Vault, VaultError},
};

/// Options of a restore.
#[derive(Debug, Clone, Default)]
pub struct RestoreOptions {
    /// The empty PostgreSQL database to restore into. By default, SQLite in the home is used.
    pub store: Option<PostgresUrl>,
    /// The keyset key that verifiers are configured with. A backup signed by another key is refused.
    pub keyset_key: Option<PublicKey>,
    /// Evidence of state that is newer than the backup.
    pub evidence: RestoreEvidence,
    /// The actor recorded in the audit log.
    pub actor: String,
}

impl Issuer {
    /// Restores a backup into a new home, which is created as a whole or not at all, as by [`Issuer::init`]. The
    /// newer state in the evidence is adopted, the version of the keyset is raised above every known version, and the
    /// history of revocations continues under a new name. The result is unlocked. From time to time, `progress` is
    /// called with the number of rows so far.
    ///
    /// # Errors
    /// [`RestoreError`]; in that case, no issuer was created.
    pub async fn restore(
        home: &Path,
        backup: &mut (dyn BufRead + Send),
        options: RestoreOptions,
        passphrase: &Passphrase,
        progress: impl FnMut(u64) + Send,
        now: Timestamp,
    ) -> Result<(Issuer, RestoreReport), RestoreError> {
        let evidence = &options.evidence;
        let named = evidence.keyset.is_some() || options.keyset_key.is_some();
        if evidence.revoke_keys.is_some() && !named {
            return Err(RestoreError::KeyNeeded);
        }
        let draft = Draft::begin(home)?;
        let (reader, begin) = BackupReader::begin(backup)?;
        let files = begin.files()?;
        let identity = files.get("identity.age").ok_or(BackupFileError::Other)?;
        let vault = Vault::from_file(identity, passphrase)?;
        draft.write(identity, options.store.as_ref())?;
        draft.write_files(&files)?;
        let store = Store::open(&draft.home().location()?).await?;
        let restored = fill(&store, &vault, reader, &begin, &options, progress, now).await;
        store.close().await;
        let report = restored?;
        let issuer = Issuer::opened(draft.keep()?, vault, &options.actor).await?;
        Ok((issuer, report))
    }

    /// Continues with a database that was restored to an earlier time by other means, such as a snapshot of a
    /// disk. Adopts newer state as [`Issuer::restore`] does.
    ///
    /// # Errors
    /// [`RestoreError`]; in that case, nothing changed.
    pub async fn catch_up(
        &self,
        evidence: &RestoreEvidence,
        now: Timestamp,
    ) -> Result<RestoreReport, RestoreError> {
        let mut tx = self.write(now).await?;
        let signer = self.keyset_signer(&mut tx).await?;
        let with = (&*self.settings, self.vault()?, &signer);
        let report = catch_up(&mut tx, with, evidence, None, &self.actor, now).await?;
        tx.commit().await?;
        self.store.scrub().await;
        Ok(report)
    }
}

/// Fills an empty database in one transaction, which is committed only after the whole backup has been
/// verified.
async fn fill(
    store: &Store,
    vault: &Vault,
    mut reader: BackupReader<'_>,
    begin: &Begin,
    options: &RestoreOptions,
    mut progress: impl FnMut(u64) + Send,
    now: Timestamp,
) -> Result<RestoreReport, RestoreError> {
    let mut tx = store.write().await?;
    if tx.is_taken().await? {
        return Err(RestoreError::Taken);
    }
    let mut count = 0_u64;
    while let Some(rows) = reader.rows(PAGE)? {
        count = count.saturating_add(rows.rows.len() as u64);
        let put = tx.put_rows(rows.table, &rows.columns, rows.rows).await;
        put.map_err(|error| match error {
            // The rows violate a constraint, so no issuer wrote them together.
            StoreError::Database(_) => BackupFileError::Changed.into(),
            other => RestoreError::from(other),
        })?;
        progress(count);
    }
    let settings = tx.settings().await?;
    let key = options.keyset_key.unwrap_or(settings.keyset_key);
    if key != settings.keyset_key {
        return Err(RestoreError::OtherKey {
            found: Box::new(settings.keyset_key),
            expected: Box::new(key),
        });
    }
    reader.end(begin, &key)?;
    // A backup of an older version has no table of tokens, so the audit in it fills the table.
    tx.fill_tokens().await?;
    let report = verified(&mut tx, &settings, vault, begin, options, now).await?;
    tx.commit().await?;
    store.scrub().await;
    Ok(report)
}

/// Adopts newer state after the signature of the backup was verified.
async fn verified(
    tx: &mut Tx,
    settings: &Settings,
    vault: &Vault,
    begin: &Begin,
    options: &RestoreOptions,
    now: Timestamp,
) -> Result<RestoreReport, RestoreError> {
    if vault.recipient() != settings.recipient {
        return Err(VaultError::Mixed.into());
    }
    let sealed = tx.sealed(KEYSET_KEY).await?;
    let signer = vault.unseal(&sealed, &settings.keyset_key)?;
    let with = (settings, vault, &signer);
    let made_at = Some(begin.made_at);
    catch_up(tx, with, &options.evidence, made_at, &options.actor, now).await
}
