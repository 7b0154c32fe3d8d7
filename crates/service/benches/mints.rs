//! Measures audited, durable mints per second over HTTP, and compares them with a handler that signs the same
//! token and writes nothing. Both run on the same machine and are called by the same client.
//!
//! Run `cargo bench -p bailiwick-service --bench mints`. If `BAILIWICK_POSTGRES` is set to the URL of a server,
//! PostgreSQL is measured too. Numbers after `--` are numbers of clients. The benchmark leaves out TLS, a network,
//! and a client on another machine: client and service share the cores here, in both cases. The client's secret has
//! been verified before, so no Argon2id is computed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a program for people, which ends where something is wrong"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use axum::{Router, routing::post};
use bailiwick_biscuit::build::{self, KeyPair};
use bailiwick_issuer::{InitOptions, Issuer, NewClient, Passphrase, PostgresUrl};
use bailiwick_service::{Clock, Config, serve};
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog::authority_block,
    grant::Grants,
    timestamp::Timestamp,
};

/// The program's allocator, which wipes freed memory.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const PROFILE: &str = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
principal = { claim = "agent.principal", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "${principal}"
ttl = { min = "1m", default = "15m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
[profile.grant.args]
amount = { max = "10000" }
currency = "EUR"
"#;

const GRANTS: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
[grant.args]
amount = { max = "10000" }
currency = "EUR"
"#;

/// Number of rounds. All variants take turns, so that other load on the machine affects them equally.
const ROUNDS: usize = 9;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(2);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_unix(since.unwrap().as_secs()).unwrap()
}

/// The result of one variant in one round.
#[derive(Clone, Copy)]
struct Seen {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Seen {
    fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> Seen {
        latencies.sort_unstable();
        let at = |part: usize| latencies.get(latencies.len() * part / 100).copied();
        Seen {
            per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: at(50).unwrap(),
            p99: at(99).unwrap(),
        }
    }
}

fn main() {
    // `cargo bench` adds options of its own, so arguments that are not numbers are skipped.
    let asked: Vec<usize> = std::env::args().filter_map(|n| n.parse().ok()).collect();
    let numbers = if asked.is_empty() {
        vec![1, 16, 128]
    } else {
        asked
    };
    let postgres = std::env::var("BAILIWICK_POSTGRES").ok();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        println!("| clients | way | a second | of bare | p50 | p99 |");
        println!("|--:|---|--:|--:|--:|--:|");
        for clients in numbers {
            let (mut none, mut sqlite, mut server) = (Vec::new(), Vec::new(), Vec::new());
            let mut alone = Vec::new();
            for _ in 0..ROUNDS {
                alone.push(alone_signs(clients));
                none.push(bare(clients).await);
                sqlite.push(issuer(clients, None).await);
                if let Some(url) = &postgres {
                    let url = schema(url).await;
                    server.push(issuer(clients, Some(url)).await);
                }
            }
            line(clients, "signs, without HTTP", &alone, &none);
            line(clients, "signs, writes nothing", &none, &none);
            line(clients, "SQLite", &sqlite, &none);
            if postgres.is_some() {
                line(clients, "PostgreSQL", &server, &none);
            }
        }
    });
}

/// Prints the medians of the rounds, and the smallest and largest ratio.
fn line(clients: usize, way: &str, seen: &[Seen], bare: &[Seen]) {
    let ratios = seen.iter().zip(bare);
    let ratios = ratios.map(|(seen, bare)| seen.per_second / bare.per_second);
    let ratios = sorted(ratios.collect());
    let median = |of: fn(&Seen) -> f64| sorted(seen.iter().map(of).collect())[ROUNDS / 2];
    println!(
        "| {clients} | {way} | {:.0} | {:.2} ({:.2}–{:.2}) | {:.1} ms | {:.1} ms |",
        median(|seen| seen.per_second),
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
        median(|seen| seen.p50.as_secs_f64() * 1e3),
        median(|seen| seen.p99.as_secs_f64() * 1e3),
    );
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}

