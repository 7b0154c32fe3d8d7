//! `bailiwick token mint`: authority for an agent.

use std::collections::BTreeMap;

use bailiwick_issuer::{MintRequest, Receipt};
use bailiwick_token::{
    escape::{code, name},
    grant::Grants,
    token::Token,
};
use clap::{Args, value_parser};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::deliver::deliver;
use crate::{
    clock,
    exit::{Exit, Failure, Outcome},
    input::{self, Source},
    issuer::{unlocking, with},
    out::Out,
    output, parse,
    passphrase::PassphraseArg,
    server::Server,
    settings::Global,
};

/// Options of `token mint`.
#[derive(Debug, Args)]
#[command(after_help = "\
The token is the only thing on stdout; what it is goes to stderr.

Example:
  bailiwick token mint --agent agent:buyer --principal team:procurement --ttl 15m \\
      --grants grants.toml --out token")]
pub(crate) struct MintArgs {
    /// The agent that may act
    #[arg(long, value_parser = parse::name)]
    agent: String,
    /// On whose authority
    #[arg(long, value_parser = parse::name)]
    principal: String,
    /// The token's life, such as 15m
    #[arg(long, value_name = "DURATION", env = "BAILIWICK_TTL", hide_env_values = true, value_parser = parse::duration)]
    ttl: Option<u64>,
    /// What it may do, TOML or JSON
    #[arg(long, value_name = "FILE|-")]
    grants: Source,
    /// The tenant it acts in
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// What for, in words
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    task: Option<String>,
    /// How many times it may be narrowed
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
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let request = self.request(global)?;
        if let Some(server) = global.server()? {
            return self.remotely(global, &server, &request).await;
        }
        let now = clock::now()?;
        let minted = with(global, async |issuer| {
            let mint = async || issuer.mint(&request, now).await;
            unlocking(issuer, &self.passphrase, global, mint).await
        });
        let minted = minted.await?;
        let delivered = deliver(&minted.token, &self.out, global.format(), &minted.receipt);
        delivered.map_err(|failure| {
            let id = minted.receipt.token_id;
            failure.hint(format!(
                "the token {id} was minted and is lost: mend the place it goes to, mint another, \
                 and revoke this one with `bailiwick token revoke {id}`"
            ))
        })?;
        output::note(summary(&minted.receipt));
        Ok(Exit::Done)
    }

    /// An operator mints within what its own token lets it.
    async fn remotely(&self, global: &Global, server: &Server, request: &MintRequest) -> Outcome {
        let wanted = Wanted {
            agent: &request.agent,
            principal: &request.principal,
            tenant: request.tenant.as_deref(),
            task: request.task.as_deref(),
            claims: &request.claims,
            grants: &request.grants,
            ttl: request.ttl,
            max_depth: request.max_depth,
        };
        let answer: Answer = server.post("/v1/tokens", &wanted).await?;
        let token = Token::parse(&answer.token).map_err(|_| {
            Failure::plain(
                Exit::Remote,
                "the issuer's answer holds no token that can be read",
            )
        })?;
        deliver(&token, &self.out, global.format(), &answer.receipt)?;
        output::note(summary(&answer.receipt));
        Ok(Exit::Done)
    }

    fn request(&self, global: &Global) -> Result<MintRequest, Failure> {
        let mut claims = std::collections::BTreeMap::new();
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
            ttl: self.life(global)?,
            max_depth: self.max_depth,
            profile: None,
        })
    }

    fn life(&self, global: &Global) -> Result<u64, Failure> {
        if let Some(seconds) = self.ttl {
            return Ok(seconds);
        }
        match global.config()?.ttl {
            Some(text) => parse::duration(&text).map_err(|error| {
                Failure::plain(
                    Exit::Local,
                    format!("`ttl` in `config.toml` is {}", code(&text)),
                )
                .hint(error)
            }),
            None => Err(Failure::plain(Exit::Usage, "--ttl is not given")
                .hint("give it, set BAILIWICK_TTL, or put `ttl` into `config.toml` in the home")),
        }
    }
}

/// What the service is asked.
#[derive(Serialize)]
struct Wanted<'a> {
    agent: &'a str,
    principal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    claims: &'a BTreeMap<String, String>,
    grants: &'a Grants,
    ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<u32>,
}

/// What the service answers.
#[derive(Deserialize)]
struct Answer {
    token: Zeroizing<String>,
    #[serde(flatten)]
    receipt: Receipt,
}

fn summary(receipt: &Receipt) -> String {
    let Receipt {
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
