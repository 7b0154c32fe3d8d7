//! The HTTP edge: a tower [`Layer`](tower_layer::Layer) for each route, and an axum extractor for the authority under
//! which a call was allowed.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::{get, post}};
//! use bailiwick_verifier::{Verifier, layer::{Authorized, Protect, system_clock}};
//!
//! async fn create(Authorized(allow): Authorized) -> String {
//!     format!("ordered for {}", allow.identity.principal)
//! }
//!
//! # async fn read() {}
//! # fn example(verifier: Verifier) -> Router {
//! let protect = Protect::new(Arc::new(verifier), system_clock());
//! let creates = protect.action("purchase_order:create").json_body();
//! let reads = protect.action("purchase_order:read").path("id");
//! Router::new()
//!     .merge(creates.route("/orders", post(create)))
//!     .merge(reads.route("/orders/{id}", get(read)))
//! # }
//! ```
//!
//! An [`Action`] makes routes and a [`Protect`] does not, so every protected route has an action. A declaration
//! that contradicts itself or the path of its route panics while the router is built. The token comes from
//! `Authorization: Bearer` or `Bailiwick-Token`, never from the query, and is removed before the handler sees
//! the request.
//!
//! # As a layer
//!
//! An [`Action`] is also a layer, for services that are not axum handlers, and for routes inside a
//! [`nest`](axum::Router::nest) whose path has the parameters. A layer's parameters cannot be checked against a
//! path beforehand: if a declared parameter is missing, each call is a `bad_request`.
//!
//! The layer protects only the methods added before it: in `get(read).route_layer(reads).post(create)`, the
//! route for `POST` would be open. A handler there that takes [`Authorized`] answers 500 and does nothing.
//! Apply the layer with the `route_layer` of a method router. axum's `layer` protects a route too, but also
//! covers the fallback for other methods: a `PUT` would then get 401 or 403, and count as a denial of the
//! action, instead of 405. The same is true of `route_layer` on the whole `Router`. A route for `any` method
//! has no such fallback, so it takes `layer`.
//!
//! # The order of work
//!
//! The token is checked first: its header, structure, root key, signatures (unless it was seen before), revocation, and
//! times. Only if it passes does the layer read the body and state the call. Then trust and time are checked again with the
//! decision. Up to 256 KiB of a refused request's body are read and dropped, so that its sender can read
//! the answer.
//!
//! # Answers to the caller
//!
//! | reason | status | `WWW-Authenticate: Bearer` |
//! |---|---|---|
//! | `missing_token` | 401 | `resource_metadata` where configured |
//! | `malformed` `too_large` `unsupported` `not_profile` `reserved_name` `unknown_key` `revoked_key` `bad_signature` `not_yet_valid` `expired` `revoked` | 401 | `error="invalid_token"`, and `resource_metadata` where configured |
//! | `wrong_service` `no_grant` `caveat` `policy` `depth` `evaluation_error` `out_of_fuel` | 403 | `error="insufficient_scope"`, `scope` naming the action |
//! | `bad_request` | 400 | |
//! | `stale_keyset` | 503 with `Retry-After` | |
//!
//! `evaluation_error` and `out_of_fuel` are 403: the token itself is genuine, and another token from the same
//! issuer may work. Bodies are `application/problem+json` (RFC 9457) with `type`, `title`, `status`,
//! `detail`, `reason`, and `explain` according to [`Protect::explain`].
//!
//! # Shadow mode
//!
//! A verifier in shadow mode lets denied calls through, with their bodies. The request then has
//! [`ShadowDenied`] in its extensions and no authority: `Option<Authorized>` is `None`, and a plain
//! [`Authorized`] answers with the denial.

mod action;
mod body;
mod call;
mod credential;
mod declaration;
mod extract;
mod guard;
#[doc(hidden)]
pub mod media;
mod parameters;
mod problem;
mod protect;
mod service;
mod settings;
mod template;

pub use self::{
    action::Action,
    credential::TOKEN_HEADER,
    extract::{Authorized, ShadowDenied},
    problem::{Problem, status},
    protect::Protect,
    service::Protected,
};
pub use crate::clock::{Clock, system_clock};