/// Makes a new schema on the server.
async fn schema(url: &str) -> PostgresUrl {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let name = format!(
        "bench_{}",
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_nanos()
    );
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::raw_sql(create)
        .execute(&mut connection)
        .await
        .unwrap();
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options[search_path]={name}")
        .parse()
        .unwrap()
}

async fn issuer(clients: usize, store: Option<PostgresUrl>) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let passphrase = Passphrase::new("correct horse battery").unwrap();
    let options = InitOptions {
        store,
        ..InitOptions::new("https://issuer.example")
    };
    let issuer = Issuer::init(&home, options, &passphrase, now())
        .await
        .unwrap();
    std::fs::write(home.join("profiles.toml"), PROFILE).unwrap();
    let client = NewClient {
        name: "orchestrator".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::new(),
    };
    let (_, secret) = issuer.client_add(client, now()).await.unwrap();
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        operations_listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    let clock: Clock = Arc::new(now);
    let running = serve(issuer, config, clock).await.unwrap();
    let url = format!("http://{}/v1/token", running.address());
    let seen = load(clients, &url, Some(secret.expose())).await;
    running.stop(Duration::ZERO).await;
    seen
}

/// Measures `threads` threads that only sign tokens.
fn alone_signs(threads: usize) -> Seen {
    let root = new_key();
    let grants = Grants::from_toml(GRANTS).unwrap();
    let begun = Instant::now();
    let made = |_| {
        let mut latencies = Vec::new();
        while begun.elapsed() < MEASURED {
            let begun = Instant::now();
            std::hint::black_box(signed(&root, &grants));
            latencies.push(begun.elapsed());
        }
        latencies
    };
    let latencies: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|n| scope.spawn(move || made(n))).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    Seen::of(latencies, begun.elapsed())
}

async fn bare(clients: usize) -> Seen {
    let root = Arc::new(new_key());
    let grants = Grants::from_toml(GRANTS).unwrap();
    let handler = move |_: String| {
        let (root, grants) = (Arc::clone(&root), grants.clone());
        async move { signed(&root, &grants) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/token", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/token", post(handler));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let seen = load(clients, &url, None).await;
    server.abort();
    seen
}

fn new_key() -> KeyPair {
    KeyPair::new(&ed25519_dalek::SigningKey::generate(&mut rand::rngs::OsRng)).unwrap()
}

fn signed(root: &KeyPair, grants: &Grants) -> String {
    let now = now();
    let claims = Claims {
        issuer: "https://issuer.example".to_owned(),
        token_id: TokenId::from_bytes(rand::random()),
        agent: "agent:orchestrator".to_owned(),
        principal: "team:procurement".to_owned(),
        tenant: None,
        task: None,
        claims: BTreeMap::new(),
        issued_at: now,
        not_before: now.minus(60),
        expires: now.plus(900),
        max_depth: None,
    };
    let block = authority_block(&claims, grants).unwrap();
    let token = build::sign(&block, root, Some(1)).unwrap();
    format!("{{\"access_token\":\"{}\"}}", token.to_base64().as_str())
}

#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
async fn load(clients: usize, url: &str, secret: Option<&str>) -> Seen {
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(clients)
        .build()
        .unwrap();
    let (measuring, ended) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (http, url) = (http.clone(), url.to_owned());
            let secret = secret.map(str::to_owned);
            let (measuring, ended) = (measuring.clone(), ended.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while !ended.load(Ordering::Relaxed) {
                    let mut request = http
                        .post(&url)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .body("grant_type=client_credentials&scope=buyer");
                    if let Some(secret) = &secret {
                        request = request.basic_auth("orchestrator", Some(secret));
                    }
                    let begun = Instant::now();
                    let response = request.send().await.unwrap();
                    assert!(response.status().is_success(), "{}", response.status());
                    response.bytes().await.unwrap();
                    if measuring.load(Ordering::Relaxed) {
                        latencies.push(begun.elapsed());
                    }
                }
                latencies
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    measuring.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    tokio::time::sleep(MEASURED).await;
    ended.store(true, Ordering::Relaxed);
    let elapsed = begun.elapsed();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    Seen::of(latencies, elapsed)
}
