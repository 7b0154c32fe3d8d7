//! `bailiwick audit list`: rows of the audit.

use std::fmt::Write;

use bailiwick_api::{AuditQuery, AuditRecord};
use bailiwick_issuer::AuditEvent;
use bailiwick_token::{
    claims::TokenId,
    escape::{name, phrase, visible},
};
use clap::{Args, value_parser};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    clock,
    exit::{Exit, ExitResult},
    operations::with,
    output::{self, Format},
    parse::{self, Moment},
    settings::Global,
    table::{Cell, Column, Table, Tone},
    wrap::hanging,
};

/// Options of `audit list`.
#[derive(Debug, Args)]
#[command(after_help = "\
BY is the actor: `local:USER` for the system user who ran a command, or `NAME (local:USER)` if \
BAILIWICK_ACTOR gave a name; `operator:AGENT (TOKEN)` for an operator over HTTP, with the agent and the \
id of its token; `caller:CLIENT` for a client.

Examples:
  bailiwick audit list --event mint --agent agent:buyer --limit 20
  bailiwick audit list --since 1h --details
  bailiwick audit list --since 2026-11-01 --until 2026-12-01 --json")]
pub(crate) struct AuditListArgs {
    /// Only rows about this agent
    #[arg(long, value_parser = parse::name)]
    agent: Option<String>,
    /// Only rows about this principal
    #[arg(long, value_parser = parse::name)]
    principal: Option<String>,
    /// Only rows about this token
    #[arg(long, value_name = "ID")]
    token: Option<TokenId>,
    /// Only rows of this kind, such as `mint` or `key.activate`
    #[arg(long)]
    event: Option<AuditEvent>,
    /// Only rows from this time on: a duration before now, a date (UTC), or a date-time
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    since: Option<Moment>,
    /// Only rows before this time: a duration before now, a date (UTC), or a date-time
    #[arg(long, value_name = "TIME", value_parser = parse::moment)]
    until: Option<Moment>,
    /// Only rows with a lower number, which is the page before a list that begins with this row
    #[arg(long, value_name = "ROW")]
    before: Option<u64>,
    /// Maximum number of rows, of which the latest are listed; with --server at most 1000
    #[arg(long, value_name = "N", default_value = "100",
          value_parser = value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Show every detail of each row, on several lines
    #[arg(long)]
    details: bool,
}

#[derive(Serialize)]
struct AuditList<'a> {
    rows: &'a [AuditRecord],
}

impl AuditListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let now = clock::now()?;
        let time = |moment: Option<Moment>| moment.map(|moment| moment.time(now));
        let query = AuditQuery {
            agent: self.agent,
            principal: self.principal,
            token: self.token.map(|id| id.to_string()),
            event: self.event.map(|event| event.to_string()),
            since: time(self.since),
            until: time(self.until),
            before: self.before,
            after: None,
            limit: Some(self.limit),
        };
        let rows = with(global, None, async |issuer| issuer.audit_rows(query).await).await?;
        let listed = AuditList { rows: &rows };
        if self.details && global.format() == Format::Text && !rows.is_empty() {
            let width = output::terminal_columns();
            let rows = rows.iter().map(|row| details(row, width));
            output::print(rows.collect::<Vec<_>>().join("\n"))?;
        } else {
            let table = Table::new(COLUMNS, rows.iter().map(row));
            table.print(global.format(), &listed, "no row of the audit matches")?;
        }
        let full = rows.len() as u64 == u64::from(self.limit);
        if let Some(first) = rows.first().filter(|first| full && first.seq > 1) {
            output::hint(format_args!("for older rows add `--before {}`", first.seq));
        }
        Ok(Exit::Done)
    }
}

/// Column at which the values of a row's details begin.
const VALUES: usize = 13;

const COLUMNS: [Column; 5] = [
    Column::whole("ROW"),
    Column::whole("TIME"),
    Column::whole("EVENT"),
    Column::text("ABOUT"),
    Column::names("BY"),
];

fn row(row: &AuditRecord) -> [Cell; 5] {
    [
        Cell::new(row.seq),
        Cell::new(row.time),
        Cell::new(&row.event).toned(tone(&row.event)),
        Cell::new(about(row)),
        Cell::new(by(&row.actor)),
    ]
}

fn tone(event: &str) -> Tone {
    match event.parse() {
        Ok(AuditEvent::MintRefused | AuditEvent::OperatorRefused) => Tone::Bad,
        Ok(AuditEvent::Revoke | AuditEvent::KeyRevoke | AuditEvent::ClientDisable) => Tone::Waiting,
        _ => Tone::Plain,
    }
}

/// The actor. Its own parentheses and spaces need no quotes, because its column contains no other words.
fn by(actor: &str) -> String {
    phrase(actor).to_string()
}

