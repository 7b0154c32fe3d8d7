//! Tests that no secret appears in a log at any level, in an error, in a metric, in a row of the audit log, or
//! in a file of the home.
//!
//! This is a program of its own, because it captures the log of the whole process.

#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
#![cfg(test)]

use std::{
    io::{self, Write},
    sync::Mutex,
    time::Duration,
};

use bailiwick_issuer::ImportedKey;
use bailiwick_testkit::{
    PASSPHRASE, grant,
    provider::{Provider, Signer},
    service::{Answer, Auth, Setup, files},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Secrets that must not be found, each with a description.
#[derive(Default)]
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, what: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        assert!(bytes.len() >= 8, "{what} would be found anywhere");
        self.0.push((what.to_owned(), bytes.to_vec()));
    }

    /// Adds a secret in every form in which bytes are written.
    fn add_bytes(&mut self, what: &str, bytes: &[u8]) {
        self.add(what, bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(what, hex);
        self.add(what, STANDARD_NO_PAD.encode(bytes));
        self.add(what, URL_SAFE_NO_PAD.encode(bytes));
        self.add(what, format!("{bytes:?}"));
    }

    /// Adds a client's secret: its random part, and its encoding for HTTP Basic.
    fn add_client(&mut self, name: &str, secret: &str) {
        let random = secret.split_once('.').unwrap().1;
        self.add("a client's secret", random);
        self.add(
            "a client's secret, encoded",
            STANDARD.encode(format!("{name}:{secret}")),
        );
    }

    /// Adds the claims and the signature of a JWT, because the signature and the public parts together restore
    /// the token.
    fn add_jwt(&mut self, jwt: &str) {
        let parts: Vec<&str> = jwt.split('.').collect();
        self.add("the claims of a JWT", parts[1]);
        self.add("the signature of a JWT", parts[2]);
    }

    /// Adds a token, as text and as bytes, and its end separately.
    fn add_token(&mut self, token: &str) {
        let bytes = base64::engine::general_purpose::URL_SAFE
            .decode(token)
            .unwrap();
        self.add("a token", token.trim_end_matches('='));
        self.add("a token as bytes", &bytes);
        // The proof at its end is the secret that lets a holder narrow the token.
        self.add("the end of a token", &bytes[bytes.len() - 32..]);
    }

    fn are_not_in(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes
                .windows(secret.len())
                .position(|window| window == secret);
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(200)..at];
                panic!(
                    "{what} is in {place}, after {}",
                    String::from_utf8_lossy(around)
                );
            }
        }
    }
}

/// Returns the text of an answer without the secret that it contains on purpose.
fn without_what_it_hands_out(path: &str, answer: &Answer) -> String {
    let of_client = path.starts_with("/v1/clients/") && path.ends_with("/rotate");
    let given = match (path, answer.status) {
        ("/v1/token", 200) => "/access_token",
        ("/v1/tokens", 201) => "/token",
        ("/v1/clients", 201) => "/secret",
        (_, 200) if of_client => "/secret",
        _ => return answer.text.clone(),
    };
    let answer = answer.json();
    let given = answer.pointer(given).unwrap().as_str().unwrap();
    answer.to_string().replace(given, "")
}

