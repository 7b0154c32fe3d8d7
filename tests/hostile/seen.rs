//! Tests that a verifier trusts its caches only for exactly what it has verified: signatures from a batch or
//! from memory, and whole tokens from the cache.

use bailiwick_testkit::{Root, forge::Forge, now};
use bailiwick_token::{keyset::Tombstone, revocation::Target, token::Token};
use bailiwick_verifier::{Call, Trust, Values, Verifier};

use super::trust::{base, keyset_of, snapshot, verifier};
use crate::{ALLOW, order, outcome};

/// A token with five signatures, enough for a batch if they are unseen.
fn chain(root: &Root) -> Forge {
    (0..4).fold(Forge::honest(root), |forge, index| {
        forge.append(&format!("check if action(\"order\"), {index} === {index};"))
    })
}

fn said(verifier: &Verifier, forge: &Forge) -> String {
    let decision = verifier.check(&forge.text(), &order(), now());
    decision.explain(Values::Shown).concat()
}

#[test]
fn a_forged_block_is_named_whether_the_others_were_seen_or_not() {
    let root = Root::new();
    let warm = root.verifier();
    assert_eq!(outcome(&warm, &chain(&root).text(), &order()), ALLOW);
    for honest in [chain(&root), chain(&root).seal()] {
        assert_eq!(outcome(&warm, &honest.text(), &order()), ALLOW);
        for block in 0..5 {
            for bit in [0, 255, 256, 511] {
                let forged = honest.clone().changed(|token| {
                    let signed = match block {
                        0 => &mut token.authority,
                        block => &mut token.blocks[block - 1],
                    };
                    signed.signature[bit / 8] ^= 1 << (bit % 8);
                });
                for verifier in [&warm, &root.verifier()] {
                    assert_eq!(outcome(verifier, &forged.text(), &order()), "bad_signature");
                    let said = said(verifier, &forged);
                    // A seal, and a signature of version 1, cover the signature before them too.
                    assert!(said.contains(&format!("block {block}")), "{block}: {said}");
                }
            }
        }
    }
}

#[test]
fn a_signature_that_was_seen_vouches_for_its_own_block_only() {
    let root = Root::new();
    let verifier = root.verifier();
    let honest = chain(&root);
    assert_eq!(outcome(&verifier, &honest.text(), &order()), ALLOW);
    let swapped = honest.clone().changed(|token| {
        let other = token.blocks[1].signature.clone();
        token.blocks[2].signature = other;
    });
    let moved = honest.clone().changed(|token| {
        let data = token.blocks[3].block.clone();
        token.blocks[2].block = data;
    });
    for forged in [swapped, moved] {
        assert_ne!(forged.bytes(), honest.bytes());
        assert_eq!(
            outcome(&verifier, &forged.text(), &order()),
            "bad_signature"
        );
    }
}

#[test]
fn a_seen_token_is_denied_once_it_or_its_key_is_revoked() {
    let root = Root::new();
    let token = chain(&root).text();
    let id = Token::parse(&token)
        .expect("a token")
        .token_id()
        .expect("an id");
    let second = |keyset: &mut bailiwick_token::keyset::Keyset| keyset.version = 2;
    let revoked = snapshot(&root, &base(), &[Target::Token(id)]);
    let tombstoned = keyset_of(&root, |keyset| {
        second(keyset);
        let key = keyset.keys.remove(0);
        keyset.tombstones.push(Tombstone {
            id: key.id,
            revoked_at: now(),
            reason: "leaked".to_owned(),
        });
    });
    let gone = keyset_of(&root, |keyset| {
        second(keyset);
        keyset.keys.clear();
    });
    let same = keyset_of(&root, second);
    for (keyset, list, expected) in [
        (&same, None, ALLOW),
        (&same, Some(revoked.as_str()), "revoked"),
        (&tombstoned, None, "revoked_key"),
        (&gone, None, "unknown_key"),
    ] {
        let verifier = verifier(&root, &keyset_of(&root, |_| {}), None);
        assert_eq!(outcome(&verifier, &token, &order()), ALLOW);
        let trust = Trust::open(
            keyset.as_bytes(),
            &root.keyset_public(),
            list.map(str::as_bytes),
        );
        verifier
            .replace_trust(trust.expect("signed trust"))
            .expect("newer trust");
        assert_eq!(outcome(&verifier, &token, &order()), expected);
    }
}

/// Once a token has been verified, a denial names its agent.
#[test]
fn a_denial_names_whoever_a_verified_token_is_of() {
    let root = Root::new();
    let honest = Forge::honest(&root);
    let facts: String = (0..60).map(|index| format!("f({index});")).collect();
    let dear = honest.clone().append(&format!(
        "{facts} check if f($a), f($b), f($c), f($d), $a > 100;"
    ));
    let forged = honest.clone().changed(|token| {
        token.authority.signature[0] ^= 1;
    });
    for (forge, request, known) in [
        (&dear, order(), true),
        (&honest, Call::new("elsewhere"), true),
        (&honest, Call::new("two*stars"), true),
        (&forged, order(), false),
    ] {
        let decision = root.verifier().check(&forge.text(), &request, now());
        assert!(!decision.is_allow());
        let agent = decision.identity().map(|identity| identity.agent.as_str());
        assert_eq!(agent, known.then_some("agent:orchestrator"), "{decision:?}");
    }
}
