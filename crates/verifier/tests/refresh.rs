//! Tests of followers, from fetching to decisions: over real HTTP on a loopback address, and with files.

#![cfg(test)]

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bailiwick_testkit::{ISSUER, Root, SERVICE, claims, grant, toml};
use bailiwick_token::{
    claims::{Claims, TokenId},
    key::PublicKey,
    keyset::{KeyState, Keyset, RootKey},
    report::{self, Report},
    revocation::{Digest, Epoch, Head, Position, Revocation, SnapshotBase, Target},
};
use bailiwick_verifier::{
    Call, Reason, Staleness, Verifier,
    refresh::{
        FetchError, Fetched, FollowError, Follower, Get, Http, RefreshError, Transport,
        system_clock,
    },
};

/// Makes the keys of an issuer, with the root key from this seed.
fn root(seed: u8) -> Root {
    Root::from_seeds(seed, 9)
}

fn keyset_key() -> PublicKey {
    root(1).keyset_public()
}

/// An issuer that serves a keyset and a feed over HTTP, and receives reports.
#[derive(Clone)]
struct Issuer {
    url: String,
    /// Seeds of the root keys that the keyset lists.
    roots: Arc<Mutex<Vec<u8>>>,
    changes: Arc<Mutex<Vec<Revocation>>>,
    reports: Arc<Mutex<Vec<Report>>>,
}

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

    fn keyset(&self) -> Keyset {
        let now = system_clock()();
        let roots = self.roots.lock().unwrap();
        let listed = |seed: &u8| RootKey {
            state: KeyState::Retiring,
            ..root(*seed).listed()
        };
        Keyset {
            version: roots.len() as u64,
            issued_at: now,
            expires: now.plus(86_400),
            refresh_hint: 3_600,
            keys: roots.iter().map(listed).collect(),
            revocation_url: Some(format!("{}/.well-known/bailiwick/revocations", self.url)),
            ..root(1).keyset()
        }
    }

    fn snapshot(&self) -> String {
        let now = system_clock()();
        let base = SnapshotBase {
            keyset_version: 1,
            issuer: ISSUER.to_owned(),
            position: self.position(),
            issued_at: now,
            expires: now.plus(3_600),
        };
        let entries = self.changes.lock().unwrap().clone();
        base.write(entries, &root(1).keyset_key).unwrap()
    }

    /// Revokes the token with this id.
    fn revoke(&self, id: u8) {
        self.changes.lock().unwrap().push(Revocation {
            target: Target::Token(TokenId::from_bytes([id; 16])),
            expires: None,
        });
    }

    fn position(&self) -> Position {
        let start = Position::start(Epoch::from_bytes([1; 8]));
        let changes = self.changes.lock().unwrap();
        changes.iter().fold(start, |at, change| {
            at.then(change.to_line().as_bytes()).unwrap()
        })
    }

    /// A token signed by the root key made from this seed.
    fn mint(&self, seed: u8, id: u8) -> String {
        let now = system_clock()();
        let claims = Claims {
            token_id: TokenId::from_bytes([id; 16]),
            issued_at: now,
            not_before: now.minus(60),
            expires: now.plus(600),
            ..claims()
        };
        let grants = toml(&grant(SERVICE, "order"));
        let token = root(seed).mint_with(&claims, &grants);
        token.to_base64().to_string()
    }
}

/// Answers with an entity tag, as an issuer does.
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
    let body = issuer.keyset().sign(&root(1).keyset_key).to_json();
    ([(header::ETAG, etag)], body).into_response()
}

async fn head(State(issuer): State<Issuer>, asked: HeaderMap) -> Response {
    let report = asked.get(report::HEADER).unwrap().to_str().unwrap();
    issuer.reports.lock().unwrap().push(report.parse().unwrap());
    let now = system_clock()();
    let Position { epoch, seq, digest } = issuer.position();
    let head = Head {
        issuer: ISSUER.to_owned(),
        epoch,
        seq,
        keyset_version: 1,
        issued_at: now,
        expires: now.plus(3_600),
        digest,
    };
    tagged(&asked, head.sign(&root(1).keyset_key).to_json())
}

async fn snapshot(State(issuer): State<Issuer>) -> String {
    issuer.snapshot()
}

