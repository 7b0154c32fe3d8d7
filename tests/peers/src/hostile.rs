//! The cost of refusing hostile tokens, each compared with the cost of allowing an honest token of the closest
//! size. Hostile tokens may be larger than any honest token, or smaller.

use bailiwick_token::{
    caveat::Caveat,
    grant::{Grant, Grants},
    token::Token,
};
use bailiwick_verifier::{Reason, Verifier};
use biscuit_auth::{BlockBuilder, KeyPair, UnverifiedBiscuit, format::schema};
use prost::Message;

use crate::{
    sample::{Sample, request, text},
    variant::Variant,
};

pub(crate) const NAME: &str = "refused";
pub(crate) const HONEST: &str = "allowed, of the same size";

pub(crate) const FOUR: &str = "a self-join of four over 60 facts";
pub(crate) const EIGHT: &str = "a self-join of eight over 60 facts";

/// Two variants for each attack: the attack, and an honest token for comparison.
pub(crate) fn variants(sample: &Sample) -> Vec<Variant<'_>> {
    attacks(sample)
        .into_iter()
        .flat_map(|attack| {
            let honest = honest(sample, attack.name, (attack.token)().len());
            [refused(sample, attack), honest]
        })
        .chain(forged(sample))
        .collect()
}

/// The longest allowed chain with a wrong signature at its end, and the same chain unchanged.
fn forged(sample: &Sample) -> [Variant<'_>; 2] {
    const NAME: &str = "a wrong signature, the last of sixteen";
    let chain = || {
        let caveat = Caveat {
            scope: None,
            ..sample.caveat()
        };
        (0..15).fold(sample.mint(), |token, _| token.attenuate(&caveat).unwrap())
    };
    let token = move || {
        let mut token = schema::Biscuit::decode(chain().as_bytes()).unwrap();
        token.blocks[14].signature = token.blocks[13].signature.clone();
        text(&Token::from_bytes(token.encode_to_vec()).unwrap())
    };
    let attack = Attack {
        name: NAME,
        reason: Reason::BadSignature,
        token: Box::new(token),
    };
    let (verifier, request) = (sample.verifier(), request());
    let decide = move |text: &str| verifier.check(text, &request, sample.now).is_allow();
    let honest = Variant::fresh((HONEST, NAME), 15, move || text(&chain()), decide);
    [refused(sample, attack), honest]
}

struct Attack<'a> {
    name: &'static str,
    /// The expected reason for the denial.
    reason: Reason,
    token: Box<dyn Fn() -> String + 'a>,
}

fn attacks(sample: &Sample) -> Vec<Attack<'_>> {
    let block = |name, reason, code: String| Attack {
        name,
        reason,
        token: Box::new(move || appended(sample, &code)),
    };
    let regex = format!(
        r#"check if action($a), $a.matches("\\w{{400}}{}");"#,
        "\\\\w".repeat(20)
    );
    vec![
        block(FOUR, Reason::OutOfFuel, join(60, 4)),
        block(EIGHT, Reason::OutOfFuel, join(60, 8)),
        block(
            "the largest such join that is evaluated to its end",
            Reason::Caveat,
            join(largest(sample), 4),
        ),
        block("a regular expression", Reason::Unsupported, regex),
        block(
            "`time` as a fact",
            Reason::ReservedName,
            "time(2020-01-01T00:00:00Z);".to_owned(),
        ),
        block(
            "a disjunctive `reject if`",
            Reason::Unsupported,
            r#"reject if action("other") or service("erp");"#.to_owned(),
        ),
        Attack {
            name: "a P-256 key",
            reason: Reason::Unsupported,
            token: Box::new(|| with_p256(sample)),
        },
        block(
            "a container of 9 KB",
            Reason::TooLarge,
            format!(r#"delegate("{}");"#, "x".repeat(8400)),
        ),
    ]
}

