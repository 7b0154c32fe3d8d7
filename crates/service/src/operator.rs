//! Operators: they act by tokens of this issuer's own making, which are verified as any service
//! verifies them, and revoked as any token is.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use bailiwick_issuer::{PublishedHead, SnapshotFailure, StoreError};
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Decision, Limits, Reason, Request as Call, Trust, Values, Verifier};

use crate::{
    problem::{Code, Problem},
    state::{Shared, State},
};

/// The service that an operator's grants are about.
pub const OPERATOR_SERVICE: &str = "bailiwick";

/// The issuer's verifier for its own tokens.
#[derive(Default)]
pub(crate) struct Guard(ArcSwapOption<InUse>);

/// A verifier, and what it was made from.
struct InUse {
    keyset_version: u64,
    feed_seq: u64,
    verifier: Verifier,
}

/// An operator who may do what is asked.
#[derive(Debug)]
pub(crate) struct Operator {
    /// What the audit calls it.
    pub(crate) actor: String,
}

impl State {
    /// The operator that a request is from, where its token allows the call.
    pub(crate) async fn operator(
        &self,
        headers: &HeaderMap,
        call: &Call,
    ) -> Result<Operator, Problem> {
        let verifier = self.own_verifier().await?;
        let decision = match bearer(headers)? {
            None => verifier
                .verifier
                .recorded(Decision::missing_token(), Some(call)),
            Some(token) => verifier.verifier.check(token, call, self.now()),
        };
        match &decision {
            Decision::Allow(allow) => Ok(Operator {
                actor: format!(
                    "operator:{} ({})",
                    allow.identity.agent, allow.identity.token_id
                ),
            }),
            Decision::Deny(deny) => Err(denied(&decision, deny.reason, call)),
        }
    }

    /// A verifier that knows the newest keyset and every revocation: this is the one place where
    /// nothing has to be polled for.
    async fn own_verifier(&self) -> Result<Arc<InUse>, Problem> {
        let now = self.now();
        let head = self.issuer.head(now).await?;
        let current = |in_use: &Arc<InUse>| {
            let trust = in_use.verifier.trust();
            // Where the clock was set back, what it knows is of a time to come.
            let signed = [
                Some(trust.keyset().issued_at),
                trust.revocations_issued_at(),
            ];
            (in_use.keyset_version, in_use.feed_seq) == (head.keyset_version, head.seq)
                && trust.keyset().expires > now.plus(60)
                && signed.into_iter().flatten().all(|signed| signed <= now)
        };
        if let Some(in_use) = self.guard.0.load_full().filter(current) {
            return Ok(in_use);
        }
        let keyset = self.issuer.keyset(now).await?;
        let snapshot = self.snapshot_of(head.clone()).await?;
        let fault = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the issuer does not trust itself");
            Problem::new(
                Code::Internal,
                "the issuer cannot verify its own tokens, and its log says why",
            )
        };
        let key = self.issuer.keyset_key();
        let trust = Trust::open(keyset.envelope.as_bytes(), key, Some(&snapshot))
            .map_err(|error| fault(&error))?;
        let verifier = Verifier::new(OPERATOR_SERVICE, trust).map_err(|error| fault(&error))?;
        // An operator calls rarely, and its token is not kept for the next time.
        let verifier = verifier.limits(Limits {
            cache_bytes: 0,
            ..Limits::default()
        });
        let in_use = Arc::new(InUse {
            keyset_version: keyset.version,
            feed_seq: head.seq,
            verifier,
        });
        self.guard.0.store(Some(Arc::clone(&in_use)));
        Ok(in_use)
    }
}

/// A snapshot that was made, and of what.
pub(crate) struct MadeSnapshot {
    seq: u64,
    keyset_version: u64,
    at: Timestamp,
    file: Bytes,
}

/// For so many seconds a snapshot is handed out again where nothing changed: to make one takes a
/// while, and anyone can ask.
const SNAPSHOT_KEPT: u64 = 300;

impl State {
    /// A snapshot of the revocations up to this head, or of more, which speaks of its keyset, or of a
    /// later one; a restore, which begins another history, raises that. It is made to its end though the
    /// caller is gone by then: where it takes longer than a request may, the next one finds it.
    pub(crate) async fn snapshot_of(&self, head: PublishedHead) -> Result<Bytes, SnapshotFailure> {
        let state = self.clone();
        let made = tokio::spawn(async move { state.made_snapshot(&head).await });
        // The task ends with the runtime only.
        made.await
            .unwrap_or(Err(SnapshotFailure::Store(StoreError::Unreachable)))
    }
}

impl Shared {
    async fn made_snapshot(&self, head: &PublishedHead) -> Result<Bytes, SnapshotFailure> {
        // Whoever holds this makes one; others wait for it.
        let mut made = self.snapshot.lock().await;
        let now = self.now();
        if let Some(made) = &*made
            && made.seq >= head.seq
            && made.keyset_version >= head.keyset_version
            && made.at <= now
            && now.since(made.at) < SNAPSHOT_KEPT
        {
            return Ok(made.file.clone());
        }
        let snapshot = self.issuer.snapshot(now).await?;
        let file = Bytes::from(snapshot.file);
        *made = Some(MadeSnapshot {
            seq: snapshot.seq,
            keyset_version: snapshot.keyset_version,
            at: now,
            file: file.clone(),
        });
        Ok(file)
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let unreadable = || {
        Problem::new(
            Code::Unauthenticated,
            "send one operator's token, as `Authorization: Bearer`",
        )
    };
    let text = value.to_str().map_err(|_| unreadable())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(unreadable)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unreadable());
    }
    Ok(Some(token.trim()))
}

fn denied(decision: &Decision, reason: Reason, call: &Call) -> Problem {
    let code = match reason {
        Reason::NoGrant
        | Reason::Caveat
        | Reason::Depth
        | Reason::WrongService
        | Reason::Policy
        | Reason::EvaluationError
        | Reason::OutOfFuel => Code::Denied,
        Reason::BadRequest => Code::BadRequest,
        Reason::StaleKeyset => Code::Unavailable,
        _ => Code::Unauthenticated,
    };
    let why = decision.explain(Values::Hidden).join("; ");
    Problem {
        reason: (reason != Reason::MissingToken).then(|| reason.code().to_owned()),
        ..Problem::new(
            code,
            match reason {
                Reason::MissingToken => {
                    "an operator's token is needed, as `Authorization: Bearer`".to_owned()
                }
                _ => format!("`{}` is denied ({}): {why}", call.action(), reason.code()),
            },
        )
    }
}
