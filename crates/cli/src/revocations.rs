//! `bailiwick revocations`: listing, adding and exporting revocations.

mod list;

use std::time::Duration;

use bailiwick_api::{RevokeRequest, RevokeResult, TokensQuery};
use bailiwick_issuer::MAX_TARGETS;
use bailiwick_token::{
    claims::TokenId,
    escape::{code, name},
    revocation::Party,
    text::counted,
    timestamp::Timestamp,
};
use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use tokio::time::sleep;

use self::list::RevocationsListArgs;
use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    operations::{Operations, SignedSnapshot, with},
    out::{self, Out, Quiet},
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

#[derive(Serialize)]
struct RevocationList<'a, T> {
    revocations: &'a [T],
}

/// Options of `revocations add`.
#[derive(Debug, Args)]
#[command(
    group(
        ArgGroup::new("whose")
            .required(true)
            .multiple(true)
            .args(["agent", "principal", "tenant", "client"])
    ),
    after_help = "\
One entry ends every token that was issued before the time, with every token narrowed from it. Tokens \
that are minted later are valid. Use it when an agent was tricked, a principal left, or a client's \
secret leaked. With --client, all live tokens that the client fetched are revoked one by one: give the \
client another secret first. An operator's token needs `revocation:create`, and with --client \
`token:list` too. `bailiwick token list` shows the tokens, and `bailiwick token revoke` \
revokes a single one.

Examples:
  bailiwick revocations add --agent agent:buyer \\
      --reason 'prompt injection' --yes
  bailiwick revocations add --client buyer-7 --reason 'secret in a log' --yes"
)]
#[group(skip)]
pub(crate) struct RevocationsAddArgs {
    /// All tokens of this agent
    #[arg(long, value_parser = parse::name)]
    agent: Option<String>,
    /// All tokens on this principal's authority
    #[arg(long, value_parser = parse::name)]
    principal: Option<String>,
    /// All tokens in this tenant
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// All live tokens that this client fetched
    #[arg(long, value_parser = parse::text)]
    client: Option<String>,
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
            .filter_map(|(party, value)| Some((*party, value.as_deref()?)))
            .collect();
        for (party, value) in &named {
            self.confirm
                .ask(&format!("revoke all tokens of the {party}"), value)?;
        }
        if let Some(client) = &self.client {
            let what = "revoke all tokens of the client";
            self.confirm.ask(what, client)?;
        }
        let done = with(global, None, async |issuer| {
            let mut reports = match named.is_empty() {
                true => Vec::new(),
                false => issuer.revoke(&self.watermarks()).await?,
            };
            let (mut fetched, mut client_is_known) = (0, true);
            if let Some(client) = &self.client {
                let request = self.request();
                let of_client = revoke_fetched(issuer, client, self.before, &request).await?;
                fetched = of_client.len();
                client_is_known = fetched > 0 || knows_client(issuer, client).await?;
                reports.extend(of_client);
            }
            Ok(Done {
                reports,
                fetched,
                client_is_known,
                is_served: issuer.serves_revocations(),
            })
        });
        let Done {
            reports,
            fetched,
            client_is_known,
            is_served,
        } = done.await?;
        if self.before.is_none() && !named.is_empty() {
            // Times have whole seconds, and tokens of the current second are revoked. Tokens that are minted after
            // this command must not be revoked as well, so wait until the second has ended.
            sleep(Duration::from_secs(1)).await;
        }
        let lines: String = reports.iter().map(token::revoked).collect();
        let listed = RevocationList {
            revocations: &reports,
        };
        global.format().print(&listed, lines)?;
        for ((party, value), report) in named.iter().zip(&reports) {
            if !report.minted_here {
                output::warn(format_args!(
                    "no token was minted here for the {party} {}; check the name",
                    code(value)
                ));
            }
        }
        if let Some(client) = &self.client {
            output::note(format_args!(
                "{} of the client {}",
                counted(fetched, "live token"),
                name(client)
            ));
        }
        if !is_served && reports.iter().any(token::is_new) {
            output::hint(token::EXPORT);
        }
        match &self.client {
            Some(client) if !client_is_known => Err(Failure::plain(
                Exit::NotFound,
                format!("no token on record was fetched by the client {}", code(client)),
            )
            .hint("check the name: `bailiwick client list` lists registered clients, and a workload of a provider is named `PROVIDER/SUBJECT`")),
            _ => Ok(Exit::Done),
        }
    }

    /// The request without its targets.
    fn request(&self) -> RevokeRequest {
        RevokeRequest {
            reason: self.reason.clone(),
            ..RevokeRequest::default()
        }
    }

    fn watermarks(&self) -> RevokeRequest {
        let list = |name: &Option<String>| name.iter().cloned().collect();
        RevokeRequest {
            agents: list(&self.agent),
            principals: list(&self.principal),
            tenants: list(&self.tenant),
            issued_before: self.before,
            ..self.request()
        }
    }
}

/// The result of `revocations add`.
struct Done {
    reports: Vec<RevokeResult>,
    /// Number of live tokens that the client had fetched.
    fetched: usize,
    /// False if no client has the name that was given.
    client_is_known: bool,
    /// True if verifiers fetch the revocations from the issuer.
    is_served: bool,
}

/// Returns true if a client with this name fetched a token that is on record, or is registered at this home.
async fn knows_client(issuer: &dyn Operations, client: &str) -> Result<bool, Failure> {
    let query = TokensQuery {
        client: Some(client.to_owned()),
        all: Some(true),
        limit: Some(1),
        ..TokensQuery::default()
    };
    if !token::listed(issuer, query).await?.tokens.is_empty() {
        return Ok(true);
    }
    // A service is not asked for its clients: if the operator's token may not list them, the service would record a
    // refusal.
    if issuer.serves_revocations() {
        return Ok(false);
    }
    let clients = issuer.clients().await?;
    Ok(clients.iter().any(|known| known.name == client))
}

/// Revokes the live tokens that a client fetched, by their ids: no token names the client, so no watermark can.
async fn revoke_fetched(
    issuer: &dyn Operations,
    client: &str,
    before: Option<Timestamp>,
    request: &RevokeRequest,
) -> Result<Vec<RevokeResult>, Failure> {
    let query = TokensQuery {
        client: Some(client.to_owned()),
        ..TokensQuery::default()
    };
    let live = token::listed(issuer, query).await?.tokens;
    let ids = live
        .iter()
        .filter(|token| before.is_none_or(|before| token.issued_at < before));
    let ids: Vec<TokenId> = ids.map(|token| token.token_id).collect();
    let mut reports = Vec::new();
    for ids in ids.chunks(MAX_TARGETS) {
        let request = RevokeRequest {
            tokens: ids.to_vec(),
            ..request.clone()
        };
        reports.extend(issuer.revoke(&request).await?);
    }
    Ok(reports)
}

/// Options of `revocations export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers that fetch from a service need no file. Others read this file, which is valid for a day.

Examples:
  bailiwick revocations export --out revocations.ndjson
  bailiwick revocations export --quiet --out revocations.ndjson")]
pub(crate) struct RevocationsExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
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
            (&self.out, self.quiet),
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
