//! Tests that the cost of a decision is counted while it is made, in every loop.
//!
//! No test reads a clock: honest tokens pass with a third of the fuel, and hostile ones are refused with a
//! hundred times as much, so neither depends on the exact limit.

use bailiwick_testkit::{Root, denied, forge::Forge, now, scope, toml};
use bailiwick_token::{caveat::Caveat, grant::Grants};
use bailiwick_verifier::{Call, Denial, Limits, Reason, Verifier};

/// Makes a verifier with this much fuel.
fn fueled(root: &Root, fuel: u64) -> Verifier {
    root.verifier().limits(Limits {
        fuel,
        ..Limits::default()
    })
}

fn default() -> u64 {
    Limits::default().fuel
}

/// The purchasing agent of the documentation: five grants, three blocks, four arguments.
fn grants() -> Grants {
    toml(
        r#"
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
        [[grant]]
        service = "erp"
        action = "invoice:*"
        resource = "eu/*"
        [[grant]]
        service = "crm"
        action = "contact:*"
        [[grant]]
        service = "erp"
        action = "vendor:tag"
        args = { tags = { all_of_in = ["a", "b", "c"], max_len = 50 } }
        "#,
    )
}

#[test]
fn honest_tokens_need_a_third_of_the_fuel() {
    let root = Root::new();
    let mut token = root.mint(&grants());
    for delegate in ["agent:a", "agent:b", "agent:c"] {
        let caveat = Caveat {
            expires: Some(now().plus(60)),
            delegate: Some(delegate.to_owned()),
            ..scope(grants())
        };
        token = token.attenuate(&caveat).expect("a token within its limits");
    }
    let verifier = fueled(&root, default() / 3);
    let order = Call::new("purchase_order:create")
        .arg("amount", 4200)
        .arg("currency", "EUR")
        .arg("vendor", "acme")
        .arg("note", "for the workshop");
    let tag = Call::new("vendor:tag").arg("tags", vec!["a"; 50]);
    let invoice = Call::new("invoice:read")
        .resource("eu/4711")
        .arg("text", "x".repeat(10_000));
    for request in [order, tag, invoice] {
        let decision = verifier.check(&token.to_base64(), &request, now());
        assert!(decision.is_allow(), "{decision:?}");
    }
}

/// The tokens are as large as the profile allows: 64 alternatives, 16 blocks.
#[test]
fn the_largest_honest_tokens_pass() {
    let root = Root::new();
    let scopes = (0..15).fold(Forge::honest(&root), |forge, _| {
        let elsewhere = ["service(\"erp\"), action(\"other\")"; 3].join(" or ");
        forge.append(&format!(
            "check if {elsewhere} or service(\"erp\"), action(\"order\"), arg(\"amount\", $a), $a <= 5;"
        ))
    });
    let request = (0..30).fold(Call::new("order").arg("amount", 5), |request, index| {
        request.arg(&format!("further{index}"), "a value")
    });
    let decision = fueled(&root, default()).check(&scopes.text(), &request, now());
    assert!(decision.is_allow(), "{decision:?}");
}

