//! The standing of a caller: the grounds on which it may act.
//!
//! The grounds are read when a request is authenticated. The request may then wait: for Argon2id, for a batch,
//! for the database. An attacker can prolong each wait. So the grounds are checked once more in the transaction
//! that acts. If the client was disabled, the secret replaced, the key removed, the token revoked or the
//! profile removed in the meantime, the request is refused.

pub(crate) mod withdrawn;

pub use withdrawn::Withdrawn;

use bailiwick_token::{
    datalog::{self, AuthorityError},
    key::KeyId,
    revocation::{Party, Target, Watermark},
    timestamp::Timestamp,
    token::Token,
};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    client::signed_in::SignedIn,
    keyring::State,
    profile,
    store::{StoreError, StoredClient, Tx},
};

/// The grounds on which a request acts. The default has no grounds, so nothing can be withdrawn. It is for the issuer
/// itself, and for people who work at its home.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    client: Option<SignedIn>,
    operator: Option<OperatorToken>,
    profile: Option<profile::ProfileSnapshot>,
}

/// The ids by which an operator's token can be revoked, and the action that the token was used for.
#[derive(Debug, Clone)]
struct OperatorToken {
    key: Option<KeyId>,
    issued_at: Timestamp,
    /// The targets whose revocation also revokes the token.
    targets: Vec<Target>,
    action: String,
}

impl Standing {
    /// The standing of an authenticated client.
    #[must_use]
    pub fn of_client(client: SignedIn) -> Standing {
        Standing {
            client: Some(client),
            ..Standing::default()
        }
    }

    /// The standing of an operator whose token allows an action. The caller must have verified the token.
    ///
    /// # Errors
    /// [`AuthorityError`] if the token's authority block does not follow the profile.
    pub fn of_operator(token: &Token, action: &str) -> Result<Standing, AuthorityError> {
        Ok(Standing {
            operator: Some(OperatorToken::new(token, action)?),
            ..Standing::default()
        })
    }

    /// Adds a profile to the grounds.
    #[must_use]
    pub fn under(self, profile: profile::ProfileSnapshot) -> Standing {
        Standing {
            profile: Some(profile),
            ..self
        }
    }

    /// Returns a ground that has been withdrawn, as the transaction sees it; `None` if all still hold.
    pub(crate) async fn withdrawn(
        &self,
        tx: &mut Tx,
        at: Timestamp,
    ) -> Result<Option<Withdrawn>, StoreError> {
        let clients = Clients::read(tx, [self]).await?;
        self.withdrawn_among(tx, &clients, at).await
    }

    /// Like [`Standing::withdrawn`], with clients that were read for several standings together.
    pub(crate) async fn withdrawn_among(
        &self,
        tx: &mut Tx,
        clients: &Clients,
        at: Timestamp,
    ) -> Result<Option<Withdrawn>, StoreError> {
        if let Some(signed_in) = &self.client
            && !clients
                .named(signed_in.name())
                .is_some_and(|stored| signed_in.still_holds(stored, at))
        {
            return Ok(Some(Withdrawn::Client));
        }
        if let Some(operator) = &self.operator
            && operator.is_revoked(tx, at).await?
        {
            return Ok(Some(Withdrawn::Operator));
        }
        let profile = self.profile.as_ref();
        Ok(profile
            .is_some_and(|profile| !profile.is_current())
            .then_some(Withdrawn::Profile))
    }

    /// Returns the audit entry for a withdrawn ground. A withdrawn profile has no entry, because the caller is
    /// asked to try again under the current profiles, which may allow the same request.
    pub(crate) fn refusal(&self, withdrawn: Withdrawn) -> Option<Entry> {
        let error = withdrawn.to_string();
        match (withdrawn, &self.client, &self.operator) {
            (Withdrawn::Client, Some(client), _) => {
                let profile = self.profile.as_ref().map(profile::ProfileSnapshot::name);
                let detail = json!({ "profile": profile, "error": error });
                Some(Entry {
                    agent: Some(client.name().to_owned()),
                    ..Entry::new(AuditEvent::MintRefused, detail)
                })
            }
            (Withdrawn::Operator, _, Some(operator)) => {
                let detail = json!({ "action": operator.action, "error": error });
                Some(Entry::new(AuditEvent::OperatorRefused, detail))
            }
            _ => None,
        }
    }
}

impl OperatorToken {
    fn new(token: &Token, action: &str) -> Result<OperatorToken, AuthorityError> {
        let claims = datalog::claims(token.code())?;
        let mut targets = vec![Target::Token(claims.token_id)];
        for signature in token.block_signatures() {
            // Revocations name signatures of 64 bytes, so one of another length cannot be revoked.
            targets.extend(<[u8; 64]>::try_from(signature).map(Target::Block));
        }
        for (party, name) in [
            (Party::Agent, Some(&claims.agent)),
            (Party::Principal, Some(&claims.principal)),
            (Party::Tenant, claims.tenant.as_ref()),
        ] {
            let Some(name) = name else { continue };
            let watermark = Watermark::new(party, name, claims.issued_at);
            targets.extend(watermark.map(Target::Watermark));
        }
        Ok(OperatorToken {
            key: token.root_key_id().map(KeyId::from_u32),
            issued_at: claims.issued_at,
            targets,
            action: action.to_owned(),
        })
    }

    /// Returns true if the token or the key that signed it has been revoked.
    async fn is_revoked(&self, tx: &mut Tx, at: Timestamp) -> Result<bool, StoreError> {
        let keys = tx.keys().await?;
        let key = keys.iter().find(|key| Some(key.id()) == self.key);
        if key.is_none_or(|key| matches!(key.state(), State::Retired | State::Revoked)) {
            return Ok(true);
        }
        let revoked = tx.revocations_of(&self.targets).await?;
        Ok(revoked.iter().any(|revocation| {
            let named = match &revocation.target {
                Target::Watermark(watermark) => self.issued_at < watermark.issued_before(),
                Target::Token(_) | Target::Block(_) => true,
            };
            named && !revocation.is_dead(at)
        }))
    }
}

/// The clients that several standings depend on, as one transaction sees them.
pub(crate) struct Clients(Vec<StoredClient>);

impl Clients {
    /// Reads the clients of these standings with a single statement, or with none if there are no clients.
    pub(crate) async fn read(
        tx: &mut Tx,
        standings: impl IntoIterator<Item = &Standing>,
    ) -> Result<Clients, StoreError> {
        let names = standings.into_iter().filter_map(|it| it.client.as_ref());
        let mut names: Vec<&str> = names.map(SignedIn::name).collect();
        names.sort_unstable();
        names.dedup();
        Ok(Clients(match names.as_slice() {
            [] => Vec::new(),
            names => tx.clients_named(names).await?,
        }))
    }

    fn named(&self, name: &str) -> Option<&StoredClient> {
        self.0.iter().find(|client| client.info.name == name)
    }
}
