//! The entry point of the layer, which makes the actions of a service's routes.

use std::{fmt, sync::Arc};

use axum::http::Uri;

use super::{action::Action, credential::Headers, settings::ProtectSettings};
use crate::{clock::Clock, explain::Values, verifier::Verifier};

/// Makes the actions of a service's routes, with [`Protect::action`].
#[derive(Clone)]
pub struct Protect(ProtectSettings);

impl Protect {
    /// Protects routes with this verifier. The clock is [`system_clock`](super::system_clock), except
    /// in tests.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, clock: Clock) -> Protect {
        Protect(ProtectSettings {
            verifier,
            clock,
            headers: Headers::Both,
            explain: None,
            resource_metadata: None,
        })
    }

    /// Names the action of a route, such as `purchase_order:create`. Every call of the route needs a grant for it. The
    /// action is fixed here, and never comes from the request.
    ///
    /// # Panics
    /// If `action` is not a valid name of an action.
    #[must_use]
    #[track_caller]
    pub fn action(&self, action: &str) -> Action {
        Action::new(self.0.clone(), action)
    }

    /// Takes the token from `Bailiwick-Token` only and ignores `Authorization`, for a service that uses other
    /// bearer tokens, such as OAuth's.
    #[must_use]
    pub fn beside_oauth(mut self) -> Protect {
        self.0.headers = Headers::OwnOnly;
        self
    }

    /// Includes the explanation in every 400, 401 and 403. By default, a 403 includes it with
    /// [`Values::Hidden`], and a 401 has none: callers without a valid token learn only the reason.
    #[must_use]
    pub fn explain(mut self, values: Values) -> Protect {
        self.0.explain = Some(values);
        self
    }

    /// Names the service's OAuth protected resource metadata (RFC 9728) in each 401, so that clients can
    /// discover where to get a token.
    #[must_use]
    pub fn resource_metadata(mut self, url: Uri) -> Protect {
        self.0.resource_metadata = Some(url);
        self
    }
}

impl fmt::Debug for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect")
            .field("service", &self.0.verifier.service())
            .field("shadow", &self.0.verifier.is_shadow())
            .finish_non_exhaustive()
    }
}
