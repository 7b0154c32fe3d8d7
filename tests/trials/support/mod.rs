//! An issuer's service on loopback, and verifiers that follow it over HTTP.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a trial fails by panicking, and each uses a part of this"
)]

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Minted, NewClient, Passphrase};
use bailiwick_service::{Clock, Config, OPERATOR_SERVICE, Running, serve};
use bailiwick_token::{
    grant::{Grant, Grants},
    timestamp::Timestamp,
};
use bailiwick_verifier::{
    Call, Decision, Staleness, Verifier,
    refresh::{Follower, FollowerBuilder, FromIssuer, Monitor, system_clock},
};
use serde_json::Value;
use tempfile::TempDir;

pub const ISSUER: &str = "https://issuer.example";
pub const HEAD: &str = "/.well-known/bailiwick/revocations";

/// The service that tokens are for, and what they grant there.
pub const SERVICE: &str = "erp";
pub const ACTION: &str = "order:read";

pub const PASSPHRASE: &str = "a passphrase of a trial";

/// One profile for all clients; `{ttl}` is its longest life in seconds.
const PROFILES: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "team:procurement"
ttl = { min = "1s", default = "{ttl}s", max = "{ttl}s" }
[[profile.grant]]
service = "erp"
action = "order:read"
"#;

/// The system's clock, set forward or back by so many seconds.
#[derive(Clone, Default)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        let now = system_clock()();
        let seconds = self.0.load(Ordering::SeqCst);
        match u64::try_from(seconds) {
            Ok(forward) => now.plus(forward),
            Err(_) => now.minus(seconds.unsigned_abs()),
        }
    }

    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

/// A service that listens.
pub struct Service {
    pub issuer: Issuer,
    pub time: Time,
    pub url: String,
    listen: SocketAddr,
    running: Option<Running>,
    http: reqwest::Client,
    dir: TempDir,
}

impl Service {
    /// The issuer is as `options` say, and its keyset names the feed. `ttl` is the longest life of its
    /// clients' tokens, in seconds.
    pub async fn start(options: InitOptions, ttl: u64) -> Service {
        Service::start_with(options, ttl, async |_, _| {}).await
    }

    /// With something done to the issuer before anybody asks.
    #[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
    pub async fn start_with(
        options: InitOptions,
        ttl: u64,
        prepare: impl AsyncFnOnce(&Issuer, Timestamp),
    ) -> Service {
        let (listen, time) = (free(), Time::default());
        let url = format!("http://{listen}");
        let options = InitOptions {
            revocation_url: Some(format!("{url}{HEAD}")),
            ..options
        };
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let passphrase = Passphrase::new(PASSPHRASE).unwrap();
        let issuer = Issuer::init(&home, options, &passphrase, time.now())
            .await
            .unwrap();
        let profiles = PROFILES.replace("{ttl}", &ttl.to_string());
        std::fs::write(home.join("profiles.toml"), profiles).unwrap();
        prepare(&issuer, time.now()).await;
        let mut service = Service {
            issuer,
            time,
            url,
            listen,
            running: None,
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(60))
                .build()
                .unwrap(),
            dir,
        };
        service.listen().await;
        service
    }

    async fn listen(&mut self) {
        let config = Config {
            listen: self.listen,
            operations_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Config::default()
        };
        let running = serve(self.issuer.clone(), config, self.time.clock()).await;
        self.running = Some(running.unwrap());
    }

    /// The issuer of this home is in its place, at the same address.
    pub async fn become_that_of(&mut self, home: &Path) {
        self.stop().await;
        self.issuer = Issuer::open(home).await.unwrap();
        let passphrase = Passphrase::new(PASSPHRASE).unwrap();
        self.issuer.unlock(&passphrase).unwrap();
        self.listen().await;
    }

    /// Nobody listens any more; its folder stays, without open files in it.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(Duration::ZERO).await;
            self.issuer.clone().close().await;
        }
    }

    /// A place that is gone when the service is.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A token for that agent, minted at the issuer itself.
    pub async fn mint(&self, agent: &str, service: &str, action: &str, ttl: u64) -> Minted {
        let request = MintRequest {
            agent: agent.to_owned(),
            principal: "team:procurement".to_owned(),
            tenant: None,
            task: None,
            claims: Default::default(),
            grants: Grants::new(vec![Grant::new(service, action)]).unwrap(),
            ttl,
            max_depth: None,
            profile: None,
        };
        self.issuer.mint(&request, self.time.now()).await.unwrap()
    }

    /// Registers a client; what comes back is its secret.
    pub async fn client(&self, name: &str) -> String {
        let client = NewClient {
            name: name.to_owned(),
            principal: "team:procurement".to_owned(),
            profiles: vec!["buyer".to_owned()],
            claims: Default::default(),
        };
        let (_, secret) = self
            .issuer
            .client_add(client, self.time.now())
            .await
            .unwrap();
        secret.expose().to_owned()
    }

    /// Asks the token endpoint, as any OAuth client does.
    pub async fn token(&self, client: &str, secret: &str) -> String {
        let form = format!("grant_type=client_credentials&scope=buyer&client_id={client}");
        let answer = self
            .http
            .post(format!("{}/v1/token", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{form}&client_secret={secret}"))
            .send();
        let answer: Value = read(answer.await.unwrap()).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A call of an operator who may make this one and no other.
    pub async fn operate(&self, action: &str, path: &str, body: &Value) -> Value {
        let life = self.issuer.settings().max_token_ttl.min(30);
        let token = self
            .mint("operator:ada", OPERATOR_SERVICE, action, life)
            .await
            .token
            .to_base64();
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(token.as_str())
            .header("content-type", "application/json")
            .body(body.to_string())
            .send();
        read(answer.await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> String {
        let (status, text) = self.answer(path).await;
        assert_eq!(status, 200, "{text}");
        text
    }

    pub async fn answer(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(format!("{}{path}", self.url)).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A verifier of this name, which is to follow.
    pub fn follow(&self, name: &str, poll: Duration) -> FollowerBuilder<FromIssuer> {
        Verifier::follow(&self.url, *self.issuer.keyset_key())
            .service(SERVICE)
            .report_as(name)
            .poll(poll)
    }
}

/// An address that was free a moment ago: the keyset names it before anybody listens there.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

async fn read(answer: reqwest::Response) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// A verifier that follows until this is dropped.
pub struct Watch {
    pub name: String,
    pub monitor: Monitor,
    pub time: Time,
    follower: Follower,
}

impl Watch {
    pub async fn start(name: &str, builder: FollowerBuilder<FromIssuer>) -> Watch {
        Watch::with(name, builder, Time::default(), Staleness::default()).await
    }

    pub async fn with(
        name: &str,
        builder: FollowerBuilder<FromIssuer>,
        time: Time,
        staleness: Staleness,
    ) -> Watch {
        let builder = builder.clock(time.clock()).staleness(staleness);
        let follower = builder.start().await.unwrap();
        Watch {
            name: name.to_owned(),
            monitor: follower.monitor(),
            time,
            follower,
        }
    }

    pub fn check(&self, token: &str) -> Decision {
        self.check_at(token, self.time.now())
    }

    pub fn check_at(&self, token: &str, now: Timestamp) -> Decision {
        let verifier = self.follower.verifier();
        verifier.check(token, &Call::new(ACTION), now)
    }
}

/// Waits until something is so; for a minute at most.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    assert!(outcome.is_ok(), "it never came: {what}");
}
