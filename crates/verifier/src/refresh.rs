//! Keyset and revocations, kept fresh in the background.
//!
//! [`Verifier::follow`](crate::Verifier::follow) fetches them from an issuer's service, and
//! [`Verifier::from_files`](crate::Verifier::from_files) reads them from files. Either makes a
//! [`Follower`], which has the verifier and ends with it.
//!
//! # From an issuer
//!
//! The follower fetches the keyset from `{issuer}/.well-known/bailiwick/keyset` as often as that asks for, at
//! once when a head tells of a newer one, and once more, at most every 30 seconds, when a token names
//! a root key that is not in it. Where the keyset names a `revocation_url` it fetches the head from
//! there every few seconds, and the changes that lead to it from `{revocation_url}/{epoch}/{after}-{to}`,
//! at most 10 000 at once. Where there are too many, or the issuer no longer has them, or has begun
//! another epoch, it takes `{revocation_url}/snapshot`.
//!
//! One request is made at a time; each has a time-out and a limit on its body. What fails is tried
//! again, ever more seldom, up to half a minute, or as seldom as it is fetched anyway. Plain `http` is
//! taken from loopback addresses only, and from `localhost` where the transport never looks that name up
//! ([`Transport::PINS_LOCALHOST`]).
//!
//! # What holds when something fails
//!
//! A failed refresh changes nothing: the last good keyset and revocations stay in use until they end,
//! or are too old for the verifier ([`Staleness`](crate::Staleness)); then every call is denied as
//! `stale_keyset`. So it is where heads tell of a newer keyset that does not come for longer than two
//! refresh hints and that bound. A verifier whose keyset names a feed admits nothing before it has read
//! it. What is older than what is in use, or of another history, is refused, logged as an error and
//! counted ([`Status::rollbacks`]). What an issuer that was restored does not know any more stays revoked
//! ([`Status::carried_revocations`]).
//!
//! A refresh that panics, such as in a [`Transport`] or in a subscriber of the log, has failed: it is
//! counted ([`Status::panics`]) and tried again.
//!
//! With a directory, what is in use is kept there, and a verifier that starts while its issuer is down
//! goes on from it. The directory belongs to one follower, and so does its verifier's trust: nobody else
//! should replace it.
//!
//! # From files
//!
//! The files are read every half minute. Those that have changed take the place of what is in use; those
//! that cannot be used, or would undo what is in use, change nothing, and are logged and counted.
//!
//! # What the issuer sees
//!
//! With [`FollowerBuilder::report_as`] each request says in its header `Bailiwick-Verifier` who asks and what it
//! goes by; the grammar stands at [`bailiwick_token::report`].

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
