//! The HTTP edge: a tower [`Layer`](tower_layer::Layer) for each route, and an axum extractor for
//! the authority that it grants.
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
//! Router::new()
//!     .route("/orders", post(create).route_layer(protect.action("purchase_order:create").json_body()))
//!     .route("/orders/{id}", get(read).route_layer(protect.action("purchase_order:read").path("id")))
//! # }
//! ```
//!
//! A [`Protect`] is not a layer yet: it becomes one by naming the route's action, so there is no
//! protected route without one. The layer takes the token from `Authorization: Bearer` or
//! `Bailiwick-Token`, never from the query, and removes it before the handler sees the request.
//!
//! The layer protects the methods that stand before it, so each method gets its own:
//! `get(read).route_layer(reads).merge(post(create).route_layer(creates))`. In
//! `get(read).route_layer(reads).post(create)` the second would be open; a handler that takes
//! [`Authorized`] answers 500 there and does nothing.
//!
//! Apply it with a method router's `route_layer`. axum's `layer` protects a route as well, but also
//! its answer to methods that it does not have: a `PUT` would then get 401 or 403 and count as a
//! denial of the action, where 405 is right. So would a `route_layer` of the whole `Router`. A route
//! of `any` method has no such answer, and takes `layer`. Nor does `route_layer` cover a `.fallback`
//! of the route, or an `.options` added after it, such as one for CORS preflights.
//!
//! # The order of work
//!
//! The token comes first: its place, structure, signatures, root key, times, and revocation. Only for
//! a token that passes does the layer read the body and state the call; then trust and time are
//! checked again with the decision. Up to 256 KiB of a refused request's body are read and dropped, so
//! that its sender can read the answer.
//!
//! # What a caller is told
//!
//! | reason | status | `WWW-Authenticate: Bearer` |
//! |---|---|---|
//! | `missing_token` | 401 | `resource_metadata` where configured |
//! | `malformed` `too_large` `unsupported` `not_profile` `reserved_name` `unknown_key` `revoked_key` `bad_signature` `not_yet_valid` `expired` `revoked` | 401 | `error="invalid_token"` |
//! | `wrong_service` `no_grant` `caveat` `policy` `depth` `evaluation_error` `out_of_fuel` | 403 | `error="insufficient_scope"`, `scope` naming the action |
//! | `bad_request` | 400 | |
//! | `stale_keyset` | 503 with `Retry-After` | |
//!
//! `evaluation_error` and `out_of_fuel` are 403: the token itself is genuine, and another token
//! from the same issuer may well do. Bodies are `application/problem+json` (RFC 9457) with `type`,
//! `title`, `status`, `detail`, `reason`, and `explain` where [`Protect::explain`] says so.
//!
//! # Shadow mode
//!
//! A verifier in shadow mode lets denied calls pass, body included. The handler then finds
//! [`ShadowDenied`] in the request's extensions and no authority: `Option<Authorized>` is `None`,
//! and a plain [`Authorized`] answers with the denial.

mod action;
mod body;
mod call;
mod credential;
mod extract;
#[doc(hidden)]
pub mod media;
mod problem;
mod service;
mod template;

use std::{fmt, sync::Arc};

use axum::http::Uri;

pub use self::{
    action::Action,
    credential::TOKEN_HEADER,
    extract::{Authorized, ShadowDenied},
    problem::{Problem, status},
    service::Protected,
};
use self::{call::Declared, credential::Headers};
pub use crate::clock::{Clock, system_clock};
use crate::{explain::Values, verifier::Verifier};

/// What the routes of a service share: its verifier, its clock, and what callers are told.
#[derive(Clone)]
pub struct Protect {
    verifier: Arc<Verifier>,
    clock: Clock,
    headers: Headers,
    explain: Option<Values>,
    resource_metadata: Option<Uri>,
}

impl Protect {
    /// Protects routes with this verifier.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, clock: Clock) -> Protect {
        Protect {
            verifier,
            clock,
            headers: Headers::Both,
            explain: None,
            resource_metadata: None,
        }
    }

    /// The layer for a route: whoever calls it needs a grant for `action`, such as
    /// `purchase_order:create`. The action comes from here and never from the request.
    #[must_use]
    pub fn action(&self, action: &str) -> Action {
        Action {
            protect: self.clone(),
            call: Declared::new(action),
        }
    }

    /// Takes the token from `Bailiwick-Token` only and leaves `Authorization` alone, for a service
    /// whose bearer token is somebody else's, such as OAuth's.
    #[must_use]
    pub fn beside_oauth(mut self) -> Protect {
        self.headers = Headers::OwnOnly;
        self
    }

    /// Puts the explanation into every 400, 401 and 403. Without this call a 403 has it with
    /// [`Values::Hidden`] and a 401 has none: whoever has no valid token learns the reason only.
    #[must_use]
    pub fn explain(mut self, values: Values) -> Protect {
        self.explain = Some(values);
        self
    }

    /// Names the service's OAuth protected resource metadata (RFC 9728) in each 401, so that
    /// a client can find out where to get a token.
    #[must_use]
    pub fn resource_metadata(mut self, url: Uri) -> Protect {
        self.resource_metadata = Some(url);
        self
    }
}

impl fmt::Debug for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect")
            .field("service", &self.verifier.service())
            .field("shadow", &self.verifier.is_shadow())
            .finish_non_exhaustive()
    }
}
