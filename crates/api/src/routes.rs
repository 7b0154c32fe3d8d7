//! All routes of the service. An operator's route requires a token that grants its action; [`OPENAPI`] names
//! the actions.
//!
//! [`OPENAPI`]: crate::OPENAPI

use crate::{
    audit::{AuditQuery, AuditRecord, AuditVerification, VerifyAuditRequest},
    clients::{
        AddClientKeysRequest, ClientRegistration, ClientWithSecret, RegisterClientRequest,
        RegisteredClient, RotateClientRequest,
    },
    keys::{ForceRequest, KeyTransitions, RevokeKeyRequest, RootKeyStatus, RotationResult},
    keyset::{KeysetSetting, SetKeysetRequest},
    oauth::{ServerMetadata, TokenRequest, TokenResponse},
    profiles::ProfileSummary,
    revocations::{RevocationsQuery, RevokeRequest, RevokeResult, RevokedEntry},
    route::{Method, Nothing, Route, Verbatim},
    status::IssuerStatus,
    tokens::{MintTokenRequest, MintedToken, TokenPage, TokensQuery},
    verifiers::VerifiersInUse,
};

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident: $method:ident $path:literal, $request:ty => $answer:ty;)*) => {
        $($(#[$doc])* pub const $name: Route<$request, $answer> = Route::new(Method::$method, $path);)*

        /// Method and path of each route.
        pub const ALL: &[(Method, &str)] = &[$((Method::$method, $path),)*];
    };
}

routes! {
    /// The OAuth 2.0 token endpoint (RFC 6749, RFC 8693). Requests and errors follow OAuth.
    OAUTH_TOKEN: Post "/v1/token", TokenRequest => TokenResponse;
    /// Mints a token with explicit grants.
    MINT_TOKEN: Post "/v1/tokens", MintTokenRequest => MintedToken;
    /// Lists minted tokens, the latest first.
    LIST_TOKENS: Get "/v1/tokens", TokensQuery => TokenPage;
    /// The signed keyset.
    KEYSET: Get "/.well-known/bailiwick/keyset", Nothing => Verbatim;
    /// The signed head of the revocation feed. The other paths of the feed are below this one.
    FEED_HEAD: Get "/.well-known/bailiwick/revocations", Nothing => Verbatim;
    /// The signed snapshot of everything that is revoked and has not expired.
    FEED_SNAPSHOT: Get "/.well-known/bailiwick/revocations/snapshot", Nothing => Verbatim;
    /// The changes between two positions of the feed.
    FEED_DELTA: Get "/.well-known/bailiwick/revocations/{epoch}/{range}", Nothing => Verbatim;
    /// Authorization server metadata (RFC 8414).
    METADATA: Get "/.well-known/oauth-authorization-server", Nothing => ServerMetadata;
    /// The OpenAPI description of the routes.
    DESCRIPTION: Get "/v1/openapi.json", Nothing => Verbatim;
    /// Lists the root keys, in the order in which they were added.
    LIST_KEYS: Get "/v1/keys", Nothing => Vec<RootKeyStatus>;
    /// Makes a root key and publishes it.
    STAGE_KEY: Post "/v1/keys", Nothing => KeyTransitions;
    /// Stages, activates and retires keys that are due.
    ROTATE_KEYS: Post "/v1/keys/rotate", Nothing => RotationResult;
    /// Activates a staged key, which then signs new tokens.
    ACTIVATE_KEY: Post "/v1/keys/{id}/activate", ForceRequest => KeyTransitions;
    /// Destroys the private half of a retiring key.
    RETIRE_KEY: Post "/v1/keys/{id}/retire", ForceRequest => KeyTransitions;
    /// Revokes a key, and with it all tokens that it signed.
    REVOKE_KEY: Post "/v1/keys/{id}/revoke", RevokeKeyRequest => KeyTransitions;
    /// Returns a page of the revocations that have not expired.
    LIST_REVOCATIONS: Get "/v1/revocations", RevocationsQuery => Vec<RevokedEntry>;
    /// Revokes tokens, blocks, or all tokens of a party that were issued before a time.
    REVOKE: Post "/v1/revocations", RevokeRequest => Vec<RevokeResult>;
    /// Lists the clients, by name.
    LIST_CLIENTS: Get "/v1/clients", Nothing => Vec<RegisteredClient>;
    /// Registers a client, with its public keys or with a first secret.
    REGISTER_CLIENT: Post "/v1/clients", RegisterClientRequest => ClientRegistration;
    /// Makes a new secret for a client.
    ROTATE_CLIENT: Post "/v1/clients/{name}/rotate", RotateClientRequest => ClientWithSecret;
    /// Adds public keys to a client.
    ADD_CLIENT_KEYS: Post "/v1/clients/{name}/keys", AddClientKeysRequest => RegisteredClient;
    /// Removes a public key of a client.
    REMOVE_CLIENT_KEY: Post "/v1/clients/{name}/keys/{id}/remove", Nothing => RegisteredClient;
    /// Disables a client permanently.
    DISABLE_CLIENT: Post "/v1/clients/{name}/disable", Nothing => RegisteredClient;
    /// Lists rows of the audit log, oldest first.
    LIST_AUDIT: Get "/v1/audit", AuditQuery => Vec<AuditRecord>;
    /// Verifies the hash chain of the whole audit log.
    VERIFY_AUDIT: Post "/v1/audit/verify", VerifyAuditRequest => AuditVerification;
    /// Signs the current end of the audit log.
    SIGN_CHECKPOINT: Post "/v1/audit/checkpoints", Nothing => Verbatim;
    /// Lists the keysets and revocations that verifiers report.
    LIST_VERIFIERS: Get "/v1/verifiers", Nothing => VerifiersInUse;
    /// Forgets a verifier that no longer exists.
    FORGET_VERIFIER: Delete "/v1/verifiers/{name}", Nothing => Nothing;
    /// Lists the profiles in use.
    LIST_PROFILES: Get "/v1/profiles", Nothing => Vec<ProfileSummary>;
    /// Sets the URL of the revocations in the keyset.
    SET_KEYSET: Post "/v1/keyset", SetKeysetRequest => KeysetSetting;
    /// Reports the state of the issuer, with due transitions and findings that an operator should act on.
    STATUS: Get "/v1/status", Nothing => IssuerStatus;
    /// Reports that the process runs. This route and the next two are served on the operations listener.
    LIVE: Get "/livez", Nothing => Verbatim;
    /// Reports the issuer's readiness to mint.
    READY: Get "/readyz", Nothing => Verbatim;
    /// The metrics in the OpenMetrics format.
    METRICS: Get "/metrics", Nothing => Verbatim;
}
