//! Why a known caller gets no token.

use std::time::Duration;

use bailiwick_issuer::{MintError, profile::ProfileRefusal};

/// The error of a wish that gets no token.
#[derive(Debug)]
pub(crate) enum GrantError {
    /// The profile says no.
    Refused(ProfileRefusal),
    /// The caller comes too often.
    TooMany(Duration),
    /// The issuer says no, or cannot.
    Mint(MintError),
}

impl GrantError {
    /// The text for a caller beyond a rate.
    pub(crate) const TOO_OFTEN: &str = "the caller mints, or is refused, too often";
}

impl From<MintError> for GrantError {
    fn from(error: MintError) -> GrantError {
        GrantError::Mint(error)
    }
}
