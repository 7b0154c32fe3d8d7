//! Tokens whose signatures do not verify, and texts that are not tokens. `tests/hostile/corpus` has more of them.

use bailiwick_testkit::{
    Root,
    forge::{self, Forge},
    grant, now, scope, toml,
};
use bailiwick_token::{caveat::Caveat, key::KeyId};
use biscuit_auth::format::schema::proof::Content;

use super::{
    super::file::decided,
    Case, Signatures,
    honest::{ORDER, buyer, handed_on, named},
};

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = chains(root);
    all.extend(roots(root));
    all.extend(texts(root));
    all
}

/// Blocks that are changed, dropped, or taken from another token.
fn chains(root: &Root) -> Vec<Case> {
    let narrow = scope(toml(&grant("erp", "purchase_order:read")));
    let narrowed = handed_on(root, &buyer(root), &narrow);
    let twice = handed_on(root, &narrowed, &Caveat::new().expires(now().plus(60)));
    let wide = scope(toml(&grant("erp", "*")));
    let mint = root.mint_with(&named(0x21), &toml(&grant("erp", "*")));
    let other = handed_on(root, &Forge::copy(root, &mint, 60), &wide);
    let spliced = other.container.blocks[0].clone();
    let next_key = buyer(root).container.proof.content.clone();
    vec![
        invalid(
            "bad-signature",
            "one bit of the last block's signature is flipped",
            &narrowed
                .clone()
                .changed(|token| token.blocks[0].signature[0] ^= 1),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "changed-block",
            "a changed byte makes an appended block unreadable, which is reported before its signature",
            &narrowed
                .clone()
                .changed(|token| token.blocks[0].block[2] ^= 1),
            ORDER,
            "malformed",
        ),
        invalid(
            "spliced-block",
            "the scope is replaced by a wider one, which was signed for another token",
            &narrowed.clone().changed(|token| {
                token.blocks[0] = spliced;
                token.proof = other.container.proof.clone();
            }),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "dropped-block",
            "the scope is removed from between two blocks",
            &twice.clone().changed(|token| {
                token.blocks.remove(0);
            }),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "dropped-last-block",
            "the scope is removed from the end, and the last proof is kept",
            &narrowed.clone().changed(|token| token.blocks.clear()),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "swapped-blocks",
            "two blocks are swapped",
            &twice.changed(|token| token.blocks.swap(0, 1)),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "unsealed",
            "a seal is replaced by the secret of another block",
            &narrowed
                .seal()
                .changed(|token| token.proof.content = next_key),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "seal-of-zeros",
            "a seal that nobody signed",
            &buyer(root)
                .changed(|token| token.proof.content = Some(Content::FinalSignature(vec![0; 64]))),
            ORDER,
            "bad_signature",
        ),
    ]
}

fn roots(root: &Root) -> Vec<Case> {
    let other = Root::from_seeds(3, 4);
    let id = root.key_id().as_u32();
    let named_as =
        |id| move |token: &mut biscuit_auth::format::schema::Biscuit| token.root_key_id = id;
    vec![
        invalid(
            "own-root",
            "signed by a root key that the keyset does not list",
            &buyer(&other),
            ORDER,
            "unknown_key",
        ),
        invalid(
            "own-root-under-a-true-name",
            "signed by another root key, under the id of the listed one",
            &buyer(&other).changed(named_as(Some(id))),
            ORDER,
            "bad_signature",
        ),
        invalid(
            "no-root-named",
            "a good token that names no root key",
            &buyer(root).changed(named_as(None)),
            ORDER,
            "unknown_key",
        ),
        invalid(
            "unknown-root-named",
            "a good token that names a key that the keyset does not list",
            &buyer(root).changed(named_as(Some(KeyId::from_u32(7).as_u32()))),
            ORDER,
            "unknown_key",
        ),
    ]
}

/// Texts that are not tokens.
fn texts(root: &Root) -> Vec<Case> {
    let good = buyer(root).text();
    let mut cut = buyer(root).bytes();
    cut.truncate(cut.len() - 10);
    let standard = good.replace('-', "+").replace('_', "/");
    assert_ne!(good, standard, "nothing tells the alphabets apart");
    let (start, end) = good.split_at(40);
    // If the number of bytes is not a multiple of three, the last character has bits left over.
    let bare = good.trim_end_matches('=');
    assert_ne!(good, bare, "no bits are left over");
    let (most, last) = bare.split_at(bare.len() - 1);
    let last = char::from(last.as_bytes()[0] + 1);
    let unreadable = |name, about, text: String| {
        refused(name, about, text, Signatures::Invalid, ORDER, "malformed")
    };
    vec![
        unreadable("empty", "no text", String::new()),
        unreadable(
            "cut-off",
            "the last ten bytes are missing",
            forge::text(&cut),
        ),
        unreadable("standard-base64", "the alphabet with `+` and `/`", standard),
        Case {
            unreadable: true,
            ..unreadable(
                "bits-left-over",
                "a last character with bits that belong to no byte",
                format!("{most}{last}"),
            )
        },
        Case {
            unreadable: true,
            ..unreadable(
                "white-space-within",
                "white space within the text",
                format!("{start} {end}"),
            )
        },
        unreadable(
            "not-base64",
            "a JWT's first part",
            "eyJhbGciOiJFZERTQSJ9.e30".to_owned(),
        ),
    ]
}

fn invalid(name: &str, about: &str, token: &Forge, call: &str, reason: &str) -> Case {
    refused(name, about, token.text(), Signatures::Invalid, call, reason)
}

pub(super) fn refused(
    name: &str,
    about: &str,
    token: String,
    signatures: Signatures,
    call: &str,
    reason: &str,
) -> Case {
    Case {
        name: name.to_owned(),
        about: about.to_owned(),
        time: now(),
        token,
        signatures,
        misformed: false,
        reads: None,
        unreadable: false,
        calls: vec![decided(call, reason)],
    }
}
