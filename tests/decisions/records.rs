//! Tests of the log line of a decision: one line of a few kilobytes, whatever the call and the token.

use bailiwick_testkit::{Root, denied, forge::Forge, log::Log, now};
use bailiwick_verifier::{Call, Reason};
use tracing::Level;

use crate::support::calls::{ACTION, ALTERNATIVES, MAX_CALL, SHAPES, json, narrowed};

/// Runs `work`, and returns its result and its log.
fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
    let (log, _recording) = Log::record(Level::INFO);
    (work(), log.text())
}

#[test]
fn records_are_short() {
    let root = Root::new();
    let narrow = narrowed(&root, ALTERNATIVES[0].1);
    let delegates = (0..12).fold(Forge::honest(&root), |forge, _| {
        let long = "n".repeat(4_000);
        forge.append(&format!("delegate(\"{long}\"); check if false;"))
    });
    // The blocks share one long name, so the token is within its limits, and every block is read.
    let read = root
        .verifier()
        .check(&delegates.text(), &Call::new(ACTION), now());
    assert_eq!(denied(read).reason(), Reason::Caveat);
    let tokens = [narrow.token.to_base64().to_string(), delegates.text()];
    for (shape, args) in SHAPES {
        let call = Call::from_json(&json(&args(MAX_CALL))).expect("a call");
        for token in &tokens {
            let verifier = root.verifier();
            let (decision, line) = logged(|| verifier.check(token, &call, now()));
            let reason = denied(decision).reason();
            assert!(line.contains(reason.code()), "{shape}: {line}");
            assert_eq!(line.lines().count(), 1, "{shape}: {line}");
            assert!(line.len() < 6 * 1024, "{shape}: {} bytes", line.len());
        }
    }
}

/// A name can neither look like two names nor end the line.
#[test]
fn argument_names_are_quoted() {
    let root = Root::new();
    let call = Call::new("order").arg("a,b", 1).arg("c\n", 1).arg("d", 1);
    let (_decision, line) = logged(|| root.verifier().check("", &call, now()));
    assert!(line.contains(r#"\"a,b\",\"c\\n\",d"#), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}
