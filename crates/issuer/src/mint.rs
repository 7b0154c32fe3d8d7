//! Minting: claims and grants, signed by the active key, recorded before anyone holds the token.

mod error;
mod refused;
mod request;
pub(crate) mod token_info;

pub use error::{MintError, MintRefusal};
pub use refused::RefusedRequest;
pub use request::MintRequest;
pub use token_info::{Minted, Receipt, TokenInfo};

use std::{collections::BTreeMap, sync::Arc};

use bailiwick_biscuit::build;
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    limits::Limits,
    timestamp::{SKEW, Timestamp},
    token::Token,
};
use rand::{RngCore, rngs::OsRng};
use serde::Serialize;

use crate::{
    audit::Entry,
    group_commit::RecordError,
    issuer::Issuer,
    signer::{SignError, TokenSigner},
    store::StoreError,
};

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
            let (mut minted, entry) = match self.build(request, &signer, now) {
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
            match self.record(entry, now).await {
                Ok(audit_seq) => {
                    minted.receipt.audit_seq = audit_seq;
                    return Ok(minted);
                }
                // The token was never anyone's: it is forgotten, and signed anew.
                Err(RecordError::Superseded) => self.signer.clear(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Reads a token that was minted here; `None` for any other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token(&self, token: TokenId) -> Result<Option<TokenInfo>, StoreError> {
        self.store.glance().await?.token(token).await
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

    /// Everything that rests on the request alone: the token, and what is to be recorded of it.
    fn build(
        &self,
        request: &MintRequest,
        signer: &TokenSigner,
        now: Timestamp,
    ) -> Result<(Minted, Entry), MintRefusal> {
        let max = self.settings.max_token_ttl;
        if !(1..=max).contains(&request.ttl) {
            return Err(MintRefusal::Ttl {
                ttl: request.ttl,
                max,
            });
        }
        for (name, text) in [("agent", &request.agent), ("principal", &request.principal)] {
            if text.trim().is_empty() {
                return Err(MintRefusal::Empty(name));
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
        let signed = build::sign(&block, &signer.key, Some(signer.id.as_u32()));
        let token = Token::try_from(signed.map_err(|_| MintRefusal::Fault)?)?;
        Limits::default().check(&token)?;
        let info = TokenInfo {
            token_id: claims.token_id,
            key: signer.id,
            agent: claims.agent,
            principal: claims.principal,
            tenant: claims.tenant,
            actor: self.actor.to_string(),
            issued_at: claims.issued_at,
            expires: claims.expires,
            // Given by the store.
            audit_seq: 0,
        };
        let receipt = Receipt::new(&info, claims.issuer);
        let entry = Entry::mint(info, detail(request, claims.expires)?);
        Ok((Minted { token, receipt }, entry))
    }
}

/// The detail of a mint in the audit.
fn detail(request: &MintRequest, expires: Timestamp) -> Result<String, MintRefusal> {
    #[derive(Serialize)]
    struct Detail<'a> {
        claims: &'a BTreeMap<String, String>,
        expires: Timestamp,
        grants: &'a Grants,
        max_depth: Option<u32>,
        profile: Option<&'a str>,
        task: Option<&'a str>,
        tenant: Option<&'a str>,
        ttl: u64,
    }
    let detail = serde_json::to_string(&Detail {
        claims: &request.claims,
        expires,
        grants: &request.grants,
        max_depth: request.max_depth,
        profile: request.profile.as_deref(),
        task: request.task.as_deref(),
        tenant: request.tenant.as_deref(),
        ttl: request.ttl,
    });
    detail.map_err(|_| MintRefusal::Fault)
}
