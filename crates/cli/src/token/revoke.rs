//! `bailiwick token revoke`: revokes a token or a block.

mod target;

use bailiwick_api::{RevokeRequest, RevokeResult, RevokedOutcome};
use clap::Args;

use self::target::{BlockChoice, Named, RevokeTarget};
use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    operations::with,
    output, parse,
    settings::Global,
};

/// Options of `token revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Revokes a whole token, together with every token that was narrowed from it, or only the tokens that contain a certain block: the token that the block was appended to then stays valid, as do others narrowed from it. The file of a narrowed token needs --block or --whole.

Verifiers that follow a service learn of the revocation within seconds, and others with the next snapshot that you give them: `bailiwick revocations export`.

Examples:
  bailiwick token revoke 6f0c9d1e5b7a4c3f8e2d0b9a7c6f5e4d \\
      --reason 'agent misbehaves' --yes
  bailiwick token revoke token.checker --block last \\
      --reason 'handed to the wrong agent' --yes
  bailiwick token revoke token.checker --whole --reason 'laptop lost' --yes")]
pub(crate) struct TokenRevokeArgs {
    /// The token's id (32 hex digits), or its file, or `-` for standard input
    #[arg(value_name = "ID|FILE|-")]
    token: Named,
    /// Revoke only tokens with this block, by its number; `last` is the one that made this token
    #[arg(long, value_name = "N|last")]
    block: Option<BlockChoice>,
    /// Revoke the whole token, even if the file holds one that was narrowed from it
    #[arg(long, conflicts_with = "block")]
    whole: bool,
    /// The reason, for the operators of the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

impl TokenRevokeArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let target = RevokeTarget::find(&self.token, self.block, self.whole)?;
        // This is printed before the revocation, which cannot be undone.
        output::note(target.effect());
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
                    id,
                    token,
                    block,
                    signature,
                } => {
                    request.of_token = Some(*id);
                    request.expires = issuer.block_end(token, *block).await?;
                    request.blocks.push(hex::encode(signature));
                }
            }
            let reports = issuer.revoke(&request).await?;
            let report = reports.into_iter().next().ok_or_else(|| {
                Failure::plain(
                    Exit::Remote,
                    "the issuer's answer does not list the revoked targets",
                )
                .hint("check the result with `bailiwick revocations list`")
            })?;
            Ok((report, issuer.serves_revocations()))
        })
        .await?;
        global.format().print(&report, text(&report))?;
        if matches!(target, RevokeTarget::Token(_)) && !report.minted_here {
            output::warn(
                "no token with this id was minted here, so its revocation never ends; check the id",
            );
        }
        if is_new(&report) && !served {
            output::hint(EXPORT);
        }
        Ok(Exit::Done)
    }
}

/// The hint after a revocation at the home.
pub(crate) const EXPORT: &str =
    "give verifiers that read files the new revocations with `bailiwick revocations export`";

/// Returns true if verifiers have to learn of this result.
pub(crate) fn is_new(report: &RevokeResult) -> bool {
    matches!(
        report.outcome,
        RevokedOutcome::Revoked | RevokedOutcome::Extended
    )
}

/// Describes the result of revoking one target on one line.
pub(crate) fn text(report: &RevokeResult) -> String {
    let what = match report.outcome {
        RevokedOutcome::Revoked => "revoked",
        RevokedOutcome::Extended => {
            "was already revoked; the revocation now lasts longer or covers later tokens"
        }
        RevokedOutcome::AlreadyRevoked => "already revoked, nothing changed",
        RevokedOutcome::AlreadyExpired => "already expired, nothing changed",
    };
    format!("{} {what}\n", report.target)
}
