//! A root key that never changes, so that an input means the same on every run.

use std::collections::BTreeMap;

use bailiwick_biscuit::build;
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{Limits, Trust, Verifier};
use ed25519_dalek::SigningKey;

pub const ISSUER: &str = "https://issuer.example";
pub const SERVICE: &str = "erp";

/// The time at which targets decide, well inside the life of an honest token.
pub fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a date-time")
}

pub struct Root {
    pub key: SigningKey,
    pub keyset_key: SigningKey,
}

impl Root {
    pub fn fixed() -> Root {
        Root {
            key: SigningKey::from_bytes(&[1; 32]),
            keyset_key: SigningKey::from_bytes(&[2; 32]),
        }
    }

    pub fn key_id(&self) -> KeyId {
        KeyId::derive(ISSUER, &public(&self.key))
    }

    pub fn keyset_public(&self) -> PublicKey {
        public(&self.keyset_key)
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
                public: public(&self.key),
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: None,
        }
    }

    /// An honest token of these grants.
    pub fn mint(&self, grants: &Grants) -> Token {
        let block = datalog::authority_block(&claims(), grants).expect("claims that fit");
        let root = build::KeyPair::new(&self.key).expect("a key");
        let signed = build::sign(&block, &root, Some(self.key_id().as_u32())).expect("a block");
        Token::try_from(signed).expect("a token")
    }

    /// A verifier that keeps tokens it has seen in so many bytes.
    pub fn verifier(&self, fuel: u64, cache_bytes: usize) -> Verifier {
        let keyset = self.keyset().sign(&self.keyset_key).to_json();
        let trust =
            Trust::open(keyset.as_bytes(), &self.keyset_public(), None).expect("a signed keyset");
        let verifier = Verifier::new(SERVICE, trust).expect("a service name");
        verifier.limits(Limits {
            fuel,
            cache_bytes,
            ..Limits::default()
        })
    }
}

fn claims() -> Claims {
    Claims {
        issuer: ISSUER.to_owned(),
        token_id: TokenId::from_bytes([7; 16]),
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

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().as_bytes()).expect("a key of large order")
}
