//! Restrictions that older conditions could not express, or only too widely: each as a grant, with calls that it must
//! refuse.

use super::{
    corpus::table,
    meaning::{allow, call, monday},
};

struct Wish {
    wish: &'static str,
    args: &'static str,
    inside: &'static [&'static str],
    wide: &'static [&'static str],
}

const WISHES: &[Wish] = &[
    Wish {
        wish: "cap on an amount",
        args: "amount = { positive = true, max = 4000, scale = 2 }",
        inside: &[r#"{"amount":4000}"#],
        wide: &[
            r#"{"amount":-500000}"#,
            r#"{"amount":99.999}"#,
            r#"{"amount":"4000.00"}"#,
        ],
    },
    Wish {
        wish: "cap on an amount sent as a string",
        args: "amount = { as = 'decimal', min = 0, max = 4000, scale = 2 }",
        inside: &[r#"{"amount":"4000.00"}"#],
        wide: &[
            r#"{"amount":"4000.01"}"#,
            r#"{"amount":"-1"}"#,
            r#"{"amount":"4e3"}"#,
        ],
    },
    Wish {
        wish: "currency must be given, any value",
        args: "currency = { present = true }",
        inside: &[r#"{"currency":"EUR"}"#],
        wide: &["{}", r#"{"currency":null}"#, r#"{"currency":""}"#],
    },
    Wish {
        wish: "every line item at most 100",
        args: "'lines.*.price' = { min = 0, max = 100 }",
        inside: &[r#"{"lines":[{"price":100},{"price":0}]}"#],
        wide: &[
            r#"{"lines":[{"price":1},{"price":101}]}"#,
            r#"{"lines":[{"price":1,"fee":900}]}"#,
        ],
    },
    Wish {
        wish: "total equals the sum of the lines",
        args: "total = { equals_sum = 'lines.*.amount' }\n'lines.*.amount' = { min = 0 }",
        inside: &[r#"{"total":0.3,"lines":[{"amount":0.1},{"amount":0.2}]}"#],
        wide: &[r#"{"total":9,"lines":[{"amount":1}]}"#],
    },
    Wish {
        wish: "debit differs from credit",
        args: "debit = { differs_from_arg = 'credit' }\ncredit = { present = true }",
        inside: &[r#"{"debit":"4711","credit":"4712"}"#],
        wide: &[
            r#"{"debit":"4711","credit":"04711"}"#,
            r#"{"debit":"DE 12","credit":"de12"}"#,
        ],
    },
    Wish {
        wish: "a note that may be absent, but is short",
        args: "note = { max_len = 80, one_line = true, optional = true }",
        inside: &["{}", r#"{"note":"thanks"}"#],
        wide: &[
            r#"{"note":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"}"#,
            r#"{"note":null}"#,
        ],
    },
    Wish {
        wish: "e-mail to our own domain",
        args: "to = { email = { domain_in = ['acme.example'] } }",
        inside: &[r#"{"to":"Ada@ACME.example"}"#],
        wide: &[
            r#"{"to":"eve@evil.example,a@acme.example"}"#,
            r#"{"to":"a@acme.example\r\nBcc: eve@evil.example"}"#,
        ],
    },
    Wish {
        wish: "a month",
        args: "date = { min = '2026-11-01', max = '2026-11-30' }",
        inside: &[r#"{"date":"2026-11-30"}"#],
        wide: &[r#"{"date":"2026-11-evil"}"#, r#"{"date":"2026-12-01"}"#],
    },
    Wish {
        wish: "a point in time as JavaScript prints it",
        args: "at = { after = '2026-11-01T00:00:00Z', before = '2026-12-01T00:00:00Z' }",
        inside: &[r#"{"at":"2026-11-05T08:00:00.123Z"}"#],
        wide: &[r#"{"at":"2026-12-01T00:00:00.000Z"}"#],
    },
    Wish {
        wish: "a path below a folder",
        args: "path = { path = { under = '/srv/x' } }",
        inside: &[r#"{"path":"/srv/x/a.txt"}"#],
        wide: &[r#"{"path":"/srv/x/../../etc/passwd"}"#],
    },
    Wish {
        wish: "a URL of our API",
        args: "url = { url = { host_in = ['api.acme.example'] } }",
        inside: &[r#"{"url":"https://api.acme.example/v1"}"#],
        wide: &[
            r#"{"url":"https://api.acme.example.evil.test/"}"#,
            r#"{"url":"https://api.acme.example@evil.test/"}"#,
        ],
    },
    Wish {
        wish: "cost centre 4711 to 4799",
        args: "centre = { matches = '47(1[1-9]|[2-9][0-9])' }",
        inside: &[r#"{"centre":"4711"}"#, r#"{"centre":"4799"}"#],
        wide: &[r#"{"centre":"47'; drop table x"}"#, r#"{"centre":"4710"}"#],
    },
    Wish {
        wish: "an address with a city, and nothing else",
        args: "'address.city' = { present = true }",
        inside: &[r#"{"address":{"city":"Berlin"}}"#],
        wide: &[r#"{"address":{"city":"Berlin","iban":"DE00"}}"#],
    },
    Wish {
        wish: "vendor from a list, as it is spelt",
        args: "vendor = { one_of = ['acme', 'globex'], ignore_case = true }",
        inside: &[r#"{"vendor":"Acme"}"#],
        wide: &[r#"{"vendor":"acme2"}"#, r#"{"vendor":["acme","globex"]}"#],
    },
];

#[test]
fn each_wish_is_a_grant_that_refuses_its_wide_call() {
    println!("| wish | grant | refused |\n|---|---|---|");
    for Wish {
        wish,
        args,
        inside,
        wide,
    } in WISHES
    {
        let grants = table(args);
        for text in *inside {
            assert!(
                allow(&grants, &call(text), monday()),
                "{wish}: {text} is refused"
            );
        }
        for text in *wide {
            assert!(
                !allow(&grants, &call(text), monday()),
                "{wish}: {text} is allowed"
            );
        }
        println!(
            "| {wish} | `{}` | `{}` |",
            args.replace('\n', ", "),
            wide.join("`, `")
        );
    }
}
