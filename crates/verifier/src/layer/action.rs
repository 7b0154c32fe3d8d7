//! One route's layer: its action, and where its arguments come from.

use std::sync::Arc;

use tower_layer::Layer;

use super::{
    Protect, Protected,
    call::{Argument, Declared, Place},
};

/// A layer that lets a call through to its route when the token allows the route's action.
///
/// Arguments are what is declared here and nothing else: a grant can only speak of these, and
/// a handler should act on these only. An argument declared twice, or declared from the path or the
/// query and present in the body as well, makes the call a `bad_request`: there is no order of
/// precedence that a caller could play with.
///
/// Values from path and query are strings, also where they look like numbers, so that a grant says
/// `limit = "10"`; the `_number` forms read an exact decimal number instead.
#[derive(Debug, Clone)]
pub struct Action {
    pub(super) protect: Protect,
    pub(super) call: Declared,
}

impl Action {
    /// Takes the top-level members of the JSON body as arguments.
    ///
    /// The body is read up to [`MAX_CALL_BYTES`](crate::request::MAX_CALL_BYTES) and handed on to
    /// the handler byte for byte; an empty one has no arguments. Without this declaration the body
    /// is not touched, and no grant sees what is in it. How long a sender may take is for the
    /// server's timeouts to say.
    #[must_use]
    pub fn json_body(mut self) -> Action {
        self.call.json_body = true;
        self
    }

    /// Takes the route's path parameter `name` as the argument of that name, percent-decoded.
    #[must_use]
    pub fn path(self, name: &str) -> Action {
        self.path_as(name, name)
    }

    /// Takes the route's path parameter `parameter` as the argument `name`.
    #[must_use]
    pub fn path_as(self, parameter: &str, name: &str) -> Action {
        self.argument(Place::Path, parameter, name, false)
    }

    /// Takes the route's path parameter `name` as a number; other text is a `bad_request`.
    #[must_use]
    pub fn path_number(self, name: &str) -> Action {
        self.argument(Place::Path, name, name, true)
    }

    /// Takes the query parameter `name` as an argument where it is there; twice is a `bad_request`.
    #[must_use]
    pub fn query(self, name: &str) -> Action {
        self.argument(Place::Query, name, name, false)
    }

    /// Takes the query parameter `name` as a number; other text is a `bad_request`.
    #[must_use]
    pub fn query_number(self, name: &str) -> Action {
        self.argument(Place::Query, name, name, true)
    }

    /// What is acted on, as a template of segments such as `eu/{tenant}/orders/{id}`: a segment in
    /// braces is a path parameter, which must fill exactly one segment, and a last one `{*rest}`
    /// may fill several. A parameter cannot be a part of a segment, because `{a}-{b}` would name two
    /// different things by one text. The result must be in normal form, and is never repaired.
    #[must_use]
    pub fn resource(mut self, template: &str) -> Action {
        self.call.resource(template);
        self
    }

    fn argument(mut self, place: Place, key: &str, name: &str, number: bool) -> Action {
        self.call.argument(Argument {
            place,
            key: key.to_owned(),
            name: name.to_owned(),
            number,
        });
        self
    }
}

impl<S> Layer<S> for Action {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected::new(inner, Arc::new(self.clone()))
    }
}
