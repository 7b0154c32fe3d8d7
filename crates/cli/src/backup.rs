//! `bailiwick backup`: the whole issuer as one file.

use std::{
    fmt,
    io::{self, BufWriter, IsTerminal, Write},
};

use bailiwick_issuer::{BackupReport, Issuer};
use bailiwick_token::{escape::name, text::counted, timestamp::Timestamp};
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    issuer::with,
    out::{Draft, Out, Quiet, Readers},
    output::{Format, Progress},
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `bailiwick backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
The issuer can keep running. The file is signed, and holds the home's settings and profiles and the \
whole database as of one moment. Private keys in it are encrypted with the passphrase. Neither the \
passphrase nor the URL of a PostgreSQL database is in the file.

Examples:
  bailiwick backup --out issuer-$(date +%F).backup
  bailiwick backup --quiet --out issuer-$(date +%F).backup")]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct WrittenBackup<'a> {
    #[serde(flatten)]
    report: &'a BackupReport,
    out: String,
}

impl BackupArgs {
    /// Writes the backup.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        global.only_here("backup")?;
        if self.out.path().is_none() && io::stdout().is_terminal() {
            return Err(
                Failure::plain(Exit::Usage, "a backup cannot be printed to a terminal")
                    .hint("give --out FILE, or pipe it to a program"),
            );
        }
        let now = clock::now()?;
        let report = with(global, "backup", async |issuer| {
            issuer.unlock(&self.passphrase.passphrase(global)?)?;
            match self.out.path() {
                Some(path) => {
                    let mut draft = Draft::begin(path, Readers::Owner)?;
                    let report = write(issuer, draft.file(), now).await?;
                    draft.keep()?;
                    Ok(report)
                }
                None => write(issuer, &mut io::stdout(), now).await,
            }
        });
        let report = report.await?;
        let said = Said(&report);
        match (self.out.text(), global.format()) {
            // Without a file, the backup itself is on standard output.
            (None, _) | (Some(_), Format::Text) => self.quiet.note(said),
            (Some(_), Format::Json) if self.quiet.is_set() => {}
            (Some(out), Format::Json) => {
                let written = WrittenBackup {
                    report: &report,
                    out,
                };
                Format::Json.print(&written, "")?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn write(
    issuer: &Issuer,
    out: &mut (dyn Write + Send),
    now: Timestamp,
) -> Result<BackupReport, Failure> {
    let mut progress = Progress::new("rows");
    let mut out = BufWriter::new(out);
    Ok(issuer
        .backup(&mut out, |rows| progress.at(rows), now)
        .await?)
}

struct Said<'a>(&'a BackupReport);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BackupReport {
            issuer,
            made_at,
            keyset_version,
            rows,
            ..
        } = self.0;
        write!(
            f,
            "{} as of {made_at}: {} of all tables, keyset {keyset_version}",
            name(issuer),
            counted(*rows, "row")
        )
    }
}
