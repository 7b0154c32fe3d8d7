//! All mistakes of a text at once, each at its line and path.

use crate::grant::{Grants, GrantsError};

#[track_caller]
fn mistakes(text: &str) -> Vec<GrantsError> {
    let mistakes = Grants::parse_toml(text).unwrap_err();
    assert_eq!(Grants::from_toml(text).as_ref().err(), mistakes.first());
    mistakes
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = r#"
[[grant]]
service = "erp"
action  = "a*b"
resource = "eu//*"
when = { days = ["mon-fry"], from = "8:00", zone = "Europe/Atlantis" }
[grant.args]
amount  = { min = 5, max = "x", scale = 9, sclae = 1 }
when    = { min = 2026-12-01 }
mail    = { email = { domain_in = ["ACME.example"], tag = "maybe" } }
link    = { url = { host = ["acme.example"], port = 0, scheme = "ftp" } }
file    = { path = { under = "/" } }
ip      = { ip = { in = ["10.0.0.1/8"] } }
"lines.0.price" = 5
"a*" = 5

[[grant]]
action = "read"
[grant.args]
range = { min = 5, max = 3 }
none  = {}
case  = { ignore_case = true }
mixed = { min = 5, max = "2026-12-01" }
[extra]
"#;
    let found = mistakes(text);
    let places: Vec<(Option<usize>, &str)> = found
        .iter()
        .map(|mistake| (mistake.line, mistake.path.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (Some(4), "grant[0].action"),
            (Some(5), "grant[0].resource"),
            (Some(6), "grant[0].when.days"),
            (Some(6), "grant[0].when.from"),
            (Some(8), "grant[0].args.amount.max"),
            (Some(8), "grant[0].args.amount.sclae"),
            (Some(9), "grant[0].args.when.min"),
            (Some(10), "grant[0].args.mail.email.tag"),
            (Some(11), "grant[0].args.link.url.host"),
            (Some(11), "grant[0].args.link.url.scheme"),
            (Some(11), "grant[0].args.link.url.port"),
            (Some(12), "grant[0].args.file.path.under"),
            (Some(13), "grant[0].args.ip.ip.in"),
            (Some(14), "grant[0].args.lines.0.price"),
            (Some(15), "grant[0].args.a*"),
            (Some(17), "grant[1].service"),
            (Some(20), "grant[1].args.range.max"),
            (Some(21), "grant[1].args.none"),
            (Some(22), "grant[1].args.case.ignore_case"),
            (Some(23), "grant[1].args.mixed"),
            (Some(24), "extra"),
        ],
        "{}",
        found
            .iter()
            .map(|mistake| format!("{mistake}\n"))
            .collect::<String>()
    );
}

