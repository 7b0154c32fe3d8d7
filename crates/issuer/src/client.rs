//! Clients: agents that authenticate with a name and a secret.
//!
//! A secret is `ID.RANDOM`: the part before the dot finds its hash, so that one Argon2id is computed
//! per attempt and not one per secret. It is shown once and kept as a hash. While a secret is being
//! exchanged two are good, so that no request is refused in between.

use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use bailiwick_token::{claims, text::is_path_segment, timestamp::Timestamp};
use quick_cache::sync::Cache;
use rand::{RngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    audit::{AuditEvent, Entry},
    batch::{Answers, Work},
    issuer::Issuer,
    store::{Store, StoreError, StoredClient, StoredSecret, Tx},
};

mod hashing;

use hashing::{Buffer, CALLERS, OPERATORS};

/// The longest name of a client, in bytes.
const MAX_NAME: usize = 128;

/// The most secrets of one client: one in use, one taking its place, and one spare.
const MAX_SECRETS: usize = 3;

/// The longest text that is tried as a secret.
const MAX_SECRET: usize = 256;

/// A client as people and programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Its name: the `client_id`.
    pub name: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// What profiles may look at, besides.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Since when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Its secrets, without what is secret in them.
    pub secrets: Vec<SecretInfo>,
}

/// What is told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// The part before the dot.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; not by itself, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A client to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// Its name.
    pub name: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// What profiles may look at, besides.
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// A client whose secret was verified. Only that verification makes one.
#[derive(Clone)]
pub struct SignedIn {
    info: ClientInfo,
    secret: StoredSecret,
}

impl SignedIn {
    /// The client as it was registered when it signed in.
    #[must_use]
    pub fn client(&self) -> &ClientInfo {
        &self.info
    }

    pub(crate) fn name(&self) -> &str {
        &self.info.name
    }

    /// Returns whether the registration and the secret are unchanged. Another secret beside it, or a
    /// later end of this one, does not matter.
    pub(crate) fn still_holds(&self, stored: &StoredClient, at: Timestamp) -> bool {
        let registered = |info: &ClientInfo| ClientInfo {
            secrets: Vec::new(),
            ..info.clone()
        };
        let has_secret = stored.secrets.iter().any(|secret| {
            (&secret.info.id, &secret.hash) == (&self.secret.info.id, &self.secret.hash)
                && secret.is_good(at)
        });
        has_secret
            && stored.info.disabled_at.is_none()
            && registered(&stored.info) == registered(&self.info)
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("client", &self.info.name)
            .finish_non_exhaustive()
    }
}

/// A secret, at the one time at which it is known. `Debug` shows nothing.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    fn generate() -> (String, ClientSecret) {
        let mut id = [0; 6];
        let mut random = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut id);
        OsRng.fill_bytes(&mut *random);
        let id = hex::encode(id);
        let mut digits = hex::encode(random.as_slice());
        let secret = Zeroizing::new(format!("{id}.{digits}"));
        digits.zeroize();
        (id, ClientSecret(secret))
    }

    /// The text, for the one who is to have it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").finish_non_exhaustive()
    }
}

impl Issuer {
    /// Registers a client, and makes its first secret.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
    pub async fn client_add(
        &self,
        client: NewClient,
        now: Timestamp,
    ) -> Result<(ClientInfo, ClientSecret), ClientError> {
        check(&client)?;
        let (stored, secret) = new_secret(now).await?;
        let info = ClientInfo {
            name: client.name,
            principal: client.principal,
            profiles: client.profiles,
            claims: client.claims,
            created_at: now,
            disabled_at: None,
            secrets: vec![stored.info.clone()],
        };
        let mut tx = self.write(now).await?;
        if tx.client(&info.name).await?.is_some() {
            return Err(ClientError::Exists(info.name));
        }
        tx.insert_client(&info).await?;
        tx.insert_client_secret(&info.name, &stored).await?;
        let detail = json!({
            "client": info.name,
            "profiles": info.profiles,
            "claims": info.claims,
            "secret": stored.info.id,
        });
        self.finish(tx, AuditEvent::ClientAdd, &info, detail, now)
            .await?;
        Ok((info, secret))
    }

    /// Makes another secret for a client; the ones that it has end `overlap` seconds from now.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
    pub async fn client_rotate(
        &self,
        name: &str,
        overlap: u64,
        now: Timestamp,
    ) -> Result<(ClientInfo, ClientSecret), ClientError> {
        let (stored, secret) = new_secret(now).await?;
        let mut tx = self.write(now).await?;
        let info = enabled(&mut tx, name).await?;
        let end = now.plus(overlap);
        tx.end_client_secrets(name, end, now).await?;
        let left = tx
            .client(name)
            .await?
            .map_or(0, |client| client.secrets.len());
        if left >= MAX_SECRETS {
            return Err(ClientError::TooManySecrets);
        }
        tx.insert_client_secret(name, &stored).await?;
        let detail = json!({ "client": name, "secret": stored.info.id, "others_end": end });
        // Read before the commit: after it nothing may fail, or the new secret is lost.
        let rotated = enabled(&mut tx, name).await?;
        self.finish(tx, AuditEvent::ClientRotate, &info, detail, now)
            .await?;
        Ok((rotated, secret))
    }

