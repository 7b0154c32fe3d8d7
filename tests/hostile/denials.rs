//! Tests of calls that are expensive to explain: each is decided correctly, and its explanation is bounded,
//! marked if cut off, and never wrong.

use bailiwick_testkit::{Root, SERVICE, denied, forge::Forge, now, scope, toml};
use bailiwick_token::{grant::Grants, value::Value};
use bailiwick_verifier::{
    Call, Decision, Deny, Limits, Reason, Values, Verifier,
    decision::MAX_DENIAL_JSON,
    explain::{CUT_OFF, MAX_EXPLANATION, UnmetCondition},
};

use crate::{
    ALLOW, order, outcome,
    support::{
        calls::{ACTION, ALTERNATIVES, MAX_CALL, Narrowed, SHAPES, json, narrowed},
        oracle,
    },
};

const OUT_OF_FUEL: &str = "out_of_fuel";

/// A verifier whose explanations may take this many steps.
fn explaining(root: &Root, steps: u64) -> Verifier {
    root.verifier().limits(Limits {
        explain: steps,
        ..Limits::default()
    })
}

/// Positions of the grants that allow a call, by an independent implementation.
fn allowing(grants: &Grants, args: &str) -> Vec<usize> {
    let args = Value::parse(args).expect("JSON");
    let call = oracle::Call {
        service: SERVICE,
        action: ACTION,
        resource: None,
        args: &args,
        now: now(),
    };
    let grants = grants.iter().enumerate();
    let allowing = grants.filter(|(_, grant)| oracle::allows(grant, &call));
    allowing.map(|(index, _)| index).collect()
}

/// Asserts that every written form of a denial is short, and is marked if it is cut off.
fn assert_bounded(deny: &Deny, what: &str) {
    for values in [Values::Shown, Values::Hidden] {
        let sentences = deny.explain(values);
        // As JSON, where a quote in an argument is escaped twice.
        let as_json = |sentence: &String| serde_json::json!(sentence).to_string().len() - 2;
        let bytes: usize = sentences.iter().map(as_json).sum();
        let most = MAX_EXPLANATION + CUT_OFF.len();
        assert!(bytes <= most, "{what}: {bytes} bytes of text");
        let marked = sentences.last().is_some_and(|last| last == CUT_OFF);
        assert_eq!(marked, deny.cut_off, "{what}: {sentences:?}");
        let json = Decision::Deny(deny.clone()).to_json(values);
        assert!(
            json.len() <= MAX_DENIAL_JSON,
            "{what}: {} bytes of JSON",
            json.len()
        );
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let last = json["explain"].as_array().and_then(|list| list.last());
        let marked =
            last.is_some_and(|last| last["condition"] == "cut_off" && last["text"] == CUT_OFF);
        assert_eq!(marked, deny.cut_off, "{what}: {json}");
    }
}

/// Tries every shape of call, in this size, with every token. Returns the number of denials that ran out of
/// fuel.
fn try_all(root: &Root, tokens: &[(&str, Narrowed)], size: usize) -> usize {
    let verifier = root.verifier();
    let mut spent = 0;
    for (shape, args) in SHAPES {
        let args = args(size);
        let call = json(&args);
        assert!(call.len() <= size.max(100), "{shape}: {} bytes", call.len());
        let call = Call::from_json(&call).expect("a call");
        for (name, narrowed) in tokens {
            let what = format!("{shape} of {size} bytes, {name}");
            let open = outcome(&verifier, &narrowed.open.to_base64(), &call);
            assert!([ALLOW, OUT_OF_FUEL].contains(&open), "{what}: {open}");
            let allowing = allowing(&narrowed.grants, &args);
            let decision = verifier.check(&narrowed.token.to_base64(), &call, now());
            match decision.reason() {
                Some(Reason::OutOfFuel) => spent += 1,
                found => {
                    let expected = allowing.is_empty().then_some(Reason::Caveat);
                    assert_eq!(found, expected, "{what}");
                }
            }
            if let Decision::Deny(deny) = decision {
                assert_bounded(&deny, &what);
                assert_explained(&deny, &narrowed.grants, &what);
            }
        }
    }
    spent
}

