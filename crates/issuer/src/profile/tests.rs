#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod files;
mod widening;

use std::sync::LazyLock;

use bailiwick_token::grant::Grants;
use serde_json::{Value, json};

use super::*;
use crate::MintRequest;

const PROFILE: &str = r#"
[[profile]]
name = "buyer"
description = "Purchasing agents of the EU team"

[profile.match.agent]
source = "client"
claims.department = "procurement"
claims.owner.name = { prefix = "team:" }

[profile.match.principal]
source = "corp"
claims.groups = "buyers"

[profile.params]
client = { claim = "agent.client", type = "string" }
sub = { claim = "principal.sub", type = "string" }
region = { claim = ["principal", "https://corp.example/region"], type = "segment" }
limit = { claim = "principal.limits.purchase", type = "decimal" }
vendors = { claim = "principal.vendors", type = "strings" }
until = { claim = "principal.until", type = "date" }

[profile.token]
agent = "agent:${client}"
principal = "user:${region}/${sub}"
tenant = "acme"
claims = { cost_center = "cc-${region}" }
ttl = { min = "1m", default = "15m", max = "1h" }
max_depth = 3
rate = { per_minute = 60, burst = 10 }

[[profile.grant]]
service = "erp"
action = "purchase_order:*"
resource = "${region}/orders/*"
[profile.grant.args]
amount = { min = "0.01", max = "${limit}" }
vendor = { one_of = "${vendors}" }
by = "${sub}"
due = { max = "${until}" }
path = { prefix = "/home/${region}/" }
tags = { all_of_in = ["eu", "${region}"] }
note = "*"

[[profile.grant]]
service = "crm"
action = "contact:read"
"#;

fn profiles(text: &str) -> Result<Profiles, ProfileError> {
    Profiles::parse(&[("profiles.toml", text)], &ProfileLimits::default())
}

fn buyer() -> &'static Profile {
    static PROFILES: LazyLock<Profiles> = LazyLock::new(|| profiles(PROFILE).unwrap());
    PROFILES.get("buyer").unwrap()
}

fn party(source: ClaimSource, claims: Value) -> CallerParty {
    let Value::Object(claims) = claims else {
        panic!("claims are an object")
    };
    CallerParty { source, claims }
}

fn corp() -> ClaimSource {
    ClaimSource::Provider("corp".to_owned())
}

fn caller() -> Caller {
    Caller {
        agent: party(
            ClaimSource::Client,
            json!({
                "client": "buyer-7",
                "profiles": ["buyer", "other"],
                "department": "procurement",
                "owner": { "name": "team:eu" },
            }),
        ),
        principal: Some(party(
            corp(),
            json!({
                "sub": "ada*",
                "groups": ["staff", "buyers"],
                "https://corp.example/region": "eu",
                "limits": { "purchase": 98.7 },
                "vendors": ["acme", "*"],
                "until": "2026-12-31T23:59:59+01:00",
            }),
        )),
    }
}

/// Returns the caller with one claim of the principal changed.
fn with(name: &str, value: Value) -> Caller {
    let mut caller = caller();
    let principal = caller.principal.as_mut().unwrap();
    principal.claims.insert(name.to_owned(), value);
    caller
}

fn grants(text: &str) -> Grants {
    Grants::from_toml(text).unwrap()
}

fn ask() -> Ask {
    Ask::default()
}

