//! Tests that a service's own Datalog can only narrow what tokens grant.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
    now, toml,
};
use bailiwick_verifier::{Call, Limits, Policy, PolicyError, Reason, Values, Verifier};
use proptest::prelude::*;

use crate::support::random;

fn verifier(root: &Root, policy: &str) -> Verifier {
    let policy = Policy::parse(policy).unwrap_or_else(|error| panic!("{error}: {policy}"));
    root.verifier()
        .policy(&policy)
        .expect("a policy that was read")
}

const GRANTS: &str = r#"
[[grant]]
service = "erp"
action = "entry:*"
"#;

/// Decides with this policy on a token that may do anything with entries. Returns the reason for a denial;
/// `None` if the call is allowed.
fn outcome(policy: &str, request: &Call) -> Option<Reason> {
    let root = Root::new();
    let token = root.mint(&toml(GRANTS)).to_base64();
    let verifier = verifier(&root, policy);
    let first = verifier.check(&token, request, now());
    // The second time, the token comes from the cache.
    assert_eq!(verifier.check(&token, request, now()), first);
    first.reason()
}

fn post(month: &str) -> Call {
    Call::new("entry:post").arg("month", month)
}

#[test]
fn facts_rules_checks_and_policies_of_a_service() {
    let closed = r#"
        closed("2026-10"); closed("2026-11");
        writes("entry:post"); writes("entry:void");
        frozen($month) <- arg("month", $month), closed($month);
        deny if action($action), writes($action), frozen($month);
        allow if true;
    "#;
    for (policy, request, expected) in [
        (closed, post("2026-12"), None),
        (closed, post("2026-11"), Some(Reason::Policy)),
        (
            closed,
            Call::new("entry:read").arg("month", "2026-11"),
            None,
        ),
        (
            "check if arg(\"month\", $m), $m.matches(\"^[0-9]{4}-[0-9]{2}$\");",
            post("2026-11"),
            None,
        ),
        (
            "check if arg(\"month\", $m), $m.matches(\"^[0-9]{4}-[0-9]{2}$\");",
            post("last"),
            Some(Reason::Policy),
        ),
        (
            "reject if action(\"other\") or action(\"entry:post\");",
            post("x"),
            Some(Reason::Policy),
        ),
        (
            "check all arg($n, $v), $v.type() === \"string\";",
            post("x"),
            None,
        ),
        // The first policy that matches decides.
        (
            "allow if action(\"entry:post\"); deny if true;",
            post("x"),
            None,
        ),
        (
            "allow if action(\"entry:read\"); deny if true;",
            post("x"),
            Some(Reason::Policy),
        ),
        (
            "allow if action(\"entry:read\");",
            post("x"),
            Some(Reason::Policy),
        ),
        // A policy can require facts that the issuer states about the agent.
        (
            "check if agent(\"agent:orchestrator\"), principal($p);",
            post("x"),
            None,
        ),
        (
            "check if agent(\"agent:other\");",
            post("x"),
            Some(Reason::Policy),
        ),
    ] {
        assert_eq!(outcome(policy, &request), expected, "{policy}");
    }
}

/// No policy can allow a call that the token does not grant.
#[test]
fn a_policy_grants_nothing() {
    for policy in [
        "allow if true;",
        "allow if action($a);",
        "may($a) <- action($a); allow if may($a);",
        "allow if true trusting authority;",
    ] {
        let request = Call::new("invoice:pay");
        assert_eq!(outcome(policy, &request), Some(Reason::NoGrant), "{policy}");
    }
}

#[test]
fn policies_that_are_refused_before_a_service_starts() {
    type Is = fn(&PolicyError) -> bool;
    let datalog: Is = |error| matches!(error, PolicyError::Datalog(_));
    let reserved: Is = |error| matches!(error, PolicyError::Reserved(_));
    let regex: Is = |error| matches!(error, PolicyError::Regex(_));
    let long = format!("check if action($a), $a.matches(\"{}\");", "x".repeat(2000));
    let large = "check if action($a), $a.matches(\"\\\\w{400}\");";
    for (policy, is) in [
        ("allow if", datalog),
        ("allow if $x;", datalog),
        ("allow if action($a), $a + ;", datalog),
        ("f($x);", datalog),
        ("f($x) <- action($a);", datalog),
        (
            "check if [1].all($a -> true), action($b), [1].any($b -> true);",
            datalog,
        ),
        ("check if {p};", datalog),
        ("grant(\"entry:post\");", reserved),
        ("grant($a) <- action($a);", reserved),
        ("time(2026-11-23T12:00:00Z);", reserved),
        ("action(\"entry:read\") <- true;", reserved),
        ("arg($n, 5) <- arg($n, $v);", reserved),
        ("agent(\"agent:root\");", reserved),
        ("issuer(\"https://issuer.example\");", reserved),
        ("deny if action(\"x\");", |error| {
            *error == PolicyError::DeniesAll
        }),
        (
            "check if f(1) trusting ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a;",
            |error| *error == PolicyError::Trusting,
        ),
        (
            "check if arg($n, $p), action($a), $a.matches($p);",
            |error| *error == PolicyError::Pattern,
        ),
        (
            "check if action($a), $a.matches(\"^\" + \"a$\");",
            |error| *error == PolicyError::Pattern,
        ),
        ("check if 1.extern::f();", |error| {
            *error == PolicyError::Extern("f".to_owned())
        }),
        ("check if [1].any($x -> $x.extern::f(1));", |error| {
            *error == PolicyError::Extern("f".to_owned())
        }),
        ("check if action($a), $a.matches(\"(\");", regex),
        (&long, regex),
        (large, regex),
    ] {
        match Policy::parse(policy) {
            Err(error) => assert!(is(&error), "{policy}: {error:?}"),
            Ok(_) => panic!("{policy} was read"),
        }
    }
}

