//! `POST /v1/token`: an OAuth 2.0 token endpoint (RFC 6749), with `client_credentials` and token
//! exchange (RFC 8693), so that any OAuth library can ask.
//!
//! The client is the agent. In a token exchange `subject_token` speaks of the principal, and
//! `actor_token`, or the client, is the agent. `scope` names the profile; `resource` and `audience`
//! (RFC 8707, RFC 8693) leave services out.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, State as Shared},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bailiwick_issuer::{
    MintError, Minted, RefusedRequest, SignError, StoreError, Withdrawn, profile::Ask,
};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    body::Unread,
    caller::{CallerError, Credentials, JWT_BEARER, Known, Role, Sender, basic},
    problem::Problem,
    provider::AssertionError,
    state::State,
    tokens::{TOO_OFTEN, Wish, WishError},
};

/// What a token of ours is called (RFC 8693, section 3).
const ISSUED_TYPE: &str = "urn:bailiwick:token-type:biscuit";

/// The types of token that a client may request: a token of ours by its own name, or an access token,
/// which each of ours is.
const REQUESTED_TYPES: [&str; 2] = [ISSUED_TYPE, "urn:ietf:params:oauth:token-type:access_token"];

pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a subject or actor token may call itself: each is a JWT here.
const JWT_TYPES: [&str; 3] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:access_token",
];

/// The most parameters of a request.
const MAX_PARAMETERS: usize = 64;

/// An error as RFC 6749, section 5.2, has it.
struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
    /// Whether HTTP Basic is asked for.
    challenge: bool,
    /// In how many seconds to try again.
    retry_after: Option<u64>,
}

fn error(error: &'static str, description: impl Into<String>) -> OAuthError {
    OAuthError {
        status: StatusCode::BAD_REQUEST,
        error,
        description: description.into(),
        challenge: false,
        retry_after: None,
    }
}

/// `POST /v1/token`
pub(crate) async fn token(
    Shared(state): Shared<State>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Unread, Problem>,
) -> Response {
    match answer(&state, from, &headers, body).await {
        Ok((minted, profile)) => success(&minted, &profile, &state),
        Err(error) => {
            tracing::info!(
                error = error.error,
                description = error.description,
                "no token"
            );
            error.into_response()
        }
    }
}

async fn answer(
    state: &State,
    from: SocketAddr,
    headers: &HeaderMap,
    body: Result<Unread, Problem>,
) -> Result<(Minted, String), OAuthError> {
    let arrived = state.now();
    let body = body.map_err(|problem| error("invalid_request", problem.detail))?;
    let form = Form::parse(&body)?;
    let requested = form.one("requested_token_type")?;
    if requested.is_some_and(|requested| !REQUESTED_TYPES.contains(&requested)) {
        return Err(error(
            "invalid_request",
            format!(
                "`requested_token_type` is one of {}: ask for one of them, or leave it out",
                REQUESTED_TYPES.join(", ")
            ),
        ));
    }
    let credentials = credentials(headers, &form)?;
    let scope = match form.one("scope")? {
        Some(scope) if scope.contains(' ') => {
            return Err(error("invalid_scope", "`scope` names one profile"));
        }
        scope => scope.map(str::to_owned),
    };
    let (agent, principal) = match form.required("grant_type")? {
        "client_credentials" => {
            form.none_of(&["subject_token", "actor_token"])?;
            let credentials = credentials.ok_or_else(no_client)?;
            let agent = client(state, from, headers, &form, credentials).await?;
            (agent, None)
        }
        TOKEN_EXCHANGE => exchange(state, from, headers, &form, credentials).await?,
        _ => {
            return Err(error(
                "unsupported_grant_type",
                format!("`grant_type` is `client_credentials` or `{TOKEN_EXCHANGE}`"),
            ));
        }
    };
    let services = ["resource", "audience"]
        .into_iter()
        .flat_map(|name| form.all(name));
    let wish = Wish {
        arrived,
        agent,
        principal,
        scope,
        ask: Ask {
            services: services.map(str::to_owned).collect(),
            ..Ask::default()
        },
    };
    state.grant(wish).await.map_err(refused)
}

