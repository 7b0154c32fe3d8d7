//! Authentication of callers: clients with a secret or a key, and parties named in a provider's JWT.

pub(crate) mod actor;
pub(crate) mod error;
mod own_assertion;

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use bailiwick_issuer::{
    ClientInfo, SignedIn,
    profile::{CallerParty, ClaimSource},
};
use bailiwick_token::text::credential;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::{error::CallerError, own_assertion::OwnAssertion};
use crate::{
    body::Identified,
    state::ServiceState,
    strangers::{CredentialKind, Stranger},
};

/// The credentials of a request.
pub(crate) enum Credentials {
    /// HTTP Basic, or `client_id` and `client_secret` in the body.
    Secret {
        name: String,
        secret: Zeroizing<String>,
    },
    /// A client assertion.
    Assertion(Zeroizing<String>),
}

/// The sender of a JWT, for the record if the JWT is refused.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) from: IpAddr,
    /// Name of the agent; empty until the agent is authenticated.
    pub(crate) agent: &'a str,
}

/// An authenticated party, with its name in the audit log.
#[derive(Debug, Clone)]
pub(crate) struct KnownParty {
    pub(crate) party: CallerParty,
    pub(crate) name: String,
    /// The authenticated client of this issuer; `None` for a party named in a JWT.
    pub(crate) signed_in: Option<SignedIn>,
    /// True if the party was authenticated by a client assertion that can be used more than once.
    reusable: bool,
    /// Private, so that only the checks in this file can construct the type.
    _checked: (),
}

impl KnownParty {
    /// The actor in the audit. A name that contains a `/` is that of a provider's subject, because clients' names
    /// contain none.
    pub(crate) fn actor(&self) -> String {
        actor::of(&self.name, self.reusable)
    }
}

/// The role of a JWT in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Subject,
    Actor,
    Assertion,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Subject => "subject token",
            Role::Actor => "actor token",
            Role::Assertion => "client assertion",
        }
    }
}

impl Identified for KnownParty {}

/// Returns the name and secret in HTTP Basic, if the request has the header (RFC 6749, section 2.3.1).
pub(crate) fn basic(headers: &HeaderMap) -> Result<Option<Credentials>, CallerError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| CallerError::Ambiguous)?;
    let (scheme, encoded) = text.split_once(' ').ok_or(CallerError::Ambiguous)?;
    // Two headers could authenticate two clients, so neither is believed.
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 2_048 {
        return Err(CallerError::Ambiguous);
    }
    let decoded = Zeroizing::new(
        STANDARD
            .decode(credential(encoded))
            .map_err(|_| CallerError::Ambiguous)?,
    );
    let decoded = std::str::from_utf8(&decoded).map_err(|_| CallerError::Ambiguous)?;
    // The first colon ends the name. A secret may contain more colons (RFC 7617, section 2).
    let (name, secret) = decoded.split_once(':').ok_or(CallerError::Ambiguous)?;
    // Clients form-encode both before joining them (RFC 6749, section 2.3.1).
    Ok(Some(Credentials::Secret {
        name: form_decoded(name).to_string(),
        secret: form_decoded(secret),
    }))
}

fn form_decoded(text: &str) -> Zeroizing<String> {
    // The text is one value, so `&` must not end it as it would in a form.
    let value = Zeroizing::new(format!("={}", text.replace('&', "%26")));
    let decoded = form_urlencoded::parse(value.as_bytes()).next();
    Zeroizing::new(
        decoded
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default(),
    )
}

impl ServiceState {
    /// Authenticates the agent by its credentials.
    pub(crate) async fn authenticate_agent(
        &self,
        credentials: Credentials,
        from: IpAddr,
    ) -> Result<KnownParty, CallerError> {
        match credentials {
            Credentials::Secret { name, secret } => {
                self.authenticate_by_secret(&name, &secret, from).await
            }
            Credentials::Assertion(jwt) => {
                if let Some(own) = OwnAssertion::parse(credential(&jwt)) {
                    return self.authenticate_by_assertion(own, from).await;
                }
                let sender = Sender { from, agent: "" };
                self.authenticate_party(Role::Assertion, &jwt, sender).await
            }
        }
    }

    async fn authenticate_by_secret(
        &self,
        name: &str,
        secret: &str,
        from: IpAddr,
    ) -> Result<KnownParty, CallerError> {
        let (now, secret) = (self.now(), credential(secret));
        if !self.failures.may_try(name, from, now) {
            // An attacker who guesses secrets may share the address with the client, for example behind a proxy, and
            // must not lock the client out. A secret that verified before is still recognized, which costs no
            // password hash.
            let client = self.issuer.recognize_client(name, secret, now).await?;
            return client.map(known).ok_or_else(|| {
                // This is counted but not recorded, so that guessing does not fill the audit.
                self.strangers.count_unrecorded(CredentialKind::Secret);
                CallerError::TooMany
            });
        }
        let Some(client) = self.issuer.authenticate_client(name, secret, now).await? else {
            self.failures.note(name, from, now);
            // An unknown name may be a secret sent in the wrong field, so it must not reach the audit.
            let name = match self.issuer.client(name).await {
                Ok(client) => client.name,
                Err(_) => String::new(),
            };
            let reason = "a wrong name or secret";
            let stranger = Stranger {
                kind: CredentialKind::Secret,
                agent: &name,
                from,
            };
            self.strangers.record(stranger, reason).await;
            return Err(CallerError::WrongSecret);
        };
        Ok(known(client))
    }

