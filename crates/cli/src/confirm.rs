//! Confirmation before something is destroyed.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Read},
};

use clap::Args;

use crate::{
    exit::{Exit, Failure},
    output,
};

/// Maximum length of an answer beyond the expected one, in bytes.
const MAX_ANSWER: u64 = 256;

/// Options of commands that cannot be undone.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// An effect that cannot be undone, on something with an id.
pub(crate) struct Effect<'a> {
    /// The effect, as a verb and its object: `revoke the token`.
    pub(crate) what: String,
    pub(crate) id: &'a str,
}

impl Confirm {
    /// Returns at once with `--yes`, and otherwise once a person has typed `id`. Fails if there is no terminal to ask
    /// at.
    pub(crate) fn ask(&self, what: &str, id: &dyn fmt::Display) -> Result<(), Failure> {
        self.ask_all(&[Effect {
            what: what.to_owned(),
            id: &id.to_string(),
        }])
    }

    /// Like [`Confirm::ask`], but asks once for several effects, whose ids are typed on one line.
    pub(crate) fn ask_all(&self, effects: &[Effect<'_>]) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let (what, answer) = (joined(effects), answer(effects));
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::plain(
                Exit::Usage,
                format!(
                    "this would {what}, which cannot be undone, and there is no terminal to confirm it at"
                ),
            )
            .hint(match effects.len() {
                0 | 1 => "add --yes to confirm it",
                _ => "a token is revoked if it matches one of these options, and need not match all; add --yes to confirm it",
            }));
        }
        output::note(format_args!(
            "This will {what}, which cannot be undone. Type {answer} to go on:"
        ));
        let mut typed = String::new();
        let most = MAX_ANSWER.saturating_add(answer.len() as u64);
        let read = io::stdin().lock().take(most).read_line(&mut typed);
        if read.is_ok() && typed.trim() == answer {
            return Ok(());
        }
        Err(Failure::plain(
            Exit::Usage,
            format!("the answer is not `{answer}`, so nothing was done"),
        )
        .hint("type the answer exactly as shown above, or add --yes"))
    }
}

/// Joins effects to one text. Each is named in full, so that nobody takes several for one that meets all conditions.
fn joined(effects: &[Effect<'_>]) -> String {
    let effects = effects.iter();
    let effects: Vec<String> = effects
        .map(|effect| format!("{} `{}`", effect.what, effect.id))
        .collect();
    effects.join(", and also ")
}

fn answer(effects: &[Effect<'_>]) -> String {
    let ids: Vec<&str> = effects.iter().map(|effect| effect.id).collect();
    ids.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_effects_are_one_question() {
        let effect = |what: &str, id| Effect {
            what: what.to_owned(),
            id,
        };
        let effects = [
            effect("revoke all tokens of the agent", "agent:buyer"),
            effect("revoke all tokens of the tenant", "acme"),
        ];
        assert_eq!(
            joined(&effects),
            "revoke all tokens of the agent `agent:buyer`, and also revoke all tokens of the tenant `acme`"
        );
        assert_eq!(answer(&effects), "agent:buyer acme");
    }
}