#[test]
fn each_mistake_says_what_to_do() {
    for (args, path, says) in [
        ("'lines.0.price' = 5", "lines.0.price", "lines.*.price"),
        ("'*' = 5", "*", "star stands for"),
        ("'a.*.b.*.c.*' = 5", "a.*.b.*.c.*", "more than 2 stars"),
        ("'a.*' = '*'", "a.*", "for the elements adds nothing"),
        (
            "'tags.*' = { optional = true, max_len = 2 }",
            "tags.*.optional",
            "`optional` at the array",
        ),
        (
            "'a.b' = 1\na = { members = ['c'] }",
            "a.b",
            "not among the `members` of `a`",
        ),
        (
            "'a.b' = 1\n'a.*' = 1",
            "a.*",
            "an object with members and an array",
        ),
        (
            "a = { equals_arg = 'b' }",
            "a.equals_arg",
            "do not list `b`",
        ),
        (
            "a = { equals_arg = 'a' }",
            "a.equals_arg",
            "compared with itself",
        ),
        (
            "a = { differs_from_arg = 'b.*' }\nb = '*'",
            "a.differs_from_arg",
            "write a path without stars",
        ),
        (
            "a = { equals_sum = 'b' }\nb = '*'",
            "a.equals_sum",
            "such as `lines.*.amount`",
        ),
        (
            "a = { equals_sum = 'l.*.n' }\n'l.*.m' = 1",
            "a.equals_sum",
            "do not list `l.*.n`",
        ),
        (
            "a = { sum = { max = 5 } }",
            "a.sum",
            "a single value has no sum",
        ),
        (
            "'l.*.n' = { sum = {} }",
            "l.*.n.sum",
            "`min` and `max` are both missing",
        ),
        (
            "a = { count = { min = 3, max = 2 } }",
            "a.count",
            "the range is empty",
        ),
        (
            "a = { positive = true, max = 0 }",
            "a",
            "contradict each other",
        ),
        ("a = { as = 'number' }", "a.as", "write \"decimal\""),
        ("a = { present = false }", "a.present", "write `true`"),
        ("a = { optional = false }", "a.optional", "leave it out"),
        (
            "a = { matches = '(' }",
            "a.matches",
            "not a regular expression",
        ),
        ("a = { matches = '^x$' }", "a.matches", "an anchor"),
        ("a = { links = 'some' }", "a.links", "write \"none\""),
        (
            "a = { links = {} }",
            "a.links",
            "`host_in` and `host_under` are both missing",
        ),
        (
            "a = { email = {} }",
            "a.email",
            "`domain_in` and `domain_under` are both missing",
        ),
        (
            "a = { email = { domain_under = ['10.0.0.1'] } }",
            "a.email",
            "`10.0.0.1` is not a name",
        ),
        (
            "a = { url = { host_in = ['acme.example.'] } }",
            "a.url",
            "no final dot",
        ),
        (
            "a = { url = { host_in = ['a.example'], path_under = '/a/../b' } }",
            "a.url",
            "`path_under` is not a path",
        ),
        ("a = { path = {} }", "a.path.under", "is missing"),
        ("a = { ip = { in = [] } }", "a.ip.in", "the list is empty"),
        ("a = { members = ['a.b'] }", "a.members", "contains a dot"),
        ("a = { after = '2026-12-01' }", "a.after", "not a date-time"),
        (
            "a = { after = '2026-12-01T00:00:00Z', before = '2026-12-01T00:00:00Z' }",
            "a.before",
            "the range is empty",
        ),
        (
            "a = { exact = 12345678901234567, optional = true }",
            "a.exact",
            "more than 15 digits",
        ),
        (
            "a = { one_of = [1], ignore_case = true }",
            "a.ignore_case",
            "only strings have a case",
        ),
    ] {
        let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{args}\n");
        let found = mistakes(&text);
        let [mistake] = found.as_slice() else {
            panic!("{args}: {found:?}");
        };
        assert_eq!(mistake.path, format!("grant[0].args.{path}"), "{args}");
        assert!(mistake.message.contains(says), "{args}: {mistake}");
        assert!(mistake.line.is_some());
    }
    for (when, says) in [
        ("{ zone = 'Europe/Berlin' }", "always open"),
        ("{ days = [], zone = 'UTC' }", "list of days is empty"),
        (
            "{ from = '18:00', to = '06:00', zone = 'UTC' }",
            "a night as two grants",
        ),
        ("{ from = '08:00', zone = 'europe/berlin' }", "exactly"),
        ("{ from = '08:00' }", "is missing"),
        ("{ to = '24:01', zone = 'UTC' }", "time of the day"),
        ("{ days = ['fri-mon'], zone = 'UTC' }", "not a day"),
    ] {
        let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\nwhen = {when}\n");
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{when}");
        assert!(found[0].message.contains(says), "{when}: {}", found[0]);
        assert_eq!(found[0].line, Some(4));
    }
}

#[test]
fn faults_of_toml_are_listed_too() {
    let found = mistakes("a = = 1\n[[grant]\nservice = 'erp'\n");
    assert!(
        found
            .iter()
            .all(|mistake| mistake.message.starts_with("not valid TOML"))
    );
    assert_eq!(found[0].line, Some(1));
    let lists = "[[grant]]\nservice = 'erp'\naction = 'order'\nargs.a = { one_of = [\n1,\ninf] }\nargs.b = nan\n";
    let lines: Vec<Option<usize>> = mistakes(lists).iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [Some(6), Some(7)]);
}

#[test]
fn the_list_of_mistakes_is_bounded() {
    let args: String = (0..5_000)
        .map(|number| format!("a{number} = {{}}\n"))
        .collect();
    let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{args}");
    assert_eq!(mistakes(&text).len(), 100);
    let json = Grants::parse_json(
        r#"{"grant":[{"action":"x","args":{"a":null,"b":{"max":[]}},"service":1}]}"#,
    );
    assert_eq!(json.unwrap_err().len(), 2);
    let many = "[[grant]]\nservice = 'erp'\naction = 'order'\n".repeat(65);
    assert_eq!(mistakes(&many).len(), 1);
}
