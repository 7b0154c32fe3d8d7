//! `bailiwick token inspect`: shows the content of a token.

use clap::Args;

use crate::{
    exit::{Exit, ExitResult, Failure},
    input::TokenArg,
    output::{self, Format},
    settings::Global,
};

/// Options of `token inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is verified: anyone can write a token that says anything. `token verify` decides.

Example:
  bailiwick token inspect token --effective")]
pub(crate) struct TokenInspectArgs {
    #[command(flatten)]
    token: TokenArg,
    /// Show only the authority that is left after all blocks
    #[arg(long)]
    effective: bool,
}

impl TokenInspectArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let inspection = self.token.token()?.inspect();
        if self.effective {
            let left = inspection.effective().map_err(|error| {
                Failure::new(Exit::Local, error)
                    .hint("leave --effective out to read the blocks one by one")
            })?;
            global.format().print(&left, &left)?;
        } else {
            match global.format() {
                // The document has a version of its own.
                Format::Json => output::json(&inspection)?,
                Format::Text => output::print(&inspection)?,
            }
        }
        Ok(Exit::Done)
    }
}
