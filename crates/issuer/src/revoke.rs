//! Revoking tokens and blocks, and the signed list of them.

use bailiwick_token::{
    revocation::{Revocation, RevocationList, Target},
    timestamp::Timestamp,
};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    keyring::SKEW,
    keys::{MAX_REASON, check_reason},
    keyset::{PublishError, is_fresh},
    store::{Saved, StoreError, StoredList},
};

/// The life of a signed list, in seconds.
pub const REVOCATION_LIST_LIFE: u64 = 86_400;

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RevokeReport {
    /// What is revoked.
    #[serde(serialize_with = "as_text")]
    pub target: Target,
    /// What was done.
    pub outcome: RevokeOutcome,
    /// Since when it is revoked.
    pub revoked_at: Timestamp,
    /// When the entry vanishes; never, where it is absent.
    pub expires: Option<Timestamp>,
    /// Whether the token was minted here. An id that nobody minted may be a typing error.
    pub minted_here: bool,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokeOutcome {
    /// It is on the list now.
    Revoked,
    /// It was on the list, and stays there for longer.
    Extended,
    /// It was on the list: nothing changed.
    AlreadyRevoked,
    /// What it names is dead on its own: nothing changed.
    AlreadyExpired,
}

/// A signed revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedRevocations {
    /// Rises with each list.
    pub seq: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From then on it is stale.
    pub expires: Timestamp,
    /// How many entries it has.
    pub entries: u64,
    /// The DSSE envelope: what verifiers are given, byte for byte.
    pub envelope: String,
}

impl Issuer {
    /// Puts a token or a block on the list. To do it twice is to do it once.
    ///
    /// The entry stays until the token has expired, where it was minted here; until `expires`
    /// otherwise, and for ever without. An entry is never shortened. No private key is needed.
    ///
    /// # Errors
    /// [`RevokeError`], and nothing changed.
    pub async fn revoke(
        &self,
        target: Target,
        expires: Option<Timestamp>,
        reason: &str,
        now: Timestamp,
    ) -> Result<RevokeReport, RevokeError> {
        check_reason(reason).map_err(|()| RevokeError::Reason)?;
        let mut tx = self.store.write().await?;
        let minted = match &target {
            Target::Token(token) => tx.token_expires(*token).await?,
            Target::Block(signature) if signature.len() == 64 => None,
            Target::Block(_) => return Err(RevokeError::Block),
        };
        // Where a verifier's clock is late, the token lives on for a while.
        let expires = minted.map(|expires| expires.plus(SKEW)).or(expires);
        let known = tx.revocation(&target).await?;
        let report = |outcome, revoked_at, expires| RevokeReport {
            target: target.clone(),
            outcome,
            revoked_at,
            expires,
            minted_here: minted.is_some(),
        };
        if let Some(known) = &known
            && !lasts_longer(expires, known.expires)
        {
            return Ok(report(
                RevokeOutcome::AlreadyRevoked,
                known.revoked_at,
                known.expires,
            ));
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Ok(report(RevokeOutcome::AlreadyExpired, now, expires));
        }
        let revoked_at = known.map_or(now, |known| known.revoked_at);
        let entry = Revocation {
            target: target.clone(),
            revoked_at,
            expires,
            reason: reason.to_owned(),
        };
        let outcome = match tx.save_revocation(&entry).await? {
            Saved::New => RevokeOutcome::Revoked,
            Saved::Changed => RevokeOutcome::Extended,
        };
        let detail = json!({
            "target": target.to_string(),
            "outcome": outcome,
            "reason": reason,
            "expires": expires,
        });
        let token = match &target {
            Target::Token(token) => Some(token.to_string()),
            Target::Block(_) => None,
        };
        let entry = Entry {
            token,
            ..Entry::new(AuditEvent::Revoke, detail)
        };
        tx.record(entry, &self.actor, now).await?;
        tx.commit().await?;
        Ok(report(outcome, revoked_at, expires))
    }

    /// What is revoked and alive, in the order in which it came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoked(&self, now: Timestamp) -> Result<Vec<Revocation>, StoreError> {
        self.store.read().await?.revocations(now).await
    }

    /// The current list, signed again where an entry is new, where it is over an hour old, or
    /// where less than half of its life remains. Only that needs the private keys.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn revocations(&self, now: Timestamp) -> Result<PublishedRevocations, PublishError> {
        let fresh = |list: &StoredList, last_change| {
            list.change == last_change
                && is_fresh(list.issued_at, list.expires, REVOCATION_LIST_LIFE, now)
        };
        let signer = {
            let mut tx = self.store.read().await?;
            let last_change = tx.last_change().await?;
            if let Some(list) = tx.list().await?.filter(|list| fresh(list, last_change)) {
                return Ok(list.into());
            }
            self.keyset_signer(&mut tx).await?
        };
        let mut tx = self.store.write().await?;
        let change = tx.last_change().await?;
        let last = tx.list().await?;
        let seq = last.as_ref().map_or(0, |list| list.seq).saturating_add(1);
        // Another one may have signed it in between.
        if let Some(list) = last.filter(|list| fresh(list, change)) {
            return Ok(list.into());
        }
        let list = RevocationList {
            issuer: self.settings.issuer.clone(),
            seq,
            issued_at: now,
            expires: now.plus(REVOCATION_LIST_LIFE),
            entries: tx.revocations(now).await?,
        };
        let stored = StoredList {
            seq,
            change,
            issued_at: now,
            expires: list.expires,
            entries: list.entries.len() as u64,
            envelope: list.sign(&signer).to_json(),
        };
        tx.replace_list(&stored).await?;
        tx.commit().await?;
        Ok(stored.into())
    }
}

/// Whether an entry with the one expiry outlives one with the other; without one it is for ever.
fn lasts_longer(new: Option<Timestamp>, old: Option<Timestamp>) -> bool {
    match (new, old) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    }
}

fn as_text<S: Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

impl From<StoredList> for PublishedRevocations {
    fn from(stored: StoredList) -> PublishedRevocations {
        let StoredList {
            seq,
            change: _,
            issued_at,
            expires,
            entries,
            envelope,
        } = stored;
        PublishedRevocations {
            seq,
            issued_at,
            expires,
            entries,
            envelope,
        }
    }
}

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// No reason, or none that can be published.
    #[error(
        "a revocation states its reason on one line of at most {MAX_REASON} bytes: use --reason"
    )]
    Reason,
    /// Not a signature.
    #[error("a block is named by its signature of 64 bytes: `token inspect` shows them")]
    Block,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
