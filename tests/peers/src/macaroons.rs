//! Macaroons as a peer: a chain of HMACs under a secret that issuer and service share.
//!
//! Fifteen caveats do the work of our three appended blocks, but for a single action; each is a line of text
//! that the service must know how to read. A macaroon cannot express "one of five grants", and a service that
//! can verify macaroons can also make them. Two libraries are measured, because the older one uses a C library
//! without the processor's SHA instructions.

use std::hint::black_box;

use crate::{
    sample::{BEYOND, WITHIN},
    variant::Variant,
};

const PATH: &str = "decode, verify, 15 caveats";
const KEY: &[u8] = b"a secret that issuer and service share";
const BLOCKS: usize = 3;

/// The caveats of the issuer, and of three holders.
const CAVEATS: [&str; 15] = [
    "service = erp",
    "action = purchase_order:create",
    "amount <= 10000",
    "currency = EUR",
    "vendor in acme,globex",
    "time < 2026-11-23T12:15:00Z",
    "amount <= 4200",
    "args in amount,currency,note,vendor",
    "time < 2026-11-23T12:05:00Z",
    "amount <= 4100",
    "args in amount,currency,note,vendor",
    "time < 2026-11-23T12:04:00Z",
    "amount <= 4000",
    "args in amount,currency,note,vendor",
    "time < 2026-11-23T12:03:00Z",
];

/// Returns true if both libraries deny a call that the macaroon does not allow, as they must.
pub(crate) fn denies() -> bool {
    let mut beyond = [with_libsodium::<BEYOND>(), in_rust::<BEYOND>()];
    !beyond.iter_mut().any(|variant| variant.time(1).is_ok())
}

pub(crate) fn variants<'a>() -> Vec<Variant<'a>> {
    vec![with_libsodium::<WITHIN>(), in_rust::<WITHIN>()]
}

fn with_libsodium<'a, const AMOUNT: i64>() -> Variant<'a> {
    use macaroon::{ByteString, Format, Macaroon, MacaroonKey, Verifier};
    macaroon::initialize().unwrap();
    let key = MacaroonKey::generate(KEY);
    let mut token = Macaroon::create(Some("erp".into()), &key, "01010101".into()).unwrap();
    for caveat in CAVEATS {
        token.add_first_party_caveat(caveat.into());
    }
    let text = token.serialize(Format::V2).unwrap();
    let mut verifier = Verifier::default();
    for exact in EXACT {
        verifier.satisfy_exact(exact.into());
    }
    verifier.satisfy_general(|caveat: &ByteString| holds::<AMOUNT>(&caveat.0));
    let name = ("macaroon 0.3.0 (libsodium)", PATH);
    Variant::repeated(name, BLOCKS, text.len(), move || {
        let token = Macaroon::deserialize(black_box(&text));
        token.is_ok_and(|token| verifier.verify(&token, &key, Vec::new()).is_ok())
    })
}

fn in_rust<'a, const AMOUNT: i64>() -> Variant<'a> {
    use libmacaroon::{Format, Macaroon, MacaroonKey, Verifier};
    let key = MacaroonKey::generate(KEY);
    let mut token = Macaroon::create(Some("erp"), &key, "01010101").unwrap();
    for caveat in CAVEATS {
        token.add_first_party_caveat(caveat).unwrap();
    }
    let text = token.serialize(Format::V2).unwrap();
    let mut verifier = Verifier::default();
    for exact in EXACT {
        verifier.satisfy_exact(exact);
    }
    verifier.satisfy_general(holds::<AMOUNT>);
    let name = ("libmacaroon 0.3.0", PATH);
    Variant::repeated(name, BLOCKS, text.len(), move || {
        let token = Macaroon::deserialize(black_box(&text));
        token.is_ok_and(|token| verifier.verify(&token, &key, &[]).is_ok())
    })
}

/// Caveats that hold for the call. The service accepts a caveat with exactly one of these texts.
const EXACT: [&str; 3] = [
    "service = erp",
    "action = purchase_order:create",
    "currency = EUR",
];

/// Checks a caveat that the service must parse and compare. The amount is a constant because one of the two
/// libraries accepts only functions, not closures.
fn holds<const AMOUNT: i64>(caveat: &[u8]) -> bool {
    let Ok(caveat) = std::str::from_utf8(caveat) else {
        return false;
    };
    if let Some(most) = caveat.strip_prefix("amount <= ") {
        most.parse::<i64>().is_ok_and(|most| AMOUNT <= most)
    } else if let Some(end) = caveat.strip_prefix("time < ") {
        "2026-11-23T12:00:00Z" < end
    } else if let Some(vendors) = caveat.strip_prefix("vendor in ") {
        vendors.split(',').any(|vendor| vendor == "acme")
    } else if let Some(names) = caveat.strip_prefix("args in ") {
        let named = |name: &&str| names.split(',').any(|known| known == *name);
        ["amount", "currency", "vendor", "note"].iter().all(named)
    } else {
        false
    }
}
