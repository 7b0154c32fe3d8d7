//! `bailiwick grants simulate`: decides recorded calls with the real verifier.

use std::{borrow::Cow, collections::HashMap, fmt};

use bailiwick_token::{escape::name, grant::Grants, timestamp::Timestamp};
use bailiwick_verifier::{Decision, Reason, Values, Verifier};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{
    calls::{self, Lines, RecordedCall},
    throwaway::ThrowawayIssuer,
};
use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    output::{self, Format, GREEN, RED},
    settings::Global,
};

/// Options of `grants simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line of the calls is one JSON object with `service`, `action`, and optionally `resource`, `args` and \
`expect` (`allow` or `deny`). Other members are ignored. The exit code is 3 if a decision differs from \
what its line expects, and 1 if a line cannot be read as a call and does not expect `deny`.

Example:
  bailiwick grants simulate --grants grants.toml --calls calls.jsonl")]
pub(crate) struct SimulateArgs {
    /// The grants, TOML or JSON
    #[arg(long, value_name = "FILE|-")]
    grants: Input,
    /// The calls, one JSON object per line
    #[arg(long, value_name = "FILE|-")]
    calls: Input,
    /// Leave the values of arguments out of explanations
    #[arg(long)]
    hide_values: bool,
}

impl SimulateArgs {
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let grants = input::grants(&self.grants)?;
        let values = match self.hide_values {
            true => Values::Hidden,
            false => Values::Shown,
        };
        let mut simulation = Simulation::new(&grants, clock::now()?)?;
        let mut tally = Tally::default();
        let mut unread = UnreadLines::default();
        let mut lines = Lines::open(&self.calls)?;
        while let Some(line) = lines.next()? {
            let call = RecordedCall::read(&line)?;
            let decision = simulation.decide(&call)?;
            let met = call
                .expected
                .is_none_or(|allow| allow == decision.is_allow());
            tally.count(&decision, call.expected, met);
            if decision.reason() == Some(Reason::BadRequest) && call.expected != Some(false) {
                unread.add(line.number);
            }
            match global.format() {
                Format::Json => print_json(line.number, &decision, values)?,
                Format::Text => print_text(line.number, &call, &decision, values, met)?,
            }
        }
        output::note(&tally);
        if unread.count > 0 {
            return Err(unread.into());
        }
        Ok(match tally.unmet {
            0 => Exit::Done,
            _ => Exit::Denied,
        })
    }
}

/// One token, and a verifier for each called service.
struct Simulation {
    issuer: ThrowawayIssuer,
    token: Zeroizing<String>,
    verifiers: HashMap<String, Option<Verifier>>,
    now: Timestamp,
}

impl Simulation {
    fn new(grants: &Grants, now: Timestamp) -> Result<Simulation, Failure> {
        let issuer = ThrowawayIssuer::new(now)?;
        let token = issuer.mint(grants)?.to_base64();
        Ok(Simulation {
            issuer,
            token,
            verifiers: HashMap::new(),
            now,
        })
    }

    fn decide<'a>(&mut self, call: &'a RecordedCall) -> Result<Cow<'a, Decision>, Failure> {
        let (service, call) = match &call.call {
            Ok(call) => call,
            Err(denied) => return Ok(Cow::Borrowed(denied)),
        };
        if !self.verifiers.contains_key(service) {
            let verifier = self.issuer.verifier(service)?;
            self.verifiers.insert(service.clone(), verifier);
        }
        Ok(Cow::Owned(match self.verifiers.get(service) {
            Some(Some(verifier)) => verifier.check(&self.token, call, self.now),
            _ => *calls::denied(
                "`service` is empty, or holds a star or a control character".to_owned(),
            ),
        }))
    }
}

/// Maximum number of lines that a message lists.
const MAX_NAMED: usize = 16;

/// Numbers of the lines that cannot be read as a call.
#[derive(Default)]
struct UnreadLines {
    first: Vec<u64>,
    count: usize,
}

impl UnreadLines {
    fn add(&mut self, line: u64) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_NAMED {
            self.first.push(line);
        }
    }
}

