//! Conversions of the issuer's values to the types on the wire, one per type and without loss. Also handles requests
//! whose form decides which operation of the issuer to call.

use bailiwick_api::{
    AuditQuery, AuditRecord, AuditVerification, ChainBreak, ChainEnd, ChainFault, ClientKeyInfo,
    ClientRegistration, ClientSecretInfo, ClientWithSecret, GuardReason, KeyGuard, KeyTransition,
    KeyTransitions, MintRate, MintReceipt, MintedToken, OAuthErrorCode, ProfileParam,
    ProfileSummary, RegisterClientRequest, RegisteredClient, RevokeResult, RevokedEntry,
    RevokedOutcome, RootKeyState, RootKeyStatus, RotationResult, TokenLife, TokenPage, TokenState,
    TokenStatus, TokensQuery, TransitionKind, VerifierStatus, VerifiersInUse,
};
use bailiwick_issuer::{
    AuditEventError, AuditFilter, AuditFinding, AuditHead, AuditReport, AuditRow, Change,
    ClientInfo, ClientKey, ClientSecret, Guard, Issuer, KeyInfo, KeyReport, Minted, NewClient,
    Receipt, RevocationInfo, RevokeOutcome, RevokeReport, Rotation, SecretInfo, State, Step,
    Tampering, TokenFilter, VerifierInfo, VerifierReport, Wait,
    profile::{ErrorCode, ParamSummary, Rate, Summary, Ttl},
};
use bailiwick_token::{
    revocation::{Party, Target},
    timestamp::Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    caller::actor,
    client_keys::{ClientKeyError, new_keys},
};

/// Number of tokens in a page whose query states no limit.
const TOKENS: u32 = 100;

/// A value of the issuer that has a counterpart in the HTTP interface.
pub trait IntoWire {
    /// The type on the wire.
    type Wire;

    /// Converts the value to its type on the wire.
    fn into_wire(self) -> Self::Wire;
}

/// Registers the client in a request, either with its public keys or with a new secret.
///
/// # Errors
/// [`ClientKeyError`]; in that case, nothing changed.
pub async fn register_client(
    issuer: &Issuer,
    request: RegisterClientRequest,
    now: Timestamp,
) -> Result<ClientRegistration, ClientKeyError> {
    let client = NewClient {
        name: request.name,
        principal: request.principal,
        profiles: request.profiles,
        claims: request.claims,
    };
    if request.keys.is_empty() {
        let made = issuer.client_add(client, now).await?.into_wire();
        return Ok(ClientRegistration {
            client: made.client,
            secret: Some(made.secret),
        });
    }
    let keys = new_keys(request.keys)?;
    let client = issuer.client_add_with_keys(client, keys, now).await?;
    Ok(ClientRegistration {
        client: client.into_wire(),
        secret: None,
    })
}

/// Converts a query to a filter. `after` is ignored, because it requests a page rather than a filter.
///
/// # Errors
/// [`AuditEventError`] if no event has the name in the query.
pub fn audit_filter(query: AuditQuery) -> Result<AuditFilter, AuditEventError> {
    Ok(AuditFilter {
        agent: query.agent,
        principal: query.principal,
        token: query.token,
        event: query.event.map(|event| event.parse()).transpose()?,
        since: query.since,
        until: query.until,
        before: query.before,
        limit: query.limit,
    })
}

/// Converts a query to a filter.
#[must_use]
pub fn token_filter(query: TokensQuery) -> TokenFilter {
    TokenFilter {
        agent: query.agent,
        principal: query.principal,
        tenant: query.tenant,
        actors: query
            .client
            .as_deref()
            .map(actor::all_of)
            .unwrap_or_default(),
        all: query.all.unwrap_or(false),
        after: query.after,
        limit: query.limit.unwrap_or(TOKENS),
    }
}

impl<T: IntoWire> IntoWire for Vec<T> {
    type Wire = Vec<T::Wire>;

    fn into_wire(self) -> Vec<T::Wire> {
        self.into_iter().map(T::into_wire).collect()
    }
}

impl<T: IntoWire> IntoWire for Option<T> {
    type Wire = Option<T::Wire>;

    fn into_wire(self) -> Option<T::Wire> {
        self.map(T::into_wire)
    }
}

impl IntoWire for State {
    type Wire = RootKeyState;

    fn into_wire(self) -> RootKeyState {
        match self {
            State::Staged => RootKeyState::Staged,
            State::Active => RootKeyState::Active,
            State::Retiring => RootKeyState::Retiring,
            State::Retired => RootKeyState::Retired,
            State::Revoked => RootKeyState::Revoked,
        }
    }
}

impl IntoWire for KeyInfo {
    type Wire = RootKeyStatus;

    fn into_wire(self) -> RootKeyStatus {
        RootKeyStatus {
            id: self.id,
            public: self.public,
            state: self.state.into_wire(),
            published_version: self.published_version,
            staged_at: self.staged_at,
            activated_at: self.activated_at,
            retiring_at: self.retiring_at,
            retired_at: self.retired_at,
            revoked_at: self.revoked_at,
            reason: self.reason,
            next_at: self.next_at,
        }
    }
}

