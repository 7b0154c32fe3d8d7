//! A proxy in the environment.
//!
//! Promised: plain HTTP stays on this machine, so neither an operator's token nor a provider's keys pass
//! through a proxy that could read or change them. A proxy named in `HTTPS_PROXY` relays encrypted bytes, and
//! sees only the host's name.
//!
//! Sign of failure: any other request at the trial's own proxy.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{Setup, World},
};

use crate::BAILIWICK;

/// Maximum time until a service asks its provider.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that records the heads of requests.
struct Noting {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Noting {
    fn start(answer: impl Fn(SocketAddr, &str) -> String + Send + 'static) -> Noting {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&sent);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let head = head(&mut socket);
                // The peer may have closed the connection.
                let _ = socket.write_all(answer(address, &head).as_bytes());
                noted.lock().unwrap().push(head);
            }
        });
        Noting { address, sent }
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read > 0) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Makes a provider with one key, which signs nothing here.
fn provider(address: SocketAddr, head: &str) -> String {
    let body = match head.contains("openid-configuration") {
        true => format!(r#"{{"issuer":"http://{address}","jwks_uri":"http://{address}/keys"}}"#),
        false => r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.to_owned(),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_passes_no_proxy() {
    let proxy = Noting::start(|_, _| {
        "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned()
    });
    let provider = Noting::start(provider);
    let config = format!(
        "[[provider]]\nname = \"corp\"\nissuer = \"http://{}\"\naudience = \"bailiwick\"\n",
        provider.address
    );
    let environment: Vec<(&str, String)> = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .into_iter()
    .map(|name| (name, format!("http://{}", proxy.address)))
    .collect();
    let world = World::with(
        BAILIWICK,
        Setup {
            config: &config,
            environment: &environment,
            ..Setup::default()
        },
    );
    let serving = world.serve();
    eventually_within("the provider is asked", PATIENCE, async || {
        provider
            .sent()
            .iter()
            .any(|head| head.starts_with("GET /keys "))
    })
    .await;
    let list = |server: &str| {
        let mut command = world.command(&["key", "list", "--server", server]);
        command.env("BAILIWICK_OPERATOR_TOKEN", &world.operator);
        command.output().unwrap()
    };
    let port = serving.base.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let done = list(&format!("http://{host}:{port}"));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{host}: {said}");
    }
    // TLS goes to this machine directly and fails, because nothing there speaks it. Nothing reaches the proxy.
    let done = list(&format!("https://localhost:{port}"));
    assert_eq!(done.status.code(), Some(6));
    assert_eq!(proxy.sent(), Vec::<String>::new());

    // For another host, the proxy learns the destination and nothing else.
    let done = list("https://issuer.example");
    assert_eq!(done.status.code(), Some(6));
    let [sent] = <[String; 1]>::try_from(proxy.sent()).unwrap();
    assert!(sent.starts_with("CONNECT issuer.example:443 "), "{sent}");
    assert!(!sent.contains(&world.operator), "a token in the open");
    // A token is never sent to another host in plain text.
    let done = list("http://issuer.example");
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(proxy.sent().len(), 1);
}
