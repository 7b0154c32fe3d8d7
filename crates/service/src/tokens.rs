//! A token for a known caller, through a profile: what both token endpoints come down to, and
//! `POST /v1/tokens`, its JSON form.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use axum::{
    Json,
    extract::{ConnectInfo, State as Shared},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bailiwick_issuer::{
    MintError, MintRequest, Minted, Receipt, RefusedRequest, SignError, Standing, StoreError,
    Withdrawn,
    profile::{Ask, Caller},
};
use bailiwick_token::{grant::Grants, timestamp::Timestamp};
use bailiwick_verifier::Request as Call;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    body::Unread,
    caller::{CallerError, Credentials, Known, Role, Sender, basic},
    operator::{OPERATOR_SERVICE, texts},
    problem::{Code, Problem},
    rate::{REFUSALS, Rate},
    state::State,
};

/// What a caller is told beyond a rate.
pub(crate) const TOO_OFTEN: &str = "the caller mints, or is refused, too often";

/// The action of an operator who mints.
const MINT: &str = "token:mint";

/// The most bytes of grants: those that a token can carry take fewer.
const MAX_GRANTS: usize = 64 * 1024;

/// Grants of so many bytes are read at once, which takes less time than handing them to another thread.
const QUICK_GRANTS: usize = 8 * 1024;

/// Maximum rate of longer ones from one caller.
const LARGE_GRANTS: Rate = Rate {
    per_minute: NonZeroU32::new(60).unwrap(),
    burst: NonZeroU32::new(20).unwrap(),
};

/// What a known caller asks for.
#[derive(Clone)]
pub(crate) struct Wish {
    /// Time at which the request came in, before it waited for anything.
    pub(crate) arrived: Timestamp,
    pub(crate) agent: Known,
    pub(crate) principal: Option<Known>,
    /// The profile, where it was named.
    pub(crate) scope: Option<String>,
    pub(crate) ask: Ask,
}

/// Attempts at a mint whose profile changes under it.
const ATTEMPTS: usize = 4;

