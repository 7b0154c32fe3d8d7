//! Biscuits whose signatures hold, and which are not tokens of the profile. Only its verifiers refuse them.

use bailiwick_testkit::{
    Root,
    foreign::{Foreign, Pair},
    forge::{self, AUTHORITY, Forge, authority_without},
};

use super::{
    Case, Signatures,
    forged::refused,
    honest::{ORDER, buyer},
};

/// The only call that tokens of [`AUTHORITY`] grant.
const SMALL_ORDER: &str = r#"{"action":"order"}"#;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = names(root);
    all.extend(language(root));
    all
}

/// Facts and rules that are not the writer's to state.
fn names(root: &Root) -> Vec<Case> {
    let appended = |code: &str| buyer(root).append(code);
    let authority = |code: &str| Forge::authority(root, &format!("{AUTHORITY}{code}"));
    vec![
        valid(
            "states-time",
            "an appended block states the time to itself, which would outlive its own end",
            &appended("time(2020-01-01T00:00:00Z); check if time($t), $t < 2020-06-01T00:00:00Z;"),
            ORDER,
            "reserved_name",
        ),
        valid(
            "states-action",
            "an appended block states an action",
            &appended("action(\"purchase_order:read\");"),
            ORDER,
            "reserved_name",
        ),
        valid(
            "authority-states-args",
            "an authority block states the arguments",
            &authority("args({\"\"});"),
            SMALL_ORDER,
            "reserved_name",
        ),
        valid(
            "another-agent",
            "an appended block claims another agent",
            &appended("agent(\"agent:admin\");"),
            ORDER,
            "reserved_name",
        ),
        valid(
            "grants-as-fact",
            "an appended block states that the call is granted",
            &appended("grant(\"purchase_order:delete\");"),
            r#"{"action":"purchase_order:delete"}"#,
            "reserved_name",
        ),
        valid(
            "grants-by-rule",
            "an appended block grants by a rule",
            &appended("mine($a) <- action($a);"),
            ORDER,
            "unsupported",
        ),
    ]
}

/// Biscuits that are sound by themselves and not tokens of the profile.
fn language(root: &Root) -> Vec<Case> {
    let appended = |code: &str| buyer(root).append(code);
    let authority = |code: &str| Forge::authority(root, code);
    let with = |code: &str| authority(&format!("{AUTHORITY}{code}"));
    let third = Foreign::authority(
        &Pair::Ed25519(root.key.clone()),
        AUTHORITY,
        Pair::ed25519(70),
        1,
    )
    .append_third_party(
        "check if action(\"order\");",
        &Pair::ed25519(9),
        Pair::ed25519(71),
        1,
    )
    .changed(|token| token.root_key_id = Some(root.key_id().as_u32()));
    let mut many = buyer(root);
    for _ in 0..16 {
        many = many.append("");
    }
    vec![
        refused(
            "third-party",
            "a block that a third party signed",
            forge::text(&third.bytes()),
            Signatures::Valid,
            SMALL_ORDER,
            "unsupported",
        ),
        valid(
            "bound-to-a-key",
            "a token that is bound to its holder's key must not pass as a bearer token",
            &with(&format!("holder(hex:{});", "07".repeat(32))),
            SMALL_ORDER,
            "unsupported",
        ),
        valid(
            "no-profile",
            "a Biscuit that names no profile",
            &authority(&authority_without("profile")),
            SMALL_ORDER,
            "not_profile",
        ),
        valid(
            "later-profile",
            "a Biscuit of a profile that is not known here",
            &authority(&AUTHORITY.replace("bailiwick/1", "bailiwick/2")),
            SMALL_ORDER,
            "not_profile",
        ),
        valid(
            "no-end",
            "a token without an end",
            &authority(&authority_without("check if time($t), $t <")),
            SMALL_ORDER,
            "not_profile",
        ),
        valid(
            "two-agents",
            "an authority block that names two agents",
            &with("agent(\"agent:admin\");"),
            SMALL_ORDER,
            "not_profile",
        ),
        valid(
            "reject-if",
            "`reject if` passes where a fact is absent",
            &appended("reject if action(\"purchase_order:delete\");"),
            ORDER,
            "unsupported",
        ),
        valid(
            "regular-expression",
            "a regular expression",
            &appended("check if action($a), $a.matches(\"^purchase\");"),
            ORDER,
            "unsupported",
        ),
        valid(
            "trusting",
            "a check that trusts other blocks",
            &appended("check if action($a) trusting previous;"),
            ORDER,
            "unsupported",
        ),
        valid(
            "depth-from-below",
            "a check that an appended block would make true",
            &appended("check if depth($d), $d >= 2;"),
            ORDER,
            "unsupported",
        ),
        valid(
            "seventeen-blocks",
            "more blocks than the profile allows",
            &many,
            ORDER,
            "too_large",
        ),
    ]
}

fn valid(name: &str, about: &str, token: &Forge, call: &str, reason: &str) -> Case {
    refused(name, about, token.text(), Signatures::Valid, call, reason)
}
