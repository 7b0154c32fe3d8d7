//! The issuer's PostgreSQL is cut off under load: connections are refused, go silent, or break during a commit.
//!
//! Promised: without its store, the issuer refuses in bounded time: mints, keyset and head get 503 with
//! `Retry-After`; meanwhile, `/readyz` answers 503 and `/livez` 200. When the store is back, the issuer
//! continues within seconds without a restart, even if its old connections stay silent forever. Everything
//! acknowledged is on record; a mint whose commit was cut off is not acknowledged, and may or may not be on
//! record.
//!
//! Signs of failure: another status, a request that hangs, a 200 without a row, or a service that does not recover.

use std::{
    env,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick_testkit::{
    http::{client, eventually_within},
    postgres::schema,
    program::{
        Serving, Setup, World,
        acknowledged::{Acknowledged, Answer},
        http,
    },
    skip::skipped,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::BAILIWICK;

/// Number of clients that mint at the same time.
const CLIENTS: usize = 32;

/// The time limit of a request, plus a margin.
const BOUND: Duration = Duration::from_secs(17);

/// Maximum wait for the issuer to reach a state on its own.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_refuses() {
    if let Some(scene) = Scene::new().await {
        scene.cut(Line::Refused).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_falls_silent() {
    if let Some(scene) = Scene::new().await {
        scene.cut(Line::Silent).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost() {
    if let Some(scene) = Scene::new().await {
        scene.cut(Line::CommitsUnanswered).await;
    }
}

/// An issuer, its store behind a line that can be cut, and clients that mint.
struct Scene {
    line: Cuttable,
    world: World,
    serving: Serving,
    seen: Arc<Acknowledged>,
}

impl Scene {
    async fn new() -> Option<Scene> {
        let Ok(server) = env::var("BAILIWICK_POSTGRES") else {
            skipped(
                "a store that is cut off",
                "let BAILIWICK_POSTGRES name a PostgreSQL server, as postgres://USER@HOST:PORT/DATABASE",
            );
            return None;
        };
        let line = Cuttable::to(&server).await;
        let url = line.url(&schema(&server).await);
        let world = tokio::task::spawn_blocking(move || {
            World::with(
                BAILIWICK,
                Setup {
                    store: Some(&url),
                    ..Setup::default()
                },
            )
        });
        let world = world.await.unwrap();
        Some(Scene {
            line,
            serving: world.serve(),
            world,
            seen: Arc::default(),
        })
    }

    async fn cut(mut self, how: Line) {
        let (done, refused) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let clients = self.clients(&done, &refused);
        self.minted(20).await;

        match how {
            Line::Silent => self.falters().await,
            Line::CommitsUnanswered => self.swallows().await,
            _ => {}
        }
        let cut = match how {
            Line::CommitsUnanswered => Line::Refused,
            _ => how,
        };
        self.line.becomes(cut).await;
        let begun = Instant::now();
        eventually_within("it is not ready", PATIENCE, async || {
            self.serving.ask("/readyz").await.0 == 503
        })
        .await;
        let unready = begun.elapsed();
        assert_eq!(self.serving.ask("/livez").await.0, 200);
        for path in ["keyset", "revocations"] {
            let url = format!("{}/.well-known/bailiwick/{path}", self.serving.base);
            let answer = http().get(url).send().await.unwrap();
            assert_eq!(answer.status(), 503, "{path}");
            assert!(answer.headers().contains_key("retry-after"), "{path}");
        }
        let before = refused.lock().unwrap().len();
        eventually_within("all are refused", PATIENCE, async || {
            refused.lock().unwrap().len() > before + CLIENTS
        })
        .await;
        let acknowledged = self.seen.count.load(Ordering::SeqCst);

        self.line.becomes(Line::Open).await;
        let begun = Instant::now();
        self.minted(1).await;
        let mints = begun.elapsed();
        eventually_within("it is ready", PATIENCE, async || {
            self.serving.ask("/readyz").await.0 == 200
        })
        .await;
        let ready = begun.elapsed();
        self.minted(20).await;
        done.store(true, Ordering::SeqCst);
        clients.join_all().await;

        let refused = refused.lock().unwrap();
        let longest = refused.iter().map(|answer: &Answer| answer.took).max();
        eprintln!(
            "{how:?}: {acknowledged} mints before, then {} refusals, the slowest after {longest:?}; unready after \
             {unready:?}; when it was back mints after {mints:?}, ready after {ready:?}",
            refused.len()
        );
        for answer in refused.iter() {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.retry_after.is_some(), "{answer:?}");
            assert_eq!(answer.json()["code"], "unavailable", "{answer:?}");
            assert!(answer.took < BOUND, "{answer:?}");
        }
        assert!(ready < BOUND, "it came back after {ready:?}");
        let recorded = self.seen.check(&self.world);
        eprintln!(
            "{how:?}: {recorded} mints on record, {} acknowledged",
            self.seen.tokens.lock().unwrap().len()
        );
        self.serving.stop();
        self.seen.check(&self.world);
    }

    /// Lets commits through, but drops their answers.
    async fn swallows(&mut self) {
        self.line.becomes(Line::CommitsUnanswered).await;
        eventually_within("a commit is cut off", PATIENCE, async || {
            self.line.lost.load(Ordering::SeqCst) > 0
        })
        .await;
    }

    /// Makes the line silent again and again, for a moment each time, so that one connection after another is
    /// lost while in use. In the end, connections that never answer fill the pool.
    async fn falters(&mut self) {
        for _ in 0..12 {
            self.line.becomes(Line::Silent).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.line.becomes(Line::Open).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    fn clients(&self, done: &Arc<AtomicBool>, refused: &Arc<Mutex<Vec<Answer>>>) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        // A request that hangs fails the trial and does not block it.
        let http = client(PATIENCE);
        for _ in 0..CLIENTS {
            let (seen, done, refused) = (self.seen.clone(), done.clone(), refused.clone());
            let (http, base) = (http.clone(), self.serving.base.clone());
            let secret = self.world.secret.clone();
            clients.spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let answer = seen.mint(&http, &base, &secret).await.unwrap();
                    if !answer.is_success() {
                        refused.lock().unwrap().push(answer);
                    }
                }
            });
        }
        clients
    }

    /// Waits until this many further tokens have been minted.
    async fn minted(&self, more: usize) {
        let wanted = self.seen.count.load(Ordering::SeqCst) + more;
        eventually_within("it mints", PATIENCE, async || {
            self.seen.count.load(Ordering::SeqCst) >= wanted
        })
        .await;
    }
}

/// The state of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// Nothing listens, and existing connections are closed.
    Refused,
    /// Nothing gets through. Connections from that time stay silent forever.
    Silent,
    /// Commits arrive, but their answers do not: the connection is closed instead.
    CommitsUnanswered,
}

/// A line to a server.
struct Cuttable {
    server: SocketAddr,
    address: SocketAddr,
    line: watch::Sender<Line>,
    listening: Option<tokio::task::JoinHandle<()>>,
    /// Number of commits that the server made but whose answers were dropped.
    lost: Arc<AtomicUsize>,
}

impl Cuttable {
    async fn to(url: &str) -> Cuttable {
        let url = reqwest::Url::parse(url).unwrap();
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap_or(5432));
        let server = tokio::net::lookup_host((host, port)).await.unwrap().next();
        let mut cuttable = Cuttable {
            server: server.unwrap(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            line: watch::channel(Line::Open).0,
            listening: None,
            lost: Arc::default(),
        };
        cuttable.listen().await;
        cuttable
    }

    /// The server's URL, with this line's address instead of the server's.
    fn url(&self, server: &str) -> String {
        let mut url = reqwest::Url::parse(server).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let (server, line, lost) = (self.server, self.line.clone(), self.lost.clone());
        self.listening = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, server, line.subscribe(), lost.clone()));
            }
        }));
    }

    async fn becomes(&mut self, line: Line) {
        self.line.send_replace(line);
        if line == Line::Refused || line == Line::CommitsUnanswered {
            // Existing connections are closed; new ones are refused.
            if let Some(listening) = self.listening.take() {
                listening.abort();
                let _ = listening.await;
            }
        } else if self.listening.is_none() {
            self.listen().await;
        }
    }
}

/// Relays one connection until it ends.
async fn relay(
    mut client: TcpStream,
    server: SocketAddr,
    mut line: watch::Receiver<Line>,
    lost: Arc<AtomicUsize>,
) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut asked, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        let state = *line.borrow_and_update();
        match state {
            Line::Refused => return,
            // The connection stays silent forever, even when the line is open again.
            Line::Silent => return std::future::pending().await,
            Line::Open | Line::CommitsUnanswered => {}
        }
        tokio::select! {
            _ = line.changed() => {}
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let asked = &asked[..read];
                if server.write_all(asked).await.is_err() {
                    return;
                }
                let commits = asked.windows(7).any(|bytes| bytes == b"COMMIT\0");
                if commits && state == Line::CommitsUnanswered {
                    // An answer means that the commit is made; the issuer does not get to see it.
                    if matches!(server.read(&mut answered).await, Ok(1..)) {
                        lost.fetch_add(1, Ordering::SeqCst);
                    }
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&answered[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}