#[test]
fn a_claim_becomes_one_typed_value_in_its_place() {
    let issued = buyer().mint_request(&caller(), &ask()).unwrap();
    let expected = MintRequest {
        agent: "agent:buyer-7".to_owned(),
        principal: "user:eu/ada*".to_owned(),
        tenant: Some("acme".to_owned()),
        task: None,
        claims: [("cost_center".to_owned(), "cc-eu".to_owned())].into(),
        grants: grants(
            r#"
            [[grant]]
            service = "erp"
            action = "purchase_order:*"
            resource = "eu/orders/*"
            [grant.args]
            amount = { min = "0.01", max = "98.7" }
            vendor = { one_of = ["acme", "*"] }
            by = { exact = "ada*" }
            due = { max = "2026-12-31T22:59:59Z" }
            path = { prefix = "/home/eu/" }
            tags = { all_of_in = ["eu"] }
            note = "*"

            [[grant]]
            service = "crm"
            action = "contact:read"
            "#,
        ),
        ttl: 900,
        max_depth: Some(3),
        profile: Some("buyer".to_owned()),
    };
    assert_eq!(issued, expected);
}

#[test]
fn a_value_keeps_its_type() {
    let text = r#"
        [[profile]]
        name = "a"
        match.agent.source = "client"
        params = { n = { claim = "agent.n", type = "integer" }, d = { claim = "agent.d", type = "decimal" }, s = { claim = "agent.s", type = "string" } }
        token = { agent = "a:${n}", principal = "p", ttl = { default = "1m", max = "1m" } }
        [[profile.grant]]
        service = "erp"
        action = "x"
        resource = "accounts/${n}"
        args = { n = "${n}", m = { min = "${n}" }, d = "${d}", s = "${s}", t = "no. ${n}", l = { one_of = [7, "${n}"] }, star = { exact = "${s}", max_len = 5 }, "a.b" = "${s}" }
    "#;
    let profiles = profiles(text).unwrap();
    let claims = json!({ "profiles": ["a"], "n": 5, "d": "1.50", "s": "*" });
    let caller = Caller {
        agent: party(ClaimSource::Client, claims),
        principal: None,
    };
    let issued = profiles
        .get("a")
        .unwrap()
        .mint_request(&caller, &ask())
        .unwrap();
    let expected = r#"
        [[grant]]
        service = "erp"
        action = "x"
        resource = "accounts/5"
        args = { n = 5, m = { min = 5 }, d = 1.5, s = { exact = "*" }, t = "no. 5", l = { one_of = [5, 7] }, star = { exact = "*", max_len = 5 }, "a.b" = { exact = "*" } }
    "#;
    assert_eq!(issued.grants, grants(expected));
    assert_eq!(issued.agent, "a:5");
}

#[test]
fn parameters_fill_conditions() {
    let text = r#"
        [[profile]]
        name = "a"
        match.agent.source = "client"
        [profile.params]
        most   = { claim = "agent.most", type = "decimal" }
        until  = { claim = "agent.until", type = "date" }
        domain = { claim = "agent.domain", type = "string" }
        hosts  = { claim = "agent.hosts", type = "strings" }
        codes  = { claim = "agent.codes", type = "strings" }
        user   = { claim = "agent.user", type = "segment" }
        [profile.token]
        agent = "a"
        principal = "p"
        ttl = { default = "1m", max = "1m" }
        [[profile.grant]]
        service = "erp"
        action = "x"
        [profile.grant.args]
        amount = { min = 0, max = "${most}", scale = 2 }
        text   = { as = "decimal", max = "${most}", optional = true }
        start  = { before = "${until}" }
        to     = { email = { domain_in = ["acme.example", "${domain}"] } }
        url    = { url = { host_under = "${hosts}" } }
        file   = { path = { under = "/home/${user}/in" } }
        code   = { one_of = "${codes}", ignore_case = true }
        "tags.*"    = { one_of = "${codes}" }
        "lines.*.n" = { sum = { max = "${most}" } }
        "at.city"   = "${user}"
    "#;
    let profiles = profiles(text).unwrap();
    let claims = json!({
        "profiles": ["a"], "most": "99.5", "until": "2026-12-01T00:00:00Z", "domain": "eu.example",
        "hosts": ["acme.example", "b.example"], "codes": ["x", "y"], "user": "ada",
    });
    let mint = |claims: &Value| {
        let caller = Caller {
            agent: party(ClaimSource::Client, claims.clone()),
            principal: None,
        };
        profiles.get("a").unwrap().mint_request(&caller, &ask())
    };
    let expected = r#"
        [[grant]]
        service = "erp"
        action = "x"
        [grant.args]
        amount = { min = 0, max = "99.5", scale = 2 }
        text   = { as = "decimal", max = "99.5", optional = true }
        start  = { before = "2026-12-01T00:00:00Z" }
        to     = { email = { domain_in = ["acme.example", "eu.example"] } }
        url    = { url = { host_under = ["acme.example", "b.example"] } }
        file   = { path = { under = "/home/ada/in" } }
        code   = { one_of = ["x", "y"], ignore_case = true }
        "tags.*"    = { one_of = ["x", "y"] }
        "lines.*.n" = { sum = { max = "99.5" } }
        "at.city"   = "ada"
    "#;
    assert_eq!(mint(&claims).unwrap().grants, grants(expected));
    for (claim, value) in [
        ("domain", json!("EU.example")),
        ("domain", json!("10.0.0.1")),
        ("domain", json!("localhost")),
        ("domain", json!("a.example,b.example")),
        ("hosts", json!(["acme.example", "*"])),
        ("hosts", json!(["acme.example/x"])),
        ("user", json!("..")),
        ("user", json!("a/b")),
        ("most", json!("-1")),
        ("until", json!("tomorrow")),
    ] {
        let mut wrong = claims.clone();
        wrong[claim] = value.clone();
        assert!(mint(&wrong).is_err(), "{claim}: {value}");
    }
}

