//! Operations on a remote issuer, over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ClientRegistration,
    ClientWithSecret, ForceRequest, IssuerStatus, KeyTransitions, KeysetSetting, MintReceipt,
    MintTokenRequest, MintedToken, Nothing, ProfileSummary, RegisterClientRequest,
    RegisteredClient, RevocationsQuery, RevokeKeyRequest, RevokeRequest, RevokeResult,
    RevokedEntry, RootKeyStatus, RotateClientRequest, RotationResult, SetKeysetRequest, TokenPage,
    TokensQuery, VerifiersInUse, VerifyAuditRequest, routes,
};
use bailiwick_issuer::MintRequest;
use bailiwick_token::{
    key::KeyId,
    keyset::Keyset,
    revocation::{Head, Snapshot},
    timestamp::Timestamp,
    token::Token,
};
use serde_json::{Value, value::to_raw_value};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::verbs::{Operations, SignedKeyset, SignedSnapshot};
use crate::{
    exit::{Exit, Failure},
    output::{self, Progress},
    server::{ServiceClient, unreadable},
    settings::Global,
};

/// Maximum number of attempts to fetch a snapshot that is not behind the head, and the pause between attempts.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_secs(3);

/// A remote issuer, as the target of operations.
pub(super) struct Server<'a> {
    service: ServiceClient,
    global: &'a Global,
}

impl<'a> Server<'a> {
    pub(super) fn new(service: ServiceClient, global: &'a Global) -> Server<'a> {
        Server { service, global }
    }
}

/// The failure of a signed text from an issuer, if the text cannot be parsed or its signature is wrong.
fn remote(error: impl ToString) -> Failure {
    Failure::new(Exit::Remote, error)
}

#[async_trait(?Send)]
impl Operations for Server<'_> {
    async fn keys(&self) -> Result<Vec<RootKeyStatus>, Failure> {
        self.service.ask(routes::LIST_KEYS, &[], &Nothing {}).await
    }

    async fn stage_key(&self) -> Result<KeyTransitions, Failure> {
        self.service.ask(routes::STAGE_KEY, &[], &Nothing {}).await
    }

    async fn activate_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure> {
        let request = ForceRequest { force };
        let id = id.to_string();
        self.service
            .ask(routes::ACTIVATE_KEY, &[&id], &request)
            .await
    }

    async fn retire_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure> {
        let request = ForceRequest { force };
        let id = id.to_string();
        self.service.ask(routes::RETIRE_KEY, &[&id], &request).await
    }

    async fn revoke_key(&self, id: KeyId, reason: &str) -> Result<KeyTransitions, Failure> {
        let reason = reason.to_owned();
        let id = id.to_string();
        self.service
            .ask(routes::REVOKE_KEY, &[&id], &RevokeKeyRequest { reason })
            .await
    }

    async fn rotate_keys(&self) -> Result<RotationResult, Failure> {
        self.service
            .ask(routes::ROTATE_KEYS, &[], &Nothing {})
            .await
    }

    async fn keyset(&self) -> Result<SignedKeyset, Failure> {
        let envelope = self.service.text(routes::KEYSET).await?;
        let key = self.global.keyset_key()?;
        let keyset = Keyset::open(envelope.as_bytes(), &key).map_err(remote)?;
        Ok(SignedKeyset {
            version: keyset.version,
            issued_at: keyset.issued_at,
            expires: keyset.expires,
            envelope,
        })
    }

    async fn set_revocation_url(&self, url: &str) -> Result<KeysetSetting, Failure> {
        let revocation_url = url.to_owned();
        self.service
            .ask(
                routes::SET_KEYSET,
                &[],
                &SetKeysetRequest { revocation_url },
            )
            .await
    }

    async fn status(&self) -> Result<IssuerStatus, Failure> {
        self.service.ask(routes::STATUS, &[], &Nothing {}).await
    }

    /// Reads the maximum lifetime from the keyset. The signature is not verified: the number is only a default, and the
    /// issuer that sends the keyset is the one that mints.
    async fn longest_life(&self) -> Result<u64, Failure> {
        let envelope = self.service.text(routes::KEYSET).await?;
        let keyset = Keyset::read_unverified(envelope.as_bytes()).map_err(remote)?;
        Ok(keyset.max_token_ttl)
    }

    /// Mints a token. The operator's own token must allow this.
    async fn mint(&self, request: &MintRequest) -> Result<(Token, MintReceipt), Failure> {
        let grants = to_raw_value(&request.grants).map_err(|_| unreadable())?;
        let request = MintTokenRequest {
            agent: Some(request.agent.clone()),
            principal: Some(request.principal.clone()),
            tenant: request.tenant.clone(),
            task: request.task.clone(),
            claims: request.claims.clone(),
            grants: Some(grants),
            ttl: Some(request.ttl),
            max_depth: request.max_depth,
            ..MintTokenRequest::default()
        };
        let minted: MintedToken = self.service.ask(routes::MINT_TOKEN, &[], &request).await?;
        let token = Token::parse(&minted.token).map_err(|_| {
            let text = "the issuer's answer contains no readable token";
            Failure::plain(Exit::Remote, text).hint("use the same version on both sides")
        })?;
        Ok((token, minted.receipt))
    }

    async fn tokens(&self, query: TokensQuery) -> Result<TokenPage, Failure> {
        self.service.ask(routes::LIST_TOKENS, &[], &query).await
    }

