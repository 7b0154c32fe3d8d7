//! Authenticated clients, and the lookup of clients that authenticate.

use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use bailiwick_token::timestamp::Timestamp;

use super::{info::ClientInfo, key::ClientKey};
use crate::{
    batch::{Answers, Work},
    store::{Store, StoreError, StoredClient, StoredSecret},
};

/// A client that proved its name by a secret or a key. Such a value results only from verifying a secret, or
/// from [`SigningClient::signed_in_by`](super::SigningClient::signed_in_by).
#[derive(Clone)]
pub struct SignedIn {
    info: ClientInfo,
    proof: Proof,
}

/// The credential with which a client authenticated, as stored at that time.
#[derive(Clone)]
enum Proof {
    Secret(StoredSecret),
    Key(ClientKey),
}

impl SignedIn {
    pub(super) fn by_secret(info: ClientInfo, secret: StoredSecret) -> SignedIn {
        SignedIn {
            info,
            proof: Proof::Secret(secret),
        }
    }

    pub(super) fn by_key(info: ClientInfo, key: ClientKey) -> SignedIn {
        SignedIn {
            info,
            proof: Proof::Key(key),
        }
    }

    /// Returns the registration of the client at the time of authentication.
    #[must_use]
    pub fn client(&self) -> &ClientInfo {
        &self.info
    }

    pub(crate) fn name(&self) -> &str {
        &self.info.name
    }

    /// Returns true if the registration is unchanged and the secret or key is still valid. Changes to the
    /// client's other secrets and keys, or a later expiry of this secret, do not matter.
    pub(crate) fn still_holds(&self, stored: &StoredClient, at: Timestamp) -> bool {
        let registered = |info: &ClientInfo| ClientInfo {
            secrets: Vec::new(),
            keys: Vec::new(),
            ..info.clone()
        };
        let proves = match &self.proof {
            Proof::Secret(used) => stored.secrets.iter().any(|secret| {
                (&secret.info.id, &secret.hash) == (&used.info.id, &used.hash) && secret.is_good(at)
            }),
            // This also compares the time of registration: a key that was removed and registered again does not
            // count.
            Proof::Key(used) => stored.info.keys.contains(used),
        };
        proves
            && stored.info.disabled_at.is_none()
            && registered(&stored.info) == registered(&self.info)
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("client", &self.info.name)
            .finish_non_exhaustive()
    }
}

/// Looks up clients that authenticate at the same time, with a single statement.
pub(crate) struct ClientLookup(pub(crate) Store);

#[async_trait]
impl Work for ClientLookup {
    /// The name of the client.
    type Job = String;
    type Done = Option<StoredClient>;
    type Error = StoreError;

    async fn all(&self, names: &[String]) -> Result<Answers<ClientLookup>, StoreError> {
        let distinct: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let distinct: Vec<&str> = distinct.into_iter().collect();
        let clients = self.0.read_one().await?.clients_named(&distinct).await?;
        let found = |name: &String| clients.iter().find(|client| client.info.name == *name);
        Ok(names.iter().map(|name| Ok(found(name).cloned())).collect())
    }
}
