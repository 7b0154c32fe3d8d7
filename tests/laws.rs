//! The laws, as properties over random grants, chains and calls.

#![cfg(test)]

mod support;

use std::collections::BTreeMap;

use bailiwick_testkit::{Root, claims, forge::Forge, now, scope};
use bailiwick_token::{
    attenuate::AttenuateError,
    caveat::Caveat,
    claims::Claims,
    datalog::{self, Authority, CheckMeaning},
    grant::{Grant, Grants, is_normal_resource, is_plain_segment},
    text::counted,
    token::Token,
};
use bailiwick_verifier::{Call, Decision, Reason};
use biscuit_auth::{Biscuit, builder::BlockBuilder};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::support::{
    bodies,
    fold::{FOLDS, Fold, folded},
    random,
    reference::decided,
    stated,
};

/// Parts of resources: names, and characters that services convert to separators or dots, or drop.
const PIECES: [&str; 26] = [
    "eu",
    "us",
    "a",
    "1",
    ".",
    "..",
    "/",
    "/",
    "/",
    ";",
    "%2e",
    "%2F",
    "%",
    "\\",
    " ",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\u{ff0e}",
    "\u{2025}",
    "\u{ff0f}",
    "\u{ff3c}",
    "\u{ff1b}",
    "\u{ff05}2e",
    "\u{2100}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Grants survive text, in both forms, without loss.
    #[test]
    fn text_and_typed_agree(grants in random::grants()) {
        let toml = grants.to_toml();
        prop_assert_eq!(&Grants::from_toml(&toml).map_err(|e| TestCaseError::fail(format!("{e}\n{toml}")))?, &grants);
        prop_assert_eq!(&Grants::from_json(&grants.to_json()).map_err(|e| TestCaseError::fail(e.to_string()))?, &grants);
    }

    /// Grants survive Datalog, as rules of an authority block and as a scope of an appended block.
    #[test]
    fn datalog_and_typed_agree(grants in random::grants()) {
        let root = Root::new();
        let Some(token) = fits(root.mint(&grants)) else { return Ok(()) };
        let authority: Authority = token.authority().expect("a token of the profile");
        let read: Option<Vec<_>> = authority.grants.into_iter().collect();
        prop_assert_eq!(read.as_deref(), Some(&grants.iter().cloned().collect::<Vec<_>>()[..]));
        if let Ok(narrowed) = token.attenuate(&scope(grants.clone())) {
            let code = narrowed.code();
            let check = &code.checks(&code.blocks[1])[0];
            prop_assert_eq!(datalog::meaning(code, check), CheckMeaning::Scope(grants.iter().cloned().collect()));
        }
    }

    /// A narrowed token never allows what its parent denies.
    #[test]
    fn attenuation_never_widens(
        (grants, call) in random::grants().prop_flat_map(|grants| (Just(grants.clone()), random::call_for(grants))),
        scopes in prop::collection::vec(random::grants(), 1..4),
    ) {
        let root = Root::new();
        let verifier = root.verifier();
        let mut token = root.mint(&grants);
        let mut parent = verifier.check(&token.to_base64(), &call.request(), now()).is_allow();
        for grants in scopes {
            let Ok(child) = token.attenuate(&scope(grants)) else { break };
            let decision = verifier.check(&child.to_base64(), &call.request(), now());
            prop_assert!(parent || !decision.is_allow());
            (token, parent) = (child, decision.is_allow());
        }
    }

    /// A token whose Datalog was written by hand is never widened either, by any block, not even an empty one.
    #[test]
    fn appending_never_widens(
        written in bodies::written(),
        appended in bodies::appended(),
        call in bodies::call(),
    ) {
        let root = Root::fixed();
        let verifier = root.verifier();
        let parent = written.forge(&root);
        let child = parent.clone().append(&appended);
        let decide = |text: &str| verifier.check(text, &call.request(), now()).is_allow();
        prop_assert!(
            decide(&parent.text()) || !decide(&child.text()),
            "{:#?}, and then {:?}", written, appended
        );
    }

    /// However a service normalizes it, a resource that a prefix allows stays under that prefix.
    #[test]
    fn no_allowed_resource_leads_elsewhere(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..9),
        folds in prop::sample::subsequence(&FOLDS[..], 0..=FOLDS.len()).prop_shuffle(),
    ) {
        let resource = format!("eu/{}", pieces.concat());
        if is_normal_resource(&resource) {
            let folded = folded(&resource, &folds);
            let inside = folded.as_ref().is_some_and(|segments| segments.len() > 1 && segments[0] == "eu");
            prop_assert!(inside, "{:?} becomes {:?} by {:?}", resource, folded, folds);
        }
    }

    /// A parameter of a profile names one segment, and no normalization turns it into another.
    #[test]
    fn no_plain_segment_becomes_another(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..5),
        folds in prop::sample::subsequence(&FOLDS[..], 0..=FOLDS.len()).prop_shuffle(),
    ) {
        let segment = pieces.concat();
        if is_plain_segment(&segment) {
            prop_assert_eq!(folded(&segment, &folds), Some(vec![segment]), "by {:?}", folds);
        }
    }

    /// A call is allowed exactly if each scope has a grant that allows it. The decision names the first such grant
    /// of the token, and a denial names its reason: nothing is undecidable.
    #[test]
    fn the_engine_means_what_grants_mean(
        (grants, call) in random::grants().prop_flat_map(|grants| (Just(grants.clone()), random::call_for(grants))),
        scopes in prop::collection::vec(random::grants(), 0..2),
        same in any::<bool>(),
    ) {
        let root = Root::new();
        let mut token = root.mint(&grants);
        let mut expected = call.is_allowed_by(&grants);
        let own = same.then(|| grants.clone());
        for scope_grants in scopes.into_iter().chain(own) {
            if let Ok(child) = token.attenuate(&scope(scope_grants.clone())) {
                token = child;
                expected &= call.is_allowed_by(&scope_grants);
            }
        }
        let Some(token) = fits(token) else { return Ok(()) };
        let decision = root.verifier().check(&token.to_base64(), &call.request(), now());
        prop_assert_eq!(decision.is_allow(), expected, "{:?}", decision);
        match &decision {
            Decision::Allow(allow) => {
                let alone = |grant: &&Grant| {
                    call.is_allowed_by(&Grants::new(vec![(*grant).clone()]).expect("a grant that can be written"))
                };
                prop_assert_eq!(allow.grant(), grants.iter().find(alone).cloned());
            }
            Decision::Deny(deny) => {
                let explained = matches!(deny.reason(), Reason::NoGrant | Reason::WrongService | Reason::Caveat);
                prop_assert!(explained && !deny.refusals.is_empty(), "{:?}", deny);
            }
        }
    }

    /// Grants that are reported as within others allow nothing that those deny, and each list is within itself.
    #[test]
    fn calls_within_the_grant_are_allowed(
        (narrow, wide, call) in (random::grants(), random::grants()).prop_flat_map(|(grants, wide)| {
            let narrow = common(&grants, &wide).unwrap_or(grants);
            (Just(narrow.clone()), Just(wide), random::call_for(narrow))
        }),
    ) {
        prop_assert!(narrow.is_within(&narrow) && wide.is_within(&wide));
        let within = narrow.is_within(&wide);
        prop_assert!(!within || !call.is_allowed_by(&narrow) || call.is_allowed_by(&wide));
    }

    /// Neighbouring grants, which differ little, are more likely to reveal a wrong answer.
    #[test]
    fn calls_within_a_neighbouring_grant_are_allowed((narrow, wide, calls) in random::neighbours()) {
        for (narrow, wide) in [(&narrow, &wide), (&wide, &narrow)] {
            prop_assert!(narrow.is_within(narrow));
            let within = narrow.is_within(wide);
            for call in &calls {
                prop_assert!(!within || !call.is_allowed_by(narrow) || call.is_allowed_by(wide), "{:?}", call);
            }
        }
    }

    /// The grants that `inspect --effective` lists allow exactly the calls that the token allows.
    #[test]
    fn effective_authority_is_what_is_left(
        (grants, call) in random::grants().prop_flat_map(|grants| (Just(grants.clone()), random::call_for(grants))),
        scopes in prop::collection::vec(random::grants(), 1..3),
    ) {
        let all = std::iter::once(&grants).chain(&scopes);
        let expected = all.clone().all(|grants| call.is_allowed_by(grants));
        let effective = grants.within(&scopes).expect("few combinations");
        let listed = effective.into_iter().any(|all| {
            all.into_iter().all(|grant| call.is_allowed_by(&Grants::new(vec![grant]).expect("a grant that can be written")))
        });
        prop_assert_eq!(listed, expected);
    }
}

