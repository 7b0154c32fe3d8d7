//! Authentication and authorization of operators. They use tokens that this issuer minted, which are verified
//! and revoked like any others.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, header};
use bailiwick_api::ProblemCode;
use bailiwick_issuer::{Issuer, MintError, Standing};
use bailiwick_token::{text::credential, token::Token, value::Value};
use bailiwick_verifier::{Call, Decision, Deny, Identity, Reason, Values};

use crate::{
    body::Identified,
    head::RequestHead,
    own_verifier::fault,
    problem::{ApiError, denial_code},
    rate::{Purpose, REFUSALS},
    state::ServiceState,
};

/// The holder of a valid token of this issuer. No action has been checked yet.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The agent of the token.
    pub(crate) agent: String,
    /// A private field, so that only [`ServiceState::holder`] can construct the type.
    _checked: (),
}

impl Identified for Holder {}

/// An operator whose token allows the requested action.
#[derive(Debug)]
pub(crate) struct Operator {
    /// The identity in the operator's token.
    pub(crate) identity: Arc<Identity>,
    /// The standing of the token, checked again in the transaction of the action.
    standing: Standing,
}

impl Operator {
    fn of(identity: &Arc<Identity>, token: &str, call: &Call) -> Result<Operator, ApiError> {
        Ok(Operator {
            identity: Arc::clone(identity),
            standing: standing(token, call)?,
        })
    }

    /// The actor recorded in the audit log.
    pub(crate) fn actor(&self) -> String {
        actor(&self.identity)
    }
}

fn actor(identity: &Identity) -> String {
    format!("operator:{} ({})", identity.agent, identity.token_id)
}

impl ServiceState {
    /// Returns the operator that sent a request, if the operator's token allows the call.
    pub(crate) async fn operator(
        &self,
        head: &RequestHead,
        call: &Call,
    ) -> Result<Operator, ApiError> {
        // Checked before the verifier is prepared, so that a request without a token costs nothing.
        let Some(token) = bearer(&head.headers)? else {
            let decision = Decision::missing_token();
            return Err(denied(&decision, Reason::MissingToken, call));
        };
        let verifier = self.own_verifier.current().await?;
        match verifier.check(token, call, self.now()) {
            Decision::Allow(allow) => Operator::of(&allow.identity, token, call),
            Decision::Deny(deny) => Err(self.record_denial(deny, call, head.from).await?),
        }
    }

    /// Authenticates the holder of a request's token, before the body of the request is parsed.
    pub(crate) async fn holder(
        &self,
        head: &RequestHead,
        action: &str,
    ) -> Result<Holder, ApiError> {
        let call = Call::new(action);
        let Some(token) = bearer(&head.headers)? else {
            let decision = Decision::missing_token();
            return Err(denied(&decision, Reason::MissingToken, &call));
        };
        let verifier = self.own_verifier.current().await?;
        match verifier.authenticate(token, self.now()) {
            Ok(authenticated) => Ok(Holder {
                agent: authenticated.verified().identity().agent.clone(),
                _checked: (),
            }),
            Err(deny) => {
                // Unlike `check`, `authenticate` neither counts nor logs its denials.
                let decision = Decision::Deny((*deny).clone());
                let _ = verifier.recorded(decision, Some(&call));
                Err(self.record_denial(*deny, &call, head.from).await?)
            }
        }
    }

    /// Records a denial, and returns the answer.
    async fn record_denial(
        &self,
        deny: Deny,
        call: &Call,
        from: IpAddr,
    ) -> Result<ApiError, ApiError> {
        let (reason, identity) = (deny.reason(), deny.identity.clone());
        let answer = denied(&Decision::Deny(deny), reason, call);
        match (identity, answer.problem.code) {
            (Some(identity), _) => {
                self.record_denied_operator(&identity, call.action(), reason.code(), from)
                    .await?;
            }
            // The token did not verify, so nothing in it may be recorded as a fact.
            (None, ProblemCode::Unauthenticated) => {
                self.strangers
                    .record_operator(call.action(), reason.code(), from)
                    .await;
            }
            (None, _) => {}
        }
        Ok(answer)
    }

    /// Returns the issuer, acting for an operator as long as the operator's token is not revoked.
    pub(crate) fn acting_for(&self, operator: Operator) -> Issuer {
        let issuer = self.issuer.acting_as(&operator.actor());
        // The token may be revoked while the action waits, so its transaction looks it up again.
        issuer.on_standing(operator.standing)
    }

    /// Records the denial of an authenticated operator, at most at the rate [`REFUSALS`].
    pub(crate) async fn record_denied_operator(
        &self,
        identity: &Identity,
        action: &str,
        reason: &str,
        from: IpAddr,
    ) -> Result<(), MintError> {
        if self
            .rates
            .take(Purpose::DeniedOperator, &identity.agent, REFUSALS)
            .is_err()
        {
            return Ok(());
        }
        let actor = actor(identity);
        tracing::warn!(actor, action, reason, %from, "an operator is denied");
        let issuer = self.issuer.acting_as(&actor);
        let recorded = issuer.record_denied_operator(action, reason, 0, self.now());
        recorded.await.map(drop)
    }
}

/// The standing of an operator whose token was verified.
fn standing(token: &str, call: &Call) -> Result<Standing, ApiError> {
    // The verifier has parsed this text already, so an error here is a fault of the issuer.
    let token = Token::parse(token).map_err(|error| fault(&error))?;
    Standing::of_operator(&token, call.action()).map_err(|error| fault(&error))
}

/// Converts a list of texts to an argument of a call.
pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Value {
    let texts = texts.into_iter();
    Value::Array(
        texts
            .map(|text| Value::String(text.as_ref().to_owned()))
            .collect(),
    )
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let unreadable = || {
        ApiError::new(
            ProblemCode::Unauthenticated,
            "the request carries more than one credential; send one operator's token, as `Authorization: Bearer`",
        )
    };
    let text = value.to_str().map_err(|_| unreadable())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(unreadable)?;
    // Two headers could name two operators, so neither is believed.
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unreadable());
    }
    Ok(Some(credential(token)))
}

fn denied(decision: &Decision, reason: Reason, call: &Call) -> ApiError {
    let code = denial_code(reason);
    if reason == Reason::MissingToken {
        return ApiError::new(
            code,
            "the request has no operator's token; send one as `Authorization: Bearer`",
        );
    }
    // Values of arguments may be secret, and answers end up in the logs of clients.
    let why = decision.explain(Values::Hidden).join("; ");
    let action = call.action();
    let detail = match next_step(reason) {
        // The token would be refused for any action, so the message does not name this one.
        Some(next) => format!(
            "the operator's token is not valid ({}): {why}; {next}",
            reason.code()
        ),
        None => format!(
            "the operator's token does not allow `{action}` ({}): {why}",
            reason.code()
        ),
    };
    ApiError::new(code, detail).with_reason(reason.code())
}

/// Returns the next step for a token that is refused whatever the action is.
fn next_step(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Expired | Reason::Revoked | Reason::RevokedKey | Reason::UnknownKey => {
            Some("fetch or mint another operator's token")
        }
        Reason::Malformed | Reason::BadSignature => {
            Some("send the whole text of an operator's token of this issuer")
        }
        Reason::NotYetValid => Some("compare the clocks of the issuers"),
        _ => None,
    }
}
