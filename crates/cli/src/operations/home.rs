//! Operations on the issuer in a home on this machine.

use async_trait::async_trait;
use bailiwick_api::{
    AddClientKeysRequest, AuditQuery, AuditRecord, AuditVerification, ClientRegistration,
    ClientWithSecret, IssuerStatus, KeyTransitions, KeysetSetting, MintReceipt, ProfileSummary,
    RegisterClientRequest, RegisteredClient, RevokeRequest, RevokeResult, RevokedEntry,
    RootKeyStatus, RotationResult, TokenPage, TokensQuery, VerifiersInUse,
};
use bailiwick_issuer::{
    Checkpoint, Issuer, MintRequest,
    profile::{Profile, ProfileLimits},
};
use bailiwick_service::{
    client_keys::new_keys,
    keyset_setting, list_tokens, read_profiles,
    wire::{IntoWire, audit_filter, register_client},
};
use bailiwick_token::{
    escape::code,
    key::KeyId,
    timestamp::{SKEW, Timestamp},
    token::Token,
};
use bailiwick_verifier::{Trust, Verifier};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::verbs::{Operations, SignedKeyset, SignedSnapshot};
use crate::{
    clock,
    exit::{Exit, Failure},
    home_status,
    issuer::{self, MayBeLocked, unlocking},
    output::{self, Progress},
    passphrase::{PassphraseArg, can_ask},
    profile::files::Files,
    settings::Global,
};

/// The issuer in a home. It is opened by the first operation that needs it.
pub(super) struct Home<'a> {
    global: &'a Global,
    passphrase: Option<&'a PassphraseArg>,
    issuer: OnceCell<Issuer>,
}

impl<'a> Home<'a> {
    pub(super) fn new(global: &'a Global, passphrase: Option<&'a PassphraseArg>) -> Home<'a> {
        Home {
            global,
            passphrase,
            issuer: OnceCell::new(),
        }
    }

    pub(super) async fn close(self) {
        if let Some(issuer) = self.issuer.into_inner() {
            issuer.close().await;
        }
    }

    async fn issuer(&self) -> Result<&Issuer, Failure> {
        self.issuer
            .get_or_try_init(|| issuer::open(self.global))
            .await
    }

    /// Runs an operation that may need the private keys.
    async fn unlocking<T, E: MayBeLocked>(
        &self,
        verb: impl AsyncFn(&Issuer, Timestamp) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let now = clock::now()?;
        let issuer = self.issuer().await?;
        let verb = async || verb(issuer, now).await;
        match self.passphrase {
            Some(passphrase) => unlocking(issuer, passphrase, self.global, verb).await,
            None => verb().await.map_err(Into::into),
        }
    }
}

