//! The action of a route, and the sources of its arguments.

use std::sync::Arc;

use axum::{Router, routing::MethodRouter};
use tower_layer::Layer;

use super::{
    declaration::{Argument, ArgumentSource, Declaration, DeclarationError},
    guard::RouteGuard,
    service::Protected,
    settings::ProtectSettings,
};

/// The action of a route, for which its calls need a grant. An `Action` makes the route, or serves as its layer.
///
/// Only declared values are arguments: grants can refer to nothing else, and a handler should act on nothing
/// else. If an argument declared from the path or the query is also in the body, the call is a `bad_request`:
/// there is no precedence that a caller could exploit.
///
/// Values from path and query are strings, even if they look like numbers, so a grant says `limit = "10"`. The
/// methods with `_number` in their names read an exact decimal number instead.
///
/// # Panics
/// Mistakes cause a panic while the router is built, as mistakes in a path do in axum. Each method panics if an
/// argument has an invalid name, or already has another source.
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

    /// Makes the route at `path`, where calls of all `methods` need a grant for this action. Give each action its own
    /// route; [`Router::merge`] accepts several routes with the same path.
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
    /// Other methods get 405. A parameter of an outer [`Router::nest`] is not in `path`: there, use the action
    /// as a layer.
    ///
    /// # Panics
    /// If `path` lacks a declared parameter, or if [`Router::route`] panics.
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
    /// The body is read up to the verifier's [`Limits::call_bytes`](crate::Limits::call_bytes) and passed on to the handler
    /// byte for byte. An empty body has no arguments. Without this declaration the body is not read, and no grant
    /// can refer to its contents. The server's timeouts must limit the time that a sender may take.
    #[must_use]
    pub fn json_body(mut self) -> Action {
        self.0.declaration.json_body = true;
        self
    }

    /// Takes the route's path parameter `name`, percent-decoded, as an argument with the same name.
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

    /// Takes the route's path parameter `name` as a number; any other text is a `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn path_number(self, name: &str) -> Action {
        self.argument(ArgumentSource::Path, name, name, true)
    }

    /// Takes the query parameter `name` as an argument if it is present. A repeated parameter is a
    /// `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn query(self, name: &str) -> Action {
        self.argument(ArgumentSource::Query, name, name, false)
    }

    /// Takes the query parameter `name` as a number; any other text is a `bad_request`.
    #[must_use]
    #[track_caller]
    pub fn query_number(self, name: &str) -> Action {
        self.argument(ArgumentSource::Query, name, name, true)
    }

    /// Makes the resource from a template of segments such as `eu/{tenant}/orders/{id}`. A segment in braces is
    /// a path parameter, which must fill exactly one segment; a final `{*rest}` may fill several. A parameter
    /// cannot be a part of a segment, because with `{a}-{b}` two different resources could have the same text.
    /// The result must be in normal form; it is never corrected.
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

/// Panics if a declaration is wrong, so that the mistake is found before any call.
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
