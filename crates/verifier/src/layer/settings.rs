//! The settings that the routes of a service share.

use std::sync::Arc;

use axum::http::Uri;

use super::credential::Headers;
use crate::{clock::Clock, explain::Values, verifier::Verifier};

/// A service's verifier, its clock, and the contents of its answers.
#[derive(Clone)]
pub(super) struct ProtectSettings {
    pub(super) verifier: Arc<Verifier>,
    pub(super) clock: Clock,
    pub(super) headers: Headers,
    pub(super) explain: Option<Values>,
    pub(super) resource_metadata: Option<Uri>,
}