    /// Refuses a client from now on, and destroys its secrets. Its name is never used again, and
    /// the tokens that it has live on: revoke them by a watermark.
    ///
    /// # Errors
    /// [`ClientError`], and nothing changed.
    pub async fn client_disable(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<ClientInfo, ClientError> {
        let mut tx = self.write(now).await?;
        let info = enabled(&mut tx, name).await?;
        tx.disable_client(name, now).await?;
        let detail = json!({ "client": name });
        let disabled = tx.client(name).await?;
        self.finish(tx, AuditEvent::ClientDisable, &info, detail, now)
            .await?;
        Ok(disabled.map_or(info, |client| client.info))
    }

    /// All clients, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients(&self) -> Result<Vec<ClientInfo>, StoreError> {
        let clients = self.store.read().await?.clients().await?;
        Ok(clients.into_iter().map(|client| client.info).collect())
    }

    /// One client.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], or the database.
    pub async fn client(&self, name: &str) -> Result<ClientInfo, ClientError> {
        let client = self.store.glance().await?.client(name).await?;
        let client = client.ok_or_else(|| ClientError::NotFound(name.to_owned()))?;
        Ok(client.info)
    }

    /// The client of this name, where the secret is one of its own. Who is wrong, and about what,
    /// is not told, and takes as long. It computes for a while: how often, is for the caller to limit.
    ///
    /// # Errors
    /// [`StoreError`]; a wrong name or secret is `None`.
    pub async fn authenticate_client(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let claimed = self.claimed(name, secret, now).await?;
        let hash = claimed.as_ref().map(|claimed| claimed.secret.hash.clone());
        let right = self.secrets_seen.verify(hash, secret).await?;
        Ok(claimed.filter(|claimed| right && claimed.info.disabled_at.is_none()))
    }

    /// As [`Issuer::authenticate_client`], for a secret that was found good before, lately and here.
    /// It computes nothing, so it need not be limited, and tells nothing to who guesses.
    ///
    /// # Errors
    /// [`StoreError`]; everything else is `None`.
    pub async fn recognize_client(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let claimed = self.claimed(name, secret, now).await?;
        Ok(claimed.filter(|claimed| {
            self.secrets_seen.knows(&claimed.secret.hash, secret)
                && claimed.info.disabled_at.is_none()
        }))
    }

    /// The client of this name with the secret that this one claims to be, before that is verified.
    async fn claimed(
        &self,
        name: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        // What cannot be a name is not looked up: PostgreSQL, for one, takes no NUL.
        if secret.len() > MAX_SECRET || !is_name(name) {
            return Ok(None);
        }
        let Some(client) = self.clients_in_use.submit(name.to_owned()).await? else {
            return Ok(None);
        };
        let id = secret.split_once('.').map_or("", |(id, _)| id);
        let mut secrets = client.secrets.into_iter();
        let secret = secrets.find(|stored| stored.info.id == id && stored.is_good(now));
        Ok(secret.map(|secret| SignedIn {
            info: client.info,
            secret,
        }))
    }

    /// Notes that a one-time assertion was used. `false`: it was used before, here or at another
    /// issuer on the same database, or is so old that it may have been, before a restore. `id` names
    /// it for certain, such as by a hash of issuer and `jti`; `issued_at` is the earliest time at which
    /// it can have been made.
    ///
    /// # Errors
    /// [`StoreError`], and then it must be refused.
    pub async fn use_assertion(
        &self,
        id: &[u8; 32],
        issued_at: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write(now).await?;
        let first = tx.use_assertion(id, issued_at, expires, now).await?;
        tx.commit().await?;
        Ok(first)
    }

    async fn finish(
        &self,
        mut tx: Tx,
        event: AuditEvent,
        client: &ClientInfo,
        detail: serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = Entry {
            agent: Some(client.name.clone()),
            principal: Some(client.principal.clone()),
            ..Entry::new(event, detail)
        };
        tx.record(entry, &self.actor, now).await?;
        tx.commit().await
    }
}

/// Looks up the clients that sign in, as they stand then, with one statement.
pub(crate) struct LookUp(pub(crate) Store);

#[async_trait]
impl Work for LookUp {
    /// The name.
    type Job = String;
    type Done = Option<StoredClient>;
    type Error = StoreError;

    async fn all(&self, names: &[String]) -> Result<Answers<LookUp>, StoreError> {
        let distinct: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let distinct: Vec<&str> = distinct.into_iter().collect();
        let clients = self.0.glance().await?.clients_named(&distinct).await?;
        let found = |name: &String| clients.iter().find(|client| client.info.name == *name);
        Ok(names.iter().map(|name| Ok(found(name).cloned())).collect())
    }
}

/// Secrets that were found good lately, so that a client which comes every minute does not cost an
/// Argon2id each time. It holds hashes of high-entropy secrets under a key of this process.
pub(crate) struct SecretsSeen {
    key: [u8; 32],
    good: Cache<[u8; 32], ()>,
}

