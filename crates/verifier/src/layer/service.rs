//! The middleware itself.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use tower_service::Service;

use super::{Action, Authorized, Problem, ShadowDenied, body, credential};
use crate::{
    authenticate::Authenticated,
    decision::{Decision, Deny},
    denial::Denial,
    request::{self, RequestError},
};

/// A route behind its [`Action`].
#[derive(Debug, Clone)]
pub struct Protected<S> {
    inner: S,
    action: Arc<Action>,
}

impl<S> Protected<S> {
    pub(super) fn new(inner: S, action: Arc<Action>) -> Protected<S> {
        Protected { inner, action }
    }
}

impl<S> Service<Request> for Protected<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone is not known to be ready; the one that was polled is.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let action = Arc::clone(&self.action);
        Box::pin(async move {
            match action.admit(request).await {
                Ok(request) => inner.call(request).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

impl Action {
    /// The request as the handler may see it, or why it may not.
    async fn admit(&self, request: Request) -> Result<Request, Problem> {
        let verifier = &self.protect.verifier;
        let looked_at = self.protect.headers;
        let (mut parts, mut body) = request.into_parts();
        let decision = match self.authenticate(&parts.headers) {
            Err(decision) => decision,
            Ok(authenticated) => {
                let call = self.call.read(&authenticated, &mut parts, &mut body).await;
                match call {
                    // The token is verified, so the record says whose call it is.
                    Err(error) => {
                        let denial = RequestError::Unreadable(error.to_string());
                        let deny = Deny::of(&authenticated.token().identity, denial);
                        self.recorded(Decision::Deny(deny))
                    }
                    // The clock is read anew, after the body: a slow sender gains no life.
                    //
                    // This runs on the runtime's own thread. It takes about 0.2 ms and its fuel bounds
                    // it; handing it to another thread and back would cost about as much, and queue
                    // behind whatever blocks there.
                    Ok(call) => {
                        verifier.decide(authenticated.token(), &call, (self.protect.clock)())
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
                return Err(Problem::denied(&deny, self));
            }
        }
        Ok(Request::from_parts(parts, body))
    }

    /// The token among the headers, verified: without one nothing of the call is read.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, Decision> {
        let verifier = &self.protect.verifier;
        let token = credential::find(headers, self.protect.headers)
            .map_err(|error| Decision::Deny(Denial::Credential(error.to_string()).into()))
            .and_then(|token| token.ok_or_else(Decision::missing_token))
            .map_err(|decision| self.recorded(decision))?;
        verifier
            .authenticate(&token, (self.protect.clock)())
            .map_err(|deny| self.recorded(Decision::Deny(*deny)))
    }

    /// Counts and records the denial of a call that was not read: all that is known of it is its action.
    fn recorded(&self, decision: Decision) -> Decision {
        let unread = request::Request::new(&self.call.action);
        self.protect.verifier.recorded(decision, Some(&unread))
    }
}
