//! Samples of each type of the interface: its place in the description, a value with every member, and one with
//! the fewest.
//!
//! No struct literal here ends in `..`, so a new member must be added here too.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ChainBreak, ChainEnd,
    ChainFault, ClientKeyInfo, ClientRegistration, ClientSecretInfo, ClientWithSecret,
    ForceRequest, GuardReason, IssuedTokenType, IssuerStatus, KeyGuard, KeyTransition,
    KeyTransitions, KeysetSetting, MintRate, MintReceipt, MintTokenRequest, MintedToken, Nothing,
    OAuthError, OAuthErrorCode, ProblemCode, ProblemDetails, ProfileParam, ProfileSummary,
    RegisterClientRequest, RegisteredClient, RevocationsQuery, RevokeKeyRequest, RevokeRequest,
    RevokeResult, RevokedEntry, RevokedOutcome, RootKeyState, RootKeyStatus, RotateClientRequest,
    RotationResult, ServerMetadata, SetKeysetRequest, TokenLife, TokenPage, TokenRequest,
    TokenResponse, TokenState, TokenStatus, TokenType, TokensQuery, TransitionKind, Verbatim,
    VerifierStatus, VerifiersInUse, VerifyAuditRequest,
};
use bailiwick_token::{
    claims::TokenId,
    dsse::{Envelope, Signature},
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::probe;

/// An answer: its place in the description, how it is written, and how it is read.
pub(crate) struct Answer {
    pub(crate) pointer: String,
    pub(crate) fields: Option<BTreeSet<String>>,
    pub(crate) full: Value,
    pub(crate) least: Value,
    pub(crate) reads: fn(&Value) -> bool,
}

/// A request: its place in the description, how it is written, and how it is read.
pub(crate) struct Request {
    pub(crate) pointer: String,
    pub(crate) fields: BTreeSet<String>,
    pub(crate) full: Value,
    pub(crate) reads: fn(&Value) -> bool,
}

/// The place of a type in the description.
pub(crate) trait Place {
    const IS_LIST: bool = false;
    const IS_VERBATIM: bool = false;

    /// Returns a JSON pointer; `None` for a type without members.
    fn pointer() -> Option<String>;

    /// The members of a query.
    fn fields() -> BTreeSet<String>;
}

fn reads<T: DeserializeOwned>(value: &Value) -> bool {
    // As text, because raw values can be read from nothing else.
    serde_json::from_str::<T>(&value.to_string()).is_ok()
}

pub(crate) fn answer<T: Serialize + DeserializeOwned>(
    pointer: &str,
    full: &T,
    least: &T,
) -> Answer {
    Answer {
        pointer: format!("/components/{pointer}"),
        fields: probe::fields::<T>(),
        full: serde_json::to_value(full).unwrap(),
        least: serde_json::to_value(least).unwrap(),
        reads: reads::<T>,
    }
}

fn request<T: Serialize + DeserializeOwned>(pointer: &str, full: &T) -> Request {
    Request {
        pointer: pointer.to_owned(),
        fields: probe::fields::<T>().unwrap(),
        full: serde_json::to_value(full).unwrap(),
        reads: reads::<T>,
    }
}

macro_rules! places {
    ($($type:ty: $pointer:expr,)*) => {$(
        impl Place for $type {
            fn pointer() -> Option<String> {
                Some($pointer.to_owned())
            }

            fn fields() -> BTreeSet<String> {
                probe::fields::<$type>().unwrap_or_default()
            }
        }
    )*};
}

const REVOKE_KEY: &str =
    "/paths/~1v1~1keys~1{id}~1revoke/post/requestBody/content/application~1json/schema";
const ROTATE_CLIENT: &str =
    "/paths/~1v1~1clients~1{name}~1rotate/post/requestBody/content/application~1json/schema";
const ADD_CLIENT_KEYS: &str =
    "/paths/~1v1~1clients~1{name}~1keys/post/requestBody/content/application~1json/schema";
const VERIFY_AUDIT: &str =
    "/paths/~1v1~1audit~1verify/post/requestBody/content/application~1json/schema";
const REGISTERED: &str = "responses/Registered/content/application~1json/schema";
const SET_KEYSET: &str = "/paths/~1v1~1keyset/post/requestBody/content/application~1json/schema";
const WITH_SECRET: &str = "responses/WithSecret/content/application~1json/schema";

places! {
    TokenResponse: "/components/schemas/TokenAnswer",
    MintTokenRequest: "/components/schemas/NewToken",
    MintedToken: "/components/schemas/Minted",
    ServerMetadata: "/components/schemas/Metadata",
    RootKeyStatus: "/components/schemas/Key",
    KeyTransitions: "/components/schemas/KeyReport",
    RotationResult: "/components/schemas/Rotation",
    ForceRequest: "/components/schemas/Force",
    RevokeKeyRequest: REVOKE_KEY,
    SetKeysetRequest: SET_KEYSET,
    KeysetSetting: "/components/schemas/KeysetSetting",
    IssuerStatus: "/components/schemas/Status",
    RevocationsQuery: "",
    TokensQuery: "",
    TokenPage: "/components/schemas/TokenPage",
    RevokedEntry: "/components/schemas/Revocation",
    RevokeRequest: "/components/schemas/Revoke",
    RevokeResult: "/components/schemas/RevokeReport",
    RegisteredClient: "/components/schemas/Client",
    RegisterClientRequest: "/components/schemas/NewClient",
    ClientRegistration: format!("/components/{REGISTERED}"),
    AddClientKeysRequest: ADD_CLIENT_KEYS,
    ClientWithSecret: format!("/components/{WITH_SECRET}"),
    RotateClientRequest: ROTATE_CLIENT,
    AuditQuery: "",
    AuditRecord: "/components/schemas/AuditRow",
    VerifyAuditRequest: VERIFY_AUDIT,
    AuditVerification: "/components/schemas/AuditReport",
    VerifiersInUse: "/components/schemas/VerifierReport",
    ProfileSummary: "/components/schemas/Profile",
}

/// The parameters of a token request are compared with the description in a separate test.
impl Place for TokenRequest {
    fn pointer() -> Option<String> {
        Some("/components/schemas/TokenRequest".to_owned())
    }

    fn fields() -> BTreeSet<String> {
        BTreeSet::new()
    }
}

impl Place for Nothing {
    fn pointer() -> Option<String> {
        None
    }

    fn fields() -> BTreeSet<String> {
        BTreeSet::new()
    }
}

impl Place for Verbatim {
    const IS_VERBATIM: bool = true;

    fn pointer() -> Option<String> {
        None
    }

    fn fields() -> BTreeSet<String> {
        BTreeSet::new()
    }
}

impl<T: Place> Place for Vec<T> {
    const IS_LIST: bool = true;

    fn pointer() -> Option<String> {
        T::pointer()
    }

    fn fields() -> BTreeSet<String> {
        T::fields()
    }
}

pub(crate) fn text(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(1_800_000_000).unwrap()
}

fn jwk() -> serde_json::Map<String, Value> {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "2026-11" });
    jwk.as_object().unwrap().clone()
}

