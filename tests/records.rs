//! What a decision leaves in the log: one line of a few kilobytes, whatever the call and the token.

#![cfg(test)]

use std::{
    io,
    sync::{Arc, Mutex},
};

use bailiwick_verifier::{Decision, Deny, Request};

mod support;

use support::{
    Root,
    calls::{ALTERNATIVES, MAX_CALL, SHAPES, json, narrowed},
    forge::Forge,
    now,
};

fn denied(decision: Decision) -> Deny {
    match decision {
        Decision::Deny(deny) => deny,
        Decision::Allow(_) => panic!("an allowed call"),
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a log").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A call of 64 KiB, or a token of long names, leaves a few kilobytes in the log.
#[test]
fn records_are_short() {
    let root = Root::new();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let delegates = (0..12).fold(Forge::honest(&root), |forge, _| {
        let long = "n".repeat(4_000);
        forge.append(&format!("delegate(\"{long}\"); check if false;"))
    });
    tracing::subscriber::with_default(subscriber, || {
        for (shape, args) in SHAPES {
            let call = Request::from_json(&json(&args(MAX_CALL))).expect("a call");
            for token in [
                narrowed(&root, ALTERNATIVES[0].1)
                    .token
                    .to_base64()
                    .to_string(),
                delegates.text(),
            ] {
                log.0.lock().expect("a log").clear();
                let deny = denied(root.verifier().check(&token, &call, now()));
                let line = String::from_utf8(log.0.lock().expect("a log").clone()).expect("text");
                assert!(line.contains(deny.reason.code()), "{shape}: {line}");
                assert_eq!(line.lines().count(), 1, "{shape}: {line}");
                assert!(line.len() < 6 * 1024, "{shape}: {} bytes", line.len());
            }
        }
    });
    // A name cannot pass for two, nor end the line.
    let call = Request::new("order")
        .arg("a,b", 1)
        .arg("c\n", 1)
        .arg("d", 1);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let _decision = root.verifier().check("", &call, now());
    });
    let line = String::from_utf8(log.0.lock().expect("a log").clone()).expect("text");
    assert!(line.contains(r#"\"a,b\",\"c\\n\",d"#), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}
