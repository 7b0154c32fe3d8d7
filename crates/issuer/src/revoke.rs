//! Revocation of tokens, of blocks, and of all tokens of a party that were issued before a certain time.

use bailiwick_token::{
    claims::TokenId,
    revocation::{MAX_ENTRIES, Party, Revocation, Target, Watermark},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    clock::CLOCK_FAULT,
    issuer::Issuer,
    keys::{MAX_REASON, check_reason},
    store::{StoreError, Tx},
};

/// Maximum number of targets that are revoked at once.
pub const MAX_TARGETS: usize = 1_000;

/// Maximum number of live revocations, beyond which no token or block can be revoked: the capacity of a
/// snapshot, less room for watermarks.
pub(crate) const MAX_ALIVE: usize = MAX_ENTRIES - 50_000;

/// A revocation in the issuer's store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RevocationInfo {
    /// Number of the entry in the history of revocations.
    pub seq: u64,
    /// The target, and the time at which it expires on its own.
    #[serde(flatten, serialize_with = "as_member")]
    pub revocation: Revocation,
    /// Time of the revocation.
    pub revoked_at: Timestamp,
    /// The reason, for people. Verifiers do not receive it.
    pub reason: String,
}

/// The result of revoking one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevokeReport {
    /// The target, as text.
    pub target: String,
    /// The effect on the target.
    pub outcome: RevokeOutcome,
    /// Time from which the target is revoked.
    pub revoked_at: Timestamp,
    /// Time at which the entry is removed; absent if it is kept forever.
    pub expires: Option<Timestamp>,
    /// True if this issuer minted the token, any token of the agent or principal, or one in the tenant that can still
    /// be valid. If not, the target may be a typing error. Always false for blocks, which the issuer does not know.
    pub minted_here: bool,
}

/// The outcome of revoking a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeOutcome {
    /// The target is newly revoked.
    Revoked,
    /// The target was already revoked. The entry now lasts longer or covers more tokens.
    Extended,
    /// The target was already revoked, and nothing changed.
    AlreadyRevoked,
    /// The target expired on its own days ago, and nothing changed.
    AlreadyExpired,
}

impl Issuer {
    /// Revokes a target. Revoking it again can only extend the entry.
    ///
    /// The entry for a token that was minted here stays until the token has expired; the entry for a watermark
    /// stays until every token that it covers has expired. Any other entry stays until `expires`, or forever if
    /// that is `None`. The lifetime of an entry is never shortened. No private key is needed.
    ///
    /// # Errors
    /// [`RevokeError`]; in that case, nothing changed.
    pub async fn revoke(
        &self,
        target: Target,
        expires: Option<Timestamp>,
        reason: &str,
        now: Timestamp,
    ) -> Result<RevokeReport, RevokeError> {
        let reports = self
            .revoke_all(&[target], None, expires, reason, now)
            .await?;
        // Each target has one report, and the reports of targets come first.
        reports
            .into_iter()
            .next()
            .ok_or(RevokeError::Store(StoreError::Damaged("revocation")))
    }

    /// Like [`Issuer::revoke`], but for several targets: either all are revoked or none. The reports are in the
    /// order of the targets.
    ///
    /// A watermark with the current time is meant to cover everything minted so far. If a clock was wrong, some
    /// of these tokens have a later time of issue on record, so the watermark cannot cover them. Such tokens
    /// are revoked one by one, and their reports follow.
    ///
    /// `of_token` is the token that the blocks among the targets belong to, if the caller knows it. It is for the audit,
    /// since the issuer does not know blocks.
    ///
    /// # Errors
    /// [`RevokeError`]; in that case, nothing changed.
    pub async fn revoke_all(
        &self,
        targets: &[Target],
        of_token: Option<TokenId>,
        expires: Option<Timestamp>,
        reason: &str,
        now: Timestamp,
    ) -> Result<Vec<RevokeReport>, RevokeError> {
        check_reason(reason).map_err(|()| RevokeError::Reason)?;
        if targets.len() > MAX_TARGETS {
            return Err(RevokeError::TooMany);
        }
        let mut tx = self.write(now).await?;
        tx.fill_tokens().await?;
        let (mut reports, mut entries, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        let unnamed = unnamed(&mut tx, targets, now).await?;
        let all = targets.iter().chain(&unnamed);
        for target in all.filter(|target| seen.insert(*target)) {
            let (report, entry) = self.weigh(&mut tx, target, expires, reason, now).await?;
            if let Some(entry) = entry {
                rows.push((row(target, of_token, &report, reason), &*self.actor, now));
                entries.push(entry);
            }
            reports.push(report);
        }
        if !entries.is_empty() {
            let is_watermark = |target: &Target| matches!(target, Target::Watermark(_));
            let most = match targets.iter().all(is_watermark) {
                true => MAX_ENTRIES,
                false => MAX_ALIVE,
            };
            if !tx.has_room_for(entries.len(), most, now).await? {
                return Err(RevokeError::Full);
            }
            tx.append_revocations(&entries).await?;
            tx.record_all(rows).await?;
            tx.commit().await?;
        }
        Ok(reports)
    }

    /// Returns the report for a target, and the entry to write for it, if any.
    async fn weigh(
        &self,
        tx: &mut Tx,
        target: &Target,
        expires: Option<Timestamp>,
        reason: &str,
        now: Timestamp,
    ) -> Result<(RevokeReport, Option<RevocationInfo>), RevokeError> {
        let minted = match target {
            Target::Token(token) => tx.token(*token).await?,
            Target::Block(_) | Target::Watermark(_) => None,
        };
        let expires = match target {
            Target::Watermark(watermark) => Some(self.last_end(watermark, now)?),
            Target::Token(_) | Target::Block(_) => {
                let minted = minted.as_ref().map(|minted| minted.expires);
                minted.or(expires)
            }
        };
        let minted_here = match target {
            Target::Token(_) => minted.is_some(),
            Target::Block(_) => false,
            Target::Watermark(watermark) => {
                let since = now.minus(self.settings.max_token_ttl);
                tx.has_minted_for(watermark.party(), watermark.name(), since)
                    .await?
            }
        };
        let report = |outcome, revoked_at, expires| RevokeReport {
            target: target.to_string(),
            outcome,
            revoked_at,
            expires,
            minted_here,
        };
        let known = tx.revocation(target).await?;
        let wanted = Revocation {
            target: target.clone(),
            expires,
        };
        if let Some(known) = &known
            && covers(&known.revocation, &wanted)
        {
            let report = report(
                RevokeOutcome::AlreadyRevoked,
                known.revoked_at,
                known.revocation.expires,
            );
            return Ok((report, None));
        }
        // If the clock runs ahead, live tokens seem to have expired. So only targets that expired long
        // ago are left out.
        if wanted.is_dead(now.minus(CLOCK_FAULT)) {
            return Ok((report(RevokeOutcome::AlreadyExpired, now, expires), None));
        }
        let (outcome, revoked_at) = match &known {
            None => (RevokeOutcome::Revoked, now),
            Some(known) => (RevokeOutcome::Extended, known.revoked_at),
        };
        let entry = RevocationInfo {
            // The store sets this.
            seq: 0,
            revocation: wanted,
            revoked_at,
            reason: reason.to_owned(),
        };
        Ok((report(outcome, revoked_at, expires), Some(entry)))
    }

    /// Returns the time at which the last token that a watermark covers has expired.
    fn last_end(&self, watermark: &Watermark, now: Timestamp) -> Result<Timestamp, RevokeError> {
        // A future time would also revoke the tokens that are minted to replace the revoked ones.
        if watermark.issued_before() > now.plus(1) {
            return Err(RevokeError::Future);
        }
        Ok(watermark.issued_before().plus(self.settings.max_token_ttl))
    }

    /// Returns a page of the live revocations after the change `after`. The page is empty if there are no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoked_after(
        &self,
        after: u64,
        now: Timestamp,
    ) -> Result<Vec<RevocationInfo>, StoreError> {
        self.store.read().await?.revocations(after, now).await
    }

