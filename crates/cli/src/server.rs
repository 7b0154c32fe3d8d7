//! The client for a remote issuer, over HTTPS and with the routes of `bailiwick-api`.

mod failures;

use std::{env, path::PathBuf, time::Duration};

use bailiwick_api::{AUDIT_VERIFY_SECONDS, Method, Nothing, Route, Verbatim, routes};
use bailiwick_token::{json, text::credential};
use bailiwick_verifier::outbound::{Client, SafeUrl, UnsafeUrl};
use clap::Args;
use reqwest::Response;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

pub(crate) use self::failures::unreadable;
use self::failures::{refused, unreachable};
use crate::{
    config::HomeConfig,
    exit::{Exit, Failure},
    input::{Input, shown, variable, warn_if_open},
    output::Progress,
};

/// The environment variable with the issuer's address.
const SERVER: &str = "BAILIWICK_SERVER";

/// The environment variable with the path of a CA certificate.
const CA: &str = "BAILIWICK_CA";

/// The environment variable with the operator's token.
const TOKEN: &str = "BAILIWICK_OPERATOR_TOKEN";

/// Maximum length of an operator's token and of a certificate, in bytes.
const MAX_FILE: usize = 64 * 1024;

/// Maximum length of an answer, in bytes. The largest is a snapshot of a million revocations.
const MAX_ANSWER: usize = 256 << 20;

/// Maximum time to wait for one answer of the service.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options that name a remote issuer, instead of a home on this machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct ServerArgs {
    /// Work with the issuer at this URL instead of a home; if empty, with the issuer in the home [env:
    /// BAILIWICK_SERVER]
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// The operator's token for --server [default: BAILIWICK_OPERATOR_TOKEN]
    #[arg(long, global = true, value_name = "FILE|-")]
    operator_token_file: Option<Input>,
    /// Also trust this certificate authority (PEM) for --server [env: BAILIWICK_CA]
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A remote issuer, with an operator's token for it.
pub(crate) struct ServiceClient {
    base: SafeUrl,
    http: Client,
    token: Option<Zeroizing<String>>,
}

impl ServerArgs {
    /// Returns true if a flag or the environment names a service, regardless of `config.toml`.
    pub(crate) fn is_named(&self) -> Result<bool, Failure> {
        let named = match self.server.clone() {
            Some(server) => Some(server),
            None => variable(SERVER)?.map(|server| server.to_string()),
        };
        Ok(named.is_some_and(|url| !url.is_empty()))
    }

    /// Returns a client if a flag, the environment or `config.toml` names a service.
    pub(crate) fn open(&self, config: &HomeConfig) -> Result<Option<ServiceClient>, Failure> {
        let named = match self.server.clone() {
            Some(server) => Some(server),
            None => variable(SERVER)?.map(|server| server.to_string()),
        };
        let named = named.or_else(|| config.server.clone());
        let Some(url) = named.filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let base = base(&url)?;
        let token = self.token(config)?;
        let environment = env::var_os(CA).filter(|path| !path.is_empty());
        let ca = self.ca.clone().or(environment.map(PathBuf::from));
        let ca = ca.or_else(|| config.ca.clone());
        let authority = |path: PathBuf| {
            let pem = Input::File(path.clone()).read(MAX_FILE)?;
            reqwest::Certificate::from_pem(&pem).map_err(|_| {
                let path = shown(&path);
                Failure::plain(Exit::Local, format!("{path} contains no PEM certificate"))
                    .hint("name the file of the authority that signed the service's certificate")
            })
        };
        let authority = ca.map(authority).transpose()?;
        let http = Client::new(|builder| {
            builder
                .timeout(PATIENCE)
                .connect_timeout(Duration::from_secs(10))
                .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
                .tls_certs_merge(authority.clone())
        });
        let http = http.map_err(|error| {
            Failure::plain(
                Exit::Local,
                format!(
                    "no HTTPS client can be made with the system's certificates and --ca ({error})"
                ),
            )
        })?;
        Ok(Some(ServiceClient { base, http, token }))
    }

