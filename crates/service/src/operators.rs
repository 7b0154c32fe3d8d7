//! The routes of operators: the verbs of the issuer, each behind an action that a grant can name.

use axum::{
    Json,
    extract::{
        Path, Query, State as Shared,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bailiwick_issuer::{
    AuditEvent, AuditFilter, AuditReport, AuditRow, Checkpoint, ClientInfo, Issuer, KeyInfo,
    KeyReport, NewClient, RevocationInfo, RevokeReport, Rotation, VerifierReport,
};
use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    revocation::{Party, Target, Watermark},
    timestamp::Timestamp,
};
use bailiwick_verifier::Request as Call;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    body::Unread,
    operator::texts,
    problem::{Code, Problem},
    state::State,
};

type Answer<T> = Result<Json<T>, Problem>;

/// The most rows or entries of one answer.
const MAX_LIMIT: u32 = 1_000;

impl State {
    /// The issuer, in the name of the operator who may do this. The operator's token is compared
    /// once more in the transaction of each verb that writes. Where the request has a body, a
    /// [`Holder`](crate::operator::Holder) is asked for before that is parsed.
    async fn by(&self, headers: &HeaderMap, call: Call) -> Result<Issuer, Problem> {
        let operator = self.operator(headers, &call).await?;
        Ok(self.acting_for(operator))
    }
}

/// What `POST /v1/keys/{id}/activate` and `…/retire` take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Force {
    #[serde(default)]
    force: bool,
}

/// What `POST /v1/keys/{id}/revoke` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    #[serde(default)]
    reason: String,
}

/// `GET /v1/keys`
pub(crate) async fn keys(Shared(state): Shared<State>, headers: HeaderMap) -> Answer<Vec<KeyInfo>> {
    let issuer = state.by(&headers, Call::new("key:list")).await?;
    Ok(Json(issuer.keys().await?))
}

/// `POST /v1/keys`
pub(crate) async fn stage(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = state.by(&headers, Call::new("key:stage")).await?;
    let report = issuer.stage(state.now()).await?;
    Ok((StatusCode::CREATED, Json(report)).into_response())
}

