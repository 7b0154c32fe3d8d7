//! The token and the call that all peers decide, which are those of the verifier's own benchmark.

use std::cell::Cell;

use bailiwick_biscuit::build;
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
use bailiwick_verifier::{Call, Trust, Verifier};
use biscuit_auth::KeyPair;
use ed25519_dalek::SigningKey;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AGENT: &str = "agent:orchestrator";
pub(crate) const PRINCIPAL: &str = "team:procurement";

/// The numbers of appended blocks to measure.
pub(crate) const BLOCKS: [usize; 4] = [0, 1, 3, 8];

const GRANTS: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
[grant.args]
amount = { min = "0.01", max = "10000" }
currency = "EUR"
vendor = { one_of = ["acme", "globex"] }
note = "*"

[[grant]]
service = "erp"
action = "purchase_order:read"

[[grant]]
service = "erp"
action = "invoice:*"
resource = "eu/*"

[[grant]]
service = "crm"
action = "contact:*"

[[grant]]
service = "ledger"
action = "entry:read"
"#;

/// The scope of each appended block.
const SCOPE: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
[grant.args]
amount = { max = "4200" }
currency = "*"
vendor = "*"
note = "*"

[[grant]]
service = "erp"
action = "purchase_order:read"
"#;

/// The call that every peer must allow.
pub(crate) fn request() -> Call {
    request_for(WITHIN)
}

/// An amount that the token allows, and one that its first appended block denies.
pub(crate) const WITHIN: i64 = 4000;
pub(crate) const BEYOND: i64 = 5000;

pub(crate) fn request_for(amount: i64) -> Call {
    Call::new("purchase_order:create")
        .arg("amount", amount)
        .arg("currency", "EUR")
        .arg("vendor", "acme")
        .arg("note", "paper")
}

/// An issuer, and holders who narrow its tokens.
pub(crate) struct Sample {
    pub(crate) now: Timestamp,
    key: SigningKey,
    pub(crate) keyset_key: SigningKey,
    grants: Grants,
    scope: Grants,
    made: Cell<u64>,
}

impl Sample {
    pub(crate) fn new() -> Sample {
        Sample {
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
            key: SigningKey::from_bytes(&[7; 32]),
            keyset_key: SigningKey::from_bytes(&[9; 32]),
            grants: Grants::from_toml(GRANTS).unwrap(),
            scope: Grants::from_toml(SCOPE).unwrap(),
            made: Cell::new(0),
        }
    }

    pub(crate) fn key_pair(&self) -> KeyPair {
        let private = biscuit_auth::PrivateKey::from_bytes(
            self.key.as_bytes(),
            biscuit_auth::Algorithm::Ed25519,
        );
        KeyPair::from(&private.unwrap())
    }

    /// Mints an unseen token, with its own id, keys and signatures.
    pub(crate) fn mint(&self) -> Token {
        let mut id = [1; 16];
        id[8..].copy_from_slice(&self.count().to_be_bytes());
        let claims = Claims {
            issuer: ISSUER.to_owned(),
            token_id: TokenId::from_bytes(id),
            agent: AGENT.to_owned(),
            principal: PRINCIPAL.to_owned(),
            tenant: None,
            task: None,
            claims: Default::default(),
            issued_at: self.now.minus(60),
            not_before: self.now.minus(60),
            expires: self.now.plus(900),
            max_depth: None,
        };
        let block = datalog::authority_block(&claims, &self.grants).unwrap();
        let key = KeyId::derive(ISSUER, &public(&self.key));
        let root = build::KeyPair::new(&self.key).unwrap();
        let signed = build::sign(&block, &root, Some(key.as_u32())).unwrap();
        Token::try_from(signed).unwrap()
    }

    /// Appends an unseen block, with its own key and one of many expiry times.
    pub(crate) fn narrow(&self, token: &Token) -> Token {
        token.attenuate(&self.caveat()).unwrap()
    }

    pub(crate) fn caveat(&self) -> Caveat {
        Caveat {
            scope: Some(self.scope.clone()),
            expires: Some(self.now.plus(300 + self.count() % 500)),
            delegate: Some("agent:buyer".to_owned()),
            task: None,
        }
    }

    /// An unseen token with this many appended blocks.
    pub(crate) fn chain(&self, blocks: usize) -> Token {
        (0..blocks).fold(self.mint(), |token, _| self.narrow(&token))
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new("erp", self.trust(None)).unwrap()
    }

    /// Trust in the issuer, with a snapshot of revocations if given.
    pub(crate) fn trust(&self, revocations: Option<&str>) -> Trust {
        let public_key = public(&self.key);
        let keyset = Keyset {
            issuer: ISSUER.to_owned(),
            version: 1,
            issued_at: self.now.minus(60),
            expires: self.now.plus(86_400),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![RootKey {
                id: KeyId::derive(ISSUER, &public_key),
                alg: Algorithm::Ed25519,
                public: public_key,
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: None,
        };
        let keyset = keyset.sign(&self.keyset_key).to_json();
        Trust::open(
            keyset.as_bytes(),
            &public(&self.keyset_key),
            revocations.map(str::as_bytes),
        )
        .unwrap()
    }

    fn count(&self) -> u64 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }
}

pub(crate) fn text(token: &Token) -> String {
    token.to_base64().to_string()
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap()
}
