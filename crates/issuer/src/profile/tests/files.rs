//! Tests of files that are refused before there is any caller, and of the places that the messages name.

use super::*;

fn refused(text: &str) -> String {
    match profiles(text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("accepted:\n{text}"),
    }
}

/// Returns the complete profile with one line replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(PROFILE.contains(from), "{from}");
    PROFILE.replacen(from, to, 1)
}

#[test]
fn each_mistake_is_found_with_its_line() {
    let mut others = Vec::new();
    for (from, to, line, path, message) in [
        (
            "name = \"buyer\"",
            "name = \"buy er\"",
            3,
            "name",
            "the name is not valid; write 1 to 64 letters",
        ),
        (
            "name = \"buyer\"",
            "nam = \"buyer\"",
            3,
            "nam",
            "unknown key",
        ),
        (
            "description = \"",
            "description = \"\\u0007",
            4,
            "description",
            "not a valid text; write 1 to 1024 bytes",
        ),
        (
            "source = \"client\"",
            "",
            6,
            "match.agent.source",
            "is missing; write `client`",
        ),
        (
            "source = \"client\"",
            "source = \"client\"\nclaim = 1",
            8,
            "match.agent.claim",
            "unknown key",
        ),
        (
            "source = \"corp\"",
            "source = \"client\"",
            12,
            "match.principal.source",
            "a subject token cannot come from",
        ),
        (
            "claims.department = \"procurement\"",
            "claims.department = []",
            8,
            "match.agent.claims.department",
            "this is an array and not a string, a number or a boolean",
        ),
        (
            "claims.department = \"procurement\"",
            "claims.department = \"${sub}\"",
            8,
            "match.agent.claims.department",
            "a parameter cannot be used in a condition",
        ),
        (
            "{ prefix = \"team:\" }",
            "{ prefix = \"\" }",
            9,
            "match.agent.claims.owner.name.prefix",
            "the string is empty",
        ),
        (
            "{ prefix = \"team:\" }",
            "{ one_of = [] }",
            9,
            "match.agent.claims.owner.name.one_of",
            "not a list of one or more",
        ),
        (
            "{ prefix = \"team:\" }",
            "{ prefix = \"a\", b = 1 }",
            9,
            "match.agent.claims.owner.name",
            "the table mixes conditions (exact, one_of, contains, prefix) and members",
        ),
        (
            "{ prefix = \"team:\" }",
            "{}",
            9,
            "match.agent.claims.owner.name",
            "the condition is empty",
        ),
        (
            "[profile.match.agent]",
            "[profile.match.agents]",
            6,
            "match.agents",
            "unknown key; write one of agent, principal",
        ),
        (
            "\"agent.client\"",
            "\"client\"",
            16,
            "params.client.claim",
            "the claim belongs neither to the `agent`",
        ),
        (
            "\"agent.client\"",
            "\"agent..client\"",
            16,
            "params.client.claim",
            "the name of the claim",
        ),
        (
            "\"agent.client\"",
            "\"agent\"",
            16,
            "params.client.claim",
            "the claim does not have 1 to 8 names",
        ),
        (
            "\"agent.client\"",
            "\"agent.a.b.c.d.e.f.g.h.i\"",
            16,
            "params.client.claim",
            "the claim does not have 1 to 8 names",
        ),
        (
            "type = \"segment\"",
            "type = \"text\"",
            18,
            "params.region.type",
            "unknown type; write one of string, segment",
        ),
        (
            "client = { claim",
            "Client = { claim",
            16,
            "params.Client",
            "the name of the parameter",
        ),
        (
            "sub = { claim",
            "spare = { claim = \"agent.x\", type = \"string\" }\nsub = { claim",
            17,
            "params.spare",
            "the parameter is not used",
        ),
        (
            "agent:${client}",
            "agent:${clinet}",
            24,
            "token.agent",
            "`${clinet}` is not a parameter of the profile",
        ),
        (
            "agent:${client}",
            "agent:${client",
            24,
            "token.agent",
            "`${` begins a parameter",
        ),
        (
            "agent:${client}",
            "agent:${client}${sub}",
            24,
            "token.agent",
            "`${client}` runs into the next parameter",
        ),
        (
            "user:${region}/",
            "user:${region}:",
            25,
            "token.principal",
            "`${region}` runs into the next parameter",
        ),
        (
            "tenant = \"acme\"",
            "tenant = \"${vendors}\"",
            26,
            "token.tenant",
            "`${vendors}` is a list",
        ),
        (
            "tenant = \"acme\"",
            "tenant = \"\"",
            26,
            "token.tenant",
            "not a valid text; write 1 to 512 bytes",
        ),
        (
            "tenant = \"acme\"",
            "holder = \"optional\"",
            26,
            "token.holder",
            "this version cannot bind tokens",
        ),
        (
            "cost_center = ",
            "\"${region}\" = ",
            27,
            "token.claims.${region}",
            "a parameter cannot be used in the name",
        ),
        (
            "default = \"15m\"",
            "default = \"2h\"",
            28,
            "token.ttl.default",
            "`default` is not between",
        ),
        (
            "max = \"1h\"",
            "max = \"1 h\"",
            28,
            "token.ttl.max",
            "not a duration; write one such as",
        ),
        (", max = \"1h\"", "", 28, "token.ttl.max", "is missing"),
        (
            "max_depth = 3",
            "max_depth = 16",
            29,
            "token.max_depth",
            "not a whole number from 0 to 15",
        ),
        (
            "burst = 10",
            "burst = 0",
            30,
            "token.rate.burst",
            "not a whole number from 1 to",
        ),
        (
            "service = \"erp\"",
            "service = \"${region}\"",
            33,
            "grant[0].service",
            "a parameter cannot be used here",
        ),
        (
            "purchase_order:*",
            "${region}:*",
            34,
            "grant[0].action",
            "a parameter cannot be used here",
        ),
        (
            "${region}/orders/*",
            "${region}*",
            35,
            "grant[0].resource",
            "the parameter is not a whole segment",
        ),
        (
            "${region}/orders/*",
            "eu-${region}/*",
            35,
            "grant[0].resource",
            "the parameter is not a whole segment",
        ),
        (
            "${region}/orders/*",
            "${sub}/*",
            35,
            "grant[0].resource",
            "`${sub}` is not a segment",
        ),
        (
            "${region}/orders/*",
            "${region}/../*",
            35,
            "grant[0].resource",
            "is not well formed, whatever",
        ),
        (
            "${region}/orders/*",
            "${region}/*/x",
            35,
            "grant[0].resource",
            "is not well formed, whatever",
        ),
        (
            "${limit}\"",
            "${sub}\"",
            37,
            "grant[0].args.amount.max",
            "`${sub}` is not a bound",
        ),
        (
            "${limit}\"",
            "1${limit}\"",
            37,
            "grant[0].args.amount.max",
            "the bound is not a single parameter",
        ),
        (
            "${limit}\"",
            "${until}\"",
            37,
            "grant[0].args.amount.max",
            "`min` and `max` have different types",
        ),
        (
            "one_of = \"${vendors}\"",
            "one_of = \"${sub}\"",
            38,
            "grant[0].args.vendor.one_of",
            "`${sub}` is not a list",
        ),
        (
            "one_of = \"${vendors}\"",
            "not_one_of = \"${vendors}\"",
            38,
            "grant[0].args.vendor.not_one_of",
            "a parameter cannot be used here",
        ),
        (
            "one_of = \"${vendors}\"",
            "one_of = [1, \"${sub}\"]",
            38,
            "grant[0].args.vendor.one_of",
            "is not well formed, whatever",
        ),
        (
            "by = \"${sub}\"",
            "by = \"${vendors}\"",
            39,
            "grant[0].args.by",
            "`${vendors}` is a list",
        ),
        (
            "by = \"${sub}\"",
            "by = \"${until}\"",
            39,
            "grant[0].args.by",
            "`${until}` is a date-time",
        ),
        (
            "by = \"${sub}\"",
            "by = [\"${sub}\"]",
            39,
            "grant[0].args.by[0]",
            "a parameter cannot be used here",
        ),
        (
            "by = \"${sub}\"",
            "\"${sub}\" = 1",
            39,
            "grant[0].args.${sub}",
            "a parameter cannot be used here",
        ),
        (
            "by = \"${sub}\"",
            "by = { exact_json = \"${sub}\" }",
            39,
            "grant[0].args.by.exact_json",
            "a parameter cannot be used here",
        ),
        (
            "by = \"${sub}\"",
            "by = { max_len = \"${sub}\" }",
            39,
            "grant[0].args.by.max_len",
            "a parameter cannot be used here",
        ),
        (
            "by = \"${sub}\"",
            "by = { suffix = \"${sub}\" }",
            39,
            "grant[0].args.by.suffix",
            "a parameter cannot be used here",
        ),
        (
            "/home/${region}/",
            "/home/${region}",
            41,
            "grant[0].args.path.prefix",
            "the parameter in this prefix",
        ),
        (
            "/home/${region}/",
            "/home/${sub}/",
            41,
            "grant[0].args.path.prefix",
            "the parameter in this prefix",
        ),
        (
            "[\"eu\", \"${region}\"]",
            "[\"eu\", \"${limit}\"]",
            42,
            "grant[0].args.tags.all_of_in",
            "`${limit}` is a decimal",
        ),
        (
            "note = \"*\"",
            "note = {}",
            43,
            "grant[0].args.note",
            "the constraint is empty",
        ),
        (
            "note = \"*\"",
            "note = { max = inf }",
            43,
            "grant[0].args.note.max",
            "not a decimal number",
        ),
    ] {
        let text = refused(&changed(from, to));
        let expected = format!("`profiles.toml`: line {line}, `profile[0].{path}`: {message}");
        if !text.starts_with(&expected) {
            others.push(format!("{text}\nexpected {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn a_file_is_well_formed_as_a_whole() {
    for (text, message) in [
        (
            "",
            "`profiles.toml`: `profile`: the file has no profile; write `[[profile]]`",
        ),
        (
            "profile = []",
            "`profiles.toml`: line 1, `profile`: the file has no profile; write `[[profile]]`",
        ),
        (
            "profile = 1",
            "`profiles.toml`: line 1, `profile`: the file has no profile; write `[[profile]]`",
        ),
        (
            "[[profiles]]",
            "`profiles.toml`: line 1, `profiles`: unknown key",
        ),
        (
            "[[profile]]\nx = ",
            "`profiles.toml`: line 2, `profile`: not valid TOML",
        ),
        (
            "profile = [1]",
            "`profiles.toml`: line 1, `profile[0]`: this is a number and not a table",
        ),
    ] {
        let text = refused(text);
        assert!(text.starts_with(message), "{text}");
    }
    let without_grants = minimal("")
        .split("[[profile.grant]]")
        .next()
        .unwrap()
        .to_owned();
    assert!(refused(&without_grants).contains("`profile[0].grant`: the list of grants is empty"));
    let no_principal = minimal("").replace(
        "[profile.token]",
        "params.x = { claim = \"principal.x\", type = \"string\" }\n[profile.token]",
    );
    assert!(
        refused(&no_principal)
            .contains("`profile[0].params.x.claim`: the profile does not match a principal")
    );
    let long = format!("#{}", "x".repeat(MAX_FILE));
    assert!(refused(&long).contains("longer than 1048576 bytes"));
}

#[test]
fn names_differ_across_files() {
    let parse = |files: &[(&str, String)]| Profiles::parse(files, &ProfileLimits::default());
    let other = minimal("").replace("\"a\"\nmatch", "\"b\"\nmatch");
    let both = parse(&[("1.toml", minimal("")), ("2.toml", other)]).unwrap();
    let names: Vec<&str> = both.iter().map(Profile::name).collect();
    assert_eq!((names, both.len()), (vec!["a", "b"], 2));
    let error = parse(&[("1.toml", minimal("")), ("2.toml", minimal(""))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`2.toml`: line 2, `profile[0].name`: the name `a` belongs to another profile already, in `1.toml`; choose another name"
    );
    assert!(parse(&[]).unwrap().is_empty());
    let many: String = (0..=MAX_PROFILES)
        .map(|index| minimal("").replace("\"a\"\nmatch", &format!("\"n{index}\"\nmatch")))
        .collect();
    assert!(
        refused(&many)
            .contains("`profile[1000].name`: there are more than 1000 profiles; remove some")
    );
}

#[test]
fn known_limits_of_the_issuer_are_checked() {
    let parse = |ttl, providers: &[&str]| {
        let limits = ProfileLimits {
            max_token_ttl: Some(ttl),
            providers: Some(providers.iter().map(|&name| name.to_owned()).collect()),
        };
        Profiles::parse(&[("profiles.toml", PROFILE)], &limits).map_err(|error| error.to_string())
    };
    assert!(parse(3_600, &["corp"]).is_ok());
    assert_eq!(
        parse(1_800, &["corp"]).unwrap_err(),
        "`profiles.toml`: line 28, `profile[0].token.ttl.max`: the tokens of this issuer live at most 30m; choose a value in that range"
    );
    assert_eq!(
        parse(3_600, &["github", "okta"]).unwrap_err(),
        "`profiles.toml`: line 12, `profile[0].match.principal.source`: `corp` is not a configured identity provider; name one of github, okta"
    );
}

#[test]
fn names_of_dots_are_refused() {
    for name in [".", "..", "..."] {
        let text = PROFILE.replace("name = \"buyer\"", &format!("name = \"{name}\""));
        let error = profiles(&text).unwrap_err();
        assert!(error.message.contains("not only dots"), "{error}");
    }
}

#[test]
fn mistakes_of_several_profiles_are_reported_at_once() {
    let other = PROFILE.replacen("name = \"buyer\"", "name = \"other\"", 1);
    let wrong = PROFILE.replacen("name = \"buyer\"", "name = \"bad name\"", 1);
    let both = format!(
        "{wrong}{other}{}",
        PROFILE.replacen("[profile.token]", "[profile.tokens]", 1)
    );
    let files = [
        ("one.toml", both.as_str()),
        ("two.toml", "profile = 1"),
        ("three.toml", PROFILE),
    ];
    let (profiles, errors) = Profiles::parse_all(&files, &ProfileLimits::default());
    let names: Vec<&str> = profiles.iter().map(Profile::name).collect();
    assert_eq!(names, ["buyer", "other"]);
    let told: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| (error.file.as_str(), error.path.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("one.toml", "profile[0].name"),
            ("one.toml", "profile[2].tokens"),
            ("two.toml", "profile"),
        ]
    );
    assert!(
        errors.iter().take(2).all(|error| error.line.is_some()),
        "{errors:?}"
    );
    let first = Profiles::parse(&files, &ProfileLimits::default()).unwrap_err();
    assert_eq!(Some(&first), errors.first());
}
