//! The issuer's verifier for the tokens of its own operators.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bailiwick_api::ProblemCode;
use bailiwick_issuer::{FEED_LIFE, Issuer, PublishedHead, PublishedKeyset};
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Limits, Staleness, Trust, Verifier, layer::Clock};
use tokio::sync::Mutex;

use crate::{problem::ApiError, snapshots::Snapshots};

/// The service name in the grants of operators.
pub const OPERATOR_SERVICE: &str = "bailiwick";

/// Age of a trust, in seconds, at which it is opened anew, which drops expired entries. Until then, changes are added
/// to it.
const FOLLOWED: u64 = 3_600;

/// The issuer's verifier for its own tokens.
pub(crate) struct OwnVerifier {
    issuer: Issuer,
    clock: Clock,
    snapshots: Snapshots,
    in_use: ArcSwapOption<Current>,
    /// Held while the next verifier is made, so that waiting requests share it.
    making: Mutex<()>,
}

/// The current verifier, with the versions that it was made from.
struct Current {
    keyset_version: u64,
    feed_seq: u64,
    /// Time at which the trust was opened. Changes since then are added, while expired entries stay.
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

    /// Returns a verifier that knows the newest keyset and every revocation. Both come directly from the store,
    /// so nothing needs polling.
    pub(crate) async fn current(&self) -> Result<Arc<Verifier>, ApiError> {
        // The head is read for each call, so that a revocation takes effect from the next call on.
        let head = self.issuer.head((self.clock)()).await?;
        let last = self.in_use.load_full();
        if let Some(in_use) = last.filter(|in_use| in_use.is_current(&head, (self.clock)())) {
            return Ok(Arc::clone(&in_use.verifier));
        }
        let _making = self.making.lock().await;
        // While this call waited, another one may have made the verifier, or more revocations may have been recorded.
        let now = (self.clock)();
        let head = self.issuer.head(now).await?;
        let last = self.in_use.load_full();
        if let Some(in_use) = last.clone().filter(|in_use| in_use.is_current(&head, now)) {
            return Ok(Arc::clone(&in_use.verifier));
        }
        let keyset = self.issuer.keyset(now).await?;
        // Adding changes to a trust does not remove expired entries. So the trust is opened anew at intervals. It is
        // also opened anew after the clock was set back, because its age is then unknown.
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
        // Operators call rarely, so there is no gain in keeping their tokens in memory.
        let verifier = verifier.limits(Limits {
            cache_bytes: 0,
            ..Limits::default()
        });
        // `is_current` compares the verifier with the newest head before each call, so the verifier's own head may be
        // old.
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

    /// Adds the changes since `last` to the trust. Returns `None` if they do not lead to `head`.
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

    /// Opens a trust with all live revocations.
    async fn opened(
        &self,
        keyset: &PublishedKeyset,
        head: &PublishedHead,
    ) -> Result<Trust, ApiError> {
        let snapshot = self.snapshots.of(head.clone(), false).await?;
        let (keyset, key) = (keyset.envelope.clone(), *self.issuer.keyset_key());
        // A million revocations take half a second, which must not hold up other requests.
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
        // If the clock was set back, the keyset or the revocations may have been signed in the future.
        let signed = [
            Some(trust.keyset().issued_at),
            trust.revocations_issued_at(),
        ];
        // The margin of a minute ensures that the keyset does not expire while a request is verified with it.
        (self.keyset_version, self.feed_seq) == (head.keyset_version, head.seq)
            && trust.keyset().expires > now.plus(60)
            && signed.into_iter().flatten().all(|signed| signed <= now)
    }
}

/// Logs a fault in verifying, and returns the answer, which does not repeat it.
pub(crate) fn fault(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "cannot verify the issuer's own tokens");
    ApiError::new(
        ProblemCode::Internal,
        "the issuer cannot verify its own tokens; see its log",
    )
}
