//! Snapshots of one line, in forms that this product does not write.

use bailiwick_testkit::{Root, forge::Forge};
use bailiwick_token::token::Token;

use super::{
    super::file::ALLOW,
    Case,
    made::{REVOKED, STALE, case, file, with_line},
};

pub(super) fn all(root: &Root, token: &Forge) -> Vec<Case> {
    let id = "40".repeat(16);
    let token = Token::parse(&token.text()).expect("a token");
    let signature = hex::encode(token.block_signatures()[1].as_slice());
    let one = |name: &str, about: &str, line: &str, accepted: bool, decision: &str| {
        case(name, about, file(with_line(root, line)), accepted, decision)
    };
    let not = |name: &str, about: &str, line: &str| one(name, about, line, false, STALE);
    let party = r#""issued_before":1795521600"#;
    vec![
        one(
            "unknown-member",
            "an unknown member beside the target",
            &format!(r#"{{"token":"{id}","why":"lost"}}"#),
            true,
            REVOKED,
        ),
        one(
            "white-space",
            "a line with white space",
            &format!(r#" {{ "token" : "{id}" }} "#),
            true,
            REVOKED,
        ),
        one(
            "no-end",
            "an entry without an expiry",
            &format!(r#"{{"block":"{signature}"}}"#),
            true,
            REVOKED,
        ),
        one(
            "null-end",
            "an expiry that is null",
            &format!(r#"{{"token":"{id}","expires":null}}"#),
            true,
            REVOKED,
        ),
        one(
            "escaped-name",
            "a name with an escaped character",
            &format!(r#"{{"agent":"agent\u003aorchestrator",{party}}}"#),
            true,
            REVOKED,
        ),
        one(
            "another-letter-case",
            "a name that differs in a letter's case",
            &format!(r#"{{"agent":"Agent:orchestrator",{party}}}"#),
            true,
            ALLOW,
        ),
        not(
            "target-twice",
            "one target twice",
            &format!(r#"{{"token":"{id}","token":"{id}"}}"#),
        ),
        not(
            "upper-case-token",
            "a token's id in upper case",
            &format!(r#"{{"token":"{}"}}"#, "AB".repeat(16)),
        ),
        not(
            "upper-case-block",
            "a block's signature in upper case",
            &format!(r#"{{"block":"{}"}}"#, signature.to_uppercase()),
        ),
        not(
            "short-token",
            "a token's id of 31 digits",
            &format!(r#"{{"token":"{}"}}"#, &id[1..]),
        ),
        not(
            "no-digits",
            "a token's id that is not hexadecimal",
            &format!(r#"{{"token":"{}"}}"#, "x".repeat(32)),
        ),
        not("null-target", "a target that is null", r#"{"token":null}"#),
        not(
            "time-beside-a-token",
            "`issued_before` beside a token, whose meaning is unknown",
            &format!(r#"{{"token":"{id}",{party}}}"#),
        ),
        not(
            "time-with-a-fraction",
            "a time with a fraction of a second",
            r#"{"agent":"a","issued_before":1795521600.5}"#,
        ),
        not(
            "time-as-text",
            "a time as text",
            r#"{"agent":"a","issued_before":"2026-11-24T12:00:00Z"}"#,
        ),
        not(
            "empty-name",
            "a name that no token can have",
            &format!(r#"{{"agent":"",{party}}}"#),
        ),
        not(
            "control-character",
            "a name with a control character, which no token can have",
            &format!(r#"{{"agent":"a\u0007",{party}}}"#),
        ),
        not("array", "an array of the values", &format!(r#"["{id}"]"#)),
        not("empty-line", "an empty line", ""),
        not(
            "long-line",
            "a line of more than 4096 bytes",
            &format!(r#"{{"token":"{id}","why":"{}"}}"#, "x".repeat(4096)),
        ),
    ]
}
