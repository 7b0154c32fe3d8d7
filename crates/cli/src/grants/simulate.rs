//! `bailiwick grants simulate`: decides recorded calls with the real verifier.

mod tally;

use std::{borrow::Cow, collections::HashMap};

use bailiwick_token::{escape::name, grant::Grants, timestamp::Timestamp};
use bailiwick_verifier::{Decision, Reason, Values, Verifier};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use self::tally::{OtherMembers, Tally, UnreadLines};
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
`expect` (`allow` or `deny`). Other members are ignored, and listed once. The exit code is 3 if a decision \
differs from what its line expects, and 1 if a line cannot be read as a call and does not expect `deny`, \
or has `arguments`, `params`, `parameters` or `input` instead of `args`.

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
        let mut others = OtherMembers::default();
        let mut lines = Lines::open(&self.calls)?;
        while let Some(line) = lines.next()? {
            let call = RecordedCall::read(&line)?;
            let decision = simulation.decide(&call)?;
            let met = call
                .expected
                .is_none_or(|allow| allow == decision.is_allow());
            tally.count(&decision, call.expected, met);
            if let Some(name) = &call.misnamed {
                // Such a line is unread even if it expects a denial, because its arguments were never looked at.
                unread.add(line.number);
                unread.misnamed.get_or_insert_with(|| name.clone());
            } else if decision.reason() == Some(Reason::BadRequest) && call.expected != Some(false)
            {
                unread.add(line.number);
            }
            others.add(&call.others);
            match global.format() {
                Format::Json => print_json(line.number, &decision, values)?,
                Format::Text => print_text(line.number, &call, &decision, values, met)?,
            }
        }
        output::note(&tally);
        if others.count > 0 {
            output::note(&others);
        }
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
                "`service` is empty, or contains a star or a control character".to_owned(),
            ),
        }))
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
