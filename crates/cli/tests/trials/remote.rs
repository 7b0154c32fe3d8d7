//! Every command for operators, over the network.
//!
//! Promised: with an operator's token, a command does the same at a service as at the home, and exits with the
//! same code.
//!
//! Signs of failure: a command that works on the caller's own home, a different answer, or a different code.

use bailiwick_testkit::program::{Serving, World, acknowledged::Acknowledged, http};
use serde_json::Value;

use crate::BAILIWICK;

const GRANTS: &str = r#"
[[grant]]
service = "bailiwick"
action = "*"
"#;

/// A public key (RFC 8410, section 10.1).
const KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}"#;

struct Remote<'a> {
    world: &'a World,
    serving: &'a Serving,
    token: String,
    keyset_key: String,
}

impl Remote<'_> {
    /// Runs a command with a home that does not exist, so that no command can work on a home.
    fn output(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = self.world.command(arguments);
        command
            .env("BAILIWICK_HOME", self.world.scratch().join("nowhere"))
            .env("BAILIWICK_SERVER", &self.serving.base)
            .env("BAILIWICK_OPERATOR_TOKEN", &self.token)
            .env("BAILIWICK_KEYSET_KEY", &self.keyset_key);
        command.output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let done = self.output(arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.run(&arguments)).unwrap()
    }

    /// Checks that the command exits with this code, both at the service and at the home.
    fn refused(&self, arguments: &[&str], code: i32) {
        let there = self.output(arguments);
        let here = self.world.command(arguments).output().unwrap();
        for (place, done) in [("there", there), ("here", here)] {
            let said = String::from_utf8_lossy(&done.stderr);
            assert_eq!(
                done.status.code(),
                Some(code),
                "{place}: {arguments:?}: {said}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_does_over_the_network_what_it_does_at_home() {
    let world = World::new(BAILIWICK);
    let grants = world.keep("all.toml", GRANTS);
    let mint = [
        "token",
        "mint",
        "--agent",
        "operator:eve",
        "--principal",
        "user:eve",
    ];
    let token = world.run(&[&mint[..], &["--ttl", "1h", "--grants", &grants]].concat());
    let keyset_key = world.run(&["keyset", "key"]);
    let serving = world.serve();
    let there = Remote {
        world: &world,
        serving: &serving,
        token: token.trim().to_owned(),
        keyset_key: keyset_key.trim().to_owned(),
    };
    let text = |value: &Value, at: &str| value.pointer(at).unwrap().as_str().unwrap().to_owned();
    let is_same = |arguments: &[&str]| {
        let (there, here) = (there.json(arguments), world.json(arguments));
        assert_eq!(there, here, "{arguments:?}");
        here
    };

    // Keys.
    let staged = text(&there.json(&["key", "stage"]), "/changes/0/id");
    there.refused(&["key", "activate", &staged], 4);
    there.run(&["key", "activate", &staged, "--force"]);
    let active = text(
        &is_same(&["key", "list", "--state", "active"]),
        "/keys/0/id",
    );
    assert_eq!(active, staged);
    let retiring = text(
        &is_same(&["key", "list", "--state", "retiring"]),
        "/keys/0/id",
    );
    there.refused(&["key", "retire", &retiring, "--yes"], 4);
    there.refused(&["key", "activate", &retiring, "--force"], 4);
    there.refused(&["key", "revoke", "00000000", "--reason", "x", "--yes"], 5);
    let spare = text(
        &is_same(&["key", "list", "--state", "staged"]),
        "/keys/0/id",
    );
    there.run(&["key", "revoke", &spare, "--reason", "drill", "--yes"]);
    there.run(&["key", "rotate"]);

    // Clients.
    let add = [
        "client",
        "add",
        "batch",
        "--principal",
        "team:x",
        "--profile",
        "buyer",
    ];
    let secret = there.run(&add);
    there.refused(&add, 4);
    assert_ne!(
        there.run(&["client", "rotate", "batch", "--overlap", "1h"]),
        secret
    );
    let public = world.keep("robot.jwk", KEY);
    let add = ["client", "add", "robot", "--principal", "team:x"];
    let add = [&add[..], &["--profile", "buyer", "--key", &public]].concat();
    let robot = there.json(&add);
    assert!(robot.get("secret").is_none(), "{robot}");
    let id = text(&robot, "/client/keys/0/id");
    there.refused(&["client", "key", "add", "robot", "--key", &public], 4);
    there.refused(&["client", "key", "add", "nobody", "--key", &public], 5);
    let remove = ["client", "key", "remove", "robot", &id, "--yes"];
    there.run(&remove);
    there.refused(&remove, 5);
    there.run(&["client", "key", "add", "robot", "--jwks", &public]);
    is_same(&["client", "list"]);
    there.refused(&["client", "rotate", "nobody"], 5);
    there.run(&["client", "disable", "batch", "--yes"]);
    there.refused(&["client", "disable", "batch", "--yes"], 4);

    // Tokens and revocations. An operator cannot make other operators.
    let harmless = world.keep(
        "erp.toml",
        "[[grant]]\nservice = \"erp\"\naction = \"read\"\n",
    );
    let mint = [
        "token",
        "mint",
        "--agent",
        "agent:a",
        "--principal",
        "user:b",
        "--ttl",
        "5m",
    ];
    let minted = there.json(
        &[
            &mint[..],
            &["--grants", &harmless, "--out", &world.keep("t", "")],
        ]
        .concat(),
    );
    let done = there.output(&[&mint[..], &["--grants", &grants]].concat());
    assert_eq!(done.status.code(), Some(3));
    let id = text(&minted, "/token_id");
    there.run(&["token", "revoke", &id, "--reason", "drill", "--yes"]);
    there.run(&[
        "revocations",
        "add",
        "--agent",
        "agent:a",
        "--reason",
        "drill",
        "--yes",
    ]);
    let revoked = is_same(&["revocations", "list"]);
    assert_eq!(
        revoked
            .pointer("/revocations")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );

    // Names that may be typing errors are named in the same way.
    let warned = [
        "revocations",
        "add",
        "--agent",
        "agent:z",
        "--principal",
        "user:z",
        "--tenant",
        "z",
        "--reason",
        "drill",
        "--yes",
    ];
    for done in [
        there.output(&warned),
        world.command(&warned).output().unwrap(),
    ] {
        let said = String::from_utf8_lossy(&done.stderr);
        for name in ["agent `agent:z`", "principal `user:z`", "tenant `z`"] {
            assert!(said.contains(name), "{said}");
        }
    }
    let idle = ["client", "add", "idle", "--principal", "team:x"];
    there.run(&[&idle[..], &["--profile", "buyer"]].concat());
    for (client, code) in [("idle", 0), ("nosuch", 5)] {
        let add = ["revocations", "add", "--client", client];
        there.refused(&[&add[..], &["--reason", "drill", "--yes"]].concat(), code);
        is_same(&["token", "list", "--client", client]);
    }

    // The list of tokens, and the revocation of tokens that a client fetched.
    let fetched = Acknowledged::default();
    for _ in 0..2 {
        let minted = fetched.mint(&http(), &serving.base, &world.secret).await;
        assert!(minted.unwrap().is_success());
    }
    let live = ["token", "list", "--client", "orchestrator"];
    let listed = is_same(&live);
    let listed = listed["tokens"].as_array().unwrap();
    let ids: Vec<&str> = (listed.iter().rev())
        .map(|token| token["token_id"].as_str().unwrap())
        .collect();
    assert_eq!(*fetched.tokens.lock().unwrap(), ids);
    let one = is_same(&["token", "list", "--client", "orchestrator", "--limit", "1"]);
    assert_eq!(text(&one, "/next"), ids[1]);
    is_same(&["token", "list", "--agent", "agent:a", "--all"]);
    is_same(&["token", "list", "--principal", "user:eve"]);
    there.run(&[
        "revocations",
        "add",
        "--client",
        "orchestrator",
        "--reason",
        "drill",
        "--yes",
    ]);
    assert_eq!(is_same(&live)["tokens"], Value::Array(vec![]));
    let all = is_same(&["token", "list", "--client", "orchestrator", "--all"]);
    let states = all["tokens"].as_array().unwrap().iter();
    assert_eq!(
        states.filter(|token| token["state"] == "revoked").count(),
        2
    );
    let nobody = "00000000000000000000000000000000";
    there.refused(&["token", "list", "--after", nobody], 2);

    // Signed documents are checked with a key from the home.
    for what in ["keyset", "revocations"] {
        let file = world.keep(what, "");
        there.run(&[what, "export", "--out", &file]);
        assert!(!std::fs::read(&file).unwrap().is_empty());
    }

    // The audit.
    let checkpoint = world.keep("checkpoint", "");
    there.run(&["audit", "checkpoint", "--out", &checkpoint]);
    let report = there.json(&["audit", "verify", "--checkpoint", &checkpoint]);
    assert_eq!(report.pointer("/finding"), Some(&Value::Null));
    is_same(&["audit", "list", "--event", "revoke"]);
    let export = world.keep("export", "");
    there.run(&["audit", "export", "--out", &export]);
    there.run(&["audit", "verify", "--export", &export]);

    // Verifiers and profiles. One verifier reports that it is behind.
    let url = format!("{}/.well-known/bailiwick/keyset", serving.base);
    let polled = http().get(url).header(
        "bailiwick-verifier",
        "name=\"erp-1\"; service=\"erp\"; keyset=1",
    );
    assert!(polled.send().await.unwrap().status().is_success());
    let lag = |mut shown: Value| {
        let verifier = shown.pointer_mut("/verifiers/0").unwrap();
        let ago = verifier.as_object_mut().unwrap().remove("seconds_ago");
        assert!(ago.unwrap().as_u64().unwrap() < 60);
        shown
    };
    let behind = ["verifier", "lag", "--behind"];
    let (there_lag, here_lag) = (lag(there.json(&behind)), lag(world.json(&behind)));
    assert_eq!(there_lag, here_lag);
    let version = there_lag.pointer("/keyset_version").unwrap().as_u64();
    let missing = there_lag.pointer("/verifiers/0/keysets_behind").unwrap();
    assert_eq!(missing.as_u64(), version.map(|version| version - 1));
    there.run(&["verifier", "forget", "erp-1"]);
    is_same(&["verifier", "lag"]);
    there.refused(&["verifier", "forget", "erp-1"], 5);
    is_same(&["profile", "list"]);

    // Verbs that create or move a home work only at the home.
    for verb in [
        "init --issuer https://x.example",
        "serve",
        "backup",
        "keyset key",
    ] {
        let done = there.output(&verb.split(' ').collect::<Vec<_>>());
        assert_eq!(done.status.code(), Some(2), "{verb}");
    }

    // An empty variable means the home, even if `config.toml` names a service.
    let config = "server = \"http://127.0.0.1:1\"\n";
    std::fs::write(world.home().join("config.toml"), config).unwrap();
    let code = |server: Option<&str>| {
        let mut command = world.command(&["key", "list"]);
        command.envs(server.map(|url| ("BAILIWICK_SERVER", url)));
        command.output().unwrap().status.code()
    };
    assert_eq!(code(None), Some(6));
    assert_eq!(code(Some("")), Some(0));
}
