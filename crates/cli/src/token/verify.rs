//! `bailiwick token verify`: makes one decision, as a service would.

mod call;

use std::path::PathBuf;

use bailiwick_token::{
    dsse::MAX_ENVELOPE, escape::name, key::PublicKey, keyset::Keyset, revocation::MAX_SNAPSHOT,
    timestamp::Timestamp,
};
use bailiwick_verifier::{Decision, Policy, Trust, Values, Verifier};
use clap::Args;

use self::call::CallArgs;

use crate::{
    clock,
    config::HomeConfig,
    exit::{Exit, ExitResult, Failure},
    input::{Input, TokenArg},
    output::{self, Format, GREEN, RED},
    parse,
    settings::Global,
};

/// Maximum length of a Datalog file, in bytes. The parser has a lower limit and a better message.
const MAX_POLICY_FILE: usize = 1 << 20;

/// Options of `token verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0: allowed. 3: denied; a token that cannot be read is denied as well. 4: the keyset names a feed of revocations, but none are given, so a revoked token would be allowed.

Examples:
  bailiwick token verify token --keyset keyset.json \\
      --keyset-key \"$(bailiwick keyset key)\" \\
      --revocations revocations.ndjson \\
      --service erp --action purchase_order:create \\
      --args '{\"amount\":4200,\"currency\":\"EUR\"}'
  bailiwick token verify token --service erp --call - < call.json")]
pub(crate) struct TokenVerifyArgs {
    #[command(flatten)]
    token: TokenArg,
    /// The signed keyset of the issuer
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_KEYSET",
        hide_env_values = true
    )]
    keyset: Option<Input>,
    /// The public key that signs the keyset; `keyset key` prints it
    #[arg(
        long,
        value_name = "KEY",
        env = "BAILIWICK_KEYSET_KEY",
        hide_env_values = true
    )]
    keyset_key: Option<PublicKey>,
    /// The signed snapshot of the issuer's revocations
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_REVOCATIONS",
        hide_env_values = true
    )]
    revocations: Option<Input>,
    /// Decide without revocations: a revoked token is then allowed until it expires
    #[arg(long)]
    without_revocations: bool,
    /// The called service, by the name of its verifier
    #[arg(long, value_name = "NAME", env = "BAILIWICK_SERVICE", hide_env_values = true, value_parser = parse::text)]
    service: Option<String>,
    /// The service's own Datalog, which a call must satisfy in addition to the token
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_POLICY",
        hide_env_values = true
    )]
    policy: Option<Input>,
    #[command(flatten)]
    call: CallArgs,
    /// Decide as of this time [default: now]
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// Leave the values of arguments out of explanations
    #[arg(long)]
    hide_values: bool,
}