/// A service's own Datalog may use every condition that grants have.
#[test]
fn a_policy_asks_for_conditions() {
    const WHOLE: &str = r#"{"max_len":7,"optional":[false]}"#;
    const WINDOW: &str = r#"{"days":["mon"],"from":"12:00","to":"14:00","zone":"Europe/Berlin"}"#;
    let closed = WINDOW.replace("14:00", "13:00");
    for (policy, expected) in [
        (format!("check if meets(\"month\", {WHOLE:?});"), None),
        (
            format!("deny if meets(\"month\", {WHOLE:?}); allow if true;"),
            Some(Reason::Policy),
        ),
        (
            format!("deny if meets(\"other\", {WHOLE:?}); allow if true;"),
            None,
        ),
        (
            format!("short(1) <- meets(\"month\", {WHOLE:?}); check if short(1);"),
            None,
        ),
        (format!("check if during({WINDOW:?});"), None),
        (
            format!("check if during({closed:?});"),
            Some(Reason::Policy),
        ),
        (
            format!("reject if during({WINDOW:?}) or action(\"other\");"),
            Some(Reason::Policy),
        ),
    ] {
        assert_eq!(outcome(&policy, &post("2026-12")), expected, "{policy}");
    }
    let check = format!("check if meets(\"month\", {WHOLE:?});");
    assert_eq!(outcome(&check, &post("2026-12-01")), Some(Reason::Policy));
}

/// A fact that is never stated would satisfy `deny if`, so a policy that asks for one does not load.
#[test]
fn a_policy_with_an_unknown_condition_is_refused() {
    type Is = fn(&PolicyError) -> bool;
    let native: Is = |error| *error == PolicyError::Native;
    let unknown: Is = |error| matches!(error, PolicyError::Condition(_));
    let each: Is = |error| matches!(error, PolicyError::Each(_));
    let reserved: Is = |error| matches!(error, PolicyError::Reserved(_));
    const WHOLE: &str = r#"{"max_len":7,"optional":[false]}"#;
    let body = |condition: &str| {
        [
            format!("deny if {condition}; allow if true;"),
            format!("check if {condition};"),
            format!("reject if {condition} or false;"),
            format!("f(1) <- {condition};"),
        ]
    };
    for (condition, is) in [
        (format!("meets($p, {WHOLE:?})"), native),
        ("meets(\"a\", $t)".to_owned(), native),
        ("meets(\"a\")".to_owned(), native),
        (format!("meets(\"a\", {WHOLE:?}, 1)"), native),
        ("meets(\"a\", 1)".to_owned(), native),
        ("during($w)".to_owned(), native),
        ("during(\"a\", \"b\")".to_owned(), native),
        ("meets(\"a\", \"{}\")".to_owned(), unknown),
        (format!("meets(\"\", {WHOLE:?})"), unknown),
        (
            format!("meets(\"a\", {:?})", WHOLE.replace(':', ": ")),
            unknown,
        ),
        (
            format!("meets(\"a\", {:?})", WHOLE.replace("len", "size")),
            unknown,
        ),
        ("during(\"always\")".to_owned(), unknown),
        ("arg(\"lines.*.price\", $p)".to_owned(), each),
        ("num(\"lines.*.price\", $p), $p > 5".to_owned(), each),
    ] {
        for policy in body(&condition) {
            match Policy::parse(&policy) {
                Err(error) => assert!(is(&error), "{policy}: {error:?}"),
                Ok(_) => panic!("{policy} was read"),
            }
        }
    }
    for stated in [
        format!("meets(\"a\", {WHOLE:?});"),
        format!("meets(\"a\", {WHOLE:?}) <- action(\"x\");"),
        "during(\"always\");".to_owned(),
    ] {
        let error = Policy::parse(&stated).expect_err(&stated);
        assert!(reserved(&error), "{stated}: {error:?}");
    }
}

/// A caller learns which part of a policy refuses the call, but not its content.
#[test]
fn a_denial_does_not_tell_the_policy() {
    let root = Root::new();
    let token = root.mint(&toml(GRANTS)).to_base64();
    for (policy, told) in [
        (
            "check if true; check if customer(\"secret\");",
            "check 2 of the policy does not hold",
        ),
        (
            "deny if false; deny if action($secret); allow if true;",
            "policy 2 denies the call",
        ),
        (
            "allow if customer(\"secret\");",
            "no policy allows the call",
        ),
    ] {
        let decision = verifier(&root, policy).check(&token, &post("x"), now());
        let explained = decision.explain(Values::Shown).join("\n");
        assert!(explained.contains(told), "{policy}: {explained}");
        assert!(!explained.contains("secret"), "{policy}: {explained}");
    }
}

