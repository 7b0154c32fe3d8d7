//! `bailiwick token seal`: seals a token, so that it cannot be narrowed further.

use clap::Args;
use serde::Serialize;

use super::{deliver::deliver, refused};
use crate::{
    exit::{Exit, ExitResult},
    input::TokenArg,
    out::Out,
    settings::Global,
};

/// Options of `token seal`.
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no home, no key and no network.

Example:
  bailiwick token seal token --out token.sealed")]
pub(crate) struct SealArgs {
    #[command(flatten)]
    token: TokenArg,
    #[command(flatten)]
    out: Out,
}

/// The JSON output about the sealed token.
#[derive(Serialize)]
struct Sealed {
    token_id: Option<String>,
    sealed: bool,
}

impl SealArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let token = self.token.token()?;
        let token = token.seal().map_err(refused)?;
        let about = Sealed {
            token_id: token.token_id().map(|id| id.to_string()),
            sealed: token.is_sealed(),
        };
        deliver(&token, &self.out, global.format(), &about)?;
        Ok(Exit::Done)
    }
}
