//! An issuer as an operator works with it, in a home or elsewhere.
//!
//! [`with`] is the one place that tells the two apart: what a command does is a verb of [`Operations`].

mod home;
mod server;
mod verbs;

pub(crate) use verbs::{Operations, SignedKeyset, SignedSnapshot};

use self::{home::Home, server::Server};
use crate::{exit::Failure, passphrase::PassphraseArg, settings::Global};

/// Works with the issuer that the options name, and leaves a home without open files behind. The passphrase is
/// asked for where a verb turns out to need the private keys.
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
