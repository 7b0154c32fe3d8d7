//! `bailiwick grants simulate`: recorded calls, decided by the real verifier.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::{Decision, Request, Values, Verifier};
use clap::Args;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::throwaway::Issuer;
use crate::{
    clock,
    exit::{Exit, Failure, Outcome},
    input::{self, Source},
    output::{self, Format, GREEN, RED},
    settings::Global,
};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 1 << 20;

/// Options of `grants simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line of the calls is one JSON object: `service`, `action`, and where wanted `resource`, `args`
and `expect` (`allow` or `deny`). Other members are ignored. The exit code is 3 where a call came
out otherwise than expected.

Example:
  bailiwick grants simulate --grants grants.toml --calls calls.jsonl")]
pub(crate) struct SimulateArgs {
    /// The grants, TOML or JSON
    #[arg(long, value_name = "FILE|-")]
    grants: Source,
    /// The calls, one JSON object a line
    #[arg(long, value_name = "FILE.jsonl|-")]
    calls: Source,
    /// Leave the values of arguments out of explanations
    #[arg(long)]
    hide_values: bool,
}

impl SimulateArgs {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let grants = input::grants(&self.grants)?;
        let values = if self.hide_values { Values::Hidden } else { Values::Shown };
        let mut simulation = Simulation::new(&grants, values, clock::now()?)?;
        let mut tally = Tally::default();
        let mut calls = Lines::open(&self.calls)?;
        while let Some((number, line)) = calls.next()? {
            let call = Call::read(line.as_deref());
            let expected = call.expected(number)?;
            let decision = simulation.decide(&call)?;
            let met = expected.is_none_or(|allow| allow == decision.is_allow());
            tally.count(&decision, expected.is_some(), met);
            match global.format() {
                Format::Json => print_json(number, &decision, values)?,
                Format::Text => print_text(number, &call, &decision, values, met)?,
            }
        }
        output::note(&tally);
        Ok(if tally.unmet > 0 { Exit::Denied } else { Exit::Done })
    }
}

/// One token, and a verifier for each service that is called.
struct Simulation {
    issuer: Issuer,
    token: Zeroizing<String>,
    verifiers: HashMap<String, Option<Verifier>>,
    values: Values,
    now: Timestamp,
}

impl Simulation {
    fn new(
        grants: &bailiwick_token::grant::Grants,
        values: Values,
        now: Timestamp,
    ) -> Result<Simulation, Failure> {
        let issuer = Issuer::new(now)?;
        let token = issuer.mint(grants)?.to_base64();
        Ok(Simulation {
            issuer,
            token,
            verifiers: HashMap::new(),
            values,
            now,
        })
    }

    fn decide(&mut self, call: &Call) -> Result<Result<Decision, String>, Failure> {
        todo!()
    }
}
