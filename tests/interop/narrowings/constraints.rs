//! Constraints of one argument, and values on both sides of each.

/// For the argument `x`: a name, the constraint in TOML, values that are allowed, and values that are not.
pub(super) const CONSTRAINTS: [(&str, &str, &[&str], &[&str]); 21] = [
    (
        "any",
        r#""*""#,
        &["1", r#""a""#, "null", r#"{"y":[]}"#],
        &[],
    ),
    (
        "string",
        r#""EUR""#,
        &[r#""EUR""#],
        &[r#""eur""#, r#""EUR ""#, "1", "null"],
    ),
    (
        "string-in-quotes",
        r#"{ exact = 'quo"te\' }"#,
        &[r#""quo\"te\\""#],
        &[r#""quo""#],
    ),
    ("boolean", "true", &["true"], &["false", r#""true""#]),
    (
        "number",
        r#"{ exact = 98.5 }"#,
        &["98.5", "9.850e1"],
        &["98", "98.500001", r#""98.5""#],
    ),
    (
        "large-integer",
        r#"{ exact = 9223372036854775807 }"#,
        &["9223372036854775807"],
        &["9223372036854775806"],
    ),
    (
        "null",
        r#"{ exact_json = "null" }"#,
        &["null"],
        &["false", "0", r#""""#],
    ),
    (
        "array",
        r#"{ exact = ["a", 1, true] }"#,
        &[r#"["a",1,true]"#],
        &[r#"["a",true,1]"#, "[]", r#""a""#],
    ),
    (
        "object",
        r#"{ exact = { city = "Berlin", zip = [10115.5] } }"#,
        &[r#"{"zip":[10115.5],"city":"Berlin"}"#],
        &[r#"{"city":"Berlin"}"#],
    ),
    (
        "range",
        r#"{ min = "0.01", max = "4200.5" }"#,
        &["0.01", "4200.5"],
        &["0.009999", "4200.500001", "-1", r#""1""#],
    ),
    (
        "one-of-strings",
        r#"{ one_of = ["acme", "globex"] }"#,
        &[r#""acme""#],
        &[r#""initech""#, "1"],
    ),
    (
        "one-of-numbers",
        r#"{ one_of = [1, 2.5] }"#,
        &["1.0", "2.5"],
        &["2", r#""1""#],
    ),
    (
        "one-of-booleans",
        r#"{ one_of = [true] }"#,
        &["true"],
        &["false", "1"],
    ),
    (
        "not-one-of-strings",
        r#"{ not_one_of = ["initech"] }"#,
        &[r#""acme""#],
        &[r#""initech""#, "1"],
    ),
    (
        "not-one-of-numbers",
        r#"{ not_one_of = [13] }"#,
        &["12"],
        &["13", "13.0", r#""12""#],
    ),
    (
        "dates",
        r#"{ min = "2026-11-01T00:00:00Z", max = "2026-11-30T23:59:59Z" }"#,
        &[
            r#""2026-11-30T23:59:59Z""#,
            r#""2026-11-01T01:00:00+01:00""#,
        ],
        &[r#""2026-12-01T00:00:00Z""#, r#""2026-11-02""#, "1795000000"],
    ),
    (
        "prefix-and-suffix",
        r#"{ prefix = "inv-", suffix = ".pdf" }"#,
        &[r#""inv-7.pdf""#],
        &[r#""inv-7""#, r#""7.pdf""#, "7"],
    ),
    (
        "contains",
        r#"{ contains = "@acme." }"#,
        &[r#""a@acme.example""#],
        &[r#""a@globex.example""#, r#"["@acme."]"#],
    ),
    (
        "all-of-in",
        r#"{ all_of_in = ["urgent", "q4"] }"#,
        &["[]", r#"["q4","q4"]"#],
        &[r#"["q4","other"]"#, r#"["q4",null]"#, r#""q4""#],
    ),
    (
        "length-of-strings",
        r#"{ max_len = 3 }"#,
        &[r#""abc""#, "[1,2,3]"],
        &[r#""abcd""#, r#""äb€""#, "[1,2,3,4]", "7"],
    ),
    (
        "string-of-a-length",
        r#"{ prefix = "a", max_len = 3 }"#,
        &[r#""abc""#],
        &[r#""abcd""#, r#"["a"]"#],
    ),
];