    /// Verifies a JWT and returns its party. Uses up a one-time JWT, and records a refusal.
    pub(crate) async fn authenticate_party(
        &self,
        role: Role,
        jwt: &str,
        sender: Sender<'_>,
    ) -> Result<KnownParty, CallerError> {
        let party = self.party_of(role, jwt).await;
        if let Err(error) = &party
            && let Some((credential, name)) = error.refused_jwt()
        {
            let stranger = Stranger {
                kind: credential,
                agent: match sender.agent {
                    "" => name,
                    agent => agent,
                },
                from: sender.from,
            };
            self.strangers.record(stranger, &error.to_string()).await;
        }
        party
    }

    async fn party_of(&self, role: Role, jwt: &str) -> Result<KnownParty, CallerError> {
        let (now, jwt, what) = (self.now(), credential(jwt), role.name());
        let refused = |error| CallerError::Assertion { what, error };
        let assertion = self.providers.verify(jwt, now).await.map_err(refused)?;
        let reusable = role == Role::Assertion && assertion.is_reusable().map_err(refused)?;
        let subject = assertion.claims.get("sub").and_then(Value::as_str);
        let name = format!("{}/{}", assertion.provider, subject.unwrap_or_default());
        // A client assertion can be used once, unless its provider is configured otherwise (RFC 7523, section 3).
        // Subject and actor tokens can be reused, unless all tokens of their provider are one-time.
        if assertion.one_time || (role == Role::Assertion && !reusable) {
            let Some(jti) = &assertion.jti else {
                return Err(CallerError::NoId { what, name });
            };
            let id = identity(&assertion.provider, jti);
            // Used up only after verification: a forged JWT must not use up the `jti` of a genuine one.
            if !self
                .issuer
                .use_assertion(&id, assertion.begin, assertion.end, now)
                .await?
            {
                return Err(CallerError::Replayed { what, name });
            }
        }
        Ok(KnownParty {
            name,
            reusable,
            party: CallerParty {
                source: ClaimSource::Provider(assertion.provider),
                claims: assertion.claims,
            },
            signed_in: None,
            _checked: (),
        })
    }
}

fn known(signed_in: SignedIn) -> KnownParty {
    let client = signed_in.client().clone();
    KnownParty {
        name: client.name.clone(),
        signed_in: Some(signed_in),
        reusable: false,
        party: CallerParty {
            source: ClaimSource::Client,
            claims: claims(client),
        },
        _checked: (),
    }
}

/// Returns the claims of a client, as profiles match them: those of its registration.
fn claims(client: ClientInfo) -> Map<String, Value> {
    let mut claims = client.claims;
    // These are inserted last, so that no further claim of the registration can replace them.
    claims.insert("client".to_owned(), json!(client.name));
    claims.insert("principal".to_owned(), json!(client.principal));
    claims.insert("profiles".to_owned(), json!(client.profiles));
    claims
}

/// A hash that identifies a one-time JWT among those of all signers. A provider is identified by its name, a
/// client by `client/` and its name. No provider's name contains a slash.
fn identity(signer: &str, jti: &str) -> [u8; 32] {
    // Because the length comes first, no other split into signer and `jti` hashes the same bytes.
    let digest = Sha256::new()
        .chain_update((signer.len() as u64).to_be_bytes())
        .chain_update(signer)
        .chain_update(jti);
    digest.finalize().into()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        match basic(&headers).ok()?? {
            Credentials::Secret { name, secret } => Some((name, secret.to_string())),
            Credentials::Assertion(_) => panic!("not Basic"),
        }
    }

    #[test]
    fn basic_is_read_as_oauth_writes_it() {
        let encode = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let pair = |name: &str, secret: &str| Some((name.to_owned(), secret.to_owned()));
        assert_eq!(read(&[&encode("a:b")]), pair("a", "b"));
        assert_eq!(read(&[&encode("a:b:c")]), pair("a", "b:c"));
        assert_eq!(
            read(&[&encode("a%2Fb+c:%26x&y#z")]),
            pair("a/b c", "&x&y#z")
        );
        assert_eq!(
            read(&[&encode("a:b").replace("Basic", "bAsIc")]),
            pair("a", "b")
        );
        for wrong in ["Basic", "Basic !", &encode("ab"), "Bearer abc"] {
            assert_eq!(read(&[wrong]), None, "{wrong}");
        }
        assert_eq!(read(&[&encode("a:b"), &encode("a:b")]), None);
    }
}
