//! The URL of the revocations in the keyset, which can be set after the issuer has been created.

use bailiwick_token::timestamp::Timestamp;
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    keyset,
    settings::{SettingsError, check_revocation_url},
    signer::{SignError, from_sources},
    store::StoreError,
};

/// The result of setting the URL of the revocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationUrlReport {
    /// True if the URL was different before, so that a new keyset was signed.
    pub changed: bool,
    /// Version of the keyset with this URL.
    pub keyset_version: u64,
}

impl Issuer {
    /// Returns the URL at which verifiers find the revocations. The next keyset will state it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocation_url(&self) -> Result<Option<String>, StoreError> {
        self.store.read().await?.revocation_url().await
    }

    /// Sets the URL at which verifiers find the revocations, and signs a keyset that states it. Verifiers that
    /// load this keyset admit no token until they have read the revocations, so the URL must already be served.
    /// Setting the same URL again changes nothing. A URL cannot be removed, because verifiers would stop
    /// looking for revocations.
    ///
    /// # Errors
    /// [`RevocationUrlError`]; in that case, nothing changed.
    pub async fn set_revocation_url(
        &self,
        url: &str,
        now: Timestamp,
    ) -> Result<RevocationUrlReport, RevocationUrlError> {
        check_revocation_url(url)?;
        let mut tx = self.write(now).await?;
        let before = tx.revocation_url().await?;
        if before.as_deref() == Some(url) {
            let keyset_version = tx.keyset().await?.map_or(0, |keyset| keyset.version);
            return Ok(RevocationUrlReport {
                changed: false,
                keyset_version,
            });
        }
        let signer = self.keyset_signer(&mut tx).await?;
        tx.set_revocation_url(url).await?;
        let ring = keyset::ring(&mut tx, &self.settings).await?;
        let keyset = keyset::publish(&mut tx, &self.settings, &ring, &signer, now).await?;
        let detail = json!({
            "revocation_url": url,
            "before": before,
            "keyset_version": keyset.version,
        });
        let entry = Entry::new(AuditEvent::KeysetSet, detail);
        tx.record(entry, &self.actor, now).await?;
        tx.commit().await?;
        Ok(RevocationUrlReport {
            changed: true,
            keyset_version: keyset.version,
        })
    }
}

/// The error of setting the URL of the revocations. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationUrlError {
    /// The text is not a URL that verifiers can use.
    #[error(transparent)]
    Url(#[from] SettingsError),
    /// The keyset cannot be signed or stored.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(RevocationUrlError);
