//! Snapshots of one revocation each, and the tokens that it revokes.

use bailiwick_testkit::{Root, feed::Feed, forge::Forge, now};
use bailiwick_token::{
    revocation::{Party, Revocation, Target, Watermark},
    token::Token,
};

use super::{
    super::file::ALLOW,
    Case,
    made::{REVOKED, case, file, id, revocation, with_line},
};

pub(super) fn all(root: &Root, token: &Forge) -> Vec<Case> {
    let token = Token::parse(&token.text()).expect("a token");
    let signatures = token.block_signatures();
    let block =
        |place: usize| Target::Block(signatures[place].as_slice().try_into().expect("64 bytes"));
    let minted = now().minus(60);
    let before = |party, name: &str, time| {
        Target::Watermark(Watermark::new(party, name, time).expect("a name"))
    };
    let agent = |time| before(Party::Agent, "agent:orchestrator", time);
    let one = |name: &str, about: &str, target: Target, decision: &str| {
        let snapshot = Feed::new(root, [revocation(target)]).snapshot(1, now());
        case(name, about, file(snapshot), true, decision)
    };
    let ended = Revocation {
        expires: Some(now().minus(61)),
        ..revocation(Target::Token(id(0x40)))
    };
    let lingering = Revocation {
        expires: Some(now().minus(60)),
        ..ended.clone()
    };
    vec![
        case(
            "nothing-revoked",
            "a snapshot without entries",
            file(Feed::new(root, []).snapshot(0, now())),
            true,
            ALLOW,
        ),
        one("token", "the token's id", Target::Token(id(0x40)), REVOKED),
        one(
            "another-token",
            "the id of another token",
            Target::Token(id(0x41)),
            ALLOW,
        ),
        one(
            "authority-block",
            "the signature of its first block",
            block(0),
            REVOKED,
        ),
        one(
            "appended-block",
            "the signature of its last block",
            block(1),
            REVOKED,
        ),
        one(
            "another-block",
            "the signature of a block of another token",
            Target::Block([7; 64]),
            ALLOW,
        ),
        one(
            "agent",
            "all tokens of its agent, issued before the next second",
            agent(minted.plus(1)),
            REVOKED,
        ),
        one(
            "agent-from-then-on",
            "all tokens of its agent, issued before the second in which it was minted",
            agent(minted),
            ALLOW,
        ),
        one(
            "principal",
            "all tokens of its principal",
            before(Party::Principal, "team:procurement", now()),
            REVOKED,
        ),
        one(
            "delegate",
            "an agent with the name of a delegate: no decision depends on descriptions",
            before(Party::Agent, "agent:buyer", now()),
            ALLOW,
        ),
        one(
            "tenant",
            "all tokens of a tenant: a token without a tenant is not one of them",
            before(Party::Tenant, "acme-emea", now()),
            ALLOW,
        ),
        case(
            "entry-of-a-minute-ago",
            "an entry is valid for 60 seconds after its expiry, by the time in the signed file",
            file(only(root, lingering)),
            true,
            REVOKED,
        ),
        case(
            "entry-that-ended",
            "an entry that expired 61 seconds before the file was signed",
            file(only(root, ended)),
            true,
            ALLOW,
        ),
    ]
}

/// A snapshot of one entry. The entry may have expired, although an issuer would then have left it out.
fn only(root: &Root, entry: Revocation) -> String {
    with_line(root, &entry.to_line())
}
