//! The refresher over real HTTP, on a loopback address, up to decisions about tokens.

#![cfg(test)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bailiwick_biscuit::build::{self, KeyPair};
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    report::{self, Report},
    revocation::{Digest, Epoch, Head, Position, Revocation, SnapshotBase, Target},
};
use bailiwick_verifier::{
    Reason, Request, Verifier,
    refresh::{Answer, FetchError, Get, Http, Options, Refresher, Transport, system_clock},
};
use ed25519_dalek::SigningKey;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    key.verifying_key().try_into().unwrap()
}

/// What the issuer serves.
#[derive(Clone)]
struct Issuer {
    url: String,
    /// Which seeds are root keys.
    roots: Arc<Mutex<Vec<u8>>>,
    changes: Arc<Mutex<Vec<Revocation>>>,
    reports: Arc<Mutex<Vec<Report>>>,
}

const KEYSET_KEY: u8 = 9;

impl Issuer {
    async fn serve() -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Issuer {
            url: format!("http://{}", listener.local_addr().unwrap()),
            roots: Arc::new(Mutex::new(vec![1])),
            changes: Arc::default(),
            reports: Arc::default(),
        };
        let app = Router::new()
            .route("/.well-known/bailiwick/keyset", get(keyset))
            .route("/.well-known/bailiwick/revocations", get(head))
            .route("/.well-known/bailiwick/revocations/snapshot", get(snapshot))
            .route(
                "/.well-known/bailiwick/revocations/{epoch}/{range}",
                get(page),
            )
            .route("/moved", get(|| async { Redirect::temporary("/large") }))
            .route("/large", get(|| async { vec![b'x'; 100_000] }))
            .route("/slow", get(std::future::pending::<()>))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        issuer
    }

    fn name(&self) -> &str {
        "https://issuer.example"
    }

    fn keyset(&self) -> Keyset {
        let now = system_clock()();
        let roots = self.roots.lock().unwrap();
        let root = |seed: &u8| RootKey {
            id: KeyId::derive(self.name(), &public(&key(*seed))),
            alg: Algorithm::Ed25519,
            public: public(&key(*seed)),
            state: KeyState::Retiring,
            not_after: None,
        };
        Keyset {
            issuer: self.name().to_owned(),
            version: roots.len() as u64,
            issued_at: now,
            expires: now.plus(86_400),
            refresh_hint: 3_600,
            max_token_ttl: 3_600,
            keys: roots.iter().map(root).collect(),
            tombstones: Vec::new(),
            revocation_url: Some(format!("{}/.well-known/bailiwick/revocations", self.url)),
        }
    }

    fn position(&self) -> Position {
        let start = Position::start(Epoch::from_bytes([1; 8]));
        let changes = self.changes.lock().unwrap();
        changes.iter().fold(start, |at, change| {
            at.then(change.to_line().as_bytes()).unwrap()
        })
    }

    /// A token signed by the root key of this seed.
    fn mint(&self, seed: u8, id: u8) -> String {
        let now = system_clock()();
        let claims = Claims {
            issuer: self.name().to_owned(),
            token_id: TokenId::from_bytes([id; 16]),
            agent: "agent:buyer".to_owned(),
            principal: "team:procurement".to_owned(),
            tenant: None,
            task: None,
            claims: Default::default(),
            issued_at: now,
            not_before: now.minus(60),
            expires: now.plus(600),
            max_depth: None,
        };
        let grants = Grants::from_toml("[[grant]]\nservice = \"erp\"\naction = \"order\"\n");
        let root = KeyPair::new(&key(seed)).unwrap();
        let id = KeyId::derive(self.name(), &public(&key(seed)));
        let block = datalog::authority_block(&claims, &grants.unwrap()).unwrap();
        let token = build::sign(&block, &root, Some(id.as_u32())).unwrap();
        token.to_base64().to_string()
    }
}

/// With an entity tag, as an issuer does.
fn tagged(asked: &HeaderMap, body: String) -> Response {
    let etag = format!("\"{}\"", Digest::of(body.as_bytes()));
    let known = asked.get(header::IF_NONE_MATCH);
    match known.is_some_and(|known| *known == etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::ETAG, etag)], body).into_response(),
    }
}

async fn keyset(State(issuer): State<Issuer>, asked: HeaderMap) -> Response {
    let version = issuer.roots.lock().unwrap().len();
    let known = asked.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| *known == format!("\"{version}\"")) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let etag = format!("\"{version}\"");
    let body = issuer.keyset().sign(&key(KEYSET_KEY)).to_json();
    ([(header::ETAG, etag)], body).into_response()
}

