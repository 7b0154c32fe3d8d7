//! The state of an issuer, reported by one command, and the cron jobs of the guide.
//!
//! Promised: `status` and `key rotate --quiet` print nothing and exit with 0 while all is well, at the home and
//! at a service; a dead service, a wrong passphrase, and a keyset without the URL of the revocations are
//! reported with their own exit codes. `serve` warns about the missing URL, and a URL that is set at the home
//! appears in the keyset of the running service.
//!
//! Signs of failure: any output while all is well, exit code 0 while something is wrong, or different answers
//! of the service and the home.

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use bailiwick_api::Health;
use bailiwick_testkit::{
    http::eventually,
    program::{Serving, Setup, World},
    skip::skipped,
};
use serde_json::Value;
use sqlx::Connection;

use crate::BAILIWICK;

const GRANTS: &str = "
[[grant]]
service = \"bailiwick\"
action = \"status:read\"

[[grant]]
service = \"bailiwick\"
action = \"keyset:set\"
";

/// Runs a command, and returns its exit code and all its output.
fn run(world: &World, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = world.command(arguments);
    command.envs(environment.iter().copied());
    let done = command.output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

/// States of the sections that both the home and the service report.
fn sections(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let sections = report["sections"].as_array().unwrap().iter();
    let all = sections.map(|it| (text(it, "section"), text(it, "state")));
    all.filter(|(name, _)| name != "service").collect()
}

fn url_of(serving: &Serving) -> String {
    format!("{}/.well-known/bailiwick/revocations", serving.base)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_is_silent_while_all_is_well() {
    let world = World::new(BAILIWICK);
    let grants = world.keep("status.toml", GRANTS);
    let mint = [
        "token",
        "mint",
        "--agent",
        "operator:watch",
        "--principal",
        "team:x",
    ];
    let token = world.run(&[&mint[..], &["--ttl", "1h", "--grants", &grants]].concat());
    let quiet = ["status", "--quiet"];
    let rotate = ["key", "rotate", "--quiet"];
    for job in [&quiet[..], &rotate] {
        assert_eq!(run(&world, job, &[]), (0, String::new()), "{job:?}");
    }

    // Once the issuer serves without the URL, it may have verifiers that do not look for revocations.
    let serving = world.serve();
    eventually("the service warns at its start", async || {
        world.said().contains("`bailiwick keyset set`")
    })
    .await;
    let (code, said) = run(&world, &quiet, &[]);
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("names no URL of the revocations"), "{said}");
    let base = serving.base.clone();
    let at_service = [
        ("BAILIWICK_SERVER", base.as_str()),
        ("BAILIWICK_OPERATOR_TOKEN", token.trim()),
        ("BAILIWICK_HOME", "nowhere"),
    ];
    let (code, said) = run(&world, &quiet, &at_service);
    assert_eq!(code, 7, "{said}");

    let url = url_of(&serving);
    let set = ["keyset", "set", "--revocation-url", url.as_str()];
    let (code, said) = run(&world, &set, &[]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(&world, &set, &at_service);
    assert!(code == 0 && said.contains("nothing changed"), "{said}");
    let keyset = world.keep("keyset", "");
    let key = world.run(&["keyset", "key"]);
    let exported = [&at_service[..], &[("BAILIWICK_KEYSET_KEY", key.trim())]].concat();
    let (code, said) = run(&world, &["keyset", "export", "--out", &keyset], &exported);
    assert_eq!(code, 0, "{said}");
    let shown = world.json(&["keyset", "show", &keyset]);
    assert_eq!(shown["keyset"]["revocation_url"], Value::String(url));

    for environment in [&[][..], &at_service] {
        let (code, said) = run(&world, &quiet, environment);
        assert_eq!((code, said.as_str()), (0, ""), "{environment:?}");
    }
    let report = |environment: &[(&str, &str)]| -> Value {
        let (code, said) = run(&world, &["status", "--json"], environment);
        assert_eq!(code, 0, "{said}");
        serde_json::from_str(&said).unwrap()
    };
    let (here, there) = (report(&[]), report(&at_service));
    assert_eq!(sections(&here), sections(&there));
    assert_eq!(here["keyset"], there["keyset"]);
    assert_eq!(here["settings"], there["settings"]);
    assert_eq!(there["state"], Health::Ok.as_str());
    assert_eq!(there["sections"][0]["section"], "service");

    // Both jobs report a wrong passphrase, although nothing is due.
    let wrong = world.keep("wrong", "not the right passphrase\n");
    let wrong = [("BAILIWICK_PASSPHRASE_FILE", wrong.as_str())];
    let (code, said) = run(&world, &quiet, &wrong);
    assert_eq!(code, 8, "{said}");
    let (code, said) = run(&world, &rotate, &wrong);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("does not open"), "{said}");

    // A token without the action is refused.
    let other = [
        at_service[0],
        ("BAILIWICK_OPERATOR_TOKEN", world.operator.as_str()),
    ];
    let (code, said) = run(&world, &quiet, &other);
    assert_eq!(code, 3, "{said}");

    // A minute after the service has died, followers deny every call.
    serving.kill();
    let (code, said) = run(&world, &quiet, &at_service);
    assert_eq!(code, 6, "{said}");
    let database = world.home().join("issuer.db");
    let url = format!("sqlite://{}", database.display());
    let mut store = sqlx::SqliteConnection::connect(&url).await.unwrap();
    // The head is made older, to save the wait.
    let older = "UPDATE feed_head SET issued_at = issued_at - 100";
    sqlx::query(older).execute(&mut store).await.unwrap();
    store.close().await.unwrap();
    eventually("the dead service is told of", async || {
        let (code, said) = run(&world, &quiet, &[]);
        code == 8 && said.contains("the last head of the revocations was signed at")
    })
    .await;
}

const WATCHER: &str = r#"
[[profile]]
name = "watcher"
[profile.match.agent]
source = "client"
claims.role = "watcher"
[profile.token]
agent = "operator:watcher-1"
principal = "team:platform"
ttl = { default = "5m", max = "5m" }
[[profile.grant]]
service = "bailiwick"
action = "status:read"
"#;

/// The script of the guide works with a URL that ends in `/`, and prints the service's reason for a refusal.
#[test]
fn the_script_for_cron_says_why_it_failed() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("the script that watches an issuer", "install `curl`");
    }
    let world = World::with(
        BAILIWICK,
        Setup {
            profiles: WATCHER,
            ..Setup::default()
        },
    );
    let add = ["client", "add", "watcher-1", "--principal", "team:platform"];
    let add = [
        &add[..],
        &["--profile", "watcher", "--claim", "role=watcher"],
    ]
    .concat();
    let secret = world.keep("secret", &world.run(&add));
    let wrong = world.keep("wrong", "a guess\n");
    let serving = world.serve();
    let base = format!("{}/", serving.base);
    let said = |done: &Output| String::from_utf8_lossy(&done.stderr).into_owned();

    let done = watch(&base, &secret);
    // There is a warning about the missing URL of the revocations.
    assert_eq!(done.status.code(), Some(7), "{}", said(&done));
    let done = watch(&base, &wrong);
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    assert!(said(&done).contains("invalid_client"), "{}", said(&done));
}

fn watch(server: &str, secret: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/deploy/cron/status");
    let mut path = Path::new(BAILIWICK)
        .parent()
        .unwrap()
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap());
    let mut command = Command::new("sh");
    command
        .arg(script)
        .env("PATH", path)
        .env("BAILIWICK_HOME", "nowhere")
        .env("BAILIWICK_SERVER", server)
        .env("CLIENT", "watcher-1")
        .env("SECRET_FILE", secret)
        .env_remove("CA_FILE");
    command.output().unwrap()
}
