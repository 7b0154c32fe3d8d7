//! Tests of the laws: only a root key creates authority, and nothing signed is removed, reordered or changed.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, public, signed},
};
use biscuit_auth::format::schema::{SignedBlock, proof::Content};
use ed25519_dalek::SigningKey;

use crate::{ALLOW, expect, order};

const NARROW: &str = "check if action(\"order\");";
const DENY: &str = "check if action(\"nothing\");";

#[test]
fn only_a_root_key_makes_authority() {
    let (root, other) = (Root::new(), Root::new());
    let id = root.key_id().as_u32();
    let named = |forge: Forge| forge.changed(|token| token.root_key_id = Some(id));
    let unsigned =
        named(Forge::honest(&other)).changed(|token| token.authority.signature = vec![0; 64]);
    expect(
        &root,
        &order(),
        [
            ("an honest token", Forge::honest(&root), ALLOW),
            (
                "an honest chain",
                Forge::honest(&root).append(NARROW).append(NARROW),
                ALLOW,
            ),
            (
                "an honest sealed chain",
                Forge::honest(&root).append(NARROW).seal(),
                ALLOW,
            ),
            (
                "a self-made root that names itself",
                Forge::honest(&other),
                "unknown_key",
            ),
            (
                "a self-made root that names the true one",
                named(Forge::honest(&other)),
                "bad_signature",
            ),
            ("no signature", unsigned, "bad_signature"),
        ],
    );
}

#[test]
fn a_signed_block_cannot_be_removed_reordered_or_changed() {
    let root = Root::new();
    let chain = || {
        Forge::honest(&root)
            .append(DENY)
            .append("check if service(\"erp\");")
            .append(NARROW)
    };
    let sealed = || chain().seal();
    let other = Forge::honest(&root)
        .append("check if depth($d), $d <= 9;")
        .append(NARROW);
    let mut cases = vec![
        ("the chain itself", chain(), "caveat"),
        ("and sealed", sealed(), "caveat"),
    ];
    for (open, forge) in [(true, chain()), (false, sealed())] {
        let mut attack = |name, change: &dyn Fn(&mut Vec<SignedBlock>)| {
            let name = if open { name } else { "the same, sealed" };
            cases.push((
                name,
                forge.clone().changed(|token| change(&mut token.blocks)),
                "bad_signature",
            ));
        };
        attack("all blocks removed", &|blocks| blocks.clear());
        attack("the first removed", &|blocks| drop(blocks.remove(0)));
        attack("one in the middle removed", &|blocks| {
            drop(blocks.remove(1))
        });
        attack("the last removed", &|blocks| drop(blocks.pop()));
        attack("two swapped", &|blocks| blocks.swap(0, 1));
        attack("the order reversed", &|blocks| blocks.reverse());
        attack("one repeated", &|blocks| blocks.push(blocks[2].clone()));
        attack("contents swapped", &|blocks| {
            let first = blocks[0].block.clone();
            blocks[0].block = std::mem::replace(&mut blocks[1].block, first);
        });
        attack("a block emptied", &|blocks| blocks[0].block = vec![0x18, 6]);
        attack("a key exchanged", &|blocks| {
            blocks[0].next_key = public(&SigningKey::from_bytes(&[9; 32]))
        });
        attack("signed again by another", &|blocks| {
            let thief = SigningKey::from_bytes(&[9; 32]);
            blocks[0] = signed(
                &thief,
                vec![0x18, 6],
                blocks[0].next_key.clone(),
                None,
                Some(1),
            );
        });
        attack("an older version of signatures", &|blocks| {
            blocks[0].version = None
        });
        attack("spliced from another token", &|blocks| {
            blocks[0] = other.container.blocks[0].clone()
        });
        attack("a whole chain spliced in", &|blocks| {
            blocks
                .splice(.., other.container.blocks.clone())
                .for_each(drop)
        });
    }
    let authority = other.clone().append(NARROW).container.authority;
    cases.push((
        "under another authority block",
        chain().changed(|token| {
            let wide = Forge::authority(
                &root,
                &format!("{AUTHORITY}grant($a) <- service(\"erp\"), action($a);"),
            );
            token.authority = SignedBlock {
                signature: authority.signature.clone(),
                ..wide.container.authority
            };
        }),
        "bad_signature",
    ));
    expect(&root, &order(), cases);
}

