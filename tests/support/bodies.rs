//! Random Datalog such as a holder or another issuer might write by hand: conditions on the call, on the depth
//! with every comparison, and on facts of blocks.

use bailiwick_testkit::{
    Root,
    forge::{Forge, authority_without},
};
use proptest::{collection, prelude::*, sample::select};

use super::random::{self, RandomCall};

/// Conditions that do not mention the depth. Some raise an error. Each has its own variables.
const CONDITIONS: [&str; 17] = [
    "action(\"order:read\")",
    "action($a), $a.starts_with(\"order\")",
    "service(\"erp\")",
    "arg(\"amount\", $v), $v <= 5",
    "arg(\"vendor\", $w), $w.starts_with(\"a\")",
    "arg($n, $m), $m !== 5",
    "delegate($e), $e === \"x\"",
    "task($t)",
    "note($o), $o <= 1",
    "resource($r)",
    r#"meets("vendor", "{\"max_len\":2,\"optional\":[false]}")"#,
    r#"meets("vendor", "{\"max_len\":2,\"optional\":[true]}")"#,
    r#"meets("vendor", "{\"min_len\":2,\"optional\":[false]}")"#,
    r#"during("{\"days\":[\"mon\"],\"from\":\"08:00\",\"to\":\"18:00\",\"zone\":\"Europe/Berlin\"}")"#,
    "true",
    "false",
    "1 / 0 === 1",
];

/// Conditions that compare the depth with a number `N`.
const DEPTHS: [&str; 15] = [
    "depth($d), $d <= N",
    "depth($d), $d < N",
    "depth($d), $d >= N",
    "depth($d), $d > N",
    "depth($d), $d === N",
    "depth($d), $d !== N",
    "depth($d), $d == N",
    "depth($d), $d != N",
    "depth($d), N >= $d",
    "depth($d), !($d <= N)",
    "depth($d), $d - N <= 0",
    "depth($d), {0, N}.contains($d)",
    "depth($d), note($d), $d <= N",
    "depth(N)",
    "depth($d)",
];

/// Facts that any block may state.
const FACTS: [&str; 4] = ["delegate(\"x\");", "task(\"x\");", "note(1);", "note(2);"];

/// A condition on the depth, and true if it comes last. Most have the one form that the profile accepts.
fn depth() -> impl Strategy<Value = (String, bool)> {
    let shape = prop_oneof![
        6 => (Just(DEPTHS[0]), Just(true)),
        2 => (select(&DEPTHS[..]), any::<bool>()),
    ];
    (shape, 0..3u8)
        .prop_map(|((depth, last), number)| (depth.replace('N', &number.to_string()), last))
}

fn body() -> impl Strategy<Value = String> {
    let conditions = collection::vec(select(&CONDITIONS[..]), 0..3);
    (conditions, prop::option::weighted(0.4, depth())).prop_map(|(conditions, depth)| {
        let mut parts: Vec<String> = conditions.into_iter().map(str::to_owned).collect();
        match depth {
            Some((depth, true)) => parts.push(depth),
            Some((depth, false)) => parts.insert(0, depth),
            None if parts.is_empty() => parts.push("true".to_owned()),
            None => {}
        }
        parts.join(", ")
    })
}

fn check() -> impl Strategy<Value = String> {
    let kind = select(&["check if", "check if", "check if", "check if", "check all"][..]);
    (kind, collection::vec(body(), 1..3))
        .prop_map(|(kind, bodies)| format!("{kind} {};", bodies.join(" or ")))
}

fn statements(rules: bool) -> impl Strategy<Value = String> {
    let grant = body().prop_map(|body| format!("grant(\"order:read\") <- {body};"));
    let grants = collection::vec(grant, if rules { 1..4 } else { 0..1 });
    // Of these facts, an authority block may state only a task.
    let facts = match rules {
        true => &FACTS[1..2],
        false => &FACTS[..],
    };
    let facts = collection::vec(select(facts), 0..2);
    let checks = collection::vec(check(), if rules { 0..2 } else { 0..3 });
    (facts, grants, checks).prop_map(|(facts, grants, checks)| {
        [facts.join(" "), grants.join(" "), checks.join(" ")].join(" ")
    })
}

/// The statements of an authority block and of appended ones.
#[derive(Debug, Clone)]
pub struct Written {
    authority: String,
    appended: Vec<String>,
}

pub fn written() -> impl Strategy<Value = Written> {
    (statements(true), collection::vec(statements(false), 0..3)).prop_map(
        |(authority, appended)| Written {
            authority,
            appended,
        },
    )
}

/// A block that a holder appends in the hope of more authority: either empty, or with any statements.
pub fn appended() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), statements(false)]
}

/// A call of the only granted action.
pub fn call() -> impl Strategy<Value = RandomCall> {
    random::call().prop_map(|call| RandomCall {
        action: "order:read".to_owned(),
        ..call
    })
}

impl Written {
    pub fn forge(&self, root: &Root) -> Forge {
        let honest = authority_without("grant");
        let token = Forge::authority(root, &format!("{honest}{}", self.authority));
        self.appended
            .iter()
            .fold(token, |token, code| token.append(code))
    }

    /// Number of appended blocks.
    pub fn depth(&self) -> usize {
        self.appended.len()
    }
}
