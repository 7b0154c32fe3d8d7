//! Errors of verifying a JWT.

/// Maximum length of a JWT, in bytes.
pub(super) const MAX_JWT: usize = 16 * 1024;

/// The error of a JWT that is not accepted. It contains no part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("it is not a JWT, or longer than {MAX_JWT} bytes")]
    Malformed,
    #[error("its issuer is none of the configured providers")]
    Issuer,
    #[error("it is signed in a way that its provider is not configured for")]
    Algorithm,
    #[error("its header asks for what this issuer does not do")]
    Header,
    #[error("it was signed with a key that its provider does not publish")]
    UnknownKey,
    #[error("its provider publishes the key that it names in a form that is not accepted")]
    LeftOutKey,
    #[error("its provider publishes no key for its algorithm under the name that it states")]
    KeyAlgorithm,
    #[error("it does not tell with which of its provider's keys it was signed")]
    ManyKeys,
    #[error("its signature is wrong")]
    Signature,
    #[error("its `{0}` is missing, or not as it has to be")]
    Claim(&'static str),
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("it lives longer than its provider is configured for")]
    Life,
    /// The provider's keys could not be fetched. The token itself may be valid.
    #[error("the keys of its provider cannot be fetched: try again")]
    Unreachable,
}
