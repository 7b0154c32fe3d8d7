//! Tests that a whole session with the most verbose output contains no passphrase, no private key and no token,
//! except tokens that are meant for stdout.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

const PASSPHRASE: &str = "seven purple ravens juggle quietly";

/// All output of one run.
struct Said {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

struct Session<'a> {
    dir: &'a Path,
    log: &'static str,
    /// All output, except the tokens on stdout.
    heard: String,
}

impl Session<'_> {
    fn run(&mut self, args: &[&str], stdin: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
            .args(args)
            .arg("--verbose")
            .current_dir(self.dir)
            .env("BAILIWICK_HOME", "home")
            .env("BAILIWICK_PASSPHRASE", PASSPHRASE)
            .env("BAILIWICK_LOG", self.log)
            .env("RUST_BACKTRACE", "full")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A run may end without reading all of its input; that is no failure of this test.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let said = Said {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        };
        self.heard.push_str(&said.stderr);
        said
    }

    /// Runs a command whose output is not a token.
    fn open(&mut self, args: &[&str], stdin: &str, code: i32) {
        let said = self.run(args, stdin);
        assert_eq!(said.code, Some(code), "{args:?}: {}", said.stderr);
        self.heard.push_str(&said.stdout);
    }

    /// Runs a command whose output is a token, and nothing else.
    fn token(&mut self, args: &[&str]) -> String {
        let said = self.run(args, "");
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
        let lines: Vec<&str> = said.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "more than a token: {}", said.stdout);
        lines.concat()
    }
}

/// The text forms of every private key in the home, decrypted with the age library.
fn private_keys(home: &Path) -> Vec<String> {
    use age::secrecy::ExposeSecret;

    let passphrase = age::secrecy::SecretString::from(PASSPHRASE.to_owned());
    let file = fs::read(home.join("identity.age")).unwrap();
    let identity = age::decrypt(&age::scrypt::Identity::new(passphrase), &file).unwrap();
    let identity: age::x25519::Identity =
        String::from_utf8(identity).unwrap().trim().parse().unwrap();
    let database = fs::read(home.join("issuer.db")).unwrap();
    let mut found = vec![identity.to_string().expose_secret().to_owned()];
    // Every sealed key in the database is an age file. Its header may be padded with nonsense, so its
    // end is found by trial.
    let header = b"age-encryption.org/v1";
    let starts = database
        .windows(header.len())
        .enumerate()
        .filter(|(_, window)| window == header);
    for (start, _) in starts {
        for end in start + 150..database.len().min(start + 1500) {
            if let Ok(secret) = age::decrypt(&identity, &database[start..end]) {
                found.extend(texts(&secret));
                break;
            }
        }
    }
    found
}

/// The forms in which bytes could appear in text.
fn texts(bytes: &[u8]) -> Vec<String> {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };

    let listed = format!("{bytes:?}");
    vec![
        hex::encode(bytes),
        hex::encode_upper(bytes),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
        listed.trim_matches(['[', ']']).to_owned(),
    ]
}

#[test]
fn a_session_tells_no_secret() {
    for log in ["debug", "trace"] {
        session(log);
    }
}

fn session(log: &'static str) {
    let dir = tempfile::tempdir().unwrap();
    let grants = "[[grant]]\nservice = \"erp\"\naction = \"order:*\"\n";
    fs::write(dir.path().join("grants.toml"), grants).unwrap();
    let mut session = Session {
        dir: dir.path(),
        log,
        heard: String::new(),
    };

    session.open(&["init", "--issuer", "https://issuer.example"], "", 0);
    session.open(&["key", "stage"], "", 0);
    session.open(&["key", "rotate"], "", 0);
    session.open(&["keyset", "export", "--out", "keyset.json"], "", 0);
    let key = session.run(&["keyset", "key"], "").stdout.trim().to_owned();

    let mint = [
        "token",
        "mint",
        "--agent",
        "agent:a",
        "--principal",
        "team:b",
        "--ttl",
        "15m",
        "--grants",
        "grants.toml",
    ];
    let token = session.token(&mint);
    fs::write(dir.path().join("token"), &token).unwrap();
    let narrowed = session.token(&["token", "attenuate", "token", "--ttl", "5m"]);
    let sealed = session.token(&["token", "seal", "token"]);
    session.open(&[mint.as_slice(), &["--out", "other"]].concat(), "", 0);
    let other = fs::read_to_string(dir.path().join("other"))
        .unwrap()
        .trim()
        .to_owned();

    let verify = |action: &'static str| {
        let keyset = ["--keyset", "keyset.json", "--keyset-key", &key].map(str::to_owned);
        let call = [
            "token",
            "verify",
            "-",
            "--service",
            "erp",
            "--action",
            action,
        ]
        .map(str::to_owned);
        [call.as_slice(), &keyset].concat()
    };
    for (action, code) in [("order:read", 0), ("contact:read", 3)] {
        let args = verify(action);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        session.open(&args, &narrowed, code);
        // A refusal must not repeat a text that is nearly a token either.
        session.open(&args, &format!("{narrowed}!"), 3);
        session.open(&args, &narrowed[..narrowed.len() / 2], 3);
    }
    session.open(&["token", "inspect", "-"], &token, 0);
    session.open(&["token", "inspect", "-", "--json"], &sealed, 0);
    session.open(&["token", "inspect", "-"], &format!("{token}!"), 1);
    session.open(&["grants", "check", "-"], &token, 1);
    session.open(&["keyset", "show", "-"], &token, 1);
    session.open(&["token", "attenuate", "-", "--ttl", "1m"], &sealed, 1);
    session.open(
        &["token", "revoke", "token", "--reason", "leaked", "--yes"],
        "",
        0,
    );
    session.open(&["revocations", "export"], "", 0);
    session.open(&["audit", "list", "--json"], "", 0);
    session.open(&["audit", "verify"], "", 0);

    // The middle of a token is as secret as the whole: no long run of it may appear.
    let mut secrets = private_keys(&dir.path().join("home"));
    assert!(
        secrets.len() == 1 + 4 * 5,
        "the keyset key and three root keys: {}",
        secrets.len()
    );
    secrets.push(PASSPHRASE.to_owned());
    for token in [token, narrowed, sealed, other] {
        let tail = token.len() - 80;
        secrets.push(token[tail..tail + 40].to_owned());
        secrets.push(token[..60].to_owned());
    }
    for secret in secrets {
        assert!(
            !session.heard.contains(&secret),
            "`{secret}` was told at level {log}"
        );
    }
    assert!(
        session.heard.contains("DEBUG bailiwick"),
        "nothing was logged at all"
    );
}
