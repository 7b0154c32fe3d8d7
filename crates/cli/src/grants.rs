//! `bailiwick grants`: check, show and try grants before a token carries them.

mod calls;
mod simulate;
mod throwaway;

use std::fmt::Write;

use bailiwick_token::{
    datalog,
    grant::{Grant, Grants},
    text::counted,
    value::Value,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult},
    input::{self, Input},
    settings::Global,
};

/// The verbs of `grants`.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// Check that grants are well formed and fit a token
    Check(GrantsCheckArgs),
    /// Show grants in words, as TOML or as Datalog
    Show(GrantsShowArgs),
    /// Decide recorded calls under grants, with the real verifier and throw-away keys
    Simulate(simulate::SimulateArgs),
}

impl GrantsCommand {
    /// Runs the chosen command.
    pub(crate) fn run(self, global: &Global) -> ExitResult {
        match self {
            GrantsCommand::Check(args) => args.run(global),
            GrantsCommand::Show(args) => args.run(global),
            GrantsCommand::Simulate(args) => args.run(global),
        }
    }
}

/// Options of `grants check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick grants check grants.toml")]
pub(crate) struct GrantsCheckArgs {
    /// The grants, TOML or JSON
    #[arg(value_name = "FILE|-")]
    grants: Input,
}

#[derive(Serialize)]
struct CheckedGrants {
    grants: usize,
    token_bytes: usize,
}

impl GrantsCheckArgs {
    fn run(self, global: &Global) -> ExitResult {
        let grants = input::grants(&self.grants)?;
        let token = throwaway::ThrowawayIssuer::new(clock::now()?)?.mint(&grants)?;
        let checked = CheckedGrants {
            grants: grants.len(),
            token_bytes: token.as_bytes().len(),
        };
        let text = format!(
            "{}: {}, in a token of about {} bytes\n",
            self.grants,
            counted(checked.grants, "grant"),
            checked.token_bytes
        );
        global.format().print(&checked, text)?;
        Ok(Exit::Done)
    }
}

/// Options of `grants show`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick grants show grants.toml --datalog")]
pub(crate) struct GrantsShowArgs {
    /// The grants, TOML or JSON
    #[arg(value_name = "FILE|-")]
    grants: Input,
    /// Show the grants as the Datalog in a token
    #[arg(long, conflicts_with = "toml")]
    datalog: bool,
    /// Show the grants as TOML in normal form
    #[arg(long)]
    toml: bool,
}

#[derive(Serialize)]
struct GrantList {
    grant: Vec<Value>,
}

#[derive(Serialize)]
struct Rules<'a> {
    datalog: Vec<&'a str>,
}

impl GrantsShowArgs {
    fn run(self, global: &Global) -> ExitResult {
        let grants = input::grants(&self.grants)?;
        if self.datalog {
            let text = datalog::show(&grants);
            let datalog = text.lines().collect();
            global.format().print(&Rules { datalog }, &text)?;
            return Ok(Exit::Done);
        }
        let listed = GrantList {
            grant: grants.iter().map(Grant::to_value).collect(),
        };
        let text = if self.toml {
            grants.to_toml()
        } else {
            words(&grants)
        };
        global.format().print(&listed, text)?;
        Ok(Exit::Done)
    }
}

fn words(grants: &Grants) -> String {
    grants.iter().fold(String::new(), |mut text, grant| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{grant}");
        text
    })
}