pub(crate) fn key_id() -> KeyId {
    "0a1b2c3d".parse().unwrap()
}

fn token_id() -> TokenId {
    "ab".repeat(16).parse().unwrap()
}

pub(crate) fn public_key() -> PublicKey {
    // The base point of the curve.
    format!("ed25519/58{}", "66".repeat(31)).parse().unwrap()
}

/// All requests with a body. Requests with a query are compared with the parameters of their routes.
pub(crate) fn requests() -> Vec<Request> {
    vec![
        request(
            "/components/schemas/NewToken",
            &MintTokenRequest {
                profile: Some(text("buyer")),
                subject_token: Some(text("jwt").into()),
                client_assertion: Some(text("jwt").into()),
                grants: Some(serde_json::value::to_raw_value(&json!({"grant": []})).unwrap()),
                services: Some(vec![text("erp")]),
                ttl: Some(60),
                task: Some(text("an order")),
                max_depth: Some(1),
                agent: Some(text("agent:buyer")),
                principal: Some(text("team:procurement")),
                tenant: Some(text("acme")),
                claims: BTreeMap::from([(text("team"), text("a"))]),
            },
        ),
        request("/components/schemas/Force", &ForceRequest { force: true }),
        request(
            REVOKE_KEY,
            &RevokeKeyRequest {
                reason: text("stolen"),
            },
        ),
        request(
            "/components/schemas/Revoke",
            &RevokeRequest {
                tokens: vec![token_id()],
                blocks: vec!["ab".repeat(64)],
                of_token: Some(token_id()),
                agents: vec![text("agent:buyer")],
                principals: vec![text("team:procurement")],
                tenants: vec![text("acme")],
                issued_before: Some(now()),
                expires: Some(now()),
                reason: text("stolen"),
            },
        ),
        request(
            "/components/schemas/NewClient",
            &RegisterClientRequest {
                name: text("buyer-7"),
                principal: text("team:procurement"),
                profiles: vec![text("buyer")],
                claims: json!({"team": "a"}).as_object().unwrap().clone(),
                keys: vec![jwk()],
            },
        ),
        request(
            SET_KEYSET,
            &SetKeysetRequest {
                revocation_url: text("https://issuer.example/revocations"),
            },
        ),
        request(ROTATE_CLIENT, &RotateClientRequest { overlap: 0 }),
        request(ADD_CLIENT_KEYS, &AddClientKeysRequest { keys: vec![jwk()] }),
        request(
            VERIFY_AUDIT,
            &VerifyAuditRequest {
                checkpoints: vec![json!({})],
            },
        ),
    ]
}

