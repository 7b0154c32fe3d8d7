//! `bailiwick audit`: the audit log, and checks that it is intact.

mod list;

use std::{fmt, fs::File, io::BufReader, path::PathBuf};

use bailiwick_api::AuditVerification;
use bailiwick_issuer::{Checkpoint, HomeError, Issuer, MAX_CHECKPOINT, OpenError, verify_export};
use bailiwick_service::wire::IntoWire;
use bailiwick_token::{key::PublicKey, text::counted};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::list::AuditListArgs;
use crate::{
    exit::{Exit, ExitResult, Failure},
    hint::Hint,
    input::Input,
    operations::{Operations, with},
    out::{self, Draft, Out, Quiet, Readers},
    output::{self, Progress},
    passphrase::PassphraseArg,
    server,
    settings::Global,
};

/// The verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List the audit log, oldest rows first
    List(AuditListArgs),
    /// Check that no row of the audit log was changed, removed or added
    Verify(AuditVerifyArgs),
    /// Sign the end of the audit log, to be kept where the issuer cannot reach it
    Checkpoint(CheckpointArgs),
    /// Write the whole audit log, one row per line, followed by a signed checkpoint
    Export(AuditExportArgs),
}

impl AuditCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            AuditCommand::List(args) => args.run(global).await,
            AuditCommand::Verify(args) => args.run(global).await,
            AuditCommand::Checkpoint(args) => args.run(global).await,
            AuditCommand::Export(args) => args.run(global).await,
        }
    }
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
An attacker who can rewrite the whole store can also write a new audit log. To detect that, keep the \
output of `bailiwick audit checkpoint` somewhere else, and give it here. An export is checked without an \
issuer, with the keyset key (BAILIWICK_KEYSET_KEY, or `keyset_key` in `config.toml`, or that of the \
home).

Examples:
  bailiwick audit verify --checkpoint checkpoint.json
  bailiwick audit verify --export audit.ndjson --checkpoint checkpoint.json")]
pub(crate) struct AuditVerifyArgs {
    /// A checkpoint that was kept elsewhere; may be given several times
    #[arg(long = "checkpoint", value_name = "FILE|-")]
    checkpoints: Vec<Input>,
    /// A file that `audit export` wrote, instead of an issuer's audit log
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl AuditVerifyArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let report = self.report(global).await?;
        global.format().print(&report, text(&report))?;
        match &report.finding {
            None => Ok(Exit::Done),
            Some(finding) => Err(Failure::plain(
                Exit::Local,
                format!("the audit was tampered with: {finding}"),
            )
            .hint("keep a copy of the audit as it is, and compare it with a backup; after a restore, the rows since the backup are gone, and checkpoints of them never match again")),
        }
    }

    async fn report(&self, global: &Global) -> Result<AuditVerification, Failure> {
        let kept: Result<Vec<_>, Failure> = self
            .checkpoints
            .iter()
            .map(|source| source.read(MAX_CHECKPOINT))
            .collect();
        let kept = kept?;
        if let Some(path) = &self.export {
            let key = keyset_key(global).await?;
            let kept: Result<Vec<_>, _> = kept
                .iter()
                .map(|bytes| Checkpoint::read(bytes, &key))
                .collect();
            let kept = kept.map_err(|error| Failure::new(Exit::Local, error))?;
            let file =
                File::open(path).map_err(|error| Input::File(path.clone()).unreadable(&error))?;
            let verified = async { verify_export(&mut BufReader::new(file), &key, &kept) };
            let report = Progress::waiting("seconds, verifying the export", verified).await;
            let report = report.map_err(|error| error.failure(Exit::Local))?;
            return Ok(report.into_wire());
        }
        with(global, None, async |issuer| {
            issuer.verify_audit(&kept).await
        })
        .await
    }
}

/// Returns the key that must have signed an export: the configured key, or that of the issuer in the home.
async fn keyset_key(global: &Global) -> Result<PublicKey, Failure> {
    let unknown = match global.keyset_key() {
        Ok(key) => return Ok(key),
        Err(failure) if !global.has_keyset_key()? => failure,
        // A configured key that cannot be used must not be replaced by another one.
        Err(failure) => return Err(failure),
    };
    let home = match (global.server()?, global.home()) {
        (None, Ok(home)) => home,
        _ => return Err(unknown),
    };
    match Issuer::open(&home).await {
        Ok(issuer) => {
            let key = *issuer.keyset_key();
            issuer.close().await;
            Ok(key)
        }
        Err(OpenError::Home(HomeError::Missing(_))) => Err(unknown),
        Err(error) => Err(error.into()),
    }
}

