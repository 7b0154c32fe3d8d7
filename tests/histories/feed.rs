//! Tests of the laws of the revocation feed, over random histories.

use std::sync::LazyLock;

use bailiwick_testkit::{Root, SERVICE, claims, feed::Feed, now, toml};
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    datalog,
    revocation::{Party, Revocation, Target, Watermark},
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{Call, Trust, Verifier};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Tokens of two agents, two principals and two tenants, and tokens derived from them.
struct World {
    root: Root,
    tokens: Vec<(Token, Claims)>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = Root::new();
    let mut tokens = Vec::new();
    for number in 0..8_u8 {
        let pick = |bit: u8| ["a", "b"][usize::from(number >> bit & 1)];
        let claims = Claims {
            token_id: TokenId::from_bytes([number; 16]),
            agent: pick(0).to_owned(),
            principal: pick(1).to_owned(),
            tenant: (number < 6).then(|| pick(2).to_owned()),
            issued_at: now().minus(u64::from(number) * 10),
            ..claims()
        };
        let grants = toml("[[grant]]\nservice = \"erp\"\naction = \"order\"\n");
        let token = root.sign(&datalog::authority_block(&claims, &grants).expect("claims"));
        let caveat = Caveat {
            expires: Some(claims.expires.minus(1)),
            ..Caveat::default()
        };
        let child = token.attenuate(&caveat).expect("a child");
        tokens.extend([(token, claims.clone()), (child, claims)]);
    }
    World { root, tokens }
});

fn signatures(token: &Token) -> Vec<[u8; 64]> {
    let signatures = token.block_signatures().into_iter();
    signatures
        .map(|one| one.try_into().expect("64 bytes"))
        .collect()
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..400_u64).prop_map(|seconds| now().minus(200).plus(seconds))
}

fn target() -> impl Strategy<Value = Target> {
    let parties = select(vec![Party::Agent, Party::Principal, Party::Tenant]);
    let watermark =
        (parties, select(vec!["a", "b", "c"]), time()).prop_map(|(party, name, time)| {
            Target::Watermark(Watermark::new(party, name, time).expect("a name"))
        });
    let block = (0..WORLD.tokens.len(), 0..2_usize).prop_map(|(token, block)| {
        let signatures = signatures(&WORLD.tokens[token].0);
        Target::Block(signatures[block.min(signatures.len() - 1)])
    });
    prop_oneof![
        (0..10_u8).prop_map(|number| Target::Token(TokenId::from_bytes([number; 16]))),
        block,
        watermark,
    ]
}

fn history() -> impl Strategy<Value = Vec<Revocation>> {
    let change = (target(), option::weighted(0.8, time()));
    vec(
        change.prop_map(|(target, expires)| Revocation { target, expires }),
        1..12,
    )
}

/// Returns true for each token that a verifier refuses as revoked.
fn revoked(trust: &Trust, at: Timestamp) -> Vec<bool> {
    let verifier = Verifier::new(SERVICE, trust.clone()).expect("a service");
    let decide = |(token, _): &(Token, Claims)| {
        let decision = verifier.check(&token.to_base64(), &Call::new("order"), at);
        match decision.reason() {
            None => false,
            Some(reason) => {
                assert_eq!(reason.code(), "revoked");
                true
            }
        }
    };
    WORLD.tokens.iter().map(decide).collect()
}