/// `POST /v1/keys/{id}/activate`
pub(crate) async fn activate(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Answer<KeyReport> {
    let holder = state.holder(&headers, "key:activate").await?;
    let Force { force } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:activate")
        .resource(&id.to_string())
        .arg("force", force);
    let issuer = state.by(&headers, call).await?;
    Ok(Json(issuer.activate(id, force, state.now()).await?))
}

/// `POST /v1/keys/{id}/retire`
pub(crate) async fn retire(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Answer<KeyReport> {
    let holder = state.holder(&headers, "key:retire").await?;
    let Force { force } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:retire")
        .resource(&id.to_string())
        .arg("force", force);
    let issuer = state.by(&headers, call).await?;
    Ok(Json(issuer.retire(id, force, state.now()).await?))
}

/// `POST /v1/keys/{id}/revoke`
pub(crate) async fn revoke_key(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Answer<KeyReport> {
    let holder = state.holder(&headers, "key:revoke").await?;
    let Reason { reason } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:revoke").resource(&id.to_string());
    let issuer = state.by(&headers, call).await?;
    Ok(Json(issuer.revoke_key(id, &reason, state.now()).await?))
}

/// `POST /v1/keys/rotate`
pub(crate) async fn rotate(Shared(state): Shared<State>, headers: HeaderMap) -> Answer<Rotation> {
    let issuer = state.by(&headers, Call::new("key:rotate")).await?;
    Ok(Json(issuer.rotate(state.now()).await?))
}

/// What `POST /v1/revocations` takes: targets of any kinds, up to a thousand in all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    #[serde(default)]
    tokens: Vec<TokenId>,
    /// The signatures of blocks, in hex.
    #[serde(default)]
    blocks: Vec<String>,
    #[serde(default)]
    agents: Vec<String>,
    #[serde(default)]
    principals: Vec<String>,
    #[serde(default)]
    tenants: Vec<String>,
    /// Of agents, principals and tenants: tokens issued before this; before now, without it.
    issued_before: Option<Timestamp>,
    /// When tokens and blocks that were not minted here are dead.
    expires: Option<Timestamp>,
    reason: String,
}

impl Revoke {
    fn targets(&self, now: Timestamp) -> Result<Vec<Target>, Problem> {
        let bad = |text: String| Problem::new(Code::BadRequest, text);
        let mut targets: Vec<Target> = self.tokens.iter().copied().map(Target::Token).collect();
        for block in &self.blocks {
            let mut signature = [0; 64];
            hex::decode_to_slice(block, &mut signature).map_err(|_| {
                bad("a block is named by its signature: 128 hexadecimal digits".to_owned())
            })?;
            targets.push(Target::Block(signature));
        }
        let before = self.issued_before.unwrap_or(now.plus(1));
        for (party, names) in [
            (Party::Agent, &self.agents),
            (Party::Principal, &self.principals),
            (Party::Tenant, &self.tenants),
        ] {
            for name in names {
                let watermark = Watermark::new(party, name, before);
                let watermark = watermark.map_err(|error| bad(error.to_string()))?;
                targets.push(Target::Watermark(watermark));
            }
        }
        match targets.is_empty() {
            true => Err(bad(
                "name at least one token, block, agent, principal or tenant".to_owned(),
            )),
            false => Ok(targets),
        }
    }
}

/// `POST /v1/revocations`
pub(crate) async fn revoke(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Unread,
) -> Answer<Vec<RevokeReport>> {
    let holder = state.holder(&headers, "revocation:create").await?;
    let wanted: Revoke = body.json(&holder)?;
    let call = Call::new("revocation:create")
        .arg("tokens", !wanted.tokens.is_empty())
        .arg("blocks", !wanted.blocks.is_empty())
        .arg("agents", !wanted.agents.is_empty())
        .arg("principals", !wanted.principals.is_empty())
        .arg("tenants", !wanted.tenants.is_empty());
    let issuer = state.by(&headers, call).await?;
    let now = state.now();
    let targets = wanted.targets(now)?;
    let reports = issuer
        .revoke_all(&targets, wanted.expires, &wanted.reason, now)
        .await?;
    Ok(Json(reports))
}

/// Where a page begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
}

/// `GET /v1/revocations`
pub(crate) async fn revocations(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    query: Result<Query<After>, QueryRejection>,
) -> Answer<Vec<RevocationInfo>> {
    let issuer = state.by(&headers, Call::new("revocation:list")).await?;
    let Query(After { after }) = query.map_err(bad_query)?;
    Ok(Json(issuer.revoked_after(after, state.now()).await?))
}

/// A client, and the secret that is shown this once.
#[derive(Serialize)]
pub(crate) struct WithSecret {
    client: ClientInfo,
    secret: String,
}

/// `GET /v1/clients`
pub(crate) async fn clients(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Answer<Vec<ClientInfo>> {
    let issuer = state.by(&headers, Call::new("client:list")).await?;
    Ok(Json(issuer.clients().await?))
}

/// `POST /v1/clients`
pub(crate) async fn client_add(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Unread,
) -> Result<Response, Problem> {
    let holder = state.holder(&headers, "client:add").await?;
    let client: NewClient = body.json(&holder)?;
    let mut call = Call::new("client:add")
        .arg("name", client.name.as_str())
        .arg("principal", client.principal.as_str())
        // Whoever registers a client can have what its profiles give.
        .arg("profiles", texts(&client.profiles));
    if !client.claims.is_empty() {
        let names: Vec<String> = client.claims.keys().cloned().collect();
        call = call.arg("claims", texts(&names));
    }
    let issuer = state.by(&headers, call).await?;
    let (client, secret) = issuer.client_add(client, state.now()).await?;
    let secret = secret.expose().to_owned();
    Ok(secretly(
        StatusCode::CREATED,
        &WithSecret { client, secret },
    ))
}

/// What `POST /v1/clients/{name}/rotate` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlap {
    /// For how many seconds the secrets that it has stay good.
    #[serde(default = "overlap")]
    overlap: u64,
}

/// Long enough for whoever has the secret to be given the new one.
fn overlap() -> u64 {
    3600
}

/// `POST /v1/clients/{name}/rotate`
pub(crate) async fn client_rotate(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Result<Response, Problem> {
    let holder = state.holder(&headers, "client:rotate").await?;
    let Overlap { overlap } = body.json(&holder)?;
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("client:rotate").arg("name", name.as_str());
    let issuer = state.by(&headers, call).await?;
    let (client, secret) = issuer.client_rotate(&name, overlap, state.now()).await?;
    let secret = secret.expose().to_owned();
    Ok(secretly(StatusCode::OK, &WithSecret { client, secret }))
}

/// `POST /v1/clients/{name}/disable`
pub(crate) async fn client_disable(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Answer<ClientInfo> {
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("client:disable").arg("name", name.as_str());
    let issuer = state.by(&headers, call).await?;
    Ok(Json(issuer.client_disable(&name, state.now()).await?))
}

/// Which rows of the audit. Without `after` the latest ones are told, oldest first; with it the ones
/// that follow that row, whatever else is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rows {
    agent: Option<String>,
    principal: Option<String>,
    token: Option<String>,
    event: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<u64>,
    after: Option<u64>,
    limit: Option<u32>,
}

/// `GET /v1/audit`
pub(crate) async fn audit(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    query: Result<Query<Rows>, QueryRejection>,
) -> Answer<Vec<AuditRow>> {
    let issuer = state.by(&headers, Call::new("audit:list")).await?;
    let Query(rows) = query.map_err(bad_query)?;
    if let Some(after) = rows.after {
        return Ok(Json(issuer.audit_after(after).await?));
    }
    let event = rows
        .event
        .map(|event| event.parse::<AuditEvent>())
        .transpose();
    let filter = AuditFilter {
        agent: rows.agent,
        principal: rows.principal,
        token: rows.token,
        event: event.map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?,
        since: rows.since,
        until: rows.until,
        before: rows.before,
        limit: Some(rows.limit.unwrap_or(100)),
    };
    if filter.limit > Some(MAX_LIMIT) {
        let text = format!("at most {MAX_LIMIT} rows are told at a time: go on with `before`");
        return Err(Problem::new(Code::BadRequest, text));
    }
    Ok(Json(issuer.audit_list(&filter).await?))
}

/// What `POST /v1/audit/verify` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    /// Checkpoints that were kept elsewhere, as they were signed.
    #[serde(default)]
    checkpoints: Vec<Value>,
}

/// `POST /v1/audit/verify`
pub(crate) async fn audit_verify(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Unread,
) -> Answer<AuditReport> {
    let holder = state.holder(&headers, "audit:verify").await?;
    let Verify { checkpoints } = body.json(&holder)?;
    let issuer = state.by(&headers, Call::new("audit:verify")).await?;
    let (key, name) = (issuer.keyset_key(), &issuer.settings().issuer);
    let open = |checkpoint: &Value| {
        Checkpoint::open(checkpoint.to_string().as_bytes(), key, name)
            .map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
    };
    let kept: Result<Vec<Checkpoint>, Problem> = checkpoints.iter().map(open).collect();
    let kept = kept?;
    let _alone = state.verifying.try_lock().map_err(|_| {
        let text = "the audit is being verified for somebody else: try again when that has ended";
        Problem::new(Code::Unavailable, text)
    })?;
    Ok(Json(issuer.audit_verify(&kept, |_| ()).await?))
}

/// `POST /v1/audit/checkpoints`
pub(crate) async fn checkpoint(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = state.by(&headers, Call::new("audit:checkpoint")).await?;
    let envelope = issuer.checkpoint(state.now()).await?;
    let json = [("content-type", "application/json")];
    Ok((StatusCode::CREATED, json, envelope).into_response())
}

/// `GET /v1/verifiers`
pub(crate) async fn verifiers(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Answer<VerifierReport> {
    let issuer = state.by(&headers, Call::new("verifier:list")).await?;
    state.flush_reports().await?;
    Ok(Json(issuer.verifiers().await?))
}

/// `DELETE /v1/verifiers/{name}`
pub(crate) async fn forget_verifier(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("verifier:forget").arg("name", name.as_str());
    let issuer = state.by(&headers, call).await?;
    state.flush_reports().await?;
    match issuer.forget_verifier(&name, state.now()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(
            Code::NotFound,
            "no verifier has this name: `verifier lag` shows those that there are",
        )),
    }
}

/// `GET /v1/profiles`
pub(crate) async fn profiles(Shared(state): Shared<State>, headers: HeaderMap) -> Answer<Value> {
    state.by(&headers, Call::new("profile:list")).await?;
    let profiles = state.profiles.load();
    let list: Vec<_> = profiles
        .iter()
        .map(|profile| json!(profile.summary()))
        .collect();
    Ok(Json(Value::Array(list)))
}

fn key(id: Result<Path<String>, PathRejection>) -> Result<KeyId, Problem> {
    let Path(id) = id.map_err(bad_path)?;
    id.parse()
        .map_err(|_| Problem::new(Code::NotFound, "a key's id has 8 hexadecimal digits"))
}

fn bad_path(rejection: PathRejection) -> Problem {
    Problem::new(Code::BadRequest, rejection.body_text())
}

fn bad_query(rejection: QueryRejection) -> Problem {
    Problem::new(Code::BadRequest, rejection.body_text())
}

/// An answer that nobody keeps.
fn secretly<T: Serialize>(status: StatusCode, body: &T) -> Response {
    (status, [("cache-control", "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{body::Body, extract::Request};
    use bailiwick_issuer::{InitOptions, MintRequest, Passphrase, profile::Profiles};
    use bailiwick_token::grant::Grants;
    use tower::ServiceExt;

    use super::*;
    use crate::{
        config::Config,
        routes::{self, AUDIT_VERIFY},
    };

    /// A service's state, and an operator's token for these actions.
    async fn with_operator(actions: &[&str]) -> (tempfile::TempDir, State, String) {
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions::new("https://issuer.example");
        let passphrase = Passphrase::new("correct horse battery staple").unwrap();
        let issuer = Issuer::init(&dir.path().join("home"), options, &passphrase, now)
            .await
            .unwrap();
        let grant = |action| format!("[[grant]]\nservice = \"bailiwick\"\naction = \"{action}\"\n");
        let grants: String = actions.iter().map(grant).collect();
        let wanted = MintRequest {
            agent: "operator:ada".to_owned(),
            principal: "user:ada".to_owned(),
            tenant: None,
            task: None,
            claims: [].into(),
            grants: Grants::from_toml(&grants).unwrap(),
            ttl: 600,
            profile: None,
            max_depth: None,
        };
        let token = issuer.mint(&wanted, now).await.unwrap().token;
        let token = token.to_base64().to_string();
        let clock = Arc::new(move || now);
        let state = State::new(issuer, Config::default(), Profiles::default(), clock).unwrap();
        (dir, state, token)
    }

    /// A stolen token registers no client while it waits for its turn to hash a secret.
    #[tokio::test]
    async fn revoked_operator_registers_no_client() {
        let (_dir, state, token) = with_operator(&["client:add"]).await;
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {token}").parse().unwrap();
        headers.insert("authorization", bearer);
        let waiting = state.by(&headers, Call::new("client:add")).await.unwrap();
        let agent = Watermark::new(Party::Agent, "operator:ada", state.now().plus(1)).unwrap();
        let target = Target::Watermark(agent);
        let revoked = state.issuer.revoke(target, None, "stolen", state.now());
        revoked.await.unwrap();
        let client = NewClient {
            name: "thief".to_owned(),
            principal: "team:procurement".to_owned(),
            profiles: vec!["buyer".to_owned()],
            claims: serde_json::Map::new(),
        };
        let refused = waiting.client_add(client, state.now()).await.unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!(
            (problem.code, problem.reason.as_deref()),
            (Code::Unauthenticated, Some("revoked"))
        );
        assert_eq!(state.issuer.clients().await.unwrap(), []);
        let rows = state.issuer.audit_list(&AuditFilter::default()).await;
        let rows = rows.unwrap();
        let last = rows.last().unwrap();
        assert_eq!(last.event, "operator.refused");
        assert!(
            last.actor.starts_with("operator:operator:ada ("),
            "{last:?}"
        );
        assert!(last.detail.contains("client:add"), "{last:?}");
    }

    #[tokio::test]
    async fn one_audit_is_verified_at_a_time() {
        let (_dir, state, token) = with_operator(&["audit:verify"]).await;
        let verify = async || {
            let request = Request::post(AUDIT_VERIFY)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(Body::from("{}"))
                .unwrap();
            let router = routes::router(state.clone());
            router.oneshot(request).await.unwrap().status()
        };
        let somebody = state.verifying.lock().await;
        assert_eq!(verify().await, StatusCode::SERVICE_UNAVAILABLE);
        drop(somebody);
        assert_eq!(verify().await, StatusCode::OK);
        // Whoever ended gave it back.
        assert_eq!(verify().await, StatusCode::OK);
    }
}
