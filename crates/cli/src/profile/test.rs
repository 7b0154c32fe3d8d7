//! `bailiwick profile test`: shows the token that a caller would get.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
    path::PathBuf,
};

use bailiwick_issuer::{
    MintRequest,
    profile::{Ask, Caller, ErrorCode, ProfileRefusal},
};
use bailiwick_token::{
    duration,
    escape::{name, phrase},
    grant::Grant,
    json,
    value::Value,
};
use clap::{Args, value_parser};
use serde::Serialize;

use super::files::{Files, LimitArgs};
use crate::{
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    output::{GREEN, RED},
    parse,
    settings::Global,
};

/// Maximum length of a file that describes a caller, in bytes.
const MAX_CALLER: usize = 1 << 20;

/// Options of `profile test`.
#[derive(Debug, Args)]
#[command(after_help = "\
The caller is described in JSON. `source` is `client`, or the name of an identity provider:
  { \"agent\": { \"source\": \"client\",
               \"claims\": { \"client\": \"buyer-7\", \"profiles\": [\"buyer\"] } },
    \"principal\": { \"source\": \"corp\", \"claims\": { \"sub\": \"ada\" } } }

Limits that are not given here are taken from the issuer in the home and its `service.toml`, if there is one. \
With --max-ttl and --provider the home is not opened.

Nothing is minted. Exit code 0: the caller gets this. 3: it gets nothing, for this reason.

Examples:
  bailiwick profile test buyer --caller caller.json --service erp --ttl 5m
  bailiwick profile test --profiles profiles.toml --caller caller.json \\
      --max-ttl 1h --provider corp")]
pub(crate) struct TestArgs {
    /// The profile, as requests name it in `scope` [default: a request without `scope`]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The caller, JSON
    #[arg(long, value_name = "FILE|-")]
    caller: Input,
    /// Profile files, or directories of them [default: those in the home]
    #[arg(long, value_name = "FILE|DIR")]
    profiles: Vec<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Ask for these grants, TOML or JSON
    #[arg(long, value_name = "FILE|-")]
    grants: Option<Input>,
    /// Ask for grants for this service only; may be given several times
    #[arg(long = "service", value_name = "NAME", value_parser = parse::text)]
    services: Vec<String>,
    /// Ask for this lifetime
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    ttl: Option<u64>,
    /// State this task
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    task: Option<String>,
    /// Ask for a token that can be narrowed at most this many times
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=15))]
    max_depth: Option<u32>,
}

impl TestArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        if self.caller == Input::Stdin && self.grants == Some(Input::Stdin) {
            return Err(Failure::plain(Exit::Usage, "standard input is given twice")
                .hint("name a file for --caller or for --grants"));
        }
        let files = Files::read(&self.profiles, global)?;
        let profiles = files.parse_within(self.limits, global).await?;
        let caller = caller(&self.caller)?;
        let ask = Ask {
            grants: self.grants.as_ref().map(input::grants).transpose()?,
            services: self.services,
            ttl: self.ttl,
            task: self.task,
            max_depth: self.max_depth,
        };
        let selected = profiles.select(self.name.as_deref(), &caller);
        let issued =
            selected.and_then(|profile| Ok((profile, profile.mint_request(&caller, &ask)?)));
        match issued {
            Ok((profile, request)) => {
                let issued = Issued::new(profile.name(), &request);
                global.format().print(&issued, words(&issued, &request))?;
                Ok(Exit::Done)
            }
            Err(refusal) => {
                let refused = RefusedCaller::new(&refusal);
                global.format().print(&refused, refused.words())?;
                Ok(Exit::Denied)
            }
        }
    }
}

/// Reads a caller. Errors give only a position in the JSON text, because parts of the text may be secret.
fn caller(source: &Input) -> Result<Caller, Failure> {
    let text = source.read_text(MAX_CALLER)?;
    json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::plain(
            Exit::Local,
            format!("{source}: line {line}, column {column} does not belong to a caller"),
        )
        .hint("write a caller as JSON with `agent` and, if there is one, `principal`, as the help of this command shows")
    })
}

/// The output for a caller that gets a token.
#[derive(Serialize)]
struct Issued<'a> {
    decision: &'static str,
    profile: &'a str,
    agent: &'a str,
    principal: &'a str,
    tenant: Option<&'a str>,
    task: Option<&'a str>,
    claims: &'a BTreeMap<String, String>,
    ttl: u64,
    max_depth: Option<u32>,
    grant: Vec<Value>,
}

impl<'a> Issued<'a> {
    fn new(profile: &'a str, request: &'a MintRequest) -> Issued<'a> {
        Issued {
            decision: "issue",
            profile,
            agent: &request.agent,
            principal: &request.principal,
            tenant: request.tenant.as_deref(),
            task: request.task.as_deref(),
            claims: &request.claims,
            ttl: request.ttl,
            max_depth: request.max_depth,
            grant: request.grants.iter().map(Grant::to_value).collect(),
        }
    }
}

fn words(issued: &Issued<'_>, request: &MintRequest) -> String {
    let mut text = format!(
        "{GREEN}issue{GREEN:#} by profile {}\n",
        name(issued.profile)
    );
    let mut line = |label: &str, value: &dyn Display| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {label:<9}  {value}");
    };
    line("agent", &name(issued.agent));
    line("principal", &name(issued.principal));
    if let Some(tenant) = issued.tenant {
        line("tenant", &name(tenant));
    }
    if let Some(task) = issued.task {
        line("task", &phrase(task));
    }
    for (claim, value) in issued.claims {
        line("claim", &format_args!("{}={}", name(claim), phrase(value)));
    }
    line("lifetime", &duration::show(issued.ttl));
    if let Some(depth) = issued.max_depth {
        line("depth", &depth);
    }
    text.push('\n');
    text + &request.grants.to_toml()
}

/// The output for a caller that is refused: its error, and the text for the log.
#[derive(Serialize)]
struct RefusedCaller {
    decision: &'static str,
    error: ErrorCode,
    error_description: String,
    log: String,
}

impl RefusedCaller {
    fn new(refusal: &ProfileRefusal) -> RefusedCaller {
        RefusedCaller {
            decision: "refuse",
            error: refusal.code(),
            error_description: refusal.public(),
            log: refusal.log(),
        }
    }

    fn words(&self) -> String {
        let RefusedCaller {
            error,
            error_description,
            log,
            ..
        } = self;
        let log = match log == error_description {
            true => String::new(),
            false => format!("  log     {log}\n"),
        };
        format!("{RED}refuse{RED:#} {error}\n  caller  {error_description}\n{log}")
    }
}
