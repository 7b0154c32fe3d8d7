//! Forgeries of the chain: blocks that are dropped, moved, replaced, or added without authority.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, block, public, signed},
};
use biscuit_auth::format::schema::{ExternalSignature, SignedBlock, proof::Content};
use ed25519_dalek::SigningKey;

use super::{Forgery, forgery};

const BAD: &str = "bad_signature";
const DENY: &str = "check if action(\"nothing\");";
const NARROW: &str = "check if action(\"order\");";

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let mut all = blocks(root);
    all.extend(roots(root));
    all.extend(seals(root));
    all
}

fn roots(root: &Root) -> Vec<Forgery> {
    let other = Root {
        key: SigningKey::from_bytes(&[3; 32]),
        ..Root::fixed()
    };
    let id = root.key_id().as_u32();
    let named = |forge: Forge| forge.changed(|token| token.root_key_id = Some(id));
    let wide = format!("{AUTHORITY}grant($a) <- service(\"erp\"), action($a);");
    let wide = Forge::authority(root, &wide).container.authority;
    vec![
        forgery(
            "root-self-made",
            "a root key of one's own, named",
            Forge::honest(&other),
            "unknown_key",
        ),
        forgery(
            "root-self-made-named",
            "a root key of one's own, under the true one's name",
            named(Forge::honest(&other)),
            BAD,
        ),
        forgery(
            "root-none-named",
            "no root key named",
            Forge::honest(root).changed(|token| token.root_key_id = None),
            "unknown_key",
        ),
        forgery(
            "authority-unsigned",
            "zeros for the root's signature",
            Forge::honest(root).changed(|token| token.authority.signature = vec![0; 64]),
            BAD,
        ),
        forgery(
            "authority-exchanged",
            "a wider authority block under the old signature",
            Forge::honest(root).append(DENY).changed(|token| {
                token.authority = SignedBlock {
                    signature: token.authority.signature.clone(),
                    ..wide
                };
            }),
            BAD,
        ),
    ]
}