/// Asserts that alternatives are explained in order and without gaps, up to the last one or to the point where the
/// explanation is cut off.
fn assert_explained(deny: &Deny, grants: &Grants, what: &str) {
    if deny.reason() == Reason::OutOfFuel {
        return assert!(deny.refusals.is_empty() && !deny.cut_off, "{what}");
    }
    let explained = deny.refusals.iter().map(|refusal| refusal.alternative);
    let in_order = (0..deny.refusals.len()).map(Some);
    assert!(explained.eq(in_order), "{what}: {:?}", deny.refusals);
    let whole = deny.refusals.len() == grants.len();
    assert_eq!(whole, !deny.cut_off, "{what}: {}", deny.refusals.len());
    assert!(!deny.refusals.is_empty() || deny.cut_off, "{what}");
}

fn tokens(root: &Root) -> Vec<(&'static str, Narrowed)> {
    let tokens = ALTERNATIVES.iter();
    tokens
        .map(|(name, alternative)| (*name, narrowed(root, *alternative)))
        .collect()
}

#[test]
fn short_calls_are_explained_within_bounds() {
    let root = Root::new();
    let tokens = tokens(&root);
    for size in [300, 4_000] {
        let spent = try_all(&root, &tokens, size);
        assert!(
            spent < SHAPES.len() * tokens.len() / 4,
            "{spent} ran out of fuel"
        );
    }
}

#[test]
fn the_longest_calls_are_explained_within_bounds() {
    let root = Root::new();
    let tokens = tokens(&root);
    let spent = try_all(&root, &tokens, MAX_CALL);
    assert!(
        spent < SHAPES.len() * tokens.len() / 2,
        "{spent} ran out of fuel"
    );
}

/// The alternatives of an issuer's own grants are explained within the same limits.
#[test]
fn grants_are_explained_like_scopes() {
    let root = Root::new();
    let verifier = root.verifier();
    for (name, alternative) in ALTERNATIVES {
        let grants = narrowed(&root, alternative).grants;
        // In an authority block, each alternative takes more room.
        let grants = Grants::new(grants.iter().take(30).cloned()).expect("some grants");
        let token = root.mint(&grants).to_base64();
        for size in [300, MAX_CALL] {
            let args = SHAPES[0].1(size);
            if !allowing(&grants, &args).is_empty() {
                continue;
            }
            let call = Call::from_json(&json(&args)).expect("a call");
            let deny = denied(verifier.check(&token, &call, now()));
            let what = format!("{name}, {size} bytes");
            let expected = [Reason::NoGrant, Reason::OutOfFuel];
            assert!(
                expected.contains(&deny.reason()),
                "{what}: {}",
                deny.reason()
            );
            assert_bounded(&deny, &what);
            assert_explained(&deny, &grants, &what);
        }
    }
}

/// An explanation with fewer steps is a prefix of one with more, and the decision is the same.
#[test]
fn fewer_steps_cut_off_and_change_nothing() {
    let root = Root::new();
    let mut cut = 0;
    for (name, narrowed) in tokens(&root) {
        for (shape, args) in SHAPES {
            let call = Call::from_json(&json(&args(300))).expect("a call");
            let check = |steps| {
                let verifier = explaining(&root, steps);
                verifier.check(&narrowed.token.to_base64(), &call, now())
            };
            let Decision::Deny(whole) = check(1 << 40) else {
                continue;
            };
            for steps in [0, 100, 1_000, 2_500] {
                let what = format!("{shape}, {name}, {steps} steps");
                let deny = denied(check(steps));
                let count = deny.refusals.len();
                assert_eq!(deny.reason(), whole.reason(), "{what}");
                assert_eq!(deny.refusals, whole.refusals[..count], "{what}");
                let shorter = count < whole.refusals.len() || whole.cut_off;
                assert_eq!(deny.cut_off, shorter, "{what}");
                assert_bounded(&deny, &what);
                cut += usize::from(deny.cut_off);
            }
        }
    }
    assert!(cut > 100, "{cut} explanations were cut off");
}