    /// Returns all live revocations, in the order in which they were added.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoked(&self, now: Timestamp) -> Result<Vec<RevocationInfo>, StoreError> {
        let mut tx = self.store.read().await?;
        let mut all: Vec<RevocationInfo> = Vec::new();
        loop {
            let after = all.last().map_or(0, |last| last.seq);
            let page = tx.revocations(after, now).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}

/// Returns the tokens that watermarks with the current time should cover, but whose recorded time of issue is
/// later.
async fn unnamed(
    tx: &mut Tx,
    targets: &[Target],
    now: Timestamp,
) -> Result<Vec<Target>, StoreError> {
    let watermarks = targets.iter().filter_map(|target| match target {
        Target::Watermark(watermark) => Some(watermark),
        Target::Token(_) | Target::Block(_) => None,
    });
    let of_now: Vec<_> = watermarks
        .filter(|watermark| watermark.issued_before() >= now)
        .collect();
    let tokens = tx.minted_since(&of_now).await?;
    Ok(tokens.into_iter().map(Target::Token).collect())
}

fn row(target: &Target, of_token: Option<TokenId>, report: &RevokeReport, reason: &str) -> Entry {
    let detail = json!({
        "target": report.target,
        "outcome": report.outcome,
        "reason": reason,
        "expires": report.expires,
    });
    let mut entry = Entry::new(AuditEvent::Revoke, detail);
    match target {
        Target::Token(token) => entry.token = Some(token.to_string()),
        Target::Watermark(watermark) => match watermark.party() {
            Party::Agent => entry.agent = Some(watermark.name().to_owned()),
            Party::Principal => entry.principal = Some(watermark.name().to_owned()),
            Party::Tenant => {}
        },
        Target::Block(_) => entry.token = of_token.map(|token| token.to_string()),
    }
    entry
}

/// Returns true if the entry `known` revokes everything that `wanted`, with the same target, would revoke.
pub(crate) fn covers(known: &Revocation, wanted: &Revocation) -> bool {
    let lasts = match (known.expires, wanted.expires) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(known), Some(wanted)) => known >= wanted,
    };
    match (&known.target, &wanted.target) {
        (Target::Watermark(known), Target::Watermark(wanted)) => {
            lasts && known.issued_before() >= wanted.issued_before()
        }
        _ => lasts,
    }
}

/// Serializes a revocation as the members of its line in the feed.
fn as_member<S: Serializer>(revocation: &Revocation, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<serde_json::Value>(&revocation.to_line())
        .unwrap_or_default()
        .serialize(serializer)
}

/// The error of a failed revocation. Nothing was revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The reason is missing or cannot be recorded.
    #[error("the revocation has no valid reason; give one line of at most {MAX_REASON} bytes")]
    Reason,
    /// A watermark lies in the future.
    #[error(
        "the time lies in the future, and only tokens issued before now can be revoked; leave the time out to revoke all until now"
    )]
    Future,
    /// There are as many live revocations as verifiers accept, apart from a reserve for watermarks.
    #[error(
        "there are already {MAX_ALIVE} revocations, near the most that verifiers accept; revoke by agent, principal or tenant, or revoke the root key"
    )]
    Full,
    /// There are more than [`MAX_TARGETS`] targets.
    #[error(
        "the request revokes more than {MAX_TARGETS} targets at once; use several requests, or revoke by agent or principal"
    )]
    TooMany,
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