async fn head(State(issuer): State<Issuer>, asked: HeaderMap) -> Response {
    let report = asked.get(report::HEADER).unwrap().to_str().unwrap();
    issuer.reports.lock().unwrap().push(report.parse().unwrap());
    let now = system_clock()();
    let Position { epoch, seq, digest } = issuer.position();
    let head = Head {
        issuer: issuer.name().to_owned(),
        epoch,
        seq,
        keyset_version: 1,
        issued_at: now,
        expires: now.plus(3_600),
        digest,
    };
    tagged(&asked, head.sign(&key(KEYSET_KEY)).to_json())
}

async fn snapshot(State(issuer): State<Issuer>) -> String {
    let now = system_clock()();
    let base = SnapshotBase {
        keyset_version: 1,
        issuer: issuer.name().to_owned(),
        position: issuer.position(),
        issued_at: now,
        expires: now.plus(3_600),
    };
    let entries = issuer.changes.lock().unwrap().clone();
    base.write(entries, &key(KEYSET_KEY)).unwrap()
}

async fn page(State(issuer): State<Issuer>, Path((_, range)): Path<(String, String)>) -> String {
    let (after, to) = range.split_once('-').unwrap();
    let (after, to): (usize, usize) = (after.parse().unwrap(), to.parse().unwrap());
    let changes = issuer.changes.lock().unwrap();
    let lines = changes[after..to].iter();
    lines.map(|change| change.to_line() + "\n").collect()
}

/// Until it holds; for ten seconds at most.
async fn eventually(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_verifier_follows_its_issuer() {
    let issuer = Issuer::serve().await;
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(&format!("{}/", issuer.url), public(&key(KEYSET_KEY)));
    options.directory = Some(directory.path().to_owned());
    options.report = Some(Report::new("erp-1", "erp").unwrap());
    options.poll = Duration::from_millis(20);
    let refresher = Refresher::start(options, Http::new().unwrap(), system_clock())
        .await
        .unwrap();
    let monitor = refresher.monitor();
    let verifier = Arc::new(Verifier::new("erp", refresher.trust()).unwrap());
    let running = tokio::spawn(refresher.run(Arc::clone(&verifier)));
    let decide = |token: &str| {
        let decision = verifier.check(token, &Request::new("order"), system_clock()());
        decision.reason()
    };
    let token = issuer.mint(1, 7);
    assert_eq!(decide(&token), None);
    let revoked = Revocation {
        target: Target::Token(TokenId::from_bytes([7; 16])),
        expires: None,
    };
    issuer.changes.lock().unwrap().push(revoked);
    eventually(|| decide(&token) == Some(Reason::Revoked)).await;
    assert_eq!(decide(&issuer.mint(1, 8)), None);

    // A root key that nobody has heard of, until a token names it.
    issuer.roots.lock().unwrap().push(2);
    let rotated = issuer.mint(2, 9);
    assert_eq!(decide(&rotated), Some(Reason::UnknownKey));
    eventually(|| decide(&rotated).is_none()).await;

    eventually(|| monitor.status().keyset_version == 2).await;
    assert_eq!(monitor.status().failures, 0);
    let in_use = Some((Epoch::from_bytes([1; 8]), 1));
    let last = || issuer.reports.lock().unwrap().last().cloned().unwrap();
    eventually(|| last().keyset == Some(2) && last().feed == in_use).await;
    assert_eq!((last().name(), last().service()), ("erp-1", "erp"));
    running.abort();
}

#[tokio::test]
async fn what_http_is_kept_to() {
    let issuer = Issuer::serve().await;
    let http = Http::new().unwrap();
    let fetch = async |path: &str, limit: usize| {
        let url = format!("{}{path}", issuer.url);
        let get = Get {
            url: &url,
            etag: None,
            report: None,
            limit,
            timeout: Duration::from_millis(500),
            revalidate: false,
        };
        http.get(get).await
    };
    let large = fetch("/large", 100_000).await.unwrap();
    assert!(matches!(large, Answer::Found { body, .. } if body.len() == 100_000));
    assert_eq!(
        fetch("/large", 99_999).await,
        Err(FetchError::TooLarge(99_999))
    );
    assert_eq!(fetch("/moved", 100_000).await, Err(FetchError::Status(307)));
    assert_eq!(fetch("/nothing", 1).await, Ok(Answer::Gone));
    assert_eq!(fetch("/slow", 1).await, Err(FetchError::TimedOut(0)));
    assert!(Http::trusting(b"").is_err());
    assert!(Http::trusting(b"-----BEGIN CERTIFICATE-----\n").is_err());
}
