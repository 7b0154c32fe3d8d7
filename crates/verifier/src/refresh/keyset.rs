//! The poll of the keyset.

use std::{sync::Arc, time::Duration};

use bailiwick_token::{dsse::MAX_ENVELOPE, revocation::SKEW, timestamp::Timestamp};

use super::{
    directory::StateDirectory,
    error::RefreshError,
    options::Options,
    refresher::{Refresher, TIMEOUT, fetch},
    task::blocking,
    transport::{Fetched, Get, Transport},
};
use crate::{clock::Clock, trust::Trust, verifier::Verifier};

impl<T: Transport> Refresher<T> {
    pub(super) async fn refresh_keyset(
        &mut self,
        verifier: &Arc<Verifier>,
    ) -> Result<(), RefreshError> {
        self.fetch_keyset(verifier).await?;
        match self.trust.newer_keyset() {
            None => Ok(()),
            Some(told) => Err(RefreshError::KeysetBehind {
                version: self.trust.keyset().version,
                told: told.version,
            }),
        }
    }

    async fn fetch_keyset(&mut self, verifier: &Arc<Verifier>) -> Result<(), RefreshError> {
        let url = address(&self.options);
        let etag = self.keyset.etag.as_deref();
        let get = Get {
            url: &url,
            etag,
            report: None,
            limit: MAX_ENVELOPE,
            timeout: TIMEOUT,
            revalidate: self.trust.newer_keyset().is_some(),
        };
        let (body, etag) = match self.fetch(get).await? {
            Fetched::Found { body, etag } => (body, etag),
            Fetched::NotModified => return Ok(()),
            Fetched::Gone => return Err(RefreshError::NotFound(url)),
        };
        let offered = require_feed(self.trust.with_keyset(&body)?);
        offered.may_replace(&self.trust)?;
        in_time(&offered, (self.clock)())?;
        let newer = offered.keyset().version > self.trust.keyset().version;
        let first_feed = offered.position().is_none()
            && offered.keyset().revocation_url.is_some()
            && !self.has_feed();
        self.keyset.pace.set(hint(&offered));
        if first_feed {
            // The feed is read before the keyset is put in place, so that no call is denied in between.
            match self.fed(&offered).await {
                Ok(Some(fed)) => self.put_fed(fed, Some(verifier)).await?,
                other => {
                    if let Err(error) = other {
                        tracing::warn!(%error, "the issuer now has a feed, but it cannot be read yet");
                    }
                    self.put(offered, Some(verifier)).await?;
                }
            }
        } else {
            self.put(offered, Some(verifier)).await?;
        }
        self.keyset.etag = etag;
        if newer {
            tracing::info!(
                version = self.trust.keyset().version,
                "a newer keyset is in use"
            );
            self.save(move |store| store.save_keyset(&body)).await;
        }
        Ok(())
    }
}

/// Fetches the first keyset of a verifier.
pub(super) async fn first<T: Transport>(
    options: &Options,
    transport: &T,
    clock: &Clock,
    store: Option<StateDirectory>,
) -> Result<(Trust, Option<String>), RefreshError> {
    let url = address(options);
    let report = options.report.as_ref().map(ToString::to_string);
    let get = Get {
        url: &url,
        etag: None,
        report: report.as_deref(),
        limit: MAX_ENVELOPE,
        timeout: TIMEOUT,
        revalidate: false,
    };
    let Fetched::Found { body, etag } = fetch(transport, get).await? else {
        return Err(RefreshError::NotFound(url));
    };
    let trust = Trust::open(&body, &options.keyset_key, None)?;
    in_time(&trust, clock())?;
    if let Some(store) = store {
        blocking(move || store.save_keyset(&body)).await??;
    }
    Ok((trust, etag))
}

/// Requires revocations if the keyset names a feed, so that no token is admitted before the feed has been read.
pub(super) fn require_feed(trust: Trust) -> Trust {
    match trust.keyset().revocation_url {
        Some(_) => trust.require_revocations(),
        None => trust,
    }
}

/// The interval at which a keyset should be fetched again.
pub(super) fn hint(trust: &Trust) -> Duration {
    Duration::from_secs(trust.keyset().refresh_hint.clamp(1, 3_600))
}

/// Checks that a keyset is in force now. An expired or future keyset must never replace a valid one.
fn in_time(trust: &Trust, now: Timestamp) -> Result<(), RefreshError> {
    let keyset = trust.keyset();
    let fits = now < keyset.expires && keyset.issued_at <= now.plus(SKEW);
    fits.then_some(()).ok_or(RefreshError::Time)
}

fn address(options: &Options) -> String {
    format!("{}/.well-known/bailiwick/keyset", options.issuer)
}
