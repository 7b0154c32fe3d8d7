//! What the tests share: an issuer in memory, and random grants, calls and chains.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::collections::BTreeMap;

use bailiwick_biscuit::{build, datalog::Block};
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{Decision, Deny, Trust, Verifier};
use biscuit_auth::KeyPair;
use ed25519_dalek::SigningKey;

pub mod bodies;
pub mod calls;
pub mod feed;
pub mod fold;
pub mod foreign;
pub mod forge;
pub mod log;
pub mod oracle;
pub mod page;
pub mod program;
pub mod random;
pub mod reference;
pub mod stated;
pub mod ways;

pub const ISSUER: &str = "https://issuer.example";
pub const SERVICE: &str = "erp";

/// The time at which tests decide, well inside the life of their tokens.
pub fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a date-time")
}

/// A root key, a keyset key, and nothing else: what an issuer needs to sign.
pub struct Root {
    pub key: SigningKey,
    pub keyset_key: SigningKey,
}

impl Root {
    pub fn new() -> Root {
        Root {
            key: SigningKey::generate(&mut rand::rngs::OsRng),
            keyset_key: SigningKey::generate(&mut rand::rngs::OsRng),
        }
    }

    /// The same one on every run, for tokens that are kept as files.
    pub fn fixed() -> Root {
        Root {
            key: SigningKey::from_bytes(&[1; 32]),
            keyset_key: SigningKey::from_bytes(&[2; 32]),
        }
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().as_bytes()).expect("a fresh key")
    }

    pub fn keyset_public(&self) -> PublicKey {
        PublicKey::from_bytes(self.keyset_key.verifying_key().as_bytes()).expect("a fresh key")
    }

    pub fn key_id(&self) -> KeyId {
        KeyId::derive(ISSUER, &self.public())
    }

    pub fn key_pair(&self) -> KeyPair {
        let private = biscuit_auth::PrivateKey::from_bytes(
            self.key.as_bytes(),
            biscuit_auth::Algorithm::Ed25519,
        );
        KeyPair::from(&private.expect("a fresh key"))
    }

    pub fn keyset(&self) -> Keyset {
        Keyset {
            issuer: ISSUER.to_owned(),
            version: 1,
            issued_at: now().minus(3600),
            expires: now().plus(24 * 3600),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![RootKey {
                id: self.key_id(),
                alg: Algorithm::Ed25519,
                public: self.public(),
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: None,
        }
    }

    pub fn trust(&self) -> Trust {
        let keyset = self.keyset().sign(&self.keyset_key).to_json();
        Trust::open(keyset.as_bytes(), &self.keyset_public(), None).expect("a signed keyset")
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new(SERVICE, self.trust()).expect("a service name")
    }

    /// Signs an authority block as it stands, well formed or not.
    pub fn sign(&self, block: &Block) -> Token {
        let root = build::KeyPair::new(&self.key).expect("a key");
        let id = Some(self.key_id().as_u32());
        let signed = build::sign(block, &root, id).expect("a block");
        Token::try_from(signed).expect("a token")
    }

    pub fn mint(&self, grants: &Grants) -> Token {
        self.sign(&datalog::authority_block(&claims(), grants).expect("claims that fit"))
    }
}

pub fn claims() -> Claims {
    Claims {
        issuer: ISSUER.to_owned(),
        token_id: TokenId::from_bytes(rand::random()),
        agent: "agent:orchestrator".to_owned(),
        principal: "team:procurement".to_owned(),
        tenant: None,
        task: None,
        claims: BTreeMap::new(),
        issued_at: now().minus(60),
        not_before: now().minus(120),
        expires: now().plus(900),
        max_depth: None,
    }
}

pub fn scope(grants: Grants) -> Caveat {
    Caveat {
        scope: Some(grants),
        ..Caveat::default()
    }
}

/// The denial that a decision has to be.
pub fn denied(decision: Decision) -> Deny {
    match decision {
        Decision::Deny(deny) => deny,
        Decision::Allow(_) => panic!("an allowed call"),
    }
}

pub fn toml(text: &str) -> Grants {
    Grants::from_toml(text).unwrap_or_else(|error| panic!("{error}"))
}
