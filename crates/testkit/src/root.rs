//! An in-memory signer, for the keys of an issuer.

use std::collections::BTreeMap;

use bailiwick_biscuit::{build, datalog::Block};
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    token::Token,
};
use bailiwick_verifier::{Trust, Verifier};
use biscuit_auth::KeyPair;
use ed25519_dalek::SigningKey;

use crate::{ISSUER, SERVICE, now};

/// A root key and a keyset key, which is all that an issuer needs to sign.
pub struct Root {
    pub key: SigningKey,
    pub keyset_key: SigningKey,
}

impl Root {
    /// Generates both keys.
    #[expect(clippy::new_without_default, reason = "two of them are never the same")]
    pub fn new() -> Root {
        Root {
            key: SigningKey::generate(&mut rand::rngs::OsRng),
            keyset_key: SigningKey::generate(&mut rand::rngs::OsRng),
        }
    }

    /// Returns the same keys on every run, for tokens that are stored in files.
    pub fn fixed() -> Root {
        Root::from_seeds(1, 2)
    }

    /// Makes the keys from these seeds.
    pub fn from_seeds(key: u8, keyset_key: u8) -> Root {
        Root {
            key: SigningKey::from_bytes(&[key; 32]),
            keyset_key: SigningKey::from_bytes(&[keyset_key; 32]),
        }
    }

    pub fn public(&self) -> PublicKey {
        public(&self.key)
    }

    pub fn keyset_public(&self) -> PublicKey {
        public(&self.keyset_key)
    }

    pub fn key_id(&self) -> KeyId {
        KeyId::derive(ISSUER, &self.public())
    }

    /// The root key as biscuit-auth represents it.
    pub fn key_pair(&self) -> KeyPair {
        let private = biscuit_auth::PrivateKey::from_bytes(
            self.key.as_bytes(),
            biscuit_auth::Algorithm::Ed25519,
        );
        KeyPair::from(&private.expect("a fresh key"))
    }

    /// The keyset's entry for the root key while it is active.
    pub fn listed(&self) -> RootKey {
        RootKey {
            id: self.key_id(),
            alg: Algorithm::Ed25519,
            public: self.public(),
            state: KeyState::Active,
            not_after: None,
        }
    }

    pub fn keyset(&self) -> Keyset {
        Keyset {
            issuer: ISSUER.to_owned(),
            version: 1,
            issued_at: now().minus(3600),
            expires: now().plus(24 * 3600),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![self.listed()],
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

    /// Signs an authority block unchanged, whether or not it is well formed.
    pub fn sign(&self, block: &Block) -> Token {
        let root = build::KeyPair::new(&self.key).expect("a key");
        let id = Some(self.key_id().as_u32());
        let signed = build::sign(block, &root, id).expect("a block");
        Token::try_from(signed).expect("a token")
    }

    pub fn mint(&self, grants: &Grants) -> Token {
        self.mint_with(&claims(), grants)
    }

    pub fn mint_with(&self, claims: &Claims, grants: &Grants) -> Token {
        self.sign(&datalog::authority_block(claims, grants).expect("claims that fit"))
    }
}

/// Claims of a token that is valid at [`now`], with a random id.
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

/// The public half of a key.
pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().as_bytes()).expect("a key of large order")
}