#[async_trait(?Send)]
impl Operations for Home<'_> {
    async fn keys(&self) -> Result<Vec<RootKeyStatus>, Failure> {
        Ok(self.issuer().await?.keys().await?.into_wire())
    }

    async fn stage_key(&self) -> Result<KeyTransitions, Failure> {
        let report = self.unlocking(async |issuer, now| issuer.stage(now).await);
        Ok(report.await?.into_wire())
    }

    async fn activate_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure> {
        let report = self.unlocking(async |issuer, now| issuer.activate(id, force, now).await);
        Ok(report.await?.into_wire())
    }

    async fn retire_key(&self, id: KeyId, force: bool) -> Result<KeyTransitions, Failure> {
        let report = self.unlocking(async |issuer, now| issuer.retire(id, force, now).await);
        Ok(report.await?.into_wire())
    }

    async fn revoke_key(&self, id: KeyId, reason: &str) -> Result<KeyTransitions, Failure> {
        let report = self.unlocking(async |issuer, now| issuer.revoke_key(id, reason, now).await);
        Ok(report.await?.into_wire())
    }

    /// Unlocks the private keys first, even if nothing is due. So a wrong passphrase makes the next scheduled run
    /// fail, rather than a later one on the day when a key is due.
    async fn rotate_keys(&self) -> Result<RotationResult, Failure> {
        if let Some(passphrase) = self.passphrase {
            let configured = match passphrase.without_asking(self.global)? {
                // If there is a terminal, the user is asked for the passphrase when it is needed.
                None if can_ask() => None,
                None => Some(passphrase.passphrase(self.global)?),
                configured => configured,
            };
            if let Some(configured) = configured {
                self.issuer().await?.unlock(&configured)?;
            }
        }
        let rotation = self.unlocking(async |issuer, now| issuer.rotate(now).await);
        Ok(rotation.await?.into_wire())
    }

    async fn keyset(&self) -> Result<SignedKeyset, Failure> {
        let keyset = self.unlocking(async |issuer, now| issuer.keyset(now).await);
        let keyset = keyset.await?;
        Ok(SignedKeyset {
            version: keyset.version,
            issued_at: keyset.issued_at,
            expires: keyset.expires,
            envelope: keyset.envelope,
        })
    }

    async fn set_revocation_url(&self, url: &str) -> Result<KeysetSetting, Failure> {
        let report = self.unlocking(async |issuer, now| issuer.set_revocation_url(url, now).await);
        let report = report.await?;
        let issued_by = &self.issuer().await?.settings().issuer;
        Ok(keyset_setting(issued_by, url.to_owned(), &report))
    }

    async fn status(&self) -> Result<IssuerStatus, Failure> {
        let issuer = self.issuer().await?;
        home_status::report(issuer, self.passphrase, self.global).await
    }

    async fn longest_life(&self) -> Result<u64, Failure> {
        Ok(self.issuer().await?.settings().max_token_ttl)
    }

    async fn mint(&self, request: &MintRequest) -> Result<(Token, MintReceipt), Failure> {
        let minted = self.unlocking(async |issuer, now| issuer.mint(request, now).await);
        let minted = minted.await?;
        Ok((minted.token, minted.receipt.into_wire()))
    }

    async fn tokens(&self, query: TokensQuery) -> Result<TokenPage, Failure> {
        Ok(list_tokens(self.issuer().await?, query, clock::now()?).await?)
    }

    async fn revoke(&self, request: &RevokeRequest) -> Result<Vec<RevokeResult>, Failure> {
        let now = clock::now()?;
        let targets = request
            .targets(now)
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        let issuer = self.issuer().await?;
        let RevokeRequest {
            of_token,
            expires,
            reason,
            ..
        } = request;
        let reports = issuer.revoke_all(&targets, *of_token, *expires, reason, now);
        Ok(reports.await?.into_wire())
    }

    /// Returns the time at which everything derived from a block has expired. The token must verify, because a
    /// forged one could make the revocation disappear early.
    async fn block_end(&self, token: &Token, block: usize) -> Result<Option<Timestamp>, Failure> {
        let issuer = self.issuer().await?;
        let keyset = issuer.published_keyset().await?;
        // The token is verified as of the time at which the keyset was signed, so that the keyset need not be signed
        // again.
        let verified = Trust::open(keyset.envelope.as_bytes(), issuer.keyset_key(), None)
            .ok()
            .and_then(|trust| Verifier::new("revocation", trust).ok())
            .is_some_and(|verifier| verifier.verify(token, keyset.issued_at).is_ok());
        if !verified {
            output::warn(
                "the token does not verify under the keyset of this issuer, so its revocation never expires",
            );
            return Ok(None);
        }
        let blocks = token.inspect().blocks;
        // Tokens derived from this block have the same blocks before it, and may have other blocks after it.
        let ends = blocks
            .iter()
            .take(block.saturating_add(1))
            .filter_map(|block| block.expires);
        Ok(ends.min().map(|end| end.plus(SKEW)))
    }

    fn serves_revocations(&self) -> bool {
        false
    }

    async fn revocations(&self) -> Result<Vec<RevokedEntry>, Failure> {
        let now = clock::now()?;
        let revoked = self.issuer().await?.revoked(now);
        let revoked = Progress::waiting("seconds, reading the revocations", revoked).await?;
        Ok(revoked.into_wire())
    }

    async fn snapshot(&self) -> Result<SignedSnapshot, Failure> {
        let snapshot = self.unlocking(async |issuer, now| {
            let signed = issuer.snapshot(now);
            Progress::waiting("seconds, signing the revocations", signed).await
        });
        let snapshot = snapshot.await?;
        Ok(SignedSnapshot {
            seq: snapshot.position.seq,
            entries: snapshot.entries,
            issued_at: snapshot.issued_at,
            expires: snapshot.expires,
            file: snapshot.file,
        })
    }

    async fn clients(&self) -> Result<Vec<RegisteredClient>, Failure> {
        Ok(self.issuer().await?.clients().await?.into_wire())
    }

    async fn register_client(
        &self,
        request: RegisterClientRequest,
    ) -> Result<ClientRegistration, Failure> {
        self.warn_of_unknown(&request.profiles)?;
        let now = clock::now()?;
        Ok(register_client(self.issuer().await?, request, now).await?)
    }

    async fn rotate_client(&self, name: &str, overlap: u64) -> Result<ClientWithSecret, Failure> {
        let now = clock::now()?;
        let made = self.issuer().await?.client_rotate(name, overlap, now);
        Ok(made.await?.into_wire())
    }

    async fn add_client_keys(
        &self,
        name: &str,
        request: AddClientKeysRequest,
    ) -> Result<RegisteredClient, Failure> {
        let (keys, now) = (new_keys(request.keys)?, clock::now()?);
        let client = self.issuer().await?.client_key_add(name, keys, now);
        Ok(client.await?.into_wire())
    }

    async fn remove_client_key(&self, name: &str, id: &str) -> Result<RegisteredClient, Failure> {
        let now = clock::now()?;
        let client = self.issuer().await?.client_key_remove(name, id, now);
        Ok(client.await?.into_wire())
    }

    async fn disable_client(&self, name: &str) -> Result<RegisteredClient, Failure> {
        let now = clock::now()?;
        let client = self.issuer().await?.client_disable(name, now);
        Ok(client.await?.into_wire())
    }

    async fn verifiers(&self) -> Result<VerifiersInUse, Failure> {
        Ok(self.issuer().await?.verifiers().await?.into_wire())
    }

    async fn forget_verifier(&self, name: &str) -> Result<(), Failure> {
        let issuer = self.issuer().await?;
        match issuer.forget_verifier(name, clock::now()?).await? {
            true => Ok(()),
            false => {
                let unknown = format!("no verifier has the name {}", code(name));
                Err(Failure::plain(Exit::NotFound, unknown)
                    .hint("`verifier lag` shows the names of all verifiers"))
            }
        }
    }

    async fn profiles(&self) -> Result<Vec<ProfileSummary>, Failure> {
        let profiles = Files::read(&[], self.global)?.parse(&ProfileLimits::default())?;
        let summaries = profiles.iter().map(Profile::summary);
        Ok(summaries.map(IntoWire::into_wire).collect())
    }

    async fn audit_rows(&self, query: AuditQuery) -> Result<Vec<AuditRecord>, Failure> {
        let filter = audit_filter(query).map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(self.issuer().await?.audit_list(&filter).await?.into_wire())
    }

    async fn audit_page(&self, after: u64) -> Result<Vec<AuditRecord>, Failure> {
        Ok(self.issuer().await?.audit_after(after).await?.into_wire())
    }

    async fn verify_audit(
        &self,
        checkpoints: &[Zeroizing<Vec<u8>>],
    ) -> Result<AuditVerification, Failure> {
        let issuer = self.issuer().await?;
        let (key, name) = (issuer.keyset_key(), &issuer.settings().issuer);
        let open = |bytes: &Zeroizing<Vec<u8>>| {
            Checkpoint::open(bytes, key, name).map_err(|error| Failure::new(Exit::Local, error))
        };
        let kept: Result<Vec<Checkpoint>, Failure> = checkpoints.iter().map(open).collect();
        let mut progress = Progress::new("rows");
        let report = issuer
            .audit_verify(&kept?, |rows| progress.at(rows))
            .await?;
        Ok(report.into_wire())
    }

    async fn sign_checkpoint(&self) -> Result<String, Failure> {
        self.unlocking(async |issuer, now| issuer.checkpoint(now).await)
            .await
    }
}

impl Home<'_> {
    /// Warns about profiles that do not exist. This is not an error, because a profile may be written later.
    fn warn_of_unknown(&self, named: &[String]) -> Result<(), Failure> {
        let Ok(known) = read_profiles(&self.global.home()?, &ProfileLimits::default()) else {
            return Ok(());
        };
        for profile in named.iter().filter(|profile| known.get(profile).is_none()) {
            output::warn(format_args!(
                "there is no profile {} in the home, so the client cannot use it until there is one",
                code(profile)
            ));
        }
        Ok(())
    }
}
