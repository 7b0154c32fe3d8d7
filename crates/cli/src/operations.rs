//! An operator's operations on an issuer, in a home or remote.
//!
//! Only [`with`] distinguishes the two cases. Commands call the methods of [`Operations`].

mod home;
mod server;
mod verbs;

pub(crate) use verbs::{Operations, SignedKeyset, SignedSnapshot};

use self::{home::Home, server::Server};
use crate::{exit::Failure, passphrase::PassphraseArg, settings::Global};

/// Runs work on the issuer that the options name. Afterwards, closes the home if the issuer is on this machine. Asks
/// for the passphrase only if an operation turns out to need the private keys.
pub(crate) async fn with<T>(
    global: &Global,
    passphrase: Option<&PassphraseArg>,
    work: impl AsyncFnOnce(&dyn Operations) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(service) = global.server()? {
        return work(&Server::new(service, global)).await;
    }
    let home = Home::new(global, passphrase);
    let done = work(&home).await;
    home.close().await;
    done
}
