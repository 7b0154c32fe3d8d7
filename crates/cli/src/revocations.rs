//! `bailiwick revocations`: what is revoked.

use std::time::Duration;

use bailiwick_issuer::{RevocationInfo, RevokeReport};
use bailiwick_token::{
    escape::{code, name, phrase},
    key::PublicKey,
    revocation::{Head, Party, Snapshot, SnapshotHeader, Target, Watermark},
    timestamp::Timestamp,
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    clock,
    confirm::Confirm,
    exit::{Exit, Failure, Outcome},
    issuer::{unlocking, with},
    out::{self, Out},
    output::{self, Progress},
    parse,
    passphrase::PassphraseArg,
    server::{self, Server},
    settings::Global,
    token,
};

/// How often a snapshot is fetched that lies behind the head, and how long apart.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_secs(3);

/// The verbs of `revocations`.
#[derive(Debug, Subcommand)]
pub(crate) enum RevocationsCommand {
    /// List what is revoked and not dead by itself
    List(ListArgs),
    /// Revoke all that an agent, a principal or a tenant was given until now
    Add(AddArgs),
    /// Print the signed snapshot, or write it to a file
    Export(ExportArgs),
}

impl RevocationsCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, global: &Global) -> Outcome {
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
pub(crate) struct ListArgs {}

#[derive(Serialize)]
struct Listed<'a, T> {
    revocations: &'a [T],
}

impl ListArgs {
    async fn run(self, global: &Global) -> Outcome {
        // From elsewhere they come as JSON, and are shown as they came.
        let entries: Vec<Value> = match global.server()? {
            Some(server) => {
                let mut all: Vec<Value> = Vec::new();
                let mut progress = Progress::new("revocations");
                let mut after = 0;
                loop {
                    let page: Vec<Value> = server
                        .get(&format!("/v1/revocations?after={after}"))
                        .await?;
                    let Some(last) = page.last() else { break all };
                    let last = last.get("seq").and_then(Value::as_u64);
                    after = last
                        .filter(|last| *last > after)
                        .ok_or_else(server::unreadable)?;
                    all.extend(page);
                    progress.at(all.len() as u64);
                }
            }
            None => {
                let now = clock::now()?;
                let revoked = with(global, async |issuer| {
                    let revoked = issuer.revoked(now);
                    Ok(Progress::waiting("seconds, reading the revocations", revoked).await?)
                });
                let revoked: Vec<RevocationInfo> = revoked.await?;
                revoked.iter().map(|entry| json!(entry)).collect()
            }
        };
        let lines: String = entries.iter().map(line).collect();
        let listed = Listed {
            revocations: &entries,
        };
        global.format().print(&listed, lines)?;
        Ok(Exit::Done)
    }
}

