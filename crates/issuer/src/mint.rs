//! Minting: claims and grants, signed by the active key, recorded before anyone holds the token.

use std::collections::BTreeMap;

use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog::{self, DatalogError},
    grant::Grants,
    key::KeyId,
    limits::{LimitError, Limits},
    timestamp::Timestamp,
    token::{Token, TokenError},
};
use biscuit_auth::{Algorithm, KeyPair, PrivateKey};
use ed25519_dalek::SigningKey;
use rand::{RngCore, rngs::OsRng};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    audit::{AuditEvent, Entry},
    issuer::{Issuer, Locked},
    keyring::SKEW,
    store::StoreError,
    vault::VaultError,
};

/// What a token is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct MintRequest {
    /// The agent that may act.
    pub agent: String,
    /// On whose authority.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// What for, in words.
    pub task: Option<String>,
    /// Further claims by name.
    pub claims: BTreeMap<String, String>,
    /// What it may do.
    pub grants: Grants,
    /// The token's life in seconds: 1 to the issuer's `max_token_ttl`.
    pub ttl: u64,
    /// How many blocks may be appended, where that is to be limited.
    pub max_depth: Option<u32>,
}

/// A token, and what is known of it.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token: a secret of whoever holds it.
    pub token: Token,
    /// What was recorded.
    pub receipt: Receipt,
}

/// What was recorded of a token. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed it.
    pub key: KeyId,
    /// The issuer.
    pub issuer: String,
    /// The agent.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// When it was minted.
    pub issued_at: Timestamp,
    /// The first second of its life, [`SKEW`] before it was minted: a verifier whose clock is
    /// late accepts it at once.
    pub not_before: Timestamp,
    /// The first second after its life.
    pub expires: Timestamp,
    /// The row of the audit.
    pub audit_seq: u64,
}

impl Issuer {
    /// Mints a token. It is returned once its audit row is on the disk, and not before.
    ///
    /// # Errors
    /// [`MintError`], and there is no token. A request that was refused is recorded, too.
    pub async fn mint(&self, request: &MintRequest, now: Timestamp) -> Result<Minted, MintError> {
        let vault = self.vault()?;
        let mut tx = self.store.write().await?;
        // Read where it is used: a key change is seen before the next signature.
        let key = tx
            .active_key()
            .await?
            .ok_or(StoreError::Damaged("root key"))?;
        let sealed = tx.sealed(&key.id.to_string()).await?;
        let signer = vault.unseal(&sealed, &key.public)?;
        let (claims, token) = match self.build(request, key.id, &signer, now) {
            Ok(built) => built,
            Err(refusal) => {
                tx.record(refused(request, &refusal), &self.actor, now)
                    .await?;
                tx.commit().await?;
                return Err(refusal.into());
            }
        };
        tx.insert_token(claims.token_id, key.id, now, claims.expires)
            .await?;
        let grants = serde_json::from_str(&request.grants.to_json()).unwrap_or(Value::Null);
        let entry = minted(request, &claims, key.id, grants);
        let audit_seq = tx.record(entry, &self.actor, now).await?;
        tx.commit().await?;
        let Claims {
            token_id,
            issuer,
            agent,
            principal,
            issued_at,
            not_before,
            expires,
            ..
        } = claims;
        let key = key.id;
        let receipt = Receipt {
            token_id,
            key,
            issuer,
            agent,
            principal,
            issued_at,
            not_before,
            expires,
            audit_seq,
        };
        Ok(Minted { token, receipt })
    }

    /// Everything that rests on the request alone.
    fn build(
        &self,
        request: &MintRequest,
        key: KeyId,
        signer: &SigningKey,
        now: Timestamp,
    ) -> Result<(Claims, Token), Refusal> {
        let max = self.settings.max_token_ttl;
        if !(1..=max).contains(&request.ttl) {
            return Err(Refusal::Ttl {
                ttl: request.ttl,
                max,
            });
        }
        for (name, text) in [("agent", &request.agent), ("principal", &request.principal)] {
            if text.trim().is_empty() {
                return Err(Refusal::Empty(name));
            }
        }
        let mut token_id = [0; 16];
        OsRng.fill_bytes(&mut token_id);
        let claims = Claims {
            issuer: self.settings.issuer.clone(),
            token_id: TokenId::from_bytes(token_id),
            agent: request.agent.clone(),
            principal: request.principal.clone(),
            tenant: request.tenant.clone(),
            task: request.task.clone(),
            claims: request.claims.clone(),
            issued_at: now,
            not_before: now.minus(SKEW),
            expires: now.plus(request.ttl),
            max_depth: request.max_depth,
        };
        let builder = datalog::authority_block(&claims, &request.grants)?;
        let root = PrivateKey::from_bytes(signer.as_bytes(), Algorithm::Ed25519)
            .map_err(|_| Refusal::Signing)?;
        let biscuit = builder
            .root_key_id(key.as_u32())
            .build(&KeyPair::from(&root))
            .map_err(|_| Refusal::Signing)?;
        let token = Token::from_bytes(biscuit.to_vec().map_err(|_| Refusal::Signing)?)?;
        Limits::default().check(&token)?;
        Ok((claims, token))
    }
}

fn minted(request: &MintRequest, claims: &Claims, key: KeyId, grants: Value) -> Entry {
    let detail = json!({
        "expires": claims.expires,
        "ttl": request.ttl,
        "tenant": request.tenant,
        "task": request.task,
        "max_depth": request.max_depth,
        "claims": request.claims,
        "grants": grants,
    });
    Entry {
        agent: Some(request.agent.clone()),
        principal: Some(request.principal.clone()),
        token: Some(claims.token_id.to_string()),
        key: Some(key.to_string()),
        ..Entry::new(AuditEvent::Mint, detail)
    }
}

/// What was refused is of any size: the row holds the beginning.
fn refused(request: &MintRequest, refusal: &Refusal) -> Entry {
    let clip = |text: &str| text.chars().take(256).collect::<String>();
    let detail = json!({ "ttl": request.ttl, "error": clip(&refusal.to_string()) });
    Entry {
        agent: Some(clip(&request.agent)),
        principal: Some(clip(&request.principal)),
        ..Entry::new(AuditEvent::MintRefused, detail)
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too long, or zero. It is never trimmed.
    #[error("a token lives 1 to {max} s, and {ttl} s were asked for: ask for less")]
    Ttl {
        /// What was asked for, in seconds.
        ttl: u64,
        /// The longest life, in seconds.
        max: u64,
    },
    /// Nobody.
    #[error("`{0}` is empty: a token names an agent and on whose authority it acts")]
    Empty(&'static str),
    /// Claims or grants do not fit the profile.
    #[error(transparent)]
    Profile(#[from] DatalogError),
    /// The token would be larger than verifiers accept.
    #[error("{0}: grant less, or in several tokens")]
    Limit(#[from] LimitError),
    /// What was built cannot be read back.
    #[error("the token cannot be read back: {0}")]
    Token(#[from] TokenError),
    /// The token could not be signed.
    #[error("the token cannot be signed: report this with the request")]
    Signing,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The request was refused, and that is recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The passphrase is needed.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// The private keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
