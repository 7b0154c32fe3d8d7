//! Decides one call with any Biscuit. Usage: `authorize TOKEN ROOT_KEY POLICIES`, where `TOKEN` and `POLICIES`
//! are files.
//!
//! Prints the decision as JSON. The exit code is 0 if the call is allowed, and 1 otherwise.

use std::{env, error::Error, fs, process::ExitCode};

use bailiwick_biscuit::authorize::{DEFAULT_FUEL, Externs, Key, Outcome, authorize};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [token, root, policies] = arguments.as_slice() else {
        return Err("give a token's file, a root key and a file of policies".into());
    };
    let (token, policies) = (fs::read(token)?, fs::read_to_string(policies)?);
    let root: Key = root.parse()?;
    let report = authorize(&token, &root, &policies, &Externs::default(), DEFAULT_FUEL);
    #[allow(clippy::print_stdout, reason = "it is a program")]
    {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(match report.outcome {
        Outcome::Allow { .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
