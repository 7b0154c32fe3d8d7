//! Start and stop of the service. On a stop, requests in progress are finished and no new ones begin.

use std::{
    fs,
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum_server::{
    Handle,
    accept::Accept,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use bailiwick_issuer::{Issuer, SignError};
use bailiwick_verifier::{layer::Clock, outbound::SafeUrl};
use hyper_util::rt::TokioTimer;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpSocket,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutStream;

use crate::{
    config::{Config, ConfigError, Tls},
    probes,
    profiles::{ProfilesError, read_profiles},
    routes,
    state::ServiceState,
    supervise::{Health, Supervisor},
    tasks,
};

/// Interval at which the certificate is read again.
const CERTIFICATE: Duration = Duration::from_secs(60);

/// Maximum number of connections that wait to be accepted. In a larger burst, some would have to retry, which
/// takes seconds.
const BACKLOG: u32 = 4096;

/// Maximum length of a request's head, in bytes. A token in the head takes up to 88 KiB of base64.
const MAX_HEAD: usize = 128 * 1024;

/// A running service.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    drain: Duration,
    public: Listener,
    private: Listener,
    tasks: Supervisor,
    tls: Option<Certificate>,
    state: Option<StateHandle>,
}

#[derive(Clone)]
struct StateHandle(ServiceState);

impl std::fmt::Debug for StateHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// Serves an issuer whose private keys are unlocked, with the profiles in its home. Returns once both
/// listeners are bound.
///
/// # Errors
/// [`ServeError`]; in that case, nothing runs.
///
/// ```
/// use std::path::Path;
///
/// use bailiwick_issuer::{Issuer, Passphrase};
/// use bailiwick_service::{Config, serve};
/// use bailiwick_verifier::system_clock;
///
/// # async fn example(passphrase: Passphrase) -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::parse(&std::fs::read_to_string("service.toml")?)?;
/// let issuer = Issuer::open(Path::new("home")).await?;
/// issuer.unlock(&passphrase)?;
/// let running = serve(issuer, config, system_clock()).await?;
/// println!("serving at {}", running.address());
/// # Ok(())
/// # }
/// ```
pub async fn serve(issuer: Issuer, config: Config, clock: Clock) -> Result<Running, ServeError> {
    config.check()?;
    if !issuer.is_unlocked() {
        return Err(ServeError::Locked);
    }
    let limits = config.profile_limits(issuer.settings());
    let profiles = read_profiles(issuer.home(), &limits)?;
    if profiles.is_empty() {
        tracing::warn!("there are no profiles, so no caller gets a token");
    }
    let url = issuer.revocation_url().await;
    let url = url.map_err(|error| Box::new(SignError::from(error)))?;
    match url.as_deref().map(SafeUrl::parse_base) {
        None => tracing::warn!(
            "the keyset names no URL of the revocations, so verifiers do not fetch any; set it with `bailiwick keyset set`"
        ),
        // An earlier version accepted such a URL.
        Some(Err(error)) => tracing::error!(
            %error,
            "verifiers do not accept the URL of the revocations, and deny every call; set another with `bailiwick keyset set`"
        ),
        Some(Ok(_)) => {}
    }
    let tls = match &config.tls {
        None => None,
        Some(tls) => {
            let home = issuer.home();
            let (certificate, key) = (home.join(&tls.certificate), home.join(&tls.key));
            Some((certified(&certificate, &key).await?, certificate, key))
        }
    };
    let bound = bind(config.listen)?;
    let operations_bound = bind(config.operations_listen)?;
    let state = ServiceState::new(issuer, config, profiles, clock).map_err(ServeError::Client)?;
    // Both are signed before the first request, so that verifiers never fetch an expired keyset or head.
    let now = state.now();
    state.issuer.keyset(now).await.map_err(Box::new)?;
    state.issuer.head(now).await.map_err(Box::new)?;

    let health = &state.metrics.tasks;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Supervisor::new(health.clone(), stopped);
    tasks::start(&state, &mut tasks);
    let places = Arc::new(Semaphore::new(state.config.limits.connections));
    let header = Duration::from_secs(state.config.limits.header_seconds);
    let limited = Limited {
        places,
        unread: header,
    };
    let routes = routes::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let operations = probes::router(state.clone()).into_make_service();

    let mut tls_in_use = None;
    let public = match tls {
        None => Listener::start("listener", health, bound, move |listener, handle| {
            let (limited, routes) = (limited.clone(), routes.clone());
            async move {
                let server = axum_server::from_tcp(listener)?.acceptor(limited);
                impatient(server.handle(handle), header).serve(routes).await
            }
        })?,
        Some((certificate, path, key)) => {
            let in_use = Certificate {
                config: certificate.clone(),
                certificate: path,
                key,
                failed: state.metrics.certificate_failed.clone(),
            };
            tls_in_use = Some(in_use.clone());
            tasks.every("certificate", CERTIFICATE, move || {
                let in_use = in_use.clone();
                async move { in_use.take_up().await }
            });
            let acceptor = RustlsAcceptor::new(certificate)
                .handshake_timeout(header)
                .acceptor(limited);
            Listener::start("listener", health, bound, move |listener, handle| {
                let (acceptor, routes) = (acceptor.clone(), routes.clone());
                async move {
                    let server = axum_server::from_tcp(listener)?.acceptor(acceptor);
                    impatient(server.handle(handle), header).serve(routes).await
                }
            })?
        }
    };
    let serve_operations = move |listener, handle| {
        let operations = operations.clone();
        async move {
            let server = axum_server::from_tcp(listener)?.handle(handle);
            impatient(server, header).serve(operations).await
        }
    };
    let private = Listener::start(
        "operations listener",
        health,
        operations_bound,
        serve_operations,
    )?;
    Ok(Running {
        stop,
        drain: Duration::from_secs(state.config.limits.drain_seconds),
        public,
        private,
        tasks,
        tls: tls_in_use,
        state: Some(StateHandle(state)),
    })
}

impl Running {
    /// Address for callers, verifiers and operators.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.public.address
    }

    /// Address of `/livez`, `/readyz` and `/metrics`.
    #[must_use]
    pub fn operations_address(&self) -> SocketAddr {
        self.private.address
    }

    /// Reads the profiles and the certificate again. If the certificate cannot be read, the log and the metrics
    /// say so, and the present one stays in use.
    ///
    /// # Errors
    /// [`ProfilesError`]; in that case, the present profiles stay in use.
    pub async fn reload(&self) -> Result<(), ProfilesError> {
        let (certificate, state) = (self.tls.clone(), self.state.clone());
        // A task of its own, so that a panic in reading does not end the process.
        let reloaded = tokio::spawn(async move {
            if let Some(certificate) = certificate {
                certificate.take_up().await;
            }
            match state {
                None => Ok(()),
                Some(StateHandle(state)) => state.reload_profiles().map(drop),
            }
        });
        reloaded.await.map_err(|_| ProfilesError::Fault)?
    }

    /// Stops the service. `/readyz` fails at once. After `grace`, no more connections are accepted, and
    /// requests in progress get the configured time to finish. Everything that was acknowledged is on disk.
    pub async fn stop(mut self, grace: Duration) {
        if let Some(StateHandle(state)) = &self.state {
            state.drain();
        }
        // Meanwhile load balancers see that `/readyz` fails, and send no more requests.
        tokio::time::sleep(grace).await;
        self.public.close(self.drain).await;
        self.private.close(Duration::from_secs(1)).await;
        // The tasks stop after the listeners, so that reports of the last requests are stored below.
        let _ = self.stop.send(true);
        self.tasks.join().await;
        if let Some(StateHandle(state)) = self.state.take() {
            if let Err(error) = state.flush_reports().await {
                tracing::warn!(%error, "the last reports of verifiers could not be saved");
            }
            state.issuer.clone().close().await;
        }
    }
}

