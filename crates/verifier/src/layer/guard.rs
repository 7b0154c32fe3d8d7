//! The steps between a request and its handler: token, call, decision.

use std::fmt;

use axum::{extract::Request, http::HeaderMap};

use super::{
    body, credential,
    declaration::Declaration,
    extract::{Authorized, ShadowDenied},
    problem::Problem,
    settings::ProtectSettings,
};
use crate::{
    authenticate::Authenticated,
    call::{Call, CallError, CallLimits},
    decision::{Decision, Deny},
    denial::Denial,
};

/// The guard of a route. It lets a call through only if the token allows it.
#[derive(Clone)]
pub(super) struct RouteGuard {
    pub(super) settings: ProtectSettings,
    pub(super) declaration: Declaration,
}

impl RouteGuard {
    /// Returns the request as its handler may see it, or the refusal.
    pub(super) async fn admit(&self, request: Request) -> Result<Request, Problem> {
        let verifier = &self.settings.verifier;
        let looked_at = self.settings.headers;
        let (mut parts, mut body) = request.into_parts();
        let decision = match self.authenticate(&parts.headers) {
            Err(decision) => decision,
            Ok(authenticated) => {
                let declared = &self.declaration;
                let limit = CallLimits::of(verifier.limits.call_bytes).bytes;
                let call = declared.read(&authenticated, &mut parts, &mut body, limit);
                let call = call.await;
                match call {
                    // The token is verified, so the record can name the caller.
                    Err(error) => {
                        let denial = CallError::Unreadable(error.to_string());
                        let deny = Deny::of(&authenticated.verified().identity, denial);
                        self.recorded(Decision::Deny(deny))
                    }
                    // The clock is read again after the body, so a slow sender cannot extend a token's lifetime.
                    Ok(call) => {
                        verifier.decide(authenticated.verified(), &call, (self.settings.clock)())
                    }
                }
            }
        };
        match decision {
            Decision::Allow(allow) => {
                credential::remove(&mut parts.headers, looked_at, false);
                parts.extensions.remove::<ShadowDenied>();
                parts.extensions.insert(Authorized(allow));
            }
            Decision::Deny(deny) if verifier.is_shadow() => {
                credential::remove(&mut parts.headers, looked_at, true);
                parts.extensions.remove::<Authorized>();
                parts.extensions.insert(ShadowDenied(deny));
            }
            Decision::Deny(deny) => {
                body::discard(&parts.headers, body).await;
                return Err(Problem::denied(
                    &deny,
                    &self.settings,
                    &self.declaration.action,
                ));
            }
        }
        Ok(Request::from_parts(parts, body))
    }

    /// Verifies the token in the headers. Without a valid token, no part of the call is read.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, Decision> {
        let verifier = &self.settings.verifier;
        let token = credential::find(headers, self.settings.headers)
            .map_err(|error| Decision::Deny(Denial::Credential(error.to_string()).into()))
            .and_then(|token| token.ok_or_else(Decision::missing_token))
            .map_err(|decision| self.recorded(decision))?;
        // Authentication and decision run on the runtime's own thread. An unseen token takes about 0.2 ms, and fuel
        // bounds a decision. Moving either to a pool of blocking threads would cost about as much, and it could wait
        // there behind slower work.
        verifier
            .authenticate(&token, (self.settings.clock)())
            .map_err(|deny| self.recorded(Decision::Deny(*deny)))
    }

    /// Counts and records the denial of a call that was not read, so only the action is known.
    fn recorded(&self, decision: Decision) -> Decision {
        let unread = Call::new(&self.declaration.action);
        self.settings.verifier.recorded(decision, Some(&unread))
    }
}

impl fmt::Debug for RouteGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteGuard")
            .field("service", &self.settings.verifier.service())
            .field("declaration", &self.declaration)
            .finish_non_exhaustive()
    }
}
