//! `bailiwick verifier`: the keysets and revocations that verifiers report.

use bailiwick_api::{VerifierStatus, VerifiersInUse};
use bailiwick_token::{duration, escape::name, timestamp::Timestamp};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult},
    operations::{Operations, with},
    settings::Global,
    table::{Cell, Column, Table, Tone},
};

/// The verbs of `verifier`.
#[derive(Debug, Subcommand)]
pub(crate) enum VerifierCommand {
    /// Show the keyset and revocations that each verifier uses, and which verifiers are behind
    Lag(LagArgs),
    /// Forget a verifier that no longer exists, so that no activation waits for it
    Forget(ForgetArgs),
}

impl VerifierCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            VerifierCommand::Lag(args) => args.run(global).await,
            VerifierCommand::Forget(args) => args.run(global).await,
        }
    }
}

/// Options of `verifier lag`.
#[derive(Debug, Args)]
#[command(after_help = "\
KEYSET and REVOCATIONS are `current`, or the number of versions and of changes that the verifier is \
behind. Verifiers report the versions that they use with each fetch. The issuer cannot check these reports.

Examples:
  bailiwick verifier lag
  bailiwick verifier lag --behind")]
pub(crate) struct LagArgs {
    /// Only verifiers that are behind
    #[arg(long)]
    behind: bool,
}

/// Options of `verifier forget`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick verifier forget erp-3")]
pub(crate) struct ForgetArgs {
    /// The verifier's name
    name: String,
}

#[derive(Serialize)]
struct Forgotten<'a> {
    forgotten: &'a str,
}

/// A verifier's report, compared with the newest keyset and revocations.
#[derive(Serialize)]
struct Lag<'a> {
    #[serde(flatten)]
    verifier: &'a VerifierStatus,
    keysets_behind: u64,
    /// Number of changes that the verifier lacks; `None` if it follows no revocations, or those of another
    /// history.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_behind: Option<u64>,
    seconds_ago: u64,
}

#[derive(Serialize)]
struct LagReport<'a> {
    keyset_version: u64,
    feed_seq: u64,
    verifiers: Vec<Lag<'a>>,
}

impl<'a> Lag<'a> {
    fn new(report: &VerifiersInUse, verifier: &'a VerifierStatus, now: Timestamp) -> Lag<'a> {
        let same = verifier.feed_epoch.as_ref() == Some(&report.feed_epoch);
        let seq = verifier.feed_seq.filter(|_| same);
        Lag {
            keysets_behind: report
                .keyset_version
                .saturating_sub(verifier.keyset_version),
            changes_behind: seq.map(|seq| report.feed_seq.saturating_sub(seq)),
            seconds_ago: now.since(verifier.seen_at),
            verifier,
        }
    }

    fn is_behind(&self) -> bool {
        self.keysets_behind > 0 || self.changes_behind != Some(0)
    }

    fn row(&self) -> [Cell; 5] {
        let current = || Cell::new("current").toned(Tone::Good);
        let waiting = |text: String| Cell::new(text).toned(Tone::Waiting);
        let keyset = match self.keysets_behind {
            0 => current(),
            behind => waiting(format!("{behind} behind")),
        };
        let feed = match (self.changes_behind, self.verifier.feed_seq) {
            (Some(0), _) => current(),
            (Some(behind), _) => waiting(format!("{behind} behind")),
            (None, Some(_)) => waiting("other history".to_owned()),
            (None, None) => waiting("none".to_owned()),
        };
        [
            Cell::new(name(&self.verifier.name)),
            Cell::new(name(&self.verifier.service)),
            keyset,
            feed,
            Cell::new(format_args!("{} ago", duration::show(self.seconds_ago))),
        ]
    }
}

const COLUMNS: [Column; 5] = [
    Column::names("VERIFIER"),
    Column::names("SERVICE"),
    Column::whole("KEYSET"),
    Column::whole("REVOCATIONS"),
    Column::whole("HEARD OF"),
];

impl LagArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let report = with(global, None, async |issuer| issuer.verifiers().await).await?;
        let now = clock::now()?;
        let mut lags: Vec<Lag<'_>> = report
            .verifiers
            .iter()
            .map(|verifier| Lag::new(&report, verifier, now))
            .collect();
        if self.behind {
            lags.retain(Lag::is_behind);
        }
        let table = Table::new(COLUMNS, lags.iter().map(Lag::row));
        let shown = LagReport {
            keyset_version: report.keyset_version,
            feed_seq: report.feed_seq,
            verifiers: lags,
        };
        let nothing = match report.verifiers.is_empty() {
            true => "no verifier has reported yet",
            false => "no verifier is behind",
        };
        table.print(global.format(), &shown, nothing)?;
        Ok(Exit::Done)
    }
}

impl ForgetArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let forget = async |issuer: &dyn Operations| issuer.forget_verifier(&self.name).await;
        with(global, None, forget).await?;
        let forgotten = Forgotten {
            forgotten: &self.name,
        };
        global
            .format()
            .print(&forgotten, format_args!("{} forgotten\n", name(&self.name)))?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_counted() {
        let begin = Timestamp::from_unix(1_800_000_000).unwrap();
        let verifier = |name: &str, keyset_version, epoch: Option<&str>, feed_seq| VerifierStatus {
            name: name.to_owned(),
            service: "erp".to_owned(),
            keyset_version,
            feed_epoch: epoch.map(str::to_owned),
            feed_seq,
            seen_at: begin,
        };
        let report = VerifiersInUse {
            keyset_version: 7,
            feed_epoch: "one".to_owned(),
            feed_seq: 20,
            verifiers: vec![
                verifier("a", 7, Some("one"), Some(20)),
                verifier("b", 5, Some("one"), Some(8)),
                verifier("c", 7, Some("two"), Some(20)),
                verifier("d d", 7, None, None),
            ],
        };
        let lags = report.verifiers.iter();
        let rows = lags.map(|verifier| Lag::new(&report, verifier, begin.plus(65)).row());
        assert_eq!(
            Table::new(COLUMNS, rows).lines(),
            "VERIFIER\tSERVICE\tKEYSET\tREVOCATIONS\tHEARD OF\n\
             a\terp\tcurrent\tcurrent\t1m5s ago\n\
             b\terp\t2 behind\t12 behind\t1m5s ago\n\
             c\terp\tcurrent\tother history\t1m5s ago\n\
             \"d d\"\terp\tcurrent\tnone\t1m5s ago\n"
        );
    }
}
