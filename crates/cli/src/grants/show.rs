//! `bailiwick grants show`: grants in words, as TOML or as Datalog.

use bailiwick_token::{datalog, grant::Grant, value::Value};
use clap::Args;
use serde::Serialize;

use crate::{
    exit::{Exit, ExitResult},
    input::{self, Input},
    settings::Global,
};

/// Options of `grants show`.
#[derive(Debug, Args)]
#[command(after_help = "\
The description also lists everything that is not limited: any arguments, any resource, any time, and arguments that may be absent.

Example:
  bailiwick grants show grants.toml --datalog")]
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
    /// Shows the grants.
    pub(super) fn run(self, global: &Global) -> ExitResult {
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
        let text = match self.toml {
            true => grants.to_toml(),
            false => grants.in_words().to_string(),
        };
        global.format().print(&listed, text)?;
        Ok(Exit::Done)
    }
}
