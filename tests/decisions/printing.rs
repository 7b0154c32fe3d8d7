//! Tests of the printed forms of untrusted names.

use std::collections::BTreeMap;

use bailiwick_testkit::{
    Root,
    forge::{Forge, authority_without},
    now, scope,
};
use bailiwick_token::{
    caveat::Caveat,
    escape::{code, is_printable, name, phrase, quote, visible},
    grant::{Constraint, Grant, Grants},
    token::Token,
    value::Value,
};
use bailiwick_verifier::{Call, Reason, Values};
use proptest::{collection, prelude::*, sample::select};

/// An argument name with which a holder could make a scope look narrower than it is.
const NARROWER: &str = "action (amount: at most 5; nothing else), or erp po:noop (x";

/// Names made of pieces that have a meaning to a terminal, to a reader, or in the surrounding text.
fn names() -> impl Strategy<Value = String> {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        "erp",
        " ",
        "\"",
        "\\",
        "`",
        ": ",
        "; ",
        ", ",
        " (",
        ")",
        " on ",
        "or ",
        "*",
        "\\u202e",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{ad}",
        "\u{e0041}",
        "\u{fe0f}",
        "\u{301}",
        "é",
    ];
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// Grants with such names wherever the profile allows them.
fn grants() -> impl Strategy<Value = Grants> {
    let constraint = prop_oneof![
        Just(Constraint::any()),
        names().prop_map(|text| Constraint::exact(Value::from(text))),
        names().prop_map(|text| Constraint::prefix(&text)),
    ];
    let grant = (
        select(&["erp", "crm"][..]),
        names(),
        proptest::option::of(names()),
        collection::btree_map(names(), constraint, 0..3),
    );
    let grant = grant.prop_map(
        |(service, action, resource, args): (_, _, _, BTreeMap<_, _>)| {
            let mut grant = Grant::new(service, &action);
            if let Some(resource) = resource {
                grant = grant.resource(&resource);
            }
            args.into_iter().fold(grant, |grant, (name, constraint)| {
                grant.arg(&name, constraint)
            })
        },
    );
    collection::vec(grant, 1..3)
        .prop_filter_map("grants of the profile", |grants| Grants::new(grants).ok())
}

fn assert_printable(text: &str) -> Result<(), TestCaseError> {
    let hidden = text.chars().find(|&c| c != '\n' && !is_printable(c));
    prop_assert_eq!(hidden, None, "{}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Each form is printable, and different texts have different forms.
    #[test]
    fn different_texts_look_different(a in names(), b in names()) {
        let forms = |text: &str| [
            name(text).to_string(), phrase(text).to_string(), quote(text).to_string(), code(text).to_string(),
        ];
        for (a_form, b_form) in forms(&a).iter().zip(&forms(&b)) {
            assert_printable(a_form)?;
            prop_assert_eq!(a == b, a_form == b_form, "{}", a_form);
        }
        assert_printable(&visible(&a))?;
        prop_assert_eq!(&serde_json::from_str::<String>(&quote(&a).to_string()).expect("a JSON string"), &a);
        let json = serde_json::json!({ a.as_str(): [b.as_str()] });
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&visible(&json.to_string())).expect("JSON"), json);
        // Whatever a name contains, its printed form shows where the name ends.
        let listed = format!("{}: any value; {}: any value; ", name(&a), name(&b));
        let other = format!("{}: any value; ", name(&format!("{a}: any value; {b}")));
        prop_assert_ne!(listed, other);
    }

    /// Different scopes are shown differently: in words, as TOML, and as Datalog.
    #[test]
    fn distinct_scopes_print_distinctly(a in grants(), b in grants()) {
        let words = |grants: &Grants| grants.iter().map(|grant| format!("{grant}\n")).collect::<String>();
        let forms = |grants: &Grants| [
            words(grants), grants.to_toml(), bailiwick_token::datalog::show(grants),
        ];
        for (a_form, b_form) in forms(&a).iter().zip(&forms(&b)) {
            assert_printable(a_form)?;
            prop_assert_eq!(a == b, a_form == b_form, "{}", a_form);
        }
        prop_assert_eq!(words(&a).lines().count(), a.len());
        prop_assert_eq!(&Grants::from_toml(&a.to_toml()).expect("TOML"), &a);
    }

    /// A token's blocks, its effective grants and a denial's reasons are shown in printable characters, whatever
    /// the holders and the caller wrote.
    #[test]
    fn tokens_and_denials_are_printable(
        narrowed in grants(), delegate in names(), task in names(), argument in names(), value in names(),
    ) {
        let root = Root::new();
        let token = root.mint(&Grants::new(vec![Grant::new("erp", "order")]).expect("a grant"));
        let caveat = Caveat { delegate: Some(delegate), task: Some(task), ..scope(narrowed) };
        // A control character is refused; few names hold one.
        let token = token.attenuate(&caveat);
        prop_assume!(token.is_ok());
        let token = token.expect("a narrower token");
        let inspection = token.inspect();
        assert_printable(&inspection.to_string())?;
        assert_printable(&inspection.effective().expect("few ways").to_string())?;
        let request = Call::new("order").arg(&argument, value.as_str());
        let decision = root.verifier().check(&token.to_base64(), &request, now());
        for values in [Values::Shown, Values::Hidden] {
            assert_printable(&decision.explain(values).join("\n"))?;
            assert_printable(&decision.to_json(values))?;
        }
    }
}

