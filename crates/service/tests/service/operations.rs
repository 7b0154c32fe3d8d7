//! Tests of the service's operation: its status and metrics, its limits under load, and its shutdown.

use std::time::Duration;

use bailiwick_api::ProblemCode;
use bailiwick_testkit::{
    http::{PATIENCE, eventually},
    provider::{Mood, Provider, unsigned},
    service::{
        Auth, Service, Setup,
        profiles::{OF_PROVIDER, PROFILES},
        wire::{Held, Wire},
    },
};
use reqwest::Method;
use serde_json::json;

const IN_FLIGHT: &str = "bailiwick_issuer_requests_in_flight";

#[tokio::test]
async fn status_reports_the_state() {
    let service = Service::start().await;
    assert_eq!(service.get("/livez", Auth::None).await.text, "alive\n");
    assert_eq!(service.get("/readyz", Auth::None).await.text, "ready\n");
    let text = service.get("/metrics", Auth::None).await.text;
    assert!(text.ends_with("# EOF\n"), "{text}");
    for (name, value) in [
        ("bailiwick_issuer_keyset_version", "1"),
        ("bailiwick_issuer_keyset_age_seconds", "0"),
        ("bailiwick_issuer_keyset_remaining_seconds", "86400"),
        ("bailiwick_issuer_staged_keys", "1"),
        ("bailiwick_issuer_feed_seq", "0"),
        ("bailiwick_issuer_active_key_age_seconds", "0"),
        ("bailiwick_issuer_profiles_failed", "0"),
        ("bailiwick_issuer_certificate_failed", "0"),
        (IN_FLIGHT, "0"),
    ] {
        assert_eq!(service.metric(name).await.as_deref(), Some(value), "{name}");
    }
    // The pages for operations are served to this machine only.
    for path in ["/livez", "/readyz", "/metrics"] {
        let mut wire = Wire::connect(service.address).await;
        wire.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
        .await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 404 "));
    }
    service.time.pass(60);
    let age = service
        .metric("bailiwick_issuer_active_key_age_seconds")
        .await;
    assert_eq!(age.as_deref(), Some("60"));
    // An expired keyset is useless: until it is renewed, no requests should be routed here.
    service.time.pass(86_400);
    let answer = service.get("/readyz", Auth::None).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (503, "the keyset has expired\n")
    );
}

#[tokio::test]
async fn metrics_hold_no_name_that_a_caller_chose() {
    let service = Service::start().await;
    let name = "mallory";
    let secret = service.client(name, &["buyer", name]).await;
    let grant = ("grant_type", "client_credentials");
    for scope in ["buyer", name] {
        let form = [
            grant,
            ("scope", scope),
            ("resource", name),
            ("mallory", "1"),
        ];
        service.token(Auth::Basic(name, &secret), &form).await;
        service.token(Auth::Basic(name, name), &form).await;
        service.token(Auth::None, &[("grant_type", name)]).await;
    }
    let (token, _) = service
        .mint(name, &bailiwick_testkit::grant("bailiwick", "*"))
        .await;
    for path in [
        "/v1/mallory",
        "/v1/keys/mallory",
        "/v1/clients?mallory=1",
        "/mallory",
    ] {
        service.get(path, Auth::Bearer(&token)).await;
        service
            .post(path, Auth::Bearer(&token), &json!({ "mallory": 1 }))
            .await;
    }
    let method = "MALLORY".parse().unwrap();
    service.send(method, "/v1/keys", Auth::None, &[], "").await;
    let report = [(
        "bailiwick-verifier",
        "name=\"mallory\"; service=\"mallory\"",
    )];
    let keyset = "/.well-known/bailiwick/keyset";
    service
        .send(reqwest::Method::GET, keyset, Auth::None, &report, "")
        .await;
    service.get("/v1/verifiers", Auth::Bearer(&token)).await;
    let text = service.get("/metrics", Auth::None).await.text;
    assert!(!text.to_lowercase().contains(name), "{text}");
    assert!(text.contains("path=\"/v1/token\",status=\"401\""), "{text}");
    assert!(text.contains("outcome=\"invalid_scope\""), "{text}");
    assert!(text.contains("method=\"other\""), "{text}");
}

/// A service with one permit for requests, and a provider that never answers. An exchange keeps the permit while it
/// waits.
struct Crowded {
    service: Service,
    provider: Provider,
}

