//! `bailiwick biscuit authorize`: makes one decision about a Biscuit from any issuer.

use bailiwick_biscuit::authorize::{
    self, DEFAULT_FUEL, Externs, FailedCheck, Key, Matched, Outcome, Place, Report,
};
use clap::Args;

use super::{BiscuitArg, failure, inspect::revocation_ids};
use crate::{
    exit::{self, Exit, Failure},
    input::Input,
    output::{Format, GREEN, RED},
    settings::Global,
};

/// Maximum length of an authorizer's file, in bytes.
const MAX_READ: usize = 1 << 20;

/// Options of `biscuit authorize`.
#[derive(Debug, Args)]
#[command(after_help = "\
The chain of signatures is verified from the root key on, and a third party's signature under that \
party's key. There are no external functions: a check that calls one ends in an error.

Exit code 0: allowed. 3: denied. 1: an error, such as a signature that does not verify.

Example:
  bailiwick biscuit authorize token.bc --authorizer policies.datalog \\
      --root-key \"$(cat root-key.txt)\"")]
pub(crate) struct AuthorizeArgs {
    #[command(flatten)]
    biscuit: BiscuitArg,
    /// The issuer's public key: `ed25519/` or `secp256r1/`, and hex
    #[arg(long, value_name = "KEY")]
    root_key: Key,
    /// The service's facts, rules, checks and policies, as Datalog
    #[arg(long, value_name = "FILE|-")]
    authorizer: Input,
    /// Maximum cost of the decision
    #[arg(long, value_name = "UNITS", default_value_t = DEFAULT_FUEL)]
    fuel: u64,
}

impl AuthorizeArgs {
    pub(super) fn run(self, global: &Global) -> exit::ExitResult {
        if self.authorizer == Input::Stdin && self.biscuit.biscuit == Input::Stdin {
            return Err(Failure::plain(Exit::Usage, "standard input is given twice")
                .hint("name a file for the token or for --authorizer"));
        }
        // The decision has a lower limit, and reports longer rules as an outcome, like other faults of the rules.
        let code = self.authorizer.read_text(MAX_READ)?;
        let token = self.biscuit.bytes()?;
        let externs = Externs::default();
        let report = authorize::authorize(&token, &self.root_key, &code, &externs, self.fuel);
        if let (Outcome::Error(error), format) = (&report.outcome, global.format()) {
            if format == Format::Json {
                format.print(&report, "")?;
            }
            return Err(failure(error));
        }
        global.format().print(&report, text(&report))?;
        Ok(match report.outcome {
            Outcome::Allow { .. } => Exit::Done,
            _ => Exit::Denied,
        })
    }
}

/// The decision as text for people.
fn text(report: &Report) -> String {
    let mut lines = match &report.outcome {
        Outcome::Allow { policy } => vec![format!("{GREEN}allow{GREEN:#} by policy {policy}")],
        Outcome::Deny { policy, failed } => denied(*policy, failed),
        // An error is printed to stderr.
        Outcome::Error(_) => Vec::new(),
    };
    lines.push(revocation_ids(
        report.revocation_ids.as_deref().unwrap_or_default(),
    ));
    lines.join("\n")
}

fn denied(policy: Option<Matched>, failed: &[FailedCheck]) -> Vec<String> {
    let why = match policy {
        Some(Matched::Allow(policy)) => {
            format!("policy {policy} would allow it, but a check failed")
        }
        Some(Matched::Deny(policy)) => format!("policy {policy} denies it"),
        None => "no policy matches".to_owned(),
    };
    let mut lines = vec![format!("{RED}deny{RED:#}: {why}")];
    lines.extend(failed.iter().map(|failed| {
        format!(
            "  check {} of {} failed",
            failed.check,
            match failed.place {
                Place::Block(block) => format!("block {block}"),
                Place::Authorizer => "the authorizer".to_owned(),
            }
        )
    }));
    lines
}
