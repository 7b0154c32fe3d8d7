//! A real OpenID provider, the npm package `oidc-provider`, with keys and tokens of its own making.
//!
//! Promised: a JWT of a configured provider is exchanged for a Bailiwick token that a verifier accepts. The
//! issuer follows a provider's rotation without a restart, at once or half a minute after it last asked for
//! keys. While the provider is down, JWTs signed by known keys are still accepted. A JWT is never accepted if
//! it is for another audience, has expired, is unsigned, or is signed with public values.
//!
//! Signs of failure: an unexpected status of an answer, or an unexpected decision.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use bailiwick_testkit::{
    http::eventually_within,
    program::{Serving, Setup, World, http},
    skip::skipped,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use crate::BAILIWICK;

const AUDIENCE: &str = "https://issuer.example";

/// Time for which the issuer does not ask a provider again after an unknown key, plus a margin.
const COOL_DOWN: Duration = Duration::from_secs(40);

const PROFILE: &str = r#"
[[profile]]
name = "assistant"
[profile.match.agent]
source = "client"
[profile.match.principal]
source = "corp"
[profile.params]
sub = { claim = "principal.sub", type = "string" }
[profile.token]
agent = "agent:assistant"
principal = "user:${sub}"
ttl = { min = "1m", default = "10m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_providers_tokens_are_exchanged() {
    let Ok(directory) = env::var("BAILIWICK_OIDC") else {
        return skipped(
            "a real OpenID provider",
            "run `npm ci` in tests/oidc, or in a copy of it, and let BAILIWICK_OIDC name that directory",
        );
    };
    let mut provider = Provider::start(Path::new(&directory));
    let config = format!(
        "[[provider]]\nname = \"corp\"\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\nmax_life = 3600\n",
        provider.issuer
    );
    let world = World::with(
        BAILIWICK,
        Setup {
            config: &config,
            profiles: PROFILE,
            profile: Some("assistant"),
            ..Setup::default()
        },
    );
    let serving = world.serve();
    let scene = Scene { world, serving };

    let first = provider.jwt(AUDIENCE).await;
    let token = scene.exchange(&first).await.token();
    scene.verified(&token).await;

    let mut refused = vec![(
        "another audience",
        provider.jwt("https://other.example").await,
    )];
    provider.tell("clock -4000");
    refused.push(("expired", provider.jwt(AUDIENCE).await));
    provider.tell("clock 0");
    scene.refuses(&refused).await;

    provider.rotate();
    let second = provider.jwt(AUDIENCE).await;
    assert_ne!(header(&first)["kid"], header(&second)["kid"]);
    scene.exchange(&second).await.token();
    scene.exchange(&first).await.token();

    // The forged tokens come after the rotation, because a wrong signature also makes the issuer ask the provider.
    refused.extend(forged(&first, &provider));
    scene.refuses(&refused).await;

    // The issuer has not seen this key when the provider goes down.
    provider.rotate();
    let third = provider.jwt(AUDIENCE).await;
    provider.tell("down");
    assert!(
        http().get(&provider.issuer).send().await.is_err(),
        "it is down"
    );
    for known in [&first, &second] {
        let token = scene.exchange(known).await.token();
        scene.verified(&token).await;
    }
    refused.extend(forged(&second, &provider));
    scene.refuses(&refused).await;
    let unknown = scene.exchange(&third).await;
    assert!(unknown.status >= 400, "{unknown:?}");

    provider.tell("up");
    let begun = Instant::now();
    eventually_within("the third key is followed", COOL_DOWN, async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scene.exchange(&third).await.status == 200
    })
    .await;
    eprintln!(
        "the key after an outage was followed after {:?}",
        begun.elapsed()
    );
    scene.refuses(&refused).await;
}

/// An issuer, and a client that exchanges tokens there.
struct Scene {
    world: World,
    serving: Serving,
}

#[derive(Debug)]
struct Exchanged {
    status: u16,
    body: Value,
}

impl Exchanged {
    fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        let issued = "urn:bailiwick:token-type:biscuit";
        assert_eq!(self.body["issued_token_type"], issued);
        self.body["access_token"].as_str().unwrap().to_owned()
    }
}