/// A policy's work is bounded like a token's.
#[test]
fn a_policy_spends_the_same_fuel() {
    let facts: String = (0..60).map(|n| format!("f({n});")).collect();
    let policy = format!("{facts} check if f($a), f($b), f($c), $a + $b + $c < 0;");
    assert_eq!(outcome(&policy, &post("x")), Some(Reason::OutOfFuel));
}

/// Facts that a service states satisfy no check and no grant of a token.
#[test]
fn a_service_states_nothing_for_a_token() {
    let root = Root::new();
    let authority =
        format!("{AUTHORITY}grant(\"pay\") <- action(\"pay\"), claim(\"tier\", \"gold\");");
    let check = "check if claim(\"approved\", \"yes\");";
    let tokens = [
        (Forge::authority(&root, &authority), "pay", Reason::NoGrant),
        (Forge::honest(&root).append(check), "order", Reason::Caveat),
    ];
    for policy in [
        "claim(\"approved\", \"yes\"); claim(\"tier\", \"gold\"); allow if true;",
        "claim(\"approved\", $y) <- yes($y); yes(\"yes\"); claim(\"tier\", $g) <- gold($g); gold(\"gold\");",
        "claim($n, $v) <- action($a), agent($b), pair($n, $v); pair(\"approved\", \"yes\"); pair(\"tier\", \"gold\"); check if claim(\"tier\", \"gold\");",
    ] {
        for (token, action, reason) in &tokens {
            let decision = verifier(&root, policy).check(&token.text(), &Call::new(action), now());
            assert_eq!(decision.reason(), Some(*reason), "{policy}");
        }
    }
}

/// The policy of the deciding verifier applies, even if another one verified the token.
#[test]
fn a_policy_holds_for_tokens_that_another_verifier_verified() {
    let root = Root::new();
    let token = root.mint(&toml(GRANTS));
    let open = root.verifier();
    let verified = open.verify(&token, now()).expect("an honest token");
    assert!(open.decide(&verified, &post("x"), now()).is_allow());
    let closed = verifier(&root, "check if action(\"entry:read\");");
    let decision = closed.decide(&verified, &post("x"), now());
    assert_eq!(decision.reason(), Some(Reason::Policy));
    let read = closed.decide(&verified, &Call::new("entry:read"), now());
    let bailiwick_verifier::Decision::Allow(allow) = read else {
        panic!("{read:?}");
    };
    assert_eq!(
        allow
            .grant()
            .map(|grant| grant.action.to_string())
            .as_deref(),
        Some("entry:*")
    );
}

/// Ordinary patterns need no more than ordinary fuel, even with long values.
#[test]
fn regular_expressions_of_a_policy_are_affordable() {
    for pattern in ["^[a-z ]+$", "^\\\\w+ "] {
        let policy = format!("check if arg(\"note\", $n), $n.matches(\"{pattern}\");");
        let request = Call::new("entry:post").arg("note", "a note ".repeat(50).trim_end());
        assert_eq!(outcome(&policy, &request), None, "{pattern}");
    }
}

/// A token cannot speak for the service: facts in its blocks do not count as facts of the service.
#[test]
fn a_token_states_nothing_for_the_service() {
    let root = Root::new();
    let policy = "vip($a) <- customer($a); check if vip(\"acme\");";
    let honest = Forge::honest(&root).append("check if true;");
    let forged = Forge::honest(&root).append("customer(\"acme\"); vip(\"acme\");");
    for token in [honest, forged] {
        let decision = verifier(&root, policy).check(&token.text(), &Call::new("order"), now());
        assert_eq!(decision.reason(), Some(Reason::Policy));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever policy a service adds, every call that the token alone denies stays denied. A policy that
    /// refuses nothing changes nothing.
    #[test]
    fn policies_never_widen(
        (grants, call) in random::grants().prop_flat_map(|grants| (Just(grants.clone()), random::call_for(grants))),
        policy in prop::sample::select(vec![
            "allow if true;",
            "check if action($a);",
            "deny if arg($n, $v), $v == 1; allow if true;",
            "check all arg($n, $v), $v != \"a\";",
            "allow if num($n, $v), $v > 0;",
        ]),
    ) {
        let root = Root::new();
        let token = root.mint(&grants).to_base64();
        let limits = Limits { fuel: 1_000_000, ..Limits::default() };
        let alone = root.verifier().limits(limits.clone()).check(&token, &call.request(), now());
        let both = verifier(&root, policy).limits(limits).check(&token, &call.request(), now());
        prop_assert!(alone.is_allow() || !both.is_allow());
        if policy == "allow if true;" || policy == "check if action($a);" {
            prop_assert_eq!(alone.reason(), both.reason());
        }
    }
}