/// A token can be narrowed as often as its own checks allow. One more block, written by other means, leaves no
/// authority, and `inspect` reports it.
#[test]
fn narrowing_stops_at_the_limit() {
    let root = Root::new();
    let grants = Grants::new(vec![Grant::new("erp", "order")]).expect("a grant");
    let narrower = Caveat {
        delegate: Some("agent:checker".to_owned()),
        ..Caveat::default()
    };
    let allows = |token: &Token| {
        root.verifier()
            .check(&token.to_base64(), &Call::new("order"), now())
    };
    for limit in 0..4 {
        let limited = Claims {
            max_depth: Some(limit),
            ..claims()
        };
        let block = datalog::authority_block(&limited, &grants).expect("claims that fit");
        let mut token = root.sign(&block);
        for left in (0..=limit).rev() {
            assert!(allows(&token).is_allow());
            let effective = token.inspect().effective().expect("one way");
            assert_eq!(effective.narrowings_left(), Some(left));
            assert!(!effective.is_too_deep() && !effective.alternatives.is_empty());
            if left > 0 {
                token = token.attenuate(&narrower).expect("a block that is allowed");
            }
        }
        let refused = token.attenuate(&narrower).expect_err("a block too many");
        let appended = usize::try_from(limit).expect("a small number");
        assert_eq!(refused, AttenuateError::Depth { appended, limit });
        assert!(token.seal().is_ok());

        let forged = biscuit_auth::UnverifiedBiscuit::from(token.as_bytes()).expect("a Biscuit");
        let forged = forged.append(BlockBuilder::new()).expect("an open token");
        let forged = Token::from_bytes(forged.to_vec().expect("bytes")).expect("a token");
        assert_eq!(allows(&forged).reason(), Some(Reason::Depth));
        let effective = forged.inspect().effective().expect("one way");
        assert!(effective.is_too_deep() && effective.alternatives.is_empty());
        let says = format!(
            "nothing is left, because the token has {}, above its limit of {limit}\n",
            counted(limit + 1, "appended block")
        );
        assert!(effective.to_string().starts_with(&says), "{effective}");
        assert!(matches!(
            forged.attenuate(&narrower),
            Err(AttenuateError::Depth { .. })
        ));
    }
}

