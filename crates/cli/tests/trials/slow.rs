//! Ten thousand connections that send as slowly as the service tolerates: nothing, a head, or a body, one byte
//! at a time.
//!
//! Promised: well-behaved clients are served beside them in bounded time; the service's memory stays bounded; and
//! slow connections are closed when their time is up.
//!
//! Signs of failure: a request that is refused or late, a high peak of the process's memory, or connections that
//! stay open.
//!
//! Both ends are on this machine, so this process's limit on open files bounds the number of connections. The trial
//! reports the number.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{Setup, World, acknowledged::Acknowledged, http},
    skip::skipped,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use crate::BAILIWICK;

/// Number of slow connections, if this process may open as many files.
const SLOW: usize = 10_000;

/// Number of files that this process needs for other purposes.
const OTHERS: u64 = 300;

/// Time for which the service waits for a slow sender, in seconds.
const WAITS: u64 = 20;

/// Maximum time for a well-behaved client's request while the machine is busy with slow ones.
const BOUND: Duration = Duration::from_secs(3);

/// Maximum memory, in KiB: the 64 MiB that opening the home takes, and some KiB for each connection.
const MEMORY: u64 = 400 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_slow_senders_hold_up_nobody() {
    let files = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: files.maximum,
        maximum: files.maximum,
    };
    setrlimit(Resource::Nofile, most).unwrap();
    let files = files.maximum.unwrap_or(u64::MAX).saturating_sub(OTHERS);
    let number = usize::try_from(files).unwrap_or(SLOW).min(SLOW);
    assert!(number > 100, "so few are no trial: allow more open files");
    if number < SLOW {
        skipped(
            "ten thousand slow senders",
            &format!("only {number} of them, by the limit of open files"),
        );
    }

    let world = World::with(
        BAILIWICK,
        Setup {
            config: &format!("[limits]\nheader_seconds = {WAITS}\nrequest_seconds = {WAITS}\n"),
            ..Setup::default()
        },
    );
    let serving = world.serve();
    let seen = Acknowledged::default();
    let http = http();
    let mint = async || {
        let answer = seen.mint(&http, &serving.base, &world.secret).await;
        let answer = answer.unwrap();
        assert!(answer.is_success(), "{answer:?}");
        answer.took
    };
    mint().await;
    let (_, before) = memory(serving.pid());
    let files = open_files(serving.pid());

    let address: SocketAddrV4 = serving.base.trim_start_matches("http://").parse().unwrap();
    let begun = Instant::now();
    let places = Arc::new(Semaphore::new(256));
    let mut slow = JoinSet::new();
    for index in 0..number {
        let places = places.clone();
        slow.spawn(async move {
            let place = places.acquire().await;
            let stream = connect(index, address).await;
            drop(place);
            dribble(stream, index % 3).await
        });
    }
    let all = async || open_files(serving.pid()) >= files + number;
    eventually_within("all are connected", Duration::from_secs(WAITS), all).await;
    let connected = begun.elapsed();

    let mut longest = Duration::ZERO;
    let mut mints = 0_u32;
    while begun.elapsed() < Duration::from_secs(WAITS) - Duration::from_secs(2) {
        longest = longest.max(mint().await);
        mints += 1;
    }
    let held = open_files(serving.pid()) - files;
    let (status, _) = serving.ask("/readyz").await;
    assert_eq!(status, 200);

    // Connections close in the order in which they were made. Reading a head and then a body takes twice the time at
    // most.
    let mut closed = [0, 0, 0];
    let mut answered = 0;
    let waiting = async {
        while let Some(ended) = slow.join_next().await {
            let (kind, text) = ended.unwrap();
            closed[kind] += 1;
            answered += usize::from(text.starts_with("HTTP/1.1 408"));
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(2 * WAITS), waiting).await;
    assert!(
        waited.is_ok(),
        "of each kind {closed:?} are closed, {answered} with 408"
    );
    let (peak, after) = memory(serving.pid());
    eprintln!(
        "{number} slow connections, all there after {connected:?}, {held} still held while {mints} mints were made, the \
         slowest in {longest:?}; closed after {:?}, {answered} of them with 408; memory {before} KiB \
         before, {after} KiB after, {peak} KiB at the most",
        begun.elapsed()
    );
    assert!(mints > 10, "{mints}");
    assert!(longest < BOUND, "{longest:?}");
    assert!(peak < MEMORY, "{peak} KiB");
    assert_eq!(answered, closed[0], "slow bodies are told so");
    mint().await;
}

/// Connects from one of several loopback addresses, because each has ports of its own.
async fn connect(index: usize, to: SocketAddrV4) -> TcpStream {
    let from = Ipv4Addr::new(127, 0, 0, 2 + u8::try_from(index % 8).unwrap());
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        // An overflowing accept queue is not a refusal: try again.
        if let Ok(stream) = socket.connect(to.into()).await {
            return stream;
        }
    }
}

/// Sends slowly until the other side closes, and returns its answer.
async fn dribble(mut stream: TcpStream, kind: usize) -> (usize, String) {
    let begin = match kind {
        0 => {
            "POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n"
        }
        1 => "GET /v1/keys HTTP/1.1\r\nhost: x\r\nx: ",
        _ => "",
    };
    // If the service has closed already, the read below shows it.
    let _ = stream.write_all(begin.as_bytes()).await;
    let (mut answers, mut questions) = stream.into_split();
    let sends = async {
        while !begin.is_empty() && questions.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut text = Vec::new();
    tokio::select! {
        () = sends => {}
        // A reset counts as closed too.
        _ = answers.read_to_end(&mut text) => {}
    }
    (kind, String::from_utf8(text).unwrap())
}

/// Returns the peak and the current memory of a process, in KiB.
fn memory(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (of("VmHWM:"), of("VmRSS:"))
}

/// Number of open files of a process, including connections.
fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}
