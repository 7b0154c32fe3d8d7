//! Tests of resources that a service behind the verifier would normalize to others.

use bailiwick_testkit::{Root, now, toml};
use bailiwick_verifier::{Call, CallError, Reason};

/// Resources that begin with `eu/`, but that some service would treat as a different resource.
const FOLDED: &[&str] = &[
    "eu/..;/us/1",
    "eu/..;v=1/us/1",
    "eu/.;/1",
    "eu/;/1",
    "eu/;..",
    "eu/a/..;a;b/us",
    "eu/\u{ff0e}\u{ff0e}/us/1",
    "eu/.\u{ff0e}/us/1",
    "eu/\u{2025}/us/1",
    "eu/\u{2024}\u{2024}/us/1",
    "eu/\u{2024}./us/1",
    "eu/\u{2026}/us/1",
    "eu/.../us",
    "eu/.. /us",
    "eu/ ../us",
    "eu/. ./us",
    "eu/..\u{a0}/us",
    "eu/\u{3000}..\u{2003}/us",
    "eu/..\u{2028}/us",
    "eu/..\u{feff}/us",
    "eu/..\u{200b}/us",
    "eu/.\u{ad}./us",
    "eu/ /us",
    "eu/\u{200b}/us",
    "eu/.. ;x/us",
    "eu/..\u{ff1b}x/us",
    "eu/..\u{37e}x/us",
    "eu/\u{ff05}2e\u{ff05}2e/us",
    "eu/a\u{ff0f}..\u{ff0f}us",
    "eu/a\u{ff3c}us",
    "eu/a;x=%2f..%2f..%2fus",
    "eu/a;x\u{ff1f}",
    "eu/\u{2100}..",
    "eu/a\u{ff03}",
];

#[test]
fn resources_that_back_ends_fold_are_refused() {
    let root = Root::new();
    let grants = toml(
        "[[grant]]\nservice = \"erp\"\naction = \"order\"\nresource = \"eu/*\"\n[[grant]]\nservice = \"erp\"\naction = \"all\"",
    );
    let token = root.mint(&grants).to_base64();
    let verifier = root.verifier();
    for resource in FOLDED {
        for action in ["order", "all"] {
            let read = Call::from_args_json(action, Some(resource), None);
            assert_eq!(read, Err(CallError::Resource), "{resource:?}");
            let built = Call::new(action).resource(resource);
            let decision = verifier.check(&token, &built, now());
            assert_eq!(decision.reason(), Some(Reason::BadRequest), "{resource:?}");
        }
    }
}

/// Parameters, white space and other scripts within a name are allowed, and compared byte for byte.
#[test]
fn a_resource_is_used_as_it_came() {
    let root = Root::new();
    let verifier = root.verifier();
    for resource in [
        "eu/a;v=1/b",
        "eu/a b/c",
        "eu/..a/.b/c..",
        "eu/\u{ff21}",
        "eu/na\u{ef}ve/\u{65e5}\u{672c}",
        "eu/ a",
    ] {
        let mint = |pattern: &str| {
            let grant = bailiwick_token::grant::Grant::new("erp", "order").resource(pattern);
            let grants = bailiwick_token::grant::Grants::new(vec![grant]);
            root.mint(&grants.unwrap_or_else(|error| panic!("{error}")))
                .to_base64()
        };
        let request = Call::new("order").resource(resource);
        for pattern in ["eu/*", resource] {
            let decision = verifier.check(&mint(pattern), &request, now());
            assert!(decision.is_allow(), "{pattern}: {resource}: {decision:?}");
        }
        let other = verifier.check(&mint("eu/b"), &request, now());
        assert_eq!(other.reason(), Some(Reason::NoGrant), "{resource}");
    }
}
