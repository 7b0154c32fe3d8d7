//! A service on loopback, with a home, a clock and clients of its own.
//!
//! Every answer to [`Service::send`] is checked against `openapi.json`: an undocumented status, media type or
//! member fails the test.

mod answer;
pub mod description;
pub mod profiles;
pub mod scene;
pub mod wire;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Minted};
use bailiwick_service::{Config, OPERATOR_SERVICE, Running, serve};
use bailiwick_token::{
    revocation::{Head, SnapshotHeader},
    timestamp::Timestamp,
};
use bailiwick_verifier::{
    Trust, Verifier,
    refresh::{FollowerBuilder, FromIssuer},
};
use reqwest::{
    Client, Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;
use tempfile::TempDir;

pub use answer::{Answer, Auth};

use crate::{
    ISSUER, SERVICE, grant,
    http::{PATIENCE, client, eventually},
    issuer,
    time::Time,
    toml,
};
use profiles::{OF_PROVIDER, PROFILES, brief};

/// Initial time of services whose clock stands still.
pub const START: u64 = 1_795_000_000;

/// Paths of the documents that verifiers fetch from a service.
pub const KEYSET: &str = "/.well-known/bailiwick/keyset";
pub const HEAD: &str = "/.well-known/bailiwick/revocations";
pub const SNAPSHOT: &str = "/.well-known/bailiwick/revocations/snapshot";

/// Settings of a service that a test may change.
pub struct Setup {
    pub options: InitOptions,
    pub profiles: String,
    pub config: Config,
    pub time: Time,
    /// True if [`Service::said`] should keep every answer.
    pub record: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Setup {
            options: InitOptions::new(ISSUER),
            profiles: PROFILES.to_owned(),
            config: Config {
                listen: anywhere,
                operations_listen: anywhere,
                ..Config::default()
            },
            time: Time::still(Timestamp::from_unix(START).unwrap()),
            record: false,
        }
    }
}

impl Setup {
    /// Settings with the providers in this part of a `service.toml`, and with the profiles that need `corp`.
    pub fn with_providers(text: &str) -> Setup {
        let mut setup = Setup {
            profiles: format!("{PROFILES}{OF_PROVIDER}"),
            ..Setup::default()
        };
        setup.config.providers = Config::parse(text).unwrap().providers;
        setup
    }

    /// Settings for verifiers that follow the service: the clock runs, and the keyset names the feed. `ttl` is
    /// the maximum lifetime of clients' tokens, in seconds.
    pub fn followed(options: InitOptions, ttl: u64) -> Setup {
        let listen = free();
        let mut setup = Setup {
            options: InitOptions {
                revocation_url: Some(format!("http://{listen}{HEAD}")),
                ..options
            },
            profiles: brief(ttl),
            time: Time::running(),
            ..Setup::default()
        };
        setup.config.listen = listen;
        setup
    }

    pub async fn start(self) -> Service {
        self.start_with(async |_, _| {}).await
    }

    /// Starts the service after `prepare` has run on the issuer.
    pub async fn start_with(self, prepare: impl AsyncFnOnce(&Issuer, Timestamp)) -> Service {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let home = dir.path().join("home");
        let issuer = issuer::init(&home, self.options.clone(), self.time.now()).await;
        issuer::write_profiles(&home, &self.profiles);
        prepare(&issuer, self.time.now()).await;
        Service::serve(dir, issuer, self).await
    }
}

/// Finds a free address, which the keyset must name before the service listens there. The port is below 32768, because
/// Linux gives programs that ask for any port one from 32768 on.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at different ports.
    let begin = std::process::id() % 10_000;
    let mut addresses = std::iter::repeat_with(|| {
        let place = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + (begin + place) % 10_000).unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    });
    addresses
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap()
}

/// A running service.
pub struct Service {
    dir: Arc<TempDir>,
    pub issuer: Issuer,
    pub config: Config,
    pub time: Time,
    pub running: Option<Running>,
    pub address: SocketAddr,
    pub operations: SocketAddr,
    pub http: Client,
    /// All requests with their answers, if [`Setup::record`] is set.
    pub said: Option<Mutex<Vec<(String, Answer)>>>,
}

impl Service {
    pub async fn start() -> Service {
        Setup::default().start().await
    }

    async fn serve(dir: Arc<TempDir>, issuer: Issuer, setup: Setup) -> Service {
        let Setup {
            config,
            time,
            record,
            ..
        } = setup;
        let running = serve(issuer.clone(), config.clone(), time.clock()).await;
        let running = running.unwrap();
        Service {
            dir,
            issuer,
            config,
            time,
            address: running.address(),
            operations: running.operations_address(),
            running: Some(running),
            http: client(PATIENCE),
            said: record.then(Mutex::default),
        }
    }

    /// Starts another service on the same home.
    pub async fn another(&self) -> Service {
        let issuer = issuer::open(self.issuer.home()).await;
        let setup = Setup {
            config: self.config.clone(),
            time: self.time.clone(),
            record: self.said.is_some(),
            ..Setup::default()
        };
        Service::serve(Arc::clone(&self.dir), issuer, setup).await
    }

    /// Replaces the issuer with that of another home, at the same address.
    pub async fn become_that_of(&mut self, home: &Path) {
        self.stop().await;
        self.issuer = issuer::open(home).await;
        let config = Config {
            listen: self.address,
            ..self.config.clone()
        };
        let running = serve(self.issuer.clone(), config, self.time.clock()).await;
        let running = running.unwrap();
        self.operations = running.operations_address();
        self.running = Some(running);
    }

