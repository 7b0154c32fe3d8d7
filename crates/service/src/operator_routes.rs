//! The routes of operators: the operations of the issuer, each requiring a grant for its action.

use axum::{
    Json,
    extract::{
        Path, Query, State as Shared,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ForceRequest, IssuerStatus,
    KeyTransitions, KeysetSetting, MAX_AUDIT_ROWS, MAX_LISTED_TOKENS, ProblemCode, ProfileSummary,
    RegisterClientRequest, RegisteredClient, RevocationsQuery, RevokeKeyRequest, RevokeRequest,
    RevokeResult, RevokedEntry, RootKeyStatus, RotateClientRequest, RotationResult,
    SetKeysetRequest, TokenPage, TokensQuery, VerifiersInUse, VerifyAuditRequest,
};
use bailiwick_issuer::{Checkpoint, Issuer, profile::Profile};
use bailiwick_token::key::KeyId;
use bailiwick_verifier::Call;
use serde::Serialize;
use serde_json::Value;

use crate::{
    body::Unread,
    client_keys::new_keys,
    head::RequestHead,
    keyset_setting::keyset_setting,
    operator::texts,
    problem::ApiError,
    state::ServiceState,
    token_list::list_tokens,
    wire::{IntoWire, audit_filter, register_client},
};

type ApiResult<T> = Result<Json<T>, ApiError>;

impl ServiceState {
    /// Returns the issuer, acting for the operator whose token allows this call. The transaction of each
    /// writing operation checks the token again. If a request has a body, the
    /// [`Holder`](crate::operator::Holder) must be authenticated before the body is parsed.
    async fn by(&self, head: &RequestHead, call: Call) -> Result<Issuer, ApiError> {
        let operator = self.operator(head, &call).await?;
        Ok(self.acting_for(operator))
    }
}

/// Handles `GET /v1/keys`.
pub(crate) async fn keys(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<Vec<RootKeyStatus>> {
    let issuer = state.by(&head, Call::new("key:list")).await?;
    Ok(Json(issuer.keys().await?.into_wire()))
}

/// Handles `POST /v1/keys`.
pub(crate) async fn stage(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> Result<Response, ApiError> {
    let issuer = state.by(&head, Call::new("key:stage")).await?;
    let report = issuer.stage(state.now()).await?;
    Ok((StatusCode::CREATED, Json(report.into_wire())).into_response())
}

/// Handles `POST /v1/keys/{id}/activate`.
pub(crate) async fn activate(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> ApiResult<KeyTransitions> {
    let holder = state.holder(&head, "key:activate").await?;
    let ForceRequest { force } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:activate")
        .resource(&id.to_string())
        .arg("force", force);
    let issuer = state.by(&head, call).await?;
    Ok(Json(
        issuer.activate(id, force, state.now()).await?.into_wire(),
    ))
}

/// Handles `POST /v1/keys/{id}/retire`.
pub(crate) async fn retire(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> ApiResult<KeyTransitions> {
    let holder = state.holder(&head, "key:retire").await?;
    let ForceRequest { force } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:retire")
        .resource(&id.to_string())
        .arg("force", force);
    let issuer = state.by(&head, call).await?;
    Ok(Json(
        issuer.retire(id, force, state.now()).await?.into_wire(),
    ))
}

/// Handles `POST /v1/keys/{id}/revoke`.
pub(crate) async fn revoke_key(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    id: Result<Path<String>, PathRejection>,
    body: Unread,
) -> ApiResult<KeyTransitions> {
    let holder = state.holder(&head, "key:revoke").await?;
    let RevokeKeyRequest { reason } = body.json(&holder)?;
    let id = key(id)?;
    let call = Call::new("key:revoke").resource(&id.to_string());
    let issuer = state.by(&head, call).await?;
    Ok(Json(
        issuer
            .revoke_key(id, &reason, state.now())
            .await?
            .into_wire(),
    ))
}

/// Handles `POST /v1/keys/rotate`.
pub(crate) async fn rotate(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<RotationResult> {
    let issuer = state.by(&head, Call::new("key:rotate")).await?;
    Ok(Json(issuer.rotate(state.now()).await?.into_wire()))
}

/// Handles `GET /v1/tokens`.
pub(crate) async fn tokens(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    query: Result<Query<TokensQuery>, QueryRejection>,
) -> ApiResult<TokenPage> {
    let issuer = state.by(&head, Call::new("token:list")).await?;
    let Query(query) = query.map_err(bad_query)?;
    let limit = query.limit.unwrap_or(1);
    if !(1..=MAX_LISTED_TOKENS).contains(&limit) {
        return Err(ApiError::bad_request(format!(
            "1 to {MAX_LISTED_TOKENS} tokens are listed at a time; ask for more with `after`"
        )));
    }
    Ok(Json(list_tokens(&issuer, query, state.now()).await?))
}

/// Handles `POST /v1/revocations`.
pub(crate) async fn revoke(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    body: Unread,
) -> ApiResult<Vec<RevokeResult>> {
    let holder = state.holder(&head, "revocation:create").await?;
    let wanted: RevokeRequest = body.json(&holder)?;
    let call = Call::new("revocation:create")
        .arg("tokens", !wanted.tokens.is_empty())
        .arg("blocks", !wanted.blocks.is_empty())
        .arg("agents", !wanted.agents.is_empty())
        .arg("principals", !wanted.principals.is_empty())
        .arg("tenants", !wanted.tenants.is_empty());
    let issuer = state.by(&head, call).await?;
    let now = state.now();
    let targets = wanted.targets(now)?;
    let reports = issuer
        .revoke_all(
            &targets,
            wanted.of_token,
            wanted.expires,
            &wanted.reason,
            now,
        )
        .await?;
    Ok(Json(reports.into_wire()))
}

/// Handles `GET /v1/revocations`.
pub(crate) async fn revocations(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    query: Result<Query<RevocationsQuery>, QueryRejection>,
) -> ApiResult<Vec<RevokedEntry>> {
    let issuer = state.by(&head, Call::new("revocation:list")).await?;
    let Query(RevocationsQuery { after }) = query.map_err(bad_query)?;
    Ok(Json(
        issuer.revoked_after(after, state.now()).await?.into_wire(),
    ))
}

/// Handles `GET /v1/clients`.
pub(crate) async fn clients(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<Vec<RegisteredClient>> {
    let issuer = state.by(&head, Call::new("client:list")).await?;
    Ok(Json(issuer.clients().await?.into_wire()))
}

/// Handles `POST /v1/clients`.
pub(crate) async fn client_add(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    body: Unread,
) -> Result<Response, ApiError> {
    let holder = state.holder(&head, "client:add").await?;
    let client: RegisterClientRequest = body.json(&holder)?;
    let mut call = Call::new("client:add")
        .arg("name", client.name.as_str())
        .arg("principal", client.principal.as_str())
        // An operator who registers a client can get the grants of the client's profiles. So an operator's grant can
        // limit the profiles.
        .arg("profiles", texts(&client.profiles));
    if !client.claims.is_empty() {
        let names: Vec<String> = client.claims.keys().cloned().collect();
        call = call.arg("claims", texts(&names));
    }
    let issuer = state.by(&head, call).await?;
    let made = register_client(&issuer, client, state.now()).await?;
    Ok(secretly(StatusCode::CREATED, made))
}

/// Handles `POST /v1/clients/{name}/rotate`.
pub(crate) async fn client_rotate(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    name: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Result<Response, ApiError> {
    let holder = state.holder(&head, "client:rotate").await?;
    let RotateClientRequest { overlap } = body.json(&holder)?;
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("client:rotate").arg("name", name.as_str());
    let issuer = state.by(&head, call).await?;
    let made = issuer.client_rotate(&name, overlap, state.now()).await?;
    Ok(secretly(StatusCode::OK, made.into_wire()))
}

/// Handles `POST /v1/clients/{name}/keys`.
pub(crate) async fn client_key_add(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    name: Result<Path<String>, PathRejection>,
    body: Unread,
) -> ApiResult<RegisteredClient> {
    let holder = state.holder(&head, "client:key_add").await?;
    let AddClientKeysRequest { keys } = body.json(&holder)?;
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("client:key_add").arg("name", name.as_str());
    let issuer = state.by(&head, call).await?;
    let keys = new_keys(keys)?;
    let client = issuer.client_key_add(&name, keys, state.now()).await?;
    Ok(Json(client.into_wire()))
}

/// Handles `POST /v1/clients/{name}/keys/{id}/remove`.
pub(crate) async fn client_key_remove(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    path: Result<Path<(String, String)>, PathRejection>,
) -> ApiResult<RegisteredClient> {
    let Path((name, id)) = path.map_err(bad_path)?;
    let call = Call::new("client:key_remove").arg("name", name.as_str());
    let issuer = state.by(&head, call).await?;
    let client = issuer.client_key_remove(&name, &id, state.now()).await?;
    Ok(Json(client.into_wire()))
}

/// Handles `POST /v1/clients/{name}/disable`.
pub(crate) async fn client_disable(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    name: Result<Path<String>, PathRejection>,
) -> ApiResult<RegisteredClient> {
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("client:disable").arg("name", name.as_str());
    let issuer = state.by(&head, call).await?;
    Ok(Json(
        issuer.client_disable(&name, state.now()).await?.into_wire(),
    ))
}

/// Handles `GET /v1/audit`.
pub(crate) async fn audit(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> ApiResult<Vec<AuditRecord>> {
    let issuer = state.by(&head, Call::new("audit:list")).await?;
    let Query(query) = query.map_err(bad_query)?;
    if let Some(after) = query.after {
        return Ok(Json(issuer.audit_after(after).await?.into_wire()));
    }
    let mut filter = audit_filter(query)?;
    filter.limit.get_or_insert(100);
    if filter.limit > Some(MAX_AUDIT_ROWS) {
        return Err(ApiError::bad_request(format!(
            "`limit` is above {MAX_AUDIT_ROWS}; ask for fewer rows, and for the older ones with `before`"
        )));
    }
    Ok(Json(issuer.audit_list(&filter).await?.into_wire()))
}

/// Handles `POST /v1/audit/verify`.
pub(crate) async fn audit_verify(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    body: Unread,
) -> ApiResult<AuditVerification> {
    let holder = state.holder(&head, "audit:verify").await?;
    let VerifyAuditRequest { checkpoints } = body.json(&holder)?;
    let issuer = state.by(&head, Call::new("audit:verify")).await?;
    let (key, name) = (issuer.keyset_key(), &issuer.settings().issuer);
    let open = |checkpoint: &Value| {
        let envelope = checkpoint.to_string();
        Checkpoint::open(envelope.as_bytes(), key, name)
    };
    let kept: Result<Vec<Checkpoint>, _> = checkpoints.iter().map(open).collect();
    let kept = kept?;
    let _alone = state.verifying.try_lock().map_err(|_| {
        let text = "the audit is being verified for another request; try again when that has ended";
        ApiError::new(ProblemCode::Unavailable, text)
    })?;
    Ok(Json(issuer.audit_verify(&kept, |_| ()).await?.into_wire()))
}

/// Handles `POST /v1/audit/checkpoints`.
pub(crate) async fn checkpoint(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> Result<Response, ApiError> {
    let issuer = state.by(&head, Call::new("audit:checkpoint")).await?;
    let envelope = issuer.checkpoint(state.now()).await?;
    let json = [("content-type", "application/json")];
    Ok((StatusCode::CREATED, json, envelope).into_response())
}

/// Handles `GET /v1/verifiers`.
pub(crate) async fn verifiers(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<VerifiersInUse> {
    let issuer = state.by(&head, Call::new("verifier:list")).await?;
    state.flush_reports().await?;
    Ok(Json(issuer.verifiers().await?.into_wire()))
}

/// Handles `DELETE /v1/verifiers/{name}`.
pub(crate) async fn forget_verifier(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    name: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(name) = name.map_err(bad_path)?;
    let call = Call::new("verifier:forget").arg("name", name.as_str());
    let issuer = state.by(&head, call).await?;
    state.flush_reports().await?;
    match issuer.forget_verifier(&name, state.now()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::new(
            ProblemCode::NotFound,
            "no verifier has this name; `verifier lag` shows the names of all verifiers",
        )),
    }
}

/// Handles `GET /v1/profiles`.
pub(crate) async fn profiles(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<Vec<ProfileSummary>> {
    state.by(&head, Call::new("profile:list")).await?;
    let profiles = state.profiles.load();
    let list = profiles.iter().map(Profile::summary);
    Ok(Json(list.map(IntoWire::into_wire).collect()))
}

/// Handles `POST /v1/keyset`.
pub(crate) async fn set_keyset(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
    body: Unread,
) -> ApiResult<KeysetSetting> {
    let holder = state.holder(&head, "keyset:set").await?;
    let SetKeysetRequest { revocation_url } = body.json(&holder)?;
    let call = Call::new("keyset:set").arg("revocation_url", revocation_url.as_str());
    let issuer = state.by(&head, call).await?;
    let report = issuer
        .set_revocation_url(&revocation_url, state.now())
        .await?;
    let issued_by = &issuer.settings().issuer;
    Ok(Json(keyset_setting(issued_by, revocation_url, &report)))
}

/// Handles `GET /v1/status`.
pub(crate) async fn status(
    Shared(state): Shared<ServiceState>,
    head: RequestHead,
) -> ApiResult<IssuerStatus> {
    let issuer = state.by(&head, Call::new("status:read")).await?;
    state.flush_reports().await?;
    Ok(Json(state.status(&issuer).await?))
}

fn key(id: Result<Path<String>, PathRejection>) -> Result<KeyId, ApiError> {
    let Path(id) = id.map_err(bad_path)?;
    id.parse().map_err(|_| {
        ApiError::new(
            ProblemCode::NotFound,
            "the id of the key is not valid; write 8 hexadecimal digits",
        )
    })
}

fn bad_path(rejection: PathRejection) -> ApiError {
    ApiError::bad_request(rejection.body_text())
}

fn bad_query(rejection: QueryRejection) -> ApiError {
    ApiError::bad_request(rejection.body_text())
}

/// Builds an answer that no cache may store.
fn secretly(status: StatusCode, body: impl Serialize) -> Response {
    (status, [("cache-control", "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, SocketAddr},
        sync::Arc,
    };

    use axum::{
        Router,
        body::Body,
        extract::{ConnectInfo, Request},
        http::HeaderMap,
        routing::post,
    };
    use bailiwick_api::routes;
    use bailiwick_issuer::{
        AuditFilter, InitOptions, MintRequest, NewClient, Passphrase, profile::Profiles,
    };
    use bailiwick_token::{
        grant::Grants,
        revocation::{Party, Target, Watermark},
        timestamp::Timestamp,
    };
    use tower::ServiceExt;

    use super::*;
    use crate::config::Config;

    /// A service's state, and a token of an operator for these actions.
    async fn with_operator(actions: &[&str]) -> (tempfile::TempDir, ServiceState, String) {
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
        let state =
            ServiceState::new(issuer, Config::default(), Profiles::default(), clock).unwrap();
        (dir, state, token)
    }

    /// A token that is revoked while its request waits to hash a secret registers no client.
    #[tokio::test]
    async fn revoked_operator_registers_no_client() {
        let (_dir, state, token) = with_operator(&["client:add"]).await;
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {token}").parse().unwrap();
        headers.insert("authorization", bearer);
        let from = IpAddr::from([127, 0, 0, 1]);
        let head = RequestHead { headers, from };
        let waiting = state.by(&head, Call::new("client:add")).await.unwrap();
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
        let problem = ApiError::from(refused).problem;
        assert_eq!(
            (problem.code, problem.reason.as_deref()),
            (ProblemCode::Unauthenticated, Some("revoked"))
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
            let path = routes::VERIFY_AUDIT.path();
            let request = Request::post(path)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4_711))))
                .body(Body::from("{}"))
                .unwrap();
            let router = Router::new()
                .route(path, post(audit_verify))
                .with_state(state.clone());
            router.oneshot(request).await.unwrap().status()
        };
        let somebody = state.verifying.lock().await;
        assert_eq!(verify().await, StatusCode::SERVICE_UNAVAILABLE);
        drop(somebody);
        assert_eq!(verify().await, StatusCode::OK);
        // The verification that ended has released the lock.
        assert_eq!(verify().await, StatusCode::OK);
    }
}