/// The subject of a row in a few words, the most important ones first.
fn about(row: &AuditRecord) -> String {
    let detail: Map<String, Value> = serde_json::from_str(&row.detail).unwrap_or_default();
    let text = |member: &str| detail.get(member).and_then(Value::as_str);
    let mut parts: Vec<String> = Vec::new();
    match (&row.agent, &row.principal) {
        (Some(agent), Some(principal)) => {
            parts.push(format!("{} for {}", name(agent), name(principal)));
        }
        (Some(agent), None) => parts.push(format!("agent {}", name(agent))),
        (None, Some(principal)) => parts.push(format!("principal {}", name(principal))),
        (None, None) => {}
    }
    // The token of a revoked block is not revoked as a whole, so the block comes first.
    let target = text("target").filter(|target| target.starts_with("block "));
    parts.extend(target.map(str::to_owned));
    for (what, value) in [
        ("client", text("client")),
        ("verifier", text("verifier")),
        ("token", row.token.as_deref()),
        ("key", row.key.as_deref().or_else(|| text("key"))),
    ] {
        parts.extend(value.map(|value| format!("{what} {}", name(value))));
    }
    let keys = detail.get("keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(Value::as_str);
    parts.extend(keys.map(|key| format!("key {}", name(key))));
    if parts.is_empty() {
        // These subjects have no column of their own: a block, a tenant, the issuer, a setting.
        let other = ["target", "issuer", "revocation_url", "action"];
        parts.extend(
            other
                .iter()
                .find_map(|member| text(member))
                .map(str::to_owned),
        );
    }
    let why = ["error", "reason"].iter().find_map(|member| text(member));
    let subject = parts.join(", ");
    match (subject.is_empty(), why) {
        (false, Some(why)) => format!("{subject}: {}", phrase(why)),
        (true, Some(why)) => phrase(why).to_string(),
        (false, None) => subject,
        (true, None) => "-".to_owned(),
    }
}

/// Returns all that a row contains, as text for a terminal of this width.
fn details(row: &AuditRecord, width: Option<usize>) -> String {
    let mut text = format!("{} {} {}\n", row.seq, row.time, name(&row.event));
    let hash = hex::encode(row.hash);
    for (title, value) in [
        ("by", Some(by(&row.actor))),
        ("agent", row.agent.as_deref().map(|it| name(it).to_string())),
        (
            "principal",
            row.principal.as_deref().map(|it| name(it).to_string()),
        ),
        ("token", row.token.as_deref().map(|it| name(it).to_string())),
        ("key", row.key.as_deref().map(|it| name(it).to_string())),
        ("detail", Some(spaced(&row.detail, width))),
        ("hash", Some(hash)),
    ] {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let line = format!("  {title:<9}  {value}");
            let _ = writeln!(text, "{}", hanging(&line, VALUES, width));
        }
    }
    text
}

/// Returns the detail of a row, which is a JSON object. For a terminal, a space follows each member, so that a long
/// detail is wrapped there. Otherwise, the detail is returned as stored.
fn spaced(detail: &str, width: Option<usize>) -> String {
    let members: Option<Map<String, Value>> = serde_json::from_str(detail).ok();
    match members.filter(|_| width.is_some()) {
        None => visible(detail).into_owned(),
        Some(members) => {
            let member =
                |(name, value): (String, Value)| format!("{}:{value}", Value::String(name));
            let members: Vec<String> = members.into_iter().map(member).collect();
            visible(&format!("{{{}}}", members.join(", "))).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_token::timestamp::Timestamp;

    use super::*;

    fn record(event: AuditEvent, detail: &str) -> AuditRecord {
        AuditRecord {
            seq: 7,
            time: Timestamp::from_unix(1_800_000_000).unwrap(),
            actor: "local:ada".to_owned(),
            event: event.to_string(),
            agent: None,
            principal: None,
            token: None,
            key: None,
            detail: detail.to_owned(),
            prev: [0; 32],
            hash: [0; 32],
        }
    }

    #[test]
    fn details_are_wrapped_on_terminals() {
        let detail =
            r#"{"claims":{},"expires":"2026-11-30T20:52:28Z","profile":null,"task":"a b"}"#;
        let row = record(AuditEvent::Mint, detail);
        assert!(details(&row, None).contains(detail));
        let shown = details(&row, Some(80));
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{shown}");
        }
        assert!(shown.contains("\"claims\":{}, \"expires\":"), "{shown}");
    }

    #[test]
    fn subjects_are_named() {
        let some = |text: &str| Some(text.to_owned());
        let refused = r#"{"action":"key:rotate","error":"no_grant"}"#;
        for (row, subject) in [
            (
                AuditRecord {
                    agent: some("agent:buyer"),
                    principal: some("team, or root"),
                    token: some("0".repeat(32).as_str()),
                    key: some("0a1b2c3d"),
                    ..record(AuditEvent::Mint, "{}")
                },
                "agent:buyer for \"team, or root\", token 00000000000000000000000000000000, key 0a1b2c3d",
            ),
            (
                AuditRecord {
                    key: some("0a1b2c3d"),
                    ..record(AuditEvent::KeyRevoke, r#"{"reason":"stolen"}"#)
                },
                "key 0a1b2c3d: stolen",
            ),
            (
                record(
                    AuditEvent::ClientKeyRemove,
                    r#"{"client":"robot","key":"dd86"}"#,
                ),
                "client robot, key dd86",
            ),
            (
                record(
                    AuditEvent::ClientKeyAdd,
                    r#"{"client":"robot","keys":["dd86","2c8b"]}"#,
                ),
                "client robot, key dd86, key 2c8b",
            ),
            (
                record(AuditEvent::VerifierForget, r#"{"verifier":"erp-3"}"#),
                "verifier erp-3",
            ),
            (
                record(AuditEvent::OperatorRefused, refused),
                "key:rotate: no_grant",
            ),
            (
                record(AuditEvent::MintRefused, r#"{"error":"wrong\nsecret"}"#),
                "\"wrong\\nsecret\"",
            ),
            (
                AuditRecord {
                    token: some("0".repeat(32).as_str()),
                    ..record(
                        AuditEvent::Revoke,
                        r#"{"target":"block ab12","reason":"lost"}"#,
                    )
                },
                "block ab12, token 00000000000000000000000000000000: lost",
            ),
            // A row that was tampered with is still listed.
            (record(AuditEvent::Restore, "no JSON"), "-"),
        ] {
            assert_eq!(about(&row), subject, "{row:?}");
        }
    }
}
