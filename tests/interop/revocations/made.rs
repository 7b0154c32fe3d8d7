//! The revocations of the file, as an issuer signs them.

use bailiwick_testkit::{Root, claims, feed::Feed, forge::Forge, grant, now, toml};
use bailiwick_token::{
    caveat::Caveat,
    claims::TokenId,
    dsse::Envelope,
    revocation::{Digest, Revocation, SNAPSHOT_TYPE, Target},
};

use super::{
    super::tokens::{handed_on, named},
    Case, Offer, feeds, files, lines, targets,
};

pub(super) const REVOKED: &str = "revoked";
pub(super) const STALE: &str = "stale_keyset";

/// The token that the revocations are about: minted a minute before [`now`], and narrowed once.
pub(super) fn token(root: &Root) -> Forge {
    let minted = Forge::copy(
        root,
        &root.mint_with(&named(0x40), &toml(&grant("erp", "*"))),
        120,
    );
    handed_on(root, &minted, &Caveat::new().delegate("agent:buyer"))
}

pub(super) fn cases(root: &Root, token: &Forge) -> Vec<Case> {
    let mut cases = targets::all(root, token);
    cases.extend(lines::all(root, token));
    cases.extend(files::all(root));
    cases.extend(feeds::all(root));
    cases
}

pub(super) fn case(
    name: &str,
    about: &str,
    offered: Offer,
    accepted: bool,
    decision: &str,
) -> Case {
    Case {
        name: name.to_owned(),
        about: about.to_owned(),
        time: now(),
        before: Vec::new(),
        offered,
        accepted,
        decision: decision.to_owned(),
    }
}

pub(super) fn file(snapshot: String) -> Offer {
    Offer {
        time: now(),
        snapshot: Some(snapshot),
        head: None,
        changes: String::new(),
    }
}

pub(super) fn id(byte: u8) -> TokenId {
    TokenId::from_bytes([byte; 16])
}

pub(super) fn revocation(target: Target) -> Revocation {
    Revocation {
        target,
        expires: Some(claims().expires),
    }
}

/// A snapshot with an entry that this product would not write.
pub(super) fn with_line(root: &Root, line: &str) -> String {
    with_header(root, line, |header| header)
}

/// The same, with a header that this product would not write.
pub(super) fn with_header(
    root: &Root,
    line: &str,
    change: impl FnOnce(String) -> String,
) -> String {
    let feed = Feed::new(root, [revocation(Target::Token(id(0x41)))]);
    let good = feed.snapshot(1, now());
    let envelope =
        Envelope::parse(good.lines().next().expect("a header").as_bytes()).expect("an envelope");
    let lines = format!("{line}\n");
    let header = String::from_utf8(envelope.payload).expect("JSON");
    let old = Digest::of(good.split_once('\n').expect("lines").1.as_bytes());
    let new = Digest::of(lines.as_bytes());
    let header = header.replace(&old.to_string(), &new.to_string());
    let header = change(header);
    let signed = Envelope::sign(SNAPSHOT_TYPE, header.into_bytes(), &root.keyset_key);
    format!("{}\n{lines}", signed.to_json())
}
