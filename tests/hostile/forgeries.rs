//! The sources of the corpus of hostile tokens, one module per target.

use bailiwick_testkit::{Root, forge::Forge};

mod chain;
mod encoding;
mod keys;
mod language;
mod limits;
mod work;

/// A file of the corpus, before it is written.
pub(super) struct Forgery {
    pub(super) name: &'static str,
    pub(super) attacks: &'static str,
    pub(super) text: String,
    pub(super) request: String,
    pub(super) reason: &'static str,
    /// The outcome of the engine alone, if it is also tried.
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

/// A forgery that is tried with the only call that an honest token allows.
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