impl IntoWire for Step {
    type Wire = TransitionKind;

    fn into_wire(self) -> TransitionKind {
        match self {
            Step::Stage => TransitionKind::Stage,
            Step::Activate => TransitionKind::Activate,
            Step::Supersede => TransitionKind::Supersede,
            Step::Retire => TransitionKind::Retire,
            Step::Revoke => TransitionKind::Revoke,
        }
    }
}

impl IntoWire for Change {
    type Wire = KeyTransition;

    fn into_wire(self) -> KeyTransition {
        KeyTransition {
            id: self.id,
            step: self.step.into_wire(),
            forced: self.forced,
        }
    }
}

impl IntoWire for Guard {
    type Wire = KeyGuard;

    fn into_wire(self) -> KeyGuard {
        KeyGuard {
            id: self.id,
            wait: match self.wait {
                Wait::Publication => GuardReason::Publication,
                Wait::Verifiers => GuardReason::Verifiers,
                Wait::LiveTokens => GuardReason::LiveTokens,
                Wait::Rotation => GuardReason::Rotation,
            },
            until: self.until,
        }
    }
}

impl IntoWire for KeyReport {
    type Wire = KeyTransitions;

    fn into_wire(self) -> KeyTransitions {
        KeyTransitions {
            changes: self.changes.into_wire(),
            keyset_version: self.keyset_version,
        }
    }
}

impl IntoWire for Rotation {
    type Wire = RotationResult;

    fn into_wire(self) -> RotationResult {
        RotationResult {
            changes: self.changes.into_wire(),
            keyset_version: self.keyset_version,
            waiting: self.waiting.into_wire(),
        }
    }
}

impl IntoWire for RevocationInfo {
    type Wire = RevokedEntry;

    fn into_wire(self) -> RevokedEntry {
        let mut entry = RevokedEntry {
            seq: self.seq,
            agent: None,
            block: None,
            expires: self.revocation.expires.map(|end| end.unix()),
            issued_before: None,
            principal: None,
            tenant: None,
            token: None,
            revoked_at: self.revoked_at,
            reason: self.reason,
        };
        match self.revocation.target {
            Target::Token(id) => entry.token = Some(id),
            Target::Block(signature) => entry.block = Some(hex::encode(signature)),
            Target::Watermark(watermark) => {
                let name = match watermark.party() {
                    Party::Agent => &mut entry.agent,
                    Party::Principal => &mut entry.principal,
                    Party::Tenant => &mut entry.tenant,
                };
                *name = Some(watermark.name().to_owned());
                entry.issued_before = Some(watermark.issued_before().unix());
            }
        }
        entry
    }
}

impl IntoWire for RevokeReport {
    type Wire = RevokeResult;

    fn into_wire(self) -> RevokeResult {
        RevokeResult {
            target: self.target,
            outcome: match self.outcome {
                RevokeOutcome::Revoked => RevokedOutcome::Revoked,
                RevokeOutcome::Extended => RevokedOutcome::Extended,
                RevokeOutcome::AlreadyRevoked => RevokedOutcome::AlreadyRevoked,
                RevokeOutcome::AlreadyExpired => RevokedOutcome::AlreadyExpired,
            },
            revoked_at: self.revoked_at,
            expires: self.expires,
            minted_here: self.minted_here,
        }
    }
}

impl IntoWire for SecretInfo {
    type Wire = ClientSecretInfo;

    fn into_wire(self) -> ClientSecretInfo {
        ClientSecretInfo {
            id: self.id,
            created_at: self.created_at,
            expires: self.expires,
        }
    }
}

impl IntoWire for ClientKey {
    type Wire = ClientKeyInfo;

    fn into_wire(self) -> ClientKeyInfo {
        ClientKeyInfo {
            id: self.id,
            jwk: self.jwk,
            created_at: self.created_at,
        }
    }
}

impl IntoWire for ClientInfo {
    type Wire = RegisteredClient;

    fn into_wire(self) -> RegisteredClient {
        RegisteredClient {
            name: self.name,
            principal: self.principal,
            profiles: self.profiles,
            claims: self.claims,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
            secrets: self.secrets.into_wire(),
            keys: self.keys.into_wire(),
        }
    }
}

impl IntoWire for (ClientInfo, ClientSecret) {
    type Wire = ClientWithSecret;

    fn into_wire(self) -> ClientWithSecret {
        let (client, secret) = self;
        ClientWithSecret {
            client: client.into_wire(),
            secret: Zeroizing::new(secret.expose().to_owned()),
        }
    }
}

impl IntoWire for AuditRow {
    type Wire = AuditRecord;

    fn into_wire(self) -> AuditRecord {
        AuditRecord {
            seq: self.seq,
            time: self.time,
            actor: self.actor,
            event: self.event,
            agent: self.agent,
            principal: self.principal,
            token: self.token,
            key: self.key,
            detail: self.detail,
            prev: self.prev,
            hash: self.hash,
        }
    }
}

impl IntoWire for AuditHead {
    type Wire = ChainEnd;