impl TokenVerifyArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let config = global.config()?;
        let (verifier, revocations) = self.verifier(&config)?;
        let now = match self.at {
            Some(time) => time,
            None => clock::now()?,
        };
        let call = self.call.request()?;
        let token = self.token.text()?;
        let decision = match call {
            _ if token.trim_ascii().is_empty() => {
                verifier.recorded(Decision::missing_token(), None)
            }
            Ok(call) => verifier.check(&token, &call, now),
            Err(error) => verifier.recorded(Decision::bad_request(error), None),
        };
        let values = match self.hide_values {
            true => Values::Hidden,
            false => Values::Shown,
        };
        match global.format() {
            Format::Json => output::line(json(&decision, values, revocations))?,
            Format::Text => output::print(text(&decision, values))?,
        }
        Ok(match decision.is_allow() {
            true => Exit::Done,
            false => Exit::Denied,
        })
    }

    fn verifier(&self, config: &HomeConfig) -> Result<(Verifier, RevocationCheck), Failure> {
        let file = |given: &Option<Input>, configured: &Option<PathBuf>| {
            given.clone().or(configured.clone().map(Input::File))
        };
        let keyset = file(&self.keyset, &config.keyset).ok_or_else(|| missing("keyset"))?;
        let keyset_key = match (&self.keyset_key, &config.keyset_key) {
            (Some(key), _) => *key,
            (None, Some(text)) => text.parse().map_err(|error| {
                Failure::new(
                    Exit::Local,
                    format!("`keyset_key` in `config.toml` cannot be used: {error}"),
                )
            })?,
            (None, None) => return Err(missing("keyset-key")),
        };
        let service = self
            .service
            .as_ref()
            .or(config.service.as_ref())
            .ok_or_else(|| missing("service"))?;
        let keyset = keyset.read(MAX_ENVELOPE)?;
        let revocations = file(&self.revocations, &config.revocations)
            .map(|file| file.read(MAX_SNAPSHOT))
            .transpose()?;
        let snapshot = revocations.as_ref().map(|snapshot| snapshot.as_slice());
        let trust = Trust::open(&keyset, &keyset_key, snapshot)
            .map_err(|error| Failure::new(Exit::Local, error))?;
        let revocations = match snapshot {
            Some(_) => RevocationCheck::Checked,
            None => self.unchecked(trust.keyset())?,
        };
        let verifier =
            Verifier::new(service, trust).map_err(|error| Failure::new(Exit::Usage, error))?;
        let Some(source) = file(&self.policy, &config.policy) else {
            return Ok((verifier, revocations));
        };
        let text = source.read_text(MAX_POLICY_FILE)?;
        let policy = Policy::parse(&text).and_then(|policy| verifier.policy(&policy));
        let verifier =
            policy.map_err(|error| Failure::new(Exit::Local, format!("{source}: {error}")))?;
        Ok((verifier, revocations))
    }

    /// Permits a decision without revocations if the user asked for that, or if the keyset names no feed.
    ///
    /// # Errors
    /// A failure with [`Exit::Guarded`] otherwise.
    fn unchecked(&self, keyset: &Keyset) -> Result<RevocationCheck, Failure> {
        match &keyset.revocation_url {
            _ if self.without_revocations => {}
            Some(url) => {
                let unknown = "the issuer publishes revocations but none are given, so a revoked token would be allowed";
                return Err(Failure::plain(Exit::Guarded, unknown).hint(format!(
                    "fetch them from {}/snapshot and give the file with --revocations, or ignore them with --without-revocations",
                    name(url.trim_end_matches('/'))
                )));
            }
            None => output::warn(
                "revocations are not checked, because the keyset names no URL of them; use --revocations with a file that the issuer exported",
            ),
        }
        Ok(RevocationCheck::NotChecked)
    }
}

/// The state of the revocation check, as the JSON output reports it.
#[derive(Debug, Clone, Copy)]
enum RevocationCheck {
    Checked,
    NotChecked,
}

/// The verifier's JSON object with the member `revocations` added. The member is inserted as text, so that
/// numbers keep their spelling.
fn json(decision: &Decision, values: Values, revocations: RevocationCheck) -> String {
    let revocations = match revocations {
        RevocationCheck::Checked => "checked",
        RevocationCheck::NotChecked => "not_checked",
    };
    let object = decision.to_json(values);
    let members = object.strip_suffix('}').unwrap_or(&object);
    format!(r#"{members},"revocations":"{revocations}"}}"#)
}

fn missing(flag: &str) -> Failure {
    let name = flag.replace('-', "_");
    Failure::plain(Exit::Usage, format!("--{flag} is not given")).hint(format!(
        "give it, set BAILIWICK_{}, or put `{name}` into `config.toml` in the home",
        name.to_uppercase()
    ))
}

/// The decision as text for people.
fn text(decision: &Decision, values: Values) -> String {
    let mut lines = Vec::new();
    match decision {
        Decision::Allow(allow) => {
            lines.push(format!("{GREEN}allow{GREEN:#}"));
            match allow.grant() {
                Some(grant) => lines.push(format!("  grant    {grant}")),
                None => lines
                    .push("  grant    one in Datalog, which cannot be shown in words".to_owned()),
            }
            lines.push(format!("  until    {}", allow.expires));
        }
        Decision::Deny(deny) => {
            lines.push(format!("{RED}deny{RED:#} {}", deny.reason()));
            let sentences = deny.explain(values);
            lines.extend(sentences.iter().map(|sentence| format!("  {sentence}")));
        }
    }
    if let Some(identity) = decision.identity() {
        let (agent, principal) = (name(&identity.agent), name(&identity.principal));
        lines.push(format!("  agent    {agent} for {principal}"));
        for link in &identity.chain {
            let delegate = link
                .delegate
                .as_deref()
                .map_or("nobody named".to_owned(), |delegate| {
                    name(delegate).to_string()
                });
            lines.push(format!("  via      {delegate} (block {})", link.block));
        }
        lines.push(format!("  token    {}", identity.token_id));
    }
    lines.push(String::new());
    lines.join("\n")
}
