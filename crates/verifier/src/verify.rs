//! Token + trust -> verified; verified + request + time -> decision.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_token::{
    datalog::{Authority, Block, CheckMeaning, describe_check, meaning, names},
    grant::Grant,
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
    token::Token,
};
use biscuit_auth::{Biscuit, builder::Term};

use crate::{
    admit,
    admit::Refused,
    chain,
    decide::{Allow, Decision, Delegation, Deny, Identity, Reason},
    engine::{self, Outcome},
    evaluate::first_failure,
    explain::{Condition, Refusal},
    record::{self, Counters},
    request::{Request, Statement},
    trust::{Credentials, RollbackError, Trust},
};

/// Bounds on tokens, and on what a decision may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bounds on the structure of a token.
    pub token: bailiwick_token::limits::Limits,
    /// The most steps that a decision may take, of roughly ten nanoseconds each.
    pub fuel: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            token: bailiwick_token::limits::Limits::default(),
            fuel: 250_000,
        }
    }
}

/// Decides calls at one service. It is shared between threads as it is.
#[derive(Debug)]
pub struct Verifier {
    service: String,
    trust: ArcSwap<Trust>,
    limits: Limits,
    shadow: bool,
    counters: Counters,
}

/// A verifier cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The service's name cannot be one.
    #[error("the service name is empty, or holds a star or a control character")]
    Service,
}

/// A token whose structure, limits and signatures have been verified. Only a [`Verifier`] makes one.
///
/// It says nothing yet about a call, nor about now: whether its root key is still trusted and the
/// token not revoked is looked at again for each decision.
#[derive(Clone)]
pub struct Verified {
    biscuit: Biscuit,
    blocks: Arc<[Block]>,
    meanings: Arc<[Vec<CheckMeaning>]>,
    grants: Arc<[Option<Grant>]>,
    identity: Identity,
    expires: Timestamp,
    root_key: KeyId,
    root: PublicKey,
    signatures: Vec<Vec<u8>>,
}

impl Verified {
    /// Who acts, on whose authority.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When the token ends, the earliest end of all its blocks.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified")
            .field("token_id", &self.identity.token_id)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier for the service of this name, which is the audience that grants speak of.
    ///
    /// # Errors
    /// When the name cannot be that of a service.
    pub fn new(service: &str, trust: Trust) -> Result<Verifier, VerifierError> {
        if service.is_empty() || service.contains('*') || service.chars().any(char::is_control) {
            return Err(VerifierError::Service);
        }
        Ok(Verifier {
            service: service.to_owned(),
            trust: ArcSwap::from_pointee(trust),
            limits: Limits::default(),
            shadow: false,
            counters: Counters::default(),
        })
    }

