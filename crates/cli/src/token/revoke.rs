//! `bailiwick token revoke`: the end of a token before its end.

use std::{convert::Infallible, str::FromStr};

use bailiwick_issuer::{Issuer, RevokeOutcome, RevokeReport};
use bailiwick_token::{
    claims::TokenId,
    revocation::Target,
    timestamp::{SKEW, Timestamp},
    token::Token,
};
use bailiwick_verifier::{Trust, Verifier};
use clap::{Args, value_parser};
use serde_json::json;

use crate::{
    clock,
    confirm::Confirm,
    exit::{Exit, Failure, Outcome},
    input::{self, Source},
    issuer::with,
    output, parse,
    settings::Global,
};

/// Options of `token revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers learn of it from the next snapshot: `bailiwick revocations export`.

Example:
  bailiwick token revoke 6f0c… --reason 'agent misbehaves' --yes
  bailiwick token revoke token.checker --block 1 --reason 'handed to the wrong agent' --yes")]
pub(crate) struct RevokeArgs {
    /// The token's id (32 hex digits), or its file, or `-` for standard input
    #[arg(value_name = "ID|FILE|-")]
    token: Which,
    /// Only this block and what was derived from it, not the whole token
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=64))]
    block: Option<u32>,
    /// Why, for people who look after the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

/// How a token is named.
#[derive(Debug, Clone)]
enum Which {
    Id(TokenId),
    Token(Source),
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Which, Infallible> {
        Ok(match text.parse() {
            Ok(id) => Which::Id(id),
            Err(_) => {
                let Ok(source) = text.parse();
                Which::Token(source)
            }
        })
    }
}

/// What is revoked: an id, or a part of a token that is at hand.
enum Revoked {
    Token(TokenId),
    Block {
        id: TokenId,
        token: Box<Token>,
        block: usize,
        signature: [u8; 64],
    },
}

impl RevokeArgs {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let revoked = self.revoked()?;
        match &revoked {
            Revoked::Token(id) => self.confirm.ask("revoke the token", id)?,
            Revoked::Block { id, block, .. } => {
                let what = format!("revoke block {block} of the token");
                self.confirm.ask(&what, id)?;
            }
        }
        if let Some(server) = global.server()? {
            let mut body = json!({ "reason": self.reason });
            let (list, name) = match &revoked {
                Revoked::Token(id) => ("tokens", id.to_string()),
                Revoked::Block { signature, .. } => {
                    output::warn("the issuer is not told the token, so the entry stays for ever");
                    ("blocks", hex::encode(signature))
                }
            };
            if let Some(body) = body.as_object_mut() {
                body.insert(list.to_owned(), json!([name]));
            }
            let reports: Vec<RevokeReport> = server.post("/v1/revocations", &body).await?;
            let report = reports.into_iter().next().ok_or_else(|| {
                Failure::plain(Exit::Remote, "the issuer does not say what it did")
                    .hint("look with `bailiwick revocations list`")
            })?;
            return self.told(global, &revoked, &report);
        }
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            let (target, expires) = match &revoked {
                Revoked::Token(id) => (Target::Token(*id), None),
                Revoked::Block {
                    token,
                    block,
                    signature,
                    ..
                } => {
                    let expires = block_expires(issuer, token, *block).await?;
                    (Target::Block(*signature), expires)
                }
            };
            Ok(issuer.revoke(target, expires, &self.reason, now).await?)
        });
        let report = report.await?;
        self.told(global, &revoked, &report)?;
        if matches!(
            report.outcome,
            RevokeOutcome::Revoked | RevokeOutcome::Extended
        ) {
            output::hint(
                "verifiers that read files need the new one: bailiwick revocations export",
            );
        }
        Ok(Exit::Done)
    }

    fn told(&self, global: &Global, revoked: &Revoked, report: &RevokeReport) -> Outcome {
        global.format().print(report, text(report))?;
        if matches!(revoked, Revoked::Token(_)) && !report.minted_here {
            output::warn("no token with this id was minted here: check the id");
        }
        Ok(Exit::Done)
    }

    fn revoked(&self) -> Result<Revoked, Failure> {
        let token = match (&self.token, self.block) {
            (Which::Id(id), None) => return Ok(Revoked::Token(*id)),
            (Which::Id(_), Some(_)) => {
                return Err(Failure::plain(
                    Exit::Usage,
                    "a block cannot be found by its token's id",
                )
                .hint("name the token's file"));
            }
            (Which::Token(source), _) => {
                let text = input::token_text(source).map_err(|failure| {
                    failure.hint("give the token's file, or its id: 32 hex digits")
                });
                input::parse_token(&text?)?
            }
        };
        let id = token.token_id().ok_or_else(|| {
            Failure::plain(Exit::Local, "the token has no id: it is none of ours")
                .hint("look at it with `bailiwick token inspect`")
        })?;
        let Some(block) = self.block else {
            return Ok(Revoked::Token(id));
        };
        let block = usize::try_from(block).unwrap_or(usize::MAX);
        let Some(signature) = token.block_signatures().get(block).cloned() else {
            let missing = format!("the token has no block {block}");
            return Err(Failure::plain(Exit::NotFound, missing)
                .hint("look at its blocks with `bailiwick token inspect`"));
        };
        let signature = signature.try_into().map_err(|_| {
            let other = format!("block {block} is not signed as a block of the profile is");
            Failure::plain(Exit::Local, other).hint("revoke the whole token")
        })?;
        Ok(Revoked::Block {
            id,
            token: Box::new(token),
            block,
            signature,
        })
    }
}

/// When everything that was derived from the block is dead. Only a token that verifies can tell:
/// a forged one could make the revocation vanish early. Without an answer it stays for ever.
async fn block_expires(
    issuer: &Issuer,
    token: &Token,
    block: usize,
) -> Result<Option<Timestamp>, Failure> {
    let keyset = issuer.published_keyset().await?;
    // As of the time at which it was signed, so that it need not be signed anew for this.
    let verified = Trust::open(keyset.envelope.as_bytes(), issuer.keyset_key(), None)
        .ok()
        .and_then(|trust| Verifier::new("revocation", trust).ok())
        .is_some_and(|verifier| verifier.verify(token, keyset.issued_at).is_ok());
    if !verified {
        output::warn(
            "the token does not verify under this issuer's keyset: the entry stays for ever",
        );
        return Ok(None);
    }
    let blocks = token.inspect().blocks;
    // What was derived later may have other blocks behind this one, and none before it.
    let ends = blocks
        .iter()
        .take(block.saturating_add(1))
        .filter_map(|block| block.expires);
    Ok(ends.min().map(|end| end.plus(SKEW)))
}

/// A report as a line.
pub(crate) fn text(report: &RevokeReport) -> String {
    let what = match report.outcome {
        RevokeOutcome::Revoked => "revoked",
        RevokeOutcome::Extended => "revoked for longer",
        RevokeOutcome::AlreadyRevoked => "revoked before: nothing changed",
        RevokeOutcome::AlreadyExpired => "dead already: nothing changed",
        _ => "done",
    };
    format!("{} {what}\n", report.target)
}
