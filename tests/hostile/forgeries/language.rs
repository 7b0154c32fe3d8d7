//! Forgeries with Datalog that would give a token more authority than it has.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, authority_without},
};
use biscuit_auth::format::schema::{
    Scope,
    scope::{Content, ScopeType},
};

use super::{Forgery, forgery};

const RESERVED: &str = "reserved_name";
const UNSUPPORTED: &str = "unsupported";
const ERROR: &str = "evaluation_error";

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let mut all = appended(root);
    all.extend(authorities(root));
    all
}

fn appended(root: &Root) -> Vec<Forgery> {
    let of = |name, attacks, code: &str, reason| {
        forgery(name, attacks, Forge::honest(root).append(code), reason)
    };
    let trusting = Forge::honest(root).append_changed("check if true;", |block| {
        let content = Some(Content::ScopeType(ScopeType::Previous as i32));
        block.scope = vec![Scope { content }];
    });
    vec![
        of(
            "states-time",
            "a time of one's own, before all expiry",
            "time(2019-01-01T00:00:00Z);",
            RESERVED,
        ),
        of(
            "states-service",
            "an audience of one's own",
            "service(\"erp\");",
            RESERVED,
        ),
        of(
            "states-action",
            "an action of one's own",
            "action(\"other\");",
            RESERVED,
        ),
        of(
            "states-arg",
            "an argument of one's own",
            "arg(\"amount\", 1);",
            RESERVED,
        ),
        of(
            "states-args",
            "names of arguments of one's own",
            "args({\"\"});",
            RESERVED,
        ),
        of(
            "states-depth",
            "a depth of one's own",
            "depth(0);",
            RESERVED,
        ),
        of(
            "states-approval",
            "an approval that nobody gave",
            "approval(\"yes\");",
            RESERVED,
        ),
        of(
            "states-meets",
            "a condition that is met because a block says so",
            "meets(\"amount\", \"{\\\"max_len\\\":3,\\\"optional\\\":[false]}\");",
            RESERVED,
        ),
        of(
            "derives-during",
            "a window of time that a rule opens",
            "during($w) <- action($w);",
            RESERVED,
        ),
        of(
            "meets-variable",
            "whatever condition is met",
            "check if meets($path, $condition) or true;",
            UNSUPPORTED,
        ),
        of(
            "meets-three-terms",
            "a condition with one term more than it has",
            "check if meets(\"amount\", \"x\", \"y\") or true;",
            UNSUPPORTED,
        ),
        of(
            "during-number",
            "a window of time that is no text",
            "check if during(5) or true;",
            UNSUPPORTED,
        ),
        of(
            "meets-newer",
            "a condition that this version does not know",
            "check if meets(\"amount\", \"{\\\"newer\\\":1,\\\"optional\\\":[true]}\");",
            "caveat",
        ),
        of(
            "meets-known-otherwise",
            "nothing: the same with a condition that this version knows",
            "check if meets(\"amount\", \"{\\\"max_len\\\":1,\\\"optional\\\":[true]}\");",
            "allow",
        ),
        of(
            "meets-spaced",
            "a known condition in another spelling",
            "check if meets(\"amount\", \"{\\\"max_len\\\": 1,\\\"optional\\\":[true]}\");",
            "caveat",
        ),
        of(
            "meets-twice",
            "a condition whose member is there twice",
            "check if meets(\"amount\", \"{\\\"max_len\\\":1,\\\"max_len\\\":1,\\\"optional\\\":[true]}\");",
            "caveat",
        ),
        of(
            "argument-with-star",
            "the elements of an array as one argument",
            "check if num(\"lines.*.price\", $p), $p > 5 or true;",
            UNSUPPORTED,
        ),
        of(
            "states-now",
            "a name that a later version may read",
            "now(2019-01-01T00:00:00Z);",
            RESERVED,
        ),
        of(
            "states-grant",
            "a grant that no issuer made",
            "grant(\"order\");",
            RESERVED,
        ),
        of(
            "states-principal",
            "a principal that no issuer named",
            "principal(\"root\");",
            RESERVED,
        ),
        of(
            "derives-time",
            "a rule that derives the time",
            "time($x) <- action($x);",
            RESERVED,
        ),
        of(
            "derives-grant",
            "a rule that grants, in an appended block",
            "grant($x) <- action($x);",
            RESERVED,
        ),
        of(
            "rule-appended",
            "a rule in an appended block",
            "f($x) <- action($x);",
            UNSUPPORTED,
        ),
        forgery(
            "trusting-block",
            "a block that trusts all before it",
            trusting,
            UNSUPPORTED,
        ),
        of(
            "trusting-authority",
            "a check that trusts the authority",
            "check if action($a) trusting authority;",
            UNSUPPORTED,
        ),
        of(
            "trusting-previous",
            "a check that trusts all before it",
            "check if action($a) trusting previous;",
            UNSUPPORTED,
        ),
        of(
            "reject-if-either",
            "a disjunctive `reject if`, which biscuit-auth passes when one part does not match",
            "reject if action(\"order\") or action(\"other\");",
            UNSUPPORTED,
        )
        .alone("deny"),
        of(
            "regular-expression",
            "a regular expression",
            "check if action($a), $a.matches(\"^order$\");",
            UNSUPPORTED,
        ),
        of(
            "regular-expression-large",
            "a regular expression that takes long to compile",
            "check if \"x\".matches(\"\\\\w{400}\");",
            UNSUPPORTED,
        )
        .alone("error"),
        of(
            "regular-expression-of-classes",
            "a regular expression of classes that are large, and the same for upper and lower case",
            "check if \"x\".matches(\"(?i)(?:[\\\\S][\\\\S][\\\\S][\\\\S][\\\\S][\\\\S][\\\\S][\\\\S]){0}\");",
            UNSUPPORTED,
        )
        .alone("error"),
        of(
            "external-function",
            "a function that the host may not have",
            "check if action($a), $a.extern::f();",
            UNSUPPORTED,
        ),
        of(
            "lenient-operator",
            "`||`, which answers whatever its right side is",
            "check if (false || 1) === 1;",
            UNSUPPORTED,
        ),
        of(
            "closure-shadowing",
            "a parameter that shadows a variable",
            "check if arg(\"tags\", $p), $p.all($p -> [\"a\"].contains($p));",
            ERROR,
        ),
        of(
            "closure-odd",
            "a closure that the profile does not write",
            "check if args($n), $n.any($p -> [\"\"].contains($p));",
            UNSUPPORTED,
        ),
        of(
            "set-asked-for-null",
            "a set asked for null, where biscuit-auth raises",
            "check if {1, 2}.contains(null);",
            "caveat",
        ),
        of(
            "division-by-zero",
            "a division by zero",
            "check if 1 / 0 === 1;",
            ERROR,
        ),
        of(
            "overflow",
            "a sum beyond all integers",
            "check if 9223372036854775807 + 1 === 1;",
            ERROR,
        ),
        of(
            "overflow-of-division",
            "the smallest integer by -1",
            "check if -9223372036854775808 / -1 === 1;",
            ERROR,
        ),
        of(
            "types-mixed",
            "a string compared with a number",
            "check if action($a), $a < 5;",
            ERROR,
        ),
        of(
            "no-boolean",
            "a condition that is no boolean",
            "check if 1;",
            ERROR,
        ),
        of(
            "error-beside-a-match",
            "an error where an earlier alternative holds",
            "check if action($a), $a === \"order\" or 1 / 0 === 1;",
            "allow",
        ),
    ]
}

