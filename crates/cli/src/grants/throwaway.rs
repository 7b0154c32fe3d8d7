//! An issuer in memory, for trying grants. Its keys are dropped with it.
//!
//! There are no shortcuts: its tokens and keyset are signed, encoded and verified like those of any other
//! issuer.

use bailiwick_biscuit::build::{self, KeyPair};
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    limits::TokenLimits,
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{Trust, Verifier};
use ed25519_dalek::SigningKey;
use rand::{RngCore, rngs::OsRng};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// The issuer's name, in tokens and in the keyset.
const NAME: &str = "bailiwick:simulation";

/// The lifetime of tokens and of the keyset, in seconds: longer than any simulation takes, and long enough for calls at all
/// times of a year.
const LIFE: u64 = 366 * 24 * 60 * 60;

/// An issuer with one root key and one keyset key.
pub(crate) struct ThrowawayIssuer {
    root: KeyPair,
    root_id: KeyId,
    keyset: String,
    keyset_key: PublicKey,
    now: Timestamp,
}

impl ThrowawayIssuer {
    /// Makes an issuer at the time `now`.
    pub(crate) fn new(now: Timestamp) -> Result<ThrowawayIssuer, Failure> {
        let (root, keyset_key) = (random_key(), random_key());
        let public = PublicKey::try_from(root.verifying_key()).map_err(broken)?;
        let root_id = KeyId::derive(NAME, &public);
        let keyset = Keyset {
            issuer: NAME.to_owned(),
            version: 1,
            issued_at: now,
            expires: now.plus(LIFE),
            refresh_hint: LIFE,
            max_token_ttl: LIFE,
            keys: vec![RootKey {
                id: root_id,
                alg: Algorithm::Ed25519,
                public,
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: None,
        };
        Ok(ThrowawayIssuer {
            root: KeyPair::new(&root).map_err(broken)?,
            root_id,
            keyset: keyset.sign(&keyset_key).to_json(),
            keyset_key: PublicKey::try_from(keyset_key.verifying_key()).map_err(broken)?,
            now,
        })
    }

    /// Mints a token with these grants.
    pub(crate) fn mint(&self, grants: &Grants) -> Result<Token, Failure> {
        let claims = Claims {
            issuer: NAME.to_owned(),
            token_id: TokenId::from_bytes(random()),
            agent: "agent:simulation".to_owned(),
            principal: "principal:simulation".to_owned(),
            tenant: None,
            task: None,
            claims: Default::default(),
            issued_at: self.now,
            not_before: self.now,
            expires: self.now.plus(LIFE),
            max_depth: None,
        };
        let block = datalog::authority_block(&claims, grants).map_err(broken)?;
        let id = Some(self.root_id.as_u32());
        let signed = build::sign(&block, &self.root, id).map_err(broken)?;
        let token = Token::try_from(signed).map_err(broken)?;
        TokenLimits::default().check(&token).map_err(|error| {
            Failure::plain(
                Exit::Local,
                format!("the grants do not fit a token: {error}"),
            )
            .hint("write fewer grants, or shorter lists")
        })?;
        Ok(token)
    }

    /// Returns a verifier for `service` that trusts this issuer; `None` if no service can have that name.
    pub(crate) fn verifier(&self, service: &str) -> Result<Option<Verifier>, Failure> {
        let trust = Trust::open(self.keyset.as_bytes(), &self.keyset_key, None).map_err(broken)?;
        Ok(Verifier::new(service, trust).ok())
    }
}

fn random_key() -> SigningKey {
    SigningKey::from_bytes(&Zeroizing::new(random()))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// The failure of a step that cannot fail by construction.
fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::plain(Exit::Local, format!("the simulation failed ({error})"))
        .hint("this is a bug in bailiwick; please report it")
}