/// Returns true for each token that these revocations name. This is implemented from the format's
/// documentation.
fn named(changes: &[Revocation], at: Timestamp) -> Vec<bool> {
    let named = |(token, claims): &(Token, Claims)| {
        let alive = changes.iter().filter(|change| !change.is_dead(at));
        let mut targets = alive.map(|change| &change.target);
        targets.any(|target| match target {
            Target::Token(id) => *id == claims.token_id,
            Target::Block(signature) => signatures(token).contains(signature),
            Target::Watermark(watermark) => {
                let name = match watermark.party() {
                    Party::Agent => Some(&claims.agent),
                    Party::Principal => Some(&claims.principal),
                    Party::Tenant => claims.tenant.as_ref(),
                };
                name.is_some_and(|name| name == watermark.name())
                    && claims.issued_at < watermark.issued_before()
            }
        })
    };
    WORLD.tokens.iter().map(named).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// A snapshot at n equals a snapshot at m plus the changes from m to n, however they are grouped.
    #[test]
    fn a_snapshot_is_what_the_changes_add_up_to(
        changes in history(),
        cut in 0.0..1.0_f64,
        steps in vec(1..4_usize, 0..6),
        pauses in vec(0..50_u64, 8),
    ) {
        let feed = Feed::new(&WORLD.root, changes);
        let n = feed.changes.len();
        let m = ((n as f64) * cut) as usize;
        let trust = WORLD.root.trust();
        // Time passes between heads, so that entries expire on the way.
        let mut at = now().minus(60);
        let mut step_by_step = feed.begin(&trust, m, at).expect("a snapshot");
        let begun = step_by_step.clone();
        let mut seq = m;
        for (step, pause) in steps.iter().zip(&pauses) {
            at = at.plus(*pause);
            seq = n.min(seq + step);
            step_by_step = feed.advance(&step_by_step, seq, at).expect("changes");
        }
        at = at.plus(pauses[7]);
        step_by_step = feed.advance(&step_by_step, n, at).expect("changes");
        let at_once = feed.advance(&begun, n, at).expect("changes");
        let (snapshot, head) = (feed.snapshot(m, now().minus(60)), feed.signed(&feed.head(n, at)));
        let lines = feed.lines(m, n);
        let together = trust
            .with_snapshot(snapshot.as_bytes(), head.as_bytes(), lines.as_bytes(), at)
            .expect("a snapshot and changes");
        let whole = feed.begin(&trust, n, at).expect("a snapshot");
        let file = Trust::open(
            WORLD.root.keyset().sign(&WORLD.root.keyset_key).to_json().as_bytes(),
            &WORLD.root.keyset_public(),
            Some(feed.snapshot(n, at).as_bytes()),
        );
        let expected = named(&feed.changes, at);
        for trust in [&step_by_step, &at_once, &together, &whole, &file.expect("a file")] {
            prop_assert_eq!(&revoked(trust, at), &expected);
            prop_assert_eq!(trust.position(), Some(feed.position(n)));
        }
        // Each trust may replace any other, because all belong to one history.
        let verifier = Verifier::new(SERVICE, step_by_step).expect("a service");
        for trust in [at_once, together, whole] {
            prop_assert_eq!(verifier.replace_trust(trust), Ok(()));
        }
    }

    /// Changes that were altered in transit are refused.
    #[test]
    fn nothing_but_the_history_leads_to_its_head(
        changes in history(),
        place in 0.0..1.0_f64,
        bit in 0..8_u8,
        swap in (0..12_usize, 0..12_usize),
    ) {
        let feed = Feed::new(&WORLD.root, changes);
        let n = feed.changes.len();
        let at = now();
        let begun = feed.begin(&WORLD.root.trust(), 0, at).expect("a snapshot");
        let head = feed.signed(&feed.head(n, at));
        let lines = feed.lines(0, n).into_bytes();
        let apply = |lines: &[u8]| begun.with_delta(head.as_bytes(), lines, at).is_ok();
        prop_assert!(apply(&lines));
        let index = ((lines.len() as f64) * place) as usize;
        let mut flipped = lines.clone();
        flipped[index] ^= 1 << bit;
        prop_assert!(!apply(&flipped));
        prop_assert!(!apply(&lines[..index]));
        prop_assert!(!apply(&lines[index.max(1)..]));
        let mut removed = lines.clone();
        removed.remove(index);
        prop_assert!(!apply(&removed));
        prop_assert!(!apply(&[&lines[..], b"\n"].concat()));
        let mut swapped = feed.clone();
        swapped.changes.swap(swap.0 % n, swap.1 % n);
        prop_assert_eq!(apply(swapped.lines(0, n).as_bytes()), swapped.changes == feed.changes);
        let mut omitted = feed.clone();
        omitted.changes.remove(swap.0 % n);
        prop_assert!(!apply(omitted.lines(0, n - 1).as_bytes()));

        let snapshot = feed.snapshot(n, at).into_bytes();
        let expected = named(&feed.changes, at);
        let trust = WORLD.root.trust();
        let read = |file: &[u8]| trust.with_snapshot(file, head.as_bytes(), b"", at);
        let index = ((snapshot.len() as f64) * place) as usize;
        let mut flipped = snapshot.clone();
        flipped[index] ^= 1 << bit;
        // The key hint beside the signature is not signed, and has no effect.
        if let Ok(trust) = read(&flipped) {
            prop_assert_eq!(&revoked(&trust, at), &expected);
            prop_assert!(index < snapshot.iter().position(|byte| *byte == b'\n').expect("a header"));
        }
        prop_assert!(read(&snapshot[..index]).is_err());
        prop_assert!(read(&[&snapshot[..], b" "].concat()).is_err());
    }
}