#[test]
fn hostile_tokens_are_refused_with_a_hundred_times_the_fuel() {
    let root = Root::new();
    let verifier = fueled(&root, default() * 100);
    let facts: String = (0..60).map(|index| format!("f({index});")).collect();
    let join = "check if f($a), f($b), f($c), f($d), $a > 100 or true;";
    let array = vec!["899"; 15_000].join(",");
    let heavy = Call::from_json(&format!(r#"{{"action":"order","args":{{"x":[{array}]}}}}"#))
        .expect("a call");
    let each = "check if arg(\"x\", $x), $x.all($p -> [ITEMS].contains($p));";
    let items: Vec<String> = (0..900).map(|item| item.to_string()).collect();
    let each = each.replace("ITEMS", &items.join(","));
    let sums = vec!["$x"; 120].join(" + ");
    let sums = format!("check if arg(\"x\", $x), {sums} === \"\";");
    let long = Call::new("order").arg("x", "x".repeat(60_000));
    for (name, code, request) in [
        (
            "a join of four",
            format!("{facts} {join}"),
            Call::new("order"),
        ),
        ("a long string summed up", sums, long),
        ("each element against a list", each, heavy),
    ] {
        let decision = verifier.check(&Forge::honest(&root).append(&code).text(), &request, now());
        assert_eq!(
            decision.reason(),
            Some(Reason::OutOfFuel),
            "{name}: {decision:?}"
        );
    }
}

/// A call with as many numbers as fit into 64 KiB, and one with a text of that length.
fn longest() -> [Call; 2] {
    let numbers = vec!["1"; 32_700].join(",");
    let call = |args: &str| {
        Call::from_json(&format!(r#"{{"action":"order","args":{{"x":{args}}}}}"#)).expect("a call")
    };
    [
        call(&format!("[{numbers}]")),
        call(&format!("\"{}abc\"", "ab".repeat(32_700))),
    ]
}

#[test]
fn the_longest_honest_calls_pass() {
    let root = Root::new();
    let [numbers, text] = longest();
    let grants = |constraint: &str| -> Grants {
        toml(&format!(
            "[[grant]]\nservice = \"erp\"\naction = \"order\"\nargs = {{ x = {{ {constraint} }} }}"
        ))
    };
    for (granted, narrowed, call) in [
        ("all_of_in = [1, 2, 3]", "max_len = 40000", numbers),
        // Compared at every position, and found at the last.
        (
            "contains = \"abc\"",
            "contains = \"bc\", max_len = 70000",
            text,
        ),
    ] {
        let token = root
            .mint(&grants(granted))
            .attenuate(&scope(grants(narrowed)));
        let token = token.expect("a token within its limits").to_base64();
        let decision = fueled(&root, default()).check(&token, &call, now());
        assert!(decision.is_allow(), "{granted}: {decision:?}");
    }
}

/// The `fuel` that a call needs falls by exactly the amount that `long_call_fuel` adds.
#[test]
fn a_long_call_is_granted_no_more_than_the_cap() {
    let root = Root::new();
    let [numbers, _] = longest();
    let text = Forge::honest(&root)
        .append("check if arg(\"x\", $x), $x.all($p -> [1, 2].contains($p));")
        .text();
    let passes = |fuel: u64, long_call_fuel: u64| {
        let limits = Limits {
            fuel,
            long_call_fuel,
            ..Limits::default()
        };
        let decision = root.verifier().limits(limits).check(&text, &numbers, now());
        assert!(matches!(decision.reason(), None | Some(Reason::OutOfFuel)));
        decision.is_allow()
    };
    let (mut low, mut high) = (0u64, 1u64 << 20);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if passes(middle, 0) {
            high = middle
        } else {
            low = middle
        }
    }
    assert!(high > default(), "{high}");
    for cap in [0, 1, 1000, 100_000] {
        assert!(passes(high - cap, cap) && !passes(high - cap - 1, cap));
    }
    // Without a cap, the call gets fuel for all its facts, and that suffices.
    assert!(passes(0, u64::MAX));
    assert!(passes(default(), Limits::default().long_call_fuel));
}

/// Memory is limited too, and the denial names that limit.
#[test]
fn memory_is_a_limit_of_its_own() {
    let root = Root::new();
    let [_, call] = longest();
    let sum = ["$x"; 5].join(" + ");
    let text = Forge::honest(&root)
        .append(&format!("check if arg(\"x\", $x), {sum} === \"\" or true;"))
        .text();
    let check = |memory: usize| {
        let limits = Limits {
            fuel: 1_000_000,
            memory,
            ..Limits::default()
        };
        root.verifier().limits(limits).check(&text, &call, now())
    };
    // The call's text, and four sums of two to five times that text.
    let least = 65_403 * (1 + 2 + 3 + 4 + 5);
    assert!(check(least + 50_000).is_allow());
    let denied = denied(check(least));
    assert_eq!(denied.reason(), Reason::OutOfFuel);
    assert_eq!(denied.denial, Denial::OutOfMemory(least));
    assert!(check(Limits::default().memory).is_allow());
}

/// Searching is charged by its worst case, because an attacker may choose the strings.
#[test]
fn searches_are_refused_before_they_take_long() {
    let root = Root::new();
    let own = "ab".repeat(3000);
    let rows: String = (0..40).map(|row| format!("f({row});")).collect();
    let part = format!("{}b", "ab".repeat(30));
    let token = Forge::honest(&root).append(&format!(
        "{rows} s(\"{own}\"); check if f($a), s($s), $s.contains(\"{part}\") or true;"
    ));
    let small = Call::new("order");
    let check = |fuel: u64| fueled(&root, fuel).check(&token.text(), &small, now());
    // Forty searches through 6,000 bytes, at one unit for twelve bytes.
    assert_eq!(check(default()).reason(), Some(Reason::OutOfFuel));
    assert_eq!(check(40 * 6000 / 12).reason(), Some(Reason::OutOfFuel));
    assert!(check(40 * 6000 / 12 * 3 / 2).is_allow());
}

/// The cost of a decision depends only on token and call, not on earlier decisions, and rises with both.
#[test]
fn the_count_is_the_same_each_time_and_rises_with_the_work() {
    let root = Root::new();
    let least = |facts: usize, alternatives: usize| {
        let facts: String = (0..facts).map(|index| format!("f({index});")).collect();
        let alternatives = vec!["f($a), f($b), false"; alternatives].join(" or ");
        let text = Forge::honest(&root)
            .append(&format!("{facts} check if {alternatives} or true;"))
            .text();
        let passes = |fuel: u64| {
            let decision = fueled(&root, fuel).check(&text, &Call::new("order"), now());
            decision.reason() != Some(Reason::OutOfFuel)
        };
        // Finds the least fuel that suffices by bisection.
        let (mut low, mut high) = (0, default());
        while low + 1 < high {
            let middle = low.midpoint(high);
            if passes(middle) {
                high = middle
            } else {
                low = middle
            }
        }
        assert!(passes(high) && !passes(low));
        high
    };
    assert_eq!(least(10, 2), least(10, 2));
    assert!(least(5, 2) < least(10, 2));
    assert!(least(10, 2) < least(10, 4));
    assert!(
        least(20, 2) > 3 * least(10, 2) / 2,
        "the square of the facts counts"
    );
}
