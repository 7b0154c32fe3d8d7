//! Authlib, an OAuth library for Python, as a client with a key of its own (`private_key_jwt`).
//!
//! Promised: a client that is registered with a public key in PEM gets tokens for assertions made by Authlib,
//! with Ed25519, P-256 and RSA keys, and with the token endpoint or the issuer as audience. An assertion with
//! Authlib's default lifetime is refused, and the message names the limit, until the operator allows that lifetime. A
//! removed key gets nothing.
//!
//! Signs of failure: no token, a token that does not verify, or one under a removed key.
//!
//! Runs the interpreter named by `BAILIWICK_PYTHON`, in which Authlib 1.9.10 and requests are installed.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use bailiwick_testkit::{
    program::{Serving, Setup, World, http},
    skip::skipped,
};
use serde_json::{Value, json};

use crate::BAILIWICK;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/interop/authlib_client.py"
);

/// A script that prints nothing and succeeds if the packages are installed.
const PROBE: &str = "
import importlib.metadata, authlib.integrations.requests_client
assert importlib.metadata.version('authlib') == '1.9.10'";

/// Returns the interpreter, if it has Authlib.
fn interpreter() -> Option<String> {
    let python = env::var("BAILIWICK_PYTHON").ok()?;
    let probe = Command::new(&python).args(["-c", PROBE]).output().ok()?;
    probe.status.success().then_some(python)
}

struct Authlib<'a> {
    python: String,
    world: &'a World,
}

impl Authlib<'_> {
    fn run(&self, job: &Value) -> Value {
        let mut child = Command::new(&self.python)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(job.to_string().as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{job}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The path of a file with one half of this client's key.
    fn file(&self, client: &str, half: &str) -> String {
        let path = self.world.scratch().join(format!("{client}.{half}.pem"));
        path.to_str().unwrap().to_owned()
    }

    fn make(&self, client: &str, alg: &str) -> String {
        let (private, public) = (self.file(client, "private"), self.file(client, "public"));
        self.run(&json!({ "do": "make", "alg": alg, "private": private, "public": public }));
        public
    }

    fn fetch(&self, serving: &Serving, client: &str, alg: &str, more: Value) -> Value {
        let mut job = json!({
            "do": "fetch",
            "base": serving.base,
            "client": client,
            "alg": alg,
            "private": self.file(client, "private"),
            "brief": true,
            "to_issuer": false,
            "count": 1,
        });
        let more = more.as_object().unwrap().clone();
        job.as_object_mut().unwrap().extend(more);
        self.run(&job)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authlib_signs_in_with_its_own_key() {
    let Some(python) = interpreter() else {
        return skipped(
            "Authlib",
            "let BAILIWICK_PYTHON name a Python that has authlib 1.9.10 and requests",
        );
    };
    let world = World::new(BAILIWICK);
    let authlib = Authlib {
        python: python.clone(),
        world: &world,
    };
    let clients = [("one", "EdDSA"), ("two", "ES256"), ("three", "RS256")];
    for (client, alg) in clients {
        let public = authlib.make(client, alg);
        let mut add = vec!["client", "add", client, "--principal", "team:procurement"];
        add.extend(["--profile", "buyer", "--key", &public]);
        let added = world.json(&add);
        assert!(added.get("secret").is_none(), "{added}");
    }
    // The private half is refused where the public one belongs.
    let private = authlib.file("one", "private");
    let wrong = ["client", "key", "add", "two", "--key", &private];
    let refused = world.command(&wrong).output().unwrap();
    let says = String::from_utf8(refused.stderr).unwrap();
    assert!(says.contains("contains a private key"), "{says}");

    let serving = world.serve();
    for (client, alg) in clients {
        for to_issuer in [false, true] {
            let more = json!({ "to_issuer": to_issuer, "count": 3 });
            let fetched = authlib.fetch(&serving, client, alg, more);
            let tokens = fetched["tokens"].as_array();
            let tokens = tokens.unwrap_or_else(|| panic!("{fetched}"));
            assert_eq!(tokens.len(), 3);
            for token in tokens {
                verified(&world, &serving, client, token.as_str().unwrap()).await;
            }
        }
    }
    let long = authlib.fetch(&serving, "one", "EdDSA", json!({ "brief": false }));
    assert_eq!(long["error"], "invalid_client", "{long}");
    let says = long["says"].as_str().unwrap();
    assert!(says.contains("above 300 seconds"), "{says}");

    let list = world.json(&["client", "list"]);
    let clients = list["clients"].as_array().unwrap();
    let one = clients.iter().find(|client| client["name"] == "one");
    let id = one.unwrap()["keys"][0]["id"].as_str().unwrap();
    world.run(&["client", "key", "remove", "one", id, "--yes"]);
    let removed = authlib.fetch(&serving, "one", "EdDSA", json!({}));
    assert_eq!(removed["error"], "invalid_client", "{removed}");
    serving.stop();

    // The operator allows Authlib's default lifetime.
    let lenient = World::with(
        BAILIWICK,
        Setup {
            config: "[limits]\nclient_assertion_seconds = 3600\n",
            ..Setup::default()
        },
    );
    let authlib = Authlib {
        python,
        world: &lenient,
    };
    let public = authlib.make("four", "ES256");
    let mut add = vec!["client", "add", "four", "--principal", "team:procurement"];
    add.extend(["--profile", "buyer", "--key", &public]);
    lenient.run(&add);
    let serving = lenient.serve();
    let more = json!({ "brief": false, "count": 2 });
    let fetched = authlib.fetch(&serving, "four", "ES256", more);
    assert_eq!(fetched["tokens"].as_array().unwrap().len(), 2, "{fetched}");
}

/// Checks that a verifier with the fetched keyset allows a call and names the client as its agent.
async fn verified(world: &World, serving: &Serving, client: &str, token: &str) {
    let url = format!("{}/.well-known/bailiwick/keyset", serving.base);
    let keyset = http().get(url).send().await.unwrap().text().await.unwrap();
    let keyset = world.keep("keyset.json", &keyset);
    let token = world.keep("token", token);
    let key = world.run(&["keyset", "key"]);
    let mut verify = vec!["token", "verify", &token, "--keyset", &keyset];
    verify.extend(["--keyset-key", key.trim(), "--service", "erp"]);
    verify.extend(["--without-revocations", "--action", "purchase_order:create"]);
    let text = world.json(&verify).to_string();
    assert!(text.contains(&format!("agent:{client}")), "{text}");
}
