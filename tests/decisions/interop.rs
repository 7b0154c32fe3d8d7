//! Tests of interoperation: another library reads and narrows our tokens, and we read and narrow its tokens.
//!
//! Runs the interpreter named by `BAILIWICK_PYTHON`, in which `biscuit-python` 0.4.0 is installed.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use bailiwick_testkit::{Root, now, skip::skipped, toml};
use bailiwick_token::{
    caveat::Caveat,
    datalog::{self, CheckMeaning},
    grant::Grants,
    token::Token,
};
use bailiwick_verifier::{Call, Reason};
use serde_json::{Value, json};

/// Runs a job in biscuit-python. Without it, reports that the test is skipped, and returns `None`.
fn python(job: &Value) -> Option<Value> {
    let Ok(interpreter) = std::env::var("BAILIWICK_PYTHON") else {
        skipped(
            "biscuit-python",
            "let BAILIWICK_PYTHON name a Python that has biscuit-python 0.4.0",
        );
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/narrow.py");
    let mut child = Command::new(interpreter)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a Python interpreter");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(job.to_string().as_bytes())
        .expect("a job written");
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "biscuit-python refused");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn granted() -> Grants {
    toml(
        r#"
        [[grant]]
        service = "erp"
        action = "purchase_order:create"
        [grant.args]
        amount = { min = "0.01", max = "10000" }
        currency = "EUR"
        vendor = { one_of = ["acme", "globex", "quo\"te"] }
        tags = { all_of_in = ["urgent", "q4"] }
        note = "*"

        [[grant]]
        service = "erp"
        action = "purchase_order:*"
        resource = "eu/*"
        "#,
    )
}

fn order(amount: i64) -> Call {
    Call::new("purchase_order:create")
        .arg("amount", amount)
        .arg("currency", "EUR")
        .arg("vendor", "quo\"te")
        .arg("tags", vec!["urgent"])
}

#[test]
fn a_token_narrowed_there_verifies_here_with_the_same_meaning() {
    let root = Root::new();
    let token = root.mint(&granted());
    let narrow = |code: &str, parameters: Value| {
        let reply = python(&json!({
            "do": "narrow", "root": hex::encode(root.public().as_bytes()), "token": token.to_base64().as_str(),
            "code": code, "parameters": parameters,
        }))?;
        Token::parse(reply["token"].as_str().expect("a token")).ok()
    };
    // The scope in the form of their library is recognised as the grant that it expresses.
    let code = r#"
        check if service("erp"), action("purchase_order:create"), args($names),
                 {"", "amount", "currency", "vendor", "tags"}.contains($names),
                 num("amount", $most), $most <= 4200000000;
        check if time($now), $now < 2026-11-23T12:05:00Z;
        delegate({to});
    "#;
    let Some(narrowed) = narrow(code, json!({ "to": "agent:buyer" })) else {
        return;
    };
    let code = narrowed.code();
    let check = &code.checks(&code.blocks[1])[0];
    let expected = toml(
        r#"
        [[grant]]
        service = "erp"
        action = "purchase_order:create"
        [grant.args]
        amount = { max = "4200" }
        currency = "*"
        vendor = "*"
        tags = "*"
        "#,
    );
    assert_eq!(
        datalog::meaning(code, check),
        CheckMeaning::Scope(expected.iter().cloned().collect())
    );
    assert_eq!(
        narrowed.inspect().blocks[1].delegate.as_deref(),
        Some("agent:buyer")
    );

    let verifier = root.verifier();
    let check = |request: &Call, time| verifier.check(&narrowed.to_base64(), request, time);
    assert!(check(&order(4200), now()).is_allow());
    assert_eq!(check(&order(4201), now()).reason(), Some(Reason::Caveat));
    assert_eq!(
        check(&order(4200).arg("note", "extra"), now()).reason(),
        Some(Reason::Caveat)
    );
    assert_eq!(
        check(&order(4200), now().plus(300)).reason(),
        Some(Reason::Expired)
    );
    // The same block cannot smuggle in facts that only the verifier states.
    let forged =
        narrow(r#"service("erp"); time(2020-01-01T00:00:00Z);"#, json!({})).expect("a token");
    assert_eq!(
        verifier
            .check(&forged.to_base64(), &order(1), now())
            .reason(),
        Some(Reason::ReservedName)
    );
}

#[test]
fn a_token_narrowed_here_is_read_there() {
    let root = Root::new();
    let caveat = Caveat {
        scope: Some(granted()),
        expires: Some(now().plus(60)),
        delegate: Some("agent:reader".to_owned()),
        task: Some("match invoices".to_owned()),
    };
    let open = root
        .mint(&granted())
        .attenuate(&caveat)
        .expect("a narrower token");
    for token in [open.seal().expect("a sealed token"), open] {
        let job = json!({
            "do": "read", "root": hex::encode(root.public().as_bytes()), "token": token.to_base64().as_str(),
        });
        let Some(reply) = python(&job) else { return };
        let blocks: Vec<&str> = reply["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let [authority, appended] = blocks[..] else {
            panic!("two blocks, not {}", blocks.len())
        };
        for stated in [
            "profile(\"bailiwick/1\")",
            "agent(\"agent:orchestrator\")",
            "grant(\"purchase_order:create\") <-",
        ] {
            assert!(authority.contains(stated), "{stated} is not in {authority}");
        }
        for stated in [
            "delegate(\"agent:reader\")",
            "task(\"match invoices\")",
            "$m0 <= 10000000000",
            "2026-11-23T12:01:00Z",
        ] {
            assert!(appended.contains(stated), "{stated} is not in {appended}");
        }
        let ours: Vec<Value> = token
            .block_signatures()
            .iter()
            .map(|id| json!(hex::encode(id)))
            .collect();
        assert_eq!(reply["revocation_ids"], json!(ours));
    }
}
