//! The stable reasons for denials.

use std::fmt;

/// The stable reason for a denial. Metrics are counted per code, with no other label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No token came with the call.
    MissingToken,
    /// The token cannot be read.
    Malformed,
    /// The token exceeds the limits.
    TooLarge,
    /// The token uses a feature that the profile excludes.
    Unsupported,
    /// The token does not follow the profile.
    NotProfile,
    /// A block states a reserved fact.
    ReservedName,
    /// The root key is not in the keyset.
    UnknownKey,
    /// The root key has been revoked.
    RevokedKey,
    /// The verifier cannot decide, because its keyset or revocations are too old, dated in the future,
    /// withheld, or were never read.
    StaleKeyset,
    /// A signature does not verify.
    BadSignature,
    /// The token is not yet valid.
    NotYetValid,
    /// The token is no longer valid.
    Expired,
    /// The token or a block of it has been revoked.
    Revoked,
    /// The token grants nothing at this service.
    WrongService,
    /// No grant allows the call.
    NoGrant,
    /// An appended block does not allow the call.
    Caveat,
    /// The service's own policy does not allow the call.
    Policy,
    /// More blocks are appended than allowed.
    Depth,
    /// An operation in the Datalog of the token or of the policy failed.
    EvaluationError,
    /// Deciding would take more steps than allowed.
    OutOfFuel,
    /// The call cannot be read.
    BadRequest,
}

impl Reason {
    /// All reasons, in the order of the profile.
    pub const ALL: [Reason; 21] = [
        Reason::MissingToken,
        Reason::Malformed,
        Reason::TooLarge,
        Reason::Unsupported,
        Reason::NotProfile,
        Reason::ReservedName,
        Reason::UnknownKey,
        Reason::RevokedKey,
        Reason::StaleKeyset,
        Reason::BadSignature,
        Reason::NotYetValid,
        Reason::Expired,
        Reason::Revoked,
        Reason::WrongService,
        Reason::NoGrant,
        Reason::Caveat,
        Reason::Policy,
        Reason::Depth,
        Reason::EvaluationError,
        Reason::OutOfFuel,
        Reason::BadRequest,
    ];

    /// The stable code, in lower case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::MissingToken => "missing_token",
            Reason::Malformed => "malformed",
            Reason::TooLarge => "too_large",
            Reason::Unsupported => "unsupported",
            Reason::NotProfile => "not_profile",
            Reason::ReservedName => "reserved_name",
            Reason::UnknownKey => "unknown_key",
            Reason::RevokedKey => "revoked_key",
            Reason::StaleKeyset => "stale_keyset",
            Reason::BadSignature => "bad_signature",
            Reason::NotYetValid => "not_yet_valid",
            Reason::Expired => "expired",
            Reason::Revoked => "revoked",
            Reason::WrongService => "wrong_service",
            Reason::NoGrant => "no_grant",
            Reason::Caveat => "caveat",
            Reason::Policy => "policy",
            Reason::Depth => "depth",
            Reason::EvaluationError => "evaluation_error",
            Reason::OutOfFuel => "out_of_fuel",
            Reason::BadRequest => "bad_request",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