    /// With other limits than the profile's.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Verifier {
        self.limits = limits;
        self
    }

    /// In shadow mode the layer lets pass what it would deny, and says so loudly. Decisions stay
    /// what they are. No request can switch this on.
    #[must_use]
    pub fn shadow(mut self, shadow: bool) -> Verifier {
        self.shadow = shadow;
        if shadow {
            tracing::warn!(
                service = self.service,
                "shadow mode: denied calls will be let pass"
            );
        }
        self
    }

    /// Whether this verifier is in shadow mode.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The service's name.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// How many calls have been decided, by outcome.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The trust in use.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        self.trust.load_full()
    }

    /// Puts newer trust in the place of the one in use. Calls under way finish under the old one.
    ///
    /// # Errors
    /// When it is older, or a fork; then the one in use stays.
    pub fn replace_trust(&self, trust: Trust) -> Result<(), RollbackError> {
        let trust = Arc::new(trust);
        loop {
            let used = self.trust.load();
            trust.may_replace(&used)?;
            let previous = self.trust.compare_and_swap(&*used, Arc::clone(&trust));
            if Arc::ptr_eq(&previous, &used) {
                return Ok(());
            }
        }
    }

    /// Verifies a token's structure, limits and signatures under the trust in use.
    ///
    /// # Errors
    /// The denial that every call with this token would meet.
    pub fn verify(&self, token: &Token, now: Timestamp) -> Result<Verified, Deny> {
        self.verified(token, now)
            .map_err(|(reason, detail)| Deny::new(reason, detail))
    }

    fn verified(&self, token: &Token, now: Timestamp) -> Result<Verified, Refused> {
        let authority = admit::admit(token, &self.limits.token)?;
        let trust = self.trust.load();
        let (root_key, public) = trust.root_key(token.root_key_id(), now)?;
        if authority.claims.issuer != trust.keyset().issuer {
            return Err((
                Reason::NotProfile,
                "the token names another issuer than the keyset".to_owned(),
            ));
        }
        let biscuit = chain::verify(token, &public)?;
        Ok(assemble(token, authority, biscuit, (root_key, public)))
    }

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

    /// Verifies a token in its text form, and decides one call with it.
    pub fn check(&self, token: &str, request: &Request, now: Timestamp) -> Decision {
        // Longer texts are not even decoded; base64 takes four characters for three bytes.
        let longest = self.limits.token.token_bytes.div_ceil(3).saturating_mul(4);
        let refused = if token.trim_ascii().len() > longest {
            (
                Reason::TooLarge,
                format!(
                    "the token is longer than {} bytes",
                    self.limits.token.token_bytes
                ),
            )
        } else {
            match Token::parse(token)
                .map_err(|error| admit::undecodable(&error))
                .and_then(|token| self.verified(&token, now))
            {
                Ok(verified) => return self.decide(&verified, request, now),
                Err(refused) => refused,
            }
        };
        let (reason, detail) = refused;
        self.recorded(Decision::Deny(Deny::new(reason, detail)), Some(request))
    }

    /// Counts and records a decision that was made without [`Verifier::decide`], such as a missing token.
    pub fn recorded(&self, decision: Decision, request: Option<&Request>) -> Decision {
        self.counters.count(&decision, self.shadow);
        record::emit(&self.service, request, &decision, self.shadow);
        decision
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
        let depth = token.blocks.len().saturating_sub(1);
        let facts = call.facts(&self.service, depth, now);
        match engine::evaluate(&token.biscuit, &token.blocks, facts, self.limits.fuel) {
            Outcome::Allowed => Ok(Decision::Allow(self.allow(token, &call))),
            Outcome::OutOfFuel => Err((
                Reason::OutOfFuel,
                format!(
                    "deciding this call could take more than {} steps",
                    self.limits.fuel
                ),
            )),
            Outcome::Refused { granted, failed } => {
                let refusals = self.refusals(token, &call, now, granted, Some(&failed));
                Ok(self.deny(
                    token,
                    refusals,
                    (Reason::NoGrant, "no grant allows the call".to_owned()),
                ))
            }
            Outcome::Error(error) => {
                // The error aborted the evaluation; conditions that fail by themselves explain it best.
                let refusals = self.refusals(token, &call, now, self.granted(token, &call), None);
                let error = format!("the token's Datalog failed: {error}");
                Ok(self.deny(token, refusals, (Reason::EvaluationError, error)))
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

    /// Every condition that refuses the call. `failed` names the checks that did not hold, where it is known.
    fn refusals(
        &self,
        token: &Verified,
        call: &Statement<'_>,
        now: Timestamp,
        granted: bool,
        failed: Option<&[(usize, usize)]>,
    ) -> Vec<(Reason, Refusal)> {
        let mut refusals = Vec::new();
        if !granted {
            let grants: Vec<&Grant> = token.grants.iter().flatten().collect();
            let reason = match grants.iter().any(|grant| grant.service == self.service)
                || grants.len() < token.grants.len()
            {
                true => Reason::NoGrant,
                false => Reason::WrongService,
            };
            self.scope(token, 0, &grants, call, reason, &mut refusals);
        }
        for (block, meanings) in token.meanings.iter().enumerate() {
            for (place, meaning) in meanings.iter().enumerate() {
                if failed.is_some_and(|failed| !failed.contains(&(block, place))) {
                    continue;
                }
                let (reason, condition) = match meaning {
                    CheckMeaning::NotBefore(needed) if now < *needed => (
                        Reason::NotYetValid,
                        Condition::NotBefore {
                            needed: *needed,
                            found: now,
                        },
                    ),
                    CheckMeaning::Expires(needed) if now >= *needed => (
                        Reason::Expired,
                        Condition::Expires {
                            needed: *needed,
                            found: now,
                        },
                    ),
                    CheckMeaning::MaxDepth(needed) => {
                        let found = token.blocks.len().saturating_sub(1);
                        if u32::try_from(found).is_ok_and(|found| found <= *needed) {
                            continue;
                        }
                        (
                            Reason::Depth,
                            Condition::Depth {
                                found,
                                needed: *needed,
                            },
                        )
                    }
                    CheckMeaning::Scope(grants) => {
                        let grants: Vec<&Grant> = grants.iter().collect();
                        self.scope(token, block, &grants, call, Reason::Caveat, &mut refusals);
                        continue;
                    }
                    CheckMeaning::Datalog if failed.is_some() => {
                        let check = token
                            .blocks
                            .get(block)
                            .and_then(|block| block.checks.get(place));
                        (
                            Reason::Caveat,
                            Condition::Datalog {
                                text: check.map(describe_check).unwrap_or_default(),
                            },
                        )
                    }
                    _ => continue,
                };
                let refusal = Refusal {
                    block,
                    delegate: token.delegate(block),
                    alternative: None,
                    condition,
                };
                refusals.push((reason, refusal));
            }
        }
        refusals
    }

    /// For one block's grants or scope: each alternative for this service and action with the
    /// first condition that fails, or what the block allows instead. Nothing, where one allows the call.
    fn scope(
        &self,
        token: &Verified,
        block: usize,
        grants: &[&Grant],
        call: &Statement<'_>,
        reason: Reason,
        refusals: &mut Vec<(Reason, Refusal)>,
    ) {
        let failures: Vec<Option<Condition>> = grants
            .iter()
            .map(|grant| first_failure(grant, &self.service, call))
            .collect();
        if failures.iter().any(Option::is_none) && block > 0 {
            return;
        }
        let elsewhere = |condition: &Condition| {
            matches!(
                condition,
                Condition::Service { .. } | Condition::Action { .. }
            )
        };
        let here = failures.into_iter().enumerate();
        let mut here: Vec<(Option<usize>, Condition)> = here
            .filter_map(|(index, condition)| condition.map(|condition| (Some(index), condition)))
            .filter(|(_, condition)| !elsewhere(condition))
            .collect();
        if here.is_empty() {
            let offered = grants
                .iter()
                .map(|grant| format!("{} {}", grant.service, grant.action))
                .collect();
            here.push((None, Condition::NoAlternative { offered }));
        }
        let delegate = token.delegate(block);
        refusals.extend(here.into_iter().map(|(alternative, condition)| {
            (
                reason,
                Refusal {
                    block,
                    delegate: delegate.clone(),
                    alternative,
                    condition,
                },
            )
        }));
    }

    /// The denial that these refusals make: the first of them in the order of [`PRECEDENCE`] names it.
    fn deny(
        &self,
        token: &Verified,
        refusals: Vec<(Reason, Refusal)>,
        otherwise: Refused,
    ) -> Decision {
        let reason = PRECEDENCE
            .iter()
            .find(|reason| refusals.iter().any(|(found, _)| found == *reason));
        let (reason, detail) = match reason {
            None => otherwise,
            Some(reason) => (*reason, summary(*reason).to_owned()),
        };
        let refusals = refusals
            .into_iter()
            .filter(|(found, _)| *found == reason)
            .map(|(_, refusal)| refusal);
        Decision::Deny(Deny {
            reason,
            detail,
            identity: Some(token.identity.clone()),
            refusals: refusals.collect(),
        })
    }
}

/// Which reason is told where several hold: what no other request could mend comes first.
const PRECEDENCE: [Reason; 6] = [
    Reason::NotYetValid,
    Reason::Expired,
    Reason::Depth,
    Reason::WrongService,
    Reason::NoGrant,
    Reason::Caveat,
];

fn summary(reason: Reason) -> &'static str {
    match reason {
        Reason::NotYetValid => "the token does not hold yet",
        Reason::Expired => "the token has ended",
        Reason::Depth => "more blocks are appended than the issuer allows",
        Reason::WrongService => "the token grants nothing at this service",
        Reason::NoGrant => "no grant allows the call",
        _ => "an appended block does not allow the call",
    }
}

impl Verified {
    fn delegate(&self, block: usize) -> Option<String> {
        self.identity
            .chain
            .iter()
            .find(|link| link.block == block)
            .and_then(|link| link.delegate.clone())
    }
}

fn assemble(
    token: &Token,
    authority: Authority,
    biscuit: Biscuit,
    (root_key, root): (KeyId, PublicKey),
) -> Verified {
    let meanings: Arc<[Vec<CheckMeaning>]> = token
        .blocks()
        .iter()
        .map(|block| block.checks.iter().map(meaning).collect())
        .collect();
    let ends = meanings
        .iter()
        .flatten()
        .filter_map(|meaning| match meaning {
            CheckMeaning::Expires(end) => Some(*end),
            _ => None,
        });
    let expires = ends.fold(authority.claims.expires, Timestamp::min);
    let chain = token
        .blocks()
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, block)| Delegation {
            block: index,
            delegate: described(block, names::DELEGATE),
            task: described(block, names::TASK),
        });
    let claims = authority.claims;
    Verified {
        biscuit,
        blocks: token.blocks().into(),
        meanings,
        grants: authority.grants.into(),
        identity: Identity {
            token_id: claims.token_id,
            agent: claims.agent,
            principal: claims.principal,
            tenant: claims.tenant,
            claims: claims.claims,
            chain: chain.collect(),
        },
        expires,
        root_key,
        root,
        signatures: token.block_signatures(),
    }
}

/// The one text that a descriptive fact of this name states.
fn described(block: &Block, name: &str) -> Option<String> {
    let mut facts = block.facts.iter().filter(|fact| fact.name == name);
    match (facts.next().map(|fact| fact.terms.as_slice()), facts.next()) {
        (Some([Term::Str(text)]), None) => Some(text.clone()),
        _ => None,
    }
}
