//! `POST /v1/token`: an OAuth 2.0 token endpoint (RFC 6749) with `client_credentials` and token
//! exchange (RFC 8693), which any OAuth library can call.
//!
//! The client is the agent. In a token exchange, `subject_token` names the principal, and the agent is either
//! the client or the subject of `actor_token`. `scope` names the profile. `resource` and `audience` (RFC 8707,
//! RFC 8693) select services; the token gets no grants for other services.

mod error;

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, State as Shared},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bailiwick_api::{
    CLIENT_ASSERTION_TYPE, CLIENT_CREDENTIALS, IssuedTokenType, JWT_TOKEN_TYPES, OAuthErrorCode,
    REQUESTED_TOKEN_TYPES, TOKEN_EXCHANGE, TokenParameter, TokenRequest, TokenResponse, TokenType,
};
use bailiwick_issuer::{Minted, RefusedRequest, profile::Ask};
use serde_json::Value;
use zeroize::Zeroizing;

use self::error::{OAuthFailure, respond};
use crate::{
    body::Unread,
    caller::{Credentials, KnownParty, Role, Sender, basic, error::CallerError},
    mint::ProfileMint,
    problem::ApiError,
    state::ServiceState,
};

/// Handles `POST /v1/token`.
pub(crate) async fn token(
    Shared(state): Shared<ServiceState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Unread, ApiError>,
) -> Response {
    match answer(&state, from, &headers, body).await {
        Ok((minted, profile)) => success(minted, profile, &state),
        Err(failure) => {
            tracing::info!(
                error = failure.error.as_str(),
                description = failure.description,
                "a request for a token was refused"
            );
            failure.into_response()
        }
    }
}

async fn answer(
    state: &ServiceState,
    from: SocketAddr,
    headers: &HeaderMap,
    body: Result<Unread, ApiError>,
) -> Result<(Minted, String), OAuthFailure> {
    let arrived = state.now();
    // The extractor's rejection has the form that other routes use, but OAuth clients expect an OAuth error.
    let body = body
        .map_err(|error| OAuthFailure::new(OAuthErrorCode::InvalidRequest, error.problem.detail))?;
    let form = TokenForm::parse(&body)?;
    let requested = form.one(TokenParameter::RequestedTokenType)?;
    if requested.is_some_and(|requested| !REQUESTED_TOKEN_TYPES.contains(&requested)) {
        return Err(OAuthFailure::new(
            OAuthErrorCode::InvalidRequest,
            format!(
                "`requested_token_type` is not supported; send one of {}, or leave it out",
                REQUESTED_TOKEN_TYPES.join(", ")
            ),
        ));
    }
    // The form is checked before the client is authenticated, which uses up a client assertion.
    let credentials = credentials(headers, &form)?;
    let scope = match form.one(TokenParameter::Scope)? {
        Some(scope) if scope.contains(' ') => {
            return Err(OAuthFailure::new(
                OAuthErrorCode::InvalidScope,
                "`scope` names more than one profile; name one",
            ));
        }
        scope => scope.map(str::to_owned),
    };
    let (agent, principal) = match form.required(TokenParameter::GrantType)? {
        CLIENT_CREDENTIALS => {
            form.none_of(&[TokenParameter::SubjectToken, TokenParameter::ActorToken])?;
            let credentials = credentials.ok_or_else(OAuthFailure::no_client)?;
            let agent = client(state, from, headers, &form, credentials).await?;
            (agent, None)
        }
        TOKEN_EXCHANGE => exchange(state, from, headers, &form, credentials).await?,
        _ => {
            return Err(OAuthFailure::new(
                OAuthErrorCode::UnsupportedGrantType,
                format!(
                    "the `grant_type` is not supported; send `client_credentials` or `{TOKEN_EXCHANGE}`"
                ),
            ));
        }
    };
    let services = [TokenParameter::Resource, TokenParameter::Audience]
        .into_iter()
        .flat_map(|parameter| form.0.all(parameter));
    let wish = ProfileMint {
        arrived,
        from: from.ip(),
        agent,
        principal,
        scope,
        ask: Ask {
            services: services.map(str::to_owned).collect(),
            ..Ask::default()
        },
    };
    Ok(state.mint_by_profile(wish).await?)
}

