//! The settings of a follower's verifier.

use std::sync::Arc;

use bailiwick_token::report::ReportError;

use super::{error::RefreshError, http::HttpError};
use crate::{
    clock::{Clock, system_clock},
    policy::{Policy, PolicyError},
    trust::{Staleness, Trust},
    verifier::{Limits, Verifier, VerifierError},
};

/// The settings of a verifier, kept until its trust is available.
pub(super) struct Setup {
    pub(super) service: String,
    pub(super) limits: Limits,
    pub(super) policy: Option<Policy>,
    pub(super) staleness: Staleness,
    pub(super) shadow: bool,
    pub(super) clock: Clock,
}

impl Setup {
    pub(super) fn new(service: &str) -> Setup {
        Setup {
            service: service.to_owned(),
            limits: Limits::default(),
            policy: None,
            staleness: Staleness::default(),
            shadow: false,
            clock: system_clock(),
        }
    }

    pub(super) fn verifier(self, trust: Trust) -> Result<Arc<Verifier>, FollowError> {
        let verifier = Verifier::new(&self.service, trust)?
            .limits(self.limits)
            .staleness(self.staleness)
            .shadow(self.shadow);
        Ok(Arc::new(match self.policy {
            None => verifier,
            Some(policy) => verifier.policy(&policy)?,
        }))
    }
}

/// The reasons why a follower cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// There is no trust to start with.
    #[error(transparent)]
    Trust(#[from] RefreshError),
    /// The service's name is invalid.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// The service's policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The name for reports is invalid.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
}
