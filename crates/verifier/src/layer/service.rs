//! The middleware: a service behind an action.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    http::{Request, Response},
    response::IntoResponse,
};
use tower_service::Service;

use super::{body, guard::RouteGuard};

/// A route protected by its [`Action`](super::Action).
///
/// Requests, and answers of the inner service, may have any `http_body::Body`. The inner service gets requests
/// with axum's body type, and callers get answers with that type.
#[derive(Debug, Clone)]
pub struct Protected<S> {
    inner: S,
    guard: Arc<RouteGuard>,
}

impl<S> Protected<S> {
    pub(super) fn new(inner: S, guard: Arc<RouteGuard>) -> Protected<S> {
        Protected { inner, guard }
    }
}

impl<S, B, A> Service<Request<B>> for Protected<S>
where
    S: Service<Request<Body>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody + Send + 'static,
    B::Error: Into<BoxError>,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Only the service that was polled is known to be ready, so the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let guard = Arc::clone(&self.guard);
        let request = request.map(body::boxed);
        Box::pin(async move {
            match guard.admit(request).await {
                Ok(request) => Ok(inner.call(request).await?.map(Body::new)),
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}
