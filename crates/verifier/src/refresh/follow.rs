//! The builders of a [`Follower`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use bailiwick_token::{key::PublicKey, report::Report};

use super::{
    files::{FileRefresher, TrustFiles},
    follower::Follower,
    http::{Http, HttpError},
    options::Options,
    refresher::Refresher,
    setup::{FollowError, Setup},
    transport::Transport,
};
use crate::{
    clock::Clock,
    policy::Policy,
    trust::Staleness,
    verifier::{Limits, Verifier},
};

impl Verifier {
    /// Builds a verifier that follows its issuer over HTTPS. The keyset and revocations are fetched at the
    /// start, and kept fresh in the background.
    ///
    /// `issuer` is the address before `/.well-known/bailiwick/keyset`. `keyset_key` verifies everything that is
    /// fetched. The key itself is never fetched.
    ///
    /// ```no_run
    /// use bailiwick_token::key::PublicKey;
    /// use bailiwick_verifier::Verifier;
    ///
    /// # async fn example(keyset_key: PublicKey) -> Result<(), Box<dyn std::error::Error>> {
    /// let erp = Verifier::follow("https://issuer.example", keyset_key)
    ///     .service("erp")
    ///     .directory("/var/lib/erp/bailiwick")
    ///     .report_as("erp-1")
    ///     .start()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A verifier needs a service:
    ///
    /// ```compile_fail
    /// # use bailiwick_token::key::PublicKey;
    /// # use bailiwick_verifier::Verifier;
    /// # async fn example(keyset_key: PublicKey) {
    /// let erp = Verifier::follow("https://issuer.example", keyset_key).start().await;
    /// # }
    /// ```
    pub fn follow(issuer: &str, keyset_key: PublicKey) -> Unnamed<FromIssuer> {
        Unnamed(FromIssuer {
            options: Options::new(issuer, keyset_key),
            name: None,
            connect: Box::new(Http::new),
        })
    }

    /// Builds a verifier whose keyset comes from a file that the issuer exported. The file is read again at
    /// intervals while the service runs. The next call chooses the source of revocations.
    ///
    /// ```no_run
    /// # use bailiwick_token::key::PublicKey;
    /// # use bailiwick_verifier::Verifier;
    /// # async fn example(keyset_key: PublicKey) -> Result<(), Box<dyn std::error::Error>> {
    /// let erp = Verifier::from_files("keyset.json", keyset_key)
    ///     .revocations("revocations.ndjson")
    ///     .service("erp")
    ///     .start()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The choice cannot be left out:
    ///
    /// ```compile_fail
    /// # use bailiwick_token::key::PublicKey;
    /// # use bailiwick_verifier::Verifier;
    /// # fn example(keyset_key: PublicKey) {
    /// let erp = Verifier::from_files("keyset.json", keyset_key).service("erp");
    /// # }
    /// ```
    pub fn from_files(keyset: impl Into<PathBuf>, keyset_key: PublicKey) -> KeysetFile {
        KeysetFile(TrustFiles {
            keyset: keyset.into(),
            revocations: None,
            keyset_key,
        })
    }
}

/// A keyset file, before the source of revocations has been chosen.
#[must_use = "choose a source of revocations"]
pub struct KeysetFile(TrustFiles);

impl KeysetFile {
    /// Reads revocations from a snapshot that the issuer exported.
    pub fn revocations(mut self, snapshot: impl Into<PathBuf>) -> Unnamed<FromFiles> {
        self.0.revocations = Some(snapshot.into());
        self.without_revocations()
    }

    /// Decides without revocations: a revoked token stays valid until it expires.
    pub fn without_revocations(self) -> Unnamed<FromFiles> {
        Unnamed(FromFiles {
            files: self.0,
            every: Duration::from_secs(30),
        })
    }
}

/// A source of trust, before the service has been named.
#[must_use = "name the service"]
pub struct Unnamed<S>(S);

impl<S> Unnamed<S> {
    /// Names the service that grants refer to. The name is configured, and never taken from a request.
    pub fn service(self, name: &str) -> FollowerBuilder<S> {
        FollowerBuilder {
            source: self.0,
            setup: Setup::new(name),
        }
    }
}

/// The settings of a verifier and of its source of trust. All have defaults.
#[must_use = "start it"]
pub struct FollowerBuilder<S> {
    source: S,
    setup: Setup,
}

/// Trust from an issuer, fetched through a transport, which is [`Http`] by default.
pub struct FromIssuer<T = Http> {
    options: Options,
    name: Option<String>,
    connect: Box<dyn FnOnce() -> Result<T, HttpError> + Send>,
}

/// Trust from files.
pub struct FromFiles {
    files: TrustFiles,
    every: Duration,
}

