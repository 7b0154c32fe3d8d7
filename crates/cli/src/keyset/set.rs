//! `bailiwick keyset set`: changes settings that the keyset publishes.

use bailiwick_token::escape::{code, name};
use clap::Args;

use crate::{
    exit::{Exit, ExitResult},
    operations::{Operations, with},
    output, parse,
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `keyset set`.
#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers that follow the issuer adopt the new keyset, and then deny every call until they have read \
the revocations at that URL, so first make sure that the URL is served. The URL can be replaced but not removed.

Example:
  bailiwick keyset set \\
      --revocation-url https://issuer.example/.well-known/bailiwick/revocations")]
pub(crate) struct KeysetSetArgs {
    /// The URL at which verifiers find the revocations
    #[arg(long, value_name = "URL", value_parser = parse::text)]
    revocation_url: String,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// The hint after a change of the keyset.
pub(crate) const PUBLISH: &str = "a service publishes the new keyset by itself, and `bailiwick keyset export` writes it for verifiers that read files";

/// Warns about a URL at the issuer's own host that is not the one at which a service serves the revocations.
pub(crate) fn warn_of_other_path(url: &str, usual: Option<&str>) {
    if let Some(usual) = usual {
        output::warn(format_args!(
            "a service of this issuer serves the revocations at {} and not at {}, where verifiers will look for them",
            code(usual),
            code(url)
        ));
    }
}

impl KeysetSetArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let set =
            async |issuer: &dyn Operations| issuer.set_revocation_url(&self.revocation_url).await;
        let setting = with(global, Some(&self.passphrase), set).await?;
        let text = format!(
            "revoked at {}\nkeyset version {}\n",
            name(&setting.revocation_url),
            setting.keyset_version
        );
        global.format().print(&setting, text)?;
        warn_of_other_path(&setting.revocation_url, setting.usual_url.as_deref());
        match setting.changed {
            true => output::hint(PUBLISH),
            false => output::note("the keyset names this URL already, so nothing changed"),
        }
        Ok(Exit::Done)
    }
}
