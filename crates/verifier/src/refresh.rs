//! Keyset and revocations, kept fresh in the background.
//!
//! [`Verifier::follow`](crate::Verifier::follow) fetches them from an issuer's service, and
//! [`Verifier::from_files`](crate::Verifier::from_files) reads them from files. Both make a [`Follower`],
//! which owns the verifier; dropping it ends the refresh.
//!
//! # From an issuer
//!
//! The follower fetches the keyset from `{issuer}/.well-known/bailiwick/keyset` at the interval that the keyset
//! suggests. It also fetches the keyset immediately if a head announces a newer one, and at most every 30
//! seconds if a token names a root key that the keyset lacks. If the keyset names a `revocation_url`, the
//! follower fetches the head from there every few seconds, and the changes up to it from
//! `{revocation_url}/{epoch}/{after}-{to}`, at most 10 000 at once. If there are too many changes, or the
//! issuer no longer has them or has begun another epoch, it fetches `{revocation_url}/snapshot`.
//!
//! One request is made at a time. Each has a time-out and a limit on its body. After failures the wait grows up
//! to half a minute, or up to the regular interval if that is longer. Plain `http` is accepted with loopback
//! addresses only, and with `localhost` if the transport never resolves that name
//! ([`Transport::PINS_LOCALHOST`]).
//!
//! # Failures
//!
//! A failed refresh changes nothing: the last good keyset and revocations stay in use until they expire or are too old
//! for the verifier ([`Staleness`](crate::Staleness)). Then every call is denied as `stale_keyset`. The same happens if
//! heads announce a newer keyset that does not arrive within two refresh hints plus that age limit. A verifier whose
//! keyset names a feed admits no token before it has read the feed. Files older than those in use, or of another
//! history, are refused, logged as errors and counted ([`Status::rollbacks`]). Revocations that a restored issuer has
//! lost stay in force ([`Status::carried_revocations`]).
//!
//! A refresh that panics, for example in a [`Transport`] or in a log subscriber, counts as failed: it is
//! counted ([`Status::panics`]) and tried again.
//!
//! If a directory is configured, the state in use is kept there, and a verifier that starts while its issuer is
//! down continues from it. Each follower needs a directory of its own. Only the follower should replace its
//! verifier's trust.
//!
//! # From files
//!
//! The files are read every half minute. Changed files replace the state in use. Files that cannot be used,
//! or would undo the state in use, change nothing, and are logged and counted.
//!
//! # Reports to the issuer
//!
//! With [`FollowerBuilder::report_as`], each request carries a header `Bailiwick-Verifier` with the verifier's
//! name and the state in use; for its grammar, see [`bailiwick_token::report`].

mod bounded;
mod directory;
mod error;
mod feed;
mod files;
mod follow;
mod follower;
mod http;
mod keyset;
mod options;
mod pace;
mod poll;
mod refresher;
mod setup;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod transport;

pub use self::{
    error::RefreshError,
    follow::{FollowerBuilder, FromFiles, FromIssuer, KeysetFile, Unnamed},
    follower::{Follower, Monitor},
    http::{Http, HttpError},
    setup::FollowError,
    status::Status,
    transport::{FetchError, Fetched, Get, Transport},
};
pub use crate::clock::{Clock, system_clock};