impl Default for SecretsSeen {
    fn default() -> SecretsSeen {
        let mut key = [0; 32];
        OsRng.fill_bytes(&mut key);
        SecretsSeen {
            key,
            good: Cache::new(4_096),
        }
    }
}

impl SecretsSeen {
    /// Whether `secret` is the one that was hashed. Without a hash it takes as long, and is wrong.
    async fn verify(&self, hash: Option<String>, secret: &str) -> Result<bool, StoreError> {
        let hash = hash.unwrap_or_else(|| nobody().to_owned());
        let digest = self.digest(&hash, secret);
        if self.good.get(&digest).is_some() {
            return Ok(true);
        }
        let secret = Zeroizing::new(secret.to_owned());
        let right = CALLERS.run(|| {
            // While this waited, the same secret may have been found good: many come at once after a
            // start.
            let seen = self.good.get(&digest).is_some();
            move |buffer: &mut Buffer| seen || buffer.verifies(secret.as_bytes(), &hash)
        });
        let right = right.await?.unwrap_or(false);
        if right {
            self.good.insert(digest, ());
        }
        Ok(right)
    }

    /// Whether `secret` was found to be the one that was hashed.
    fn knows(&self, hash: &str, secret: &str) -> bool {
        self.good.get(&self.digest(hash, secret)).is_some()
    }

    fn digest(&self, hash: &str, secret: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update((hash.len() as u64).to_be_bytes())
            .chain_update(hash)
            .chain_update(secret)
            .finalize()
            .into()
    }
}

/// The hash of a secret that nobody has.
fn nobody() -> &'static str {
    static NOBODY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NOBODY.get_or_init(|| {
        let (_, secret) = ClientSecret::generate();
        let hash = Buffer::default().hash(secret.expose().as_bytes());
        hash.unwrap_or_default()
    })
}

async fn new_secret(now: Timestamp) -> Result<(StoredSecret, ClientSecret), ClientError> {
    let (id, secret) = ClientSecret::generate();
    let made = OPERATORS.run(|| {
        move |buffer: &mut Buffer| {
            let hash = buffer.hash(secret.expose().as_bytes());
            hash.map(|hash| (hash, secret))
        }
    });
    let (hash, secret) = made.await?.flatten().ok_or(ClientError::Hash)?;
    let info = SecretInfo {
        id,
        created_at: now,
        expires: None,
    };
    Ok((StoredSecret { info, hash }, secret))
}

async fn enabled(tx: &mut Tx, name: &str) -> Result<ClientInfo, ClientError> {
    let client = tx
        .client(name)
        .await?
        .ok_or_else(|| ClientError::NotFound(name.to_owned()))?
        .info;
    match client.disabled_at {
        None => Ok(client),
        Some(at) => Err(ClientError::Disabled(at)),
    }
}

/// RFC 6749, appendix A: visible ASCII; a colon would end it in HTTP Basic. Operators name it in URLs.
fn is_name(name: &str) -> bool {
    let named = |c: char| c.is_ascii_graphic() && c != ':';
    // A slash would also make it what the audit calls a provider's subject.
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(named) && is_path_segment(name)
}

fn check(client: &NewClient) -> Result<(), ClientError> {
    if !is_name(&client.name) {
        return Err(ClientError::Name);
    }
    if client.principal.trim() != client.principal || !claims::is_name(&client.principal) {
        return Err(ClientError::Principal);
    }
    if client.profiles.is_empty() || client.profiles.len() > 64 {
        return Err(ClientError::Profiles);
    }
    let claims = json!(client.claims).to_string();
    let taken = ["client", "principal", "profiles"];
    if claims.len() > 16_384 || taken.iter().any(|name| client.claims.contains_key(*name)) {
        return Err(ClientError::Claims);
    }
    Ok(())
}

/// Why a verb about clients was refused. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The name cannot be one.
    #[error(
        "a client's name has 1 to {MAX_NAME} visible ASCII characters without `:`, `/`, `\\`, `%`, `?` and `#`, and is not `.` or `..`"
    )]
    Name,
    /// Nobody.
    #[error(
        "a client acts on somebody's authority: name a principal of at most {} bytes, without control characters and without white space at its ends",
        claims::MAX_NAME
    )]
    Principal,
    /// None, or too many.
    #[error("a client uses 1 to 64 profiles: name them")]
    Profiles,
    /// Too large, or in the way of what the issuer states.
    #[error(
        "a client's claims have at most 16 KiB of JSON, and none is `client`, `principal` or `profiles`"
    )]
    Claims,
    /// The name is taken.
    #[error("the client `{0}` exists: choose another name, also after a client was disabled")]
    Exists(String),
    /// There is none.
    #[error("no client has the name `{0}`: `client list` shows all of them")]
    NotFound(String),
    /// It is refused for good.
    #[error("the client was disabled at {0}: register another one")]
    Disabled(Timestamp),
    /// Secrets that are being exchanged for others already.
    #[error(
        "the client has {MAX_SECRETS} secrets: wait until one has ended, or use a shorter overlap"
    )]
    TooManySecrets,
    /// No memory.
    #[error("the secret cannot be hashed: free memory and try again")]
    Hash,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
