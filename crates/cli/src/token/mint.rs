//! `bailiwick token mint`: mints a token for an agent.

use std::collections::BTreeMap;

use bailiwick_api::MintReceipt;
use bailiwick_issuer::MintRequest;
use bailiwick_token::escape::{code, name};
use clap::{Args, value_parser};

use super::deliver::deliver;
use crate::{
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    operations::{Operations, with},
    out::Out,
    output, parse,
    passphrase::PassphraseArg,
    settings::Global,
};

/// The default lifetime of a token, in seconds, unless the issuer's maximum is shorter. It is long enough for a task of
/// an agent, and short enough that a lost token hardly needs a revocation.
const DEFAULT_LIFE: u64 = 15 * 60;

/// Options of `token mint`.
#[derive(Debug, Args)]
#[command(after_help = "\
The token is the only thing on stdout; a description goes to stderr. Without --ttl, BAILIWICK_TTL and `ttl` in `config.toml` its lifetime is 15m, or the issuer's maximum if that is shorter.

Example:
  bailiwick token mint --agent agent:buyer --principal team:procurement \\
      --ttl 15m --grants grants.toml --out token")]
pub(crate) struct MintArgs {
    /// The agent that may act
    #[arg(long, value_parser = parse::name)]
    agent: String,
    /// The principal on whose authority the agent acts
    #[arg(long, value_parser = parse::name)]
    principal: String,
    /// The token's lifetime, such as 1h [default: 15m, or the issuer's longest lifetime if shorter]
    #[arg(long, value_name = "DURATION", env = "BAILIWICK_TTL", hide_env_values = true, value_parser = parse::duration)]
    ttl: Option<u64>,
    /// The grants, TOML or JSON
    #[arg(long, value_name = "FILE|-")]
    grants: Input,
    /// The tenant in which the agent acts
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// A description of the task
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    task: Option<String>,
    /// Maximum number of times that the token may be narrowed
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=15))]
    max_depth: Option<u32>,
    /// A further claim; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse::claim)]
    claims: Vec<(String, String)>,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

impl MintArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let mut request = self.request()?;
        let life = self.life(global)?;
        let mint = async |issuer: &dyn Operations| {
            request.ttl = match life {
                Some(seconds) => seconds,
                None => DEFAULT_LIFE.min(issuer.longest_life().await?),
            };
            issuer.mint(&request).await
        };
        let (token, receipt) = with(global, Some(&self.passphrase), mint).await?;
        let delivered = deliver(&token, &self.out, global.format(), &receipt);
        delivered.map_err(|failure| {
            let id = receipt.token_id;
            failure.hint(format!(
                "the token {id} was minted and is lost; revoke it with `bailiwick token revoke {id}`, and mint another to a file that can be written"
            ))
        })?;
        output::note(summary(&receipt));
        Ok(Exit::Done)
    }

    /// The request, with a lifetime of 0, which the caller replaces.
    fn request(&self) -> Result<MintRequest, Failure> {
        let mut claims = BTreeMap::new();
        for (claim, value) in &self.claims {
            if claims.insert(claim.clone(), value.clone()).is_some() {
                return Err(Failure::plain(
                    Exit::Usage,
                    format!("the claim {} is given twice", code(claim)),
                )
                .hint("give each claim one value"));
            }
        }
        Ok(MintRequest {
            agent: self.agent.clone(),
            principal: self.principal.clone(),
            tenant: self.tenant.clone(),
            task: self.task.clone(),
            claims,
            grants: input::grants(&self.grants)?,
            ttl: 0,
            max_depth: self.max_depth,
            profile: None,
        })
    }

    /// The lifetime that an option, the environment or `config.toml` sets, in seconds; `None` if none does.
    fn life(&self, global: &Global) -> Result<Option<u64>, Failure> {
        if self.ttl.is_some() {
            return Ok(self.ttl);
        }
        let configured = global.config()?.ttl;
        let life = configured.map(|text| {
            parse::duration(&text).map_err(|error| {
                let wrong = format!("`ttl` in `config.toml`, {}, is {error}", code(&text));
                Failure::new(Exit::Local, wrong)
            })
        });
        life.transpose()
    }
}

fn summary(receipt: &MintReceipt) -> String {
    let MintReceipt {
        token_id,
        agent,
        principal,
        expires,
        key,
        audit_seq,
        ..
    } = receipt;
    format!(
        "token {token_id} for {}, on the authority of {}\n\
         until {expires}, signed by key {key}, recorded as row {audit_seq} of the audit",
        name(agent),
        name(principal),
    )
}
