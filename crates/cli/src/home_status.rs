//! Reports on the issuer in a home on this machine.

use std::path::Path;

use bailiwick_api::{Health, IssuerStatus, PrivateKeys, StatusSection as Section};
use bailiwick_issuer::{Issuer, UnlockError, VaultError};
use bailiwick_service::{
    Config, Finding, StatusInputs, finding, issuer_status, probe_providers, read_profiles,
};

use crate::{
    clock,
    exit::{Exit, Failure},
    output::Progress,
    passphrase::PassphraseArg,
    serve::configured,
    settings::Global,
};

/// Reports the state of an issuer. The passphrase is tried if one is configured; there is no prompt.
pub(crate) async fn report(
    issuer: &Issuer,
    passphrase: Option<&PassphraseArg>,
    global: &Global,
) -> Result<IssuerStatus, Failure> {
    let mut findings = Vec::new();
    let private_keys = tried(issuer, passphrase, global, &mut findings);
    let config = read_config(issuer.home(), &mut findings);
    let profiles = count_profiles(issuer, &config, &mut findings);
    let providers = probe_providers(&config.providers);
    let providers = Progress::waiting("seconds, asking the providers", providers).await;
    let providers = providers.map_err(|error| {
        Failure::plain(
            Exit::Local,
            format!("no HTTPS client can be made ({error})"),
        )
        .hint("install the system's certificate authorities")
    })?;
    let inputs = StatusInputs {
        private_keys,
        providers,
        profiles,
        findings,
        is_service: false,
    };
    Ok(issuer_status(issuer, inputs, clock::now()?).await?)
}

/// Tries the configured passphrase on the private keys.
fn tried(
    issuer: &Issuer,
    passphrase: Option<&PassphraseArg>,
    global: &Global,
    findings: &mut Vec<Finding>,
) -> PrivateKeys {
    // An unsafe file is a finding rather than a warning on stderr, so that the exit code reflects it too.
    let open = passphrase.map(|passphrase| passphrase.openness(global));
    for open in open.and_then(Result::ok).into_iter().flatten() {
        let failure = Failure::new(Exit::Local, open);
        findings.push(finding(
            Section::PrivateKeys,
            Health::Warning,
            "passphrase_open",
            failure.indented(),
            failure.what_next().unwrap_or("correct its permissions"),
        ));
    }
    let configured = match passphrase.map(|passphrase| passphrase.without_warning(global)) {
        None | Some(Ok(None)) => return PrivateKeys::NotTried,
        Some(Ok(Some(configured))) => configured,
        Some(Err(failure)) => {
            let next = "correct the file or variable that the passphrase is read from";
            findings.push(failed(
                Section::PrivateKeys,
                "passphrase_unreadable",
                &failure,
                next,
            ));
            return PrivateKeys::NotTried;
        }
    };
    match issuer.unlock(&configured) {
        Ok(()) => PrivateKeys::Unlocked,
        Err(UnlockError::Vault(VaultError::WrongPassphrase)) => PrivateKeys::Refused,
        Err(error) => {
            let next = "restore the home from a backup";
            let failure = Failure::from(error);
            findings.push(failed(
                Section::PrivateKeys,
                "identity_unusable",
                &failure,
                next,
            ));
            PrivateKeys::NotTried
        }
    }
}

fn read_config(home: &Path, findings: &mut Vec<Finding>) -> Config {
    configured(home).unwrap_or_else(|failure| {
        findings.push(failed(
            Section::Settings,
            "service_config_invalid",
            &failure,
            "run `bailiwick check`, and correct what it names",
        ));
        Config::default()
    })
}

fn count_profiles(issuer: &Issuer, config: &Config, findings: &mut Vec<Finding>) -> usize {
    let limits = config.profile_limits(issuer.settings());
    match read_profiles(issuer.home(), &limits) {
        Ok(profiles) => profiles.len(),
        Err(error) => {
            findings.push(failed(
                Section::Settings,
                "profiles_invalid",
                &Failure::new(Exit::Local, error),
                "run `bailiwick check`, and correct what it names",
            ));
            0
        }
    }
}

/// Converts a failure to a finding. The failure's own hint takes precedence over the general one, `next`.
fn failed(section: Section, code: &str, failure: &Failure, next: &str) -> Finding {
    let next = failure.what_next().unwrap_or(next);
    let message = on_one_line(failure.message());
    finding(section, Health::Error, code, message, next)
}

/// Leaves out the excerpt of the file that the parser of TOML shows, and joins the other lines. A report is no place for
/// it, and `bailiwick check` shows it.
fn on_one_line(message: &str) -> String {
    let is_excerpt = |line: &str| {
        let rest = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
        rest == "|" || rest.starts_with("| ")
    };
    let lines = message.lines().filter(|line| !is_excerpt(line));
    let lines: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use bailiwick_service::ServeError;

    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        for (text, says) in [
            ("listen = 1", "at line 1, column 10: "),
            (
                "[limits]\nconnections = \"many\"\n",
                "at line 2, column 15: ",
            ),
            ("a = ", "at line 1, column 5: "),
        ] {
            let error = ServeError::Config(Config::parse(text).unwrap_err());
            let failure = Failure::plain(Exit::Local, error);
            assert!(failure.message().contains('|'), "{failure:?}");
            let shown = on_one_line(failure.message());
            assert!(shown.contains(says), "{shown}");
            assert!(!shown.contains(['|', '\n']), "{shown}");
        }
        assert_eq!(on_one_line("a `b` | c"), "a `b` | c");
    }
}
