//! `bailiwick token revoke`: revokes a token or a block.

use std::{convert::Infallible, str::FromStr};

use bailiwick_api::{RevokeRequest, RevokeResult, RevokedOutcome};
use bailiwick_token::{claims::TokenId, token::Token};
use clap::{Args, value_parser};

use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    operations::with,
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
pub(crate) struct TokenRevokeArgs {
    /// The token's id (32 hex digits), or its file, or `-` for standard input
    #[arg(value_name = "ID|FILE|-")]
    token: Which,
    /// Only this block and what was derived from it, not the whole token
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=64))]
    block: Option<u32>,
    /// The reason, for the operators of the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

/// The token to revoke, given by its id or by its text.
#[derive(Debug, Clone)]
enum Which {
    Id(TokenId),
    Token(Input),
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

/// The target of the revocation: a token, by its id, or a block of a token whose text is given.
enum RevokeTarget {
    Token(TokenId),
    Block {
        id: TokenId,
        token: Box<Token>,
        block: usize,
        signature: [u8; 64],
    },
}

impl TokenRevokeArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let target = self.target()?;
        match &target {
            RevokeTarget::Token(id) => self.confirm.ask("revoke the token", id)?,
            RevokeTarget::Block { id, block, .. } => {
                let what = format!("revoke block {block} of the token");
                self.confirm.ask(&what, id)?;
            }
        }
        let mut request = RevokeRequest {
            reason: self.reason,
            ..RevokeRequest::default()
        };
        let (report, served) = with(global, None, async |issuer| {
            match &target {
                RevokeTarget::Token(id) => request.tokens.push(*id),
                RevokeTarget::Block {
                    token,
                    block,
                    signature,
                    ..
                } => {
                    request.expires = issuer.block_end(token, *block).await?;
                    request.blocks.push(hex::encode(signature));
                }
            }
            let reports = issuer.revoke(&request).await?;
            let report = reports.into_iter().next().ok_or_else(|| {
                Failure::plain(Exit::Remote, "the issuer does not say what it did")
                    .hint("look with `bailiwick revocations list`")
            })?;
            Ok((report, issuer.serves_revocations()))
        })
        .await?;
        global.format().print(&report, text(&report))?;
        if matches!(target, RevokeTarget::Token(_)) && !report.minted_here {
            output::warn("no token with this id was minted here: check the id");
        }
        let is_new = matches!(
            report.outcome,
            RevokedOutcome::Revoked | RevokedOutcome::Extended
        );
        if is_new && !served {
            output::hint(
                "verifiers that read files need the new one: bailiwick revocations export",
            );
        }
        Ok(Exit::Done)
    }

    fn target(&self) -> Result<RevokeTarget, Failure> {
        let token = match (&self.token, self.block) {
            (Which::Id(id), None) => return Ok(RevokeTarget::Token(*id)),
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
            return Ok(RevokeTarget::Token(id));
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
        Ok(RevokeTarget::Block {
            id,
            token: Box::new(token),
            block,
            signature,
        })
    }
}

/// Describes the result of revoking one target on one line.
pub(crate) fn text(report: &RevokeResult) -> String {
    let what = match report.outcome {
        RevokedOutcome::Revoked => "revoked",
        RevokedOutcome::Extended => "revoked for longer",
        RevokedOutcome::AlreadyRevoked => "revoked before: nothing changed",
        RevokedOutcome::AlreadyExpired => "dead already: nothing changed",
    };
    format!("{} {what}\n", report.target)
}