fn text(report: &AuditVerification) -> String {
    let head = &report.head;
    format!(
        "rows good  {}\nhead       {} {}\nsigned     {}\n",
        report.rows,
        head.seq,
        hex::encode(head.hash),
        match report.checkpoint {
            0 => "no checkpoint".to_owned(),
            seq => format!("up to row {seq}"),
        }
    )
}

/// Options of `audit checkpoint`.
#[derive(Debug, Args)]
#[command(after_help = "\
A running service signs a checkpoint every hour, and every thousand rows. Keep a copy that nobody with \
write access to the store can change: only such a copy reveals that the audit log was rewritten.

Examples:
  bailiwick audit checkpoint --out /mnt/elsewhere/checkpoint.json
  bailiwick audit checkpoint --quiet --out /mnt/elsewhere/checkpoint.json")]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct SignedCheckpoint<'a> {
    checkpoint: &'a str,
}

impl CheckpointArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let sign = async |issuer: &dyn Operations| issuer.sign_checkpoint().await;
        let envelope = with(global, Some(&self.passphrase), sign).await?;
        let document = SignedCheckpoint {
            checkpoint: &envelope,
        };
        out::signed(
            (&self.out, self.quiet),
            &envelope,
            global.format(),
            format_args!("keep it where the issuer cannot write"),
            &document,
        )?;
        Ok(Exit::Done)
    }
}

/// Options of `audit export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a row as `audit list --json` shows it; the last one is `{\"checkpoint\": …}`.

Example:
  bailiwick audit export --out audit.ndjson")]
pub(crate) struct AuditExportArgs {
    /// Only rows after this one, to continue an earlier export
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

impl AuditExportArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let passphrase = Some(&self.passphrase);
        let export = async |issuer: &dyn Operations| self.export(issuer).await;
        self.quiet.note(with(global, passphrase, export).await?);
        Ok(Exit::Done)
    }

    async fn export(&self, issuer: &dyn Operations) -> Result<ExportedRows, Failure> {
        // The checkpoint is signed before the rows are read, so that the export contains all rows that it covers.
        // More rows may be added meanwhile.
        let checkpoint = issuer.sign_checkpoint().await?;
        let end = format!("{{\"checkpoint\":{checkpoint}}}\n");
        match self.out.path() {
            None => {
                let rows = self.rows(issuer, &mut |lines| output::print(lines)).await?;
                output::print(end)?;
                Ok(rows)
            }
            Some(path) => {
                let mut draft = Draft::begin(path, Readers::Owner)?;
                let rows = self.rows(issuer, &mut |lines| draft.write(lines)).await?;
                draft.write(&end)?;
                draft.keep()?;
                Ok(rows)
            }
        }
    }

    /// Writes the rows page by page, because an audit log may be larger than memory.
    async fn rows(
        &self,
        issuer: &dyn Operations,
        put: &mut Put<'_>,
    ) -> Result<ExportedRows, Failure> {
        let mut exported = ExportedRows {
            rows: 0,
            last: self.after,
        };
        // The last row of the earlier export must still exist, or the two exports do not join.
        if let Some(before) = self.after.checked_sub(1)
            && issuer.audit_page(before).await?.is_empty()
        {
            let after = self.after;
            return Err(Failure::plain(
                Exit::NotFound,
                format!("the audit ends before row {after}, so it was restored or has lost rows"),
            )
            .hint("keep the earlier export, and start a new one without --after"));
        }
        let mut progress = Progress::new("rows");
        loop {
            let rows = issuer.audit_page(exported.last).await?;
            let Some(last) = rows.last() else {
                return Ok(exported);
            };
            if last.seq <= exported.last {
                return Err(server::unreadable());
            }
            exported.last = last.seq;
            exported.rows = exported.rows.saturating_add(rows.len());
            let mut lines = String::new();
            for row in &rows {
                lines.push_str(&output::json_text(row)?);
                lines.push('\n');
            }
            put(&lines)?;
            progress.at(exported.rows as u64);
        }
    }
}

/// A function that writes lines.
type Put<'a> = dyn FnMut(&str) -> Result<(), Failure> + 'a;

/// The number of exported rows, and the number of the last one.
struct ExportedRows {
    rows: usize,
    last: u64,
}

impl fmt::Display for ExportedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, up to number {}",
            counted(self.rows, "row"),
            self.last
        )
    }
}
