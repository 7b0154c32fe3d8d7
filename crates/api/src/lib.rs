#![doc = include_str!("../README.md")]

mod audit;
mod clients;
mod keys;
mod keyset;
mod oauth;
mod problem;
mod profiles;
mod revocations;
mod route;
pub mod routes;
mod status;
mod tokens;
mod verifiers;

pub use audit::{
    AuditQuery, AuditRecord, AuditVerification, ChainBreak, ChainEnd, ChainFault,
    VerifyAuditRequest,
};
pub use clients::{
    AddClientKeysRequest, ClientKeyInfo, ClientRegistration, ClientSecretInfo, ClientWithSecret,
    RegisterClientRequest, RegisteredClient, RotateClientRequest,
};
pub use keys::{
    ForceRequest, GuardReason, KeyGuard, KeyTransition, KeyTransitions, RevokeKeyRequest,
    RootKeyState, RootKeyStatus, RotationResult, TransitionKind,
};
pub use keyset::{KeysetSetting, SetKeysetRequest};
pub use oauth::{
    CLIENT_ASSERTION_TYPE, CLIENT_CREDENTIALS, IssuedTokenType, JWT_TOKEN_TYPES, MAX_PARAMETERS,
    OAuthError, OAuthErrorCode, REQUESTED_TOKEN_TYPES, RepeatedParameter, ServerMetadata,
    TOKEN_EXCHANGE, TokenParameter, TokenRequest, TokenResponse, TokenType, TooManyParameters,
};
pub use problem::{ProblemCode, ProblemDetails};
pub use profiles::{MintRate, ProfileParam, ProfileSummary, TokenLife};
pub use revocations::{
    RevocationsQuery, RevokeRequest, RevokeResult, RevokedEntry, RevokedOutcome, TargetsError,
};
pub use route::{Method, Nothing, Outgoing, OutgoingError, Route, Verbatim};
pub use status::{
    AuditStatus, ClientsStatus, DueTransition, EndingSecret, HeadStatus, Health, IssuerStatus,
    KeysetStatus, PrivateKeys, ProviderStatus, SectionStatus, SettingsStatus, StatusFinding,
    StatusSection, StoreKind, StoreStatus, VerifierCounts,
};
pub use tokens::{
    MintReceipt, MintTokenRequest, MintedToken, TokenPage, TokenState, TokenStatus, TokensQuery,
};
pub use verifiers::{VerifierStatus, VerifiersInUse};

/// The OpenAPI 3.1 description of all routes. The tests of this crate compare it with the types.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Maximum length of a request's body, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// Maximum length of the grants in a [`MintTokenRequest`], in bytes. Any grants that fit in a token are
/// shorter.
pub const MAX_GRANTS: usize = 64 * 1024;

/// Maximum number of rows in one answer to an [`AuditQuery`].
pub const MAX_AUDIT_ROWS: u32 = 1_000;

/// Maximum number of tokens in one answer to a [`TokensQuery`].
pub const MAX_LISTED_TOKENS: u32 = 1_000;

/// Maximum time that the service may take to verify the audit log, in seconds. Other requests have far less.
pub const AUDIT_VERIFY_SECONDS: u64 = 600;
