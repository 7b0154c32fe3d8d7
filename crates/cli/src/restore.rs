//! `bailiwick restore`: an issuer restored from a backup.

use std::{
    fs,
    io::{self, BufReader},
    path::PathBuf,
};

use bailiwick_issuer::{Issuer, RestoreEvidence, RestoreOptions, RestoreReport};
use bailiwick_service::wire::IntoWire;
use bailiwick_token::{
    dsse::MAX_ENVELOPE, escape::name, key::PublicKey, revocation::MAX_SNAPSHOT, text::counted,
};
use clap::Args;

use crate::{
    clock,
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    input::{Input, shown},
    issuer::{self, with},
    key,
    output::{self, Progress},
    passphrase::PassphraseArg,
    settings::Global,
    store::StoreArg,
};

/// Maximum number of files to read from a verifier's directory.
const MAX_FILES: usize = 16;

/// The reason for revoking all keys when later revocations are unknown.
const REASON: &str = "the issuer was restored from a backup, and later revocations are not known";

/// Options of `bailiwick restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
A backup lacks everything that happened after it, and restoring it must not make a revoked token valid \
again. A restore therefore needs the last keyset and the last revocations (exit code 4 without them), \
which verifiers keep in their directory. If nobody has them, --revoke-keys ends every token instead.

Verifiers accept the keyset of the restored issuer, because its version is higher. Some things are in no \
file, and you have to check them yourself: revocations of the last seconds, clients that were added or \
disabled, and changed secrets and keys of clients. The audit log lacks the tokens that were minted after \
the backup. A keyset from before the revocation of a root key would make that key valid again: give the \
last keyset, or use --revoke-keys.

Examples:
  bailiwick restore issuer.backup --verifier /var/lib/erp/bailiwick
  bailiwick restore issuer.backup \\
      --keyset keyset.json --revocations revocations.ndjson
  bailiwick restore issuer.backup --revoke-keys --above 1000000 \\
      --keyset-key \"$BAILIWICK_KEYSET_KEY\"")]
pub(crate) struct RestoreArgs {
    /// The backup that `bailiwick backup` wrote
    #[arg(value_name = "FILE|-", required_unless_present = "in_place")]
    backup: Option<Input>,
    /// Continue with the home's database, which was restored by other means, such as a snapshot; stop every
    /// issuer on it first
    #[arg(long, conflicts_with_all = ["backup", "store_file"])]
    in_place: bool,
    /// The directory in which a verifier keeps the files that it fetched last
    #[arg(long, value_name = "DIR", conflicts_with = "keyset")]
    verifier: Option<PathBuf>,
    /// The last published keyset
    #[arg(long, value_name = "FILE|-")]
    keyset: Option<Input>,
    /// The last published revocations; may be given several times
    #[arg(long, value_name = "FILE|-")]
    revocations: Vec<Input>,
    /// Revoke all keys, and thus every token, and begin with new keys
    #[arg(long)]
    revoke_keys: bool,
    /// A version that no keyset has exceeded, if the last keyset is lost
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    above: u64,
    /// Refuse a backup unless it belongs to the issuer with this keyset key
    #[arg(
        long,
        value_name = "KEY",
        env = "BAILIWICK_KEYSET_KEY",
        hide_env_values = true
    )]
    keyset_key: Option<PublicKey>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    passphrase: PassphraseArg,
    #[command(flatten)]
    confirm: Confirm,
}