/// All answers, and the objects in them.
pub(crate) fn answers() -> Vec<Answer> {
    let guard = KeyGuard {
        id: key_id(),
        wait: GuardReason::Publication,
        until: now(),
    };
    let change = KeyTransition {
        id: key_id(),
        step: TransitionKind::Stage,
        forced: false,
    };
    let receipt = MintReceipt {
        token_id: token_id(),
        key: key_id(),
        issuer: text("https://issuer.example"),
        agent: text("agent:buyer"),
        principal: text("team:procurement"),
        issued_at: now(),
        not_before: now(),
        expires: now(),
        audit_seq: 1,
    };
    let minted = |profile| MintedToken {
        token: text("token").into(),
        profile,
        receipt: receipt.clone(),
    };
    let secret = |expires| ClientSecretInfo {
        id: text("0a1b"),
        created_at: now(),
        expires,
    };
    let key = ClientKeyInfo {
        id: text("0a1b2c3d4e5f6071"),
        jwk: jwk(),
        created_at: now(),
    };
    let client = |disabled_at| RegisteredClient {
        name: text("buyer-7"),
        principal: text("team:procurement"),
        profiles: vec![text("buyer")],
        claims: serde_json::Map::new(),
        created_at: now(),
        disabled_at,
        secrets: vec![secret(None)],
        keys: vec![key.clone()],
    };
    let registered = |secret| ClientRegistration {
        client: client(None),
        secret,
    };
    let with_secret = ClientWithSecret {
        client: client(None),
        secret: text("secret").into(),
    };
    let verifier = |feed_epoch, feed_seq| VerifierStatus {
        name: text("erp-1"),
        service: text("erp"),
        keyset_version: 1,
        feed_epoch,
        feed_seq,
        seen_at: now(),
    };
    let verifiers = VerifiersInUse {
        keyset_version: 1,
        feed_epoch: text("0123456789abcdef"),
        feed_seq: 1,
        verifiers: vec![verifier(None, None)],
    };
    let end = ChainEnd {
        seq: 1,
        hash: [0; 32],
    };
    let broken = ChainBreak {
        seq: 1,
        tampering: ChainFault::Edited,
    };
    let audited = |finding| AuditVerification {
        rows: 1,
        head: end,
        checkpoint: 0,
        finding,
    };
    let revoked = |expires| RevokeResult {
        target: text("token"),
        outcome: RevokedOutcome::Revoked,
        revoked_at: now(),
        expires,
        minted_here: true,
    };
    let transitions = KeyTransitions {
        changes: vec![change.clone()],
        keyset_version: 2,
    };
    let rotated = RotationResult {
        changes: vec![change.clone()],
        keyset_version: 2,
        waiting: vec![guard.clone()],
    };
    let refused = OAuthError {
        error: OAuthErrorCode::InvalidClient,
        error_description: text("it is not known"),
    };
    let granted = || TokenResponse {
        access_token: text("token").into(),
        issued_token_type: IssuedTokenType::Biscuit,
        token_type: TokenType::Bearer,
        expires_in: 600,
        scope: text("buyer"),
    };
    let signature = |keyid: &str| Signature {
        keyid: text(keyid),
        sig: vec![0; 64],
    };
    let envelope = Envelope {
        payload_type: text("application/json"),
        payload: vec![0],
        signatures: vec![signature("")],
    };
    let param = ProfileParam {
        name: text("sub"),
        claim: text("principal.sub"),
        kind: text("string"),
    };
    let life = TokenLife {
        min: 1,
        default: 2,
        max: 3,
    };
    let rate = MintRate {
        per_minute: 1,
        burst: 1,
    };
    let mut all = vec![
        answer("schemas/TokenAnswer", &granted(), &granted()),
        answer("schemas/OAuthError", &refused, &refused),
        answer(
            "schemas/Minted",
            &minted(Some(text("buyer"))),
            &minted(None),
        ),
        answer("schemas/Envelope", &envelope, &envelope),
        answer(
            "schemas/Envelope/properties/signatures/items",
            &signature("ed25519/00"),
            &signature(""),
        ),
        answer("schemas/Guard", &guard, &guard),
        answer("schemas/Changes/items", &change, &change),
        answer("schemas/KeyReport", &transitions, &transitions),
        answer("schemas/Rotation", &rotated, &rotated),
        answer(
            "schemas/RevokeReport",
            &revoked(Some(now())),
            &revoked(None),
        ),
        answer("schemas/Client", &client(Some(now())), &client(None)),
        answer(
            "schemas/Client/properties/secrets/items",
            &secret(Some(now())),
            &secret(None),
        ),
        answer("schemas/Client/properties/keys/items", &key, &key),
        answer(
            REGISTERED,
            &registered(Some(text("secret").into())),
            &registered(None),
        ),
        answer(WITH_SECRET, &with_secret, &with_secret),
        answer(
            "schemas/AuditReport",
            &audited(Some(broken)),
            &audited(None),
        ),
        answer("schemas/AuditReport/properties/head", &end, &end),
        answer("schemas/AuditReport/properties/finding", &broken, &broken),
        answer("schemas/VerifierReport", &verifiers, &verifiers),
        answer(
            "schemas/VerifierReport/properties/verifiers/items",
            &verifier(Some(text("0123456789abcdef")), Some(1)),
            &verifier(None, None),
        ),
        answer("schemas/Profile/properties/params/items", &param, &param),
        answer("schemas/Profile/properties/ttl", &life, &life),
        answer("schemas/Profile/properties/rate", &rate, &rate),
    ];
    all.extend(of_many_members(&guard, &param, life, rate));
    all
}

