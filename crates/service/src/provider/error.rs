//! Errors of verifying a JWT.

/// Maximum length of a JWT, in bytes.
pub(super) const MAX_JWT: usize = 16 * 1024;

/// The error of a JWT that is not accepted. It contains no part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("it is not a JWT of at most {MAX_JWT} bytes")]
    Malformed,
    #[error("its `iss` is not a configured provider")]
    Issuer,
    #[error("its `alg` is not among the algorithms configured for its provider")]
    Algorithm,
    #[error("its header has `crit`, `enc` or `zip`, which this issuer does not support")]
    Header,
    #[error("its provider does not publish the key that signed it")]
    UnknownKey,
    #[error("its provider publishes the key that it names, but in a form that is not accepted")]
    LeftOutKey,
    #[error("its provider publishes no key for its algorithm under its `kid`")]
    KeyAlgorithm,
    #[error("it has no `kid`, but its provider publishes several keys")]
    ManyKeys,
    #[error("its signature is wrong")]
    Signature,
    #[error("its `{0}` is missing or not valid")]
    Claim(&'static str),
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("its lifetime is above the `max_life` of its provider")]
    Life,
    /// The provider's keys could not be fetched. The token itself may be valid.
    #[error("the keys of its provider cannot be fetched; try again")]
    Unreachable,
}