    /// Stops the service at once. Its folder remains, but no files in it are open.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(Duration::ZERO).await;
            self.issuer.clone().close().await;
        }
    }

    /// Path of a folder that is deleted with the service.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn home(&self) -> PathBuf {
        self.issuer.home().to_owned()
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Registers a client, and returns its secret.
    pub async fn client(&self, name: &str, profiles: &[&str]) -> String {
        let client = issuer::new_client(name, profiles);
        let (_, secret) = self.issuer.client_add(client, self.now()).await.unwrap();
        secret.expose().to_owned()
    }

    /// Mints a token with these grants for an agent of this name. Returns the token and its id.
    pub async fn mint(&self, agent: &str, grants: &str) -> (String, String) {
        let minted = self.mint_for(agent, grants, 600).await;
        let id = minted.receipt.token_id.to_string();
        (minted.token.to_base64().to_string(), id)
    }

    /// Mints directly at the issuer, not over HTTP.
    pub async fn mint_for(&self, agent: &str, grants: &str, ttl: u64) -> Minted {
        let request = MintRequest {
            principal: "user:operator".to_owned(),
            tenant: Some("acme".to_owned()),
            ..issuer::order(agent, toml(grants), ttl)
        };
        self.issuer.mint(&request, self.now()).await.unwrap()
    }

    /// Mints an operator's token for these actions.
    pub async fn operator(&self, actions: &[&str]) -> String {
        let grant = |action: &&str| grant(OPERATOR_SERVICE, action);
        let grants: String = actions.iter().map(grant).collect();
        let life = self.issuer.settings().max_token_ttl.min(600);
        let minted = self.mint_for("operator:ada", &grants, life).await;
        minted.token.to_base64().to_string()
    }

    /// Calls as an operator who may perform only this action, and checks that the call succeeds.
    pub async fn operate(&self, action: &str, path: &str, body: &Value) -> Value {
        let token = self.operator(&[action]).await;
        let answer = self.post(path, Auth::Bearer(&token), body).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        answer.json()
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        auth: Auth<'_>,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let of_machine = ["/livez", "/readyz", "/metrics"].contains(&path);
        let address = match of_machine {
            true => self.operations,
            false => self.address,
        };
        let url = format!("http://{address}{path}");
        let mut request = self.http.request(method.clone(), url).body(body);
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request = request.header(name, HeaderValue::from_str(value).unwrap());
        }
        if let Some(value) = auth.header() {
            request = request.header("authorization", value);
        }
        let response = request.send().await.unwrap();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        };
        description::check(&method, path, &answer);
        if let Some(said) = &self.said {
            let said_now = (path.to_owned(), answer.clone());
            said.lock().unwrap().push(said_now);
        }
        answer
    }

    pub async fn get(&self, path: &str, auth: Auth<'_>) -> Answer {
        self.send(Method::GET, path, auth, &[], "").await
    }

    pub async fn post(&self, path: &str, auth: Auth<'_>, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.send(Method::POST, path, auth, &json, body).await
    }

    /// Sends a form to the token endpoint.
    pub async fn token(&self, auth: Auth<'_>, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let media = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, "/v1/token", auth, &media, body)
            .await
    }

    /// Returns the value of a metric. The name includes its labels.
    pub async fn metric(&self, name: &str) -> Option<String> {
        let text = self.get("/metrics", Auth::None).await.text;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(str::to_owned)
    }

    /// Waits until a metric has a value.
    pub async fn wait_for(&self, name: &str, value: &str) {
        eventually(name, async || {
            self.metric(name).await.is_some_and(|found| found == value)
        })
        .await;
    }

    /// Fetches a public page, and checks that it exists.
    pub async fn fetch(&self, path: &str) -> String {
        let answer = self.get(path, Auth::None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    /// A builder of a verifier with this name that follows the service.
    pub fn follow(&self, name: &str, poll: Duration) -> FollowerBuilder<FromIssuer> {
        Verifier::follow(&self.url(), *self.issuer.keyset_key())
            .service(SERVICE)
            .report_as(name)
            .poll(poll)
    }

    /// Builds a verifier for `service` from the served keyset, snapshot and head, and the changes between the
    /// snapshot and the head.
    pub async fn verifier(&self, service: &str) -> Verifier {
        let keyset = self.fetch(KEYSET).await;
        let snapshot = self.fetch(SNAPSHOT).await;
        let head = self.fetch(HEAD).await;
        let key = self.issuer.keyset_key();
        let trust = Trust::open(keyset.as_bytes(), key, None).unwrap();
        let newest = Head::open(head.as_bytes(), key).unwrap();
        let (begun, _) = SnapshotHeader::open(snapshot.as_bytes(), key).unwrap();
        let path = format!("{}/{}-{}", newest.epoch, begun.seq, newest.seq);
        let lines = self.fetch(&format!("{HEAD}/{path}")).await;
        let trust = trust
            .require_revocations()
            .with_snapshot(
                snapshot.as_bytes(),
                head.as_bytes(),
                lines.as_bytes(),
                self.now(),
            )
            .unwrap();
        Verifier::new(service, trust).unwrap()
    }

    /// Returns all rows of the audit log, as an operator sees them.
    pub async fn audit(&self) -> Vec<Value> {
        let token = self.operator(&["audit:list"]).await;
        let mut rows = Vec::new();
        loop {
            let after = rows
                .last()
                .map_or(0, |row: &Value| row["seq"].as_u64().unwrap());
            let path = format!("/v1/audit?after={after}");
            let answer = self.get(&path, Auth::Bearer(&token)).await;
            let page = answer.json().as_array().unwrap().clone();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }
}

/// Reads every file in a directory, sorted by name.
pub fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}
