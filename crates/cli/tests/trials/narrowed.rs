//! Revoking with the file of a narrowed token, at the home and over the network.
//!
//! Promised: the file of a narrowed token revokes nothing without an option that states what to revoke. With
//! `--block` the command ends the tokens that have the block; the token that the block was appended to, and its other
//! descendants, stay valid. With `--whole` it ends all of them. The command prints what it will revoke before it does
//! so.
//!
//! Signs of failure: a parent or a sibling that is denied after `--block`, a child that is allowed, or an entry that was
//! written without a choice.

use std::{
    process::Output,
    thread,
    time::{Duration, Instant},
};

use bailiwick_testkit::program::World;

use crate::BAILIWICK;

/// Maximum time that a revocation may take to reach a snapshot.
const PATIENCE: Duration = Duration::from_secs(60);

const GRANTS: &str = "
[[grant]]
service = \"erp\"
action = \"read\"
";

const OPERATOR: &str = "
[[grant]]
service = \"bailiwick\"
action = \"*\"
";

/// The side from which the issuer is asked: its home, or a service of it.
struct Side<'a> {
    world: &'a World,
    environment: Vec<(&'static str, String)>,
}

impl Side<'_> {
    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = self.world.command(arguments);
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// Runs a command that has to succeed, and returns all that it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let done = self.output(arguments);
        let said = String::from_utf8([done.stderr, done.stdout].concat()).unwrap();
        assert!(done.status.success(), "{arguments:?}: {said}");
        said
    }

    fn file(&self, name: &str) -> String {
        self.world.keep(name, "")
    }

    fn narrow(&self, token: &str, name: &str) -> String {
        let file = self.file(name);
        self.run(&[
            "token",
            "attenuate",
            token,
            "--delegate",
            name,
            "--out",
            &file,
        ]);
        file
    }

    /// Returns true if a verifier with the current revocations allows a call with the token.
    fn is_allowed(&self, token: &str) -> bool {
        let (keyset, revocations) = (self.file("keyset"), self.file("revocations"));
        self.run(&["keyset", "export", "--out", &keyset]);
        self.run(&["revocations", "export", "--out", &revocations]);
        let key = self.world.run(&["keyset", "key"]);
        let call = [
            "token",
            "verify",
            token,
            "--service",
            "erp",
            "--action",
            "read",
        ];
        let trust = ["--keyset", keyset.as_str(), "--keyset-key", key.trim()];
        let fresh = ["--revocations", revocations.as_str()];
        let done = self.output(&[&call[..], &trust, &fresh].concat());
        match done.status.code() {
            Some(0) => true,
            Some(3) => false,
            code => panic!("{code:?}: {}", String::from_utf8_lossy(&done.stderr)),
        }
    }

    /// Waits until the revocations that the issuer hands out deny the token, which takes a service some seconds.
    fn becomes_denied(&self, token: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.is_allowed(token) {
            assert!(Instant::now() < deadline, "it is still allowed");
            thread::sleep(Duration::from_millis(500));
        }
    }

    fn entries(&self) -> usize {
        let listed = self.run(&["revocations", "list", "--json"]);
        listed.matches("\"seq\":").count()
    }

    fn keeps_its_promise(&self, mint: &[&str]) {
        let parent = self.file("parent");
        self.run(&[mint, &["--out", &parent]].concat());
        let checker = self.narrow(&parent, "checker");
        let child = self.narrow(&checker, "child");
        let sibling = self.narrow(&parent, "sibling");
        let revoke = |token: &str, choice: &[&str]| {
            let revoke = ["token", "revoke", token, "--reason", "drill", "--yes"];
            self.output(&[&revoke[..], choice].concat())
        };

        let before = self.entries();
        let refused = revoke(&checker, &[]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains("--block last") && said.contains("--whole"),
            "{said}"
        );
        assert_eq!(self.entries(), before);

        let done = revoke(&checker, &["--block", "last"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        assert!(said.contains("block 1 (delegate `checker`)"), "{said}");
        self.becomes_denied(&checker);
        assert!(!self.is_allowed(&child));
        assert!(self.is_allowed(&parent) && self.is_allowed(&sibling));

        let done = revoke(&child, &["--whole"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        assert!(
            said.contains("every token that was narrowed from it"),
            "{said}"
        );
        self.becomes_denied(&parent);
        assert!(!self.is_allowed(&sibling));
        assert_eq!(self.entries(), before + 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrowed_token_ends_alone_or_with_all_others() {
    let world = World::new(BAILIWICK);
    let (grants, all) = (
        world.keep("erp.toml", GRANTS),
        world.keep("all.toml", OPERATOR),
    );
    let mint = [
        "token",
        "mint",
        "--agent",
        "agent:a",
        "--principal",
        "user:b",
    ];
    let mint = [&mint[..], &["--grants", &grants]].concat();
    let home = Side {
        world: &world,
        environment: Vec::new(),
    };
    home.keeps_its_promise(&mint);

    let operator = ["token", "mint", "--agent", "operator:eve", "--principal"];
    let operator = world.run(&[&operator[..], &["user:eve", "--grants", &all]].concat());
    let key = world.run(&["keyset", "key"]);
    let serving = world.serve();
    let service = Side {
        world: &world,
        environment: vec![
            ("BAILIWICK_SERVER", serving.base.clone()),
            ("BAILIWICK_OPERATOR_TOKEN", operator.trim().to_owned()),
            ("BAILIWICK_KEYSET_KEY", key.trim().to_owned()),
        ],
    };
    // The service applies the default lifetime too.
    service.keeps_its_promise(&mint);

    // `--active` names the key that signs. Revoking it ends the operator's token as well.
    let revoked = service.run(&["key", "revoke", "--active", "--reason", "drill", "--yes"]);
    assert!(revoked.contains("is active (forced)"), "{revoked}");
    let deadline = Instant::now() + PATIENCE;
    while service.output(&["key", "list"]).status.code() != Some(3) {
        assert!(Instant::now() < deadline, "the operator is still let in");
        thread::sleep(Duration::from_millis(500));
    }
}
