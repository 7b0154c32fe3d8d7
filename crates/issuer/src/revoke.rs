//! Revoking tokens, blocks, and all that a party was given before a time.

use bailiwick_token::{
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

/// The most targets that are revoked at once.
pub const MAX_TARGETS: usize = 1_000;

/// The most revocations that are alive where another token or block is revoked: what a snapshot may hold,
/// less room for watermarks.
pub(crate) const MAX_ALIVE: usize = MAX_ENTRIES - 50_000;

/// One thing that is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RevocationInfo {
    /// Its number in the history of revocations.
    pub seq: u64,
    /// What, and when it is dead on its own.
    #[serde(flatten, serialize_with = "as_member")]
    pub revocation: Revocation,
    /// Since when.
    pub revoked_at: Timestamp,
    /// Why, for people. Verifiers are not told.
    pub reason: String,
}

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevokeReport {
    /// What is revoked, as text.
    pub target: String,
    /// What was done.
    pub outcome: RevokeOutcome,
    /// Since when it is revoked.
    pub revoked_at: Timestamp,
    /// When the entry vanishes; never, where it is absent.
    pub expires: Option<Timestamp>,
    /// Whether the token, or one of the agent or principal, was minted here: what nobody was given may be
    /// a typing error. Nothing is known of blocks, and tenants are taken to be right.
    pub minted_here: bool,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeOutcome {
    /// It is revoked now.
    Revoked,
    /// It was revoked, and is for longer, or for more tokens.
    Extended,
    /// It was revoked: nothing changed.
    AlreadyRevoked,
    /// What it names has been dead on its own for days: nothing changed.
    AlreadyExpired,
}

impl Issuer {
    /// Revokes. To do it twice is to do it once.
    ///
    /// The entry stays until the token has expired, where it was minted here; for a watermark, until
    /// every token that it names has; until `expires` otherwise, and for ever without. An entry is
    /// never shortened. No private key is needed.
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
        let reports = self.revoke_all(&[target], expires, reason, now).await?;
        // One target, one report.
        reports
            .into_iter()
            .next()
            .ok_or(RevokeError::Store(StoreError::Damaged("revocation")))
    }

    /// Revokes several at once, all or none, as [`Issuer::revoke`] does; the reports are in the order
    /// of the targets.
    ///
    /// A watermark of now is about everything that was minted until now. What is on record as minted
    /// later, because a clock was wrong then or is now, it cannot name: such tokens are revoked one by
    /// one, and their reports follow.
    ///
    /// # Errors
    /// [`RevokeError`], and nothing changed.
    pub async fn revoke_all(
        &self,
        targets: &[Target],
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
                rows.push((row(target, &report, reason), &*self.actor, now));
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

    /// What revoking a target comes to, and the entry that has to be written for it.
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
                tx.has_minted_for(watermark.party(), watermark.name())
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
        // A clock that runs ahead takes what is alive for dead, so only what long is, is left out.
        if wanted.is_dead(now.minus(CLOCK_FAULT)) {
            return Ok((report(RevokeOutcome::AlreadyExpired, now, expires), None));
        }
        let (outcome, revoked_at) = match &known {
            None => (RevokeOutcome::Revoked, now),
            Some(known) => (RevokeOutcome::Extended, known.revoked_at),
        };
        let entry = RevocationInfo {
            // Given by the store.
            seq: 0,
            revocation: wanted,
            revoked_at,
            reason: reason.to_owned(),
        };
        Ok((report(outcome, revoked_at, expires), Some(entry)))
    }

    /// When the last token that a watermark names has ended.
    fn last_end(&self, watermark: &Watermark, now: Timestamp) -> Result<Timestamp, RevokeError> {
        // A time to come would also refuse tokens that are minted to replace the revoked ones.
        if watermark.issued_before() > now.plus(1) {
            return Err(RevokeError::Future);
        }
        Ok(watermark.issued_before().plus(self.settings.max_token_ttl))
    }

    /// A page of what is revoked and not dead, after the change `after`; none, where there is no more.
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

    /// What is revoked and not dead, in the order in which it came.
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

/// The tokens that were minted before now, and not by the record's clock, of parties whose watermark
/// is of now.
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

fn row(target: &Target, report: &RevokeReport, reason: &str) -> Entry {
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
        Target::Block(_) => {}
    }
    entry
}

/// Whether an entry says all that another one about the same target would.
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

/// The members of its line.
fn as_member<S: Serializer>(revocation: &Revocation, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<serde_json::Value>(&revocation.to_line())
        .unwrap_or_default()
        .serialize(serializer)
}

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// No reason, or none that can be kept.
    #[error("a revocation states its reason on one line of at most {MAX_REASON} bytes: give one")]
    Reason,
    /// A watermark in the future.
    #[error(
        "tokens are revoked that were issued before a time that has come: leave the time out for now"
    )]
    Future,
    /// There are as many revocations as verifiers take, but for some watermarks.
    #[error(
        "{MAX_ALIVE} revocations are alive, and verifiers take hardly more: revoke by agent, principal or tenant, or the root key"
    )]
    Full,
    /// More than [`MAX_TARGETS`].
    #[error(
        "at most {MAX_TARGETS} are revoked at once: use several requests, or revoke by agent or principal"
    )]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