impl From<UnreadLines> for Failure {
    fn from(unread: UnreadLines) -> Failure {
        let lines: Vec<String> = unread.first.iter().map(u64::to_string).collect();
        let lines = lines.join(", ");
        let which = match (unread.count, unread.count.saturating_sub(MAX_NAMED)) {
            (1, _) => format!("line {lines}"),
            (_, 0) => format!("lines {lines}"),
            (_, more) => format!("lines {lines} and {more} more"),
        };
        Failure::plain(Exit::Local, format!("{which} cannot be read as a call"))
            .hint(r#"correct each, or add `"expect": "deny"` to each that should be refused"#)
    }
}

/// One line of the output with `--json`.
#[derive(Serialize)]
struct Decided<'a> {
    line: u64,
    decision: &'static str,
    reason: Option<&'static str>,
    explain: &'a RawValue,
}

fn print_json(line: u64, decision: &Decision, values: Values) -> Result<(), Failure> {
    /// The verifier's own JSON output, whose explanation is used unchanged.
    #[derive(Deserialize)]
    struct Explained<'a> {
        #[serde(borrow)]
        explain: &'a RawValue,
    }
    let text = decision.to_json(values);
    let explained: Explained<'_> = serde_json::from_str(&text).map_err(|error| {
        Failure::plain(Exit::Local, format!("cannot read the decision ({error})"))
            .hint("this is a bug in bailiwick; please report it")
    })?;
    output::json(&Decided {
        line,
        decision: word(decision),
        reason: decision.reason().map(Reason::code),
        explain: explained.explain,
    })
}

fn print_text(
    line: u64,
    call: &RecordedCall,
    decision: &Decision,
    values: Values,
    met: bool,
) -> Result<(), Failure> {
    let style = if decision.is_allow() { GREEN } else { RED };
    let word = word(decision);
    let named = |part: &Option<String>| {
        part.as_deref()
            .map_or("?".to_owned(), |part| name(part).to_string())
    };
    let (service, action) = (named(&call.service), named(&call.action));
    let why = match decision.reason() {
        Some(reason) => {
            let sentences = decision.explain(values).join("; ");
            format!(": {reason}, {sentences}")
        }
        None => String::new(),
    };
    let unmet = match (met, decision.is_allow()) {
        (true, _) => "",
        (false, true) => " (expected deny)",
        (false, false) => " (expected allow)",
    };
    output::line(format_args!(
        "{line:>4} {style}{word:<5}{style:#} {service} {action}{RED}{unmet}{RED:#}{why}"
    ))
}

fn word(decision: &Decision) -> &'static str {
    if decision.is_allow() { "allow" } else { "deny" }
}

/// Numbers of calls, by outcome.
#[derive(Default)]
struct Tally {
    allowed: u64,
    denied: u64,
    unreadable: u64,
    expected: u64,
    unmet: u64,
}

impl Tally {
    fn count(&mut self, decision: &Decision, expected: Option<bool>, met: bool) {
        let add = |count: &mut u64, one: bool| *count = count.saturating_add(u64::from(one));
        add(&mut self.allowed, decision.is_allow());
        add(&mut self.denied, !decision.is_allow());
        add(
            &mut self.unreadable,
            decision.reason() == Some(Reason::BadRequest),
        );
        add(&mut self.expected, expected.is_some());
        add(&mut self.unmet, !met);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            allowed,
            denied,
            unreadable,
            expected,
            unmet,
        } = self;
        write!(f, "{allowed} allowed, {denied} denied")?;
        if *unreadable > 0 {
            write!(f, " ({unreadable} of them cannot be read as a call)")?;
        }
        match (expected, unmet) {
            (0, _) => Ok(()),
            (1, 0) => f.write_str("; the expectation was met"),
            (1, _) => f.write_str("; the expectation was not met"),
            (_, 0) => write!(f, "; all {expected} expectations were met"),
            (_, 1) => write!(f, "; 1 of {expected} expectations was not met"),
            _ => write!(f, "; {unmet} of {expected} expectations were not met"),
        }
    }
}
