//! Verifies Bailiwick tokens locally, at the service that they are presented to.
//!
//! Data flows one way: a [`Token`](bailiwick_token::token::Token) becomes [`Verified`] under the verifier's
//! [`Trust`], and a verified token, a [`Call`] and the time become a [`Decision`]. A denial is a value with a
//! [`Reason`] and an explanation, never an error. Every call that a token does not grant is denied, and so is
//! every call that the verifier cannot decide.
//!
//! ```
//! use bailiwick_token::{key::PublicKey, timestamp::Timestamp};
//! use bailiwick_verifier::{Call, Trust, Values, Verifier};
//!
//! # fn example(keyset: &[u8], keyset_key: PublicKey, token: &str, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new("erp", Trust::open(keyset, &keyset_key, None)?)?;
//! let call = Call::new("purchase_order:create").arg("amount", 4200).arg("currency", "EUR");
//! let decision = verifier.check(token, &call, now);
//! if !decision.is_allow() {
//!     println!("{}", decision.explain(Values::Shown).join("\n"));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! For Biscuits outside the profile, from any issuer, use the crate `bailiwick-biscuit`.
//!
//! Nothing here reads a file or a clock, except at the edges: the feature `axum` adds `layer` for HTTP services, and
//! the feature `refresh` adds `refresh`, which keeps the keyset and revocations fresh.

mod admit;
mod authenticate;
mod cache;
pub mod call;
#[cfg(any(feature = "axum", feature = "refresh"))]
mod clock;
mod compare;
mod decide;
pub mod decision;
pub mod denial;
mod evaluation;
mod excerpt;
pub mod explain;
mod explanation;
pub mod identity;
#[cfg(feature = "axum")]
pub mod layer;
mod native;
#[cfg(feature = "outbound")]
pub mod outbound;
mod policy;
mod reason;
mod record;
#[cfg(feature = "refresh")]
pub mod refresh;
mod refuse;
mod source;
pub mod trust;
mod validity;
mod verified;
mod verifier;
mod verify;

pub use authenticate::Authenticated;
pub use call::{Call, CallError};
#[cfg(any(feature = "axum", feature = "refresh"))]
pub use clock::{Clock, system_clock};
pub use decision::{Allow, Decision, Deny};
pub use denial::Denial;
pub use explain::{Refusal, Values};
pub use identity::{Delegation, Identity};
pub use policy::{Policy, PolicyError};
pub use reason::Reason;
pub use record::Counters;
pub use trust::{FeedError, RollbackError, Staleness, Trust, TrustError, WhenStale};
pub use verified::Verified;
pub use verifier::{Limits, Verifier, VerifierError};
