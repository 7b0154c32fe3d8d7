//! Minting: signs claims and grants with the active key, and records each token before it is returned.

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
    limits::TokenLimits,
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

/// Maximum number of attempts to mint one token while the active key keeps changing.
const ATTEMPTS: usize = 8;

impl Issuer {
    /// Mints a token. The token is returned only once its audit row is on the disk. Concurrent mints share the wait
    /// for the disk.
    ///
    /// `now` is the time at which the request arrived, and becomes the token's `issued_at`. So a watermark that
    /// is set while the request waits also covers the token, however long the wait.
    ///
    /// # Errors
    /// [`MintError`]; in that case, there is no token. Refused requests are recorded. So are requests of a client or
    /// an operator whose standing ([`Issuer::on_standing`]) was withdrawn while they waited.
    pub async fn mint(&self, request: &MintRequest, now: Timestamp) -> Result<Minted, MintError> {
        for _ in 0..ATTEMPTS {
            // The token is signed before the transaction, to keep the transaction short: all mints wait for the one
            // writer. The transaction then checks that the key is still the active one.
            let signer = self.signer().await?;
            let (mut minted, entry) = match self.build_and_sign(request, &signer, now) {
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
                // The key changed in between. Nobody has the token, so it can be dropped and signed again.
                Err(RecordError::Superseded) => self.signer.clear(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Returns the record of a token that was minted here, and `None` for any other token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn token(&self, token: TokenId) -> Result<Option<TokenInfo>, StoreError> {
        self.store.read_one().await?.token(token).await
    }

    /// Returns the signing key as last loaded. It may be outdated; the transaction that records the token checks
    /// that.
    async fn signer(&self) -> Result<Arc<TokenSigner>, SignError> {
        match self.signer.get() {
            Some(signer) => Ok(signer),
            None => {
                let vault = self.vault()?;
                self.signer.load(&mut self.store.read().await?, vault).await
            }
        }
    }

    /// Builds and signs the token, and its audit entry, without the store.
    fn build_and_sign(
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
        // A token that lacks either name could not be revoked by agent or by principal.
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
            // A verifier whose clock is behind accepts the token at once.
            not_before: now.minus(SKEW),
            expires: now.plus(request.ttl),
            max_depth: request.max_depth,
        };
        let block = datalog::authority_block(&claims, &request.grants)?;
        let signed = build::sign(&block, &signer.key, Some(signer.id.as_u32()));
        // The token is parsed and measured as verifiers do it: a token that they would refuse is never minted.
        let token = Token::try_from(signed.map_err(|_| MintRefusal::Fault)?)?;
        TokenLimits::default().check(&token)?;
        let info = TokenInfo {
            token_id: claims.token_id,
            key: signer.id,
            agent: claims.agent,
            principal: claims.principal,
            tenant: claims.tenant,
            actor: self.actor.to_string(),
            issued_at: claims.issued_at,
            expires: claims.expires,
            // The store sets this.
            audit_seq: 0,
        };
        let receipt = Receipt::new(&info, claims.issuer);
        let entry = Entry::mint(info, detail(request, claims.expires)?);
        Ok((Minted { token, receipt }, entry))
    }
}

/// Returns the detail of a mint for the audit log.
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
