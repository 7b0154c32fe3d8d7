//! Minting for an authenticated caller through a profile, shared by both token endpoints.

pub(crate) mod error;

use std::{net::IpAddr, num::NonZeroU32};

use bailiwick_issuer::{
    MintError, Minted, RefusedRequest, SignError, Standing, StoreError, Withdrawn,
    profile::{Ask, Caller},
};
use bailiwick_token::timestamp::Timestamp;

use self::error::ProfileMintError;
use crate::{
    caller::KnownParty,
    rate::{Purpose, REFUSALS, RateLimit},
    state::ServiceState,
};

/// An authenticated caller's request for a token.
#[derive(Clone)]
pub(crate) struct ProfileMint {
    /// Time at which the request arrived, before any wait.
    pub(crate) arrived: Timestamp,
    /// The address of the request, for the log.
    pub(crate) from: IpAddr,
    pub(crate) agent: KnownParty,
    pub(crate) principal: Option<KnownParty>,
    /// The profile that the request names, if any.
    pub(crate) scope: Option<String>,
    pub(crate) ask: Ask,
}

/// Maximum number of attempts at a mint if the profile keeps changing.
const ATTEMPTS: usize = 4;

impl ServiceState {
    /// Mints the token that a profile allows this caller, or returns the reason for the refusal. If the profile
    /// changes while the request waits, the new profiles decide the request again.
    pub(crate) async fn mint_by_profile(
        &self,
        wish: ProfileMint,
    ) -> Result<(Minted, String), ProfileMintError> {
        let mut last = Withdrawn::Profile;
        for _ in 0..ATTEMPTS {
            match self.attempt_mint(wish.clone()).await {
                Err(ProfileMintError::Mint(MintError::Sign(SignError::Store(
                    StoreError::Withdrawn(withdrawn),
                )))) => {
                    last = withdrawn;
                    // Only a changed profile is worth another attempt. A disabled client or an ended secret stays
                    // that way.
                    if withdrawn != Withdrawn::Profile {
                        break;
                    }
                }
                done => return done,
            }
        }
        self.metrics.outcome("withdrawn");
        Err(MintError::from(StoreError::from(last)).into())
    }

    async fn attempt_mint(&self, wish: ProfileMint) -> Result<(Minted, String), ProfileMintError> {
        let ProfileMint {
            arrived,
            from,
            agent,
            principal,
            scope,
            ask,
        } = wish;
        let principal_name = principal.as_ref().map(|known| known.name.clone());
        let actor = agent.actor();
        let (agent_name, signed_in) = (agent.name, agent.signed_in);
        let caller = Caller {
            agent: agent.party,
            principal: principal.map(|known| known.party),
        };
        // One set of profiles for the whole attempt: selection, rate and standing must agree.
        let profiles = self.profiles.load();
        let selected = profiles.select(scope.as_deref(), &caller);
        let request =
            selected.and_then(|profile| Ok((profile, profile.mint_request(&caller, &ask)?)));
        let (profile, request) = match request {
            Ok(found) => found,
            Err(refusal) => {
                let refused = RefusedRequest {
                    agent: &agent_name,
                    principal: principal_name.as_deref().unwrap_or_default(),
                    profile: scope.as_deref(),
                    reason: &refusal.log(),
                    left_out: 0,
                };
                // The refusal is recorded before the caller learns of it.
                self.record_refused_caller(&actor, refused, from, arrived)
                    .await?;
                self.metrics.outcome(refusal.code().as_str());
                return Err(ProfileMintError::Refused(refusal));
            }
        };
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        if let Some(rate) = profile.rate() {
            let rate = RateLimit {
                per_minute: number(rate.per_minute),
                burst: number(rate.burst),
            };
            // This is not recorded, because a flood of requests would fill the audit.
            if let Err(wait) =
                self.rates
                    .take(Purpose::Profile(profile.name().into()), &agent_name, rate)
            {
                self.metrics.outcome("too_many");
                return Err(ProfileMintError::TooMany(wait));
            }
        }
        // The transaction that mints compares these grounds again: the client may be disabled, or the
        // profile changed, while the request waits.
        let standing = signed_in.map_or_else(Standing::default, Standing::of_client);
        let standing = standing.under(self.profiles.snapshot(&profiles, profile.name()));
        let issuer = self.issuer.acting_as(&actor).on_standing(standing);
        let minted = issuer.mint(&request, arrived).await?;
        self.metrics.outcome("minted");
        Ok((minted, profile.name().to_owned()))
    }