/// Authenticates the agent and the principal of a token exchange.
async fn exchange(
    state: &ServiceState,
    from: SocketAddr,
    headers: &HeaderMap,
    form: &TokenForm,
    credentials: Option<Credentials>,
) -> Result<(KnownParty, Option<KnownParty>), OAuthFailure> {
    let subject = form.jwt(TokenParameter::SubjectToken)?.ok_or_else(|| {
        OAuthFailure::new(
            OAuthErrorCode::InvalidRequest,
            "`subject_token` is missing; a token exchange needs one",
        )
    })?;
    let agent = match (form.jwt(TokenParameter::ActorToken)?, credentials) {
        (None, Some(credentials)) => client(state, from, headers, form, credentials).await?,
        (Some(actor), None) => {
            let sender = Sender {
                from: from.ip(),
                agent: "",
            };
            let agent = state.authenticate_party(Role::Actor, actor, sender).await;
            agent.map_err(OAuthFailure::of_token)?
        }
        (None, None) => return Err(OAuthFailure::no_client()),
        // Each of them could be the agent, but a token names only one.
        (Some(_), Some(_)) => {
            return Err(OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                "the request names two agents, the client and the subject of `actor_token`; authenticate as a client, or send `actor_token`",
            ));
        }
    };
    // The agent is authenticated first, so that a refused subject token is recorded under its name.
    let sender = Sender {
        from: from.ip(),
        agent: &agent.name,
    };
    let principal = state
        .authenticate_party(Role::Subject, subject, sender)
        .await;
    Ok((agent, Some(principal.map_err(OAuthFailure::of_token)?)))
}

/// Authenticates the client by its credentials.
async fn client(
    state: &ServiceState,
    from: SocketAddr,
    headers: &HeaderMap,
    form: &TokenForm,
    credentials: Credentials,
) -> Result<KnownParty, OAuthFailure> {
    let asserted = matches!(credentials, Credentials::Assertion(_));
    let agent = state.authenticate_agent(credentials, from.ip()).await;
    let agent = agent.map_err(|error| OAuthFailure::of_client(error, headers))?;
    // RFC 7521, section 4.2: `client_id` is optional, and names the subject of the assertion.
    let speaks_of = match &agent.signed_in {
        Some(client) => Some(client.client().name.as_str()),
        None => agent.party.claims.get("sub").and_then(Value::as_str),
    };
    if asserted
        && let Some(id) = form.one(TokenParameter::ClientId)?
        && speaks_of != Some(id)
    {
        let reason = "`client_id` is not the subject of `client_assertion`; send the same client, or leave `client_id` out";
        let mismatch = RefusedRequest {
            agent: &agent.name,
            principal: "",
            profile: None,
            reason,
            left_out: 0,
        };
        let actor = agent.actor();
        let recorded = state.record_refused_caller(&actor, mismatch, from.ip(), state.now());
        recorded.await?;
        return Err(OAuthFailure::new(OAuthErrorCode::InvalidClient, reason)
            .with_status(StatusCode::UNAUTHORIZED));
    }
    Ok(agent)
}

