//! Assertions that clients sign themselves (RFC 7523, section 3; OpenID Connect Core 1.0, section 9).
//!
//! In such an assertion, the issuer and the subject are both the client's name. No client's name is a URL, and
//! every provider's issuer is one, so the form of `iss` alone decides whose keys may sign: an assertion is
//! never tried with both a client's and a provider's keys.

use std::net::IpAddr;

use bailiwick_issuer::{SignedIn, SigningClient, is_client_name};
use bailiwick_token::timestamp::{SKEW, Timestamp};
use serde_json::Value;

use super::{
    KnownParty, Role,
    error::{CallerError, OwnAssertionError},
    identity, known,
};
use crate::{
    client_keys,
    provider::{
        error::AssertionError,
        jwt::{Jwt, time},
    },
    state::ServiceState,
    strangers::Stranger,
};

/// An assertion whose issuer has the form of a client's name. Nothing in it has been verified.
pub(super) struct OwnAssertion<'a> {
    jwt: Jwt<'a>,
    client: String,
}

/// The claims of a verified assertion that are needed for marking it as used.
struct Claims {
    jti: Option<String>,
    /// Earliest time at which the assertion can have been made.
    begin: Timestamp,
    /// Time from which the assertion is refused: its `exp`, plus the tolerance for clocks that differ.
    end: Timestamp,
}

/// The values that an assertion's claims are compared with.
struct Expected<'a> {
    /// The audiences that stand for this issuer.
    audiences: [&'a str; 2],
    max_life: u64,
    now: Timestamp,
}

impl<'a> OwnAssertion<'a> {
    /// Parses an assertion; `None` if its issuer cannot be a client's name, for example because it is a URL.
    pub(super) fn parse(token: &'a str) -> Option<OwnAssertion<'a>> {
        let jwt = Jwt::parse(token).ok()?;
        let client = jwt
            .text("iss")
            .filter(|iss| is_client_name(iss))?
            .to_owned();
        Some(OwnAssertion { jwt, client })
    }

    /// Verifies that a key of this client signed the assertion, and authenticates the client by that key.
    fn signed_in(&self, client: SigningClient) -> Result<SignedIn, OwnAssertionError> {
        let unsigned = OwnAssertionError::Unsigned;
        let (ids, keys) = client_keys::of(client.keys());
        if ids.is_empty() {
            return Err(unsigned("the client has no key, or is disabled"));
        }
        // The client's keys decide which algorithms verify. So neither `none` nor an HMAC with a public key as secret
        // is accepted.
        let place = keys.signer(&self.jwt).map_err(|error| {
            unsigned(match error {
                AssertionError::UnknownKey => "it names a key that the client does not have",
                AssertionError::KeyAlgorithm => "the key that it names is for another algorithm",
                _ => "its signature is wrong",
            })
        })?;
        let id = ids.into_iter().nth(place);
        id.and_then(|id| client.signed_in_by(&id))
            .ok_or(unsigned("its signature is wrong"))
    }

    /// Checks the claims. The signature must have been verified.
    fn claims(&self, expected: &Expected<'_>) -> Result<Claims, OwnAssertionError> {
        let Expected {
            audiences,
            max_life,
            now,
        } = *expected;
        if self.jwt.text("sub") != Some(&self.client) {
            return Err(OwnAssertionError::Subject);
        }
        // No other audience is allowed, because its owner could use the assertion here first.
        let ours = |value: &Value| value.as_str().is_some_and(|text| audiences.contains(&text));
        let for_us = match self.jwt.claims.get("aud") {
            Some(Value::Array(many)) => !many.is_empty() && many.iter().all(ours),
            Some(one) => ours(one),
            None => false,
        };
        if !for_us {
            return Err(OwnAssertionError::Audience);
        }
        let time = |name| {
            let time = time(&self.jwt.claims, name);
            time.map_err(|_| OwnAssertionError::Claim(name))
        };
        let end = time("exp")?.ok_or(OwnAssertionError::Claim("exp"))?;
        let begin = [time("iat")?, time("nbf")?];
        if now >= end.plus(SKEW) || begin.iter().flatten().any(|begin| *begin > now.plus(SKEW)) {
            return Err(OwnAssertionError::Time);
        }
        // The earlier of `iat` and `nbf`: a late `nbf` must not make a long lifetime look short.
        let begin = begin.into_iter().flatten().min();
        if end.since(begin.unwrap_or(now)) > max_life {
            return Err(OwnAssertionError::Life(max_life));
        }
        let jti = self.jwt.text("jti").filter(|jti| !jti.is_empty());
        Ok(Claims {
            jti: jti.map(str::to_owned),
            // A restored store refuses assertions that may be older than the restore. So an assertion without `iat`
            // and `nbf` counts as issued at the earliest possible time.
            begin: begin.unwrap_or(end.minus(max_life)),
            end: end.plus(SKEW),
        })
    }
}

impl ServiceState {
    /// Authenticates a client by an assertion that it signed, and uses the assertion up. Counts and records a refusal.
    pub(super) async fn authenticate_by_assertion(
        &self,
        assertion: OwnAssertion<'_>,
        from: IpAddr,
    ) -> Result<KnownParty, CallerError> {
        let client = self.issuer.signing_client(&assertion.client).await?;
        // An unknown name may be a secret sent in the wrong field, so it must not reach the audit.
        let agent = client.as_ref().map(|client| client.name().to_owned());
        let error = match self.own_assertion(&assertion, client).await {
            Ok(signed_in) => return Ok(known(signed_in)),
            Err(error) => error,
        };
        let Some((kind, _)) = error.refused_jwt() else {
            return Err(error);
        };
        let now = self.now();
        // Checked only after the signature: an attacker may share the address with the client, and must not lock it
        // out. A signature is far cheaper to verify than a secret.
        if !self.failures.may_try(&assertion.client, from, now) {
            // This is counted but not recorded, so that guessing does not fill the audit.
            self.strangers.count_unrecorded(kind);
            return Err(CallerError::TooMany);
        }
        self.failures.note(&assertion.client, from, now);
        let reason = match &error {
            CallerError::OwnAssertion(error) => error.record(),
            other => other.to_string(),
        };
        let stranger = Stranger {
            kind,
            agent: agent.as_deref().unwrap_or_default(),
            from,
        };
        self.strangers.record(stranger, &reason).await;
        Err(error)
    }

    async fn own_assertion(
        &self,
        assertion: &OwnAssertion<'_>,
        client: Option<SigningClient>,
    ) -> Result<SignedIn, CallerError> {
        let now = self.now();
        let client = client.ok_or(OwnAssertionError::Unsigned("no client has the name"))?;
        let signed_in = assertion.signed_in(client)?;
        let endpoint = self.token_endpoint();
        let claims = assertion.claims(&Expected {
            audiences: [&self.issuer.settings().issuer, &endpoint],
            max_life: self.config.limits.client_assertion_seconds,
            now,
        })?;
        let name = assertion.client.clone();
        let what = Role::Assertion.name();
        let Some(jti) = &claims.jti else {
            return Err(CallerError::NoId { what, name });
        };
        // Used up only after verification: a forged assertion must not use up the `jti` of a genuine one.
        let id = identity(&format!("client/{name}"), jti);
        let first = self
            .issuer
            .use_assertion(&id, claims.begin, claims.end, now);
        match first.await? {
            true => Ok(signed_in),
            false => Err(CallerError::Replayed { what, name }),
        }
    }
}
