//! `bailiwick serve`: the issuer on the network.

mod signals;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use bailiwick_issuer::Issuer;
use bailiwick_service::{Clock, Config, ConfigError, MAX_CONFIG, Running, ServeError};
use bailiwick_token::{escape::name, timestamp::Timestamp};
use clap::Args;
use serde::Serialize;

use self::signals::{STOPPED, Signal, Starting};
use crate::{
    clock,
    config::is_missing,
    exit::{Exit, ExitResult, Failure},
    harden,
    input::Input,
    logging, output, parse,
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `bailiwick serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads `service.toml` in the home, and the profiles: `profiles.toml`, or all files of `profiles.d`. \
SIGTERM and SIGINT stop it after the requests in progress. SIGHUP reloads the profiles and the \
certificate, which also happens every minute. A SIGHUP during the start takes effect after it, and a \
SIGTERM then ends the process at once.

Example:
  bailiwick serve
  bailiwick serve --listen 127.0.0.1:8420 --operations-listen 127.0.0.1:8421")]
pub(crate) struct ServeArgs {
    /// The address for callers, verifiers and operators [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The address of /livez, /readyz and /metrics [default: 127.0.0.1:8421]
    #[arg(long, value_name = "ADDRESS")]
    operations_listen: Option<SocketAddr>,
    /// Time to keep serving after SIGTERM, while /readyz fails [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    grace: Option<u64>,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Serving {
    issuer: String,
    listen: SocketAddr,
    operations_listen: SocketAddr,
}

impl ServeArgs {
    /// Serves until a signal ends it.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        // Before anything else, since a SIGHUP without a handler would end the process.
        let starting = Starting::listen()?;
        global.only_here("serve")?;
        logging::write_in_background();
        harden::many_files();
        let (issuer, config) = self.open(global).await?;
        let mut signals = starting.done().await?;
        let issued_by = issuer.settings().issuer.clone();
        // If the clock is outside of the range of timestamps, everything counts as expired.
        let clock: Clock = Arc::new(|| clock::now().unwrap_or(Timestamp::MAX));
        let started = bailiwick_service::serve(issuer, config, clock);
        let Some(started) = signals.during(started).await else {
            output::note(STOPPED);
            return Ok(Exit::Done);
        };
        let running = started.map_err(|error| Failure::new(Exit::Local, error))?;
        announce(global, issued_by, &running)?;
        loop {
            match signals.next().await {
                Signal::End => break,
                Signal::Reload => match running.reload().await {
                    Ok(()) => output::note("the profiles and the certificate were reloaded"),
                    Err(error) => {
                        output::warn(format_args!("the previous profiles stay in use: {error}"))
                    }
                },
            }
        }
        output::note("stopping after the requests in progress");
        let grace = Duration::from_secs(self.grace.unwrap_or(0));
        running.stop(grace).await;
        Ok(Exit::Done)
    }

    /// Opens the home and its private keys, and reads the settings of the service.
    async fn open(&self, global: &Global) -> Result<(Issuer, Config), Failure> {
        let home = global.home()?;
        let issuer = Issuer::open(&home).await?;
        issuer.unlock(&self.passphrase.passphrase(global)?)?;
        let mut config = configured(&home)?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.operations_listen = self.operations_listen.unwrap_or(config.operations_listen);
        Ok((issuer, config))
    }
}

/// Prints the addresses of a service that accepts requests.
fn announce(global: &Global, issuer: String, running: &Running) -> Result<(), Failure> {
    let serving = Serving {
        issuer,
        listen: running.address(),
        operations_listen: running.operations_address(),
    };
    let text = format!(
        "issuer      {}\nlisten      {}\noperations  {}\n",
        name(&serving.issuer),
        serving.listen,
        serving.operations_listen
    );
    global.format().print(&serving, text)
}

/// Reads `service.toml`, or returns the defaults if there is none.
pub(crate) fn configured(home: &Path) -> Result<Config, Failure> {
    let file = home.join("service.toml");
    if is_missing(&file)? {
        return Ok(Config::default());
    }
    let text = Input::File(file).read_text(MAX_CONFIG)?;
    Config::parse(&text).map_err(|error| match error {
        // The parser's text has lines and semicolons of its own.
        ConfigError::Malformed(_) => Failure::plain(Exit::Local, ServeError::Config(error))
            .hint("correct this part of the file"),
        error => Failure::new(Exit::Local, ServeError::Config(error)),
    })
}
