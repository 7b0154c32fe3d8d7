//! Issuers' homes, requests for tokens, and registered clients.

use std::{fs, path::Path};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, NewClient, Passphrase};
use bailiwick_token::{grant::Grants, timestamp::Timestamp};

use crate::PASSPHRASE;

pub fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE).unwrap()
}

/// Creates an issuer and unlocks it.
pub async fn init(home: &Path, options: InitOptions, now: Timestamp) -> Issuer {
    Issuer::init(home, options, &passphrase(), now)
        .await
        .unwrap()
}

/// Opens the issuer of a home and unlocks it.
pub async fn open(home: &Path) -> Issuer {
    let issuer = Issuer::open(home).await.unwrap();
    issuer.unlock(&passphrase()).unwrap();
    issuer
}

/// Writes the profiles of a home.
pub fn write_profiles(home: &Path, profiles: &str) {
    fs::write(home.join("profiles.toml"), profiles).unwrap();
}

/// Makes a request for a token with these grants, without a profile.
pub fn order(agent: &str, grants: Grants, ttl: u64) -> MintRequest {
    MintRequest {
        agent: agent.to_owned(),
        principal: "team:procurement".to_owned(),
        tenant: None,
        task: None,
        claims: Default::default(),
        grants,
        ttl,
        max_depth: None,
        profile: None,
    }
}

/// Makes the registration of a client that may use these profiles.
pub fn new_client(name: &str, profiles: &[&str]) -> NewClient {
    NewClient {
        name: name.to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: profiles.iter().map(ToString::to_string).collect(),
        claims: Default::default(),
    }
}
