//! `bailiwick revocations`: listing, adding and exporting revocations.

use std::time::Duration;

use bailiwick_api::{RevokeRequest, RevokedEntry};
use bailiwick_token::{
    escape::{code, name, phrase},
    revocation::Party,
    text::counted,
    timestamp::Timestamp,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult},
    operations::{Operations, SignedSnapshot, with},
    out::{self, Out},
    output, parse,
    passphrase::PassphraseArg,
    settings::Global,
    token,
};

/// The verbs of `revocations`.
#[derive(Debug, Subcommand)]
pub(crate) enum RevocationsCommand {
    /// List the revocations that have not expired
    List(RevocationsListArgs),
    /// Revoke all tokens that an agent, a principal or a tenant was given until now
    Add(RevocationsAddArgs),
    /// Print the signed snapshot, or write it to a file
    Export(RevocationsExportArgs),
}

impl RevocationsCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            RevocationsCommand::List(args) => args.run(global).await,
            RevocationsCommand::Add(args) => args.run(global).await,
            RevocationsCommand::Export(args) => args.run(global).await,
        }
    }
}

/// Options of `revocations list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick revocations list --json")]
pub(crate) struct RevocationsListArgs {}

#[derive(Serialize)]
struct RevocationList<'a, T> {
    revocations: &'a [T],
}

impl RevocationsListArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let entries = with(global, None, async |issuer| issuer.revocations().await).await?;
        let lines: String = entries.iter().map(line).collect();
        let listed = RevocationList {
            revocations: &entries,
        };
        global.format().print(&listed, lines)?;
        Ok(Exit::Done)
    }
}

fn line(entry: &RevokedEntry) -> String {
    let token = entry.token.map(|id| id.to_string());
    let kinds = [
        ("token", &token),
        ("block", &entry.block),
        ("agent", &entry.agent),
        ("principal", &entry.principal),
        ("tenant", &entry.tenant),
    ];
    let target = kinds
        .into_iter()
        .find_map(|(kind, value)| Some(format!("{kind}:{}", name(value.as_ref()?))))
        .unwrap_or_default();
    let time = |unix: Option<u64>| unix.and_then(Timestamp::from_unix);
    let before = time(entry.issued_before).map_or(String::new(), |time| format!(" before {time}"));
    let until = time(entry.expires).map_or("for ever".to_owned(), |time| format!("until {time}"));
    format!(
        "{} {target}{before} {until}: {}\n",
        entry.revoked_at,
        phrase(&entry.reason)
    )
}

/// Options of `revocations add`.
#[derive(Debug, Args)]
#[command(after_help = "\
One entry ends every token that was issued before the time, those that were narrowed from them
included; tokens that are minted afterwards are good. Use it when an agent was fooled, a principal
left, or a client's secret leaked. Single tokens: `bailiwick token revoke`.

Example:
  bailiwick revocations add --agent agent:buyer --reason 'prompt injection' --yes")]
#[group(skip)]
pub(crate) struct RevocationsAddArgs {
    /// All tokens of this agent
    #[arg(long, value_parser = parse::name, required_unless_present_any = ["principal", "tenant"])]
    agent: Option<String>,
    /// All tokens on this principal's authority
    #[arg(long, value_parser = parse::name)]
    principal: Option<String>,
    /// All tokens in this tenant
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// Issued before this time [default: now]
    #[arg(long, value_name = "RFC3339")]
    before: Option<Timestamp>,
    /// The reason, for the operators of the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

impl RevocationsAddArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let parties = [
            (Party::Agent, &self.agent),
            (Party::Principal, &self.principal),
            (Party::Tenant, &self.tenant),
        ];
        let named: Vec<_> = parties
            .iter()
            .filter_map(|(party, name)| Some((*party, name.as_deref()?)))
            .collect();
        for (party, name) in &named {
            self.confirm
                .ask(&format!("revoke all tokens of the {party}"), name)?;
        }
        let list = |name: &Option<String>| name.iter().cloned().collect();
        let request = RevokeRequest {
            agents: list(&self.agent),
            principals: list(&self.principal),
            tenants: list(&self.tenant),
            issued_before: self.before,
            reason: self.reason,
            ..RevokeRequest::default()
        };
        let revoke = async |issuer: &dyn Operations| issuer.revoke(&request).await;
        let reports = with(global, None, revoke).await?;
        if self.before.is_none() {
            // Times have whole seconds, and tokens of the current one are revoked. Waiting for its end keeps
            // tokens that are minted after this command from being revoked as well.
            sleep(Duration::from_secs(1)).await;
        }
        let lines: String = reports.iter().map(token::revoked).collect();
        let listed = RevocationList {
            revocations: &reports,
        };
        global.format().print(&listed, lines)?;
        for ((party, name), report) in named.iter().zip(&reports) {
            if !report.minted_here {
                output::warn(format_args!(
                    "no token was minted here for the {party} {}; check the name",
                    code(name)
                ));
            }
        }
        Ok(Exit::Done)
    }
}

/// Options of `revocations export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers that fetch from a service need no file. Those that do not take this one, a day long.

Example:
  bailiwick revocations export --out revocations.ndjson")]
pub(crate) struct RevocationsExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct ExportedRevocations<'a> {
    seq: u64,
    entries: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

impl RevocationsExportArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let sign = async |issuer: &dyn Operations| issuer.snapshot().await;
        let snapshot = with(global, Some(&self.passphrase), sign).await?;
        let SignedSnapshot {
            seq,
            entries,
            issued_at,
            expires,
            file,
        } = snapshot;
        let exported = ExportedRevocations {
            seq,
            entries,
            issued_at,
            expires,
            snapshot: self.out.path().is_none().then_some(file.as_str()),
            out: self.out.text(),
        };
        out::signed(
            &self.out,
            &file,
            global.format(),
            format_args!(
                "revocations {seq} with {}, until {expires}",
                counted(entries, "entry")
            ),
            &exported,
        )?;
        Ok(Exit::Done)
    }
}
