//! Tokens that holders have narrowed and sealed.

use bailiwick_testkit::{Root, forge::Forge, now, scope, toml};
use bailiwick_token::{caveat::Caveat, claims::Claims, token::Token};

use super::{
    Case,
    honest::{BUYER, ORDER, READ, buyer, case, handed_on, named},
};

const ORDER_MORE: &str =
    r#"{"action":"purchase_order:create","args":{"amount":4201,"currency":"EUR","vendor":"acme"}}"#;

/// A scope like that of the implementers' page.
const UP_TO_4200: &str = r#"
    [[grant]]
    service = "erp"
    action = "purchase_order:create"
    [grant.args]
    amount = { max = "4200" }
    currency = "*"
    vendor = "acme"
"#;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let once = handed_on(root, &buyer(root), &to_buyer());
    let closer = Caveat::new()
        .scope(toml(&UP_TO_4200.replace("4200", "100")))
        .delegate("agent:intern")
        .task("pens");
    let twice = handed_on(root, &once, &closer);
    let thrice = handed_on(root, &twice, &Caveat::new().expires(now().plus(60)));
    let quoted = Caveat::new()
        .delegate("x\"); agent(\"agent:admin")
        .task("a \\ b");
    let elsewhere = scope(toml(&bailiwick_testkit::grant(
        "crm",
        "purchase_order:create",
    )));
    let sealed = Token::parse(&once.text())
        .expect("a token")
        .seal()
        .expect("an open token");
    let all_claims = Claims {
        max_depth: Some(1),
        ..named(0x14)
    };
    let shallow = Forge::copy(root, &root.mint_with(&all_claims, &toml(BUYER)), 36);
    let narrow = [
        (ORDER, "allow"),
        (ORDER_MORE, "caveat"),
        (READ, "caveat"),
        (
            r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR","vendor":"globex"}}"#,
            "caveat",
        ),
        (
            r#"{"action":"purchase_order:create","args":{"amount":4200,"currency":"EUR","vendor":"acme","note":"soon"}}"#,
            "caveat",
        ),
        (
            r#"{"action":"purchase_order:create","args":{"amount":20000,"currency":"EUR","vendor":"acme"}}"#,
            "no_grant",
        ),
    ];
    let pens = r#"{"action":"purchase_order:create","args":{"amount":100,"currency":"EUR","vendor":"acme"}}"#;
    vec![
        case(
            "narrowed",
            "handed on once, with a scope, an expiry and descriptions",
            &once,
            &narrow,
        ),
        case(
            "narrowed-twice",
            "every block has to allow a call",
            &twice,
            &[(pens, "allow"), (ORDER, "caveat")],
        ),
        case(
            "narrowed-three-times",
            "the last block only sets an earlier expiry",
            &thrice,
            &[(pens, "allow"), (ORDER, "caveat")],
        ),
        case(
            "sealed",
            "nobody can append to it, and the decisions are unchanged",
            &Forge::copy(root, &sealed, once.seed),
            &narrow,
        ),
        case(
            "described-in-quotes",
            "a delegate whose name would be two facts if printed Datalog were parsed",
            &handed_on(root, &buyer(root), &quoted),
            &[(ORDER, "allow")],
        ),
        case(
            "narrowed-to-nothing",
            "a scope outside the grants leaves nothing",
            &handed_on(root, &buyer(root), &elsewhere),
            &[(ORDER, "caveat")],
        ),
        Case {
            reads: None,
            ..case(
                "too-deep",
                "one more block than the token allows",
                &shallow.append("").append(""),
                &[(ORDER, "depth")],
            )
        },
    ]
}

pub(super) fn to_buyer() -> Caveat {
    Caveat::new()
        .scope(toml(UP_TO_4200))
        .expires(now().plus(300))
        .delegate("agent:buyer")
        .task("office paper, October")
}
