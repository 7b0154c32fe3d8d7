//! Dates after the year 9999, which Datalog has and RFC 3339 has not.

use bailiwick_testkit::{
    Root,
    forge::{self, AUTHORITY, Forge},
};
use bailiwick_token::timestamp::Timestamp;
use biscuit_auth::{
    datalog::SymbolTable,
    format::schema::{self, Term, op, term::Content},
};
use prost::Message;

use super::{Case, Signatures, forged::refused, honest::case};

/// The only call that tokens of [`AUTHORITY`] grant.
const SMALL_ORDER: &str = r#"{"action":"order"}"#;

const YEAR_10000: u64 = 253_402_300_800;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = appended(root);
    all.extend(authorities(root));
    all
}

/// Checks of holders. One on a later time is no limit that a reader shows, and verifiers evaluate it like any other.
fn appended(root: &Root) -> Vec<Case> {
    let check = |operator: &str, seconds: u64| {
        let code = format!("check if time($t), $t {operator} 2026-11-23T12:00:00Z;");
        Forge::honest(root).append_changed(&code, |block| set_limit(block, 0, seconds))
    };
    let case =
        |name, about, token: &Forge, decision| case(name, about, token, &[(SMALL_ORDER, decision)]);
    vec![
        case(
            "appended-end-in-year-10000",
            "an appended expiry in the first second of the year 10000",
            &check("<", YEAR_10000),
            "allow",
        ),
        case(
            "appended-end-2-56",
            "an appended expiry of 2^56 seconds, which some languages have no date for",
            &check("<", 1 << 56),
            "allow",
        ),
        case(
            "appended-end-2-62",
            "an appended expiry of 2^62 seconds, which some systems have no date for",
            &check("<", 1 << 62),
            "allow",
        ),
        case(
            "appended-last-second-of-9999",
            "an appended `<=` of the last second of 9999, which is an expiry in the year 10000",
            &check("<=", Timestamp::MAX.unix()),
            "allow",
        ),
        case(
            "appended-last-second-of-64-bits",
            "an appended `<=` of the largest date, to which no second can be added",
            &check("<=", u64::MAX),
            "allow",
        ),
        case(
            "appended-start-2-56",
            "an appended start time of 2^56 seconds",
            &check(">=", 1 << 56),
            "caveat",
        ),
        case(
            "appended-start-2-62",
            "an appended start time of 2^62 seconds",
            &check(">=", 1 << 62),
            "caveat",
        ),
        case(
            "appended-start-in-9999",
            "an appended start time in the last second of 9999, which is a limit",
            &check(">=", Timestamp::MAX.unix()),
            "not_yet_valid",
        ),
    ]
}

/// Authority blocks. All their times are within the years 1970 to 9999, so none of these is one of the profile.
fn authorities(root: &Root) -> Vec<Case> {
    let issued = |seconds| changed(root, |block| set_issued_at(block, seconds));
    let starts = |seconds| changed(root, |block| set_limit(block, 0, seconds));
    let ends = |seconds| changed(root, |block| set_limit(block, 1, seconds));
    [
        (
            "issued-in-year-10000",
            "an `issued_at` in the year 10000",
            issued(YEAR_10000),
        ),
        (
            "issued-2-56",
            "an `issued_at` of 2^56 seconds",
            issued(1 << 56),
        ),
        (
            "issued-2-62",
            "an `issued_at` of 2^62 seconds",
            issued(1 << 62),
        ),
        (
            "starts-2-62",
            "a start time of 2^62 seconds",
            starts(1 << 62),
        ),
        (
            "starts-2-62-narrowed",
            "the same with an appended start time, which does not stand in for the issuer's",
            starts(1 << 62).append("check if time($t), $t >= 2026-11-23T11:59:00Z;"),
        ),
        (
            "ends-in-year-10000",
            "an expiry in the first second of the year 10000",
            ends(YEAR_10000),
        ),
        ("ends-2-62", "an expiry of 2^62 seconds", ends(1 << 62)),
        (
            "ends-2-62-narrowed",
            "the same with an appended expiry, which does not stand in for the issuer's",
            ends(1 << 62).append("check if time($t), $t < 2026-11-23T12:05:00Z;"),
        ),
    ]
    .map(|(name, about, token)| Case {
        unreadable: true,
        ..refused(
            name,
            about,
            token.text(),
            Signatures::Valid,
            SMALL_ORDER,
            "not_profile",
        )
    })
    .into()
}

fn changed(root: &Root, change: impl FnOnce(&mut schema::Block)) -> Forge {
    let mut symbols = SymbolTable::new();
    let mut block = forge::block(AUTHORITY, &mut symbols);
    change(&mut block);
    let mut token = Forge::authority_bytes(root, block.encode_to_vec());
    token.symbols = symbols;
    token
}

/// Replaces the date of a check on the time.
fn set_limit(block: &mut schema::Block, check: usize, seconds: u64) {
    let ops = &mut block.checks[check].queries[0].expressions[0].ops;
    ops[1].content = Some(op::Content::Value(date(seconds)));
}

fn set_issued_at(block: &mut schema::Block, seconds: u64) {
    let mut dated = block.facts.iter_mut().filter(|fact| {
        let [term] = fact.predicate.terms.as_slice() else {
            return false;
        };
        matches!(term.content, Some(Content::Date(_)))
    });
    dated.next().expect("a fact with a date").predicate.terms = vec![date(seconds)];
}

fn date(seconds: u64) -> Term {
    Term {
        content: Some(Content::Date(seconds)),
    }
}
