//! The report of a running service: the state of its issuer, and facts that only this process knows.

use bailiwick_api::{Health, IssuerStatus, PrivateKeys, StatusSection as Section};
use bailiwick_issuer::{Issuer, OpenError};

use crate::{
    probes::not_ready,
    problem::ApiError,
    state::ServiceState,
    status::{Finding, StatusInputs, finding, issuer_status},
};

impl ServiceState {
    /// Reports the state of the issuer. For providers, it reports their last answers, so that this request causes no
    /// further requests.
    pub(crate) async fn status(&self, issuer: &Issuer) -> Result<IssuerStatus, ApiError> {
        let inputs = StatusInputs {
            private_keys: match self.issuer.is_unlocked() {
                true => PrivateKeys::Unlocked,
                false => PrivateKeys::NotTried,
            },
            providers: self.providers.status(),
            profiles: self.profiles.load().len(),
            findings: self.findings().await,
            is_service: true,
        };
        let status = issuer_status(issuer, inputs, self.now()).await;
        status.map_err(|error| match error {
            OpenError::Store(error) => error.into(),
            other => ApiError::internal(&other),
        })
    }

    async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(reason) = not_ready(self).await {
            findings.push(finding(
                Section::Service,
                Health::Error,
                "not_ready",
                format!("the service cannot mint tokens ({reason})"),
                "read the log of `bailiwick serve`",
            ));
        }
        if self.metrics.certificate_failed.get() != 0 {
            findings.push(finding(
                Section::Service,
                Health::Warning,
                "certificate_failed",
                "the certificate cannot be read again, so the current one stays in use until it expires",
                "run `bailiwick check` at the issuer, and provide a certificate and its key",
            ));
        }
        if self.metrics.profiles_failed.get() != 0 {
            findings.push(finding(
                Section::Settings,
                Health::Error,
                "profiles_invalid",
                "the profiles in the home have a mistake, so the previous ones stay in use and a restart would fail",
                "run `bailiwick check` at the issuer, and correct what it names",
            ));
        }
        findings
    }
}