impl<S> FollowerBuilder<S> {
    /// Replaces the default limits, which are those of the profile.
    pub fn limits(mut self, limits: Limits) -> FollowerBuilder<S> {
        self.setup.limits = limits;
        self
    }

    /// Adds the service's own Datalog, which every call must satisfy in addition to the token.
    pub fn policy(mut self, policy: Policy) -> FollowerBuilder<S> {
        self.setup.policy = Some(policy);
        self
    }

    /// Sets the limit on the age of revocations from a feed. The default is a minute.
    pub fn staleness(mut self, staleness: Staleness) -> FollowerBuilder<S> {
        self.setup.staleness = staleness;
        self
    }

    /// Turns shadow mode on or off. In shadow mode the layer lets denied calls through and logs a warning for
    /// each.
    pub fn shadow(mut self, shadow: bool) -> FollowerBuilder<S> {
        self.setup.shadow = shadow;
        self
    }

    /// Replaces the system's clock, for tests.
    pub fn clock(mut self, clock: Clock) -> FollowerBuilder<S> {
        self.setup.clock = clock;
        self
    }
}

impl FollowerBuilder<FromIssuer> {
    /// Trusts these CA certificates, in PEM, instead of those of the system.
    pub fn certificates(mut self, pem: impl Into<Vec<u8>>) -> FollowerBuilder<FromIssuer> {
        let pem = pem.into();
        self.source.connect = Box::new(move || Http::trusting(&pem));
        self
    }

    /// Replaces the transport that fetches files.
    pub fn transport<T: Transport>(self, transport: T) -> FollowerBuilder<FromIssuer<T>> {
        FollowerBuilder {
            source: FromIssuer {
                options: self.source.options,
                name: self.source.name,
                connect: Box::new(move || Ok(transport)),
            },
            setup: self.setup,
        }
    }
}

impl<T: Transport> FollowerBuilder<FromIssuer<T>> {
    /// Keeps the last good state in this directory, so that a service can start from it while its issuer is
    /// down. Each follower needs its own directory, on a disk that survives restarts.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> FollowerBuilder<FromIssuer<T>> {
        self.source.options.directory = Some(path.into());
        self
    }

    /// Reports the keyset and revocations in use to the issuer with each request, under this name.
    pub fn report_as(mut self, name: &str) -> FollowerBuilder<FromIssuer<T>> {
        self.source.name = Some(name.to_owned());
        self
    }

    /// Sets the interval between two polls of the feed. The default is 5 seconds.
    pub fn poll(mut self, interval: Duration) -> FollowerBuilder<FromIssuer<T>> {
        self.source.options.poll = interval;
        self
    }

    /// Loads the last good state from the directory, or else fetches it, and keeps it fresh from then on.
    ///
    /// A keyset is needed to start. Revocations may arrive later; if the keyset names a feed, no token is admitted
    /// before they do.
    ///
    /// # Errors
    /// [`FollowError`] if no keyset is available, or a setting cannot be used.
    ///
    /// # Panics
    /// If called outside a Tokio runtime.
    pub async fn start(self) -> Result<Follower, FollowError> {
        let FollowerBuilder { source, setup } = self;
        let mut options = source.options;
        let report = source.name.map(|name| Report::new(&name, &setup.service));
        options.report = report.transpose()?;
        let clock = Arc::clone(&setup.clock);
        let transport = (source.connect)()?;
        let refresher = Refresher::start(options, transport, Arc::clone(&clock)).await?;
        let (status, verifier) = (refresher.status(), setup.verifier(refresher.trust())?);
        let task = refresher.run(Arc::clone(&verifier));
        Ok(Follower::new(verifier, status, clock, task))
    }
}

impl FollowerBuilder<FromFiles> {
    /// Sets the interval between two reads of the files. The default is 30 seconds.
    pub fn poll(mut self, interval: Duration) -> FollowerBuilder<FromFiles> {
        self.source.every = interval;
        self
    }

    /// Reads the files, and reads them again at intervals. Files that are older than those in use, or that differ but
    /// have the same version, are refused, and those in use are kept.
    ///
    /// # Errors
    /// [`FollowError`] if a file cannot be read, a signature does not verify, or a setting cannot be used.
    ///
    /// # Panics
    /// If called outside a Tokio runtime.
    pub async fn start(self) -> Result<Follower, FollowError> {
        let FollowerBuilder { source, setup } = self;
        let clock = Arc::clone(&setup.clock);
        let (refresher, trust) =
            FileRefresher::start(source.files, source.every, Arc::clone(&clock)).await?;
        let (status, verifier) = (refresher.status(), setup.verifier(trust)?);
        let task = refresher.run(Arc::clone(&verifier));
        Ok(Follower::new(verifier, status, clock, task))
    }
}