fn credentials(headers: &HeaderMap, form: &TokenForm) -> Result<Option<Credentials>, OAuthFailure> {
    let unreadable = |_| {
        OAuthFailure::new(
            OAuthErrorCode::InvalidRequest,
            CallerError::Ambiguous.to_string(),
        )
    };
    let mut found = Vec::new();
    if let Some(basic) = basic(headers).map_err(unreadable)? {
        // RFC 6749, section 3.2.1, lets a client repeat its name in the form.
        if let (Credentials::Secret { name, .. }, Some(id)) =
            (&basic, form.one(TokenParameter::ClientId)?)
            && name != id
        {
            return Err(OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                "`client_id` is not the client of HTTP Basic; send the same client, or leave `client_id` out",
            ));
        }
        found.push(basic);
    }
    if let Some(secret) = form.one(TokenParameter::ClientSecret)? {
        found.push(Credentials::Secret {
            name: form.required(TokenParameter::ClientId)?.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        });
    }
    if let Some(assertion) = form.one(TokenParameter::ClientAssertion)? {
        if form.required(TokenParameter::ClientAssertionType)? != CLIENT_ASSERTION_TYPE {
            return Err(OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                format!(
                    "the `client_assertion_type` is not supported; send `{CLIENT_ASSERTION_TYPE}`"
                ),
            ));
        }
        found.push(Credentials::Assertion(Zeroizing::new(assertion.to_owned())));
    }
    // RFC 6749, section 2.3: a client uses one method of authentication for a request.
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(OAuthFailure::new(
            OAuthErrorCode::InvalidRequest,
            CallerError::Ambiguous.to_string(),
        )),
    }
}

/// A token request as a form. Its errors are those of RFC 6749.
struct TokenForm(TokenRequest);

impl TokenForm {
    fn parse(body: &Unread) -> Result<TokenForm, OAuthFailure> {
        let body = body.form().ok_or_else(|| {
            OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                "the body is not a form; send `application/x-www-form-urlencoded` in UTF-8",
            )
        })?;
        let request = TokenRequest::parse(body).map_err(|error| {
            OAuthFailure::new(OAuthErrorCode::InvalidRequest, error.to_string())
        })?;
        Ok(TokenForm(request))
    }

    /// Returns a parameter that may occur once.
    fn one(&self, parameter: TokenParameter) -> Result<Option<&str>, OAuthFailure> {
        // A repeated parameter is refused (RFC 6749, section 3.2): a proxy may have looked at the other one.
        let one = self.0.one(parameter);
        one.map_err(|error| OAuthFailure::new(OAuthErrorCode::InvalidRequest, error.to_string()))
    }

    fn required(&self, parameter: TokenParameter) -> Result<&str, OAuthFailure> {
        self.one(parameter)?.ok_or_else(|| {
            OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                format!("`{parameter}` is missing; send it"),
            )
        })
    }

    fn none_of(&self, parameters: &[TokenParameter]) -> Result<(), OAuthFailure> {
        let mut there = parameters.iter();
        match there.find(|parameter| self.0.all(**parameter).next().is_some()) {
            None => Ok(()),
            Some(parameter) => Err(OAuthFailure::new(
                OAuthErrorCode::InvalidRequest,
                format!("`{parameter}` belongs to a token exchange; leave it out"),
            )),
        }
    }

    /// Returns a subject or actor token. The request must also state its type.
    fn jwt(&self, token: TokenParameter) -> Result<Option<&str>, OAuthFailure> {
        let kind = match token {
            TokenParameter::SubjectToken => TokenParameter::SubjectTokenType,
            _ => TokenParameter::ActorTokenType,
        };
        let wrong = |text: String| OAuthFailure::new(OAuthErrorCode::InvalidRequest, text);
        match (self.one(token)?, self.one(kind)?) {
            (None, None) => Ok(None),
            // RFC 8693, section 2.1, demands the type with a token and forbids it without one.
            (Some(jwt), Some(stated)) if JWT_TOKEN_TYPES.contains(&stated) => Ok(Some(jwt)),
            (Some(_), Some(_)) => Err(wrong(format!(
                "the `{kind}` is not supported; send one of {}",
                JWT_TOKEN_TYPES.join(", ")
            ))),
            _ => Err(wrong(format!(
                "`{token}` and `{kind}` need each other; send both or neither"
            ))),
        }
    }
}

fn success(minted: Minted, profile: String, state: &ServiceState) -> Response {
    let body = TokenResponse {
        access_token: minted.token.to_base64(),
        issued_token_type: IssuedTokenType::Biscuit,
        token_type: TokenType::Bearer,
        expires_in: minted.receipt.expires.since(state.now()),
        scope: profile,
    };
    respond(StatusCode::OK, &body)
}
