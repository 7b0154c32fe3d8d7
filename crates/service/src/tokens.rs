//! `POST /v1/tokens`: a token with explicit grants, in JSON.

use std::{collections::BTreeSet, net::IpAddr, num::NonZeroU32};

use axum::{
    Json,
    extract::State as Shared,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bailiwick_api::{MAX_GRANTS, MintTokenRequest, MintedToken, ProblemCode};
use bailiwick_issuer::{MintRequest, Minted, profile::Ask};
use bailiwick_token::{grant::Grants, timestamp::Timestamp};
use bailiwick_verifier::Call;
use serde_json::value::RawValue;

use crate::{
    body::Unread,
    caller::{Credentials, KnownParty, Role, Sender, basic, error::CallerError},
    head::RequestHead,
    mint::{ProfileMint, error::ProfileMintError},
    operator::texts,
    own_verifier::OPERATOR_SERVICE,
    problem::ApiError,
    rate::{Purpose, RateLimit},
    state::ServiceState,
    wire::IntoWire,
};

/// The action that an operator's token must allow for minting.
const MINT: &str = "token:mint";

/// Maximum length of grants to parse on the current thread, in bytes. Parsing these takes less time than
/// passing them to another thread.
const QUICK_GRANTS: usize = 8 * 1024;

/// Maximum rate at which one caller may send longer grants.
const LARGE_GRANTS: RateLimit = RateLimit {
    per_minute: NonZeroU32::new(60).unwrap(),
    burst: NonZeroU32::new(20).unwrap(),
};

/// Handles `POST /v1/tokens`.
pub(crate) async fn mint(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    body: Unread,
) -> Result<Response, ApiError> {
    let arrived = state.now();
    // The caller is authenticated first, so that no stranger's body is parsed.
    if bearer(&head.headers) {
        let holder = state.holder(&head, MINT).await?;
        let mut wanted: MintTokenRequest = body.json(&holder)?;
        let grants = grants(&state, &holder.agent, wanted.grants.take()).await?;
        let (minted, actor) = by_operator(&state, &head, wanted, grants, arrived).await?;
        tracing::info!(actor, token = %minted.receipt.token_id, "a token was minted for an operator");
        return Ok(answer(minted, None));
    }
    let RequestHead { headers, from } = head;
    let agent = agent(&state, &headers, &body, from).await?;
    let mut wanted: MintTokenRequest = body.json(&agent)?;
    // Only the header has been checked, but the assertion could name another agent.
    if wanted.client_assertion.is_some() && headers.contains_key(header::AUTHORIZATION) {
        return Err(logged(CallerError::Ambiguous));
    }
    if wanted.agent.is_some()
        || wanted.principal.is_some()
        || wanted.tenant.is_some()
        || !wanted.claims.is_empty()
    {
        return Err(ApiError::bad_request(
            "the profile decides who acts for whom; leave `agent`, `principal`, `tenant` and `claims` out",
        ));
    }
    let services = match wanted.services.take() {
        Some(services) if services.is_empty() => {
            return Err(ApiError::bad_request(
                "`services` is empty and would allow nothing; leave it out for all services of the profile",
            ));
        }
        services => services.unwrap_or_default(),
    };
    let grants = grants(&state, &agent.name, wanted.grants.take()).await?;
    // This comes last, because it uses up a one-time JWT, and a malformed request must not do that.
    let principal = match &wanted.subject_token {
        None => None,
        Some(jwt) => {
            let sender = Sender {
                from,
                agent: &agent.name,
            };
            let principal = state.authenticate_party(Role::Subject, jwt, sender).await;
            Some(principal.map_err(logged)?)
        }
    };
    let wish = ProfileMint {
        arrived,
        from,
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
    let (minted, profile) = state.mint_by_profile(wish).await.map_err(logged)?;
    Ok(answer(minted, Some(profile)))
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

/// Authenticates the agent by HTTP Basic or by the `client_assertion` in the body.
async fn agent(
    state: &ServiceState,
    headers: &HeaderMap,
    body: &Unread,
    from: IpAddr,
) -> Result<KnownParty, ApiError> {
    let credentials = match basic(headers).map_err(logged)? {
        Some(basic) => basic,
        None => {
            let assertion = body.client_assertion()?;
            Credentials::Assertion(assertion.ok_or_else(|| logged(CallerError::Ambiguous))?)
        }
    };
    state
        .authenticate_agent(credentials, from)
        .await
        .map_err(logged)
}

/// Parses the grants that an authenticated caller requests. Long grants are parsed on a separate thread, away
/// from those that answer requests, and count against the caller's rate.
async fn grants(
    state: &ServiceState,
    caller: &str,
    text: Option<Box<RawValue>>,
) -> Result<Option<Grants>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let length = text.get().len();
    if length > MAX_GRANTS {
        let text = format!(
            "`grants` is longer than the {MAX_GRANTS} bytes that a token can carry; send fewer grants"
        );
        return Err(ApiError::bad_request(text));
    }
    let read = if length <= QUICK_GRANTS {
        Grants::from_json(text.get())
    } else {
        if let Err(wait) = state.rates.take(Purpose::LargeGrants, caller, LARGE_GRANTS) {
            return Err(ProfileMintError::TooMany(wait).into());
        }
        let gone = || {
            ApiError::new(
                ProblemCode::Unavailable,
                "the issuer is stopping; try again",
            )
        };
        // The semaphore is never closed, so this does not fail.
        let _place = state.parsing.acquire().await.map_err(|_| gone())?;
        tokio::task::spawn_blocking(move || Grants::from_json(text.get()))
            .await
            .map_err(|_| gone())?
    };
    read.map(Some)
        .map_err(|error| ApiError::bad_request(format!("`grants`: {error}")))
}

/// Mints for an operator: without a profile, and within the operator's own token. Agent, principal and lifetime are
/// arguments of the call, so the operator's grant can limit them. The new token allows nothing at this issuer:
/// operators cannot create operators.
async fn by_operator(
    state: &ServiceState,
    head: &RequestHead,
    wanted: MintTokenRequest,
    grants: Option<Grants>,
    arrived: Timestamp,
) -> Result<(Minted, String), ApiError> {
    let bad = |text: &str| ApiError::bad_request(text);
    if wanted.profile.is_some()
        || wanted.subject_token.is_some()
        || wanted.client_assertion.is_some()
        || wanted.services.is_some()
    {
        return Err(bad(
            "an operator's token mints without a profile; leave `profile`, `services` and other credentials out",
        ));
    }
    let (Some(agent), Some(principal), Some(ttl), Some(grants)) =
        (wanted.agent, wanted.principal, wanted.ttl, grants)
    else {
        return Err(bad(
            "the request lacks `agent`, `principal`, `ttl` or `grants`; send all four",
        ));
    };
    let seconds = i64::try_from(ttl).map_err(|_| bad("`ttl` is too large; send fewer seconds"))?;
    let mut call = Call::new(MINT)
        .arg("agent", agent.as_str())
        .arg("principal", principal.as_str())
        .arg("ttl", seconds);
    if let Some(tenant) = &wanted.tenant {
        call = call.arg("tenant", tenant.as_str());
    }
    // Services and claims are arguments because a grant that names arguments denies all others. So an operator whose
    // grant limits agent and principal can choose services and claims only if the grant names them too.
    let services: BTreeSet<&str> = grants.iter().map(|grant| grant.service.as_str()).collect();
    call = call.arg("services", texts(services));
    if !wanted.claims.is_empty() {
        call = call.arg("claims", texts(wanted.claims.keys()));
    }
    // `holder` has authenticated the token. Only now is it known which call the token must allow.
    let operator = state.operator(head, &call).await?;
    // These are refused whatever the operator's own grants say: the holder of a stolen operator's token could
    // otherwise mint successors that survive its revocation.
    if grants.iter().any(|grant| grant.service == OPERATOR_SERVICE) {
        let refused = state.record_denied_operator(
            &operator.identity,
            call.action(),
            "grants for this issuer",
            head.from,
        );
        refused.await?;
        return Err(ApiError::new(
            ProblemCode::Denied,
            "an operator's token cannot mint tokens of operators; mint them at the home of the issuer, or by a profile",
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

fn answer(minted: Minted, profile: Option<String>) -> Response {
    let body = MintedToken {
        profile,
        ..minted.into_wire()
    };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// Logs the reason why a caller gets no token.
fn logged(error: impl Into<ApiError>) -> ApiError {
    let error = error.into();
    let problem = &error.problem;
    tracing::info!(code = ?problem.code, detail = problem.detail, "a request for a token was refused");
    error
}