async fn page(State(issuer): State<Issuer>, Path((_, range)): Path<(String, String)>) -> String {
    let (after, to) = range.split_once('-').unwrap();
    let (after, to): (usize, usize) = (after.parse().unwrap(), to.parse().unwrap());
    let changes = issuer.changes.lock().unwrap();
    let lines = changes[after..to].iter();
    lines.map(|change| change.to_line() + "\n").collect()
}

/// Waits until the condition holds, for at most ten seconds.
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

/// Returns the reason for denying a call with this token; `None` if it is allowed.
fn decide(follower: &Follower, token: &str) -> Option<Reason> {
    follower.check(token, &Call::new("order")).reason()
}

#[tokio::test]
async fn a_verifier_follows_its_issuer() {
    let issuer = Issuer::serve().await;
    let directory = tempfile::tempdir().unwrap();
    let follower = Verifier::follow(&format!("{}/", issuer.url), keyset_key())
        .service("erp")
        .directory(directory.path())
        .report_as("erp-1")
        .poll(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let monitor = follower.monitor();
    assert!(monitor.is_ready());
    let token = issuer.mint(1, 7);
    assert_eq!(decide(&follower, &token), None);
    issuer.revoke(7);
    eventually(|| decide(&follower, &token) == Some(Reason::Revoked)).await;
    assert_eq!(decide(&follower, &issuer.mint(1, 8)), None);

    // The verifier learns of this root key only when a token names it.
    issuer.roots.lock().unwrap().push(2);
    let rotated = issuer.mint(2, 9);
    assert_eq!(decide(&follower, &rotated), Some(Reason::UnknownKey));
    eventually(|| decide(&follower, &rotated).is_none()).await;

    eventually(|| monitor.status().keyset_version == 2).await;
    assert_eq!(monitor.status().failures, 0);
    let in_use = Some((Epoch::from_bytes([1; 8]), 1));
    let last = || issuer.reports.lock().unwrap().last().cloned().unwrap();
    eventually(|| last().keyset == Some(2) && last().feed == in_use).await;
    assert_eq!((last().name(), last().service()), ("erp-1", "erp"));

    // The task ends with its follower, and another follower starts from the files that it kept.
    drop(follower);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let asked = issuer.reports.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(issuer.reports.lock().unwrap().len(), asked);
    let again = Verifier::follow("https://127.0.0.1:9", keyset_key())
        .service("erp")
        .directory(directory.path())
        .start()
        .await
        .unwrap();
    assert_eq!(decide(&again, &token), Some(Reason::Revoked));
}

#[tokio::test]
async fn settings_that_cannot_be_used() {
    let issuer = Issuer::serve().await;
    let follow = || Verifier::follow(&issuer.url, keyset_key());
    let name = follow().service("*").report_as("erp-1").start().await;
    assert!(matches!(name, Err(FollowError::Verifier(_))), "{name:?}");
    let name = follow().service("erp").report_as("erp/1").start().await;
    assert!(matches!(name, Err(FollowError::Report(_))), "{name:?}");
    let certificates = follow().service("erp").certificates(*b"none").start().await;
    assert!(matches!(certificates, Err(FollowError::Http(_))));
    let plain = Verifier::follow("http://issuer.example", keyset_key());
    let plain = plain.service("erp").start().await;
    assert!(matches!(
        plain,
        Err(FollowError::Trust(RefreshError::Address(_)))
    ));
    let stranger = Verifier::follow(&issuer.url, root(1).public());
    let stranger = stranger.service("erp").start().await;
    assert!(matches!(
        stranger,
        Err(FollowError::Trust(RefreshError::Trust(_)))
    ));
}

/// A transport that panics on request.
struct Faulty {
    http: Http,
    broken: Arc<AtomicBool>,
}

impl Transport for Faulty {
    async fn get(&self, get: Get<'_>) -> Result<Fetched, FetchError> {
        assert!(
            !self.broken.load(Ordering::SeqCst),
            "the transport has a fault"
        );
        self.http.get(get).await
    }
}

#[tokio::test]
async fn a_task_continues_after_a_panic() {
    let issuer = Issuer::serve().await;
    let broken = Arc::new(AtomicBool::new(false));
    let follower = Verifier::follow(&issuer.url, keyset_key())
        .service("erp")
        .transport(Faulty {
            http: Http::new().unwrap(),
            broken: Arc::clone(&broken),
        })
        .report_as("erp-1")
        .poll(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let token = issuer.mint(1, 7);
    assert_eq!(decide(&follower, &token), None);
    broken.store(true, Ordering::SeqCst);
    let monitor = follower.monitor();
    eventually(|| monitor.status().panics > 0).await;
    let (_, error) = monitor.status().last_error.unwrap();
    assert_eq!(error, "the refresh panicked");
    issuer.revoke(7);
    broken.store(false, Ordering::SeqCst);
    eventually(|| decide(&follower, &token) == Some(Reason::Revoked)).await;
}

/// Puts a file in place as an operator should: atomically, so that it is never half written.
fn place(directory: &std::path::Path, name: &str, content: &str) {
    let begun = directory.join(format!("{name}.new"));
    fs::write(&begun, content).unwrap();
    fs::rename(begun, directory.join(name)).unwrap();
}

#[tokio::test]
async fn a_verifier_follows_its_files() {
    let issuer = Issuer::serve().await;
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let sign = || issuer.keyset().sign(&root(1).keyset_key).to_json();
    let (keyset, snapshot) = (sign(), issuer.snapshot());
    place(directory, "keyset.json", &keyset);
    let from = || Verifier::from_files(directory.join("keyset.json"), keyset_key());
    let missing = from().revocations(directory.join("revocations.ndjson"));
    let missing = missing.service("erp").start().await.unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("revocations.ndjson` cannot be read"),
        "{missing}"
    );
    place(directory, "revocations.ndjson", &snapshot);
    let ahead = Arc::new(AtomicU64::new(0));
    let clock = {
        let ahead = Arc::clone(&ahead);
        Arc::new(move || system_clock()().plus(ahead.load(Ordering::SeqCst)))
    };
    let follower = from()
        .revocations(directory.join("revocations.ndjson"))
        .service("erp")
        .staleness(Staleness::after(Duration::from_secs(1)))
        .poll(Duration::from_millis(20))
        .clock(clock)
        .start()
        .await
        .unwrap();
    let monitor = follower.monitor();
    let token = issuer.mint(1, 7);
    assert_eq!(decide(&follower, &token), None);

    issuer.revoke(7);
    place(directory, "revocations.ndjson", &issuer.snapshot());
    eventually(|| decide(&follower, &token) == Some(Reason::Revoked)).await;
    issuer.roots.lock().unwrap().push(2);
    place(directory, "keyset.json", &sign());
    eventually(|| monitor.status().keyset_version == 2).await;
    assert_eq!(decide(&follower, &issuer.mint(2, 9)), None);
    assert_eq!(
        (monitor.status().revocations, monitor.status().failures),
        (1, 0)
    );

    // An older or torn file changes nothing, and is reported.
    place(directory, "keyset.json", &keyset);
    eventually(|| monitor.status().rollbacks > 0).await;
    place(directory, "keyset.json", "{}");
    eventually(|| {
        let error = monitor.status().last_error.unwrap().1;
        error.contains("not a signed keyset")
    })
    .await;
    fs::remove_file(directory.join("revocations.ndjson")).unwrap();
    place(directory, "keyset.json", &sign());
    eventually(|| {
        monitor
            .status()
            .last_error
            .unwrap()
            .1
            .contains("cannot be read")
    })
    .await;
    assert_eq!(monitor.status().keyset_version, 2);
    assert_eq!(decide(&follower, &token), Some(Reason::Revoked));

    // Files are limited only by their own expiry, not by the maximum age of a feed's head.
    ahead.store(600, Ordering::SeqCst);
    assert!(monitor.is_ready());
    ahead.store(3_700, Ordering::SeqCst);
    assert!(!monitor.is_ready());
    assert_eq!(decide(&follower, &token), Some(Reason::StaleKeyset));

    let without = from().without_revocations().service("erp").start().await;
    assert_eq!(decide(&without.unwrap(), &token), None);
}

#[tokio::test]
async fn http_answers_are_bounded() {
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
    assert!(matches!(large, Fetched::Found { body, .. } if body.len() == 100_000));
    assert_eq!(
        fetch("/large", 99_999).await,
        Err(FetchError::TooLarge(99_999))
    );
    assert_eq!(fetch("/moved", 100_000).await, Err(FetchError::Status(307)));
    assert_eq!(fetch("/nothing", 1).await, Ok(Fetched::Gone));
    assert_eq!(fetch("/slow", 1).await, Err(FetchError::TimedOut(0)));
    assert!(Http::trusting(b"").is_err());
    assert!(Http::trusting(b"-----BEGIN CERTIFICATE-----\n").is_err());
}