    fn token(&self, config: &HomeConfig) -> Result<Option<Zeroizing<String>>, Failure> {
        let read = |file: &Input| {
            warn_if_open("operator's token", file);
            file.read_text(MAX_FILE)
        };
        let text = if let Some(file) = &self.operator_token_file {
            read(file)?
        } else if let Some(token) = variable(TOKEN)?.filter(|token| !token.is_empty()) {
            token
        } else if let Some(file) = &config.operator_token_file {
            read(&Input::File(file.clone()))?
        } else {
            return Ok(None);
        };
        Ok(Some(Zeroizing::new(credential(&text).to_owned())))
    }
}

/// Parses the issuer's address.
fn base(text: &str) -> Result<SafeUrl, Failure> {
    let wrong = |what: &str, hint: &'static str| {
        Failure::plain(Exit::Usage, format!("--server {what}")).hint(hint)
    };
    SafeUrl::parse_base(text).map_err(|error| match error {
        UnsafeUrl::Malformed => wrong("is not a URL", "write one such as `https://issuer.example`"),
        UnsafeUrl::Credentials => wrong(
            "contains a user name or a password",
            "leave it out, since an operator authenticates with a token by --operator-token-file",
        ),
        UnsafeUrl::Query => wrong(
            "contains a query or a fragment",
            "write where the issuer is, such as `https://issuer.example`",
        ),
        _ => wrong(
            "would send the operator's token unencrypted",
            "use https, since plain http is for this machine only",
        ),
    })
}

impl ServiceClient {
    /// Sends a request whose answer is JSON. `values` fill the places in the route's path.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        route: Route<Q, A>,
        values: &[&str],
        request: &Q,
    ) -> Result<A, Failure> {
        let bytes = Zeroizing::new(self.answer(route, values, request).await?);
        json::from_slice(&bytes).map_err(|_| unreadable())
    }

    /// Sends a request whose answer is empty.
    pub(crate) async fn done(
        &self,
        route: Route<Nothing, Nothing>,
        values: &[&str],
    ) -> Result<(), Failure> {
        self.answer(route, values, &Nothing {}).await.map(drop)
    }

    /// Sends a request and returns the answer unchanged.
    pub(crate) async fn text(&self, route: Route<Nothing, Verbatim>) -> Result<String, Failure> {
        let bytes = self.answer(route, &[], &Nothing {}).await?;
        String::from_utf8(bytes).map_err(|_| unreadable())
    }

    async fn answer<Q: Serialize, A>(
        &self,
        route: Route<Q, A>,
        values: &[&str],
        request: &Q,
    ) -> Result<Vec<u8>, Failure> {
        let outgoing = route.outgoing(values, request).map_err(|error| {
            Failure::new(Exit::Usage, error).or_hint("run the command at the issuer's home")
        })?;
        let base = self.base.url().as_str().trim_end_matches('/');
        let target = &outgoing.target;
        let url = SafeUrl::parse(&format!("{base}{target}")).map_err(|_| unreadable())?;
        let mut request = self.http.request(method(outgoing.method), &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.as_str());
        }
        if let Some(body) = &outgoing.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        if route.path() == routes::VERIFY_AUDIT.path() {
            let time = Duration::from_secs(AUDIT_VERIFY_SECONDS);
            request = request.timeout(time.saturating_add(PATIENCE));
        }
        tracing::debug!(path = target, "asking the issuer");
        let sent = Progress::waiting("seconds, waiting for the issuer", request.send()).await;
        let token = self.token.as_ref().map(|token| token.len());
        let mut response = sent.map_err(|error| unreachable(base, &error, token))?;
        let status = response.status();
        let bytes = read(base, &mut response, token).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(refused(status, &bytes, token))
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    }
}

async fn read(
    issuer: &str,
    response: &mut Response,
    token: Option<usize>,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut progress = Progress::new("bytes");
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(issuer, &error, token))?
    {
        if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(unreadable());
        }
        bytes.extend_from_slice(&chunk);
        progress.at(bytes.len() as u64);
    }
    Ok(bytes)
}