/// Why it gets nothing.
#[derive(Debug)]
pub(crate) enum WishError {
    /// The profile says no. Both texts are for the caller.
    Refused { code: &'static str, text: String },
    /// It comes too often.
    TooMany(Duration),
    /// The issuer says no, or cannot.
    Mint(MintError),
}

impl From<MintError> for WishError {
    fn from(error: MintError) -> WishError {
        WishError::Mint(error)
    }
}

impl State {
    /// Mints what a profile lets this caller have, or says why not. Either is on record by then. A
    /// request whose profile changes while it waits is decided anew, by the profiles of then.
    pub(crate) async fn grant(&self, wish: Wish) -> Result<(Minted, String), WishError> {
        let mut last = Withdrawn::Profile;
        for _ in 0..ATTEMPTS {
            match self.grant_once(wish.clone()).await {
                Err(WishError::Mint(MintError::Sign(SignError::Store(StoreError::Withdrawn(
                    withdrawn,
                ))))) => {
                    last = withdrawn;
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

    async fn grant_once(&self, wish: Wish) -> Result<(Minted, String), WishError> {
        let Wish {
            arrived,
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
        let profiles = self.profiles.load();
        let selected = profiles.select(scope.as_deref(), &caller);
        let request = selected.and_then(|profile| Ok((profile, profile.issue(&caller, &ask)?)));
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
                self.refuse(&actor, refused, arrived).await?;
                let code = refusal.code().as_str();
                self.metrics.outcome(code);
                return Err(WishError::Refused {
                    code,
                    text: refusal.public(),
                });
            }
        };
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        if let Some(rate) = profile.rate() {
            let rate = Rate {
                per_minute: number(rate.per_minute),
                burst: number(rate.burst),
            };
            // Not on record: it is the record that a flood would fill.
            if let Err(wait) = self.rates.take(profile.name(), &agent_name, rate) {
                self.metrics.outcome("too_many");
                return Err(WishError::TooMany(wait));
            }
        }
        let standing = signed_in.map_or_else(Standing::default, Standing::of_client);
        let standing = standing.under(self.profiles.snapshot(&profiles, profile.name()));
        let issuer = self.issuer.acting_as(&actor).on_standing(standing);
        let minted = issuer.mint(&request, arrived).await?;
        self.metrics.outcome("minted");
        Ok((minted, profile.name().to_owned()))
    }

    /// Records that a known caller is refused. One that is refused again and again does not fill the
    /// record with it: it has to wait.
    pub(crate) async fn refuse(
        &self,
        actor: &str,
        refused: RefusedRequest<'_>,
        at: Timestamp,
    ) -> Result<(), WishError> {
        if let Err(wait) = self.rates.take("", refused.agent, REFUSALS) {
            self.metrics.outcome("too_many");
            return Err(WishError::TooMany(wait));
        }
        let issuer = self.issuer.acting_as(actor);
        issuer.record_refusal(refused, at).await?;
        Ok(())
    }
}

/// What `POST /v1/tokens` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// The profile; without it, the only one that the caller may use.
    profile: Option<String>,
    /// The JWT of the principal on whose authority the agent acts.
    subject_token: Option<Zeroizing<String>>,
    /// A client assertion, where there is no HTTP Basic.
    client_assertion: Option<Zeroizing<String>>,
    /// Grants within those of the profile, which are all without this.
    grants: Option<Box<RawValue>>,
    /// Grants at these services only, which are all of the profile's without this.
    services: Option<Vec<String>>,
    /// The life in seconds.
    ttl: Option<u64>,
    /// What for, in words.
    task: Option<String>,
    /// How many times it may be narrowed.
    max_depth: Option<u32>,
    /// With an operator's token, which needs no profile: for whom.
    agent: Option<String>,
    /// On whose authority.
    principal: Option<String>,
    /// In which tenant.
    tenant: Option<String>,
    /// Further claims.
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

/// What it answers.
#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

/// `POST /v1/tokens`
pub(crate) async fn create(
    Shared(state): Shared<State>,
    ConnectInfo(from): ConnectInfo<std::net::SocketAddr>,
    headers: HeaderMap,
    body: Unread,
) -> Result<Response, Problem> {
    let arrived = state.now();
    // Who calls comes first: nothing that a stranger writes is parsed.
    if bearer(&headers) {
        let holder = state.holder(&headers, MINT).await?;
        let mut wanted: NewToken = body.json(&holder)?;
        let grants = grants(&state, &holder.agent, wanted.grants.take()).await?;
        let (minted, actor) = by_operator(&state, &headers, wanted, grants, arrived).await?;
        tracing::info!(actor, token = %minted.receipt.token_id, "minted for an operator");
        return Ok(answer(&minted, None));
    }
    let agent = agent(&state, &headers, &body, from.ip()).await?;
    let mut wanted: NewToken = body.json(&agent)?;
    if wanted.client_assertion.is_some() && headers.contains_key(header::AUTHORIZATION) {
        return Err(logged(unknown(CallerError::Ambiguous)));
    }
    if wanted.agent.is_some()
        || wanted.principal.is_some()
        || wanted.tenant.is_some()
        || !wanted.claims.is_empty()
    {
        return Err(Problem::new(
            Code::BadRequest,
            "who acts for whom is for the profile to say: leave `agent`, `principal`, `tenant` and `claims` out",
        ));
    }
    let services = match wanted.services.take() {
        Some(services) if services.is_empty() => {
            return Err(Problem::new(
                Code::BadRequest,
                "`services` is empty, and an empty list allows nothing: leave it out for all services of the profile",
            ));
        }
        services => services.unwrap_or_default(),
    };
    let grants = grants(&state, &agent.name, wanted.grants.take()).await?;
    let principal = match &wanted.subject_token {
        None => None,
        Some(jwt) => {
            let sender = Sender {
                from: from.ip(),
                agent: &agent.name,
            };
            let principal = state.party(Role::Subject, jwt, sender).await;
            Some(principal.map_err(|error| logged(unknown(error)))?)
        }
    };
    let wish = Wish {
        arrived,
        agent,
        principal,
        scope: wanted.profile,
        ask: Ask {
            grants,
            services,
            ttl: wanted.ttl,
            task: wanted.task,
            max_depth: wanted.max_depth,
        },
    };
    let (minted, profile) = state
        .grant(wish)
        .await
        .map_err(|error| logged(refused(error)))?;
    Ok(answer(&minted, Some(&profile)))
}

fn bearer(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    value.is_some_and(|value| {
        value
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
    })
}

/// The agent, by HTTP Basic or by the `client_assertion` of the body.
async fn agent(
    state: &State,
    headers: &HeaderMap,
    body: &Unread,
    from: IpAddr,
) -> Result<Known, Problem> {
    let refuse = |error| logged(unknown(error));
    let credentials = match basic(headers).map_err(refuse)? {
        Some(basic) => basic,
        None => {
            let assertion = body.client_assertion()?;
            Credentials::Assertion(assertion.ok_or_else(|| refuse(CallerError::Ambiguous))?)
        }
    };
    state.agent(credentials, from).await.map_err(refuse)
}

/// Reads the grants that a known caller asks for. What takes more than a moment is done beside the
/// threads that answer requests, and counted against the caller.
async fn grants(
    state: &State,
    caller: &str,
    text: Option<Box<RawValue>>,
) -> Result<Option<Grants>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    let length = text.get().len();
    if length > MAX_GRANTS {
        let text = format!("`grants` has at most {MAX_GRANTS} bytes: no token carries as much");
        return Err(Problem::new(Code::BadRequest, text));
    }
    let read = if length <= QUICK_GRANTS {
        Grants::from_json(text.get())
    } else {
        if let Err(wait) = state.rates.take("grants", caller, LARGE_GRANTS) {
            return Err(too_often(wait));
        }
        let gone = || Problem::new(Code::Unavailable, "the issuer is stopping: try again");
        // It is never closed.
        let _place = state.parsing.acquire().await.map_err(|_| gone())?;
        tokio::task::spawn_blocking(move || Grants::from_json(text.get()))
            .await
            .map_err(|_| gone())?
    };
    read.map(Some)
        .map_err(|error| Problem::new(Code::BadRequest, format!("`grants`: {error}")))
}

/// An operator mints without a profile, within what its own token lets it: who, for whom and for how
/// long are arguments of the call, which its grant can bound. What the new token may do at this
/// issuer is nothing: an operator cannot make operators.
async fn by_operator(
    state: &State,
    headers: &HeaderMap,
    wanted: NewToken,
    grants: Option<Grants>,
    arrived: Timestamp,
) -> Result<(Minted, String), Problem> {
    let bad = |text: &str| Problem::new(Code::BadRequest, text);
    if wanted.profile.is_some()
        || wanted.subject_token.is_some()
        || wanted.client_assertion.is_some()
        || wanted.services.is_some()
    {
        return Err(bad(
            "an operator's token mints without a profile: leave `profile`, `services` and other credentials out",
        ));
    }
    let (Some(agent), Some(principal), Some(ttl), Some(grants)) =
        (wanted.agent, wanted.principal, wanted.ttl, grants)
    else {
        return Err(bad("`agent`, `principal`, `ttl` and `grants` are needed"));
    };
    let seconds = i64::try_from(ttl).map_err(|_| bad("`ttl` is too large"))?;
    let mut call = Call::new(MINT)
        .arg("agent", agent.as_str())
        .arg("principal", principal.as_str())
        .arg("ttl", seconds);
    if let Some(tenant) = &wanted.tenant {
        call = call.arg("tenant", tenant.as_str());
    }
    // Whoever may say for whom is not to say for what, unless that is granted as well.
    let services: BTreeSet<&str> = grants.iter().map(|grant| grant.service.as_str()).collect();
    call = call.arg("services", texts(services));
    if !wanted.claims.is_empty() {
        call = call.arg("claims", texts(wanted.claims.keys()));
    }
    let operator = state.operator(headers, &call).await?;
    if grants.iter().any(|grant| grant.service == OPERATOR_SERVICE) {
        let refused = state.refused(&operator.identity, call.action(), "grants for this issuer");
        refused.await?;
        return Err(Problem::new(
            Code::Denied,
            "operators are made at the issuer's home, or by a profile, and not by operators",
        ));
    }
    let request = MintRequest {
        agent,
        principal,
        tenant: wanted.tenant,
        task: wanted.task,
        claims: wanted.claims,
        grants,
        ttl,
        max_depth: wanted.max_depth,
        profile: None,
    };
    let actor = operator.actor();
    let minted = state.acting_for(operator).mint(&request, arrived).await?;
    state.metrics.outcome("minted");
    Ok((minted, actor))
}

fn answer(minted: &Minted, profile: Option<&str>) -> Response {
    let token = Zeroizing::new(minted.token.to_base64());
    let body = Json(Answer {
        token: &token,
        profile,
        receipt: &minted.receipt,
    });
    let mut response = (axum::http::StatusCode::CREATED, body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// Says in the log why a caller gets nothing.
fn logged(problem: Problem) -> Problem {
    tracing::info!(code = ?problem.code, detail = problem.detail, "no token");
    problem
}

fn unknown(error: CallerError) -> Problem {
    match error {
        CallerError::Store(error) => error.into(),
        CallerError::TooMany => Problem {
            retry_after: Some(60),
            ..Problem::new(Code::TooMany, error.to_string())
        },
        CallerError::Assertion {
            error: crate::provider::AssertionError::Unreachable,
            ..
        } => Problem::new(Code::Unavailable, error.to_string()),
        CallerError::Ambiguous => Problem::new(
            Code::Unauthenticated,
            "authenticate with HTTP Basic, or with a `client_assertion`, and not with both",
        ),
        other => Problem::new(Code::Unauthenticated, other.to_string()),
    }
}

fn too_often(wait: Duration) -> Problem {
    let wait = wait.as_secs().saturating_add(1);
    Problem {
        retry_after: Some(wait),
        ..Problem::new(Code::TooMany, format!("{TOO_OFTEN}: wait {wait} s"))
    }
}

fn refused(error: WishError) -> Problem {
    match error {
        WishError::Refused { code, text } => Problem {
            reason: Some(code.to_owned()),
            ..Problem::new(Code::Denied, text)
        },
        WishError::TooMany(wait) => too_often(wait),
        WishError::Mint(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, sync::Arc};

    use bailiwick_issuer::{
        AuditFilter, InitOptions, Issuer, NewClient, Passphrase,
        profile::{ProfileLimits, Profiles},
    };

    use super::*;
    use crate::config::Config;

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

    /// A request that has found its profile waits, and the profiles are replaced meanwhile: it is
    /// decided by the new ones.
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
        let state = State::new(issuer, Config::default(), profiles(PROFILE), clock).unwrap();
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
        let agent = state.agent(credentials, IpAddr::from([127, 0, 0, 1])).await;
        let wish = Wish {
            arrived: now,
            agent: agent.unwrap(),
            principal: None,
            scope: Some("buyer".to_owned()),
            ask: Ask::default(),
        };
        // From now on the key that signs is at hand, and nothing but the record is waited for.
        state.grant(wish.clone()).await.unwrap();
        let narrower = PROFILE.replace("10m", "5m");
        for (text, ttl) in [(narrower.as_str(), Some(300)), ("", None)] {
            let mut granting = pin!(state.grant(wish.clone()));
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
                (Err(WishError::Refused { code, .. }), None) => assert_eq!(code, "invalid_scope"),
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
