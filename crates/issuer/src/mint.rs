//! Minting: claims and grants, signed by the active key, recorded before anyone holds the token.

use std::{collections::BTreeMap, sync::Arc};

use bailiwick_biscuit::build::{self, KeyPair};
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog::{self, DatalogError},
    grant::Grants,
    key::KeyId,
    limits::{LimitError, Limits},
    timestamp::Timestamp,
    token::{Token, TokenError},
};
use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    keyring::SKEW,
    record::{Record, RecordError},
    signer::{SignError, TokenSigner, from_sources},
    standing::Condition,
    store::StoreError,
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
    /// The profile that it was asked for under, for the audit.
    pub profile: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// How often a key may change under one request before it is given up.
const ATTEMPTS: usize = 8;

impl Issuer {
    /// Mints a token. It is returned once its audit row is on the disk, and not before; mints at
    /// the same time share that wait.
    ///
    /// `now` is when the request came in, and the token's `issued_at`: whatever a watermark of a later
    /// time is to end, it names, however long the request has waited.
    ///
    /// # Errors
    /// [`MintError`], and there is no token. A request that was refused is recorded, too, and so is
    /// one whose grounds ([`Issuer::on_standing`]) were withdrawn while it waited.
    pub async fn mint(&self, request: &MintRequest, now: Timestamp) -> Result<Minted, MintError> {
        for _ in 0..ATTEMPTS {
            let signer = self.signer().await?;
            let (claims, token, entry) = match self.build(request, signer.id, &signer.key, now) {
                Ok(built) => built,
                Err(refusal) => {
                    let refused = RefusedRequest {
                        agent: &request.agent,
                        principal: &request.principal,
                        profile: request.profile.as_deref(),
                        reason: &refusal.to_string(),
                        left_out: 0,
                    };
                    self.record_refusal(refused, now).await?;
                    return Err(refusal.into());
                }
            };
            let condition = Condition {
                signed_by: signer.id,
                standing: Arc::clone(&self.standing),
            };
            match self.record(entry, Some(condition), now).await {
                Ok(audit_seq) => {
                    let receipt = Receipt::new(claims, signer.id, audit_seq);
                    return Ok(Minted { token, receipt });
                }
                // The token was never anyone's: it is forgotten, and signed anew.
                Err(RecordError::Superseded) => self.signer.clear(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Records that a request was refused before it was one for the issuer, such as by a profile.
    ///
    /// # Errors
    /// [`MintError`], and nothing was recorded.
    pub async fn record_refusal(
        &self,
        refusal: RefusedRequest<'_>,
        now: Timestamp,
    ) -> Result<u64, MintError> {
        Ok(self.record(refusal.entry(), None, now).await?)
    }

    /// Records that an operator, in whose name this acts, asked for an action that its token does not let
    /// it do. `left_out` is the number of similar refusals since the last recorded one.
    ///
    /// # Errors
    /// [`MintError`], and nothing was recorded.
    pub async fn record_denied_operator(
        &self,
        action: &str,
        reason: &str,
        left_out: u64,
        now: Timestamp,
    ) -> Result<u64, MintError> {
        let mut detail = json!({ "action": action, "error": clip(reason) });
        state_left_out(&mut detail, left_out);
        let entry = Entry::new(AuditEvent::OperatorRefused, detail);
        Ok(self.record(entry, None, now).await?)
    }

    async fn record(
        &self,
        entry: Entry,
        condition: Option<Condition>,
        time: Timestamp,
    ) -> Result<u64, RecordError> {
        let record = Record {
            entry,
            actor: self.actor.clone(),
            time,
            condition,
        };
        self.records.submit(record).await
    }

    /// The key that signs. Whether it still does is looked at in the transaction that records.
    async fn signer(&self) -> Result<Arc<TokenSigner>, SignError> {
        match self.signer.get() {
            Some(signer) => Ok(signer),
            None => {
                let vault = self.vault()?;
                self.signer.load(&mut self.store.read().await?, vault).await
            }
        }
    }

    /// Everything that rests on the request alone.
    fn build(
        &self,
        request: &MintRequest,
        key: KeyId,
        signer: &KeyPair,
        now: Timestamp,
    ) -> Result<(Claims, Token, Entry), Refusal> {
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
        let block = datalog::authority_block(&claims, &request.grants)?;
        let signed = build::sign(&block, signer, Some(key.as_u32()));
        let token = Token::try_from(signed.map_err(|_| Refusal::Fault)?)?;
        Limits::default().check(&token)?;
        let entry = minted(request, &claims, key)?;
        Ok((claims, token, entry))
    }
}

impl Receipt {
    fn new(claims: Claims, key: KeyId, audit_seq: u64) -> Receipt {
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
        Receipt {
            token_id,
            key,
            issuer,
            agent,
            principal,
            issued_at,
            not_before,
            expires,
            audit_seq,
        }
    }
}

fn minted(request: &MintRequest, claims: &Claims, key: KeyId) -> Result<Entry, Refusal> {
    let detail = MintDetail {
        claims: &request.claims,
        expires: claims.expires,
        grants: &request.grants,
        max_depth: request.max_depth,
        profile: request.profile.as_deref(),
        task: request.task.as_deref(),
        tenant: request.tenant.as_deref(),
        ttl: request.ttl,
    };
    let detail = serde_json::to_string(&detail).map_err(|_| Refusal::Fault)?;
    Ok(Entry {
        agent: Some(request.agent.clone()),
        principal: Some(request.principal.clone()),
        token: Some(claims.token_id.to_string()),
        key: Some(key.to_string()),
        ..Entry::new(AuditEvent::Mint, detail)
    })
}

/// What the audit says of a mint, besides who and which.
#[derive(Serialize)]
struct MintDetail<'a> {
    claims: &'a BTreeMap<String, String>,
    expires: Timestamp,
    grants: &'a Grants,
    max_depth: Option<u32>,
    profile: Option<&'a str>,
    task: Option<&'a str>,
    tenant: Option<&'a str>,
    ttl: u64,
}

/// A request that was refused, for the audit.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// Who asked.
    pub agent: &'a str,
    /// On whose authority; empty where that is unknown.
    pub principal: &'a str,
    /// The profile that it was asked under.
    pub profile: Option<&'a str>,
    /// Why it was refused, with nothing secret in it.
    pub reason: &'a str,
    /// Number of similar refusals since the last recorded one.
    pub left_out: u64,
}

impl RefusedRequest<'_> {
    fn entry(&self) -> Entry {
        let named = |text: &str| (!text.is_empty()).then(|| clip(text));
        let mut detail = json!({ "profile": self.profile.map(clip), "error": clip(self.reason) });
        state_left_out(&mut detail, self.left_out);
        Entry {
            agent: named(self.agent),
            principal: named(self.principal),
            ..Entry::new(AuditEvent::MintRefused, detail)
        }
    }
}

fn state_left_out(detail: &mut serde_json::Value, left_out: u64) {
    if let Some(detail) = detail.as_object_mut().filter(|_| left_out > 0) {
        detail.insert("left_out".to_owned(), left_out.into());
    }
}

/// What was refused is of any size and any characters: the row holds the beginning.
fn clip(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(256).map(shown).collect()
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
    /// A fault of this program.
    #[error("the token cannot be made: report this with the request")]
    Fault,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The request was refused, and that is recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be signed, or not be recorded.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(MintError);

impl From<RecordError> for MintError {
    fn from(error: RecordError) -> MintError {
        match error {
            RecordError::Store(error) => error.into(),
            RecordError::Superseded => StoreError::Busy.into(),
        }
    }
}