#[test]
fn parameters_stand_nowhere_else_in_conditions() {
    for condition in [
        r#"{ matches = "${x}" }"#,
        r#"{ email = { domain_in = ["${x}.example"] } }"#,
        r#"{ url = { host_in = ["a.example"], scheme = "${x}" } }"#,
        r#"{ url = { host_in = ["a.example"], path_under = "/${x}" } }"#,
        r#"{ path = { under = "/srv/${x}" } }"#,
        r#"{ path = { under = "/srv/a${x}" } }"#,
        r#"{ ip = { in = ["${x}"] } }"#,
        r#"{ members = ["${x}"] }"#,
        r#"{ equals_arg = "${x}" }"#,
        r#"{ sum = { max = "${x}" } }"#,
        r#"{ after = "${x}" }"#,
        r#"{ scale = "${x}" }"#,
    ] {
        let text = minimal("").replace(
            "[[profile.grant]]\n",
            &format!("[profile.params]\nx = {{ claim = \"agent.x\", type = \"string\" }}\n[[profile.grant]]\nargs.a = {condition}\n"),
        );
        assert!(profiles(&text).is_err(), "{condition}");
    }
    let zone = minimal("") + "when = { from = \"08:00\", zone = \"${x}\" }\n";
    assert!(profiles(&zone).is_err());
}

