//! Tokens as issuers mint them, at the limits of their lifetime, and with blocks by other writers.

use bailiwick_testkit::{
    Root, claims,
    forge::{AUTHORITY, Forge, authority_without},
    now, toml,
};
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    timestamp::Timestamp,
    token::Token,
};

use super::{super::file::decided, Case, Signatures, narrowed::to_buyer, read};

/// Grants of a buyer.
pub(super) const BUYER: &str = r#"
    [[grant]]
    service = "erp"
    action = "purchase_order:create"
    [grant.args]
    amount = { min = "0.01", max = "10000" }
    currency = "EUR"
    vendor = { one_of = ["acme", "globex"] }
    note = "*"

    [[grant]]
    service = "erp"
    action = "purchase_order:read"
    resource = "eu/*"
"#;

/// A call that [`BUYER`] grants.
pub(super) const ORDER: &str =
    r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR","vendor":"acme"}}"#;
/// Another call that [`BUYER`] grants.
pub(super) const READ: &str = r#"{"action":"purchase_order:read","resource":"eu/17"}"#;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = minted(root);
    all.extend(in_time(root));
    all.extend(written_elsewhere(root));
    all.extend(conditions(root));
    all
}

fn minted(root: &Root) -> Vec<Case> {
    let all_claims = Claims {
        tenant: Some("acme-emea".to_owned()),
        task: Some("office paper, October".to_owned()),
        claims: [("cost_center".to_owned(), "4711".to_owned())].into(),
        max_depth: Some(2),
        ..named(0x11)
    };
    let overlapping = r#"
        [[grant]]
        service = "erp"
        action = "purchase_order:create"
        [grant.args]
        amount = { max = "100" }

        [[grant]]
        service = "erp"
        action = "purchase_order:*"
        [grant.args]
        amount = { one_of = ["call", "later"] }
        tags = { all_of_in = ["urgent", "q4"] }
    "#;
    vec![
        case(
            "minted",
            "as an issuer mints it",
            &buyer(root),
            &[
                (ORDER, "allow"),
                (READ, "allow"),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":4.2e3,"currency":"EUR","vendor":"acme","note":"soon"}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":10000.000001,"currency":"EUR","vendor":"acme"}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":10000.0000001,"currency":"EUR","vendor":"acme"}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":"4200","currency":"EUR","vendor":"acme"}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR","vendor":"initech"}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR"}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR","vendor":"acme","rush":true}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:read","resource":"us/17"}"#,
                    "no_grant",
                ),
                (r#"{"action":"purchase_order:read"}"#, "no_grant"),
                (
                    r#"{"action":"purchase_order:read","resource":"eu/../us/17"}"#,
                    "bad_request",
                ),
                (
                    r#"{"action":"purchase_order:delete","resource":"eu/17"}"#,
                    "no_grant",
                ),
            ],
        ),
        case(
            "minted-with-all-claims",
            "a tenant, a task, a further claim, and at most two appended blocks",
            &copy(root, &root.mint_with(&all_claims, &toml(BUYER)), 12),
            &[(ORDER, "allow")],
        ),
        case(
            "overlapping-grants",
            "two grants of one action test types, which makes the block Datalog 3.3 and its signature version 1",
            &copy(root, &root.mint_with(&named(0x12), &toml(overlapping)), 16),
            &[
                (
                    r#"{"action":"purchase_order:create","args":{"amount":100}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":"later","tags":["q4"]}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":"later","tags":["q4",null]}}"#,
                    "no_grant",
                ),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":true,"tags":[]}}"#,
                    "no_grant",
                ),
            ],
        ),
        case(
            "another-service",
            "a token for another service",
            &copy(
                root,
                &root.mint_with(
                    &named(0x13),
                    &toml(&bailiwick_testkit::grant("crm", "purchase_order:read")),
                ),
                20,
            ),
            &[(READ, "wrong_service")],
        ),
    ]
}

/// Tokens at the limits of their lifetime.
fn in_time(root: &Root) -> Vec<Case> {
    let token = buyer(root);
    let later = handed_on(root, &token, &to_buyer());
    let at = |time: Timestamp, case: Case| Case { time, ..case };
    let (begin, end) = (now().minus(120), now().plus(900));
    let ended = now().plus(300);
    vec![
        at(
            begin.minus(1),
            case(
                "not-yet-valid",
                "a second before the start time",
                &token,
                &[(ORDER, "not_yet_valid")],
            ),
        ),
        at(
            begin,
            case(
                "first-second",
                "its first second",
                &token,
                &[(ORDER, "allow")],
            ),
        ),
        at(
            end.minus(1),
            case(
                "last-second",
                "its last second",
                &token,
                &[(ORDER, "allow")],
            ),
        ),
        at(
            end,
            case(
                "ended",
                "the second in which it expires",
                &token,
                &[(ORDER, "expired")],
            ),
        ),
        at(
            ended.minus(1),
            case(
                "narrowed-last-second",
                "the last second that an appended block allows",
                &later,
                &[(ORDER, "allow")],
            ),
        ),
        at(
            ended,
            case(
                "narrowed-ended",
                "the second in which an appended block makes it expire",
                &later,
                &[(ORDER, "expired")],
            ),
        ),
    ]
}

