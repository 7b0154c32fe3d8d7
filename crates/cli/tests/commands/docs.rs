//! The commands of the book run unchanged, page by page, in an empty folder. With BAILIWICK_INSTALLED, the directory of
//! an installed program, the tutorial runs exactly as printed: with that program, its own ports and all of its commands.

mod replay;
mod script;

use bailiwick_testkit::skip::skipped;

use self::{
    replay::{Replay, installed},
    script::{commands, shown},
};

/// Maximum number of commands of a tutorial that begins with nothing.
const SHORT: usize = 12;

#[test]
fn tutorial() {
    assert_eq!(commands("tutorial/start.md"), SHORT);
    let pages = [
        "tutorial/start.md",
        "tutorial/narrow.md",
        "guides/narrow.md",
    ];
    let Some(replay) = Replay::with_curl(&pages) else {
        return;
    };
    let text = replay.run();
    for expected in ["allow\n", "exit code 3"]
        .map(str::to_owned)
        .into_iter()
        .chain(pages[..2].iter().map(|page| shown(page)))
    {
        assert!(text.contains(&expected), "{expected:?} is not in: {text}");
    }
}

#[test]
fn tutorial_on_exchange() {
    assert!(commands("tutorial/exchange.md") <= SHORT);
    let provider = std::env::var_os("BAILIWICK_OIDC");
    if provider.is_none() && installed().is_none() {
        return skipped(
            "the tutorial on exchange",
            "run `npm ci` in tests/oidc, or in a copy of it, and let BAILIWICK_OIDC name that directory",
        );
    }
    let Some(replay) = Replay::with_curl(&["tutorial/exchange.md"]) else {
        return;
    };
    replay.put_provider(provider.as_deref());
    let text = replay.run();
    for expected in ["agent:assistant", "user:user-17", "unauthorized_client"] {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
}

#[test]
fn guides_to_an_issuer() {
    let text = Replay::new(&[
        "guides/issuer.md",
        "guides/keys.md",
        "guides/revoke.md",
        "guides/audit.md",
        "guides/backup.md",
        "guides/watch.md",
    ])
    .run();
    assert!(text.contains("purchase_order:*"), "{text}");
}

/// Requests go out with curl, as a newcomer would send them.
#[test]
fn guides_to_a_service() {
    let pages = [
        "guides/serve.md",
        "guides/clients.md",
        "guides/operators.md",
        "guides/incidents.md",
        // The commands of this page end the service.
        "reference/service.md",
    ];
    if let Some(replay) = Replay::with_curl(&pages) {
        let text = replay.run();
        assert!(text.contains("ready"), "{text}");
    }
}

#[test]
fn guide_to_grants() {
    let page = "guides/grants.md";
    let text = Replay::new(&[page]).run();
    for expected in [
        "3 warnings",
        &shown(page),
        "all 2 expectations were met",
        "refused by `new.toml`",
        "erp purchase_order:read",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in: {text}");
    }
}

#[test]
fn guide_to_profiles() {
    let page = "guides/profiles.md";
    let text = Replay::new(&[page]).run();
    assert!(
        text.contains("1 profile in 1 file: buyer")
            && text.contains(&shown(page))
            && text.contains("exit code 3: longer than the profile allows"),
        "{text}"
    );
}

#[test]
fn guide_to_other_biscuits() {
    let pages = ["tutorial/start.md", "guides/biscuit.md"];
    if let Some(replay) = Replay::with_curl(&pages) {
        let text = replay.run();
        assert!(
            text.contains("allow by policy 0")
                && text.contains("\"outcome\":\"deny\"")
                && text.contains("exit code 3: that is more than the token grants"),
            "{text}"
        );
    }
}