impl Scene {
    /// Exchanges a JWT (RFC 8693).
    async fn exchange(&self, subject: &str) -> Exchanged {
        let form = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("scope", "assistant"),
            ("subject_token", subject),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
        ];
        let url = format!("{}/v1/token", self.serving.base);
        let request = http()
            .post(url)
            .basic_auth("orchestrator", Some(&self.world.secret));
        let answer = sent(request, &form).await;
        Exchanged {
            status: answer.0,
            body: answer.1,
        }
    }

    async fn refuses(&self, refused: &[(&str, String)]) {
        for (what, jwt) in refused {
            let answer = self.exchange(jwt).await;
            assert_eq!(answer.status, 400, "{what}: {answer:?}");
            assert_eq!(answer.body["error"], "invalid_request", "{what}");
        }
    }

    /// Checks that a verifier with the fetched keyset allows the call and names its agent and principal.
    async fn verified(&self, token: &str) {
        let url = format!("{}/.well-known/bailiwick/keyset", self.serving.base);
        let keyset = http().get(url).send().await.unwrap().text().await.unwrap();
        let keyset = self.world.keep("keyset.json", &keyset);
        let token = self.world.keep("token", token);
        let key = self.world.run(&["keyset", "key"]);
        let mut verify = vec!["token", "verify", &token, "--keyset", &keyset];
        verify.extend(["--keyset-key", key.trim(), "--service", "erp"]);
        verify.extend(["--action", "purchase_order:create"]);
        let decision = self.world.json(&verify);
        let text = decision.to_string();
        assert!(text.contains("agent:assistant"), "{text}");
        assert!(text.contains("user:ada"), "{text}");
    }
}

/// The provider's process.
struct Provider {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    issuer: String,
    /// The public half of the signing key, in PEM.
    pem: String,
}

impl Provider {
    fn start(directory: &Path) -> Provider {
        let mut child = Command::new("node")
            .arg("provider.js")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut provider = Provider {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            issuer: String::new(),
            pem: String::new(),
        };
        let said = provider.said();
        provider.issuer = said["issuer"].as_str().unwrap().to_owned();
        provider.pem = said["pem"].as_str().unwrap().to_owned();
        provider
    }

    fn said(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the provider answers: is it installed?")
    }

    fn tell(&mut self, what: &str) -> Value {
        writeln!(self.stdin, "{what}").unwrap();
        self.said()
    }

    fn rotate(&mut self) {
        let said = self.tell("rotate");
        self.pem = said["pem"].as_str().unwrap().to_owned();
    }

    /// Fetches an access token for the provider's client `ada` and an audience.
    async fn jwt(&self, audience: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("resource", audience),
            ("scope", "use"),
        ];
        let secret = Some("the+secret+of+a+client+of+the+provider");
        let request = http().post(format!("{}/token", self.issuer));
        let (status, body) = sent(request.basic_auth("ada", secret), &form).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a form, and reads the answer as JSON.
async fn sent(request: reqwest::RequestBuilder, form: &[(&str, &str)]) -> (u16, Value) {
    let mut url = reqwest::Url::parse("http://form.example").unwrap();
    url.query_pairs_mut().extend_pairs(form);
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(url.query().unwrap().to_owned())
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")),
    )
}

fn header(jwt: &str) -> Value {
    let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap());
    serde_json::from_slice(&header.unwrap()).unwrap()
}

/// Tokens that an attacker forges from a real token and the provider's public key.
fn forged(real: &str, provider: &Provider) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = real.split('.').collect();
    let message = |alg: &str| {
        let mut header = header(real);
        header["alg"] = json!(alg);
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        format!("{header}.{}", parts[1])
    };
    let der: String = provider
        .pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(der)
        .unwrap();
    let mut forged = vec![
        ("none", format!("{}.", message("none"))),
        (
            "none, with the old signature",
            format!("{}.{}", message("none"), parts[2]),
        ),
        ("cut off", format!("{}.{}.", parts[0], parts[1])),
    ];
    for public in [
        provider.pem.as_bytes(),
        provider.pem.trim().as_bytes(),
        &der,
    ] {
        let message = message("HS256");
        let key = EncodingKey::from_secret(public);
        let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        forged.push((
            "HS256 with the public key",
            format!("{message}.{signature}"),
        ));
    }
    forged
}
