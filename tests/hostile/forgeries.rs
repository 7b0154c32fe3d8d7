//! What the corpus of hostile tokens is made from, by what is attacked.

use bailiwick_testkit::{Root, forge::Forge};

mod chain;
mod encoding;
mod keys;
mod language;
mod limits;
mod work;

/// One file of the corpus in the making.
pub(super) struct Forgery {
    pub(super) name: &'static str,
    pub(super) attacks: &'static str,
    pub(super) text: String,
    pub(super) request: String,
    pub(super) reason: &'static str,
    /// What the engine by itself comes to, where that is tried as well.
    pub(super) engine: Option<&'static str>,
}

pub(super) fn all() -> Vec<Forgery> {
    let root = Root::fixed();
    let honest = forgery(
        "honest",
        "nothing: what all others are made from",
        Forge::honest(&root),
        "allow",
    );
    let groups = [
        chain::all(&root),
        keys::all(&root),
        encoding::all(&root),
        language::all(&root),
        limits::all(&root),
        work::all(&root),
    ];
    std::iter::once(honest)
        .chain(groups.into_iter().flatten())
        .collect()
}

/// Tried with the one call that an honest token allows.
fn forgery(
    name: &'static str,
    attacks: &'static str,
    forge: Forge,
    reason: &'static str,
) -> Forgery {
    Forgery {
        name,
        attacks,
        text: forge.text(),
        request: r#"{"action":"order"}"#.to_owned(),
        reason,
        engine: None,
    }
}

impl Forgery {
    fn with(self, request: &str) -> Forgery {
        Forgery {
            request: request.to_owned(),
            ..self
        }
    }

    fn alone(self, outcome: &'static str) -> Forgery {
        Forgery {
            engine: Some(outcome),
            ..self
        }
    }
}
