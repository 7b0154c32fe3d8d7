//! Verified + request + time -> [`Decision`].

use bailiwick_token::timestamp::Timestamp;

use crate::{
    admit::Refused,
    decision::{Allow, Decision, Deny, Reason},
    engine::{self, Matched, Outcome, Place},
    evaluate::first_failure,
    refuse,
    request::{Request, Statement},
    trust::Credentials,
    verifier::Verifier,
    verify::Verified,
};

impl Verifier {
    /// Decides one call with a verified token.
    pub fn decide(&self, token: &Verified, request: &Request, now: Timestamp) -> Decision {
        let decision = self
            .decided(token, request, now)
            .unwrap_or_else(|(reason, detail)| {
                Decision::Deny(Deny {
                    identity: Some(token.identity.clone()),
                    ..Deny::new(reason, detail)
                })
            });
        self.recorded(decision, Some(request))
    }

    fn decided(
        &self,
        token: &Verified,
        request: &Request,
        now: Timestamp,
    ) -> Result<Decision, Refused> {
        let shown = Credentials {
            root_key: token.root_key,
            root: &token.root,
            token_id: token.identity.token_id,
            blocks: &token.signatures,
        };
        self.trust.load().recheck(&shown, now)?;
        let call = request
            .state()
            .map_err(|error| (Reason::BadRequest, error.to_string()))?;
        let depth = token.depth;
        let outcome = engine::evaluate(
            &token.program,
            &call,
            &self.service,
            depth,
            now,
            self.limits.fuel,
        );
        match outcome {
            Outcome::Allow { .. } => Ok(Decision::Allow(self.allow(token, &call))),
            Outcome::OutOfFuel => Err((
                Reason::OutOfFuel,
                format!(
                    "deciding this call takes more than {} units of fuel",
                    self.limits.fuel
                ),
            )),
            Outcome::Deny { policy, failed } => {
                let granted = matches!(policy, Some(Matched::Allow(_)));
                let failed: Vec<(usize, usize)> = failed
                    .into_iter()
                    .filter_map(|failed| match failed.place {
                        Place::Block(block) => Some((block, failed.check)),
                        Place::Authorizer => None,
                    })
                    .collect();
                let refusals = self.refusals(token, &call, now, granted, Some(&failed));
                Ok(refuse::deny(
                    token,
                    refusals,
                    (Reason::NoGrant, "no grant allows the call".to_owned()),
                ))
            }
            Outcome::Error(error) => {
                // The error aborted the evaluation; conditions that fail by themselves explain it best.
                let refusals = self.refusals(token, &call, now, self.granted(token, &call), None);
                let error = format!("the token's Datalog failed: {error}");
                Ok(refuse::deny(
                    token,
                    refusals,
                    (Reason::EvaluationError, error),
                ))
            }
        }
    }

    fn allow(&self, token: &Verified, call: &Statement<'_>) -> Allow {
        let mut grants = token.grants.iter().flatten();
        Allow {
            identity: token.identity.clone(),
            grant: grants
                .find(|grant| first_failure(grant, &self.service, call).is_none())
                .cloned(),
            expires: token.expires,
        }
    }

    /// Whether a grant allows the call, as far as grants can be read.
    fn granted(&self, token: &Verified, call: &Statement<'_>) -> bool {
        let mut grants = token.grants.iter();
        grants.any(|grant| {
            grant
                .as_ref()
                .is_none_or(|grant| first_failure(grant, &self.service, call).is_none())
        })
    }
}
