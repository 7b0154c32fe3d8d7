//! The middleware itself.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{extract::Request, response::IntoResponse, response::Response};
use tower_service::Service;

use super::{Action, Authorized, Problem, ShadowDenied, credential};
use crate::{
    decision::{Decision, Deny, Reason},
    request,
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
        let unread = request::Request::new(&self.call.action);
        let refused = |reason, detail| {
            verifier.recorded(Decision::Deny(Deny::new(reason, detail)), Some(&unread))
        };
        let decision = match credential::find(&parts.headers, looked_at) {
            Err(error) => refused(Reason::Malformed, error.to_string()),
            Ok(None) => verifier.recorded(Decision::missing_token(), Some(&unread)),
            Ok(Some(token)) => match self.call.read(&mut parts, &mut body).await {
                Err(error) => refused(Reason::BadRequest, error.to_string()),
                // The time is told after the body was read: a slow sender gains no life.
                //
                // This runs on the runtime's own thread. It takes about 0.2 ms and its fuel bounds
                // it; handing it to another thread and back would cost about as much, and queue
                // behind whatever blocks there.
                Ok(call) => verifier.check(&token, &call, (self.protect.clock)()),
            },
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
            Decision::Deny(deny) => return Err(Problem::denied(&deny, self)),
        }
        Ok(Request::from_parts(parts, body))
    }
}
