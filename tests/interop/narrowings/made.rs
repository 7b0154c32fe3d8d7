//! The narrowings of the file, as holders of this product make them.

use bailiwick_testkit::{Root, forge::Forge, grant, now, toml};
use bailiwick_token::{caveat::Caveat, token::Token};
use serde_json::Value;

use super::{
    super::{
        file::decided,
        tokens::{handed_on, named},
    },
    Case, Page,
    constraints::CONSTRAINTS,
    last_block, last_text,
};

pub(super) fn page(root: &Root) -> Page {
    let scope = r#"
        [[grant]]
        service = "erp"
        action = "purchase_order:create"
        [grant.args]
        amount = { max = "4200.50" }
        currency = "*"
        vendor = 'quo"te'
    "#;
    let expires = now().plus(300);
    let delegate = r#"x"); agent("agent:admin"#;
    let caveat = Caveat::new()
        .scope(toml(scope))
        .expires(expires)
        .delegate(delegate);
    let parent = parent(root);
    let narrower = handed_on(root, &parent, &caveat);
    let call = |amount: &str, vendor: &str| {
        format!(
            r#"{{"action":"purchase_order:create","args":{{"amount":{amount},"currency":"EUR","vendor":{vendor}}}}}"#
        )
    };
    let quoted = r#""quo\"te""#;
    Page {
        time: now(),
        parent: parent.text(),
        delegate: delegate.to_owned(),
        vendor: "quo\"te".to_owned(),
        amount: "4200.50".to_owned(),
        expires,
        block: last_block(&Token::parse(&narrower.text()).expect("a token")),
        calls: vec![
            decided(&call("4200.5", quoted), "allow"),
            decided(&call("4200.500001", quoted), "caveat"),
            decided(&call("1", r#""acme""#), "caveat"),
            decided(r#"{"action":"purchase_order:read"}"#, "caveat"),
        ],
    }
}

pub(super) fn cases(root: &Root) -> Vec<Case> {
    let parent = parent(root);
    let mut cases = whole(root, &parent);
    cases.extend(CONSTRAINTS.iter().map(|(name, constraint, good, bad)| {
        let scope = format!("{}[grant.args]\nx = {constraint}\n", grant("erp", "act"));
        let call = |value: &&str| format!(r#"{{"action":"act","args":{{"x":{value}}}}}"#);
        let good = good.iter().map(|value| (call(value), "allow"));
        let bad = bad.iter().map(|value| (call(value), "caveat"));
        let calls: Vec<(String, &str)> = good.chain(bad).collect();
        let calls: Vec<(&str, &str)> = calls
            .iter()
            .map(|(call, decision)| (call.as_str(), *decision))
            .collect();
        case(&format!("argument-{name}"), &parent, scoped(&scope), &calls)
    }));
    cases
}

/// Narrowings by something other than a single argument.
fn whole(root: &Root, parent: &Forge) -> Vec<Case> {
    let act = r#"{"action":"act"}"#;
    let act_x = r#"{"action":"act","args":{"x":1}}"#;
    let two = format!(
        "{}resource = \"eu/*\"\n{}[grant.args]\n",
        grant("erp", "act"),
        grant("erp", "look")
    );
    let overlapping = format!(
        "{}[grant.args]\nx = {{ max = 5 }}\n{}[grant.args]\nx = {{ prefix = \"a\" }}\n",
        grant("erp", "act"),
        grant("erp", "a*")
    );
    let once = handed_on(
        root,
        parent,
        &scoped(&grant("erp", "a*")).delegate("agent:buyer"),
    );
    vec![
        case(
            "end",
            parent,
            Caveat::new().expires(now().plus(60)),
            &[(act, "allow")],
        ),
        case(
            "ended",
            parent,
            Caveat::new().expires(now()),
            &[(act, "expired")],
        ),
        case(
            "descriptions",
            parent,
            Caveat::new()
                .delegate("agent:buyer")
                .task("Büropapier, Oktober"),
            &[(act, "allow")],
        ),
        case(
            "action",
            parent,
            scoped(&grant("erp", "act")),
            &[
                (act, "allow"),
                (act_x, "allow"),
                (r#"{"action":"acts"}"#, "caveat"),
            ],
        ),
        case(
            "actions-by-prefix",
            parent,
            scoped(&grant("erp", "act:*")),
            &[(r#"{"action":"act:now"}"#, "allow"), (act, "caveat")],
        ),
        case(
            "resource",
            parent,
            scoped(&format!("{}resource = \"eu/1\"\n", grant("erp", "act"))),
            &[
                (r#"{"action":"act","resource":"eu/1"}"#, "allow"),
                (r#"{"action":"act","resource":"eu/12"}"#, "caveat"),
                (act, "caveat"),
            ],
        ),
        case(
            "no-arguments",
            parent,
            scoped(&format!("{}[grant.args]\n", grant("erp", "act"))),
            &[(act, "allow"), (act_x, "caveat")],
        ),
        case(
            "member-of-an-object",
            parent,
            scoped(&format!(
                "{}[grant.args]\nx = \"*\"\n\"x.city\" = \"Berlin\"\n",
                grant("erp", "act")
            )),
            &[
                (
                    r#"{"action":"act","args":{"x":{"city":"Berlin"}}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"act","args":{"x":{"city":"Berlin","zip":1}}}"#,
                    "allow",
                ),
                (r#"{"action":"act","args":{"x":{"city":"Bonn"}}}"#, "caveat"),
                (act, "caveat"),
            ],
        ),
        case(
            "members-of-a-closed-object",
            parent,
            scoped(&format!(
                "{}[grant.args]\n\"x.city\" = \"Berlin\"\n",
                grant("erp", "act")
            )),
            &[
                (
                    r#"{"action":"act","args":{"x":{"city":"Berlin"}}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"act","args":{"x":{"city":"Berlin","zip":1}}}"#,
                    "caveat",
                ),
                (
                    r#"{"action":"act","args":{"x":{"city":"Berlin","a.b":1}}}"#,
                    "caveat",
                ),
                (act, "caveat"),
            ],
        ),
        case(
            "two-grants",
            parent,
            scoped(&two),
            &[
                (r#"{"action":"act","resource":"eu/1"}"#, "allow"),
                (r#"{"action":"look"}"#, "allow"),
                (r#"{"action":"look","args":{"x":1}}"#, "caveat"),
                (act, "caveat"),
            ],
        ),
        case(
            "two-overlapping-grants",
            parent,
            scoped(&overlapping),
            &[
                (r#"{"action":"act","args":{"x":5}}"#, "allow"),
                (r#"{"action":"act","args":{"x":"abc"}}"#, "allow"),
                (r#"{"action":"act","args":{"x":6}}"#, "caveat"),
                (r#"{"action":"act","args":{"x":true}}"#, "caveat"),
            ],
        ),
        case(
            "overlapping-by-length",
            parent,
            scoped(&format!(
                "{}[grant.args]\nx = {{ max_len = 2 }}\n{}[grant.args]\nx = true\n{}[grant.args]\nx = {{ all_of_in = [\"abc\"], max_len = 2 }}\n{}[grant.args]\nx = {{ one_of = [false] }}\n",
                grant("erp", "act"),
                grant("erp", "act"),
                grant("erp", "a*"),
                grant("erp", "act")
            )),
            &[
                (r#"{"action":"act","args":{"x":"ab"}}"#, "allow"),
                (r#"{"action":"act","args":{"x":[1,2]}}"#, "allow"),
                (r#"{"action":"act","args":{"x":true}}"#, "allow"),
                (r#"{"action":"act","args":{"x":false}}"#, "allow"),
                (r#"{"action":"act","args":{"x":"abc"}}"#, "caveat"),
                (r#"{"action":"act","args":{"x":7}}"#, "caveat"),
            ],
        ),
        case(
            "resources-that-do-not-overlap",
            parent,
            scoped(&format!(
                "{}resource = \"eu/*\"\n[grant.args]\nx = {{ max_len = 2 }}\n{}resource = \"us/*\"\n[grant.args]\nx = {{ prefix = \"a\" }}\n",
                grant("erp", "act"),
                grant("erp", "act")
            )),
            &[
                (
                    r#"{"action":"act","resource":"us/1","args":{"x":"abc"}}"#,
                    "allow",
                ),
                (
                    r#"{"action":"act","resource":"eu/1","args":{"x":"abc"}}"#,
                    "caveat",
                ),
            ],
        ),
        case(
            "second-narrowing",
            &once,
            scoped(&grant("erp", "act"))
                .expires(now().plus(60))
                .delegate("agent:intern")
                .task("pens"),
            &[(act, "allow"), (r#"{"action":"add"}"#, "caveat")],
        ),
        case(
            "another-service",
            parent,
            scoped(&grant("crm", "act")),
            &[(act, "caveat")],
        ),
    ]
}

/// A token that grants every call at `erp`, so that the appended blocks alone decide.
fn parent(root: &Root) -> Forge {
    Forge::copy(
        root,
        &root.mint_with(&named(0x30), &toml(&grant("erp", "*"))),
        80,
    )
}

fn scoped(grants: &str) -> Caveat {
    Caveat::new().scope(toml(grants))
}

fn case(name: &str, parent: &Forge, caveat: Caveat, calls: &[(&str, &str)]) -> Case {
    let text = parent.text();
    let parent = Token::parse(&text).expect("a token");
    let narrower = parent.attenuate(&caveat).expect("a narrower token");
    let array = exact_array(&caveat);
    // Written as text, because `JSON.parse` would round the number.
    let scope = caveat.scope.as_ref().map(|scope| {
        scope.to_json().replace(
            "\"x\":9223372036854775807",
            "\"x\":{\"exact_json\":\"9223372036854775807\"}",
        )
    });
    Case {
        name: name.to_owned(),
        time: now(),
        parent: text,
        scope: scope.map(|scope| serde_json::from_str(&scope).expect("JSON")),
        expires: caveat.expires,
        delegate: caveat.delegate,
        task: caveat.task,
        array,
        datalog: last_text(&narrower),
        block: last_block(&narrower),
        calls: calls
            .iter()
            .map(|(call, decision)| decided(call, decision))
            .collect(),
    }
}

/// The values of the exact array of scalars that a scope asks of the argument `x`.
fn exact_array(caveat: &Caveat) -> Option<Value> {
    let grant = caveat.scope.as_ref()?.iter().next()?;
    let exact = grant.args.as_ref()?.get("x")?.exact.as_ref()?;
    exact.as_scalars()?;
    Some(serde_json::from_str(&exact.to_string()).expect("JSON"))
}