/// Other libraries can append content that attenuation here refuses: control characters, and statements in
/// forms outside the profile.
#[test]
fn forged_blocks_are_printable() {
    const HIDDEN: &str = "a\u{1b}[2J\u{9b}1m\u{202e}\u{200b}b";
    let root = Root::new();
    let forge = Forge::honest(&root).append(&format!(
        "delegate(\"{HIDDEN}\"); task(\"{HIDDEN}\"); note(\"{HIDDEN}\"); check if arg(\"{HIDDEN}\", 1);"
    ));
    let token = Token::parse(&forge.text()).expect("a token");
    let decision = root
        .verifier()
        .check(&forge.text(), &Call::new("order"), now());
    assert_eq!(decision.reason(), Some(Reason::Caveat));
    let mut texts = vec![token.inspect().to_string()];
    for values in [Values::Shown, Values::Hidden] {
        texts.extend([
            decision.explain(values).join("\n"),
            decision.to_json(values),
        ]);
    }
    for text in texts {
        assert_printable(&text).expect("printable characters");
    }
}

/// A verifier may have wider limits, so a token with too many grants is not shown as one that allows nothing.
#[test]
fn too_many_grants_are_not_shown_as_none() {
    let root = Root::new();
    let grant = "grant(\"order\") <- service(\"erp\"), action(\"order\");";
    let code = format!("{}{}", authority_without("grant("), grant.repeat(65));
    let token = Token::parse(&Forge::authority(&root, &code).text()).expect("a token");
    let effective = token.inspect().effective().expect("few ways");
    assert_eq!(effective.opaque_grants, 65);
    assert!(!effective.is_nothing());
    assert!(
        effective
            .to_string()
            .starts_with("and what 65 grants may allow, which cannot be listed\n"),
        "{effective}"
    );
}

#[test]
fn an_argument_cannot_narrow_the_words() {
    let root = Root::new();
    let granted = Grants::new(vec![Grant::new("erp", "po:create")]).expect("a grant");
    let wide = Grants::new(vec![
        Grant::new("erp", "po:create").arg(NARROWER, Constraint::any()),
    ]);
    let token = root.mint(&granted);
    let token = token
        .attenuate(&scope(wide.expect("a scope")))
        .expect("narrower");
    let line = format!("erp po:create (\"{NARROWER}\": any value; nothing else)");
    let inspection = token.inspect();
    assert!(
        inspection
            .to_string()
            .contains(&format!("only     {line}\n")),
        "{inspection}"
    );
    let effective = inspection.effective().expect("one way").to_string();
    assert!(
        effective.starts_with(&format!("may  {line}\n")),
        "{effective}"
    );
}
