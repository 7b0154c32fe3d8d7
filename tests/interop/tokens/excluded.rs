//! Biscuits with valid signatures that are not tokens of the profile. Only verifiers of the profile refuse them.

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
    all.extend(reserved(root));
    all.extend(authorities(root));
    all.extend(language(root));
    all.extend(expressions(root));
    all
}

/// The other names that a holder must not state.
fn reserved(root: &Root) -> Vec<Case> {
    let mut cases: Vec<Case> = [
        "service",
        "resource",
        "arg",
        "num",
        "date",
        "json",
        "depth",
        "approval",
        "request_digest",
        "now",
        "profile",
        "issuer",
        "token_id",
        "principal",
        "issued_at",
        "tenant",
        "holder",
    ]
    .map(|name| {
        valid(
            &format!("states-{name}"),
            &format!("an appended block states `{name}`"),
            &Forge::honest(root).append(&format!("{name}(\"x\");")),
            SMALL_ORDER,
            "reserved_name",
        )
    })
    .into();
    cases.extend([
        valid(
            "derives-grant",
            "an appended block grants by a rule: the reserved name is reported before the rule",
            &Forge::honest(root).append("grant($a) <- action($a);"),
            SMALL_ORDER,
            "reserved_name",
        ),
        valid(
            "authority-derives-args",
            "an authority block derives the arguments",
            &Forge::authority(root, &format!("{AUTHORITY}args($n) <- args($n);")),
            SMALL_ORDER,
            "reserved_name",
        ),
    ]);
    cases
}

/// Authority blocks that break the profile.
fn authorities(root: &Root) -> Vec<Case> {
    let replaced = |beginning: &str, line: &str| {
        let rest = authority_without(beginning);
        Forge::authority(root, &format!("{rest}{line}"))
    };
    let with = |code: &str| Forge::authority(root, &format!("{AUTHORITY}{code}"));
    let claims: String = (0..33)
        .map(|index| format!("claim(\"{index}\", \"x\");"))
        .collect();
    let of = |name, about, token: Forge| valid(name, about, &token, SMALL_ORDER, "not_profile");
    vec![
        of(
            "no-beginning",
            "a token without a start time",
            replaced("check if time($t), $t >=", ""),
        ),
        of(
            "end-or-true",
            "an expiry with an alternative",
            Forge::authority(root, &AUTHORITY.replace("12:15:00Z;", "12:15:00Z or true;")),
        ),
        of(
            "another-issuer",
            "another issuer's name, signed by a root key in this issuer's keyset",
            Forge::authority(root, &AUTHORITY.replace("issuer.example", "other.example")),
        ),
        of(
            "short-token-id",
            "an id of 15 bytes",
            replaced("token_id(", &format!("token_id(hex:{});", "07".repeat(15))),
        ),
        of(
            "empty-name",
            "an agent with an empty name",
            replaced("agent(", "agent(\"\");"),
        ),
        of(
            "long-name",
            "a principal whose name has 513 bytes",
            replaced(
                "principal(",
                &format!("principal(\"{}\");", "n".repeat(513)),
            ),
        ),
        of(
            "control-character",
            "a control character in the name of an agent, which no watermark can name",
            replaced("agent(", "agent(\"agent:\u{7}\");"),
        ),
        of(
            "name-of-another-type",
            "an agent that is a number",
            replaced("agent(", "agent(7);"),
        ),
        of(
            "two-tenants",
            "two tenants",
            with("tenant(\"a\"); tenant(\"b\");"),
        ),
        of(
            "claim-twice",
            "two values of one claim",
            with("claim(\"a\", \"b\"); claim(\"a\", \"c\");"),
        ),
        of(
            "claim-of-another-type",
            "a claim that is a number",
            with("claim(\"a\", 1);"),
        ),
        of("thirty-three-claims", "one claim too many", with(&claims)),
        of(
            "delegate-of-the-issuer",
            "a fact that only appended blocks have",
            with("delegate(\"agent:buyer\");"),
        ),
        of(
            "unknown-fact",
            "a fact that the profile does not have",
            with("colour(\"red\");"),
        ),
        of(
            "unknown-rule",
            "a rule that is not a grant",
            with("colour($a) <- action($a);"),
        ),
        of(
            "grant-of-two",
            "a grant of two terms",
            with("grant($a, $a) <- action($a);"),
        ),
    ]
}

/// Facts and rules that the writer of the block must not state.
fn names(root: &Root) -> Vec<Case> {
    let appended = |code: &str| buyer(root).append(code);
    let authority = |code: &str| Forge::authority(root, &format!("{AUTHORITY}{code}"));
    vec![
        valid(
            "states-time",
            "an appended block states the time itself, so it would outlive its own expiry",
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

/// Valid Biscuits that are not tokens of the profile.
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
        Case {
            misformed: true,
            ..refused(
                "third-party",
                "a block that a third party signed",
                forge::text(&third.bytes()),
                Signatures::Valid,
                SMALL_ORDER,
                "unsupported",
            )
        },
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
            "a Biscuit of an unknown profile",
            &authority(&AUTHORITY.replace("bailiwick/1", "bailiwick/2")),
            SMALL_ORDER,
            "not_profile",
        ),
        valid(
            "no-end",
            "a token without an expiry",
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

/// Operations and forms of `depth` that the profile does not have.
fn expressions(root: &Root) -> Vec<Case> {
    let appended = |code: &str| Forge::honest(root).append(code);
    let of = |name, about, token: Forge| valid(name, about, &token, SMALL_ORDER, "unsupported");
    let bounded = AUTHORITY.replace(
        "action(\"order\");",
        "action(\"order\"), depth($d), $d <= 3;",
    );
    vec![
        of(
            "grant-on-grant",
            "a grant that depends on a grant",
            Forge::authority(
                root,
                &format!("{AUTHORITY}grant($x) <- action($x), grant(\"read\");"),
            ),
        ),
        of(
            "check-on-a-bounded-grant",
            "a check that looks for grants, one of which limits `depth`",
            Forge::authority(root, &bounded).append("check if grant(\"order\");"),
        ),
        of(
            "depth-not-last",
            "a limit on `depth` before another expression, whose error it could hide",
            appended("check if depth($d), $d <= 3, true;"),
        ),
        of(
            "depth-named-twice",
            "a second use of `depth`",
            appended("check if depth($d), f($d), $d <= 3;"),
        ),
        of(
            "check-all-of-depth",
            "a `check all` over `depth`",
            appended("check all depth($d), $d <= 3;"),
        ),
        of(
            "external-function",
            "a function that the host may not have",
            appended("check if action($a), $a.extern::f();"),
        ),
        of(
            "external-function-of-two",
            "a function of two values that the host may not have",
            appended("check if action($a), $a.extern::f(1);"),
        ),
        of(
            "lenient-or",
            "`||`, which uses a closure",
            appended("check if (false || 1) === 1;"),
        ),
        of(
            "lenient-and",
            "`&&`, which uses a closure",
            appended("check if true && true;"),
        ),
        of(
            "any",
            "a closure that the profile does not have",
            appended("check if args($n), $n.any($p -> [\"\"].contains($p));"),
        ),
        of(
            "closure-of-another-form",
            "a closure other than that of `all_of_in`",
            appended("check if [1].all($p -> $p > 0);"),
        ),
    ]
}

fn valid(name: &str, about: &str, token: &Forge, call: &str, reason: &str) -> Case {
    refused(name, about, token.text(), Signatures::Valid, call, reason)
}