#[tokio::test]
async fn secrets_appear_nowhere() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("the passphrase", PASSPHRASE);
    secrets.add("an identity", "AGE-SECRET-KEY-");

    let signer = Signer::es256("first");
    let provider = Provider::start(&[&signer]).await;
    let setup = Setup {
        record: true,
        ..Setup::with_providers(&provider.config())
    };
    let mut service = setup.start().await;

    // The private half of this root key is known to the test.
    let private: Vec<u8> = (0..32)
        .map(|index: u8| index.wrapping_mul(151).wrapping_add(71))
        .collect();
    secrets.add_bytes("a root key", &private);
    let hex: String = private.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = ImportedKey::parse(&hex).unwrap();
    let imported = service.issuer.import(key, service.now()).await.unwrap();
    let id = imported.changes[0].id;
    service
        .issuer
        .activate(id, true, service.now())
        .await
        .unwrap();

    // Operators, who register, exchange and disable clients.
    let (operator, _) = service.mint("ada", &grant("bailiwick", "*")).await;
    secrets.add_token(&operator);
    let auth = Auth::Bearer(&operator);
    let client =
        json!({ "name": "robot", "principal": "team:b", "profiles": ["buyer", "assistant"] });
    let added = service.post("/v1/clients", auth, &client).await.json();
    let first = added["secret"].as_str().unwrap().to_owned();
    secrets.add_client("robot", &first);
    let rotated = service
        .post("/v1/clients/robot/rotate", auth, &json!({ "overlap": 60 }))
        .await;
    let second = rotated.json()["secret"].as_str().unwrap().to_owned();
    secrets.add_client("robot", &second);

    // Tokens are requested by every route.
    let grant = ("grant_type", "client_credentials");
    let buyer = ("scope", "buyer");
    for secret in [&first, &second] {
        let token = service
            .token(Auth::Basic("robot", secret), &[grant, buyer])
            .await
            .is_token();
        secrets.add_token(&token);
        let body = [
            grant,
            buyer,
            ("client_id", "robot"),
            ("client_secret", secret),
        ];
        secrets.add_token(&service.token(Auth::None, &body).await.is_token());
        let body = json!({ "profile": "buyer" });
        let json_form = service
            .post("/v1/tokens", Auth::Basic("robot", secret), &body)
            .await;
        secrets.add_token(json_form.json()["token"].as_str().unwrap());
    }
    let grants = json!({ "grant": [{ "service": "erp", "action": "report:read" }] });
    let wanted = json!({ "agent": "agent:a", "principal": "team:b", "ttl": 60, "grants": grants });
    let minted = service.post("/v1/tokens", auth, &wanted).await.json();
    let foreign = minted["token"].as_str().unwrap().to_owned();
    secrets.add_token(&foreign);

    let now = service.now().unix();
    let mut jwt = |members: Value| {
        let mut claims = json!({
            "iss": provider.issuer, "aud": "bailiwick", "sub": "ada", "groups": ["buyers"],
            "iat": now, "exp": now + 300, "jti": "one",
        });
        claims
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        let jwt = signer.sign(&claims);
        secrets.add_jwt(&jwt);
        jwt
    };
    let good = jwt(json!({}));
    let bad = [
        jwt(json!({ "aud": "other" })),
        jwt(json!({ "exp": now - 300 })),
        jwt(json!({ "groups": [] })),
        jwt(json!({ "iss": "https://other.example" })),
        jwt(json!({ "sub": "" })),
    ];
    let exchange = async |subject: &str| {
        let form = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("scope", "assistant"),
            ("subject_token", subject),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ];
        service.token(Auth::Basic("robot", &second), &form).await
    };
    let exchanged = exchange(&good).await.is_token();
    let assert = async |assertion: &str| {
        let form = [
            grant,
            ("scope", "workload"),
            ("client_assertion", assertion),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ];
        service.token(Auth::None, &form).await
    };
    let asserted = assert(&good).await.is_token();

    // Credentials are replayed, refused, sent in the wrong place, cut off and swapped.
    assert(&good).await.is_oauth(401, "invalid_client");
    for jwt in &bad {
        assert_eq!(exchange(jwt).await.status, 400);
        assert(jwt).await;
        let body = json!({ "client_assertion": jwt, "subject_token": jwt });
        service.post("/v1/tokens", Auth::None, &body).await;
        service.get("/v1/keys", Auth::Bearer(jwt)).await;
    }
    for wrong in [&first[..first.len() - 1], &operator, &good, PASSPHRASE] {
        let auth = Auth::Basic("robot", wrong);
        service
            .token(auth, &[grant, buyer])
            .await
            .is_oauth(401, "invalid_client");
        service
            .token(Auth::Basic(wrong, "robot"), &[grant, buyer])
            .await;
        let body = [grant, buyer, ("client_id", wrong), ("client_secret", wrong)];
        service.token(Auth::None, &body).await;
    }
    for (name, value) in [
        ("grant_type", good.as_str()),
        ("requested_token_type", second.as_str()),
    ] {
        let mut form = vec![(name, value)];
        form.extend(
            [grant, buyer]
                .into_iter()
                .filter(|(other, _)| *other != name),
        );
        let answer = service.token(Auth::Basic("robot", &second), &form).await;
        assert_eq!(answer.status, 400, "{name}");
    }
    for token in [&operator, &foreign, &exchanged, &asserted] {
        let cut = &token[..token.len() - 8];
        for path in [
            "/v1/keys",
            "/v1/profiles",
            "/v1/audit",
            "/v1/verifiers",
            "/v1/clients",
        ] {
            service.get(path, Auth::Bearer(token)).await;
            service.get(path, Auth::Bearer(cut)).await;
        }
        exchange(token).await;
        assert(token).await;
        for body in [
            json!({ "ttl": token }),
            json!({ "services": token }),
            json!({ "claims": token }),
            json!({ "grants": token }),
            json!({ "max_depth": [token] }),
            json!(token),
        ] {
            let answer = service
                .post("/v1/tokens", Auth::Basic("robot", &second), &body)
                .await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        let report = [("bailiwick-verifier", token.as_str())];
        let keyset = "/.well-known/bailiwick/keyset";
        service
            .send(reqwest::Method::GET, keyset, Auth::None, &report, "")
            .await;
    }
    secrets.add_token(&exchanged);
    secrets.add_token(&asserted);
    let revoked = json!({ "agents": ["agent:robot"], "reason": "a test" });
    service.post("/v1/revocations", auth, &revoked).await;
    service
        .post("/v1/clients/robot/disable", auth, &Value::Null)
        .await;
    service
        .post("/v1/audit/checkpoints", auth, &Value::Null)
        .await;
    service.post("/v1/keys/rotate", auth, &Value::Null).await;
    service
        .get("/.well-known/bailiwick/revocations/snapshot", Auth::None)
        .await;
    service.get("/metrics", Auth::None).await;
    let audit = service.get("/v1/audit?limit=1000", auth).await;
    assert!(audit.json().as_array().unwrap().len() > 10);

    // The home is searched with the journal in use, and again after a checkpoint of the journal.
    let home = service.home();
    for (name, bytes) in files(&home) {
        secrets.are_not_in(&name, &bytes);
    }
    let running = service.running.take().unwrap();
    running.stop(Duration::ZERO).await;
    let kept = files(&home);
    assert!(
        kept.iter()
            .any(|(name, bytes)| name == "issuer.db" && bytes.len() > 10_000)
    );
    for (name, bytes) in kept {
        secrets.are_not_in(&name, &bytes);
    }
    let said = service.said.as_ref().unwrap().lock().unwrap();
    for (path, answer) in said.iter() {
        let text = without_what_it_hands_out(path, answer);
        secrets.are_not_in(path, text.as_bytes());
        secrets.are_not_in(path, format!("{:?}", answer.headers).as_bytes());
    }
    let log = LOG.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    // The log covers all of these events.
    for part in [
        "TRACE",
        "DEBUG",
        "a request for a token was refused",
        "call denied",
        "bailiwick_service",
    ] {
        assert!(text.contains(part), "{part}");
    }
    secrets.are_not_in("the log", &log);
}