impl Crowded {
    async fn new() -> Crowded {
        let provider = Provider::start(&[]).await;
        provider.becomes(Mood::Silent);
        let mut setup = Setup::with_providers(&provider.config());
        setup.config.limits.requests = 1;
        let service = setup.start().await;
        Crowded { service, provider }
    }

    /// Occupies the permit, and returns once it is taken.
    async fn take(&self) -> Wire {
        let header = json!({ "alg": "RS256", "kid": "x" });
        let jwt = unsigned(&header, &json!({ "iss": self.provider.issuer }));
        let kind = "urn:ietf:params:oauth:token-type:jwt";
        let body = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={jwt}\
             &subject_token_type={kind}&actor_token={jwt}&actor_token_type={kind}"
        );
        let length = body.len();
        let mut wire = Wire::connect(self.service.address).await;
        wire.send(&format!(
            "POST /v1/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
        eventually("the place is taken", async || {
            self.service
                .get("/v1/openapi.json", Auth::None)
                .await
                .status
                == 503
        })
        .await;
        wire
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_are_shed() {
    let crowded = Crowded::new().await;
    let service = &crowded.service;
    let shed = async || {
        let metric = service.metric("bailiwick_issuer_requests_shed_total").await;
        metric.unwrap().parse::<u64>().unwrap()
    };
    let mut taken = crowded.take().await;
    let before = shed().await;
    let path = "/v1/openapi.json";
    let answer = service.get(path, Auth::None).await;
    answer.is_problem(503, ProblemCode::Unavailable);
    assert_eq!(answer.header("retry-after"), Some("5"));
    // Verifiers are still served: without a head they would deny everything.
    for path in ["keyset", "revocations", "revocations/snapshot"] {
        let path = format!("/.well-known/bailiwick/{path}");
        assert_eq!(service.get(&path, Auth::None).await.status, 200, "{path}");
    }
    let token = service
        .token(Auth::None, &[("grant_type", "client_credentials")])
        .await;
    token.is_problem(503, ProblemCode::Unavailable);
    // Operators are still served.
    assert_eq!(service.get("/readyz", Auth::None).await.status, 200);
    assert_eq!(shed().await, before + 2);
    let answer = taken.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(service.get(path, Auth::None).await.status, 200);
}

#[tokio::test]
async fn a_caller_that_hangs_up_frees_its_slot() {
    let crowded = Crowded::new().await;
    for _ in 0..3 {
        drop(crowded.take().await);
        crowded.service.wait_for(IN_FLIGHT, "0").await;
    }
    let answer = crowded.service.get("/v1/openapi.json", Auth::None).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_arriving_body_occupies_no_slot() {
    let mut setup = Setup::default();
    setup.config.limits.requests = 1;
    let service = setup.start().await;
    let held = Held::begin(&service).await;
    let answer = service.get("/v1/openapi.json", Auth::None).await;
    assert_eq!(answer.status, 200);
    held.finish().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed() {
    let mut setup = Setup::default();
    setup.config.limits.connections = 2;
    let service = setup.start().await;
    let ask = "GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = Wire::connect(service.address).await;
    let mut second = Wire::connect(service.address).await;
    for wire in [&mut first, &mut second] {
        wire.send(ask).await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 404 "));
    }
    let mut third = Wire::connect(service.address).await;
    assert_eq!(third.rest().await, "");
    // Connections that have a place continue, and one that closes makes room for another.
    first.send(ask).await;
    assert!(first.answer().await.starts_with("HTTP/1.1 404 "));
    drop(first);
    eventually("room", async || {
        let mut wire = Wire::connect(service.address).await;
        wire.try_send("GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await;
        wire.rest().await.starts_with("HTTP/1.1 404 ")
    })
    .await;
}

#[tokio::test]
async fn callers_that_do_not_read_are_dropped() {
    let mut setup = Setup::default();
    setup.config.limits.connections = 1;
    setup.config.limits.header_seconds = 1;
    let service = setup.start().await;
    let mut deaf = Wire::connect(service.address).await;
    // The answers are larger than the buffers between the two sides can hold.
    let ask = "GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    deaf.send(&ask.repeat(1_000)).await;
    eventually("its place is free", async || {
        let mut wire = Wire::connect(service.address).await;
        wire.try_send("GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await;
        wire.rest().await.starts_with("HTTP/1.1 404 ")
    })
    .await;
}

#[tokio::test]
async fn slow_callers_are_dropped() {
    let mut setup = Setup::default();
    setup.config.limits.header_seconds = 1;
    setup.config.limits.request_seconds = 1;
    let service = setup.start().await;
    let post =
        "POST /v1/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\n";
    for address in [service.address, service.operations] {
        for (sent, answer) in [
            // The peer sends nothing, half a head, half of HTTP/2's preface, or nothing after a complete request.
            ("", ""),
            ("G", ""),
            ("GET / HTTP/1.1\r\nhost: x\r\nx: ", ""),
            ("PRI * HTTP/2.0\r\n", ""),
            ("GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 404 "),
        ] {
            let mut wire = Wire::connect(address).await;
            wire.send(sent).await;
            let text = wire.rest().await;
            assert!(text.starts_with(answer), "{sent:?}: {text}");
            assert!(
                !answer.is_empty() || !text.contains("HTTP/1.1 200"),
                "{sent:?}: {text}"
            );
        }
    }
    // After half a body, the answer has the form of all other errors.
    let mut wire = Wire::connect(service.address).await;
    wire.send(&format!("{post}grant")).await;
    let text = wire.rest().await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(
        text.contains("content-type: application/problem+json"),
        "{text}"
    );
    assert!(text.contains("\"code\":\"unavailable\""), "{text}");
}

/// A sender that writes its whole body before reading still finds the answer.
#[tokio::test]
async fn a_too_long_body_gets_413() {
    let service = Service::start().await;
    let secret = service.client("orchestrator", &["buyer"]).await;
    let length = 8 << 20;
    let head = |more: &str| {
        format!(
            "POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{more}\r\n"
        )
    };
    let body = " ".repeat(length);
    let announced = head(&format!("content-length: {length}\r\n"));
    let chunked = head("transfer-encoding: chunked\r\n");
    let mut wire = Wire::connect(service.address).await;
    // The connection can be used for the next request.
    for request in [
        format!("{announced}{body}"),
        format!("{chunked}{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("{announced}{body}"),
    ] {
        wire.send(&request).await;
        let text = wire.answer().await;
        assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
        assert!(text.contains("262144 bytes"), "{text}");
    }
    // A client that sends `Expect: 100-continue` is refused at once, and sends no body.
    let mut wire = Wire::connect(service.address).await;
    let asks = head(&format!(
        "content-length: {length}\r\nexpect: 100-continue\r\n"
    ));
    wire.send(&asks).await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 413 "));
    // An ordinary client is refused too, known or not.
    for auth in [Auth::None, Auth::Basic("orchestrator", &secret)] {
        let json = [("content-type", "application/json")];
        let path = "/v1/tokens";
        let sent = service.send(Method::POST, path, auth, &json, body.clone());
        sent.await.is_problem(413, ProblemCode::TooLarge);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sent = service.send(Method::POST, "/v1/token", Auth::None, &form, body);
    sent.await.is_oauth(400, "invalid_request");
    // The number of dropped bytes is limited, too.
    let mut wire = Wire::connect(service.address).await;
    wire.send(&head("transfer-encoding: chunked\r\n")).await;
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    let mut sent = 0;
    while wire.try_send(&chunk).await {
        sent += 1;
        assert!(sent < 64, "it reads on and on");
    }
    // None of this occupies the memory for bodies that are arriving.
    let answer = service.get("/v1/openapi.json", Auth::None).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn requests_in_progress_are_finished() {
    let mut service = Service::start().await;
    let held = Held::begin(&service).await;
    let running = service.running.take().unwrap();
    let stopping = tokio::spawn(running.stop(Duration::ZERO));
    let address = service.address;
    eventually("it takes nothing new", async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(!stopping.is_finished());
    assert_eq!(service.get("/readyz", Auth::None).await.status, 503);
    held.finish().await;
    stopping.await.unwrap();
}

#[tokio::test]
async fn an_endless_request_does_not_delay_the_end() {
    let mut setup = Setup::default();
    setup.config.limits.drain_seconds = 0;
    let mut service = setup.start().await;
    let _held = Held::begin(&service).await;
    let running = service.running.take().unwrap();
    let stopping = tokio::time::timeout(PATIENCE, running.stop(Duration::ZERO));
    stopping.await.unwrap();
}

#[tokio::test]
async fn its_end_is_announced_beforehand() {
    let mut service = Service::start().await;
    let secret = service.client("buyer-1", &["buyer"]).await;
    let running = service.running.take().unwrap();
    let stopping = tokio::spawn(running.stop(PATIENCE));
    eventually("it is not ready", async || {
        let answer = service.get("/readyz", Auth::None).await;
        (answer.status, answer.text.as_str()) == (503, "stopping\n")
    })
    .await;
    // `/livez` still succeeds, and requests that arrive nevertheless are served.
    assert_eq!(service.get("/livez", Auth::None).await.status, 200);
    let grant = [("grant_type", "client_credentials")];
    service
        .token(Auth::Basic("buyer-1", &secret), &grant)
        .await
        .is_token();
    stopping.abort();
}

#[tokio::test]
async fn the_last_report_of_each_verifier_is_kept() {
    let mut service = Service::start().await;
    let report = [("bailiwick-verifier", "name=\"erp-1\"; service=\"erp\"")];
    let keyset = "/.well-known/bailiwick/keyset";
    service
        .send(reqwest::Method::GET, keyset, Auth::None, &report, "")
        .await;
    let running = service.running.take().unwrap();
    running.stop(Duration::ZERO).await;
    let again = service.another().await;
    let known = again.issuer.verifiers().await.unwrap().verifiers;
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].name, "erp-1");
}

#[tokio::test]
async fn profiles_are_taken_up_as_a_whole_or_not_at_all() {
    let service = Service::start().await;
    let secret = service
        .client("buyer-1", &["buyer", "treasurer", "added"])
        .await;
    let file = service.home().join("profiles.toml");
    let good = PROFILES.to_owned();
    let added = good.replace("\"buyer\"", "\"added\"");
    let running = service.running.as_ref().unwrap();
    let ask = async |scope: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        service.token(Auth::Basic("buyer-1", &secret), &form).await
    };
    ask("buyer").await.is_token();
    for broken in [
        "[[profile]]".to_owned(),
        "not toml".to_owned(),
        // The first profile is valid, and the second is not.
        format!("{added}\n[[profile]]\nname = \"broken\"\n"),
        // A repeated profile; a lifetime beyond the issuer's maximum; an unknown provider.
        format!("{added}{added}"),
        added.replace("max = \"1h\"", "max = \"2h\""),
        format!("{added}{}", OF_PROVIDER),
    ] {
        std::fs::write(&file, broken).unwrap();
        running.reload().await.unwrap_err();
        ask("buyer").await.is_token();
        ask("added").await.is_oauth(400, "invalid_scope");
    }
    // With both a file and a directory, it is unclear which one counts.
    std::fs::write(&file, &added).unwrap();
    let directory = service.home().join("profiles.d");
    std::fs::create_dir(&directory).unwrap();
    running.reload().await.unwrap_err();
    ask("buyer").await.is_token();
    std::fs::remove_dir(&directory).unwrap();
    running.reload().await.unwrap();
    ask("added").await.is_token();
    ask("buyer").await.is_oauth(400, "invalid_scope");
    // Several files form one set; other files are ignored.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("a.toml"), &good).unwrap();
    std::fs::write(directory.join("notes.txt"), "not toml").unwrap();
    running.reload().await.unwrap();
    ask("buyer").await.is_token();
    std::fs::write(directory.join("b.toml"), "not toml").unwrap();
    running.reload().await.unwrap_err();
    ask("buyer").await.is_token();
    // An empty set is valid, too: then nobody gets a token.
    std::fs::remove_dir_all(&directory).unwrap();
    running.reload().await.unwrap();
    ask("buyer").await.is_oauth(400, "invalid_scope");
}

#[tokio::test]
async fn an_unservable_configuration_is_not_started() {
    let service = Service::start().await;
    let locked = bailiwick_issuer::Issuer::open(&service.home())
        .await
        .unwrap();
    let time = service.time.clone();
    let clock: bailiwick_service::Clock = std::sync::Arc::new(move || time.now());
    let begin = async |issuer: &bailiwick_issuer::Issuer, config: &bailiwick_service::Config| {
        let served = bailiwick_service::serve(issuer.clone(), config.clone(), clock.clone()).await;
        served.unwrap_err().to_string()
    };
    let says = begin(&locked, &service.config).await;
    assert!(says.contains("locked"), "{says}");
    let mut taken = service.config.clone();
    taken.listen = service.address;
    let says = begin(&service.issuer, &taken).await;
    assert!(says.contains(&service.address.to_string()), "{says}");
    let mut open = service.config.clone();
    open.listen.set_ip([0, 0, 0, 0].into());
    let says = begin(&service.issuer, &open).await;
    assert!(says.contains("unencrypted"), "{says}");
    std::fs::write(service.home().join("profiles.toml"), "not toml").unwrap();
    let says = begin(&service.issuer, &service.config).await;
    assert!(says.contains("profiles.toml"), "{says}");
}
