//! Verified + request + time -> [`Decision`].

use std::sync::Arc;

use bailiwick_token::timestamp::Timestamp;

use crate::{
    admit::Refused,
    authenticate::denied,
    decision::{Allow, Decision, Granted, Reason},
    engine::{self, FailedCheck, GRANTED, Outcome, Place},
    evaluate::first_failure,
    refuse::{self, Reading},
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

    /// Whether a verified token is still trusted: its root key, and that it is not revoked.
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
        let (outcome, rule) = engine::evaluate(
            &program,
            &call,
            &self.service,
            token.depth,
            now,
            self.limits.allowance(),
        );
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
            Outcome::Deny { policy, failed } => {
                let of_token = |failed: &FailedCheck| match failed.place {
                    Place::Block(block) => Some((block, failed.check)),
                    Place::Authorizer => None,
                };
                let of_service = |failed: &FailedCheck| match failed.place {
                    Place::Authorizer => Some(failed.check),
                    Place::Block(_) => None,
                };
                let own: Vec<usize> = failed.iter().filter_map(of_service).collect();
                let granted = !own.contains(&GRANTED);
                let checks: Vec<(usize, usize)> = failed.iter().filter_map(of_token).collect();
                let reading = Reading::of(token);
                let refusals = self.refusals(token, &reading, &call, now, granted, Some(&checks));
                let otherwise = refuse::policy(policy, &own);
                Ok(refuse::deny(token, refusals, otherwise))
            }
            Outcome::Error(error) => {
                // The error aborted the evaluation; conditions that fail by themselves explain it best.
                let reading = Reading::of(token);
                let granted = reading.grants.iter().any(|grant| {
                    grant
                        .as_ref()
                        .is_none_or(|grant| first_failure(grant, &self.service, &call).is_none())
                });
                let refusals = self.refusals(token, &reading, &call, now, granted, None);
                let error = format!("evaluating the call failed: {error}");
                Ok(refuse::deny(
                    token,
                    refusals,
                    (Reason::EvaluationError, error),
                ))
            }
        }
    }
}
