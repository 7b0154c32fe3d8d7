#![no_main]
//! Fuzz target for a call as JSON text: its canonical text is the same call, and gets the same decision.

use std::sync::LazyLock;

use bailiwick_fuzz::{Root, forge::Forge, now, said, verifier};
use bailiwick_token::value::{MAX_DEPTH, Value};
use bailiwick_verifier::{Call, Verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

static ROOT: LazyLock<Root> = LazyLock::new(Root::fixed);
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier(&ROOT, 5_000, 1 << 20));
/// A token whose conditions cover everything that can be stated about a call.
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let looks = r#"
        check if arg($n, $v), $v.type() !== "integer" or num($n, $m), $m >= 0 or json($n, $t), $t.length() < 20
            or date($n, $d), $d < 2027-01-01T00:00:00Z or args($n), $n.length() === 1 or resource($r);
        check if arg("a", $a), $a.all($p -> [1, "x", true, null].contains($p)) or num("a.b", $m), $m <= 5000000
            or arg("a", $a), {"x", "y"}.contains($a) or action($a), $a.starts_with("o");
    "#;
    Forge::honest(&ROOT).append(looks).text()
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(value) = Value::parse(text) {
        let canonical = value.to_string();
        assert_eq!(Value::parse(&canonical).as_ref(), Ok(&value), "{canonical}");
        // Any reader accepts it as JSON; the precision of numbers is up to the reader.
        serde_json::from_str::<&RawValue>(&canonical).expect("JSON");
    }
    let read = Call::from_json(text);
    let whole = Value::parse_within(text, MAX_DEPTH + 1);
    let Ok(request) = read else { return };
    let decision = said(&VERIFIER.check(&TOKEN, &request, now()));
    assert_ne!(request.action(), "");
    // The arguments again, from their canonical text. Other parts of the text may nest deeper.
    if let Ok(Value::Object(members)) = whole {
        let args = members.get("args").map(Value::to_string);
        let resource = match members.get("resource") {
            Some(Value::String(resource)) => Some(resource.as_str()),
            _ => None,
        };
        let again = Call::from_args_json(request.action(), resource, args.as_deref());
        let again = again.expect("the canonical text of a call");
        assert_eq!(again, request, "{args:?}");
        assert_eq!(said(&VERIFIER.check(&TOKEN, &again, now())), decision);
    }
});
