//! The stable reasons of denials.

use std::fmt;

/// Stable reason of a denial. Metrics count by its code and by nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// no token came with the call
    MissingToken,
    /// the token cannot be read
    Malformed,
    /// the token exceeds the limits
    TooLarge,
    /// the token uses a feature that the profile excludes
    Unsupported,
    /// the token does not follow the profile
    NotProfile,
    /// a block states a reserved fact
    ReservedName,
    /// the root key is not in the keyset
    UnknownKey,
    /// the root key has been revoked
    RevokedKey,
    /// the verifier's trust cannot decide: too old, ahead of its clock, withheld, or never read
    StaleKeyset,
    /// a signature does not verify
    BadSignature,
    /// the token is not yet valid
    NotYetValid,
    /// the token is no longer valid
    Expired,
    /// the token or a block of it has been revoked
    Revoked,
    /// the token grants nothing at this service
    WrongService,
    /// no grant allows the call
    NoGrant,
    /// an appended block does not allow the call
    Caveat,
    /// the service's own policy does not allow the call
    Policy,
    /// more blocks are appended than allowed
    Depth,
    /// an operation in the Datalog of the token or of the policy failed
    EvaluationError,
    /// deciding would take more steps than allowed
    OutOfFuel,
    /// the call cannot be read
    BadRequest,
}

impl Reason {
    /// Every reason, in the order of the profile.
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

    /// The stable code, lower case.
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
