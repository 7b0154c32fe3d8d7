//! Tests that a claim never widens grants. For every value, a profile gives either the grants that its operator meant
//! for exactly this value, or none.

use bailiwick_token::grant::{Constraint, Grant, Pattern};
use proptest::prelude::*;

use super::*;

/// Strings that have a special meaning somewhere.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop::sample::select(
        &[
            "*", "/", "..", ".", "%2f", "\\", "${sub}", "${", "}", "\"", "'", "\n", "]", "=", "a",
            "eu", " ", "é", "\u{0}", ";", "$x", "user:", "{", "?", "#",
        ][..],
    );
    prop_oneof![
        prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_claim_never_widens(sub in hostile(), region in hostile(), vendors in prop::collection::vec(hostile(), 0..3)) {
        let mut caller = with("sub", json!(sub));
        let claims = &mut caller.principal.as_mut().unwrap().claims;
        claims.insert("https://corp.example/region".to_owned(), json!(region));
        claims.insert("vendors".to_owned(), json!(vendors));
        let Ok(issued) = buyer().mint_request(&caller, &ask()) else { return Ok(()) };
        let grants: Vec<&Grant> = issued.grants.iter().collect();
        let [erp, crm] = grants.as_slice() else { panic!("{grants:?}") };
        prop_assert_eq!(*crm, &Grant::new("crm", "contact:read"));
        prop_assert!(erp.service == "erp" && erp.action == Pattern::Prefix("purchase_order:".to_owned()));
        let resource = format!("{region}/orders/");
        prop_assert_eq!(&erp.resource, &Some(Pattern::Prefix(resource.clone())));
        prop_assert_eq!(resource.split('/').count(), 3);
        let args = erp.args.as_ref().unwrap();
        prop_assert_eq!(args.len(), 7);
        prop_assert_eq!(&args["by"], &Constraint::exact(sub.as_str()));
        prop_assert_eq!(&args["path"], &Constraint::prefix(&format!("/home/{region}/")));
        let list = args["vendor"].one_of.as_ref().unwrap();
        prop_assert!(vendors.iter().all(|vendor| list.holds(&vendor.as_str().into())) && !vendors.is_empty());
        let text = issued.grants.to_toml();
        prop_assert!(Grants::from_toml(&text).as_ref() == Ok(&issued.grants));
        // The given grants can be requested, and the principal's name determines both of its parts.
        let asked = Ask { grants: Some(issued.grants.clone()), ..ask() };
        prop_assert_eq!(buyer().mint_request(&caller, &asked).unwrap(), issued.clone());
        let user = format!("user:{region}");
        prop_assert_eq!(issued.principal.split_once('/'), Some((user.as_str(), sub.as_str())));
    }

    #[test]
    fn a_number_is_exact_or_refused(micros in any::<i64>(), float in any::<f64>()) {
        let limit = bailiwick_token::value::Micros(micros).to_string();
        let issued = |purchase: Value| {
            let issued = buyer().mint_request(&with("limits", json!({ "purchase": purchase })), &ask());
            issued.map(|issued| issued.grants.to_toml())
        };
        match issued(json!(limit)) {
            Ok(text) => {
                let bound = format!("max = \"{limit}\"");
                prop_assert!(text.contains(&bound));
            }
            Err(_) => prop_assert!(micros < 10_000),
        }
        if let Ok(text) = issued(json!(float)) {
            let shown = text.split("max = \"").nth(1).unwrap().split('"').next().unwrap();
            prop_assert_eq!(shown.parse::<f64>().unwrap(), float);
        }
    }
}