fn refused<'a>(sample: &'a Sample, attack: Attack<'a>) -> Variant<'a> {
    let (verifier, request) = (sample.verifier(), request());
    let decide = move |text: &str| {
        let decision = verifier.check(text, &request, sample.now);
        decision.reason() == Some(attack.reason)
    };
    Variant::fresh((NAME, attack.name), 1, attack.token, decide)
}

fn honest<'a>(sample: &'a Sample, attack: &'static str, wire: usize) -> Variant<'a> {
    let (verifier, request) = (sample.verifier(), request());
    let filled = filled(sample, wire);
    let prepare = move || {
        let caveat = Caveat {
            expires: sample.caveat().expires,
            ..filled.clone()
        };
        text(&sample.mint().attenuate(&caveat).unwrap())
    };
    let decide = move |text: &str| verifier.check(text, &request, sample.now).is_allow();
    Variant::fresh((HONEST, attack), 1, prepare, decide)
}

/// A caveat that fills a token up to this many characters, as far as the profile permits, with alternatives and
/// a description.
fn filled(sample: &Sample, wire: usize) -> Caveat {
    const MOST_GRANTS: usize = 58;
    const MOST_TEXT: usize = 8 * 1024 / 3 * 4;
    let wire = wire.min(MOST_TEXT);
    let minted = sample.mint();
    let length = |caveat: &Caveat| minted.attenuate(caveat).map(|token| text(&token).len());
    let fits = |caveat: &Caveat| length(caveat).is_ok_and(|length| length <= wire);
    let mut caveat = Caveat {
        scope: None,
        ..sample.caveat()
    };
    let base = sample.caveat().scope.unwrap();
    for more in 0..MOST_GRANTS - base.len() {
        let mut grants: Vec<Grant> = base.iter().cloned().collect();
        grants.extend((0..more).map(|n| Grant::new("erp", &format!("document_{n:02}:read"))));
        let wider = Caveat {
            scope: Some(Grants::new(grants).unwrap()),
            ..caveat.clone()
        };
        if !fits(&wider) {
            break;
        }
        caveat = wider;
    }
    let described = |length: usize| Caveat {
        task: Some("x".repeat(length)),
        ..caveat.clone()
    };
    let room = wire.saturating_sub(length(&caveat).unwrap());
    let longest = (1..=room).rev().map(described).find(fits);
    longest.unwrap_or(caveat)
}

/// Facts, and a check that tries every combination of `ways` of them, and fails.
fn join(facts: usize, ways: usize) -> String {
    let variables: Vec<String> = (0..ways).map(|n| format!("$v{n}")).collect();
    let facts: String = (0..facts).map(|n| format!("f({n}); ")).collect();
    let body: String = variables.iter().map(|v| format!("f({v}), ")).collect();
    format!("{facts} check if {body} {} < 0;", variables.join(" + "))
}

/// The largest number of facts for which the fuel suffices.
fn largest(sample: &Sample) -> usize {
    let (verifier, request): (Verifier, _) = (sample.verifier(), request());
    let ends = |facts: &usize| {
        let token = appended(sample, &join(*facts, 4));
        verifier.check(&token, &request, sample.now).reason() == Some(Reason::Caveat)
    };
    (1..60).take_while(ends).last().unwrap()
}

fn appended(sample: &Sample, code: &str) -> String {
    let block = BlockBuilder::new().code(code).unwrap();
    let token = unverified(&sample.mint()).append(block).unwrap();
    token.to_base64().unwrap()
}

fn with_p256(sample: &Sample) -> String {
    let key = KeyPair::new_with_algorithm(biscuit_auth::Algorithm::Secp256r1);
    let block = BlockBuilder::new().code(r#"delegate("x");"#).unwrap();
    let token = unverified(&sample.mint()).append_with_keypair(&key, block);
    token.unwrap().to_base64().unwrap()
}

fn unverified(token: &Token) -> UnverifiedBiscuit {
    UnverifiedBiscuit::from(token.as_bytes()).unwrap()
}
