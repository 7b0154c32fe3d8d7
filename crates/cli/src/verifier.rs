//! `bailiwick verifier`: the keysets and revocations that verifiers report.

use bailiwick_api::{VerifierStatus, VerifiersInUse};
use bailiwick_token::{escape::name, timestamp::Timestamp};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult},
    operations::{Operations, with},
    output,
    settings::Global,
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
Verifiers say what they use when they fetch; nobody vouches for it.

Example:
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

    fn line(&self) -> String {
        let keyset = match self.keysets_behind {
            0 => "keyset current".to_owned(),
            behind => format!("keyset {} ({behind} behind)", self.verifier.keyset_version),
        };
        let feed = match (self.changes_behind, self.verifier.feed_seq) {
            (Some(0), _) => "revocations current".to_owned(),
            (Some(behind), _) => format!("revocations {behind} behind"),
            (None, Some(_)) => "revocations of another history".to_owned(),
            (None, None) => "no revocations".to_owned(),
        };
        let ago = self.seconds_ago;
        let (verifier, service) = (name(&self.verifier.name), name(&self.verifier.service));
        format!("{verifier} service={service} {keyset}, {feed}, heard of {ago} s ago\n")
    }
}

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
        let lines: String = lags.iter().map(Lag::line).collect();
        let shown = LagReport {
            keyset_version: report.keyset_version,
            feed_seq: report.feed_seq,
            verifiers: lags,
        };
        global.format().print(&shown, lines)?;
        if report.verifiers.is_empty() {
            output::note("no verifier has said anything yet");
        }
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