/// A listener that is restarted if it ends.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    closing: watch::Sender<bool>,
    supervisor: Supervisor,
}

impl Listener {
    fn start<F>(
        task: &'static str,
        health: &Health,
        listener: TcpListener,
        serve: impl Fn(TcpListener, Handle<SocketAddr>) -> F + Send + Sync + 'static,
    ) -> io::Result<Listener>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let (closing, closed) = watch::channel(false);
        let mut supervisor = Supervisor::new(health.clone(), closed);
        let bound = Mutex::new(Some(listener));
        let of_server = handle.clone();
        let serve = Arc::new(serve);
        supervisor.keep(task, move || {
            let bound = bound.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (serve, handle) = (Arc::clone(&serve), of_server.clone());
            async move {
                let listener = bound.map_or_else(|| listen(address), Ok)?;
                serve(listener, handle).await
            }
        });
        Ok(Listener {
            address,
            handle,
            closing,
            supervisor,
        })
    }

    /// Stops accepting connections, and waits for requests in progress.
    async fn close(self, patience: Duration) {
        let _ = self.closing.send(true);
        self.handle.graceful_shutdown(Some(patience));
        self.supervisor.join().await;
    }
}

/// Limits the time for which an incomplete request head, or a peer that no longer answers, can occupy a connection.
fn impatient<A>(
    mut server: axum_server::Server<SocketAddr, A>,
    header: Duration,
) -> axum_server::Server<SocketAddr, A> {
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header)
        .max_headers(64)
        // The limit on unread bytes of each connection.
        .max_buf_size(MAX_HEAD);
    // HTTP/2 is not offered, because its connections can be kept busy without a request.
    server.http1_only().first_request_timeout(header)
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    listen(address).map_err(|error| ServeError::Bind { address, error })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