/// In version 0 of signatures, a block does not name the previous signature, but the chain of keys still
/// protects the order.
#[test]
fn the_older_signatures_hold_the_chain_too() {
    let root = Root::new();
    let old = |mut forge: Forge, code: &str| {
        let block = bailiwick_testkit::forge::block(code, &mut forge.symbols);
        forge.append_signed(prost::Message::encode_to_vec(&block), None)
    };
    let chain = old(old(Forge::honest(&root), DENY), NARROW);
    let other = old(
        old(Forge::honest(&root), "check if depth($d), $d <= 9;"),
        NARROW,
    );
    let change = |change: &dyn Fn(&mut Vec<SignedBlock>)| {
        chain.clone().changed(|token| change(&mut token.blocks))
    };
    expect(
        &root,
        &order(),
        [
            ("the chain itself", chain.clone(), "caveat"),
            ("an honest one", other.clone(), ALLOW),
            (
                "removed",
                change(&|blocks| drop(blocks.remove(0))),
                "bad_signature",
            ),
            (
                "swapped",
                change(&|blocks| blocks.swap(0, 1)),
                "bad_signature",
            ),
            (
                "renumbered",
                change(&|blocks| blocks[0].version = Some(1)),
                "bad_signature",
            ),
            (
                "changed",
                change(&|blocks| blocks[0].block.extend([0x12, 0])),
                "bad_signature",
            ),
        ],
    );
}

#[test]
fn a_sealed_token_cannot_be_narrowed() {
    let root = Root::new();
    let sealed = Forge::honest(&root).append(NARROW).seal();
    let open = Forge::honest(&root).append(NARROW).append(NARROW);
    let thief = SigningKey::from_bytes(&[9; 32]);
    let stolen = |block: SignedBlock, proof: Content| {
        sealed.clone().changed(|token| {
            token.blocks.push(block);
            token.proof.content = Some(proof);
        })
    };
    let final_signature = sealed.container.proof.content.clone().expect("a proof");
    let by_thief = || signed(&thief, vec![0x18, 6], public(&thief), None, Some(1));
    let secret = Content::NextSecret(thief.to_bytes().to_vec());
    expect(
        &root,
        &order(),
        [
            ("sealed", sealed.clone(), ALLOW),
            (
                "appended, the seal kept",
                stolen(by_thief(), final_signature.clone()),
                "bad_signature",
            ),
            (
                "appended, the seal broken",
                stolen(by_thief(), secret.clone()),
                "bad_signature",
            ),
            (
                "the seal broken only",
                sealed
                    .clone()
                    .changed(|token| token.proof.content = Some(secret)),
                "bad_signature",
            ),
            (
                "the seal of another token",
                open.clone()
                    .changed(|token| token.proof.content = Some(final_signature)),
                "bad_signature",
            ),
            (
                "sealed by another",
                sealed.clone().changed(|token| {
                    token.proof.content = Some(Content::FinalSignature(vec![1; 64]))
                }),
                "bad_signature",
            ),
        ],
    );
}

#[test]
fn a_third_partys_block_is_refused() {
    let root = Root::new();
    let party = SigningKey::from_bytes(&[9; 32]);
    let external = biscuit_auth::format::schema::ExternalSignature {
        signature: vec![0; 64],
        public_key: public(&party),
    };
    // A third party's block has symbols of its own, so this block must not name any.
    let appended = Forge::honest(&root).append_bytes(vec![0x18, 6]);
    expect(
        &root,
        &order(),
        [
            ("no third party", appended.clone(), ALLOW),
            (
                "on an appended block",
                appended
                    .changed(|token| token.blocks[0].external_signature = Some(external.clone())),
                "unsupported",
            ),
            (
                "on the authority block",
                Forge::honest(&root)
                    .changed(|token| token.authority.external_signature = Some(external.clone())),
                "unsupported",
            ),
        ],
    );
}