#[test]
fn who_a_profile_is_for() {
    let profiles = profiles(PROFILE).unwrap();
    let select = |caller: &Caller| profiles.select(Some("buyer"), caller).map(|_| ());
    assert_eq!(select(&caller()), Ok(()));
    let mismatch = |change: &dyn Fn(&mut Caller)| {
        let mut caller = caller();
        change(&mut caller);
        assert_eq!(profiles.matching(&caller).count(), 0);
        let profile = profiles.get("buyer").unwrap();
        assert_eq!(
            profile.mint_request(&caller, &ask()).map(|_| ()),
            select(&caller)
        );
        match select(&caller) {
            Err(ProfileRefusal::NotMatching { why, .. }) => why.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let agent = |name: &'static str, value: Value| {
        mismatch(&|caller| {
            caller.agent.claims.insert(name.to_owned(), value.clone());
        })
    };
    let missing = |claim: &str| format!("the claim `{claim}` is missing or has another value");
    assert_eq!(
        agent("department", json!("sales")),
        missing("agent.department")
    );
    assert_eq!(
        agent("department", json!(["procurement-2"])),
        missing("agent.department")
    );
    assert_eq!(
        agent("department", json!({ "procurement": true })),
        missing("agent.department")
    );
    assert_eq!(
        agent("owner", json!("team:eu")),
        missing("agent.owner.name")
    );
    assert_eq!(
        agent("owner", json!({ "name": ["team:eu"] })),
        missing("agent.owner.name")
    );
    assert_eq!(
        agent("profiles", json!(["buyer2"])),
        "the registration of the client does not name the profile"
    );
    assert_eq!(
        agent("profiles", json!("buyer")),
        "the registration of the client does not name the profile"
    );
    let source = |caller: &mut Caller| caller.agent.source = corp();
    assert_eq!(mismatch(&source), "the agent does not come from `client`");
    let source =
        |caller: &mut Caller| caller.principal.as_mut().unwrap().source = ClaimSource::Client;
    assert_eq!(mismatch(&source), "the principal does not come from `corp`");
    let nobody = |caller: &mut Caller| caller.principal = None;
    assert_eq!(
        mismatch(&nobody),
        "it needs a subject token and none was sent"
    );
}

#[test]
fn a_provider_that_is_called_client_is_no_registration() {
    let profiles = profiles(PROFILE).unwrap();
    let mut caller = caller();
    caller.agent.source = ClaimSource::Provider("client".to_owned());
    assert_eq!(profiles.matching(&caller).count(), 0);
}

#[test]
fn a_profile_without_a_principal_takes_none() {
    let profiles = profiles(&minimal("")).unwrap();
    let mut caller = caller();
    caller
        .agent
        .claims
        .insert("profiles".to_owned(), json!(["a"]));
    let refused = profiles.select(Some("a"), &caller).unwrap_err();
    assert!(matches!(
        refused,
        ProfileRefusal::NotMatching {
            why: Mismatch::Principal,
            ..
        }
    ));
    caller.principal = None;
    assert_eq!(profiles.select(None, &caller).unwrap().name(), "a");
}

/// Returns a profile `a` for registered clients, with additional lines in its `token`.
fn minimal(token: &str) -> String {
    format!(
        "[[profile]]\nname = \"a\"\nmatch.agent.source = \"client\"\n[profile.token]\nagent = \"a\"\nprincipal = \"p\"\nttl = {{ default = \"1m\", max = \"1h\" }}\n{token}\n[[profile.grant]]\nservice = \"erp\"\naction = \"x\"\n"
    )
}

#[test]
fn conditions_by_type_and_value() {
    for (condition, claim, met) in [
        ("5", json!(5), true),
        ("5.0", json!(5), true),
        ("5", json!("5"), false),
        ("true", json!(true), true),
        ("'a'", json!(["b", "a"]), true),
        ("'a'", json!([["a"]]), false),
        ("{ exact = 'a' }", json!(["a"]), false),
        ("{ exact = 'a' }", json!("a"), true),
        ("{ contains = 'a' }", json!(["a"]), true),
        ("{ contains = 'a' }", json!("a"), false),
        ("{ one_of = ['a', 'b'] }", json!("b"), true),
        ("{ one_of = ['a', 'b'] }", json!(["c", "b"]), true),
        ("{ one_of = ['a', 'b'] }", json!("c"), false),
        (
            "{ prefix = 'svc:', one_of = ['svc:a'] }",
            json!("svc:a"),
            true,
        ),
        ("{ prefix = 'svc:', one_of = ['a'] }", json!("a"), false),
        ("{ prefix = 'a' }", json!(null), false),
    ] {
        let text = minimal("").replace(
            "\"client\"\n",
            &format!("\"corp\"\nmatch.agent.claims.c = {condition}\n"),
        );
        let caller = Caller {
            agent: party(corp(), json!({ "c": claim })),
            principal: None,
        };
        let count = profiles(&text).unwrap().matching(&caller).count();
        assert_eq!(count == 1, met, "{condition} {claim}");
    }
}

#[test]
fn a_profile_for_others_and_a_missing_one_get_the_same_answer() {
    let profiles = profiles(PROFILE).unwrap();
    let mut stranger = caller();
    stranger.principal = None;
    let hidden = profiles.select(Some("buyer"), &stranger).unwrap_err();
    let unknown = profiles.select(Some("seller\n"), &stranger).unwrap_err();
    assert_eq!(
        (hidden.code(), hidden.public()),
        (unknown.code(), unknown.public())
    );
    assert_eq!(hidden.code(), ErrorCode::InvalidScope);
    assert_eq!(unknown.log(), "there is no profile `seller\\n`");
    assert!(
        hidden
            .log()
            .starts_with("profile `buyer` does not match this caller")
    );
    let two = Profiles::parse(
        &[
            ("a", minimal("")),
            ("b", minimal("").replace("\"a\"", "\"b\"")),
        ],
        &ProfileLimits::default(),
    );
    let two = two.unwrap();
    let mut caller = caller();
    caller.principal = None;
    for (names, outcome) in [
        (json!([]), Err(ErrorCode::UnauthorizedClient)),
        (json!(["b"]), Ok("b")),
        (json!(["a", "b"]), Err(ErrorCode::InvalidScope)),
    ] {
        caller.agent.claims.insert("profiles".to_owned(), names);
        let selected = two.select(None, &caller);
        let selected = selected
            .map(Profile::name)
            .map_err(|refusal| refusal.code());
        assert_eq!(selected, outcome);
    }
}

#[test]
fn a_claim_that_does_not_fit_is_named_and_not_shown() {
    const SECRET: &str = "s3cr3t/../*";
    const REGION: &str = "https://corp.example/region";
    for (name, value, why) in [
        ("sub", json!(7), "is of another type"),
        ("sub", json!(null), "is null"),
        (
            "sub",
            json!(""),
            "is empty, or begins or ends with white space",
        ),
        (
            "sub",
            json!(" ada"),
            "is empty, or begins or ends with white space",
        ),
        ("sub", json!("a\nb"), "contains a control character"),
        ("sub", json!("a".repeat(1025)), "is longer than 1024 bytes"),
        (REGION, json!(SECRET), "is not one segment"),
        // A service would normalize each of these to another name, or to a path outside the folder.
        (REGION, json!("s3cr3t;1"), "is not one segment"),
        (REGION, json!("..;s3cr3t"), "is not one segment"),
        (REGION, json!("\u{ff53}3cr3t"), "is not one segment"),
        (
            REGION,
            json!("s3cr3t\u{2025}\u{ff0f}eu"),
            "is not one segment",
        ),
        (REGION, json!("s3cr\u{200b}3t"), "is not one segment"),
        (REGION, json!("s3cr\u{a0}3t"), "is not one segment"),
        (REGION, json!("\u{feff}s3cr3t"), "is not one segment"),
        (
            "limits",
            json!({ "purchase": SECRET }),
            "is not a decimal number",
        ),
        ("limits", json!({ "purchase": true }), "is of another type"),
        (
            "limits",
            json!({ "purchase": "0.0000001" }),
            "is not a decimal with at most six decimal places",
        ),
        (
            "limits",
            json!({ "purchase": 1000000000.0000001 }),
            "is a number with more digits",
        ),
        (
            "limits",
            json!({ "purchase": 1e300 }),
            "is not a decimal with at most six decimal places",
        ),
        ("limits", json!({}), "is missing"),
        ("limits", json!("9"), "is missing"),
        ("vendors", json!("acme"), "is of another type"),
        ("vendors", json!([]), "is empty"),
        ("vendors", json!(["a", 5]), "has an element"),
        ("until", json!(SECRET), "is not a date-time"),
        ("until", json!(-5), "is not a date-time"),
    ] {
        let refusal = buyer()
            .mint_request(&with(name, value.clone()), &ask())
            .unwrap_err();
        let ProfileRefusal::Claim { why: found, .. } = &refusal else {
            panic!("{refusal:?}")
        };
        assert!(found.starts_with(why), "{name} {value}: {found}");
        assert_eq!(refusal.code(), ErrorCode::AccessDenied);
        let all = format!("{refusal:?} {} {}", refusal.log(), refusal.public());
        assert!(!all.contains("s3cr3t"), "{all}");
    }
    let refusal = buyer()
        .mint_request(&with("limits", json!({})), &ask())
        .unwrap_err();
    assert_eq!(
        refusal.public(),
        "the parameter `limit` of profile `buyer` needs the claim `principal.limits.purchase` as a decimal, but the claim is missing"
    );
    assert!(!format!("{:?}", caller()).contains("ada"));
}

#[test]
fn grants_made_from_claims_are_checked_like_any_other() {
    let refusal = buyer()
        .mint_request(&with("limits", json!({ "purchase": 0 })), &ask())
        .unwrap_err();
    assert_eq!(
        refusal.log(),
        "`grant[0].args.amount.max` of profile `buyer`, filled with the claims of this caller, is an empty range, or too long"
    );
    let long = with("https://corp.example/region", json!("é".repeat(510)));
    let refusal = buyer().mint_request(&long, &ask()).unwrap_err();
    assert!(
        matches!(refusal, ProfileRefusal::Template { .. }),
        "{refusal:?}"
    );
    assert!(!refusal.public().contains('é'));
}

#[test]
fn a_date_can_be_a_number_of_seconds() {
    let issued = buyer()
        .mint_request(&with("until", json!(0)), &ask())
        .unwrap();
    assert!(issued.grants.to_toml().contains("1970-01-01T00:00:00Z"));
}

#[test]
fn a_request_outside_its_profile_is_refused() {
    let profile = buyer();
    let refuse = |ask: &Ask| {
        let refusal = profile.mint_request(&caller(), ask).unwrap_err();
        (refusal.code(), refusal.public())
    };
    let inside = grants(
        "[[grant]]\nservice = 'crm'\naction = 'contact:read'\nresource = 'eu/1'\nargs = {}\n",
    );
    let asked = Ask {
        grants: Some(inside.clone()),
        ttl: Some(60),
        task: Some("match an invoice".to_owned()),
        max_depth: Some(0),
        ..ask()
    };
    let issued = profile.mint_request(&caller(), &asked).unwrap();
    assert_eq!(
        (issued.grants, issued.ttl, issued.max_depth),
        (inside.clone(), 60, Some(0))
    );
    assert_eq!(issued.task.as_deref(), Some("match an invoice"));
    let outside = Ask {
        grants: Some(grants(
            "[[grant]]\nservice = 'crm'\naction = 'contact:read'\n[[grant]]\nservice = 'crm'\naction = 'contact:*'\n",
        )),
        ..ask()
    };
    assert_eq!(
        refuse(&outside),
        (
            ErrorCode::InvalidScope,
            "the requested `grant[1]` is not within a grant that profile `buyer` gives this caller at these services; ask for less".to_owned()
        )
    );
    for ttl in [0, 59, 3601, u64::MAX] {
        let (code, text) = refuse(&Ask {
            ttl: Some(ttl),
            ..ask()
        });
        assert_eq!(code, ErrorCode::InvalidRequest);
        assert!(
            text.starts_with("profile `buyer` gives tokens a lifetime of 1m to 1h, but "),
            "{text}"
        );
    }
    assert_eq!(
        refuse(&Ask {
            max_depth: Some(4),
            ..ask()
        })
        .0,
        ErrorCode::InvalidRequest
    );
    for task in ["", " ", "a\u{7}", &"a".repeat(1025)] {
        assert_eq!(
            refuse(&Ask {
                task: Some(task.to_owned()),
                ..ask()
            })
            .0,
            ErrorCode::InvalidRequest
        );
    }
}

#[test]
fn services_narrow_by_the_callers_own_wish() {
    let profile = buyer();
    let at = |services: &[&str], grants: Option<Grants>| {
        let services = services.iter().map(|&name| name.to_owned()).collect();
        profile.mint_request(
            &caller(),
            &Ask {
                services,
                grants,
                ..ask()
            },
        )
    };
    let crm = at(&["crm", "crm"], None).unwrap().grants;
    assert_eq!(
        crm,
        grants("[[grant]]\nservice = 'crm'\naction = 'contact:read'\n")
    );
    assert_eq!(at(&["crm", "erp"], None).unwrap().grants.len(), 2);
    let refusal = at(&["crm", "\"x\"\u{202e}"], None).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidTarget);
    assert_eq!(
        refusal.log(),
        "profile `buyer` grants nothing at the service `\"x\"\\u202e`; ask only for services at which it grants something"
    );
    assert_eq!(
        refusal.public(),
        "profile `buyer` grants nothing at the service `?x??u202e`; ask only for services at which it grants something"
    );
    let refusal = at(&["erp"], Some(crm.clone())).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidScope);
    assert!(at(&["crm"], Some(crm)).is_ok());
}

