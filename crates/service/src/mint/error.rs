//! Why a known caller gets no token.

use std::time::Duration;

use bailiwick_issuer::{MintError, profile::ProfileRefusal};

/// The error of a wish that gets no token.
#[derive(Debug)]
pub(crate) enum ProfileMintError {
    /// The profile says no.
    Refused(ProfileRefusal),
    /// The caller comes too often.
    TooMany(Duration),
    /// The issuer says no, or cannot.
    Mint(MintError),
}

impl ProfileMintError {
    /// The text for a caller beyond a rate.
    pub(crate) const TOO_OFTEN: &str = "the caller mints, or is refused, too often";
}

impl From<MintError> for ProfileMintError {
    fn from(error: MintError) -> ProfileMintError {
        ProfileMintError::Mint(error)
    }
}
