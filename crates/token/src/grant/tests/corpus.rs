//! Constraints of every kind, and values at the edges of them.

use super::meaning::Call;
use crate::{grant::Grants, value::Value};

/// Tables of one argument `a`, as text.
pub(super) const CONSTRAINTS: &[&str] = &[
    "'*'",
    "5",
    "'x'",
    "['x', 'y']",
    "true",
    "{ exact = { city = 'x' } }",
    "{ exact = 'x', optional = true }",
    "{ exact = 12.5, optional = true }",
    "{ one_of = ['x', 'y', ''] }",
    "{ one_of = ['x', 'y'], optional = true }",
    "{ one_of = ['X', 'y'], ignore_case = true }",
    "{ one_of = ['x'], ignore_case = true, optional = true }",
    "{ one_of = [1, 5, 12.5] }",
    "{ one_of = [1, 5], optional = true }",
    "{ one_of = [1234567890.123456] }",
    "{ one_of = [true] }",
    "{ not_one_of = ['x'] }",
    "{ not_one_of = ['x'], optional = true }",
    "{ not_one_of = [5] }",
    "{ not_one_of = [5], optional = true }",
    "{ min = 1, max = 10 }",
    "{ max = 10 }",
    "{ max = '9000000000000' }",
    "{ min = -1, max = 10, scale = 2 }",
    "{ max = 10, scale = 1, optional = true }",
    "{ max = 10, optional = true }",
    "{ positive = true }",
    "{ positive = true, max = 10, scale = 0 }",
    "{ scale = 2 }",
    "{ as = 'decimal' }",
    "{ as = 'decimal', min = 0, max = 10, scale = 2 }",
    "{ as = 'decimal', positive = true, scale = 1, optional = true }",
    "{ min = '2026-01-01', max = '2026-12-31' }",
    "{ min = '2026-11-01' }",
    "{ max = '2026-11-30', optional = true }",
    "{ min = '2026-01-01T00:00:00Z' }",
    "{ min = '2026-01-01T00:00:00Z', max = '2026-12-31T00:00:00Z', optional = true }",
    "{ after = '2026-11-01T00:00:00Z', before = '2026-12-01T00:00:00Z' }",
    "{ after = '2026-01-01T00:00:00Z' }",
    "{ before = '2026-11-30T00:00:00+01:00', optional = true }",
    "{ prefix = 'x' }",
    "{ prefix = 'xy', optional = true }",
    "{ suffix = 'y' }",
    "{ suffix = 'xy', optional = true }",
    "{ contains = 'y' }",
    "{ contains = 'xy', optional = true }",
    "{ all_of_in = ['x', 'y'] }",
    "{ all_of_in = ['x'], optional = true }",
    "{ all_of_in = ['z', 1] }",
    "{ max_len = 2 }",
    "{ max_len = 30 }",
    "{ max_len = 3, optional = true }",
    "{ matches = '[a-z]{1,3}' }",
    "{ matches = 'x|y' }",
    "{ one_line = true }",
    "{ one_line = true, max_len = 3 }",
    "{ one_line = true, max_len = 2, optional = true }",
    "{ links = 'none' }",
    "{ links = { host_in = ['acme.example'] } }",
    "{ links = { host_in = ['acme.example', 'b.acme.example'], query = 'any' } }",
    "{ links = { host_under = ['acme.example'] }, max_len = 40 }",
    "{ email = { domain_in = ['acme.example'] } }",
    "{ email = { domain_in = ['acme.example'], domain_under = ['acme.example'], tag = 'none' } }",
    "{ email = { domain_under = ['acme.example', 'xn--bcher-kva.example'] } }",
    "{ email = { domain_under = ['acme.example'] } }",
    "{ email = { domain_under = ['eu.acme.example'] }, optional = true }",
    "{ url = { host_in = ['acme.example'] } }",
    "{ url = { host_in = ['acme.example', 'b.acme.example'], path_under = '/v1', query = 'any', port = 8443 } }",
    "{ url = { host_under = ['acme.example'], scheme = ['http', 'https'], path_under = '/v1/x' } }",
    "{ url = { host_in = ['10.0.0.1', '[fd00::1]'], scheme = 'ws' } }",
    "{ path = { under = '/srv' } }",
    "{ path = { under = '/srv/a', chars = 'any' } }",
    "{ path = { under = '/srv/a' }, optional = true }",
    "{ ip = { in = ['10.0.0.0/8', 'fd00::/8'] } }",
    "{ ip = { in = ['10.1.0.0/16'] } }",
    "{ ip = { in = ['0.0.0.0/0', '::/0'] } }",
    "{ ip = { in = ['64:ff9b::/96'] }, optional = true }",
    "{ count = { min = 1, max = 2 } }",
    "{ count = { max = 3 }, optional = true }",
    "{ count = { min = 1 }, all_of_in = ['x', 'y'] }",
    "{ members = ['city'] }",
    "{ members = ['city', 'zip'] }",
    "{ members = ['zip'], optional = true }",
    "{ present = true }",
    "{ present = 'any' }",
    "{ present = true, optional = true }",
    "{ equals_arg = 'b' }",
    "{ equals_arg = 'b', optional = true }",
    "{ differs_from_arg = 'b' }",
    "{ differs_from_arg = 'b', max_len = 2 }",
    "{ equals_sum = 'l.*.n' }",
    "{ equals_sum = { of = 'l.*.n', negative = true } }",
];