/// The agent and the principal of a token exchange.
async fn exchange(
    state: &State,
    from: SocketAddr,
    headers: &HeaderMap,
    form: &Form,
    credentials: Option<Credentials>,
) -> Result<(Known, Option<Known>), OAuthError> {
    let subject = form
        .jwt("subject_token")?
        .ok_or_else(|| error("invalid_request", "`subject_token` is missing"))?;
    let agent = match (form.jwt("actor_token")?, credentials) {
        (None, Some(credentials)) => client(state, from, headers, form, credentials).await?,
        (Some(actor), None) => {
            let sender = Sender {
                from: from.ip(),
                agent: "",
            };
            let agent = state.party(Role::Actor, actor, sender).await;
            agent.map_err(bad_token)?
        }
        (None, None) => return Err(no_client()),
        // Which of the two acts, a token could not say.
        (Some(_), Some(_)) => {
            return Err(error(
                "invalid_request",
                "the agent is the client, or whom `actor_token` speaks of: send one of them",
            ));
        }
    };
    let sender = Sender {
        from: from.ip(),
        agent: &agent.name,
    };
    let principal = state.party(Role::Subject, subject, sender).await;
    Ok((agent, Some(principal.map_err(bad_token)?)))
}

/// The client that the credentials are of.
async fn client(
    state: &State,
    from: SocketAddr,
    headers: &HeaderMap,
    form: &Form,
    credentials: Credentials,
) -> Result<Known, OAuthError> {
    let asserted = matches!(credentials, Credentials::Assertion(_));
    let agent = state.agent(credentials, from.ip()).await;
    let agent = agent.map_err(|error| not_known(error, headers))?;
    // RFC 7521, section 4.2: it names whom the assertion speaks of, or is left out.
    if asserted
        && let Some(id) = form.one("client_id")?
        && agent.party.claims.get("sub").and_then(Value::as_str) != Some(id)
    {
        let reason = "`client_id` is not whom `client_assertion` speaks of";
        let mismatch = RefusedRequest {
            agent: &agent.name,
            principal: "",
            profile: None,
            reason,
            left_out: 0,
        };
        let actor = agent.actor();
        let recorded = state.refuse(&actor, mismatch, state.now());
        recorded.await.map_err(refused)?;
        return Err(OAuthError {
            status: StatusCode::UNAUTHORIZED,
            ..error("invalid_client", reason)
        });
    }
    Ok(agent)
}

fn credentials(headers: &HeaderMap, form: &Form) -> Result<Option<Credentials>, OAuthError> {
    let unreadable = |_| error("invalid_request", CallerError::Ambiguous.to_string());
    let mut found = Vec::new();
    if let Some(basic) = basic(headers).map_err(unreadable)? {
        // RFC 6749, section 3.2.1, lets a client name itself once more.
        if let (Credentials::Secret { name, .. }, Some(id)) = (&basic, form.one("client_id")?)
            && name != id
        {
            return Err(error(
                "invalid_request",
                "`client_id` is not the client of HTTP Basic",
            ));
        }
        found.push(basic);
    }
    if let Some(secret) = form.one("client_secret")? {
        found.push(Credentials::Secret {
            name: form.required("client_id")?.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        });
    }
    if let Some(assertion) = form.one("client_assertion")? {
        if form.required("client_assertion_type")? != JWT_BEARER {
            return Err(error(
                "invalid_request",
                format!("`client_assertion_type` is `{JWT_BEARER}`"),
            ));
        }
        found.push(Credentials::Assertion(Zeroizing::new(assertion.to_owned())));
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(error("invalid_request", CallerError::Ambiguous.to_string())),
    }
}

/// A form, whose secrets are wiped with it.
struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    fn parse(body: &Unread) -> Result<Form, OAuthError> {
        let body = body.form().ok_or_else(|| {
            error(
                "invalid_request",
                "the body is `application/x-www-form-urlencoded` in UTF-8",
            )
        })?;
        let pairs = form_pairs(body).take(MAX_PARAMETERS.saturating_add(1));
        let pairs: Vec<_> = pairs.collect();
        if pairs.len() > MAX_PARAMETERS {
            return Err(error(
                "invalid_request",
                format!("a request has at most {MAX_PARAMETERS} parameters"),
            ));
        }
        Ok(Form(pairs))
    }

    /// Parameters without a value are none (RFC 6749, section 3.2).
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that may be there once.
    fn one(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(error(
                "invalid_request",
                format!("`{name}` is there more than once"),
            )),
        }
    }

    fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.one(name)?
            .ok_or_else(|| error("invalid_request", format!("`{name}` is missing")))
    }

    fn none_of(&self, names: &[&'static str]) -> Result<(), OAuthError> {
        match names.iter().find(|name| self.all(name).next().is_some()) {
            None => Ok(()),
            Some(name) => Err(error(
                "invalid_request",
                format!("`{name}` belongs to a token exchange"),
            )),
        }
    }

    /// A subject or actor token, which says of what type it is.
    fn jwt(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let kind = match name {
            "subject_token" => "subject_token_type",
            _ => "actor_token_type",
        };
        match (self.one(name)?, self.one(kind)?) {
            (None, None) => Ok(None),
            (Some(token), Some(stated)) if JWT_TYPES.contains(&stated) => Ok(Some(token)),
            (Some(_), Some(_)) => Err(error(
                "invalid_request",
                format!("`{kind}` is one of {}", JWT_TYPES.join(", ")),
            )),
            _ => Err(error(
                "invalid_request",
                format!("`{name}` and `{kind}` go together"),
            )),
        }
    }
}

