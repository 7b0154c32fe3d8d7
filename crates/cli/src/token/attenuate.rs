//! `bailiwick token attenuate`: narrows a token, offline.

use bailiwick_token::{caveat::Caveat, inspect::EffectiveAuthority, token::Token};
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::{deliver::deliver, refused};
use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    input::{self, Input, TokenArg},
    out::Out,
    output, parse,
    settings::Global,
};

/// Options of `token attenuate`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("caveat").required(true).multiple(true)
        .args(["grants", "ttl", "delegate", "task", "seal"])),
    after_help = "\
Needs no home, no key and no network. The authority that is left is printed on stderr. A token that already has as many blocks as it allows \
is not narrowed: the result would allow nothing.

Example:
  bailiwick token attenuate token --grants read-only.toml --ttl 5m \\
      --delegate agent:invoice-checker --out token.checker"
)]
pub(crate) struct AttenuateArgs {
    #[command(flatten)]
    token: TokenArg,
    /// Allow only calls that are also inside these grants
    #[arg(long, value_name = "FILE|-")]
    grants: Option<Input>,
    /// Make the token expire after this time, if it does not expire earlier
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    ttl: Option<u64>,
    /// The agent to pass the token to; descriptive, with no effect on decisions
    #[arg(long, value_name = "AGENT", value_parser = parse::text)]
    delegate: Option<String>,
    /// The task; descriptive, with no effect on decisions
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    task: Option<String>,
    /// Seal the token, so that it cannot be narrowed further
    #[arg(long)]
    seal: bool,
    #[command(flatten)]
    out: Out,
}

/// The JSON output about the narrowed token.
#[derive(Serialize)]
struct Narrowed {
    token_id: Option<String>,
    sealed: bool,
    /// The effective authority; `null` if it cannot be listed.
    effective: Option<EffectiveAuthority>,
}

impl AttenuateArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let token = self.narrow(self.token.token()?)?;
        let effective = token.inspect().effective();
        match &effective {
            Ok(left) if is_nothing(left)? => {
                output::warn("nothing is left, because no call is within all blocks of this token");
            }
            Ok(left) => output::note(format_args!(
                "what is left:\n{}",
                left.to_string().trim_end()
            )),
            Err(error) => output::warn(error),
        }
        let about = Narrowed {
            token_id: token.token_id().map(|id| id.to_string()),
            sealed: token.is_sealed(),
            effective: effective.ok(),
        };
        deliver(&token, &self.out, global.format(), &about)?;
        Ok(Exit::Done)
    }

    fn narrow(&self, token: Token) -> Result<Token, Failure> {
        let caveat = Caveat {
            scope: self.grants.as_ref().map(input::grants).transpose()?,
            expires: match self.ttl {
                Some(seconds) => Some(clock::now()?.plus(seconds)),
                None => None,
            },
            delegate: self.delegate.clone(),
            task: self.task.clone(),
        };
        let token = match caveat == Caveat::default() {
            true => token,
            false => token.attenuate(&caveat).map_err(refused)?,
        };
        match self.seal {
            true => token.seal().map_err(refused),
            false => Ok(token),
        }
    }
}

fn is_nothing(left: &EffectiveAuthority) -> Result<bool, Failure> {
    let ended = match left.expires {
        Some(expires) => {
            expires <= clock::now()? || left.not_before.is_some_and(|start| expires <= start)
        }
        None => false,
    };
    Ok(ended || left.is_nothing())
}