/// Blocks and texts by other writers.
fn written_elsewhere(root: &Root) -> Vec<Case> {
    let block = r#"
        purpose("invoices");
        check if 5000000000 > $sum, num("amount", $sum) or action($what), $what.ends_with(":read");
        check if time($now), $now <= 2026-11-23T12:04:59Z;
    "#;
    let other = buyer(root).append(block);
    let padded = buyer(root).text();
    let unpadded = padded.trim_end_matches('=').to_owned();
    assert_ne!(padded, unpadded, "this token shows nothing of padding");
    vec![
        case(
            "another-writer",
            "a block with other variables, in another order, with `<=` for its expiry, and a check of a form that no grant has",
            &other,
            &[
                (ORDER, "allow"),
                (READ, "allow"),
                (
                    r#"{"action":"purchase_order:create","args":{"amount":5000,"currency":"EUR","vendor":"acme"}}"#,
                    "caveat",
                ),
            ],
        ),
        Case {
            token: unpadded,
            ..case(
                "unpadded",
                "text without padding",
                &buyer(root),
                &[(ORDER, "allow")],
            )
        },
    ]
}

/// Limits that occur more than once, and conditions that do not count as limits.
fn conditions(root: &Root) -> Vec<Case> {
    let authority = |code: &str| Forge::authority(root, &format!("{AUTHORITY}{code}"));
    let appended = |code: &str| Forge::honest(root).append(code);
    let twice = authority(
        "check if time($t), $t >= 2026-11-23T11:59:00Z; check if time($t), $t < 2026-11-23T12:01:00Z;",
    );
    let order = r#"{"action":"order"}"#;
    let urgent = r#"{"action":"order","args":{"urgent":true}}"#;
    let refused = |refused: Case| Case {
        reads: None,
        ..refused
    };
    vec![
        case(
            "two-ends",
            "of two expiries and two start times, the narrower ones count",
            &twice,
            &[(order, "allow")],
        ),
        Case {
            time: now().plus(60),
            ..case(
                "first-of-two-ends",
                "the first of two expiries",
                &twice,
                &[(order, "expired")],
            )
        },
        case(
            "check-of-the-issuer",
            "an authority block may have further checks, which fail with the reason of appended checks",
            &authority("check if arg(\"urgent\", true);"),
            &[(urgent, "allow"), (order, "caveat")],
        ),
        refused(case(
            "end-with-a-condition",
            "a time combined with another condition is not the token's expiry: it fails like any other check",
            &appended("check if time($t), $t < 2026-11-23T12:00:00Z, action(\"order\");"),
            &[(order, "caveat")],
        )),
        case(
            "check-on-grants",
            "a check may look for a grant",
            &appended("check if grant(\"order\");"),
            &[(order, "allow")],
        ),
        case(
            "check-all",
            "a check of every match",
            &appended("check all action($a), $a.starts_with(\"o\");"),
            &[(order, "allow")],
        ),
        case(
            "depth-bound",
            "a limit on the number of appended blocks, set by an appended block",
            &appended("check if depth($d), $d <= 1;"),
            &[(order, "allow")],
        ),
        refused(case(
            "depth-bound-exceeded",
            "one more block than an appended block allows",
            &appended("check if depth($d), $d <= 1;").append(""),
            &[(order, "depth")],
        )),
        refused(case(
            "wrong-type-of-an-operator",
            "an operator that meets a wrong type, in a check of a form that no grant has",
            &appended("check if action($a), $a < 5;"),
            &[(order, "evaluation_error")],
        )),
        refused(case(
            "overflow",
            "a sum beyond 64 bits",
            &appended("check if 9223372036854775807 + 1 > 0;"),
            &[(order, "evaluation_error")],
        )),
        refused(case(
            "division-by-zero",
            "a division by zero",
            &appended("check if 1 / 0 === 1;"),
            &[(order, "evaluation_error")],
        )),
        refused(case(
            "shadowed-parameter",
            "a closure whose parameter has the name of a variable",
            &appended("check if arg(\"urgent\", $p), $p.all($p -> [\"a\"].contains($p));"),
            &[(
                r#"{"action":"order","args":{"urgent":["a"]}}"#,
                "evaluation_error",
            )],
        )),
        refused(case(
            "no-grants",
            "a token that grants nothing",
            &Forge::authority(root, &authority_without("grant(")),
            &[(order, "wrong_service")],
        )),
    ]
}

/// The token that most cases are made from.
pub(super) fn buyer(root: &Root) -> Forge {
    copy(root, &root.mint_with(&named(0x10), &toml(BUYER)), 10)
}

/// Claims with a token id made from this byte.
pub(in super::super) fn named(id: u8) -> Claims {
    Claims {
        token_id: TokenId::from_bytes([id; 16]),
        ..claims()
    }
}

fn copy(root: &Root, token: &Token, seed: u8) -> Forge {
    Forge::copy(root, token, seed)
}

/// The token narrowed by a holder who uses this product. Its first blocks are those of its parent.
pub(in super::super) fn handed_on(root: &Root, parent: &Forge, caveat: &Caveat) -> Forge {
    let token = Token::parse(&parent.text()).expect("a token");
    let narrower = token.attenuate(caveat).expect("a narrower token");
    copy(root, &narrower, parent.seed)
}

/// A case whose signatures verify, and whose content can be read.
pub(super) fn case(name: &str, about: &str, token: &Forge, calls: &[(&str, &str)]) -> Case {
    let token = token.text();
    Case {
        name: name.to_owned(),
        about: about.to_owned(),
        time: now(),
        signatures: Signatures::Valid,
        misformed: false,
        reads: Some(read(&token)),
        unreadable: false,
        token,
        calls: calls
            .iter()
            .map(|(call, decision)| decided(call, decision))
            .collect(),
    }
}
