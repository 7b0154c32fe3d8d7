//! A service that listens, with a home, a clock and clients of its own.
//!
//! Whatever is sent through [`Service::send`], its answer is held against `openapi.json`: a status,
//! a media type or a member that is not described there fails the test that met it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking, and each file uses a part of this"
)]

pub mod description;
pub mod provider;
pub mod scene;
pub mod wire;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bailiwick_api::{ProblemCode, ProblemDetails};
use bailiwick_issuer::{InitOptions, Issuer, MintRequest, NewClient, Passphrase};
use bailiwick_service::{Clock, Config, OPERATOR_SERVICE, Running, serve};
use bailiwick_token::{
    grant::Grants,
    revocation::{Head, SnapshotHeader},
    timestamp::Timestamp,
};
use bailiwick_verifier::{Trust, Verifier};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const ISSUER: &str = "https://issuer.example";
pub const PASSPHRASE: &str = "correct horse battery";

/// When tests begin.
pub const START: u64 = 1_795_000_000;

/// How long is waited for what is certain to come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The profiles of most tests: for a client, for a client of others, for a client with a rate, for
/// a client and a person, for a workload, for a workload and a person.
pub const PROFILES: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "team:procurement"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:*"
[[profile.grant]]
service = "crm"
action = "contact:read"

[[profile]]
name = "treasurer"
[profile.match.agent]
source = "client"
claims.department = "treasury"
[profile.token]
agent = "agent:treasurer"
principal = "team:treasury"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "bank"
action = "payment:create"

[[profile]]
name = "seldom"
[profile.match.agent]
source = "client"
[profile.token]
agent = "agent:seldom"
principal = "team:procurement"
ttl = { min = "1m", default = "10m", max = "1h" }
rate = { per_minute = 1, burst = 2 }
[[profile.grant]]
service = "erp"
action = "report:read"
"#;

/// Those that need the provider `corp`.
pub const OF_PROVIDER: &str = r#"
[[profile]]
name = "assistant"
[profile.match.agent]
source = "client"
[profile.match.principal]
source = "corp"
claims.groups = "buyers"
[profile.params]
sub = { claim = "principal.sub", type = "string" }
[profile.token]
agent = "agent:assistant"
principal = "user:${sub}"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"

[[profile]]
name = "workload"
[profile.match.agent]
source = "corp"
[profile.params]
sub = { claim = "agent.sub", type = "string" }
[profile.token]
agent = "agent:${sub}"
principal = "team:platform"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:read"

[[profile]]
name = "deputy"
[profile.match.agent]
source = "corp"
[profile.match.principal]
source = "corp"
[profile.params]
agent = { claim = "agent.sub", type = "string" }
sub = { claim = "principal.sub", type = "string" }
[profile.token]
agent = "agent:${agent}"
principal = "user:${sub}"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;

/// A clock that stands still until it is told.
#[derive(Clone)]
pub struct Time(Arc<AtomicU64>);