fn of_many_members(
    guard: &KeyGuard,
    param: &ProfileParam,
    life: TokenLife,
    rate: MintRate,
) -> [Answer; 8] {
    let problem = |guard, reason| ProblemDetails {
        status: 409,
        code: ProblemCode::Guarded,
        detail: text("wait"),
        guard,
        reason,
    };
    let metadata = |algorithms, documentation| ServerMetadata {
        issuer: text("https://issuer.example"),
        token_endpoint: text("https://issuer.example/v1/token"),
        response_types_supported: vec![],
        grant_types_supported: vec![],
        token_endpoint_auth_methods_supported: vec![],
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        service_documentation: documentation,
    };
    let key = |time: Option<Timestamp>, reason| RootKeyStatus {
        id: key_id(),
        public: public_key(),
        state: RootKeyState::Staged,
        published_version: 1,
        staged_at: now(),
        activated_at: time,
        retiring_at: time,
        retired_at: time,
        revoked_at: time,
        reason,
        next_at: time,
    };
    let revoked = |name: Option<String>, token, time| RevokedEntry {
        seq: 1,
        agent: name.clone(),
        block: name.clone(),
        expires: time,
        issued_before: time,
        principal: name.clone(),
        tenant: name,
        token,
        revoked_at: now(),
        reason: text("stolen"),
    };
    let row = |name: Option<String>| AuditRecord {
        seq: 1,
        time: now(),
        actor: text("local"),
        event: text("init"),
        agent: name.clone(),
        principal: name.clone(),
        token: name.clone(),
        key: name,
        detail: text("{}"),
        prev: [0; 32],
        hash: [0; 32],
    };
    let profile = |words: Option<String>, depth, rate| ProfileSummary {
        name: text("buyer"),
        description: words.clone(),
        agent: text("client"),
        principal: words,
        params: vec![param.clone()],
        services: BTreeSet::from([text("erp")]),
        ttl: life,
        max_depth: depth,
        rate,
    };
    let token = |tenant| TokenStatus {
        token_id: token_id(),
        state: TokenState::Live,
        agent: text("agent:buyer"),
        principal: text("team:procurement"),
        tenant,
        actor: text("caller:buyer-7"),
        key: key_id(),
        issued_at: now(),
        expires: now(),
        audit_seq: 1,
    };
    let page = |next, unknown| TokenPage {
        tokens: vec![token(None)],
        next,
        unknown,
    };
    let some = || Some(text("a"));
    [
        answer(
            "schemas/TokenPage",
            &page(Some(token_id()), vec![text("client")]),
            &page(None, vec![]),
        ),
        answer(
            "schemas/TokenPage/properties/tokens/items",
            &token(some()),
            &token(None),
        ),
        answer(
            "schemas/Problem",
            &problem(Some(guard.clone()), some()),
            &problem(None, None),
        ),
        answer(
            "schemas/Metadata",
            &metadata(Some(vec![]), some()),
            &metadata(None, None),
        ),
        answer("schemas/Key", &key(Some(now()), some()), &key(None, None)),
        answer(
            "schemas/Revocation",
            &revoked(some(), Some(token_id()), Some(1)),
            &revoked(None, None, None),
        ),
        answer("schemas/AuditRow", &row(some()), &row(None)),
        answer(
            "schemas/Profile",
            &profile(some(), Some(1), Some(rate)),
            &profile(None, None, None),
        ),
    ]
}