fn blocks(root: &Root) -> Vec<Forgery> {
    let chain = || {
        Forge::honest(root)
            .append(DENY)
            .append("check if service(\"erp\");")
            .append(NARROW)
    };
    let other = Forge::honest(root)
        .append("check if depth($d), $d <= 9;")
        .append(NARROW);
    let changed =
        |change: &dyn Fn(&mut Vec<SignedBlock>)| chain().changed(|token| change(&mut token.blocks));
    let old = |mut forge: Forge, code: &str| {
        let block = block(code, &mut forge.symbols);
        forge.append_signed(prost::Message::encode_to_vec(&block), None)
    };
    let old = old(old(Forge::honest(root), DENY), NARROW);
    let thief = SigningKey::from_bytes(&[9; 32]);
    let external = ExternalSignature {
        signature: vec![0; 64],
        public_key: public(&thief),
    };
    let appended = Forge::honest(root).append_bytes(vec![0x18, 6]);
    let spliced = other.container.blocks.clone();
    let longest = (0..15).fold(Forge::honest(root), |forge, _| forge.append(NARROW));
    let sealed = longest.clone().seal();
    vec![
        forgery(
            "block-last-of-sixteen-forged",
            "as many blocks as there may be, of which the last one alone is not signed well",
            longest.changed(|token| {
                token.blocks[14].signature = token.blocks[13].signature.clone();
            }),
            BAD,
        ),
        forgery(
            "seal-of-sixteen-forged",
            "as many blocks as there may be, and a seal that is another's signature",
            sealed.changed(|token| {
                let signature = token.blocks[13].signature.clone();
                token.proof.content = Some(Content::FinalSignature(signature));
            }),
            BAD,
        ),
        forgery(
            "blocks-all-dropped",
            "all that narrows, dropped",
            changed(&|blocks| blocks.clear()),
            BAD,
        ),
        forgery(
            "block-first-dropped",
            "the block that denies, dropped",
            changed(&|blocks| drop(blocks.remove(0))),
            BAD,
        ),
        forgery(
            "block-last-dropped",
            "the last block dropped, its secret kept",
            changed(&|blocks| drop(blocks.pop())),
            BAD,
        ),
        forgery(
            "blocks-reordered",
            "two blocks in the other order",
            changed(&|blocks| blocks.swap(0, 1)),
            BAD,
        ),
        forgery(
            "block-repeated",
            "the last block twice",
            changed(&|blocks| blocks.push(blocks[2].clone())),
            BAD,
        ),
        forgery(
            "block-contents-swapped",
            "contents of two blocks exchanged, signatures left",
            changed(&|blocks| {
                let first = blocks[0].block.clone();
                blocks[0].block = std::mem::replace(&mut blocks[1].block, first);
            }),
            BAD,
        ),
        forgery(
            "block-emptied",
            "the block that denies, emptied",
            changed(&|blocks| blocks[0].block = vec![0x18, 6]),
            BAD,
        ),
        forgery(
            "block-key-exchanged",
            "another key to hand on to",
            changed(&|blocks| blocks[0].next_key = public(&thief)),
            BAD,
        ),
        forgery(
            "block-forged",
            "a block by someone who was not handed the token",
            changed(&|blocks| {
                blocks[0] = signed(
                    &thief,
                    vec![0x18, 6],
                    blocks[0].next_key.clone(),
                    None,
                    Some(1),
                );
            }),
            BAD,
        ),
        forgery(
            "block-version-lowered",
            "a signature passed off as one of the older kind",
            changed(&|blocks| blocks[0].version = None),
            BAD,
        ),
        forgery(
            "block-version-unknown",
            "a signature of a version to come",
            Forge::honest(root).append_signed(vec![0x18, 6], Some(2)),
            "unsupported",
        ),
        forgery(
            "block-spliced",
            "a block of another token of the same root",
            changed(&|blocks| blocks[0] = spliced[0].clone()),
            BAD,
        ),
        forgery(
            "chain-spliced",
            "all blocks of another token of the same root",
            changed(&|blocks| *blocks = spliced.clone()),
            BAD,
        ),
        forgery(
            "old-block-dropped",
            "the first of two blocks with signatures of the older kind, dropped",
            old.clone().changed(|token| drop(token.blocks.remove(0))),
            BAD,
        ),
        forgery(
            "old-blocks-reordered",
            "blocks with signatures of the older kind, reordered",
            old.changed(|token| token.blocks.swap(0, 1)),
            BAD,
        ),
        forgery(
            "third-party-appended",
            "a third party's block",
            appended.changed(|token| token.blocks[0].external_signature = Some(external.clone())),
            "unsupported",
        ),
        forgery(
            "third-party-authority",
            "a third party's signature on the authority block",
            Forge::honest(root)
                .changed(|token| token.authority.external_signature = Some(external.clone())),
            "unsupported",
        ),
    ]
}

fn seals(root: &Root) -> Vec<Forgery> {
    let open = || Forge::honest(root).append(NARROW);
    let sealed = open().seal();
    let thief = SigningKey::from_bytes(&[9; 32]);
    let secret = || Some(Content::NextSecret(thief.to_bytes().to_vec()));
    let extended = |proof: Option<Content>| {
        sealed.clone().changed(|token| {
            token
                .blocks
                .push(signed(&thief, vec![0x18, 6], public(&thief), None, Some(1)));
            token.proof.content = proof;
        })
    };
    let seal = sealed.container.proof.content.clone();
    let proof = |content: Option<Content>| open().changed(|token| token.proof.content = content);
    vec![
        forgery(
            "sealed-extended",
            "a sealed token with a further block, the seal kept",
            extended(seal.clone()),
            BAD,
        ),
        forgery(
            "sealed-extended-opened",
            "a sealed token with a further block, the seal broken",
            extended(secret()),
            BAD,
        ),
        forgery(
            "seal-broken",
            "a sealed token opened with another's secret",
            sealed
                .clone()
                .changed(|token| token.proof.content = secret()),
            BAD,
        ),
        forgery(
            "seal-of-another",
            "the seal of another token",
            open()
                .append(NARROW)
                .changed(|token| token.proof.content = seal.clone()),
            BAD,
        ),
        forgery("proof-missing", "no proof", proof(None), "malformed"),
        forgery(
            "proof-of-another",
            "the secret of another key",
            proof(secret()),
            BAD,
        ),
        forgery(
            "proof-short",
            "a secret of 31 bytes",
            proof(Some(Content::NextSecret(vec![7; 31]))),
            "malformed",
        ),
        forgery(
            "seal-short",
            "a seal of 63 bytes",
            proof(Some(Content::FinalSignature(vec![7; 63]))),
            "malformed",
        ),
    ]
}
