//! `bailiwick audit`: who did what, and whether the record still says so.

use std::fmt::Write;

use bailiwick_issuer::{AuditEvent, AuditFilter, AuditReport, AuditRow};
use bailiwick_token::{claims::TokenId, timestamp::Timestamp};
use clap::{Args, Subcommand, value_parser};
use serde::Serialize;

use crate::{
    exit::{Exit, Failure, Outcome},
    issuer::with,
    output, parse,
    settings::Global,
};

/// The verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List the record, oldest first
    List(ListArgs),
    /// Check that nothing in the record was changed, removed or added
    Verify(VerifyArgs),
}

impl AuditCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, global: &Global) -> Outcome {
        match self {
            AuditCommand::List(args) => args.run(global).await,
            AuditCommand::Verify(args) => args.run(global).await,
        }
    }
}

/// Options of `audit list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bailiwick audit list --event mint --agent agent:buyer --limit 20"
)]
pub(crate) struct ListArgs {
    /// Only of this agent
    #[arg(long, value_parser = parse::text)]
    agent: Option<String>,
    /// Only on this principal's authority
    #[arg(long, value_parser = parse::text)]
    principal: Option<String>,
    /// Only about this token
    #[arg(long, value_name = "ID")]
    token: Option<TokenId>,
    /// Only of this kind, such as `mint` or `key.activate`
    #[arg(long)]
    event: Option<AuditEvent>,
    /// Only from this time on
    #[arg(long, value_name = "RFC3339")]
    since: Option<Timestamp>,
    /// Only the latest so many
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Listed<'a> {
    rows: &'a [AuditRow],
}

impl ListArgs {
    async fn run(self, global: &Global) -> Outcome {
        let filter = AuditFilter {
            agent: self.agent,
            principal: self.principal,
            token: self.token.map(|id| id.to_string()),
            event: self.event,
            since: self.since,
            limit: self.limit,
        };
        let rows = with(global, async |issuer| {
            Ok(issuer.audit_list(&filter).await?)
        })
        .await?;
        let lines: String = rows.iter().map(line).collect();
        global.format().print(&Listed { rows: &rows }, lines)?;
        Ok(Exit::Done)
    }
}

fn line(row: &AuditRow) -> String {
    let mut text = format!("{:>5} {} {:<13}", row.seq, row.time, row.event);
    let parts = [
        ("agent", &row.agent),
        ("principal", &row.principal),
        ("token", &row.token),
        ("key", &row.key),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(text, " {name}={value}");
        }
    }
    let _ = write!(text, " by {} {}", row.actor, row.detail);
    output::plain(&text) + "\n"
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Whoever can rewrite the whole store can also write a new record. To notice that, keep the head
that is printed somewhere else.

Example:
  bailiwick audit verify")]
pub(crate) struct VerifyArgs {}

impl VerifyArgs {
    async fn run(self, global: &Global) -> Outcome {
        let report = with(global, async |issuer| Ok(issuer.audit_verify().await?)).await?;
        global.format().print(&report, text(&report))?;
        match &report.finding {
            None => Ok(Exit::Done),
            Some(finding) => Err(Failure::plain(
                Exit::Local,
                format!("the record was tampered with: {finding}"),
            )
            .hint("keep a copy of the home as it is, and compare it with a backup")),
        }
    }
}

fn text(report: &AuditReport) -> String {
    let head = &report.head;
    format!(
        "rows good  {}\nhead       {} {}\n",
        report.rows,
        head.seq,
        hex::encode(head.hash)
    )
}
