//! Tests that `bailiwick demo` shows what it promises, both to people and to programs.

use std::process::{Command, Output};

fn demo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.arg("demo").args(args).env_remove("BAILIWICK_LOG");
    command.output().unwrap()
}

#[test]
fn it_shows_the_main_job_on_one_screen() {
    let output = demo(&[]);
    let (text, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{text}{errors}");
    assert_eq!(errors, "");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 45, "{} lines", lines.len());
    assert!(
        lines
            .iter()
            .all(|line| line.chars().count() <= 100 && !line.contains('\u{1b}')),
        "{text}"
    );
    for part in [
        "block 1 (delegate `agent:buyer`): `amount` is 5000, at most 4200 is allowed",
        "block 1 (delegate `agent:reader`): nothing here allows this service and",
        "`vendor` is \"quickcash\", one of \"acme\", \"globex\" is",
        "4 retired",
        "false denials: 0",
        "unknown_key: the root key",
        "revoked: the token has been revoked",
        "each chained to the one before: intact",
        "orders placed with: acme, globex\n",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn a_program_is_read_back_unchanged() {
    let output = demo(&["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!(
        (&report["version"], &report["ok"]),
        (&1.into(), &true.into())
    );
    assert_eq!(report["rotation"]["false_denials"], 0);
    assert!(
        report["rotation"]["calls"].as_u64().unwrap() > 100,
        "{report}"
    );
    let reasons: Vec<Option<&str>> = report["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["reason"].as_str())
        .collect();
    let (caveat, allowed) = (Some("caveat"), None);
    assert_eq!(
        reasons,
        [
            allowed,
            caveat,
            allowed,
            caveat,
            caveat,
            allowed,
            Some("no_grant"),
            Some("unknown_key"),
            allowed,
            Some("revoked"),
        ]
    );
}