#[test]
fn a_summary_is_json_without_a_caller() {
    let text = serde_json::to_string(&buyer().summary()).unwrap();
    let expected = concat!(
        r#"{"name":"buyer","description":"Purchasing agents of the EU team","agent":"client","principal":"corp","params":[{"name":"client","claim":"agent.client","type":"string"},"#,
        r#"{"name":"limit","claim":"principal.limits.purchase","type":"decimal"},{"name":"region","claim":"principal.'https://corp.example/region'","type":"segment"},"#,
        r#"{"name":"sub","claim":"principal.sub","type":"string"},{"name":"until","claim":"principal.until","type":"date"},{"name":"vendors","claim":"principal.vendors","type":"strings"}],"#,
        r#""services":["crm","erp"],"ttl":{"min":60,"default":900,"max":3600},"max_depth":3,"rate":{"per_minute":60,"burst":10}}"#,
    );
    assert_eq!(text, expected);
}

/// Names may have at most 512 bytes after their parameters are filled in, and other claims at most 1024.
#[test]
fn names_end_at_their_bound() {
    let text = r#"
[[profile]]
name = "buyer"
[profile.match.agent]
source = "client"
[profile.params]
client = { claim = "agent.client", type = "string" }
[profile.token]
agent = "agent:${client}"
principal = "p:${client}"
tenant = "t:${client}"
claims = { label = "label:${client}" }
ttl = { default = "15m", max = "1h" }
[[profile.grant]]
service = "erp"
action = "purchase_order:create"
"#;
    let all = profiles(text).unwrap();
    let profile = all.get("buyer").unwrap();
    for (length, refused) in [(506, None), (507, Some("token.agent"))] {
        let claims = json!({ "client": "n".repeat(length), "profiles": ["buyer"] });
        let caller = Caller {
            agent: party(ClaimSource::Client, claims),
            principal: None,
        };
        match (profile.mint_request(&caller, &Ask::default()), refused) {
            (Ok(request), None) => assert_eq!(request.agent.len(), 512),
            (Err(ProfileRefusal::Template { path, .. }), Some(expected)) => {
                assert_eq!(path, expected)
            }
            (other, _) => panic!("{other:?}"),
        }
    }
    for (key, good) in [
        ("agent", false),
        ("principal", false),
        ("tenant", false),
        ("label", true),
    ] {
        let long = text.replace(
            &format!("{key} = \""),
            &format!("{key} = \"{}", "n".repeat(600)),
        );
        assert_eq!(profiles(&long).is_ok(), good, "{key}");
    }
}
