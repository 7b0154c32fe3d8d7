//! Verified + request + time -> [`Decision`].

use std::sync::Arc;

use bailiwick_biscuit::engine::Outcome;
use bailiwick_token::timestamp::Timestamp;

use crate::{
    admit::Refused,
    authenticate::denied,
    decision::{Allow, Decision, Granted, Reason},
    evaluation::Evaluation,
    request::Request,
    trust::Credentials,
    verifier::Verifier,
    verify::Verified,
};

impl Verifier {
    /// Decides one call with a verified token.
    pub fn decide(&self, token: &Verified, request: &Request, now: Timestamp) -> Decision {
        let decision = self
            .decided(token, request, now)
            .unwrap_or_else(|refused| Decision::Deny(denied(token, refused)));
        self.recorded(decision, Some(request))
    }

    /// Checks that a verified token is still trusted: its root key, and that it is not revoked.
    pub(crate) fn recheck(&self, token: &Verified, now: Timestamp) -> Result<(), Refused> {
        let shown = Credentials {
            root_key: token.root_key,
            root: &token.root,
            names: &token.names,
            issued_at: token.issued_at,
            expires: token.expires,
        };
        self.trust.load().recheck(&shown, &self.staleness, now)
    }

    fn decided(
        &self,
        token: &Verified,
        request: &Request,
        now: Timestamp,
    ) -> Result<Decision, Refused> {
        self.recheck(token, now)?;
        let call = request
            .state()
            .map_err(|error| (Reason::BadRequest, error.to_string()))?;
        let program = self.program(token)?;
        let evaluation = Evaluation {
            call: &call,
            service: &self.service,
            depth: token.depth,
            now,
        };
        let (outcome, rule) = evaluation.run(&program, self.limits.allowance());
        match outcome {
            Outcome::Allow { .. } => Ok(Decision::Allow(Allow {
                identity: Arc::clone(&token.identity),
                expires: token.expires,
                granted: rule.map(|rule| Granted::new(token.source.clone(), rule)),
            })),
            Outcome::OutOfFuel => Err((
                Reason::OutOfFuel,
                format!(
                    "deciding this call takes more than {} units of fuel",
                    self.limits.fuel
                ),
            )),
            Outcome::OutOfMemory => Err((
                Reason::OutOfFuel,
                format!(
                    "deciding this call takes more than {} bytes of memory",
                    self.limits.memory
                ),
            )),
            Outcome::Deny { policy, failed } => Ok(Decision::Deny(
                self.denied(token, &call, now, policy, &failed),
            )),
            Outcome::Error(error) => Ok(Decision::Deny(self.failed(token, &call, now, &error))),
        }
    }
}