impl RestoreArgs {
    /// Restores the issuer, and prints the remaining steps.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        global.only_here("restore")?;
        let evidence = self.evidence()?;
        let now = clock::now()?;
        let report = match &self.backup {
            None => {
                with(global, "restore", async |issuer| {
                    self.same_key(issuer.keyset_key())?;
                    self.confirm
                        .ask("continue the restored issuer", &issuer.settings().issuer)?;
                    issuer.unlock(&self.passphrase.passphrase(global)?)?;
                    let taken = issuer.catch_up(&evidence, now);
                    Ok(Progress::waiting("seconds, applying later changes", taken).await?)
                })
                .await?
            }
            Some(backup) => {
                let options = RestoreOptions {
                    store: self.store.store()?,
                    keyset_key: self.keyset_key,
                    evidence,
                    actor: issuer::actor()?,
                };
                let passphrase = self.passphrase.passphrase(global)?;
                let mut input = BufReader::new(backup.open()?);
                let mut progress = Progress::new("rows");
                let home = global.home()?;
                let restored = Issuer::restore(
                    &home,
                    &mut input,
                    options,
                    &passphrase,
                    |rows| progress.at(rows),
                    now,
                );
                let (issuer, report) = restored.await?;
                drop(progress);
                issuer.close().await;
                report
            }
        };
        global.format().print(&report, text(&report))?;
        for line in to_do(&report) {
            output::hint(line);
        }
        Ok(Exit::Done)
    }

    fn same_key(&self, found: &PublicKey) -> Result<(), Failure> {
        match &self.keyset_key {
            Some(key) if key != found => Err(Failure::plain(
                Exit::Local,
                format!("the home has the keyset key `{found}`, but `{key}` was given"),
            )
            .hint("name the right home with --home")),
            _ => Ok(()),
        }
    }

    fn evidence(&self) -> Result<RestoreEvidence, Failure> {
        let mut evidence = RestoreEvidence {
            version: self.above,
            revoke_keys: self.revoke_keys.then(|| REASON.to_owned()),
            ..RestoreEvidence::default()
        };
        if let Some(directory) = &self.verifier {
            let keyset = Input::File(directory.join("keyset.json"));
            evidence.keyset = Some(keyset.read(MAX_ENVELOPE)?.to_vec());
            for file in kept(directory)? {
                evidence
                    .revocations
                    .push(Input::File(file).read(MAX_SNAPSHOT)?.to_vec());
            }
        }
        if let Some(keyset) = &self.keyset {
            evidence.keyset = Some(keyset.read(MAX_ENVELOPE)?.to_vec());
        }
        for file in &self.revocations {
            evidence.revocations.push(file.read(MAX_SNAPSHOT)?.to_vec());
        }
        Ok(evidence)
    }
}

/// Lists the revocation files that a verifier keeps in its directory.
fn kept(directory: &PathBuf) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: io::Error| Input::File(directory.clone()).unreadable(&error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ndjson")
        {
            files.push(path);
        }
    }
    files.sort();
    if files.len() > MAX_FILES {
        return Err(Failure::plain(
            Exit::Local,
            format!(
                "{} contains more than {MAX_FILES} files of revocations",
                shown(directory)
            ),
        )
        .hint("name the directory of one verifier"));
    }
    Ok(files)
}

fn text(report: &RestoreReport) -> String {
    let as_of = match report.made_at {
        Some(time) => time.to_string(),
        None => "not known".to_owned(),
    };
    let revocations = match report.revocations_until {
        Some(until) => format!("{} taken over, known until {until}", report.revocations),
        None => "not known".to_owned(),
    };
    let known = match report.keys_until {
        Some(until) => format!(", root keys known until {until}"),
        None => String::new(),
    };
    let facts = format!(
        "issuer       {}\nas of        {as_of}\nkeyset       {}{known}\nrevocations  {revocations}\n",
        name(&report.issuer),
        report.keyset_version,
    );
    let keys: String = report
        .keys
        .iter()
        .map(|step| key::change(&step.clone().into_wire()))
        .collect();
    facts + &keys
}

fn to_do(report: &RestoreReport) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(until) = report.revocations_until {
        lines.push(format!(
            "repeat every revocation that was made after {until}"
        ));
    }
    if let Some(until) = report.keys_until {
        lines.push(format!(
            "if a root key was revoked after {until}, this keyset was not the last, so revoke that key again"
        ));
    }
    if report.clients > 0 {
        lines.push(format!(
            "check the {} with `bailiwick client list`, since all changes of clients after the backup are lost",
            counted(report.clients, "client")
        ));
    }
    lines.push("publish the new keyset with `bailiwick serve`, or give it to verifiers with `bailiwick keyset export`".to_owned());
    lines
}
