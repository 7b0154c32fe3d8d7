//! The environment of the demonstration: a clock, an issuer, and the service that trusts it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Minted, Passphrase};
use bailiwick_token::{grant::Grants, timestamp::Timestamp};
use bailiwick_verifier::{Trust, Verifier, layer::Clock};
use rand::{Rng, distributions::Alphanumeric, rngs::OsRng};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{failure::broken, service, service::Orders};
use crate::{clock, exit::Failure};

/// Interval at which a verifier looks for a newer keyset, in seconds.
pub(super) const REFRESH: u64 = 60;

/// Maximum lifetime of a token, in seconds.
pub(super) const TOKEN_LIFE: u64 = 300;

/// The lifetime of a keyset, in seconds.
const KEYSET_LIFE: u64 = 600;

pub(super) struct DemoWorld {
    pub(super) issuer: Issuer,
    pub(super) verifier: Arc<Verifier>,
    pub(super) orders: Orders,
    pub(super) address: SocketAddr,
    /// Seconds since the epoch, shared by the issuer and the service.
    clock: Arc<AtomicU64>,
    /// The directory of the home, deleted when this value is dropped.
    _home: TempDir,
}

impl DemoWorld {
    /// Makes the issuer and starts the service.
    pub(super) async fn start() -> Result<DemoWorld, Failure> {
        let clock = Arc::new(AtomicU64::new(clock::now()?.unix()));
        let now = read_clock(&clock);
        let home = tempfile::tempdir().map_err(broken)?;
        let options = InitOptions {
            refresh_hint: REFRESH,
            max_token_ttl: TOKEN_LIFE,
            keyset_life: KEYSET_LIFE,
            ..InitOptions::new("https://issuer.example")
        };
        // The passphrase is random. Nobody needs to know it: the home is deleted at the end of the demonstration.
        let words: String = OsRng
            .sample_iter(Alphanumeric)
            .take(32)
            .map(char::from)
            .collect();
        let passphrase = Passphrase::new(&words).map_err(broken)?;
        let issuer = Issuer::init(&home.path().join("home"), options, &passphrase, now).await?;

        let keyset = issuer.keyset(now).await?;
        let trust = Trust::open(keyset.envelope.as_bytes(), issuer.keyset_key(), None);
        let verifier = Verifier::new("erp", trust.map_err(broken)?).map_err(broken)?;
        let verifier = Arc::new(verifier);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let orders = Orders::default();
        let ticking = Arc::clone(&clock);
        let tells: Clock = Arc::new(move || read_clock(&ticking));
        let app = service::app(Arc::clone(&verifier), tells, orders.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(DemoWorld {
            issuer,
            verifier,
            orders,
            address,
            clock,
            _home: home,
        })
    }

    /// Returns the time of the shared clock.
    pub(super) fn now(&self) -> Timestamp {
        read_clock(&self.clock)
    }

    /// Moves the shared clock forward.
    pub(super) fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Mints a token of the maximum lifetime.
    pub(super) async fn mint(&self, agent: &str, grants: &str) -> Result<Minted, Failure> {
        let request = MintRequest {
            agent: agent.to_owned(),
            principal: "team:procurement".to_owned(),
            tenant: None,
            task: None,
            claims: BTreeMap::new(),
            grants: Grants::from_toml(grants).map_err(broken)?,
            ttl: TOKEN_LIFE,
            max_depth: None,
            profile: None,
        };
        Ok(self.issuer.mint(&request, self.now()).await?)
    }

    /// Loads the published keyset and revocations into the verifier, as its background task would.
    pub(super) async fn reload(&self) -> Result<(), Failure> {
        let now = self.now();
        let keyset = self.issuer.keyset(now).await?;
        let revocations = self.issuer.snapshot(now).await?;
        let trust = Trust::open(
            keyset.envelope.as_bytes(),
            self.issuer.keyset_key(),
            Some(revocations.file.as_bytes()),
        );
        self.verifier
            .replace_trust(trust.map_err(broken)?)
            .map_err(broken)
    }

    pub(super) async fn close(self) {
        self.issuer.close().await;
    }
}

fn read_clock(clock: &AtomicU64) -> Timestamp {
    Timestamp::from_unix(clock.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
}