/// The pairs of a form (WHATWG URL, section 5.1), by the parser of URLs.
fn form_pairs(body: &[u8]) -> impl Iterator<Item = (String, Zeroizing<String>)> {
    let pairs: Vec<_> = form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
        .take(MAX_PARAMETERS.saturating_add(2))
        .collect();
    pairs.into_iter()
}

fn no_client() -> OAuthError {
    OAuthError {
        status: StatusCode::UNAUTHORIZED,
        challenge: true,
        ..error(
            "invalid_client",
            "authenticate with HTTP Basic, or with a `client_assertion`",
        )
    }
}

/// Why the client is not known (RFC 6749, section 5.2).
fn not_known(refused: CallerError, headers: &HeaderMap) -> OAuthError {
    let text = refused.to_string();
    match refused {
        CallerError::Store(error) => unavailable(&error),
        CallerError::Assertion {
            error: AssertionError::Unreachable,
            ..
        } => busy(text),
        CallerError::TooMany => OAuthError {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(60),
            ..error("invalid_client", text)
        },
        _ => OAuthError {
            status: StatusCode::UNAUTHORIZED,
            challenge: headers.contains_key(header::AUTHORIZATION),
            ..error("invalid_client", text)
        },
    }
}

/// Why a subject or actor token is not accepted (RFC 8693, section 2.2.2).
fn bad_token(refused: CallerError) -> OAuthError {
    let text = refused.to_string();
    match refused {
        CallerError::Store(error) => unavailable(&error),
        CallerError::Assertion {
            error: AssertionError::Unreachable,
            ..
        } => busy(text),
        _ => error("invalid_request", text),
    }
}

fn refused(refused: WishError) -> OAuthError {
    match refused {
        WishError::Refused { code, text } => error(code, text),
        WishError::TooMany(wait) => OAuthError {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(wait.as_secs().saturating_add(1)),
            ..error("slow_down", format!("{TOO_OFTEN}: wait"))
        },
        WishError::Mint(MintError::Refused(refusal)) => {
            error("invalid_request", refusal.to_string())
        }
        // The same as for a client that comes after its secret was ended.
        WishError::Mint(MintError::Sign(SignError::Store(StoreError::Withdrawn(
            Withdrawn::Client,
        )))) => OAuthError {
            status: StatusCode::UNAUTHORIZED,
            ..error("invalid_client", CallerError::WrongSecret.to_string())
        },
        WishError::Mint(MintError::Sign(SignError::Store(error))) => unavailable(&error),
        WishError::Mint(failed) => {
            tracing::error!(error = %failed, "no token could be minted");
            OAuthError {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..error(
                    "server_error",
                    "the issuer has a fault of its own, which is in its log",
                )
            }
        }
    }
}

fn unavailable(failed: &StoreError) -> OAuthError {
    if let StoreError::Overloaded | StoreError::Withdrawn(_) = failed {
        return busy(failed.to_string());
    }
    tracing::error!(error = %failed, "the store refused");
    match failed {
        StoreError::Busy
        | StoreError::Conflict
        | StoreError::Full
        | StoreError::Slow
        | StoreError::Unreachable => busy(failed.to_string()),
        _ => busy("the issuer cannot use its store, and its log says why"),
    }
}

fn busy(text: impl Into<String>) -> OAuthError {
    OAuthError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: Some(5),
        ..error("temporarily_unavailable", text)
    }
}

/// RFC 6749, section 5.1, with RFC 8693, section 2.2.1.
#[derive(Serialize)]
struct Success<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    expires_in: u64,
    scope: &'a str,
}

fn success(minted: &Minted, profile: &str, state: &State) -> Response {
    let token = Zeroizing::new(minted.token.to_base64());
    let body = Success {
        access_token: &token,
        issued_token_type: ISSUED_TYPE,
        token_type: "Bearer",
        expires_in: minted.receipt.expires.since(state.now()),
        scope: profile,
    };
    respond(StatusCode::OK, &body)
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        // RFC 6749 lets a description have printable ASCII without `"` and `\`.
        let plain = |c: char| match c {
            '`' | '"' => '\'',
            ' '..='~' if c != '\\' => c,
            _ => '?',
        };
        let description: String = self.description.chars().map(plain).take(512).collect();
        let body = json!({ "error": self.error, "error_description": description });
        let mut response = respond(self.status, &body);
        let headers = response.headers_mut();
        if self.challenge {
            let basic = HeaderValue::from_static("Basic realm=\"bailiwick\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
