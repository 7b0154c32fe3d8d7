//! One route's action, and the sources of its arguments.

use std::sync::Arc;

use axum::{Router, routing::MethodRouter};
use tower_layer::Layer;

use super::{
    declaration::{Argument, ArgumentSource, Declaration, DeclarationError},
    guard::RouteGuard,
    service::Protected,
    settings::ProtectSettings,
};

/// The action that a route needs a grant for. It makes the route, and is its layer.
///
/// Only what is declared here is an argument: grants can only refer to these, and a handler should act
/// on these only. If an argument declared from the path or the query is also in the body, the call is a
/// `bad_request`: there is no precedence that a caller could exploit.
///
/// Values from path and query are strings, even if they look like numbers, so a grant says
/// `limit = "10"`; the `_number` forms read an exact decimal number instead.
///
/// # Panics
/// Mistakes panic while the router is built, as mistakes in a path do in axum: each method panics on an
/// argument with an invalid name, or with another source already.
#[derive(Debug, Clone)]
pub struct Action(RouteGuard);

impl Action {
    #[track_caller]
    pub(super) fn new(settings: ProtectSettings, action: &str) -> Action {
        let declaration = accepted(Declaration::new(action));
        Action(RouteGuard {
            settings,
            declaration,
        })
    }

    /// The route at `path`, whose `methods` all need this action. Give each action a route of its own;
    /// [`Router::merge`] takes several of one path.
    ///
    /// ```
    /// # use axum::{Router, routing::{get, post}};
    /// # use bailiwick_verifier::layer::Protect;
    /// # async fn read() {}
    /// # async fn change() {}
    /// # fn example(protect: Protect) -> Router {
    /// let reads = protect.action("order:read").path("id");
    /// let changes = protect.action("order:change").path("id").json_body();
    /// Router::new()
    ///     .merge(reads.route("/orders/{id}", get(read)))
    ///     .merge(changes.route("/orders/{id}", post(change)))
    /// # }
    /// ```
    ///
    /// Methods that the route does not have are answered 405. A parameter of an outer
    /// [`Router::nest`] is not in `path`: there, use the action as a layer.
    ///
    /// # Panics
    /// If `path` lacks a declared parameter, and as [`Router::route`] does.
    #[track_caller]
    pub fn route<S>(self, path: &str, methods: MethodRouter<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        accepted(self.0.declaration.fits(path));
        Router::new().route(path, methods.route_layer(self))
    }

    /// Takes the top-level members of the JSON body as arguments.
    ///
    /// The body is read up to [`MAX_CALL_BYTES`](crate::call::MAX_CALL_BYTES) and handed on to
    /// the handler byte for byte; an empty one has no arguments. Without this declaration the body is not
    /// touched, and no grant sees its contents. The server's timeouts must bound the time that a sender may
    /// take.
    #[must_use]
    pub fn json_body(mut self) -> Action {
        self.0.declaration.json_body = true;
        self
    }

    /// Takes the route's path parameter `name` as the argument of that name, percent-decoded.
    #[must_use]
    #[track_caller]
    pub fn path(self, name: &str) -> Action {
        self.path_as(name, name)
    }

    /// Takes the route's path parameter `parameter` as the argument `name`.
    #[must_use]
    #[track_caller]
    pub fn path_as(self, parameter: &str, name: &str) -> Action {
        self.argument(ArgumentSource::Path, parameter, name, false)
    }

    /// Takes the route's path parameter `name` as a number; other text is a `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn path_number(self, name: &str) -> Action {
        self.argument(ArgumentSource::Path, name, name, true)
    }

    /// Takes the query parameter `name` as an argument if it is present; twice is a `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn query(self, name: &str) -> Action {
        self.argument(ArgumentSource::Query, name, name, false)
    }

    /// Takes the query parameter `name` as a number; other text is a `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn query_number(self, name: &str) -> Action {
        self.argument(ArgumentSource::Query, name, name, true)
    }

    /// Makes the resource from a template of segments such as `eu/{tenant}/orders/{id}`: a segment in
    /// braces is a path parameter, which must fill exactly one segment, and a last one `{*rest}`
    /// may fill several. A parameter cannot be a part of a segment, because with `{a}-{b}` two different
    /// resources could have the same text. The result must be in normal form, and is never repaired.
    #[must_use]
    #[track_caller]
    pub fn resource(mut self, template: &str) -> Action {
        accepted(self.0.declaration.resource(template));
        self
    }

    #[track_caller]
    fn argument(mut self, source: ArgumentSource, key: &str, name: &str, number: bool) -> Action {
        accepted(self.0.declaration.argument(Argument {
            source,
            key: key.to_owned(),
            name: name.to_owned(),
            number,
        }));
        self
    }
}

/// Panics on a mistake in a declaration, so that it is found before any call.
#[track_caller]
#[expect(clippy::panic, reason = "as axum's `Router::route` does")]
fn accepted<T>(declared: Result<T, DeclarationError>) -> T {
    match declared {
        Ok(declared) => declared,
        Err(mistake) => panic!("{mistake}"),
    }
}

impl<S> Layer<S> for Action {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected::new(inner, Arc::new(self.0.clone()))
    }
}