async fn certified(certificate: &Path, key: &Path) -> Result<RustlsConfig, ServeError> {
    // Several libraries bring a crypto provider, so `rustls` needs one that is set for the process. It may be set
    // already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if is_open(key) {
        tracing::warn!(
            path = %key.display(),
            "every user of this machine can read the TLS private key; run `chmod o=` on it"
        );
    }
    let config = read(certificate, key).await;
    let config = config.map_err(|error| ServeError::Certificate {
        path: certificate.to_owned(),
        error,
    })?;
    Ok(RustlsConfig::from_config(config))
}

/// Returns true if everybody on this machine can read a private key. Access for a group is allowed, because
/// several programs may share a key that way.
fn is_open(key: &Path) -> bool {
    fs::metadata(key).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

/// Checks that the certificate and the key of a configuration can be read and belong together. Returns true if
/// everybody on this machine can read the key. Paths are relative to `home`.
///
/// # Errors
/// [`ServeError::Certificate`].
pub async fn check_certificate(home: &Path, tls: &Tls) -> Result<bool, ServeError> {
    let (certificate, key) = (home.join(&tls.certificate), home.join(&tls.key));
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let checked = read(&certificate, &key).await;
    checked.map_err(|error| ServeError::Certificate {
        path: certificate,
        error,
    })?;
    Ok(is_open(&key))
}

async fn read(certificate: &Path, key: &Path) -> io::Result<Arc<rustls::ServerConfig>> {
    let read = RustlsConfig::from_pem_file(certificate, key).await?;
    let mut config = read.get_inner();
    // Only HTTP/1.1 is served, so HTTP/2 must not be offered.
    Arc::make_mut(&mut config).alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificate in use, with the files that it was read from.
#[derive(Debug, Clone)]
struct Certificate {
    config: RustlsConfig,
    certificate: PathBuf,
    key: PathBuf,
    failed: Gauge,
}

impl Certificate {
    async fn take_up(&self) {
        let read = read(&self.certificate, &self.key).await;
        self.failed.set(i64::from(read.is_err()));
        match read {
            Ok(read) => self.config.reload_from_config(read),
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be read, so the current one stays in use");
            }
        }
    }
}

/// A listener that closes connections beyond a maximum number, and those whose peers do not read their answers.
#[derive(Debug, Clone)]
struct Limited {
    places: Arc<Semaphore>,
    unread: Duration,
}

/// A connection that occupies a place.
struct Placed<S> {
    stream: Pin<Box<TimeoutStream<S>>>,
    _place: OwnedSemaphorePermit,
}

impl<I: AsyncRead + AsyncWrite, S> Accept<I, S> for Limited {
    type Stream = Placed<I>;
    type Service = S;
    type Future = Ready<io::Result<(Placed<I>, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => {
                let mut stream = TimeoutStream::new(stream);
                stream.set_write_timeout(Some(self.unread));
                let placed = Placed {
                    stream: Box::pin(stream),
                    _place: place,
                };
                Ok((placed, service))
            }
            Err(_) => Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "no place is free",
            )),
        })
    }
}

mod placed {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Placed;

    impl<S: AsyncRead + AsyncWrite> AsyncRead for Placed<S> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.stream.as_mut().poll_read(cx, buf)
        }
    }

    impl<S: AsyncRead + AsyncWrite> AsyncWrite for Placed<S> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.stream.as_mut().poll_write(cx, buf)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.stream.as_mut().poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.stream.as_mut().poll_shutdown(cx)
        }
    }
}

/// The reason why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// `service.toml` cannot be used.
    #[error("`service.toml` cannot be used: {0}")]
    Config(#[from] ConfigError),
    /// The profiles cannot be used.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// The private keys are locked.
    #[error("the private keys are locked; give the passphrase of the home")]
    Locked,
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address} ({error}); choose another address, or end the program that listens there"
    )]
    Bind {
        /// The address to listen on.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(
        "the certificate `{path}` or its key cannot be used ({error}); provide a certificate and its private key"
    )]
    Certificate {
        /// Path of the file.
        path: std::path::PathBuf,
        /// The cause of the failure.
        error: io::Error,
    },
    /// The HTTP client that fetches providers' keys cannot be made.
    #[error("no HTTPS client can be made ({0}); install the certificate authorities of the system")]
    Client(reqwest::Error),
    /// The keyset or the feed's head cannot be signed.
    #[error("the keyset or the head of the revocations cannot be signed: {0}")]
    Publish(#[from] Box<SignError>),
    /// The listeners cannot be started.
    #[error("cannot accept connections ({0}); check the limits of this process")]
    Io(#[from] io::Error),
}
