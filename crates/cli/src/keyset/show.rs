//! `bailiwick keyset show`: shows a keyset file to people.

use std::fmt::{self, Write};

use bailiwick_token::{
    dsse::MAX_ENVELOPE,
    duration,
    escape::{name, phrase},
    key::PublicKey,
    keyset::{KeyState, Keyset},
};
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    input::Input,
    output,
    settings::Global,
    wrap::hanging,
};

/// Options of `keyset show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --keyset-key the signature is not verified.

Example:
  bailiwick keyset show keyset.json --keyset-key \"$(bailiwick keyset key)\"")]
pub(crate) struct KeysetShowArgs {
    /// The signed keyset
    #[arg(value_name = "FILE|-")]
    keyset: Input,
    /// The public key that must have signed the keyset; `keyset key` prints it
    #[arg(
        long,
        value_name = "KEY",
        env = "BAILIWICK_KEYSET_KEY",
        hide_env_values = true
    )]
    keyset_key: Option<PublicKey>,
}

#[derive(Serialize)]
struct ShownKeyset<'a> {
    verified: bool,
    keyset: &'a Keyset,
}

impl KeysetShowArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let bytes = self.keyset.read(MAX_ENVELOPE)?;
        let opened = match &self.keyset_key {
            Some(key) => Keyset::open(&bytes, key),
            None => Keyset::read_unverified(&bytes),
        };
        let keyset = opened.map_err(|error| Failure::new(Exit::Local, error))?;
        let verified = self.keyset_key.is_some();
        if !verified {
            output::warn("the signature was not verified; give the keyset key with --keyset-key");
        }
        if keyset.expires <= clock::now()? {
            output::warn(
                "the keyset has expired, so verifiers without a newer one deny every call",
            );
        }
        let shown = ShownKeyset {
            verified,
            keyset: &keyset,
        };
        global
            .format()
            .print(&shown, wrapped(&text(&keyset).unwrap_or_default()))?;
        Ok(Exit::Done)
    }
}

/// Column at which values begin.
const VALUES: usize = 11;

/// The lines of a text, wrapped on a terminal.
fn wrapped(text: &str) -> String {
    let width = output::terminal_columns();
    let lines = text.lines();
    lines.fold(String::new(), |shown, line| {
        shown + &hanging(line, VALUES, width) + "\n"
    })
}

fn text(keyset: &Keyset) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "issuer     {}", name(&keyset.issuer))?;
    writeln!(text, "version    {}", keyset.version)?;
    writeln!(text, "issued     {}", keyset.issued_at)?;
    writeln!(text, "expires    {}", keyset.expires)?;
    writeln!(
        text,
        "refresh    every {}",
        duration::show(keyset.refresh_hint)
    )?;
    writeln!(text, "max ttl    {}", duration::show(keyset.max_token_ttl))?;
    if let Some(url) = &keyset.revocation_url {
        writeln!(text, "revoked at {}", name(url))?;
    }
    for key in &keyset.keys {
        let state = match key.state {
            KeyState::Staged => "staged",
            KeyState::Active => "active",
            KeyState::Retiring => "retiring",
            _ => "unknown",
        };
        write!(text, "key        {} {state:<8} {}", key.id, key.public)?;
        match key.not_after {
            Some(end) => writeln!(text, " until {end}")?,
            None => writeln!(text)?,
        }
    }
    for dead in &keyset.tombstones {
        let reason = phrase(&dead.reason);
        writeln!(
            text,
            "tombstone  {} revoked  {}: {reason}",
            dead.id, dead.revoked_at
        )?;
    }
    Ok(text)
}