/// A wrong type aborts the engine's evaluation. An explanation that reaches the condition names it; an
/// explanation that is cut off earlier claims nothing. Typed conditions give the reason without an explanation.
#[test]
fn an_aborted_evaluation_claims_nothing_unseen() {
    let root = Root::new();
    let grant = |service: &str, action: &str| {
        format!(
            "[[grant]]\nservice = \"{service}\"\naction = \"{action}\"\nargs = {{ a = {{ prefix = \"x\" }} }}\n"
        )
    };
    let others: String = (0..20)
        .map(|index| grant(SERVICE, &format!("other:{index}")))
        .collect();
    let grants = toml(&format!("{others}{}", grant(SERVICE, ACTION)));
    let open = format!("[[grant]]\nservice = \"{SERVICE}\"\naction = \"*\"\n");
    let minted = root.mint(&toml(&open));
    let token = minted.attenuate(&scope(grants)).expect("a token");
    let call = order().arg("a", 1);
    for (by_engine, reason_of_cut) in [(false, Reason::Caveat), (true, Reason::EvaluationError)] {
        let check = |steps| {
            let verifier = explaining(&root, steps);
            let verifier = match by_engine {
                true => verifier.engine_only(),
                false => verifier,
            };
            denied(verifier.check(&token.to_base64(), &call, now()))
        };
        let whole = check(5_000);
        assert_eq!(whole.reason(), Reason::Caveat);
        assert!(matches!(
            whole.refusals[0].condition,
            UnmetCondition::Type { .. }
        ));
        let cut = check(0);
        assert_eq!(cut.reason(), reason_of_cut);
        assert!(cut.cut_off && cut.refusals.is_empty(), "{cut:?}");
        assert_bounded(&cut, "an aborted evaluation");
    }
}

/// Tokens could make a denial repeat long texts: delegates and tasks of kilobytes in each block, dozens of
/// checks, and long expressions.
#[test]
fn tokens_that_repeat_long_texts_are_explained_within_bounds() {
    let root = Root::new();
    let verifier = root.verifier();
    let long = "\u{1}".repeat(2_500);
    let named = (0..12).fold(Forge::honest(&root), |forge, _| {
        forge.append(&format!(
            "delegate(\"{long}\"); task(\"{long}\"); check if false;"
        ))
    });
    // Long to write out: a sum of long strings in dozens of parentheses.
    let literal = format!("\"{}\"", "x".repeat(3_000));
    let sum = format!("({literal} + {literal} + {literal})");
    let sum = format!("{}{sum}{}", "(".repeat(30), ")".repeat(30));
    let sums = format!("check if {sum} === \"\";").repeat(4);
    let expressions = Forge::honest(&root).append(&sums);
    let checks = Forge::honest(&root).append(&"check if false;".repeat(60));
    let ends = "check if time($t), $t < 2026-01-01T00:00:00Z;".repeat(150);
    let ended = Forge::honest(&root).append(&ends);
    let others = [1, 2].map(|index| format!("service(\"erp\"), action(\"{index}{long}\")"));
    let others = others.join(" or ");
    let others = Forge::honest(&root).append(&format!("check if {others};"));
    for (name, forge, reason) in [
        ("delegates", named, Reason::Caveat),
        ("expressions", expressions, Reason::Caveat),
        ("checks", checks, Reason::Caveat),
        ("ends", ended, Reason::Expired),
        ("others", others, Reason::Caveat),
    ] {
        let deny = denied(verifier.check(&forge.text(), &order(), now()));
        assert_eq!(deny.reason(), reason, "{name}: {}", deny.detail());
        assert!(!deny.refusals.is_empty() || deny.cut_off, "{name}");
        assert_bounded(&deny, name);
    }
}
