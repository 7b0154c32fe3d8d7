#![doc = include_str!("../README.md")]

pub use bailiwick_token::{
    attenuate::AttenuateError,
    caveat::Caveat,
    grant::{Bound, BoundError, Constraint, Effective, Grant, Grants, GrantsError, List, Pattern},
    inspect::Inspection,
    key::PublicKey,
    timestamp::{ClockError, Timestamp},
    token::{Token, TokenError},
    value::{Number, Value},
};
#[cfg(feature = "outbound")]
pub use bailiwick_verifier::outbound;
pub use bailiwick_verifier::{
    Allow, Authenticated, Call, CallError, Counters, Decision, Delegation, Denial, Deny, FeedError,
    Identity, Limits, Policy, PolicyError, Reason, Refusal, RollbackError, Staleness, Trust,
    TrustError, Values, Verified, Verifier, VerifierError, WhenStale,
};
#[cfg(any(feature = "axum", feature = "refresh"))]
pub use bailiwick_verifier::{Clock, system_clock};
#[cfg(feature = "axum")]
pub use bailiwick_verifier::{
    layer,
    layer::{Action, Authorized, Problem, Protect, ShadowDenied},
};
#[cfg(feature = "refresh")]
pub use bailiwick_verifier::{
    refresh,
    refresh::{FollowError, Follower, Monitor, Status},
};