fn authorities(root: &Root) -> Vec<Forgery> {
    let with = |code: &str| Forge::authority(root, &format!("{AUTHORITY}{code}"));
    let expired = AUTHORITY.replace("12:15:00Z", "11:59:00Z");
    let forever = Forge::authority(root, &authority_without("check if time($t), $t <"));
    let widened = AUTHORITY.replace("12:15:00Z;", "12:15:00Z or true;");
    let other = AUTHORITY.replace("issuer.example", "other.example");
    vec![
        forgery(
            "expired",
            "a token after its end",
            Forge::authority(root, &expired),
            "expired",
        ),
        forgery(
            "expired-with-time",
            "a token after its end, with a time of its own",
            Forge::authority(root, &format!("{expired}time(2026-11-23T11:58:30Z);")),
            RESERVED,
        ),
        forgery(
            "no-expiry",
            "a token without an end",
            forever,
            "not_profile",
        ),
        forgery(
            "expiry-or-true",
            "a token whose end is a choice",
            Forge::authority(root, &widened),
            "not_profile",
        ),
        forgery(
            "another-issuer",
            "another issuer's name under the same key",
            Forge::authority(root, &other),
            "not_profile",
        ),
        forgery(
            "agent-twice",
            "two agents",
            with("agent(\"agent:other\");"),
            "not_profile",
        ),
        forgery(
            "grant-as-fact",
            "a grant that is a fact, so that it holds for every call",
            with("grant(\"order\");"),
            "not_profile",
        ),
        forgery(
            "grant-unbound",
            "a grant of whatever is asked for, and of another name",
            with("foo($x) <- action($x);"),
            "not_profile",
        ),
        forgery(
            "grant-on-grant",
            "grants that rest on grants",
            with("grant($x) <- action($x), grant(\"read\");"),
            UNSUPPORTED,
        ),
        forgery(
            "holder-bound",
            "a token bound to a holder, which this version cannot check",
            with("holder(hex:00);"),
            UNSUPPORTED,
        ),
        forgery(
            "no-profile",
            "any other Biscuit of the same root",
            Forge::authority(root, "right(\"order\"); check if right($x);"),
            "not_profile",
        ),
        forgery(
            "grants-none",
            "a token that grants nothing",
            Forge::authority(root, &authority_without("grant(")),
            "wrong_service",
        ),
    ]
}