/// Values of the argument `a`, as JSON.
pub(super) const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "5",
    "-1",
    "10",
    "10.01",
    "12.5",
    "0.1",
    "0.01",
    "0.001",
    "1234567890.123456",
    "8999999999999.123456",
    "9007199254740993",
    "1e15",
    "1e16",
    "0.1234567",
    r#""""#,
    r#""x""#,
    r#""X""#,
    r#""y""#,
    r#""xy""#,
    r#""xyz""#,
    r#""axy""#,
    r#""x\ny""#,
    r#""x\u200b""#,
    r#""0""#,
    r#""-1""#,
    r#""5""#,
    r#""5.0""#,
    r#""5.00""#,
    r#""10.01""#,
    r#""2026-01-01""#,
    r#""2026-11-30""#,
    r#""2026-11-31""#,
    r#""2027-01-01""#,
    r#""2026-01-01T00:00:00Z""#,
    r#""2026-11-29T23:30:00Z""#,
    r#""2026-11-30T08:00:00Z""#,
    r#""2026-11-30T08:00:00.5Z""#,
    r#""2026-12-01T00:00:00Z""#,
    r#""a@acme.example""#,
    r#""a+b@acme.example""#,
    r#""a@eu.acme.example""#,
    r#""a@x.eu.acme.example""#,
    r#""a@xn--a.acme.example""#,
    r#""a@x.xn--bcher-kva.example""#,
    r#""a@xn--bcher-kva.example""#,
    r#""a@example""#,
    r#""https://acme.example/""#,
    r#""https://acme.example/v1""#,
    r#""https://acme.example/v1?q""#,
    r#""https://acme.example:8443/v1/x""#,
    r#""https://b.acme.example/v1/x""#,
    r#""http://b.acme.example/v1/x/y""#,
    r#""https://evil.test/v1""#,
    r#""ws://10.0.0.1/""#,
    r#""ws://[fd00::1]/""#,
    r#""see https://b.acme.example/x""#,
    r#""/srv""#,
    r#""/srv/a""#,
    r#""/srv/a/b""#,
    r#""/srv/a/-b""#,
    r#""/srv/a/../b""#,
    r#""10.1.2.3""#,
    r#""10.2.0.0""#,
    r#""fd00::1""#,
    r#""64:ff9b::a00:1""#,
    r#""::ffff:10.1.2.3""#,
    r#""::1""#,
    "[]",
    r#"["x"]"#,
    r#"["x","y"]"#,
    r#"["z",1]"#,
    r#"["x","x","x"]"#,
    "[[1]]",
    "{}",
    r#"{"city":"x"}"#,
    r#"{"zip":1}"#,
    r#"{"city":"x","zip":1}"#,
    r#"{"city":"x","iban":1}"#,
];

/// Other arguments that accompany each value.
pub(super) const OTHERS: &[&str] = &[
    r#"{"b":"x","l":[{"n":5}]}"#,
    r#"{"b":5,"l":[{"n":10.5},{"n":-0.49}]}"#,
    r#"{"b":null,"l":[]}"#,
];

/// A grant on one argument, with the arguments that its conditions name.
#[track_caller]
pub(super) fn grants(constraint: &str) -> Grants {
    table(&format!("a = {constraint}\nb = '*'\n'l.*.n' = '*'"))
}

/// A grant on a table of arguments.
#[track_caller]
pub(super) fn table(args: &str) -> Grants {
    let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{args}\n");
    Grants::parse_toml(&text).unwrap_or_else(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{text}{}", mistakes.join("\n"))
    })
}

/// Calls with each value, and without one.
pub(super) fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for others in OTHERS {
        let others = super::meaning::call(others);
        calls.push(others.clone());
        for value in VALUES {
            let mut call = others.clone();
            call.insert("a".to_owned(), Value::parse(value).unwrap());
            calls.push(call);
        }
    }
    calls
}