    async fn revoke(&self, request: &RevokeRequest) -> Result<Vec<RevokeResult>, Failure> {
        self.service.ask(routes::REVOKE, &[], request).await
    }

    async fn block_end(&self, _: &Token, _: usize) -> Result<Option<Timestamp>, Failure> {
        output::warn("the server does not get the token itself, so its revocation never expires");
        Ok(None)
    }

    fn serves_revocations(&self) -> bool {
        true
    }

    async fn revocations(&self) -> Result<Vec<RevokedEntry>, Failure> {
        let mut all: Vec<RevokedEntry> = Vec::new();
        let mut progress = Progress::new("revocations");
        let mut after = 0;
        loop {
            let query = RevocationsQuery { after };
            let page = self.service.ask(routes::LIST_REVOCATIONS, &[], &query);
            let page = page.await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            if last.seq <= after {
                return Err(unreadable());
            }
            after = last.seq;
            all.extend(page);
            progress.at(all.len() as u64);
        }
    }

    /// Fetches a snapshot that is not behind the head. The service may return one that is a few seconds old.
    async fn snapshot(&self) -> Result<SignedSnapshot, Failure> {
        let key = self.global.keyset_key()?;
        let head = self.service.text(routes::FEED_HEAD).await?;
        let head = Head::open(head.as_bytes(), &key).map_err(remote)?;
        for _ in 0..ATTEMPTS {
            let file = self.service.text(routes::FEED_SNAPSHOT).await?;
            let snapshot = Snapshot::open(file.as_bytes(), &key).map_err(remote)?;
            let header = snapshot.header().clone();
            if header.epoch == head.epoch && header.seq >= head.seq {
                return Ok(SignedSnapshot {
                    seq: header.seq,
                    entries: header.entries,
                    issued_at: header.issued_at,
                    expires: header.expires,
                    file,
                });
            }
            Progress::waiting("seconds, waiting for an up-to-date snapshot", sleep(PAUSE)).await;
        }
        Err(
            Failure::plain(Exit::Remote, "the snapshot is still older than the head")
                .hint("check whether a cache serves an old snapshot"),
        )
    }

    async fn clients(&self) -> Result<Vec<RegisteredClient>, Failure> {
        self.service
            .ask(routes::LIST_CLIENTS, &[], &Nothing {})
            .await
    }

    async fn register_client(
        &self,
        request: RegisterClientRequest,
    ) -> Result<ClientRegistration, Failure> {
        self.service
            .ask(routes::REGISTER_CLIENT, &[], &request)
            .await
    }

    async fn rotate_client(&self, name: &str, overlap: u64) -> Result<ClientWithSecret, Failure> {
        let request = RotateClientRequest { overlap };
        self.service
            .ask(routes::ROTATE_CLIENT, &[name], &request)
            .await
    }

    async fn add_client_keys(
        &self,
        name: &str,
        request: AddClientKeysRequest,
    ) -> Result<RegisteredClient, Failure> {
        self.service
            .ask(routes::ADD_CLIENT_KEYS, &[name], &request)
            .await
    }

    async fn remove_client_key(&self, name: &str, id: &str) -> Result<RegisteredClient, Failure> {
        self.service
            .ask(routes::REMOVE_CLIENT_KEY, &[name, id], &Nothing {})
            .await
    }

    async fn disable_client(&self, name: &str) -> Result<RegisteredClient, Failure> {
        self.service
            .ask(routes::DISABLE_CLIENT, &[name], &Nothing {})
            .await
    }

    async fn verifiers(&self) -> Result<VerifiersInUse, Failure> {
        self.service
            .ask(routes::LIST_VERIFIERS, &[], &Nothing {})
            .await
    }

    async fn forget_verifier(&self, name: &str) -> Result<(), Failure> {
        self.service.done(routes::FORGET_VERIFIER, &[name]).await
    }

    async fn profiles(&self) -> Result<Vec<ProfileSummary>, Failure> {
        self.service
            .ask(routes::LIST_PROFILES, &[], &Nothing {})
            .await
    }

    async fn audit_rows(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, Failure> {
        self.service.ask(routes::LIST_AUDIT, &[], &query).await
    }

    async fn audit_page(&self, after: u64) -> Result<Vec<AuditRecord>, Failure> {
        let query = AuditQuery {
            after: Some(after),
            ..AuditQuery::default()
        };
        self.service.ask(routes::LIST_AUDIT, &[], &query).await
    }

    async fn verify_audit(
        &self,
        checkpoints: &[Zeroizing<Vec<u8>>],
    ) -> Result<AuditVerification, Failure> {
        let read = |bytes: &Zeroizing<Vec<u8>>| {
            serde_json::from_slice::<Value>(bytes).map_err(|_| {
                Failure::plain(Exit::Local, "a checkpoint cannot be read")
                    .hint("give files that `bailiwick audit checkpoint` wrote")
            })
        };
        let checkpoints: Result<Vec<Value>, Failure> = checkpoints.iter().map(read).collect();
        let request = VerifyAuditRequest {
            checkpoints: checkpoints?,
        };
        self.service.ask(routes::VERIFY_AUDIT, &[], &request).await
    }

    async fn sign_checkpoint(&self) -> Result<String, Failure> {
        self.service.text(routes::SIGN_CHECKPOINT).await
    }
}
