//! The output of each command, including refusals and their hints, as transcripts in `tests/cmd`.
//!
//! A transcript with a `.out` folder runs in its own sandbox, with one home for all its commands. To update the
//! transcripts: `TRYCMD=overwrite cargo test -p bailiwick-cli --test commands transcripts`.

/// A passphrase of sufficient length. It appears in no output; `secrets.rs` searches output for a passphrase.
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

/// A `PATH` with which the shell of a transcript finds `bailiwick`, as a user's shell would.
fn path() -> String {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_bailiwick"));
    let dir = bin.parent().unwrap().display();
    format!("{dir}:{}", std::env::var("PATH").unwrap_or_default())
}