/// A holder's own limit counts like the issuer's.
#[test]
fn a_holder_can_limit_the_depth() {
    let root = Root::new();
    let grants = Grants::new(vec![Grant::new("erp", "order")]).expect("a grant");
    let limited = Forge::honest(&root).append("check if depth($d), $d <= 1;");
    let limited = Token::parse(&limited.text()).expect("a token");
    let refused = limited
        .attenuate(&scope(grants))
        .expect_err("a block too many");
    assert_eq!(
        refused,
        AttenuateError::Depth {
            appended: 1,
            limit: 1
        }
    );
}

/// Grants for the calls that both lists allow; `None` if single grants cannot express them.
fn common(a: &Grants, b: &Grants) -> Option<Grants> {
    let effective = a.within([b]).ok()?;
    let single = effective
        .into_iter()
        .filter_map(|all| match <[_; 1]>::try_from(all) {
            Ok([one]) => Some(one),
            Err(_) => None,
        });
    let single = single.filter(|grant| Grants::new(vec![grant.clone()]).is_ok());
    Grants::new(single.take(8)).ok()
}

/// Returns the token if it is within the limits of the profile.
fn fits(token: Token) -> Option<Token> {
    bailiwick_token::limits::TokenLimits::default()
        .check(&token)
        .is_ok()
        .then_some(token)
}

/// The law on appending would prove little if nothing were allowed, or if no token could break it. This test
/// finds tokens that break it without the profile's rules on `depth`, if another library decides.
#[test]
fn hand_written_tokens_reach_every_outcome() {
    let root = Root::fixed();
    let verifier = root.verifier();
    let mut runner = TestRunner::deterministic();
    let strategy = (bodies::written(), bodies::appended(), bodies::call());
    let mut counts = BTreeMap::new();
    let mut widened = 0;
    for _ in 0..1500 {
        let (written, appended, call) = strategy.new_tree(&mut runner).expect("a value").current();
        let parent = written.forge(&root);
        let child = parent.clone().append(&appended);
        let reason = |text: &str| {
            let decision = verifier.check(text, &call.request(), now());
            decision.reason().map_or("allow", Reason::code)
        };
        *counts
            .entry((reason(&parent.text()), reason(&child.text())))
            .or_insert(0) += 1;
        let theirs = |forge: &Forge, depth| {
            let token =
                Biscuit::from(forge.bytes(), root.key_pair().public()).expect("a signed token");
            let facts = stated::facts(&call, depth);
            decided(&token, facts, "allow if action($a), grant($a);").unwrap_or(false)
        };
        let depth = written.depth();
        widened += usize::from(!theirs(&parent, depth) && theirs(&child, depth + 1));
    }
    println!("{counts:?}, widened elsewhere: {widened}");
    let count = |parent, child| counts.get(&(parent, child)).copied().unwrap_or(0);
    assert!(count("allow", "allow") >= 20 && count("allow", "caveat") >= 10);
    assert!(count("unsupported", "unsupported") >= 100 && widened >= 3);
}

/// The laws on resources and segments are not vacuous: some inputs are accepted, and many would lead elsewhere.
#[test]
fn random_resources_reach_both_outcomes() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(prop::sample::select(&PIECES[..]), 1..9);
    let (mut taken, mut plain, mut leading_elsewhere) = (0, 0, 0);
    for _ in 0..5000 {
        let pieces = strategy.new_tree(&mut runner).expect("a value").current();
        let segment = pieces.concat();
        plain += usize::from(is_plain_segment(&segment));
        let resource = format!("eu/{segment}");
        let folds = [
            Fold::Nfkc,
            Fold::Percent,
            Fold::Backslash,
            Fold::Parameters,
            Fold::Trim,
        ];
        let folded = folded(&resource, &folds);
        taken += usize::from(is_normal_resource(&resource));
        let first = folded.and_then(|segments| segments.into_iter().next());
        leading_elsewhere += usize::from(first.as_deref() != Some("eu"));
    }
    println!("taken: {taken}, plain: {plain}, leading elsewhere: {leading_elsewhere}");
    assert!(taken >= 100 && plain >= 50 && leading_elsewhere >= 100);
}
