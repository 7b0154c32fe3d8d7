//! The output of each command, including refusals and their hints, as transcripts in `tests/cmd`.
//!
//! A transcript with a `.out` folder runs in a sandbox of its own, with one home for all of its commands. To
//! update the transcripts: `TRYCMD=overwrite cargo test -p bailiwick-cli --test commands transcripts`.

/// A passphrase of sufficient length. It appears in no output, though `secrets.rs` searches for another one.
const PASSPHRASE: &str = "a passphrase for transcripts only";

#[test]
fn transcripts() {
    let cases = trycmd::TestCases::new();
    for name in [
        "PASSPHRASE_FILE",
        "TOKEN",
        "KEYSET",
        "KEYSET_KEY",
        "REVOCATIONS",
        "SERVICE",
        "LOG",
    ] {
        // An empty variable would be an error; the variables of the user who runs the tests must not matter.
        assert!(
            std::env::var_os(format!("BAILIWICK_{name}")).is_none(),
            "unset BAILIWICK_{name} to run the transcripts"
        );
    }
    cases
        .env("BAILIWICK_HOME", "home")
        .env("BAILIWICK_PASSPHRASE", PASSPHRASE)
        .env("PATH", path())
        .register_bin("sh", std::path::Path::new("/bin/sh"))
        .case("tests/cmd/*.md")
        .run();
}

/// A shell in a transcript finds `bailiwick` as its user would.
fn path() -> String {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_bailiwick"));
    let dir = bin.parent().unwrap().display();
    format!("{dir}:{}", std::env::var("PATH").unwrap_or_default())
}
