//! Errors of minting through a profile.

use std::time::Duration;

use bailiwick_issuer::{MintError, profile::ProfileRefusal};

/// The error of an authenticated request that gets no token.
#[derive(Debug)]
pub(crate) enum ProfileMintError {
    /// The profiles refuse the request.
    Refused(ProfileRefusal),
    /// The caller exceeds its rate, and must wait this long.
    TooMany(Duration),
    /// The issuer refuses the request or cannot mint.
    Mint(MintError),
}

impl ProfileMintError {
    /// The text for a caller that exceeds a rate.
    pub(crate) const TOO_OFTEN: &str = "the caller sends too many requests";
}

impl From<MintError> for ProfileMintError {
    fn from(error: MintError) -> ProfileMintError {
        ProfileMintError::Mint(error)
    }
}
