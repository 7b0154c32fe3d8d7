//! Wishes of a careful company, each written as a grant. A call that the grant refuses would be allowed by an easier
//! spelling, and a warning reports that spelling. `--nocapture` prints the table.

use bailiwick_testkit::{Root, now, toml};
use bailiwick_token::grant::{
    Grants,
    warnings::{Review, WarningKind},
};
use bailiwick_verifier::{Call, Decision, Values};
use proptest::prelude::*;

use crate::support::random;

/// A wish: the arguments of a grant that expresses it, and calls that the grant allows and refuses.
struct Wish {
    name: &'static str,
    grant: &'static str,
    allowed: &'static [&'static str],
    refused: &'static [&'static str],
    /// Spellings that allow more than they seem to, each with its warning.
    silent: &'static [(&'static str, WarningKind)],
}

const WISHES: [Wish; 14] = [
    Wish {
        name: "cap on an amount",
        grant: "amount = { min = 0, max = 10000, scale = 2 }",
        allowed: &[r#"{"amount":4000}"#, r#"{"amount":0.01}"#],
        refused: &[
            r#"{"amount":-500000}"#,
            r#"{"amount":99.999}"#,
            r#"{"amount":10000.01}"#,
            r#"{"amount":"4000"}"#,
        ],
        silent: &[
            (
                "amount = { max = 10000, scale = 2 }",
                WarningKind::MaxWithoutMin,
            ),
            (
                "amount = { min = 0, max = 10000 }",
                WarningKind::MoneyWithoutScale,
            ),
        ],
    },
    Wish {
        name: "cap on an amount that is sent as text",
        grant: "amount = { as = 'decimal', min = 0, max = 10000, scale = 2 }",
        allowed: &[r#"{"amount":"4000.00"}"#],
        refused: &[
            r#"{"amount":"-500000"}"#,
            r#"{"amount":"4000.000"}"#,
            r#"{"amount":"4e3"}"#,
            r#"{"amount":4000}"#,
        ],
        silent: &[],
    },
    Wish {
        name: "vendor from a list",
        grant: "vendor = { one_of = ['acme', 'globex'] }",
        allowed: &[r#"{"vendor":"acme"}"#],
        refused: &[
            r#"{"vendor":["acme","globex"]}"#,
            r#"{"vendor":"acme*"}"#,
            r#"{"vendor":"evil"}"#,
        ],
        silent: &[
            ("vendor = ['acme', 'globex']", WarningKind::BareArray),
            ("vendor = 'acme*'", WarningKind::StarInValue),
            (
                "vendor = { not_one_of = ['evil'] }",
                WarningKind::NotOneOfAlone,
            ),
        ],
    },
    Wish {
        name: "currency must be given, any value",
        grant: "currency = { present = true }\namount = { min = 0, max = 9, scale = 2 }",
        allowed: &[r#"{"amount":5,"currency":"EUR"}"#],
        refused: &[
            r#"{"amount":5}"#,
            r#"{"amount":5,"currency":""}"#,
            r#"{"amount":5,"currency":null}"#,
        ],
        silent: &[(
            "currency = '*'\namount = { min = 0, max = 9, scale = 2 }",
            WarningKind::OpenCurrency,
        )],
    },
    Wish {
        name: "every line item at most 100",
        grant: "\"lines.*.price\" = { min = 0, max = 100, scale = 2 }",
        allowed: &[r#"{"lines":[{"price":100},{"price":1}]}"#],
        refused: &[
            r#"{"lines":[{"price":1},{"price":100.01}]}"#,
            r#"{"lines":[{"price":1},{}]}"#,
            r#"{"lines":[]}"#,
            r#"{"lines":{"0":{"price":1}}}"#,
        ],
        silent: &[],
    },
    Wish {
        name: "total equals the sum of the lines; debit differs from credit",
        grant: "\"lines.*.amount\" = { min = 0, scale = 2 }\ntotal = { min = 0, max = 5000, scale = 2, equals_sum = 'lines.*.amount' }\ndebit = { max_len = 20 }\ncredit = { differs_from_arg = 'debit' }",
        allowed: &[
            r#"{"lines":[{"amount":10.5},{"amount":4}],"total":14.5,"debit":"1000","credit":"2000"}"#,
        ],
        refused: &[
            r#"{"lines":[{"amount":10.5},{"amount":4}],"total":14,"debit":"1000","credit":"2000"}"#,
            r#"{"lines":[{"amount":6000},{"amount":-1500}],"total":4500,"debit":"1000","credit":"2000"}"#,
            r#"{"lines":[{"amount":1}],"total":1,"debit":"1000","credit":"01000"}"#,
        ],
        silent: &[],
    },
    Wish {
        name: "a note that may be absent, but is short if present",
        grant: "note = { optional = true, one_line = true, max_len = 20 }",
        allowed: &["{}", r#"{"note":"office paper"}"#],
        refused: &[
            r#"{"note":"a note of more than twenty bytes"}"#,
            r#"{"note":null}"#,
            r#"{"note":"a\nb"}"#,
        ],
        silent: &[],
    },
    Wish {
        name: "e-mail to our own domain",
        grant: "to = { email = { domain_in = ['acme.example'] } }",
        allowed: &[
            r#"{"to":"ada@acme.example"}"#,
            r#"{"to":"Ada@ACME.example"}"#,
        ],
        refused: &[
            r#"{"to":"eve@evil.example,a@acme.example"}"#,
            r#"{"to":"eve@evil.example\r\nBcc: a@acme.example"}"#,
        ],
        silent: &[("to = { suffix = '@acme.example' }", WarningKind::TextPart)],
    },
    Wish {
        name: "a day, a month or a point in time",
        grant: "due = { min = '2026-11-01', max = '2026-11-30' }\nat = { after = '2026-11-01T00:00:00Z', before = '2026-12-01T00:00:00Z' }",
        allowed: &[r#"{"due":"2026-11-05","at":"2026-11-05T08:00:00.123Z"}"#],
        refused: &[
            r#"{"due":"2026-11-evil","at":"2026-11-05T08:00:00Z"}"#,
            r#"{"due":"2026-12-05","at":"2026-11-05T08:00:00Z"}"#,
            r#"{"due":"2026-11-05","at":"2026-12-01T00:00:00Z"}"#,
        ],
        silent: &[("due = { prefix = '2026-11-' }", WarningKind::TextPart)],
    },
    Wish {
        name: "a path below a folder",
        grant: "path = { path = { under = '/srv/x' } }",
        allowed: &[r#"{"path":"/srv/x/plan.txt"}"#],
        refused: &[
            r#"{"path":"/srv/x/../../etc/passwd"}"#,
            r#"{"path":"/srv/xy"}"#,
        ],
        silent: &[("path = { prefix = '/srv/x/' }", WarningKind::TextPart)],
    },
    Wish {
        name: "a URL of our API",
        grant: "url = { url = { host_in = ['api.acme.example'] } }",
        allowed: &[r#"{"url":"https://api.acme.example/v1"}"#],
        refused: &[
            r#"{"url":"https://api.acme.example.evil.test/"}"#,
            r#"{"url":"https://api.acme.example@evil.test/"}"#,
        ],
        silent: &[(
            "url = { prefix = 'https://api.acme.example' }",
            WarningKind::TextPart,
        )],
    },
    Wish {
        name: "cost centre 4711 to 4799",
        grant: "cost_centre = { matches = '47(1[1-9]|[2-9][0-9])' }",
        allowed: &[r#"{"cost_centre":"4711"}"#, r#"{"cost_centre":"4799"}"#],
        refused: &[
            r#"{"cost_centre":"47'; drop table x"}"#,
            r#"{"cost_centre":"4710"}"#,
        ],
        silent: &[("cost_centre = { prefix = '47' }", WarningKind::TextPart)],
    },
    Wish {
        name: "an address with a city, and nothing else",
        grant: "\"address.city\" = 'Berlin'",
        allowed: &[r#"{"address":{"city":"Berlin"}}"#],
        refused: &[
            r#"{"address":{"city":"Berlin","iban":"DE02"}}"#,
            r#"{"address":{}}"#,
        ],
        silent: &[(
            "address = '*'\n\"address.city\" = 'Berlin'",
            WarningKind::OpenParent,
        )],
    },
    Wish {
        name: "a document inside a string",
        grant: "status = { one_of = ['open', 'paid'] }",
        allowed: &[r#"{"status":"open"}"#],
        refused: &[r#"{"status":"open' or 1=1"}"#],
        silent: &[
            ("sql = { prefix = 'SELECT ' }", WarningKind::TextPart),
            ("sql = '*'", WarningKind::DocumentInString),
        ],
    },
];

fn with_args(args: &str) -> String {
    format!("[[grant]]\nservice = \"erp\"\naction = \"order\"\n[grant.args]\n{args}\n")
}

fn decide(root: &Root, grants: &Grants, call: &Call) -> Decision {
    let token = root.mint(grants).to_base64();
    root.verifier().check(&token, call, now())
}

fn kinds(text: &str) -> Vec<WarningKind> {
    let grants = toml(text);
    let review = Review::of_toml(text, &grants).expect("TOML");
    review
        .warnings()
        .iter()
        .map(|warning| warning.kind)
        .collect()
}

#[test]
fn each_wish_can_be_written() {
    let root = Root::new();
    for wish in WISHES {
        let text = with_args(wish.grant);
        let grants = toml(&text);
        println!("\n{}\n  {}", wish.name, wish.grant.replace('\n', "\n  "));
        assert_eq!(kinds(&text), [], "{}", wish.name);
        let decided = |args: &str| {
            let call = Call::from_args_json("order", None, Some(args)).expect("a call");
            decide(&root, &grants, &call)
        };
        for args in wish.allowed {
            let decision = decided(args);
            println!("    allow {args}");
            assert!(
                decision.is_allow(),
                "{args}: {:?}",
                decision.explain(Values::Shown)
            );
        }
        for args in wish.refused {
            let decision = decided(args);
            println!(
                "    deny  {args}: {}",
                decision.explain(Values::Shown).join("; ")
            );
            assert!(!decision.is_allow(), "{}: {args}", wish.name);
        }
        for (silent, kind) in wish.silent {
            println!("    warn  {}: {}", silent.replace('\n', ", "), kind.code());
            assert!(kinds(&with_args(silent)).contains(kind), "{silent}");
        }
    }
}

/// Each silent spelling deserves its warning: the verifier allows a call that the wish does not.
#[test]
fn each_silent_spelling_is_wider() {
    let root = Root::new();
    for (silent, call) in [
        (
            "amount = { max = 10000, scale = 2 }",
            r#"{"amount":-500000}"#,
        ),
        ("amount = { min = 0, max = 10000 }", r#"{"amount":99.999}"#),
        ("vendor = { not_one_of = ['evil'] }", r#"{"vendor":"Evil"}"#),
        (
            "currency = '*'\namount = { min = 0, max = 9, scale = 2 }",
            r#"{"amount":5}"#,
        ),
        (
            "to = { suffix = '@acme.example' }",
            r#"{"to":"eve@evil.example,a@acme.example"}"#,
        ),
        ("due = { prefix = '2026-11-' }", r#"{"due":"2026-11-evil"}"#),
        (
            "path = { prefix = '/srv/x/' }",
            r#"{"path":"/srv/x/../../etc/passwd"}"#,
        ),
        (
            "url = { prefix = 'https://api.acme.example' }",
            r#"{"url":"https://api.acme.example.evil.test/"}"#,
        ),
        (
            "cost_centre = { prefix = '47' }",
            r#"{"cost_centre":"47'; drop table x"}"#,
        ),
        (
            "address = '*'\n\"address.city\" = 'Berlin'",
            r#"{"address":{"city":"Berlin","iban":"DE02"}}"#,
        ),
        (
            "sql = { prefix = 'SELECT ' }",
            r#"{"sql":"SELECT 1; drop table x"}"#,
        ),
    ] {
        let call = Call::from_args_json("order", None, Some(call)).expect("a call");
        let decision = decide(&root, &toml(&with_args(silent)), &call);
        assert!(
            decision.is_allow(),
            "{silent}: {:?}",
            decision.explain(Values::Shown)
        );
    }
}

#[test]
fn grants_are_limited_to_office_hours() {
    let root = Root::new();
    // The tests decide at noon.
    let minted = |days: &str| {
        let text = format!(
            "[[grant]]\nservice = \"erp\"\naction = \"order\"\nwhen = {{ days = [\"{days}\"], from = \"11:00\", to = \"13:00\", zone = \"Etc/UTC\" }}\n"
        );
        root.mint(&toml(&text)).to_base64()
    };
    let verifier = root.verifier();
    let call = Call::new("order");
    let allowed = |days: &str| verifier.check(&minted(days), &call, now()).is_allow();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let open: Vec<_> = days.into_iter().filter(|day| allowed(day)).collect();
    println!("the hours of a grant: open on {open:?}");
    assert_eq!(open.len(), 1, "{open:?}");
}

/// A path cannot name a single element of an array by its index.
#[test]
fn an_index_is_refused() {
    let error = Grants::from_toml(&with_args("\"lines.0.price\" = { min = 0, max = 100 }"));
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn a_narrow_grant_beside_a_wide_one_is_reported() {
    let text = "[[grant]]\nservice = \"erp\"\naction = \"order:*\"\n\n[[grant]]\nservice = \"erp\"\naction = \"order:create\"\n[grant.args]\namount = { min = 0, max = 9, scale = 2 }\n";
    assert_eq!(kinds(text), [WarningKind::WithinAnother]);
    assert_eq!(
        kinds("[[grant]]\nservice = \"crm\"\naction = \"contact*\"\n"),
        [WarningKind::ActionPrefix]
    );
}

/// The words for a grant without arguments or a resource state that anything is allowed.
#[test]
fn open_grants_are_shown_in_words() {
    let words = toml("[[grant]]\nservice = \"erp\"\naction = \"order\"\n")
        .in_words()
        .to_string();
    println!("{words}");
    for open in [
        "any arguments, or none",
        "any resource, or none",
        "any time",
    ] {
        assert!(words.contains(open), "{words}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Whatever the grants are, the text that a warning suggests for an argument is grants text.
    #[test]
    fn suggested_constraints_can_be_written(grants in random::grants()) {
        let text = grants.to_toml();
        let review = Review::of_toml(&text, &grants).expect("TOML");
        for warning in review.warnings() {
            prop_assert!(warning.line.is_some(), "{warning:?}");
            // An argument that is compared with another one cannot stand alone.
            let stands_alone = |line: &String| {
                let compared = ["equals_", "differs_"].iter().any(|key| line.contains(key));
                warning.path.contains(".args.") && !compared
            };
            if let Some(line) = warning.rewrite.clone().filter(stands_alone) {
                let rewritten = Grants::from_toml(&with_args(&line));
                prop_assert!(rewritten.is_ok(), "{line}: {rewritten:?}");
            }
        }
    }
}
