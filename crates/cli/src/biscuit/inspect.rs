//! `bailiwick biscuit inspect`: shows the content of a Biscuit.

use std::fmt::Write;

use bailiwick_biscuit::authorize::{Error, ErrorKind, Unverified};
use bailiwick_token::token::Token;
use clap::Args;

use super::{BiscuitArg, failure};
use crate::{
    exit::{Exit, ExitResult},
    output::{self, Format},
    settings::Global,
};

/// Options of `biscuit inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is verified: anyone can write a token that says anything. `biscuit authorize` decides.

Example:
  bailiwick biscuit inspect token.bc")]
pub(crate) struct BiscuitInspectArgs {
    #[command(flatten)]
    biscuit: BiscuitArg,
}

impl BiscuitInspectArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let unverified =
            Unverified::read(&self.biscuit.bytes()?).map_err(|error| failure(&error))?;
        let ids = unverified.revocation_ids(None);
        let token = Token::try_from(unverified.container().clone()).map_err(|error| {
            failure(&Error {
                kind: ErrorKind::Format,
                message: error.to_string(),
            })
        })?;
        let mut inspection = token.inspect();
        for (block, id) in inspection.blocks.iter_mut().zip(&ids) {
            block.revocation_id = hex::encode(id);
        }
        match global.format() {
            // The document has a version of its own.
            Format::Json => output::json(&inspection)?,
            Format::Text => output::print(format!("{inspection}{}", revocation_ids(&ids)))?,
        }
        Ok(Exit::Done)
    }
}

/// The ids by which a token can be revoked, as text for people.
pub(super) fn revocation_ids(ids: &[Vec<u8>]) -> String {
    let mut text = String::from("\nrevocation ids\n");
    for (block, id) in ids.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  block {block}  {}", hex::encode(id));
    }
    text
}
