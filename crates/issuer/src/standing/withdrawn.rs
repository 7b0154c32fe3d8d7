//! Grounds of a request that were withdrawn while the request waited.

/// A ground that no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Withdrawn {
    /// The client was disabled, its registration changed, or its secret or key is no longer valid.
    #[error(
        "the client was disabled, or its secret or key became invalid, while the request waited; authenticate again"
    )]
    Client,
    /// The operator's token was revoked.
    #[error("the operator's token was revoked while the request waited; use another token")]
    Operator,
    /// The profile was changed or removed.
    #[error("the profile was changed or removed while the request waited; try again")]
    Profile,
}