    /// Records the refusal of an authenticated caller, in the audit log and the program's log.
    ///
    /// # Errors
    /// [`ProfileMintError::TooMany`] if the caller was refused too often to be recorded again.
    pub(crate) async fn record_refused_caller(
        &self,
        actor: &str,
        refused: RefusedRequest<'_>,
        from: IpAddr,
        at: Timestamp,
    ) -> Result<(), ProfileMintError> {
        // A known caller could otherwise fill the audit with its refusals.
        if let Err(wait) = self
            .rates
            .take(Purpose::RefusedCaller, refused.agent, REFUSALS)
        {
            self.metrics.outcome("too_many");
            return Err(ProfileMintError::TooMany(wait));
        }
        tracing::warn!(
            actor,
            profile = refused.profile,
            reason = refused.reason,
            %from,
            "a caller is refused"
        );
        let issuer = self.issuer.acting_as(actor);
        issuer.record_refusal(refused, at).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, sync::Arc};

    use bailiwick_issuer::{
        AuditFilter, InitOptions, Issuer, NewClient, Passphrase,
        profile::{ErrorCode, ProfileLimits, Profiles},
    };

    use zeroize::Zeroizing;

    use super::*;
    use crate::{caller::Credentials, config::Config};

    const PROFILE: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.token]
agent = "agent:buyer"
principal = "team:procurement"
ttl = { default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;

    fn profiles(text: &str) -> Profiles {
        Profiles::parse(&[("profiles.toml", text)], &ProfileLimits::default()).unwrap()
    }

    /// If the profiles are replaced while a request waits, the new ones decide it, even if the old ones had
    /// already selected a profile.
    #[tokio::test]
    async fn profiles_of_the_end_decide() {
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions::new("https://issuer.example");
        let passphrase = Passphrase::new("correct horse battery staple").unwrap();
        let issuer = Issuer::init(&dir.path().join("home"), options, &passphrase, now)
            .await
            .unwrap();
        let clock = Arc::new(move || now);
        let state = ServiceState::new(issuer, Config::default(), profiles(PROFILE), clock).unwrap();
        let client = NewClient {
            name: "buyer".to_owned(),
            principal: "team:procurement".to_owned(),
            profiles: vec!["buyer".to_owned()],
            claims: serde_json::Map::new(),
        };
        let (_, secret) = state.issuer.client_add(client, now).await.unwrap();
        let credentials = Credentials::Secret {
            name: "buyer".to_owned(),
            secret: Zeroizing::new(secret.expose().to_owned()),
        };
        let agent = state
            .authenticate_agent(credentials, IpAddr::from([127, 0, 0, 1]))
            .await;
        let wish = ProfileMint {
            arrived: now,
            from: IpAddr::from([127, 0, 0, 1]),
            agent: agent.unwrap(),
            principal: None,
            scope: Some("buyer".to_owned()),
            ask: Ask::default(),
        };
        // Loads the signing key, so that later mints wait for nothing but the record.
        state.mint_by_profile(wish.clone()).await.unwrap();
        let narrower = PROFILE.replace("10m", "5m");
        for (text, ttl) in [(narrower.as_str(), Some(300)), ("", None)] {
            let mut granting = pin!(state.mint_by_profile(wish.clone()));
            let waits: bool = poll_fn(|cx| granting.as_mut().poll(cx).is_pending().into()).await;
            assert!(waits);
            state.profiles.replace(match text {
                "" => Profiles::default(),
                text => profiles(text),
            });
            match (granting.await, ttl) {
                (Ok((minted, _)), Some(ttl)) => {
                    assert_eq!(minted.receipt.expires, now.plus(ttl));
                }
                (Err(ProfileMintError::Refused(refusal)), None) => {
                    assert_eq!(refusal.code(), ErrorCode::InvalidScope);
                }
                (other, _) => panic!("{other:?}"),
            }
        }
        let rows = state.issuer.audit_list(&AuditFilter::default()).await;
        let events: Vec<String> = rows.unwrap().into_iter().map(|row| row.event).collect();
        assert_eq!(
            events.get(events.len().saturating_sub(3)..).unwrap(),
            ["mint", "mint", "mint.refused"]
        );
    }
}
