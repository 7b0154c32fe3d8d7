//! Operators: they act by tokens of this issuer's own making, which are verified as any service
//! verifies them, and revoked as any token is.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use bailiwick_issuer::{
    FEED_LIFE, Issuer, MintError, PublishedHead, PublishedKeyset, SnapshotFailure, Standing,
    StoreError,
};
use bailiwick_token::{
    revocation::{MAX_PAGE, Position},
    text::credential,
    timestamp::Timestamp,
    token::Token,
    value::Value,
};
use bailiwick_verifier::{
    Decision, Deny, Identity, Limits, Reason, Request as Call, Staleness, Trust, Values, Verifier,
};
use tokio::sync::Mutex;

use crate::{
    body::Authenticated,
    problem::{Code, Problem},
    rate::REFUSALS,
    state::{Shared, State},
};

/// The service that an operator's grants are about.
pub const OPERATOR_SERVICE: &str = "bailiwick";

/// The issuer's verifier for its own tokens.
#[derive(Default)]
pub(crate) struct Guard {
    in_use: ArcSwapOption<InUse>,
    /// Who holds this makes the next one; others wait for it.
    making: Mutex<()>,
}

/// A verifier, and what it was made from.
struct InUse {
    keyset_version: u64,
    feed_seq: u64,
    /// When everything was read anew. What changed since is added to it, and what is dead stays in it.
    opened_at: Timestamp,
    verifier: Verifier,
}

/// For so many seconds changes are added; then everything is read anew.
const FOLLOWED: u64 = 3_600;

/// The holder of a token of this issuer that is in force. It may do nothing yet.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The agent of its token.
    pub(crate) agent: String,
    /// Only [`State::holder`] makes one.
    _checked: (),
}

impl Authenticated for Holder {}

/// An operator who may do what is asked.
#[derive(Debug)]
pub(crate) struct Operator {
    /// The identity in its token.
    pub(crate) identity: Arc<Identity>,
    /// The standing of its token, compared in the transaction of the action.
    standing: Standing,
}

impl Operator {
    fn of(identity: &Arc<Identity>, token: &str, call: &Call) -> Result<Operator, Problem> {
        Ok(Operator {
            identity: Arc::clone(identity),
            standing: standing(token, call)?,
        })
    }

    /// The actor in the audit.
    pub(crate) fn actor(&self) -> String {
        actor(&self.identity)
    }
}

fn actor(identity: &Identity) -> String {
    format!("operator:{} ({})", identity.agent, identity.token_id)
}

impl State {
    /// The operator that a request is from, where its token allows the call.
    pub(crate) async fn operator(
        &self,
        headers: &HeaderMap,
        call: &Call,
    ) -> Result<Operator, Problem> {
        // Without a token nothing has to be made ready.
        let Some(token) = bearer(headers)? else {
            let decision = Decision::missing_token();
            return Err(denied(&decision, Reason::MissingToken, call));
        };
        let in_use = self.own_verifier().await?;
        match in_use.verifier.check(token, call, self.now()) {
            Decision::Allow(allow) => Operator::of(&allow.identity, token, call),
            Decision::Deny(deny) => Err(self.record_denial(deny, call).await?),
        }
    }

    /// The holder of the token that a request for `action` carries, before its body is parsed.
    pub(crate) async fn holder(
        &self,
        headers: &HeaderMap,
        action: &str,
    ) -> Result<Holder, Problem> {
        let call = Call::new(action);
        let Some(token) = bearer(headers)? else {
            let decision = Decision::missing_token();
            return Err(denied(&decision, Reason::MissingToken, &call));
        };
        let in_use = self.own_verifier().await?;
        match in_use.verifier.authenticate(token, self.now()) {
            Ok(authenticated) => Ok(Holder {
                agent: authenticated.token().identity().agent.clone(),
                _checked: (),
            }),
            Err(deny) => {
                let decision = Decision::Deny((*deny).clone());
                let _ = in_use.verifier.recorded(decision, Some(&call));
                Err(self.record_denial(*deny, &call).await?)
            }
        }
    }

    /// Records a denial, and returns the answer to it.
    async fn record_denial(&self, deny: Deny, call: &Call) -> Result<Problem, Problem> {
        let (reason, identity) = (deny.reason(), deny.identity.clone());
        let problem = denied(&Decision::Deny(deny), reason, call);
        match (identity, problem.code) {
            (Some(identity), _) => {
                self.refused(&identity, call.action(), reason.code())
                    .await?;
            }
            // Nobody vouches for the token.
            (None, Code::Unauthenticated) => {
                self.turn_away_operator(call.action(), reason.code()).await;
            }
            (None, _) => {}
        }
        Ok(problem)
    }

    /// The issuer, acting in the name of an operator while its token is not revoked.
    pub(crate) fn acting_for(&self, operator: Operator) -> Issuer {
        let issuer = self.issuer.acting_as(&operator.actor());
        issuer.on_standing(operator.standing)
    }

    /// Puts on record what a known operator was refused, as far as it does not fill the record with it.
    pub(crate) async fn refused(
        &self,
        identity: &Identity,
        action: &str,
        reason: &str,
    ) -> Result<(), MintError> {
        if self
            .rates
            .take("operator", &identity.agent, REFUSALS)
            .is_err()
        {
            return Ok(());
        }
        let actor = actor(identity);
        tracing::info!(actor, action, reason, "an operator is denied");
        let issuer = self.issuer.acting_as(&actor);
        let recorded = issuer.record_denied_operator(action, reason, 0, self.now());
        recorded.await.map(drop)
    }

