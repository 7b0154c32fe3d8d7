//! The issuer's verifier for its own tokens: those of operators.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bailiwick_api::ProblemCode;
use bailiwick_issuer::{FEED_LIFE, Issuer, PublishedHead, PublishedKeyset};
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Limits, Staleness, Trust, Verifier, layer::Clock};
use tokio::sync::Mutex;

use crate::{problem::ApiError, snapshots::Snapshots};

/// The service that an operator's grants are about.
pub const OPERATOR_SERVICE: &str = "bailiwick";

/// For so many seconds changes are added; then everything is read anew.
const FOLLOWED: u64 = 3_600;

/// The issuer's verifier for its own tokens.
pub(crate) struct OwnVerifier {
    issuer: Issuer,
    clock: Clock,
    snapshots: Snapshots,
    in_use: ArcSwapOption<Current>,
    /// Its holder makes the next one; others wait for it.
    making: Mutex<()>,
}

/// A verifier, and what it was made from.
struct Current {
    keyset_version: u64,
    feed_seq: u64,
    /// Time at which everything was read anew. Changes since are added, and dead entries stay.
    opened_at: Timestamp,
    verifier: Arc<Verifier>,
}

impl OwnVerifier {
    pub(crate) fn new(issuer: Issuer, clock: Clock, snapshots: Snapshots) -> OwnVerifier {
        OwnVerifier {
            issuer,
            clock,
            snapshots,
            in_use: ArcSwapOption::empty(),
            making: Mutex::default(),
        }
    }

    /// A verifier that knows the newest keyset and every revocation: this is the one place where
    /// nothing has to be polled for.
    pub(crate) async fn current(&self) -> Result<Arc<Verifier>, ApiError> {
        let head = self.issuer.head((self.clock)()).await?;
        let last = self.in_use.load_full();
        if let Some(in_use) = last.filter(|in_use| in_use.is_current(&head, (self.clock)())) {
            return Ok(Arc::clone(&in_use.verifier));
        }
        let _making = self.making.lock().await;
        // While this waited, somebody else may have made it, or more may have been revoked.
        let now = (self.clock)();
        let head = self.issuer.head(now).await?;
        let last = self.in_use.load_full();
        if let Some(in_use) = last.clone().filter(|in_use| in_use.is_current(&head, now)) {
            return Ok(Arc::clone(&in_use.verifier));
        }
        let keyset = self.issuer.keyset(now).await?;
        let last =
            last.filter(|last| now >= last.opened_at && now.since(last.opened_at) < FOLLOWED);
        let followed = match last {
            Some(last) => {
                let followed = self.followed(&last, &keyset, &head).await?;
                followed.map(|trust| (trust, last.opened_at))
            }
            None => None,
        };
        let (trust, opened_at) = match followed {
            Some(followed) => followed,
            None => (self.opened(&keyset, &head).await?, now),
        };
        let verifier = Verifier::new(OPERATOR_SERVICE, trust).map_err(|error| fault(&error))?;
        // An operator calls rarely, and its token is not kept for the next time.
        let verifier = verifier.limits(Limits {
            cache_bytes: 0,
            ..Limits::default()
        });
        // Before each call it is held against the newest head, so that its own need not be fresh.
        let verifier = verifier.staleness(Staleness {
            after: FEED_LIFE,
            ..Staleness::default()
        });
        let verifier = Arc::new(verifier);
        let in_use = Arc::new(Current {
            keyset_version: keyset.version,
            feed_seq: head.seq,
            opened_at,
            verifier: Arc::clone(&verifier),
        });
        self.in_use.store(Some(in_use));
        Ok(verifier)
    }

    /// The trust of the last one with the changes since; `None` where they do not lead to this head.
    async fn followed(
        &self,
        last: &Current,
        keyset: &PublishedKeyset,
        head: &PublishedHead,
    ) -> Result<Option<Trust>, ApiError> {
        let Ok(trust) = last
            .verifier
            .trust()
            .with_keyset(keyset.envelope.as_bytes())
        else {
            return Ok(None);
        };
        let Some(position) = trust.position() else {
            return Ok(None);
        };
        let epoch = position.epoch.to_string();
        let lines = self.issuer.delta(&epoch, position.seq, head.seq).await?;
        let followed = lines.and_then(|lines| {
            let head = head.envelope.as_bytes();
            trust
                .with_delta(head, lines.as_bytes(), (self.clock)())
                .ok()
        });
        Ok(followed)
    }

    /// Everything that is revoked, read anew.
    async fn opened(
        &self,
        keyset: &PublishedKeyset,
        head: &PublishedHead,
    ) -> Result<Trust, ApiError> {
        let snapshot = self.snapshots.of(head.clone(), false).await?;
        let (keyset, key) = (keyset.envelope.clone(), *self.issuer.keyset_key());
        // A million revocations take half a second, for which others need not wait.
        let opened = tokio::task::spawn_blocking(move || {
            Trust::open(keyset.as_bytes(), &key, Some(&snapshot))
        });
        let opened = opened.await.map_err(|error| fault(&error))?;
        opened.map_err(|error| fault(&error))
    }
}

impl Current {
    fn is_current(&self, head: &PublishedHead, now: Timestamp) -> bool {
        let trust = self.verifier.trust();
        // Where the clock was set back, what it knows is of a time to come.
        let signed = [
            Some(trust.keyset().issued_at),
            trust.revocations_issued_at(),
        ];
        (self.keyset_version, self.feed_seq) == (head.keyset_version, head.seq)
            && trust.keyset().expires > now.plus(60)
            && signed.into_iter().flatten().all(|signed| signed <= now)
    }
}

/// The answer to a fault in verifying, which is itself in the log.
pub(crate) fn fault(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "cannot verify the issuer's own tokens");
    ApiError::new(
        ProblemCode::Internal,
        "the issuer cannot verify its own tokens, and its log says why",
    )
}