fn line(entry: &Value) -> String {
    let text = |member: &str| entry.get(member).and_then(Value::as_str);
    let time = |member: &str| {
        let unix = entry.get(member).and_then(Value::as_u64)?;
        Timestamp::from_unix(unix).map(|time| time.to_string())
    };
    let kinds = ["token", "block", "agent", "principal", "tenant"];
    let target = kinds
        .into_iter()
        .find_map(|kind| Some(format!("{kind}:{}", name(text(kind)?))))
        .unwrap_or_default();
    let before = time("issued_before").map_or(String::new(), |time| format!(" before {time}"));
    let until = time("expires").map_or("for ever".to_owned(), |time| format!("until {time}"));
    format!(
        "{} {target}{before} {until}: {}\n",
        name(text("revoked_at").unwrap_or_default()),
        phrase(text("reason").unwrap_or_default())
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
pub(crate) struct AddArgs {
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
    /// Why, for people who look after the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

impl AddArgs {
    async fn run(self, global: &Global) -> Outcome {
        let parties = [
            (Party::Agent, "agents", &self.agent),
            (Party::Principal, "principals", &self.principal),
            (Party::Tenant, "tenants", &self.tenant),
        ];
        let named: Vec<_> = parties
            .iter()
            .filter_map(|(party, list, name)| Some((*party, *list, name.as_deref()?)))
            .collect();
        for (party, _, name) in &named {
            self.confirm
                .ask(&format!("revoke all tokens of the {party}"), name)?;
        }
        let reports: Vec<RevokeReport> = match global.server()? {
            Some(server) => {
                let mut body = json!({ "reason": self.reason });
                if let Some(body) = body.as_object_mut() {
                    for (_, list, name) in &named {
                        body.insert((*list).to_owned(), json!([name]));
                    }
                    if let Some(before) = self.before {
                        body.insert("issued_before".to_owned(), json!(before));
                    }
                }
                server.post("/v1/revocations", &body).await?
            }
            None => {
                let now = clock::now()?;
                // Tokens of this very second are meant, too.
                let before = self.before.unwrap_or(now.plus(1));
                let target = |(party, _, name): &(Party, _, &str)| {
                    Watermark::new(*party, name, before)
                        .map(Target::Watermark)
                        .map_err(|error| Failure::new(Exit::Usage, error))
                };
                let targets: Result<Vec<Target>, Failure> = named.iter().map(target).collect();
                let targets = targets?;
                with(global, async |issuer| {
                    Ok(issuer.revoke_all(&targets, None, &self.reason, now).await?)
                })
                .await?
            }
        };
        if self.before.is_none() {
            // Tokens of this very second are meant, and what is minted after this command is not.
            sleep(Duration::from_secs(1)).await;
        }
        let lines: String = reports.iter().map(token::revoked).collect();
        let listed = Listed {
            revocations: &reports,
        };
        global.format().print(&listed, lines)?;
        for ((party, _, name), report) in named.iter().zip(&reports) {
            if !report.minted_here {
                output::warn(format_args!(
                    "no token was minted here for the {party} {}: check the name",
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
pub(crate) struct ExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Exported<'a> {
    seq: u64,
    entries: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

/// The snapshot with all that is revoked by now. The first that is handed out may be a few seconds old.
async fn newest(server: &Server, key: &PublicKey) -> Result<(String, SnapshotHeader), Failure> {
    let remote = |error: &dyn std::fmt::Display| Failure::new(Exit::Remote, error);
    let feed = "/.well-known/bailiwick/revocations";
    let head = server.text(Method::GET, feed).await?;
    let head = Head::open(head.as_bytes(), key).map_err(|error| remote(&error))?;
    let path = format!("{feed}/snapshot");
    for _ in 0..ATTEMPTS {
        let file = server.text(Method::GET, &path).await?;
        let snapshot = Snapshot::open(file.as_bytes(), key).map_err(|error| remote(&error))?;
        let header = snapshot.header().clone();
        if header.epoch == head.epoch && header.seq >= head.seq {
            return Ok((file, header));
        }
        Progress::waiting("seconds, for a snapshot of by now", sleep(PAUSE)).await;
    }
    Err(
        Failure::plain(Exit::Remote, "the snapshot stays behind the head")
            .hint("see whether a cache serves an old one"),
    )
}

impl ExportArgs {
    async fn run(self, global: &Global) -> Outcome {
        let out = self.out.path();
        if let Some(server) = global.server()? {
            let key = global.keyset_key()?;
            let (file, header) = newest(&server, &key).await?;
            let exported = Exported {
                seq: header.seq,
                entries: header.entries,
                issued_at: header.issued_at,
                expires: header.expires,
                snapshot: out.is_none().then_some(file.as_str()),
                out: self.out.text(),
            };
            return self.print(global, &file, &exported);
        }
        let now = clock::now()?;
        let snapshot = with(global, async |issuer| {
            let sign = async || {
                let signed = issuer.snapshot(now);
                Progress::waiting("seconds, signing the revocations", signed).await
            };
            unlocking(issuer, &self.passphrase, global, sign).await
        });
        let snapshot = snapshot.await?;
        let exported = Exported {
            seq: snapshot.position.seq,
            entries: snapshot.entries,
            issued_at: snapshot.issued_at,
            expires: snapshot.expires,
            snapshot: out.is_none().then_some(snapshot.file.as_str()),
            out: self.out.text(),
        };
        self.print(global, &snapshot.file, &exported)
    }

    fn print(&self, global: &Global, file: &str, exported: &Exported<'_>) -> Outcome {
        out::signed(
            &self.out,
            file,
            global.format(),
            format_args!(
                "revocations {} with {} entries, until {}",
                exported.seq, exported.entries, exported.expires
            ),
            exported,
        )?;
        Ok(Exit::Done)
    }
}