impl Time {
    fn new() -> Time {
        Time(Arc::new(AtomicU64::new(START)))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

/// What a test may want otherwise.
pub struct Setup {
    pub issuer: String,
    pub profiles: String,
    pub config: Config,
}

impl Default for Setup {
    fn default() -> Setup {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Setup {
            issuer: ISSUER.to_owned(),
            profiles: PROFILES.to_owned(),
            config: Config {
                listen: anywhere,
                operations_listen: anywhere,
                ..Config::default()
            },
        }
    }
}

impl Setup {
    /// With the providers of this part of a `service.toml`, and the profiles that need `corp`.
    pub fn with_providers(text: &str) -> Setup {
        let mut setup = Setup {
            profiles: format!("{PROFILES}{OF_PROVIDER}"),
            ..Setup::default()
        };
        setup.config.providers = Config::parse(text).unwrap().providers;
        setup
    }

    pub async fn start(self) -> Service {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let passphrase = Passphrase::new(PASSPHRASE).unwrap();
        let time = Time::new();
        let options = InitOptions::new(&self.issuer);
        let issuer = Issuer::init(&home, options, &passphrase, time.now())
            .await
            .unwrap();
        std::fs::write(home.join("profiles.toml"), &self.profiles).unwrap();
        let config = self.config;
        Service::serve(Arc::new(dir), issuer, config, time, None).await
    }
}

/// How a request is authenticated.
#[derive(Clone, Copy)]
pub enum Auth<'a> {
    None,
    Basic(&'a str, &'a str),
    Bearer(&'a str),
}

impl Auth<'_> {
    fn header(self) -> Option<String> {
        match self {
            Auth::None => None,
            Auth::Basic(name, secret) => {
                let encoded = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", encoded(name), encoded(secret));
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Auth::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }
}

/// A service that listens.
pub struct Service {
    dir: Arc<TempDir>,
    pub issuer: Issuer,
    pub config: Config,
    pub time: Time,
    pub running: Option<Running>,
    pub address: SocketAddr,
    pub operations: SocketAddr,
    pub http: Client,
    /// Whatever it answered, and to what.
    pub said: Mutex<Vec<(String, Answer)>>,
}

impl Service {
    pub async fn start() -> Service {
        Setup::default().start().await
    }

    #[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
    async fn serve(
        dir: Arc<TempDir>,
        issuer: Issuer,
        config: Config,
        time: Time,
        clock: Option<Clock>,
    ) -> Service {
        let clock = clock.unwrap_or_else(|| time.clock());
        let running = serve(issuer.clone(), config.clone(), clock).await.unwrap();
        Service {
            dir,
            issuer,
            config,
            time,
            address: running.address(),
            operations: running.operations_address(),
            running: Some(running),
            said: Mutex::default(),
            http: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
        }
    }

    /// Another process on the same home.
    pub async fn another(&self) -> Service {
        let issuer = Issuer::open(self.issuer.home()).await.unwrap();
        issuer
            .unlock(&Passphrase::new(PASSPHRASE).unwrap())
            .unwrap();
        let (dir, config) = (Arc::clone(&self.dir), self.config.clone());
        Service::serve(dir, issuer, config, self.time.clone(), None).await
    }

    pub fn home(&self) -> PathBuf {
        self.issuer.home().to_owned()
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Registers a client; what comes back is its secret.
    pub async fn client(&self, name: &str, profiles: &[&str]) -> String {
        let client = NewClient {
            name: name.to_owned(),
            principal: "team:procurement".to_owned(),
            profiles: profiles.iter().map(ToString::to_string).collect(),
            claims: serde_json::Map::new(),
        };
        let (_, secret) = self.issuer.client_add(client, self.now()).await.unwrap();
        secret.expose().to_owned()
    }

    /// A token with these grants, for an agent of that name.
    pub async fn mint(&self, agent: &str, grants: &str) -> (String, String) {
        let request = MintRequest {
            agent: agent.to_owned(),
            principal: "user:operator".to_owned(),
            tenant: Some("acme".to_owned()),
            task: None,
            claims: [].into(),
            grants: Grants::from_toml(grants).unwrap(),
            ttl: 600,
            profile: None,
            max_depth: None,
        };
        let minted = self.issuer.mint(&request, self.now()).await.unwrap();
        let id = minted.receipt.token_id.to_string();
        (minted.token.to_base64().to_string(), id)
    }

    /// An operator's token for these actions.
    pub async fn operator(&self, actions: &[&str]) -> String {
        let grant = |action: &&str| grant(OPERATOR_SERVICE, action);
        let grants: String = actions.iter().map(grant).collect();
        self.mint("operator:ada", &grants).await.0
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
        let said = (path.to_owned(), answer.clone());
        self.said.lock().unwrap().push(said);
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

    /// Asks the token endpoint.
    pub async fn token(&self, auth: Auth<'_>, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let media = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, "/v1/token", auth, &media, body)
            .await
    }

    /// The value of a metric, labels included in its name.
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

    /// What a verifier of `service` makes of what is served: keyset, snapshot, head, and the changes between
    /// the two.
    pub async fn verifier(&self, service: &str) -> Verifier {
        let fetched = async |path: &str| {
            let answer = self.get(path, Auth::None).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.text
        };
        let keyset = fetched("/.well-known/bailiwick/keyset").await;
        let snapshot = fetched("/.well-known/bailiwick/revocations/snapshot").await;
        let head = fetched("/.well-known/bailiwick/revocations").await;
        let key = self.issuer.keyset_key();
        let trust = Trust::open(keyset.as_bytes(), key, None).unwrap();
        let newest = Head::open(head.as_bytes(), key).unwrap();
        let (begun, _) = SnapshotHeader::open(snapshot.as_bytes(), key).unwrap();
        let path = format!("{}/{}-{}", newest.epoch, begun.seq, newest.seq);
        let lines = fetched(&format!("/.well-known/bailiwick/revocations/{path}")).await;
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

    /// All rows of the audit, as an operator sees them.
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

/// A grant in TOML.
pub fn grant(service: &str, action: &str) -> String {
    format!("[[grant]]\nservice = \"{service}\"\naction = \"{action}\"\n")
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// That it is this problem.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: ProblemCode) -> ProblemDetails {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem: ProblemDetails = serde_json::from_str(&self.text).unwrap();
        assert_eq!((problem.status, problem.code), (status, code), "{self:?}");
        problem
    }

    /// That it is this OAuth error, in the form of RFC 6749, section 5.2.
    #[track_caller]
    pub fn is_oauth(&self, status: u16, error: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["error"], json!(error), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        let description = self.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned();
        let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        assert!(description.chars().all(allowed), "{description}");
        description
    }

    /// The token in it.
    #[track_caller]
    pub fn is_token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body = self.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(
            body["issued_token_type"],
            "urn:bailiwick:token-type:biscuit"
        );
        body["access_token"].as_str().unwrap().to_owned()
    }
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("it never came: {what}");
    }
}

/// The bytes of every file in a directory, by name.
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
