//! Tests that the memo and batches affect only the cost of a verification, not its outcome.

use biscuit_auth::{Biscuit, KeyPair, PrivateKey, builder::BlockBuilder};

use super::{link::chain, *};

/// Makes a token with this number of appended blocks, and its root key.
fn token(blocks: usize) -> (Container, PublicKey) {
    let secret = [7; 32];
    let private = PrivateKey::from_bytes(&secret, biscuit_auth::Algorithm::Ed25519).unwrap();
    let root = ed25519_dalek::SigningKey::from_bytes(&secret).verifying_key();
    let built = Biscuit::builder().code("f(1);").unwrap();
    let built = built.build(&KeyPair::from(&private)).unwrap();
    let built = (0..blocks).fold(built, |token, _| {
        token
            .append(BlockBuilder::new().code("check if true;").unwrap())
            .unwrap()
    });
    let token = Container::from_bytes(built.to_vec().unwrap()).unwrap();
    (token, PublicKey::try_from(root).unwrap())
}

#[test]
fn only_verified_signatures_are_remembered() {
    let (token, root) = token(3);
    let key = Key::Ed25519(root);
    let chain = chain(&token, &key, ThirdParties::Current).unwrap();
    let last = token.signed_blocks().last().unwrap().next_key.key.clone();
    let memo = Memo::default();
    let held = || {
        chain
            .links
            .iter()
            .filter(|link| memo.holds(&link.digest()))
            .count()
    };

    let other = PublicKey::from_bytes(
        token
            .signed_blocks()
            .next()
            .unwrap()
            .next_key
            .key
            .as_slice(),
    );
    assert!(verify_remembering(&token, &other.unwrap(), &memo).is_err());
    assert_eq!((held(), memo.key(&last)), (0, None));

    verify_remembering(&token, &root, &memo).unwrap();
    assert_eq!(held(), 4);
    assert_eq!(
        memo.key(&last).map(|key| key.as_bytes().to_vec()),
        Some(last)
    );
}

#[test]
fn the_wrong_one_of_any_number_is_named() {
    for blocks in 1..=16 {
        let (token, root) = token(blocks);
        let key = Key::Ed25519(root);
        let chain = chain(&token, &key, ThirdParties::Current).unwrap();
        let good = || read(chain.links.iter(), None).unwrap();
        let refs = |links: &[Readable<'_>]| batch::batch(&links.iter().collect::<Vec<_>>());
        assert!(batch::verify(&good()).is_ok() && refs(&good()));
        for wrong in 0..=blocks {
            let mut links = good();
            links[wrong].message = links[(wrong + 1) % links.len()].message;
            assert!(!refs(&links));
            assert_eq!(
                batch::verify(&links),
                Err(ChainError::Signature(Signed::Block(wrong))),
                "of {blocks}"
            );
        }
    }
}