    /// A verifier that knows the newest keyset and every revocation: this is the one place where
    /// nothing has to be polled for.
    async fn own_verifier(&self) -> Result<Arc<InUse>, Problem> {
        let head = self.issuer.head(self.now()).await?;
        let last = self.guard.in_use.load_full();
        if let Some(in_use) = last.filter(|in_use| in_use.is_current(&head, self.now())) {
            return Ok(in_use);
        }
        let _making = self.guard.making.lock().await;
        // While this waited, somebody else may have made it, or more may have been revoked.
        let now = self.now();
        let head = self.issuer.head(now).await?;
        let last = self.guard.in_use.load_full();
        if let Some(in_use) = last.clone().filter(|in_use| in_use.is_current(&head, now)) {
            return Ok(in_use);
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
        let in_use = Arc::new(InUse {
            keyset_version: keyset.version,
            feed_seq: head.seq,
            opened_at,
            verifier,
        });
        self.guard.in_use.store(Some(Arc::clone(&in_use)));
        Ok(in_use)
    }

    /// What the last one knew and what changed since, where the changes lead from there to here.
    async fn followed(
        &self,
        last: &InUse,
        keyset: &PublishedKeyset,
        head: &PublishedHead,
    ) -> Result<Option<Trust>, Problem> {
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
            trust.with_delta(head, lines.as_bytes(), self.now()).ok()
        });
        Ok(followed)
    }

    /// Everything that is revoked, read anew.
    async fn opened(
        &self,
        keyset: &PublishedKeyset,
        head: &PublishedHead,
    ) -> Result<Trust, Problem> {
        let snapshot = self.snapshot_of(head.clone(), false).await?;
        let (keyset, key) = (keyset.envelope.clone(), *self.issuer.keyset_key());
        // A million revocations take half a second, for which others need not wait.
        let opened = tokio::task::spawn_blocking(move || {
            Trust::open(keyset.as_bytes(), &key, Some(&snapshot))
        });
        let opened = opened.await.map_err(|error| fault(&error))?;
        opened.map_err(|error| fault(&error))
    }
}

impl InUse {
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

/// The standing of an operator whose token was verified.
fn standing(token: &str, call: &Call) -> Result<Standing, Problem> {
    // What a verifier has read can be read again.
    let token = Token::parse(token).map_err(|error| fault(&error))?;
    Standing::of_operator(&token, call.action()).map_err(|error| fault(&error))
}

/// A list of texts, as an argument of a call.
pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Value {
    let texts = texts.into_iter();
    Value::Array(
        texts
            .map(|text| Value::String(text.as_ref().to_owned()))
            .collect(),
    )
}

fn fault(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the issuer does not trust itself");
    Problem::new(
        Code::Internal,
        "the issuer cannot verify its own tokens, and its log says why",
    )
}

/// A snapshot that was made, and of what.
pub(crate) struct MadeSnapshot {
    position: Position,
    keyset_version: u64,
    at: Timestamp,
    file: Bytes,
}

/// For so many seconds a snapshot is handed out again where nothing changed.
const SNAPSHOT_KEPT: u64 = 300;

/// And where something did, to who joins it to the head by the changes since: to make one takes a while,
/// and anyone can ask. A cache may keep it for as long.
pub(crate) const SNAPSHOT_SPARED: u64 = 5;

impl State {
    /// A snapshot of the revocations up to this head, or of more, which speaks of its keyset, or of a
    /// later one; a restore, which begins another history, raises that. Where it may be `recent`, it is
    /// one that the changes of a page lead from to the head. It is made to its end though the caller is
    /// gone by then: where it takes longer than a request may, the next one finds it.
    pub(crate) async fn snapshot_of(
        &self,
        head: PublishedHead,
        recent: bool,
    ) -> Result<Bytes, SnapshotFailure> {
        let state = self.clone();
        let made = tokio::spawn(async move { state.made_snapshot(&head, recent).await });
        // The task ends with the runtime only.
        made.await
            .unwrap_or(Err(SnapshotFailure::from(StoreError::Unreachable)))
    }
}

impl Shared {
    async fn made_snapshot(
        &self,
        head: &PublishedHead,
        recent: bool,
    ) -> Result<Bytes, SnapshotFailure> {
        // Whoever holds this makes one; others wait for it.
        let mut made = self.snapshot.lock().await;
        let (now, position) = (self.now(), self.issuer.position().await?);
        let holds = |made: &MadeSnapshot, seconds| {
            made.keyset_version >= head.keyset_version
                && made.at <= now
                && now.since(made.at) < seconds
        };
        let leads = |made: &MadeSnapshot| {
            made.position.epoch == position.epoch
                && position
                    .seq
                    .checked_sub(made.position.seq)
                    .is_some_and(|between| between <= MAX_PAGE)
        };
        let snapshot = match &*made {
            Some(made) if made.position == position && holds(made, SNAPSHOT_KEPT) => {
                return Ok(made.file.clone());
            }
            Some(made) if recent && leads(made) && holds(made, SNAPSHOT_SPARED) => {
                return Ok(made.file.clone());
            }
            Some(made) => self.issuer.snapshot_after(made.file.clone(), now).await?,
            None => self.issuer.snapshot(now).await?,
        };
        let file = Bytes::from(snapshot.file);
        *made = Some(MadeSnapshot {
            position: snapshot.position,
            keyset_version: snapshot.keyset_version,
            // Its making took a while, too.
            at: self.now(),
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
    Ok(Some(credential(token)))
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