    fn into_wire(self) -> ChainEnd {
        ChainEnd {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

impl IntoWire for AuditFinding {
    type Wire = ChainBreak;

    fn into_wire(self) -> ChainBreak {
        ChainBreak {
            seq: self.seq,
            tampering: match self.tampering {
                Tampering::Edited => ChainFault::Edited,
                Tampering::Rewritten => ChainFault::Rewritten,
                Tampering::Removed => ChainFault::Removed,
                Tampering::Added => ChainFault::Added,
            },
        }
    }
}

impl IntoWire for AuditReport {
    type Wire = AuditVerification;

    fn into_wire(self) -> AuditVerification {
        AuditVerification {
            rows: self.rows,
            head: self.head.into_wire(),
            checkpoint: self.checkpoint,
            finding: self.finding.into_wire(),
        }
    }
}

impl IntoWire for VerifierInfo {
    type Wire = VerifierStatus;

    fn into_wire(self) -> VerifierStatus {
        VerifierStatus {
            name: self.name,
            service: self.service,
            keyset_version: self.keyset_version,
            feed_epoch: self.feed_epoch,
            feed_seq: self.feed_seq,
            seen_at: self.seen_at,
        }
    }
}

impl IntoWire for VerifierReport {
    type Wire = VerifiersInUse;

    fn into_wire(self) -> VerifiersInUse {
        VerifiersInUse {
            keyset_version: self.keyset_version,
            feed_epoch: self.feed_epoch,
            feed_seq: self.feed_seq,
            verifiers: self.verifiers.into_wire(),
        }
    }
}

impl IntoWire for Receipt {
    type Wire = MintReceipt;

    fn into_wire(self) -> MintReceipt {
        MintReceipt {
            token_id: self.token_id,
            key: self.key,
            issuer: self.issuer,
            agent: self.agent,
            principal: self.principal,
            issued_at: self.issued_at,
            not_before: self.not_before,
            expires: self.expires,
            audit_seq: self.audit_seq,
        }
    }
}

impl IntoWire for Minted {
    type Wire = MintedToken;

    /// Leaves out the profile, because the issuer does not know it.
    fn into_wire(self) -> MintedToken {
        MintedToken {
            token: self.token.to_base64(),
            profile: None,
            receipt: self.receipt.into_wire(),
        }
    }
}

impl IntoWire for bailiwick_issuer::TokenState {
    type Wire = TokenState;

    fn into_wire(self) -> TokenState {
        match self {
            bailiwick_issuer::TokenState::Live => TokenState::Live,
            bailiwick_issuer::TokenState::Expired => TokenState::Expired,
            bailiwick_issuer::TokenState::Revoked => TokenState::Revoked,
        }
    }
}

impl IntoWire for bailiwick_issuer::ListedToken {
    type Wire = TokenStatus;

    fn into_wire(self) -> TokenStatus {
        let token = self.token;
        TokenStatus {
            token_id: token.token_id,
            state: self.state.into_wire(),
            agent: token.agent,
            principal: token.principal,
            tenant: token.tenant,
            actor: token.actor,
            key: token.key,
            issued_at: token.issued_at,
            expires: token.expires,
            audit_seq: token.audit_seq,
        }
    }
}

impl IntoWire for bailiwick_issuer::TokenPage {
    type Wire = TokenPage;

    fn into_wire(self) -> TokenPage {
        TokenPage {
            tokens: self.tokens.into_wire(),
            next: self.next,
            unknown: Vec::new(),
        }
    }
}

impl IntoWire for ParamSummary {
    type Wire = ProfileParam;

    fn into_wire(self) -> ProfileParam {
        ProfileParam {
            name: self.name,
            claim: self.claim,
            kind: self.kind.name().to_owned(),
        }
    }
}

impl IntoWire for Ttl {
    type Wire = TokenLife;

    fn into_wire(self) -> TokenLife {
        TokenLife {
            min: self.min,
            default: self.default,
            max: self.max,
        }
    }
}

impl IntoWire for Rate {
    type Wire = MintRate;

    fn into_wire(self) -> MintRate {
        MintRate {
            per_minute: self.per_minute,
            burst: self.burst,
        }
    }
}

impl IntoWire for Summary {
    type Wire = ProfileSummary;

    fn into_wire(self) -> ProfileSummary {
        ProfileSummary {
            name: self.name,
            description: self.description,
            agent: self.agent.into(),
            principal: self.principal.map(Into::into),
            params: self.params.into_wire(),
            services: self.services,
            ttl: self.ttl.into_wire(),
            max_depth: self.max_depth,
            rate: self.rate.into_wire(),
        }
    }
}

impl IntoWire for ErrorCode {
    type Wire = OAuthErrorCode;

    fn into_wire(self) -> OAuthErrorCode {
        match self {
            ErrorCode::InvalidRequest => OAuthErrorCode::InvalidRequest,
            ErrorCode::InvalidScope => OAuthErrorCode::InvalidScope,
            ErrorCode::InvalidTarget => OAuthErrorCode::InvalidTarget,
            ErrorCode::UnauthorizedClient => OAuthErrorCode::UnauthorizedClient,
            ErrorCode::AccessDenied => OAuthErrorCode::AccessDenied,
        }
    }
}
